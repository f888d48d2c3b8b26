"""The plan of a study: every cell of work, known before anything trains."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError, StudyFileError
from sweep.ledger.records import PlannedCell
from sweep.models import FACTORIES, count_operations, describe, factory_parameters
from sweep.search.precomputed import DRAWN_BEFOREHAND, quasi_random_draws
from sweep.search.promotion import climbs
from sweep.spaces import Choices, IntRange, distributions, grid_candidates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.spec import StudySpec

EVEN_START = 10
"""Trials of TPE before it learns, as many as Optuna's default."""

STEP_OPERATIONS = 200_000
"""Operations that take as long as the constant part of one optimizer step."""

LINES_SHOWN = 5


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Attributes
    ----------
    cells : tuple of PlannedCell
        The cells, in the order of the table of candidates.
    candidates : int
        Rows of that table when all cells are finished.
    distributions : mapping of str to optuna distribution
        Distributions of those parameters that Optuna's tables can hold.
    patience : int or None
        Number of trials without improvement after which the search ends.
    """

    cells: tuple[PlannedCell, ...]
    candidates: int
    distributions: Mapping[str, Any]
    patience: int | None = None

    @property
    def sampled(self) -> bool:
        """Whether parameters are drawn when a cell is claimed."""
        return any(cell.params is None for cell in self.cells)

    def cells_without(self, settled: Iterable[tuple[str, Iterable[int]]]) -> list[PlannedCell]:
        """Return the cells that lack an epoch, in the order of the plan.

        Parameters
        ----------
        settled : iterable of (str, iterable of int)
            A cell's key and epochs that need no work any more; a cell may come several times.
        """
        done: dict[str, set[int]] = {}
        for key, epochs in settled:
            done.setdefault(key, set()).update(epochs)
        return [c for c in self.cells if c.key not in done or not done[c.key] >= set(c.epochs)]


def make_plan(spec: StudySpec) -> Plan:
    """Return the plan of a study.

    A grid's candidates that differ only in ``epochs`` share a cell, whose fit is scored at each of
    them. A random or quasi-random study is drawn here, once, so that its table is the same for any
    number of workers. Other samplers learn from finished trials, and hyperband promotes by them, so
    their cells are slots whose parameters are drawn later.
    """
    if spec.search.method_row.is_grid:
        return _grid_plan(spec)
    if spec.search.method_row.drawn_beforehand and not climbs(spec):
        return _drawn_plan(spec)
    epochs = () if spec.searched_epochs else (spec.fixed_epochs,)
    given = [*spec.search.start, *_even_start(spec)[len(spec.search.start) :]]
    fixed = dict(enumerate(given))
    slots = tuple(
        PlannedCell(f"slot:{i}", None, epochs, fixed.get(i, {})) for i in range(_trials(spec))
    )
    return Plan(slots, len(slots), {}, spec.search.patience)


def model_params(spec: StudySpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a candidate that its built-in model factory takes."""
    known = factory_parameters(spec.model.factory)
    return {n: v for n, v in {**spec.model.params, **params}.items() if n in known}


def check_models(spec: StudySpec, plan: Plan, shape: Sequence[int], n_classes: int) -> None:
    """Refuse a plan with models that cannot be built, before anything trains.

    Only models of built-in factories are known without building; a worker notices others.

    Raises
    ------
    StudyFileError
        With one line for each distinct problem and a candidate that has it.
    """
    problems: dict[str, str] = {}
    for cell in plan.cells:
        try:
            given = row_shape(spec, cell.params or {}, shape)
            layers = cell_layers(spec, cell.params, shape, n_classes)
            if layers is not None:
                describe(layers, given)
        except ModelError as error:
            problems.setdefault(str(error), _params_text(cell.params or {}))
    if problems:
        lines = [f"{error} (met at {where})" for error, where in problems.items()]
        raise StudyFileError(spec.study.name, first_lines(lines))


