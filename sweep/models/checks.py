"""Checks of a factory's parameter values: each returns the plain value or raises ModelError."""

from __future__ import annotations

from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
)
"""Keras's activations that need no arguments."""

OTHERS = {
    "glu": "halves the width of its layer",
    "threshold": "needs two numbers beside its name",
}
"""Keras's other activations, and what keeps them out of a built-in model."""

BATCH_NORM = ("none", "before", "after")
PADDING = ("same", "valid")
MOST_LAYERS = 1000
"""Most layers of one kind: each one is described, and no image model has nearly as many."""

T = TypeVar("T")


def whole(name: str, value: Any, low: int = 1) -> int:
    """Return a whole number of at least ``low``; refuse others."""
    number = plain(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or number < low:
        raise ModelError(
            f"model.{name}: must be a whole number of at least {low}, got {shown(value)}"
        )
    return number


def count(name: str, value: Any, each_holds: int = 1) -> int:
    """Return a number of layers, or of blocks with some layers each; refuse too many."""
    number = whole(name, value)
    if number * each_holds > MOST_LAYERS:
        rule = f"a model may have at most {MOST_LAYERS} such layers"
        inside = f" with {each_holds} layers each" if each_holds > 1 else ""
        raise ModelError(f"model.{name}: {rule}, got {number}{inside}; take fewer")
    return number


def rate(name: str, value: Any) -> float:
    """Return a dropout rate of at least 0 and below 1; refuse others."""
    number = plain(value)
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not isfinite(number) or not 0 <= number < 1:
        raise ModelError(
            f"model.{name}: must be a number of at least 0 and below 1, got {shown(value)}"
        )
    return float(number)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return one of the allowed words; refuse others."""
    word = plain(value)
    if isinstance(word, str) and word in allowed:
        return word
    quoted = [f'"{choice}"' for choice in allowed]
    listed = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    raise ModelError(f"model.{name}: must be {listed}, got {shown(value)}")


def activation(value: Any, name: str = "activation") -> str:
    """Return the name of an activation; refuse others, with a suggestion for a similar name."""
    word = plain(value)
    if isinstance(word, str) and word in ACTIVATIONS:
        return word
    if isinstance(word, str) and word in OTHERS:
        raise ModelError(
            f'model.{name}: must be an activation that a name is enough for, but "{word}" '
            f"{OTHERS[word]}; put it into a factory of your own"
        )
    close = get_close_matches(str(word).lower(), ACTIVATIONS, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    raise ModelError(
        f"model.{name}: must be one of {', '.join(ACTIVATIONS)}; got {shown(value)}{hint}"
    )


def each(
    name: str, value: Any, count: int, check: Callable[[str, Any], T], what: str
) -> tuple[T, ...]:
    """Return ``count`` values from one value for all, or from a list; refuse other lengths.

    Parameters
    ----------
    name : str
        The parameter, for messages.
    value : value or list
        One value for all, or a list with one for each.
    count : int
        Number of layers or blocks.
    check : callable
        ``check(name, value)`` for a single value.
    what : str
        What is counted, in the plural, for messages: ``"hidden layers"``.
    """
    values = plain(value)
    if not isinstance(values, list):
        return (check(name, values),) * count
    if len(values) != count:
        raise ModelError(
            f"model.{name}: a list needs one value for each of the {count} {what}, got {values}"
        )
    return tuple(check(name, item) for item in values)


def row_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of one row: (features,), (height, width) or (height, width, channels)."""
    sizes = tuple(plain(size) for size in shape)
    good = all(isinstance(size, int) and size >= 1 for size in sizes)
    if not good or not 1 <= len(sizes) <= 3:
        raise ModelError(
            "input_shape: must be (features,), (height, width) or (height, width, channels), "
            f"got {sizes}"
        )
    return sizes


def class_count(n_classes: Any) -> int:
    """Return the number of classes; refuse fewer than two."""
    count = plain(n_classes)
    if isinstance(count, bool) or not isinstance(count, int) or count < 2:
        raise ModelError(f"n_classes: a model needs at least 2 classes, got {shown(n_classes)}")
    return count


def plain(value: Any) -> Any:
    """Return a NumPy number or array, or a tuple, as plain numbers and lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple | range) else value


def shown(value: Any) -> str:
    """Return a value as in a study file: text in double quotes."""
    return f'"{value}"' if isinstance(value, str) else repr(plain(value))
