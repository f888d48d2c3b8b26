"""Choose the cells that a check trains, and build models to see how large they are."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import ReferenceError_
from sweep.ledger.records import PlannedCell
from sweep.search.constraints import layer_rows
from sweep.search.plan import cell_cost
from sweep.support.code_references import is_reference
from sweep.support.layer import total_parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.spec import StudySpec

MODELS_BUILT = 40
"""Models of the user's own that a check builds, to see which fail and how large they are."""

BUILD_SECONDS = 20.0
"""After this time a check builds no more models."""

RATES = ("epochs", "learning_rate", "batch_size", "dropout_rate", "class_weight")
"""Parameters that are variables of a traced model: models that differ only in them share it."""


def model_of(cell: PlannedCell) -> str:
    """Return a key of a cell's traced model: equal keys share it."""
    params = {name: value for name, value in (cell.params or {}).items() if name not in RATES}
    return json.dumps(params, sort_keys=True)


def costs_of(
    spec: StudySpec,
    cells: Sequence[PlannedCell],
    shape: Sequence[int],
    n_classes: int,
    allow: Collection[str],
) -> tuple[list[float], dict[str, Exception]]:
    """Return the work of each cell in an epoch, and the errors of models that could not be built.

    The work of built-in models is counted from their layers. A factory of the user's own is called
    for some of the cells, evenly spread: their weights are counted, others get the median.

    Returns
    -------
    costs : list of float
        One for each cell.
    failures : dict of str to Exception
        By :func:`model_of`; a cell whose model cannot be built needs no training.
    """
    costs = [cell_cost(spec, cell, shape, n_classes) / max(cell.epochs) for cell in cells]
    if not is_reference(spec.model.factory):
        return costs, {}
    weights, failures = _build_some(spec, cells, shape, n_classes, allow)
    middle = float(np.median(list(weights.values()))) if weights else 0.0
    own = [weights.get(model_of(cell), middle) for cell in cells]
    return [cost + count for cost, count in zip(costs, own, strict=True)], failures


def _build_some(
    spec: StudySpec, cells: Sequence[PlannedCell], shape: Sequence[int], n_classes: int,
    allow: Collection[str],
) -> tuple[Mapping[str, float], dict[str, Exception]]:  # fmt: skip
    weights: dict[str, float] = {}
    failures: dict[str, Exception] = {}
    began = time.monotonic()
    different = list({model_of(cell): cell for cell in reversed(cells)}.items())[::-1]
    for model, cell in different[:: max(1, len(different) // MODELS_BUILT)][:MODELS_BUILT]:
        if time.monotonic() - began > BUILD_SECONDS:
            break
        try:
            rows = layer_rows(spec, cell.params or {}, shape, n_classes, allow)
        except ReferenceError_:
            raise
        except Exception as error:  # noqa: BLE001 - a user's model may raise anything
            failures[model] = error
        else:
            weights[model] = float(total_parameters(rows))
    return weights, failures


def order_of(costs: Sequence[float], most: int) -> list[int]:
    """Return the cells to try: the slowest, the fastest, a medium one, then others in between."""
    order = sorted(range(len(costs)), key=lambda i: costs[i])
    step = max(1, len(order) // most)
    picked = [order[-1], order[0], order[(len(order) - 1) // 2]]
    return list(dict.fromkeys([*picked, *order[::step]]))[:most]


def with_parameters(spec: StudySpec, cell: PlannedCell) -> PlannedCell:
    """Return a cell whose parameters are drawn at random if a sampler is to suggest them."""
    if cell.params is not None:
        return cell
    import optuna

    from sweep.spaces import encode, suggest

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = int(cell.key.rpartition(":")[2])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    study.enqueue_trial({name: encode(value) for name, value in cell.fixed.items()})
    params = suggest(study.ask(), spec.space.dimensions)
    return PlannedCell(cell.key, params, (spec.epochs_of(params),))
