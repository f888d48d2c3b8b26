"""Constraints: too large models are not trained, too slow fits are not ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError, SweepError
from sweep.models import build_from, count_parameters, describe, factory_parameters, model_layers
from sweep.search.plan import cell_layers, row_shape
from sweep.support.layer import total_parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.evaluation.cross_validation import Evaluation
    from sweep.ledger.records import PlannedCell
    from sweep.spec import StudySpec
    from sweep.support.layer import Layer


class TooLargeError(SweepError, ValueError):
    """A model with more parameters than the study allows.

    Attributes
    ----------
    layers : tuple of Layer
        The model's layers.
    """

    layers: tuple[Layer, ...] = ()


def check_size(
    spec: StudySpec,
    params: Mapping[str, Any],
    shape: Sequence[int],
    n_classes: int,
    allow: Collection[str],
) -> None:
    """Refuse a model with more than ``max_parameters``.

    The weights of built-in models are counted from layer descriptions; a user's factory is called
    and its model counted, which needs a build but no training.

    Raises
    ------
    TooLargeError
        If the model is too large; the message has both numbers.
    """
    limit = spec.search.max_parameters
    if limit is None:
        return
    layers = layer_rows(spec, params, shape, n_classes, allow)
    if (count := total_parameters(layers)) > limit:
        error = TooLargeError(f"{count:,} parameters, above max_parameters = {limit:,}")
        error.layers = layers
        raise error


def ruled_out(
    spec: StudySpec, cells: Sequence[PlannedCell], shape: Sequence[int], n_classes: int
) -> list[PlannedCell]:
    """Return the cells with a built-in model that has too many parameters."""
    limit, found = spec.search.max_parameters, []
    for cell in cells if limit is not None else ():
        layers = cell_layers(spec, cell.params, shape, n_classes)
        given = row_shape(spec, cell.params or {}, shape)
        if layers is not None and count_parameters(layers, given) > (limit or 0):
            found.append(cell)
    return found


def check_sizes(
    spec: StudySpec, cells: Sequence[PlannedCell], shape: Sequence[int], n_classes: int
) -> None:
    """Refuse a limit that rules out every model, if all are known beforehand.

    Raises
    ------
    StudyFileError
        If it does; the message has the size of the smallest model.
    """
    if not cells or len(ruled_out(spec, cells, shape, n_classes)) < len(cells):
        return
    layers = ((c.params or {}, cell_layers(spec, c.params, shape, n_classes)) for c in cells)
    least = min(count_parameters(known, row_shape(spec, p, shape)) for p, known in layers)
    problem = (
        f"search.max_parameters: rules out every model, the smallest has {least:,} parameters, "
        f"got {spec.search.max_parameters:,}"
    )
    raise StudyFileError(spec.study.name, [problem])


def constraint_values(spec: StudySpec, found: Evaluation, epoch: float) -> dict[str, float]:
    """Return by how much a result exceeds each limit, for Optuna's samplers; up to 0 is allowed."""
    limits = {"max_parameters": spec.search.max_parameters} if spec.search.max_parameters else {}
    past = {name: float(total_parameters(found.layers) - limit) for name, limit in limits.items()}
    if (seconds := spec.search.max_fit_seconds) is not None:
        slowest = max(split.seconds.get(epoch, 0.0) for split in found.splits)
        past["max_fit_seconds"] = slowest - seconds
    return past


def layer_rows(
    spec: StudySpec,
    params: Mapping[str, Any],
    shape: Sequence[int],
    n_classes: int,
    allow: Collection[str],
) -> tuple[Layer, ...]:
    """Return the layer table of a candidate's model; a user's own model is built for it."""
    given = row_shape(spec, params, shape)
    if (layers := cell_layers(spec, params, shape, n_classes)) is not None:
        return describe(layers, given)
    from sweep.spec import TRAINING
    from sweep.support.code_references import resolve

    factory: Any = resolve(spec.model.factory, allow=allow, folder=spec.folder)
    named = {**spec.model.params, **params}
    own = {n: v for n, v in named.items() if n in factory_parameters(factory) or n not in TRAINING}
    return model_layers(build_from(factory, given, n_classes, own))
