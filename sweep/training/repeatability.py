"""Whether a factory of a person's own gives the same model twice under one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.architecture import Architecture, seeded_build
from sweep.training.model_identity import Look, comparable, described_alike, look, matches
from sweep.training.random_state import Draws
from sweep.training.tracing import forward

if TYPE_CHECKING:
    from collections.abc import Hashable

ROWS = 8
DIFFERENT = "its factory builds two different models under one seed"

_found: dict[Hashable, str] = {}
"""Why models are not repeatable, by their factory or all that it is called with; else empty."""


def why_unrepeatable(architecture: Architecture, seed: int, model: Any, seen: Look) -> str:
    """Say why two fits of a model under one seed may differ; empty where none is known.

    Once for each factory of a process (for each model, where its code draws what no variable
    holds) a second model is built under the same seed. Its weights and Keras's description of it
    must be the same; where its code draws, or its graph is another, its answers too.

    Parameters
    ----------
    architecture : Architecture
        With a factory of a person's own.
    seed : int
        The model's.
    model : keras.Model
        Built under it.
    seen : Look
        What looking at the model has told.
    """
    key = architecture.called if seen.drawn else architecture.factory
    if key not in _found:
        _found[key] = _compared(architecture, seed, model, seen)
    return _found[key]


def _compared(architecture: Architecture, seed: int, model: Any, seen: Look) -> str:
    other = seeded_build(architecture, seed)
    pairs = zip(model.get_weights(), other.get_weights(), strict=False)
    alike = all(np.array_equal(one, two, equal_nan=True) for one, two in pairs)
    found = look(other, architecture.input_shape).identity
    if not alike or not described_alike(found, seen.identity):
        return DIFFERENT
    # Graphs of one model may differ by names that an operation writes into its message.
    if not seen.drawn and matches(found, seen.identity):
        return ""
    if not _differs(other, architecture, seed, shared=comparable(seen.identity)):
        return ""
    if not seen.drawn:
        return DIFFERENT
    return f"it gives different numbers under one seed; it draws from {seen.drawn}"


def _differs(model: Any, architecture: Architecture, seed: int, *, shared: bool) -> bool:
    """Return whether models built and asked under the same seeds give different answers.

    A model that fits share (``shared``) is also asked twice. One that each fit has for itself may
    keep something from one call to the next, which rightly changes the next answer.
    """
    rows = np.random.default_rng(0).random((ROWS, *architecture.input_shape), np.float32)
    try:
        first, again = _answer(model, rows), _answer(seeded_build(architecture, seed), rows)
        third = _answer(model, rows) if shared else first
    except Exception:  # noqa: BLE001 - a model of one's own may refuse such rows; its fit will tell
        return False
    return not all(np.array_equal(first, each, equal_nan=True) for each in (again, third))


def _answer(model: Any, rows: Any) -> Any:
    """Return what a model gives in training, its generators set as for a first epoch."""
    draws = Draws(model)
    draws.outside = True
    with draws.at(0, 0):
        return np.asarray(forward(model, rows, training=True), np.float64)
