"""A study in a database or journal of Optuna's: any sampler, pruned trials, several objectives."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.importing.found import MOST_PARAMETERS, MOST_TRIALS, FoundStudy
from sweep.importing.optuna_journal import journal_path, open_journal
from sweep.importing.problems import Problems, refused
from sweep.importing.space import holds, space_of, unmixed
from sweep.importing.values import plain_value, scorer_name
from sweep.ledger.imported import EndedTrial
from sweep.ledger.records import SplitResult
from sweep.ledger.studies import Studies
from sweep.spaces import Choices, FloatRange, IntRange
from sweep.spec.scorers import column_of
from sweep.storage.attributes import STUDY
from sweep.storage.locations import shown_url, storage_url
from sweep.storage.trial_reader import read_trials
from sweep.support.suggestion import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from optuna.storages import BaseStorage
    from optuna.study import StudyDirection
    from optuna.study._frozen import FrozenStudy
    from optuna.trial import FrozenTrial

    from sweep.spaces import Dimension

    _Opened = tuple[BaseStorage, Callable[[int], Sequence[FrozenTrial]]]

TOOL = "Optuna"
NAMES = "study:metric_names"
"""System attribute of a study in which Optuna keeps the names of its objectives."""
MOST_STEPS = 10_000
"""Reported values of a trial that are a curve."""
LARGEST_STEP = 10**9


def read_optuna(url: str | None, name: str) -> FoundStudy:
    """Read a study from Optuna's storage; nothing is written there.

    Parameters
    ----------
    url : str or None
        Address of the database, an SQLite file or a journal; None for that of ``SWEEP_STORAGE``.
    name : str
        The study's name in it.

    Raises
    ------
    ImportFileError
        If there is no such study, or it holds nothing to import.
    LedgerError
        If the database cannot be read.
    """
    journal = journal_path(url)
    place = str(journal) if journal else shown_url(storage_url(url))
    with _of_journal(journal) if journal else _of_database(url) as (storage, trials_of):
        study = _named(storage.get_all_studies(), name, place)
        count = storage.get_n_trials(study._study_id)
        if count > MOST_TRIALS:
            raise refused(place, f"must have at most {MOST_TRIALS:,} trials, it has {count:,}")
        trials = trials_of(study._study_id)
    reader = _Reader(place, study.directions, study.system_attrs.get(NAMES))
    return reader.study(f"{place}: {name}", trials)


@contextmanager
def _of_database(url: str | None) -> Iterator[_Opened]:
    with closing(Studies(storage_url(url), reading=True)) as studies, studies.translated():
        yield studies.storage, partial(read_trials, studies.storage)


@contextmanager
def _of_journal(path: Path) -> Iterator[_Opened]:
    storage = open_journal(path)
    yield storage, partial(storage.get_all_trials, deepcopy=False)


def _named(studies: Sequence[FrozenStudy], name: str, place: str) -> FrozenStudy:
    """Return a study by its name, if it is not one of sweep's own."""
    held = {each.study_name: each for each in studies}
    if name not in held:
        known = ", ".join(held) or "none"
        raise refused(place, f"no study named {name!r}; there are: {known}."
                      f"{suggestion(name, held)}")  # fmt: skip
    if STUDY in held[name].user_attrs:
        rule = "is a study of sweep's own: read it there, with --storage"
        raise refused(place, f"study {name!r} {rule}")
    return held[name]


