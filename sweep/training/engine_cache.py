"""Compiled models that fits of this process share; the least recently used are dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sweep.training.backend import Backend
    from sweep.training.blueprint import Blueprint

MOST_ENGINES = 32
"""Engines kept at a time: TensorFlow never frees about 2 MB of each one that is dropped."""

MOST_BYTES = 512 * 2**20
"""Memory that the variables of the kept engines may take; the newest is always kept."""

_engines: OrderedDict[Hashable, Backend] = OrderedDict()
_lock = threading.Lock()
_built = 0


def shared_engine(
    kind: type[Backend], blueprint: Blueprint, seed: int, model: Any = None
) -> Backend:
    """Return the engine (a backend with its compiled model) of a blueprint; build it only once.

    Parameters
    ----------
    kind : type of Backend
        The backend.
    blueprint : Blueprint
        The model to build, and how it is compiled.
    seed : int
        Seed of the first initial weights.
    model : keras.Model, optional
        Already built from the blueprint with that seed; used if the engine must be built.
    """
    global _built  # noqa: PLW0603 - counts for the whole process; workers restart by it
    key = (kind.name, blueprint.key)
    with _lock:
        if key in _engines:
            _engines.move_to_end(key)
            return _engines[key]
        engine = _engines[key] = kind(blueprint, seed, model)
        _built += 1
        while len(_engines) > 1 and (len(_engines) > MOST_ENGINES or _total_bytes() > MOST_BYTES):
            _engines.popitem(last=False)
        return engine


def _total_bytes() -> int:
    return sum(engine.nbytes for engine in _engines.values())


def engines_built() -> int:
    """Return how many shared engines this process has built so far."""
    return _built
