"""Checks before a fit or a prediction."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_consistent_length,
    validate_data,
)

from sweep.datasets.mapped_rows import MappedRows
from sweep.errors import DivergedError, ModelError
from sweep.spec.parameters import value_problem
from sweep.training.architecture import check_precision
from sweep.training.backend import is_finite
from sweep.training.optimizers import OptimizerSettings, check_values

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

PIXEL_TYPES = (np.float32, np.uint8, np.uint16)
"""Types of pixels that a fit takes as they are; others become the first."""
NO_LABELS = "no_validation"
"""What scikit-learn expects for rows without labels; it reports None as a mistake."""


def check_settings(params: dict[str, Any], taken: Collection[str] = ()) -> None:
    """Refuse parameters that no fit can use.

    Parameters
    ----------
    params : dict of str to value
        The estimator's.
    taken : collection of str
        Names of those that go to the model's factory, which may take other values.

    Raises
    ------
    ModelError
        Naming the parameter, its value and what is allowed.
    """
    names = ["epochs", "batch_size", "n_iter_no_change", "validation_fraction", "jit_compile"]
    if params["class_weight"] is not None and "class_weight" not in taken:
        names.append("class_weight")
    for name in names:
        if rule := value_problem(name, params[name]):
            raise ModelError(f"{name}: {rule}, got {params[name]!r}")
    check_precision(params["precision"])
    # Parameters that the optimizer would ignore are refused later: a factory may compile its own.
    check_values(OptimizerSettings.from_params(params, taken))


def checked_rows(estimator: Any, X: Any, y: Any = NO_LABELS, *, reset: bool) -> Any:
    """Return pixels (and labels) as arrays: 8- and 16-bit pixels unchanged, others as float32.

    Raises
    ------
    ValueError
        As scikit-learn's checks do; also for rows of another shape than in fit.
    """
    if isinstance(X, MappedRows):
        pixels = X if X.dtype in PIXEL_TYPES else X.astype(np.float32)
        _check_mapped(estimator, pixels, reset=reset)
        if y is NO_LABELS:
            return pixels
        check_consistent_length(pixels, y)
        return pixels, _check_y(y, estimator=estimator)
    numbers = {"allow_nd": True, "dtype": list(PIXEL_TYPES)}
    checked = validate_data(estimator, X, y, reset=reset, **numbers)
    pixels = checked if y is NO_LABELS else checked[0]
    if pixels.ndim > 4:
        raise ValueError(f"X: images have 2 to 4 axes, got shape {pixels.shape}")
    if not reset and pixels.shape[1:] != estimator._row_shape:
        raise ValueError(
            f"X: rows must have shape {estimator._row_shape} as in fit, got {pixels.shape[1:]}"
        )
    return checked


def _check_mapped(estimator: Any, pixels: MappedRows, *, reset: bool) -> None:
    """Check rows on the disk, whose numbers were checked when the dataset was read."""
    if reset:
        estimator.n_features_in_ = pixels.shape[1]
        vars(estimator).pop("feature_names_in_", None)
    elif pixels.shape[1:] != estimator._row_shape:
        raise ValueError(
            f"X: rows must have shape {estimator._row_shape} as in fit, got {pixels.shape[1:]}"
        )


def checked_classes(y: np.ndarray) -> np.ndarray:
    """Return the labels, sorted.

    Raises
    ------
    ValueError
        If there is only one.
    """
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"y: a classifier needs at least 2 classes, got 1 class: {classes[0]!r}")
    return classes


def encoded(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return labels as their places among the classes.

    Raises
    ------
    ValueError
        If a label is none of them.
    """
    if unknown := sorted(set(np.unique(y)) - set(classes)):
        raise ValueError(f"y: labels unknown to this fit: {unknown}; name them in `classes`")
    return np.searchsorted(classes, y)


def row_weights(
    X: np.ndarray, y: np.ndarray, sample_weight: Any, class_weight: Any, classes: np.ndarray
) -> np.ndarray:
    """Return the weight of each row in the loss; classes that are not named have weight 1.

    Raises
    ------
    ValueError
        If a class is named that is none of the fit's, and not all of those are; if a weight is
        negative or not finite, or if all are zero.
    """
    check_weights(sample_weight)
    weight = _check_sample_weight(sample_weight, X, dtype=np.float32)
    if not isinstance(class_weight, dict):
        return weight * compute_sample_weight(class_weight, y).astype(np.float32)
    each, unknown, named = np.ones(len(classes), np.float32), [], set()
    for key, value in class_weight.items():
        place = next((i for i, c in enumerate(classes) if c == key or str(c) == str(key)), None)
        if place is None:
            unknown.append(str(key))
        else:
            named.add(place)
            each[place] = value
    if unknown and len(named) < len(classes):
        raise ValueError(
            f"class_weight: no class is labelled {', '.join(unknown)}; the labels of this fit are "
            f"{', '.join(map(str, classes))}"
        )
    return weight * each[np.searchsorted(classes, y)]


def check_weights(sample_weight: Any) -> None:
    """Refuse row weights that a loss cannot use.

    Raises
    ------
    ValueError
        If one is negative, or no finite float32, or if all are zero: with the row, and the remedy.
    """
    if sample_weight is None or isinstance(sample_weight, Number):
        return
    with np.errstate(over="ignore"):
        weights = np.asarray(sample_weight, np.float32)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(
            f"sample_weight: must be finite numbers from 0, got {np.ravel(sample_weight)[row]} in "
            f"row {row} ({len(wrong)} such rows); give rows that should not count 0, or leave them "
            "out"
        )
    if weights.size and not weights.any():
        raise ValueError(
            "sample_weight: at least one row must weigh more than 0, and all weights are zero; "
            "leave sample_weight out to weigh all alike"
        )


def check_each_class(weight: np.ndarray, places: np.ndarray, classes: np.ndarray) -> None:
    """Refuse weights that are 0 for all rows of a class: that class could not be learned.

    Raises
    ------
    ValueError
        Naming the classes.
    """
    sums = np.bincount(places, weight, minlength=len(classes))
    lacking = classes[(sums == 0) & (np.bincount(places, minlength=len(classes)) > 0)]
    if len(lacking):
        raise ValueError(
            "sample_weight: in each class of these rows at least one must weigh more than 0, and "
            f"those of class {', '.join(map(str, lacking))} all weigh 0; give one of them a "
            "weight, or leave them out"
        )


def seed_of(random_state: Any) -> int:
    """Return the seed of a fit: an integer as it is; from a generator or None, a random one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def reshaped(pixels: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return rows in the shape of images; unchanged if there is no shape.

    Raises
    ------
    ValueError
        If a row does not fill the shape.
    """
    if shape is None:
        return pixels
    if int(np.prod(pixels.shape[1:])) != int(np.prod(shape)):
        raise ValueError(
            f"image_shape: {tuple(shape)} does not hold a row of shape {pixels.shape[1:]}; "
            "the products must agree"
        )
    return pixels.reshape(len(pixels), *shape)


def check_finite(values: Sequence[np.ndarray], what: str, epoch: int) -> None:
    """Refuse a model that has diverged: ``argmax`` of NaN is class 0, a score like any other.

    Raises
    ------
    DivergedError
        Where a number is NaN or infinite.
    """
    if not is_finite(values):
        raise DivergedError(
            f"the fit has diverged: after epoch {epoch} {what} are not finite numbers; take a "
            "smaller learning_rate, or look for rows that are not finite"
        )


def same(one: Any, other: Any) -> bool:
    """Return whether two values of a parameter are equal; arrays are compared by item."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return one is other or bool(one == other)
