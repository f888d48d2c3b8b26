"""Estimate how long a study's cells take: a few epochs of three of them, on a few rows."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ReferenceError_
from sweep.ledger.records import PlannedCell
from sweep.search.plan import cell_cost
from sweep.workers.reasons import telling_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.datasets import Dataset
    from sweep.spec import StudySpec

PROBE_ROWS = 1000
PROBED_CELLS = 3


def estimate(
    spec: StudySpec,
    left: Sequence[PlannedCell],
    dataset: Dataset,
    rows: int,
    allow: Collection[str],
) -> tuple[float | None, tuple[str, ...]]:
    """Time a cheap, a middling and a dear model for an epoch; spread that over all that is left.

    Parameters
    ----------
    spec : StudySpec
        The study.
    left : sequence of PlannedCell
        The cells to evaluate.
    dataset : Dataset
        Its data.
    rows : int
        Training rows of all splits of a cell, under all seeds.
    allow : collection of str
        Modules that the study may load code from.

    Returns
    -------
    seconds : float or None
        Of all cells and the refit, on one core; None where no probe has come to its end.
    warnings : tuple of str
        Candidates that failed.
    """
    from sweep.training.threads import single_threaded

    single_threaded()
    shape, classes = dataset.shape, len(dataset.class_names)
    cells = [_drawn(spec, cell) for cell in left]
    costs = [cell_cost(spec, cell, shape, classes) / max(cell.epochs) for cell in cells]
    probes: dict[float, tuple[float, float]] = {}
    warnings: list[str] = []
    for i in _spread(costs):
        try:
            probes[costs[i]] = _probe(spec, cells[i], dataset, allow)
        except ReferenceError_:
            raise
        except Exception as error:  # noqa: BLE001 - a person's own model may raise anything
            warnings.append(_failure(cells[i], error))
    if not probes:
        return None, tuple(warnings)
    return _total(spec, cells, costs, probes, rows, len(dataset.y_train)), tuple(warnings)


def _total(
    spec: StudySpec,
    cells: Sequence[PlannedCell],
    costs: Sequence[float],
    probes: Mapping[float, tuple[float, float]],
    rows: int,
    train_rows: int,
) -> float:
    """Return the seconds of all cells on one core, from those of a few."""
    known, (builds, paces) = list(probes), zip(*probes.values(), strict=True)
    total = 0.0
    for cell, cost in zip(cells, costs, strict=True):
        pace = float(np.interp(cost, known, paces))
        total += float(np.interp(cost, known, builds)) + pace * rows * max(cell.epochs)
    if not spec.search.refit:
        return total
    return total + math.fsum(paces) / len(paces) * train_rows * max(max(c.epochs) for c in cells)


def _failure(cell: PlannedCell, error: Exception) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in (cell.params or {}).items())
    return f"{params or 'the fixed model'}: {type(error).__name__}: {telling_line(error)}"


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
