"""Numbers of a model that its shapes do not depend on: dropout rates, penalties, largest norms.

Fits that differ only in them can share one trace, which reads them from variables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.models.layers import Conv, Dense, Dropout, LayerSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_RATE = 0.5


def rates(layers: Sequence[LayerSpec]) -> tuple[float, ...]:
    """Return these numbers, layer by layer, for a kernel first ``l2`` and then ``max_norm``.

    A number that switches its part of the model off (no penalty, no limit) is left out.
    """
    return tuple(rate for layer in layers for rate in _rates_of(layer))


def at_any_rate(layers: Sequence[LayerSpec]) -> tuple[LayerSpec, ...]:
    """Return the layers with one number in place of each of these."""
    return tuple(map(_at_any_rate, layers))


def _rates_of(layer: LayerSpec) -> tuple[float, ...]:
    if isinstance(layer, Dropout):
        return (layer.rate,)
    if isinstance(layer, Conv | Dense):
        return tuple(each for each in (layer.kernel.l2, layer.kernel.max_norm) if each)
    return ()


def _at_any_rate(layer: LayerSpec) -> LayerSpec:
    if isinstance(layer, Dropout):
        return replace(layer, rate=ANY_RATE)
    if isinstance(layer, Conv | Dense):
        kernel = layer.kernel
        some = replace(
            kernel,
            l2=ANY_RATE if kernel.l2 else 0.0,
            max_norm=ANY_RATE if kernel.max_norm else None,
        )
        return replace(layer, kernel=some)
    return layer
