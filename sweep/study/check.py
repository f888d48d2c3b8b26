"""Check a study before it runs: its plan, its problems, and how long it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sweep.evaluation.own_estimator import with_facts
from sweep.evaluation.split_checks import unseen_classes
from sweep.ledger.counts import ENDED
from sweep.runner.gpus import find_gpus
from sweep.search.constraints import ruled_out
from sweep.search.outer_folds import outer_folds
from sweep.search.plan import Plan, make_plan
from sweep.search.promotion import bracket_plan
from sweep.search.splits import fewest_rows
from sweep.search.study_data import load_data
from sweep.spaces.combinations import combinations
from sweep.spec.pruning import BY_RUNGS
from sweep.spec.study_file import told_at_lines
from sweep.storage.locations import storage_url
from sweep.study.estimate import Estimate, estimate
from sweep.study.first_checks import check_before_first_cell
from sweep.study.preflight import check_ledger, check_settings, open_to_read
from sweep.study.tried_models import TriedModels
from sweep.support.module_permission import names_of
from sweep.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweep.ledger.outcomes import DataRecord
    from sweep.ledger.records import PlannedCell, StudyRecord
    from sweep.search.promotion import BracketPlan
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class Check:
    """What a study would do.

    Attributes
    ----------
    spec : StudySpec
        The study.
    plan : Plan
        Its cells.
    data : DataRecord
        Its data.
    splits : int
        Splits of each cell.
    fits : int
        Fits that train: cells times splits times seeds, and one for the winner; as many in each
        outer fold.
    candidate_fits : int
        Fits that a plain search would train: candidates in place of cells.
    cpu_seconds : float or None
        Estimate of the cells that are left on one core; None without a probe.
    workers : int
        Cores at hand.
    left : tuple of PlannedCell
        Cells that a run would evaluate: all, or those that the ledger does not hold yet.
    ruled_out : int
        Cells of the plan with more than ``max_parameters``, which are not trained.
    outer : int
        Outer folds of a nested cross-validation, each of which repeats the search.
    outer_left : int
        Those that a run would still work on.
    device : str
        What each worker has for itself: ``"core"`` or ``"GPU"``.
    notes : tuple of str
        How the data are read, and which classes a split lacks.
    models : TriedModels
        Which models the probe tried, and which of them failed.
    split_rows : int
        Training rows of the smallest split.
    refit_seconds : float
        Estimate of refitting the winners, which one core does alone.
    """

    spec: StudySpec
    plan: Plan
    data: DataRecord
    splits: int
    fits: int
    candidate_fits: int
    cpu_seconds: float | None
    workers: int
    left: tuple[PlannedCell, ...] = ()
    outer: int = 0
    outer_left: int = 0
    ruled_out: int = 0
    device: str = "core"
    notes: tuple[str, ...] = ()
    models: TriedModels = field(default_factory=TriedModels)
    split_rows: int = 0
    refit_seconds: float = 0.0

    @property
    def brackets(self) -> BracketPlan | None:
        """The rungs at which trials pause; None where they do not."""
        return bracket_plan(self.spec, self.split_rows)

    @property
    def minutes(self) -> float | None:
        """Estimate of a run's minutes on all cores or GPUs of this machine, start-up included."""
        if self.cpu_seconds is None:
            return None
        workers_used = max(1, min(self.workers, len(self.left)))
        limit = self.spec.search.timeout or math.inf
        search = min(self.cpu_seconds / workers_used, limit)
        return (START_SECONDS + search + self.refit_seconds) / 60

    @property
    def at_most(self) -> bool:
        """Whether fits may end before their last epoch, so that a run may take less."""
        search, space = self.spec.search, self.spec.space.dimensions
        pruned = search.pruner is not None and search.pruner.name not in BY_RUNGS
        callbacks = combinations(space, self.spec.named("early_stopping", "callbacks"))
        return bool(
            pruned
            or search.split_pruner
            or search.patience
            or (self.spec.budget and any(not self.spec.by_epoch(each) for each in callbacks))
        )


START_SECONDS = 6.0
"""Seconds that starting the workers takes."""


