"""Estimate how long a study takes, and find models that fail, by training a few of them."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweep.search.promotion import bracket_plan
from sweep.search.splits import fewest_rows
from sweep.spaces import without_epochs
from sweep.study.sampled_cells import costs_of, model_of, order_of, with_parameters
from sweep.study.timed_fit import Pace, between, fitted_twice, time_fit, try_fit, warm_up
from sweep.study.tried_models import ModelTrials, TriedModels

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweep.datasets import Dataset
    from sweep.ledger.records import PlannedCell
    from sweep.search.splits import Split
    from sweep.spec import StudySpec

PROBED_CELLS = 3
"""A fast, a medium and a slow model are timed."""

CELL_SECONDS = 0.1
"""Seconds to claim a cell and to record it, without its fits."""

MOST_TIMED = 8
"""Models that a check tries to time at most before it gives up."""


@dataclass(frozen=True)
class Estimate:
    """What a check learns by training a few models.

    Attributes
    ----------
    seconds : float or None
        Of all cells, on one core; None where no model that was tried works.
    refit_seconds : float
        Of refitting the winner, which one core does alone.
    models : TriedModels
        Which models were tried, and which of them failed.
    notes : tuple of str
        That fits of the user's estimator under one seed differ, where they do.
    """

    seconds: float | None = None
    refit_seconds: float = 0.0
    models: TriedModels = field(default_factory=TriedModels)
    notes: tuple[str, ...] = ()


def estimate(
    spec: StudySpec,
    left: Sequence[PlannedCell],
    dataset: Dataset,
    splits: Sequence[Split],
    workers: int,
    allow: Collection[str],
) -> Estimate:
    """Train a few of the models for a moment; extrapolate their time to all cells that are left.

    Parameters
    ----------
    spec : StudySpec
        The study.
    left : sequence of PlannedCell
        The cells to evaluate.
    dataset : Dataset
        Its data.
    splits : sequence of (train, test)
        Those of a cell.
    workers : int
        Processes, each of which traces a model that it meets for the first time.
    allow : collection of str
        Modules that the study may load code from.
    """
    from sweep.training.threads import single_threaded

    single_threaded()
    warm_up()
    cells = [with_parameters(spec, cell) for cell in left]
    trials = ModelTrials(cells)
    costs, broken = costs_of(spec, cells, dataset.shape, len(dataset.class_names), allow)
    for model, error in broken.items():
        trials.fail(model, error)
    places = [place for place, cell in enumerate(cells) if model_of(cell) not in broken]
    paces: list[tuple[float, Pace]] = []
    notes: tuple[str, ...] = ()
    for place in order_of([costs[place] for place in places], MOST_TIMED) if places else ():
        if len(paces) >= PROBED_CELLS:
            break
        cell = cells[places[place]]
        timed = trials.attempt(
            cell, lambda cell: time_fit(spec, cell.params or {}, dataset, splits[0], allow)
        )
        if timed is not None:
            paces.append((costs[places[place]], timed))
            notes = notes or _repeatability(spec, cell, dataset, splits[0], allow)
    trials.attempt_others(lambda cell: try_fit(spec, cell.params or {}, dataset, splits[0], allow))
    if not paces:
        return Estimate(None, 0.0, trials.found(), notes)
    known = [between(paces, cost) for cost in costs]
    seconds = _total_seconds(spec, cells, known, splits, workers)
    refit = _refit_seconds(spec, cells, known, len(dataset.y_train))
    return Estimate(seconds, refit, trials.found(), notes)


def _repeatability(
    spec: StudySpec, cell: PlannedCell, dataset: Dataset, split: Split, allow: Collection[str]
) -> tuple[str, ...]:
    if spec.model.estimator is None:
        return ()
    why = fitted_twice(spec, cell.params or {}, dataset, split, allow)
    return (f"the estimator is not repeatable: {why}",) if why else ()


def _total_seconds(
    spec: StudySpec,
    cells: Sequence[PlannedCell],
    paces: Sequence[Pace],
    splits: Sequence[Split],
    workers: int,
) -> float:
    """Return the seconds of all cells on one core."""
    trained = trained_epochs(spec, cells, fewest_rows(splits))
    fits, rows = spec.search.seeds * len(splits), len(splits[0][0])
    models = Counter(model_of(cells[number]) for number in trained)
    total = 0.0
    for number, epochs in trained.items():
        cells_of_model = models[model_of(cells[number])]
        total += paces[number].build * min(workers, cells_of_model) / cells_of_model
        total += CELL_SECONDS + fits * paces[number].of_fit(rows, epochs)
    return total


def _refit_seconds(
    spec: StudySpec, cells: Sequence[PlannedCell], paces: Sequence[Pace], train_rows: int
) -> float:
    """Return the seconds of refitting a winner: the mean over the cells, for any may win."""
    if not spec.search.refit:
        return 0.0
    longer = spec.search.refit_epochs
    whole = [
        pace.of_fit(train_rows, longer or max(cell.epochs))
        for pace, cell in zip(paces, cells, strict=True)
    ]
    return math.fsum(whole) / len(whole)


def trained_epochs(
    spec: StudySpec, cells: Sequence[PlannedCell], train_rows: int = 0
) -> dict[int, float]:
    """Return the places of the cells that are trained, with their epochs; repeated ones once."""
    if (brackets := bracket_plan(spec, train_rows)) is not None:
        return dict.fromkeys(range(len(cells)), brackets.epochs_of_a_slot)
    if spec.search.method_row.is_grid:
        return {place: float(max(cell.epochs)) for place, cell in enumerate(cells)}
    longest: dict[str, tuple[int, int]] = {}
    for place, cell in enumerate(cells):
        params = cell.params or {}
        same = without_epochs(params, spec.budget) if spec.staged(params) else params
        key = json.dumps(same, sort_keys=True)
        epochs = max(cell.epochs)
        if key not in longest or epochs > longest[key][1]:
            longest[key] = (longest.get(key, (place, 0))[0], epochs)
    return {place: float(epochs) for place, epochs in longest.values()}
