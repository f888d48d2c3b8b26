"""The training backends, and which of them trains a fit. A new backend is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.training.engine_cache import shared_engine
from sweep.training.graph_backend import GraphBackend
from sweep.training.keras_backend import KerasBackend

if TYPE_CHECKING:
    from sweep.training.backend import Backend
    from sweep.training.blueprint import Blueprint

BACKENDS: tuple[type[Backend], ...] = (GraphBackend, KerasBackend)
"""In the order in which a fit with ``fast=True`` tries them; the last one trains any model."""

STORED_BEFORE_NAMES = {True: GraphBackend.name, False: KerasBackend.name}
"""Older weight files store only whether the fit was a fast one."""


def backend_names() -> list[str]:
    """Return the names of all backends, in the order in which they are tried."""
    return [each.name for each in BACKENDS]


def first_choice(*, fast: bool) -> str:
    """Return the name of the backend that a new fit tries first."""
    return BACKENDS[0 if fast else -1].name


def next_choice(name: str) -> str:
    """Return the name of the backend to try after ``name`` has refused a model."""
    names = backend_names()
    return names[names.index(name) + 1]


def backend_type(name: str) -> type[Backend]:
    """Return the backend of a name."""
    return next(each for each in BACKENDS if each.name == name)


def backend_for(
    name: str, blueprint: Blueprint, seed: int, model: Any = None, own: Backend | None = None
) -> Backend:
    """Return the backend that a fit trains in and predicts by.

    Parameters
    ----------
    name : str
        Name of the backend.
    blueprint : Blueprint
        The model to build, and how it is compiled.
    seed : int
        Seed of the initial weights.
    model : keras.Model, optional
        Already built from the blueprint with that seed; used where a new backend is made.
    own : Backend, optional
        What this function has returned for the fit before; used again unless fits share one.
    """
    kind = backend_type(name)
    if kind.shared:
        return shared_engine(kind, blueprint, seed, model)
    return kind(blueprint, seed, model) if own is None else own
