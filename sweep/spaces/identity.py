"""What tells a candidate from all others: its parameters, whatever row it stands in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sweep.spaces.grids import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping


def candidate_identity(params: Mapping[str, Any]) -> str:
    """Return the identity of a candidate: the SHA-256 of its parameters, 32 characters of it.

    The order of the parameters does not count. ``1`` is ``1.0`` but not ``True``, as for
    :func:`sweep.spaces.dimensions.same`. Parameters whose condition is not met are absent.

    Parameters
    ----------
    params : mapping of str to value
        The searched parameters that apply, ``epochs`` included when it is searched.
    """
    said = canonical({name: _plain(value) for name, value in params.items()})
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Write equal numbers alike."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def without_epochs(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that all budgets of a candidate share."""
    return {name: value for name, value in params.items() if name != "epochs"}
