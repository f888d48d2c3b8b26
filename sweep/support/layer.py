"""One layer of a model as a row: what models describe, the ledger holds and reports show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Layer(NamedTuple):
    """One layer of a model.

    Attributes
    ----------
    name : str
        Its name in the model.
    kind : str
        The Keras layer's name: ``"Conv2D"``.
    output_shape : str
        Output shape of one row: ``"(26, 26, 32)"``, or ``"?"`` where it has none.
    parameters : int
        Weights, those that training does not change included.
    """

    name: str
    kind: str
    output_shape: str
    parameters: int


def total_parameters(layers: Iterable[Layer]) -> int:
    """Return the number of weights of a model."""
    return sum(layer.parameters for layer in layers)