def check_study(
    spec: StudySpec,
    *,
    data_home: str | None = None,
    allow: Collection[str] = (),
    probe: bool = True,
    known: StudyRecord | None = None,
    storage: str | None = None,
) -> Check:
    """Validate a study against its data and models, and estimate its time.

    Parameters
    ----------
    spec : StudySpec
        The study.
    data_home : str, optional
        Folder with ``mnist.npz`` and the like.
    allow : collection of str
        Modules that the study may load code from.
    probe : bool, default=True
        Train a few epochs on up to 1,000 rows to estimate the time (loads TensorFlow).
    known : StudyRecord, optional
        What the ledger holds of the study: a run would do the rest.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.

    Returns
    -------
    Check

    Raises
    ------
    StudyFileError, DataError, ReferenceError_
        As :func:`sweep.run_study` would.
    """
    with told_at_lines(spec):
        check_settings(spec, allow)
        spec = with_facts(spec, allow)
        plan, name, url = make_plan(spec), spec.study.name, storage_url(storage)
        job = Job(url, name, data_home, names_of(allow))
        with open_to_read(url) as ledger:
            check_ledger(ledger, spec, name)
            data_of = partial(load_data, spec, data_home, job.allow, url)
            dataset, passed = check_before_first_cell(ledger, spec, plan, job, data_of, here=probe)
    data, splits = passed.data, passed.splits
    each = len(splits) * spec.search.seeds
    left, devices = cells_left(plan, known), find_gpus()
    too_large = {c.key for c in ruled_out(spec, plan.cells, data.shape, len(data.classes))}
    trained = [cell for cell in left if cell.key not in too_large]
    workers = devices.default_workers()
    probed = Estimate()
    if probe and trained:
        probed = estimate(spec, trained, dataset, splits, min(workers, len(trained)), allow)
    seconds = probed.seconds
    outer, to_repeat = len(outer_folds(spec)), outer_left(spec, known, left)
    if seconds is not None:
        # A fold searches (k - 1) / k of the rows.
        seconds *= 1 + to_repeat * (1 - 1 / max(1, outer))
    refit = int(spec.search.refit) + outer
    return Check(
        spec,
        plan,
        data,
        len(splits),
        (1 + outer) * len(plan.cells) * each + refit,
        (1 + outer) * plan.candidates * each + refit,
        seconds,
        workers,
        left,
        outer,
        to_repeat,
        len(too_large),
        "GPU" if devices.gpus else "core",
        (*dataset.notes, *unseen_classes(dataset, splits), *probed.notes),
        probed.models,
        fewest_rows(splits),
        probed.refit_seconds * (1 + to_repeat),
    )


def outer_left(spec: StudySpec, known: StudyRecord | None, left: Sequence[PlannedCell]) -> int:
    """Return the outer folds that a run would work on: all, until all have ended."""
    folds = len(outer_folds(spec))
    ended = known.nested if known else None
    return 0 if ended and len(ended.folds) == folds and not left else folds


def cells_left(plan: Plan, known: StudyRecord | None) -> tuple[PlannedCell, ...]:
    """Return the cells of a plan that have not ended with all epochs that the plan needs.

    Parameters
    ----------
    plan : Plan
        The cells of the study file.
    known : StudyRecord or None
        What the ledger holds, perhaps of a smaller plan.

    Returns
    -------
    tuple of PlannedCell
        In the order of the plan; cells that wait or run are among them.
    """
    if known and _patience_exhausted(plan, known):
        return ()
    trials = (*known.trials, *known.beyond) if known else ()
    return tuple(plan.cells_without((t.key, t.epochs) for t in trials if t.state in ENDED))


def takes_up_again(plan: Plan, known: StudyRecord) -> bool:
    """Return whether trials after the end of the search count again under this plan."""
    return bool(known.beyond) and not _patience_exhausted(plan, known)


def _patience_exhausted(plan: Plan, known: StudyRecord) -> bool:
    """Whether the search ended because nothing improved, and its limits are still the same."""
    same = plan.patience == known.settings.search.patience
    return known.ended_by is not None and same and len(plan.cells) == known.planned
