"""The compiled models of this process: one for each architecture, least recently used out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

from sweep.training.engine import Engine

if TYPE_CHECKING:
    from sweep.training.optimizers import OptimizerSettings

KEPT = 12
"""Compiled models kept at a time."""

_engines: OrderedDict[Hashable, Engine] = OrderedDict()
_lock = threading.Lock()
_built = 0


def engine_for(
    build: Callable[[], Any], identity: Hashable, settings: OptimizerSettings, seed: int
) -> Engine:
    """Return the compiled model of an architecture, tracing it at most once.

    Parameters
    ----------
    build : callable
        Makes the Keras model.
    identity : hashable
        What distinguishes the architecture: factory, input shape, classes, model parameters.
    settings : OptimizerSettings
        How it is optimized; only what a trace depends on counts.
    seed : int
        Seed of the first initial weights.
    """
    global _built  # noqa: PLW0603 - a count of this process, read by the worker's recycling
    key = (identity, settings.traced)
    with _lock:
        if key in _engines:
            _engines.move_to_end(key)
            return _engines[key]
        engine = _engines[key] = Engine(build, settings, seed)
        _built += 1
        while len(_engines) > KEPT:
            _engines.popitem(last=False)
        return engine


def engines_built() -> int:
    """Return how many architectures this process has traced so far."""
    return _built


def freeze(value: Any) -> Hashable:
    """Turn a parameter's value into something that can be part of a key."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value).__name__, value)
