"""The search methods: one row for each, read wherever a method decides something.

To add a sampler, add a row here and the function that makes it in
:mod:`sweep.search.samplers`; if its points are drawn beforehand, also the function that draws them
in :mod:`sweep.search.precomputed`. A rule of its own goes into :mod:`sweep.spec.search_rules`, its
extra, if it needs one, into ``pyproject.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Points = Literal["grid", "drawn", "learned"]
WarmStart = Literal["none", "some", "all"]


@dataclass(frozen=True)
class Extra:
    """A package that an optional dependency of sweep installs.

    Attributes
    ----------
    name : str
        The optional dependency, as in ``pip install ".[gp]"``.
    module : str
        The module that it brings.
    title : str
        What people call the package.
    """

    name: str
    module: str
    title: str


@dataclass(frozen=True)
class SearchMethod:
    """What sweep knows of one search method.

    Attributes
    ----------
    name : str
        Its name in a study file: ``search.method``.
    points : str
        Where its candidates come from: ``"grid"``, every combination; ``"drawn"``, drawn
        beforehand, whatever the scores (:mod:`sweep.search.precomputed`); ``"learned"``, asked of
        an Optuna sampler when a worker takes a cell (:mod:`sweep.search.samplers`), which looks
        at the scores so far.
    extra : Extra or None
        The extra that it needs.
    one_objective : bool
        Whether it takes one objective only.
    needs_free_range : bool
        Whether it searches nothing but ranges without a condition.
    even_start : bool
        Whether its first points are spread evenly instead of drawn at random.
    warm_start : str
        Which of the parameters that always apply a trial of another study must have, so that
        the sampler learns from it: ``"all"`` or ``"some"``; ``"none"`` where ``start_from`` is
        refused.
    warm_start_attributes : mapping of str to value
        What Optuna's sampler must find with such a trial, to take it for one of its own.
    """

    name: str
    points: Points
    extra: Extra | None = None
    one_objective: bool = False
    needs_free_range: bool = False
    even_start: bool = False
    warm_start: WarmStart = "none"
    warm_start_attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_grid(self) -> bool:
        """Whether it tries every combination."""
        return self.points == "grid"

    @property
    def drawn_beforehand(self) -> bool:
        """Whether its points are known before anything trains, and are no grid."""
        return self.points == "drawn"

    @property
    def learns(self) -> bool:
        """Whether finished trials decide what it tries next."""
        return self.points == "learned"


_ROWS = (
    SearchMethod("grid", "grid"),
    SearchMethod("random", "drawn"),
    SearchMethod("qmc", "drawn"),
    SearchMethod("tpe", "learned", even_start=True, warm_start="some"),
    SearchMethod(
        "nsga2",
        "learned",
        warm_start="all",
        # NSGA-II chooses parents by generation: what other studies found is its first one.
        warm_start_attributes=MappingProxyType({"NSGAIISampler:generation": 0}),
    ),
    SearchMethod(
        "cmaes",
        "learned",
        extra=Extra("cmaes", "cmaes", "cmaes"),
        one_objective=True,
        needs_free_range=True,
        warm_start="all",
    ),
    SearchMethod("gp", "learned", extra=Extra("gp", "torch", "PyTorch"), warm_start="all"),
)

METHODS: Mapping[str, SearchMethod] = MappingProxyType({row.name: row for row in _ROWS})
"""Every method by its name, in the order in which messages list them."""


IMPORTED = SearchMethod("imported", "drawn")
"""How candidates of another tool's search were found. It stands in ledgers, and no study file may
name it (:func:`sweep.spec.search_rules.imported_problems`)."""


def find_method(name: Any) -> SearchMethod | None:
    """Return the row of a method as a ledger holds it; None where there is no such method."""
    if name == IMPORTED.name:
        return IMPORTED
    return METHODS.get(name) if isinstance(name, str) else None


def is_grid(name: Any) -> bool:
    """Return whether a study file names a method that tries every combination."""
    method = find_method(name)
    return method is not None and method.is_grid
