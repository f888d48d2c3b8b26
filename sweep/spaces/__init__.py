"""Search spaces: lists of choices, ranges, conditions; as grids and as Optuna distributions."""

from sweep.spaces.dimensions import (
    Choices,
    Dimension,
    FloatRange,
    IntRange,
    Space,
    applies,
    ordered,
    same,
    text,
)
from sweep.spaces.distributions import decode, distributions, encode, suggest
from sweep.spaces.grids import Cell, canonical, cells, grid_candidates, grid_problems, grid_values
from sweep.spaces.growth import grown
from sweep.spaces.identity import candidate_identity, without_epochs

__all__ = [
    "Cell",
    "Choices",
    "Dimension",
    "FloatRange",
    "IntRange",
    "Space",
    "applies",
    "candidate_identity",
    "canonical",
    "cells",
    "decode",
    "distributions",
    "encode",
    "grid_candidates",
    "grid_problems",
    "grid_values",
    "grown",
    "ordered",
    "same",
    "suggest",
    "text",
    "without_epochs",
]
