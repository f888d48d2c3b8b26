"""What a model may ask of its kernels: how they begin, what large weights cost, how far they grow.

The biases are not meant: they begin at 0 and are free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import isfinite
from typing import Any

from sweep.errors import ModelError
from sweep.models.checks import plain, shown
from sweep.spec.canonical_values import ALIASES

INITIALIZERS = (
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "one",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero",
    "zeros",
)
"""Keras's initializers that need no arguments."""

OTHERS = {
    "constant": "needs a number beside its name",
    "identity": "is no kernel of a convolution",
    "stft": "is for sound",
}
"""Keras's other initializers, and what keeps them out of a built-in model."""

NO_LIMIT = "none"
"""``max_norm`` of kernels that may grow as they like."""


@dataclass(frozen=True)
class Kernel:
    """The kernel of a layer.

    Parameters
    ----------
    initializer : str
        Keras's name of it.
    l2 : float
        Factor of the sum of its squares, which the loss contains.
    max_norm : float or None
        Largest norm of the weights that lead to one unit or filter.
    """

    initializer: str = "glorot_uniform"
    l2: float = 0.0
    max_norm: float | None = None

    @property
    def unlimited(self) -> Kernel:
        """The same without ``max_norm``."""
        return replace(self, max_norm=None)


PLAIN = Kernel()
"""A kernel as Keras's layers have it unless told otherwise."""


def checked_kernel(kernel_initializer: Any, l2: Any, max_norm: Any) -> Kernel:
    """Return the kernel of a model's layers from the parameters of its factory.

    Raises
    ------
    ModelError
        For a value that is not allowed.
    """
    return Kernel(_initializer(kernel_initializer), _penalty(l2), _limit(max_norm))


def _initializer(value: Any) -> str:
    word = plain(value)
    if isinstance(word, str) and word in INITIALIZERS:
        return ALIASES["kernel_initializer"].get(word, word)
    if isinstance(word, str) and word in OTHERS:
        raise ModelError(
            f'model.kernel_initializer: must be an initializer for any kernel, but "{word}" '
            f"{OTHERS[word]}; put it into a factory of your own"
        )
    close = get_close_matches(str(word).lower(), INITIALIZERS, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    raise ModelError(
        f"model.kernel_initializer: must be one of {', '.join(INITIALIZERS)}; "
        f"got {shown(value)}{hint}"
    )


def _penalty(value: Any) -> float:
    number = plain(value)
    if not _is_number(number) or number < 0:
        raise ModelError(
            f"model.l2: must be a number of at least 0 (0 is no penalty), got {shown(value)}"
        )
    return float(number)


def _limit(value: Any) -> float | None:
    number = plain(value)
    if number is None or number == NO_LIMIT:
        return None
    if not _is_number(number) or number <= 0:
        raise ModelError(
            f'model.max_norm: must be a number above 0, or "none" for no limit, got {shown(value)}'
        )
    return float(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
