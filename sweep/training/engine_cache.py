"""The compiled models of this process: one for each architecture, least recently used out."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from sweep.training.graph_backend import GraphBackend

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sweep.training.blueprint import Blueprint

KEPT = 32
"""Compiled models kept at a time: each one that is dropped leaves about 2 MB behind."""

KEPT_BYTES = 512 * 2**20
"""Variables that the kept models may hold together; a model in use is always kept."""

_engines: OrderedDict[Hashable, GraphBackend] = OrderedDict()
_lock = threading.Lock()
_built = 0


def backend_for(blueprint: Blueprint, seed: int, model: Any = None) -> GraphBackend:
    """Return the compiled model of a blueprint, tracing it at most once.

    Parameters
    ----------
    blueprint : Blueprint
        What to build and how it is optimized.
    seed : int
        Seed of the first initial weights.
    model : keras.Model, optional
        Built by the blueprint with that seed; taken where there is none yet.
    """
    global _built  # noqa: PLW0603 - a count of this process, read by the worker's recycling
    key = blueprint.key
    with _lock:
        if key in _engines:
            _engines.move_to_end(key)
            return _engines[key]
        engine = _engines[key] = GraphBackend(blueprint, seed, model)
        _built += 1
        while len(_engines) > 1 and (len(_engines) > KEPT or _held_bytes() > KEPT_BYTES):
            _engines.popitem(last=False)
        return engine


def _held_bytes() -> int:
    return sum(engine.nbytes for engine in _engines.values())


def engines_built() -> int:
    """Return how many architectures this process has traced so far."""
    return _built
