"""The plan of a study as a server has checked it, in the form in which ``sweep check`` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.ledger.codec import data_from_plain
from sweep.search.outer_folds import outer_folds
from sweep.search.plan import make_plan
from sweep.spec.estimator_facts import EstimatorFacts
from sweep.study.answers.plan import StudyPlan
from sweep.study.check import START_SECONDS, Check, cells_left, outer_left
from sweep.study.tried_models import TriedModels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec


def study_plan(spec: StudySpec, plain: Mapping[str, Any], known: StudyRecord | None) -> StudyPlan:
    """Return a plan of which a server has sent the JSON.

    Parameters
    ----------
    spec : StudySpec
        The study that was checked.
    plain : mapping
        As :func:`sweep.study.answers.plan.plain_plan` returns it.
    known : StudyRecord or None
        What the server's ledger holds of the study.
    """
    if (facts := plain.get("estimator")) is not None:  # only the server has loaded its code
        spec = spec.model_copy(update={"facts": EstimatorFacts.model_validate(facts)})
    plan = make_plan(spec)
    left = cells_left(plan, known)
    checked = Check(
        spec=spec,
        plan=plan,
        data=data_from_plain(plain["data"]),
        splits=plain["splits"],
        fits=plain["fits"],
        candidate_fits=plain["fits_of_a_plain_search"],
        cpu_seconds=_cpu_seconds(plain, len(left)),
        workers=plain["workers"],
        left=left,
        outer=len(outer_folds(spec)),
        outer_left=outer_left(spec, known, left),
        ruled_out=plain["ruled_out"],
        device=plain["device"],
        notes=tuple(plain["data_notes"]),
        models=TriedModels(
            plain["models"],
            plain["tried"],
            plain["failed"],
            tuple(plain["warnings"]),
            tuple(plain["causes"]),
        ),
        split_rows=plain["split_rows"],
    )
    return StudyPlan(checked, known)


def _cpu_seconds(plain: Mapping[str, Any], left: int) -> float | None:
    """Return the estimate of which the server has sent the minutes on all its workers."""
    if plain["minutes"] is None:
        return None
    workers = max(1, min(int(plain["workers"]), left))
    return max(0.0, float(plain["minutes"]) * 60 - START_SECONDS) * workers
