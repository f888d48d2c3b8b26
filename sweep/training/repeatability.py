"""Whether a user's factory gives the same model twice under one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.architecture import Architecture, seeded_build
from sweep.training.model_identity import (
    ModelInspection,
    comparable,
    described_alike,
    inspect_model,
    matches,
)
from sweep.training.random_state import RandomSources
from sweep.training.tracing import forward

if TYPE_CHECKING:
    from collections.abc import Hashable

ROWS = 8
DIFFERENT = "its factory builds two different models under one seed"

_reasons: dict[Hashable, str] = {}
"""Reason by factory, or by factory and parameters; empty if the model is repeatable."""


def why_unrepeatable(
    architecture: Architecture, seed: int, model: Any, inspection: ModelInspection
) -> str:
    """Return why two fits of a model under one seed may differ; empty if no reason is known.

    Once for each factory in a process (for each model, if its code draws unseeded numbers) a
    second model is built under the same seed. Its weights and Keras's description of it must be
    the same; if its code draws such numbers, or its graph differs, its outputs too.

    Parameters
    ----------
    architecture : Architecture
        With a user's factory.
    seed : int
        The model's.
    model : keras.Model
        Built under that seed.
    inspection : ModelInspection
        Of the model.
    """
    key = architecture.called if inspection.unseeded else architecture.factory
    if key not in _reasons:
        _reasons[key] = _reason(architecture, seed, model, inspection)
    return _reasons[key]


def _reason(architecture: Architecture, seed: int, model: Any, inspection: ModelInspection) -> str:
    other = seeded_build(architecture, seed)
    pairs = zip(model.get_weights(), other.get_weights(), strict=False)
    alike = all(np.array_equal(one, two, equal_nan=True) for one, two in pairs)
    identity = inspect_model(other, architecture.input_shape).identity
    if not alike or not described_alike(identity, inspection.identity):
        return DIFFERENT
    # Graphs of one model may still differ by names inside the text of an assertion.
    if not inspection.unseeded and matches(identity, inspection.identity):
        return ""
    if not _differs(other, architecture, seed, shared=comparable(inspection.identity)):
        return ""
    if not inspection.unseeded:
        return DIFFERENT
    return f"it gives different numbers under one seed; it draws from {inspection.unseeded}"


def _differs(model: Any, architecture: Architecture, seed: int, *, shared: bool) -> bool:
    """Return whether models built and called under the same seeds give different outputs.

    A model that fits share (``shared``) is also called twice. One that belongs to a single fit may
    keep something between calls, which rightly changes the next output.
    """
    rows = np.random.default_rng(0).random((ROWS, *architecture.input_shape), np.float32)
    try:
        first, second = _output(model, rows), _output(seeded_build(architecture, seed), rows)
        third = _output(model, rows) if shared else first
    except Exception:  # noqa: BLE001 - a user's model may refuse such rows; its fit will raise
        return False
    return not all(np.array_equal(first, each, equal_nan=True) for each in (second, third))


def _output(model: Any, rows: Any) -> Any:
    """Return a model's output in training, its generators seeded as for a first epoch."""
    random_sources = RandomSources(model)
    random_sources.use_global_seeds = True
    with random_sources.seeded(0, 0):
        return np.asarray(forward(model, rows, training=True), np.float64)
