"""What importers find, whatever the tool: a study's trials, scores and space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.imported import EndedTrial
    from sweep.ledger.outcomes import DataRecord
    from sweep.spaces import Dimension

MOST_TRIALS = 100_000
MOST_PARAMETERS = 200
MOST_SPLITS = 1000


@dataclass(frozen=True)
class FoundStudy:
    """A study of another tool.

    Attributes
    ----------
    tool, version, source
        As in :class:`sweep.ledger.outcomes.ImportRecord`.
    scores : tuple of str
        Names of the scores as scorers (:func:`sweep.importing.values.scorer_name`); the first
        ranks.
    trials : tuple of EndedTrial
        In the tool's order.
    space : mapping of str to dimension
        What was searched.
    objectives : tuple of str
        Further scores that are objectives.
    folds, repeats : int or None, int
        Of its cross-validation.
    grouped : bool
        Whether its splits keep groups of rows together.
    data : DataRecord or None
        None where nobody knows the data.
    notes : tuple of str
        What a reader must know.
    """

    tool: str
    source: str
    scores: tuple[str, ...]
    trials: tuple[EndedTrial, ...]
    space: Mapping[str, Dimension]
    version: str = ""
    objectives: tuple[str, ...] = ()
    folds: int | None = None
    repeats: int = 1
    grouped: bool = False
    data: DataRecord | None = None
    notes: tuple[str, ...] = field(default=())
