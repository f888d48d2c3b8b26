"""Further repeats of a cross-validation: each is a study of its own, on splits of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.ledger.records import PlannedCell
from sweep.search.plan import Plan
from sweep.spec.sections import SEEDS_LIMIT
from sweep.support.file_names import repeat_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweep.ledger.records import Candidate
    from sweep.spec import StudySpec

OFF: dict[str, Any] = {
    "repeats": 1, "settle": None, "refit": False, "choose": "best", "timeout": None,
    "pruner": None, "split_pruner": None, "patience": None, "max_parameters": None,
    "max_fit_seconds": None, "start": (), "start_from": (), "train_scores": False, "curves": False,
}  # fmt: skip
"""What a search does to find or give up candidates; those of a repeat are known, and all fitted."""


@dataclass(frozen=True)
class Repeat:
    """A further repeat.

    Attributes
    ----------
    study : str
        The study that is settled.
    repeat : int
        Its number, from 1.
    """

    study: str
    repeat: int

    @property
    def name(self) -> str:
        """The name of its own study in the ledger; lists do not show it."""
        return repeat_name(self.study, self.repeat)

    def plain(self) -> dict[str, Any]:
        """Return its fields as JSON-able values, for the header of its study."""
        return asdict(self)


def repeat_spec(spec: StudySpec) -> StudySpec:
    """Return the study file of a further repeat: no search any more, the same fits."""
    return spec.model_copy(update={"search": spec.search.model_copy(update=OFF)})


def seeded(spec: StudySpec, part: Mapping[str, Any] | None) -> tuple[StudySpec, bool]:
    """Return the study with the seed of its part, and whether its splits are shuffled.

    A repeat draws its splits and its fits' seeds from the study's seed and its own number, so they
    depend on nothing else. Its data are those of the study: load them before.
    """
    if not part or "repeat" not in part:
        return spec, False
    words = np.random.SeedSequence([spec.study.seed, part["repeat"]]).generate_state(1)
    seed = int(words[0]) % (2**32 - SEEDS_LIMIT)
    return spec.model_copy(update={"study": spec.study.model_copy(update={"seed": seed})}), True


def repeat_plan(candidates: Iterable[Candidate]) -> Plan:
    """Return the cells of a repeat; candidates of one cell share it, as in the search."""
    cells: dict[str, list[Candidate]] = {}
    for each in candidates:
        cells.setdefault(each.trial.key, []).append(each)
    planned = tuple(
        PlannedCell(key, held[0].trial.params, tuple(sorted({each.epoch for each in held})))
        for key, held in sorted(cells.items())
    )
    return Plan(planned, sum(map(len, cells.values())), {})
