"""The identity of a candidate: a digest of its parameters, independent of its row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sweep.spaces.grids import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping


def candidate_identity(params: Mapping[str, Any]) -> str:
    """Return the identity of a candidate: the first 32 characters of its parameters' SHA-256.

    The order of the parameters does not matter. ``1`` equals ``1.0`` but not ``True``, as in
    :func:`sweep.spaces.dimensions.same`. Parameters whose condition is not met are absent.

    Parameters
    ----------
    params : mapping of str to value
        The searched parameters that apply, ``epochs`` included when it is searched.
    """
    text = canonical({name: _plain(value) for name, value in params.items()})
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return equal numbers in the same form."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def without_epochs(params: Mapping[str, Any], budget: str = "epochs") -> dict[str, Any]:
    """Return the parameters without ``epochs``, which all budgets of a candidate share.

    Parameters
    ----------
    params : mapping of str to value
        The searched parameters.
    budget : str
        The parameter that plays the role of ``epochs``; empty where none does.
    """
    return {name: value for name, value in params.items() if name != budget}