@dataclass(frozen=True)
class _Reader:
    """Turns Optuna's trials into ours.

    Attributes
    ----------
    place : str
        The database, for messages.
    directions : sequence of StudyDirection
        Of the objectives.
    given : sequence of str or None
        Their names, where the study has some.
    """

    place: str
    directions: Sequence[StudyDirection]
    given: Sequence[str] | None

    def study(self, source: str, trials: Sequence[FrozenTrial]) -> FoundStudy:
        """Return the study that these trials make."""
        from optuna import __version__

        ended = [trial for trial in trials if trial.state.is_finished()]
        if not ended:
            raise refused(self.place, "no trial of this study has ended")
        params = unmixed([_plain_params(trial) for trial in ended])
        names = {name for each in params for name in each}
        if not names:
            raise refused(self.place, "no trial of this study has a parameter")
        if len(names) > MOST_PARAMETERS:
            rule = f"must have at most {MOST_PARAMETERS} parameters"
            raise refused(self.place, f"{rule}, it has {len(names)}")
        problems = Problems(self.place)
        shift = 1 if any(0 in trial.intermediate_values for trial in ended) else 0
        found = [
            self.trial(trial, each, shift, problems)
            for trial, each in zip(ended, params, strict=True)
        ]
        problems.check()
        scores = self.scores()
        return FoundStudy(
            tool=TOOL,
            version=__version__,
            source=source,
            scores=scores,
            trials=tuple(found),
            space=space_of(params, _known_space(ended, params)),
            objectives=scores[1:],
            notes=tuple(self.notes(len(trials) - len(ended), _without_curve(ended, found))),
        )

    def signs(self) -> list[int]:
        """Return -1 for each objective that is minimized."""
        return [-1 if each.name == "MINIMIZE" else 1 for each in self.directions]

    def scores(self) -> tuple[str, ...]:
        """Return the objectives' names as scorers."""
        several = len(self.directions) > 1
        default = [f"value_{i}" if several else "value" for i in range(len(self.directions))]
        names: list[str] = []
        for each, sign in zip(self.given or default, self.signs(), strict=True):
            name = scorer_name(str(each), minimize=sign < 0)
            while name in names:
                name += "_"
            names.append(name)
        return tuple(names)

    def notes(self, left: int, bare: int) -> list[str]:
        """Return what a reader must know."""
        minimized = [n for n, sign in zip(self.scores(), self.signs(), strict=True) if sign < 0]
        said = [f"minimized, so negated here: {', '.join(map(column_of, minimized))}"]
        open_ones = [f"left out, because they had not ended: {left} trials"]
        curves = [f"values that are not the last reported ones, so without a curve: {bare} trials"]
        return [
            *(said if minimized else []), *(open_ones if left else []), *(curves if bare else [])
        ]  # fmt: skip

    def trial(
        self, trial: FrozenTrial, params: Mapping[str, Any], shift: int, problems: Problems
    ) -> EndedTrial:
        """Return one trial; steps that count from 0 become epochs that count from 1."""
        found = self._trial(trial, params, shift, problems)
        started, finished = _aware(trial.datetime_start), _aware(trial.datetime_complete)
        return replace(found, started=started, finished=finished)

    def _trial(
        self, trial: FrozenTrial, params: Mapping[str, Any], shift: int, problems: Problems
    ) -> EndedTrial:
        state, sign = trial.state.name, self.signs()[0]
        values = [float(value) for value in trial.values or ()]
        curve = self.curve(trial, shift)
        seconds, last = _seconds(trial), max(curve, default=1)
        if state == "FAIL":
            why = trial.system_attrs.get("fail_reason") or "no reason recorded"
            return EndedTrial("FAIL", params, reason=str(why))
        if state == "PRUNED":
            splits = (_split(curve, {}, seconds, last),) if curve else ()
            return EndedTrial("PRUNED", params, splits, last)
        if len(values) != len(self.directions) or not all(map(isfinite, values)):
            rule = f"must have {len(self.directions)} finite values, got {values}"
            problems.add(f"trial {trial.number}", rule)
            return EndedTrial("FAIL", params)
        score = sign * values[0]
        if curve.get(last) != score:  # no reported value: its curve does not lead to it
            curve = {}
        pairs = zip(self.scores(), self.signs(), values, strict=True)
        others = {column_of(name): {last: each * value} for name, each, value in pairs}
        del others[column_of(self.scores()[0])]
        splits = (_split({**curve, last: score}, others, seconds, last),)
        broken = [past for past in trial.constraints.values() if past > 0]
        if broken:
            reason = f"it breaks a constraint by {', '.join(f'{each:g}' for each in broken)}"
            return EndedTrial("PRUNED", params, splits, last, reason=reason)
        return EndedTrial("COMPLETE", params, splits, last)

    def curve(self, trial: FrozenTrial, shift: int) -> dict[int, float]:
        """Return the reported values by epoch; none where they are too many for a curve."""
        sign = self.signs()[0]
        found = {
            step + shift: sign * float(value)
            for step, value in sorted(trial.intermediate_values.items())
            if isfinite(value) and 0 < step + shift <= LARGEST_STEP
        }
        return found if len(found) <= MOST_STEPS else {}


def _without_curve(trials: Sequence[FrozenTrial], found: Sequence[EndedTrial]) -> int:
    """Return how many complete trials reported values that are left out."""
    return sum(
        len(trial.intermediate_values) > 1 and len(each.splits[0].test) < 2
        for trial, each in zip(trials, found, strict=True)
        if each.state == "COMPLETE"
    )


def _split(
    test: Mapping[int, float], others: Mapping[str, Any], seconds: float | None, last: int
) -> SplitResult:
    scores: dict[float, float] = dict(test.items())
    return SplitResult(
        test=scores, others=others, seconds={} if seconds is None else {last: seconds}
    )


def _aware(moment: datetime | None) -> datetime | None:
    """Return a time with its zone: Optuna gives local ones without."""
    return None if moment is None else moment.astimezone(UTC)


def _seconds(trial: FrozenTrial) -> float | None:
    duration = trial.duration
    return None if duration is None else max(0.0, duration.total_seconds())


def _plain_params(trial: FrozenTrial) -> dict[str, Any]:
    return {name: plain_value(value) for name, value in trial.params.items()}


def _known_space(
    trials: Sequence[FrozenTrial], params: Sequence[Mapping[str, Any]]
) -> dict[str, Dimension]:
    """Return Optuna's own distributions; a range that was changed meanwhile spans all of them."""
    held: dict[str, list[Any]] = {}
    for trial in trials:
        for name, each in trial.distributions.items():
            if each not in held.setdefault(name, []):
                held[name].append(each)
    made = {name: _dimension(each) for name, each in held.items()}
    return {
        name: dimension
        for name, dimension in made.items()
        if dimension is not None and holds(dimension, [p[name] for p in params if name in p])
    }


def _dimension(distributions: Sequence[Any]) -> Dimension | None:
    first = distributions[0]
    if hasattr(first, "choices"):
        values: dict[str, Any] = {}
        for each in distributions:
            for value in map(plain_value, each.choices):
                values.setdefault(repr(value), value)
        return Choices(tuple(values.values()))
    low, high = min(d.low for d in distributions), max(d.high for d in distributions)
    log = all(d.log for d in distributions) and low > 0
    if low >= high or max(abs(low), abs(high)) > 2**53:
        return None
    if all(isinstance(d.low, int) and isinstance(d.high, int) for d in distributions):
        return IntRange(low, high, log=log)
    return FloatRange(float(low), float(high), log=log)
