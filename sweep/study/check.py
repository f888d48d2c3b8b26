"""Look at a study before it runs: its plan, and how long it will take."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.ledger.records import DataRecord, PlannedCell
from sweep.search.estimator import check_own_code
from sweep.search.plan import Plan, cell_cost, check_models, make_plan
from sweep.search.prepare import data_record, load_data
from sweep.search.splits import make_splits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweep.datasets import Dataset
    from sweep.spec import StudySpec

PROBE_ROWS = 1000
PROBED_CELLS = 3


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
        Fits that train: cells times splits, and one for the winner.
    candidate_fits : int
        Fits that a plain search would train: candidates times splits, and one for the winner.
    cpu_seconds : float or None
        Estimate of the work on one core; None without a probe.
    workers : int
        Cores at hand.
    """

    spec: StudySpec
    plan: Plan
    data: DataRecord
    splits: int
    fits: int
    candidate_fits: int
    cpu_seconds: float | None
    workers: int

    @property
    def minutes(self) -> float | None:
        """Estimate of the minutes on this machine, all cores at work; start-up included."""
        if self.cpu_seconds is None:
            return None
        busy = min(self.workers, len(self.plan.cells))
        return (START_SECONDS + self.cpu_seconds / busy) / 60


START_SECONDS = 6.0
"""Seconds that starting the workers takes."""


def check_study(
    spec: StudySpec,
    *,
    data_home: str | None = None,
    allow: Collection[str] = (),
    probe: bool = True,
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

    Returns
    -------
    Check

    Raises
    ------
    StudyFileError, DataError
        As :func:`sweep.run_study` would.
    """
    plan = make_plan(spec)
    check_own_code(spec, allow)
    dataset = load_data(spec, data_home, allow)
    data = data_record(dataset)
    check_models(spec, plan, data.shape, len(data.classes))
    splits = make_splits(spec, dataset.y_train, dataset.groups)
    rows = sum(len(train) for train, _ in splits)
    seconds = _estimate(spec, plan, dataset, rows, allow) if probe else None
    refit = int(spec.search.refit)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check(
        spec,
        plan,
        data,
        len(splits),
        len(plan.cells) * len(splits) + refit,
        plan.candidates * len(splits) + refit,
        seconds,
        cores or 1,
    )


def _estimate(
    spec: StudySpec,
    plan: Plan,
    dataset: Dataset,
    rows: int,
    allow: Collection[str],
) -> float:
    """Time a cheap, a middling and a dear model for an epoch; spread that over the plan."""
    from sweep.training.threads import single_threaded

    single_threaded()
    shape, classes = dataset.shape, len(dataset.class_names)
    cells = [_drawn(spec, cell) for cell in plan.cells]
    costs = [cell_cost(spec, cell, shape, classes) / max(cell.epochs) for cell in cells]
    probes = [_probe(spec, cells[i], dataset, allow) for i in _spread(costs)]
    known = [costs[i] for i in _spread(costs)]
    total = 0.0
    for cell, cost in zip(cells, costs, strict=True):
        build, per_row = (
            float(np.interp(cost, known, values)) for values in zip(*probes, strict=True)
        )
        total += build + per_row * rows * max(cell.epochs)
    refit = per_row_mean(probes) * len(dataset.y_train) * max(max(c.epochs) for c in cells)
    return total + (refit if spec.search.refit else 0.0)


def per_row_mean(probes: Sequence[tuple[float, float]]) -> float:
    """Return the mean seconds a row and epoch of the probes."""
    return math.fsum(per_row for _, per_row in probes) / len(probes)


def _spread(costs: Sequence[float]) -> list[int]:
    """Return the cells with the lowest, middle and highest cost, ascending, without repeats."""
    order = sorted(range(len(costs)), key=lambda i: costs[i])
    picked = {order[0], order[len(order) // 2], order[-1]}
    distinct = {costs[i]: i for i in sorted(picked, key=lambda i: costs[i])}
    return list(distinct.values())[:PROBED_CELLS]


def _drawn(spec: StudySpec, cell: PlannedCell) -> PlannedCell:
    """Return a slot with parameters drawn at random in place of a sampler's."""
    if cell.params is not None:
        return cell
    import optuna

    from sweep.spaces import suggest

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = int(cell.key.rpartition(":")[2])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    params = suggest(study.ask(), spec.space.dimensions)
    return PlannedCell(cell.key, params, (int(params.get("epochs", spec.fixed_epochs)),))


def _probe(
    spec: StudySpec, cell: PlannedCell, dataset: Dataset, allow: Collection[str]
) -> tuple[float, float]:
    """Return seconds of building a model, and seconds a row and epoch (scoring included)."""
    from sweep.search.estimator import make_estimator

    x, y = dataset.x_train[:PROBE_ROWS], dataset.y_train[:PROBE_ROWS]
    estimator: Any = make_estimator(spec, {**(cell.params or {}), "epochs": 1}, allow)
    classes = np.unique(dataset.y_train)
    began = time.perf_counter()
    estimator.partial_fit(x, y, classes=classes)
    first = time.perf_counter() - began
    began = time.perf_counter()
    estimator.partial_fit(x, y, classes=classes)
    estimator.predict(x[: max(1, len(x) // 4)])
    epoch = time.perf_counter() - began
    return max(0.0, first - epoch), epoch / len(x)