def check_row_shape(spec: StudySpec, shape: Sequence[int]) -> None:
    """Refuse images for an estimator whose first step takes rows of features.

    Raises
    ------
    StudyFileError
        If it does.
    """
    if spec.facts is not None and spec.facts.flat_rows and len(shape) > 1:
        problem = (
            f"data.flat: the estimator takes rows of features, and these rows have shape "
            f"{tuple(shape)}; say flat = true"
        )
        raise StudyFileError(spec.study.name, [problem])


def first_lines(lines: Sequence[str]) -> list[str]:
    """Return the first few of many lines, and how many more there are."""
    more = len(lines) - LINES_SHOWN
    return [*lines[:LINES_SHOWN], *([f"... and {more} more"] if more > 0 else [])]


def cell_layers(
    spec: StudySpec, params: Mapping[str, Any] | None, shape: Sequence[int], n_classes: int
) -> Any:
    """Return the layer descriptions of a cell's model; None where they are not known."""
    if params is None or spec.model.factory not in FACTORIES:
        return None
    given = {**estimator_defaults(spec.model.factory), **model_params(spec, params)}
    return FACTORIES[spec.model.factory](row_shape(spec, params, shape), n_classes, **given)


def row_shape(spec: StudySpec, params: Mapping[str, Any], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the input shape of a candidate's model: ``image_shape``, or the data's shape.

    Raises
    ------
    ModelError
        If a row has another number of values than that shape.
    """
    given = tuple(spec.settled(params)["image_shape"] or shape)
    if prod(given) != prod(shape):
        raise ModelError(
            f"model.image_shape: must hold a row of shape {tuple(shape)}, got {list(given)}; the "
            "products must agree"
        )
    return given


def estimator_defaults(factory: str) -> dict[str, Any]:
    """Return the estimator's defaults that differ from those of its factory."""
    return {"padding": "same"} if factory == "cnn" else {}


def cell_cost(spec: StudySpec, cell: PlannedCell, shape: Sequence[int], n_classes: int) -> float:
    """Return the cost of a cell relative to others: operations per row, times epochs.

    The model's operations count 0 where they are not known.
    """
    params = cell.params or {}
    layers = cell_layers(spec, cell.params, shape, n_classes)
    known = 0 if layers is None else count_operations(layers, row_shape(spec, params, shape))
    step = STEP_OPERATIONS / spec.settled(params)["batch_size"]
    return float((known + step) * max(cell.epochs, default=1))


def _grid_plan(spec: StudySpec) -> Plan:
    candidates = grid_candidates(spec.space.dimensions)
    grouped = spec.grid_cells()
    planned = tuple(PlannedCell(cell.key, cell.params, cell.epochs) for cell in grouped)
    return Plan(planned, len(candidates), _grid_distributions(candidates, spec.budget))


def _drawn_plan(spec: StudySpec) -> Plan:
    drawn = []
    draws = DRAWN_BEFOREHAND[spec.search.method](spec)
    for number, params in enumerate(islice(draws, _trials(spec))):
        epochs = (spec.epochs_of(params),)
        drawn.append(PlannedCell(f"slot:{number}", params, epochs))
    return Plan(
        tuple(drawn), len(drawn), distributions(spec.space.dimensions), spec.search.patience
    )


def _even_start(spec: StudySpec) -> list[Mapping[str, Any]]:
    """Return the first parameters of TPE: evenly spread points instead of Optuna's random ones.

    Empty for a study with a warm start.
    """
    if not spec.search.method_row.even_start or spec.search.start_from:
        return []
    return list(islice(quasi_random_draws(spec), min(EVEN_START, _trials(spec))))


def _grid_distributions(candidates: Sequence[Mapping[str, Any]], budget: str) -> dict[str, Any]:
    """Return distributions of a grid: ints as ranges, which may grow later, others as choices."""
    values: dict[str, list[Any]] = {}
    for candidate in candidates:
        for name, value in candidate.items():
            if name != budget and value not in values.setdefault(name, []):
                values[name].append(value)
    return distributions({name: _dimension(found) for name, found in values.items()})


def _dimension(values: list[Any]) -> Any:
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return IntRange(min(values), max(values))
    return Choices(tuple(values))


def _trials(spec: StudySpec) -> int:
    return int(spec.search.trials or 0)


def _params_text(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in params.items()) or "the fixed model"
