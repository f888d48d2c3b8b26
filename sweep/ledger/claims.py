"""Convert a planned cell to a waiting Optuna trial, and a waiting cell to a worker's claim."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweep.ledger.codec import cell_to_plain
from sweep.spaces import encode
from sweep.storage.attributes import CELL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import optuna

    from sweep.ledger.records import PlannedCell
    from sweep.storage.queries import WaitingCell

FIXED = "fixed_params"
"""System attribute from which Optuna reads the parameters of an enqueued trial."""


@dataclass(frozen=True)
class Claim:
    """A cell that this process has claimed: no other process evaluates it.

    Attributes
    ----------
    trial_id, number : int
        Optuna's identifiers.
    key : str
        The cell's key in the plan.
    params : mapping of str to value, or None
        None where the sampler will suggest them.
    epochs : tuple of int
        Epochs to score, ascending.
    cell : mapping of str to value
        The cell as stored in the ledger.
    stored : mapping of str to value
        The parameters in Optuna's tables, encoded as Optuna stores them.
    taken : float
        When it was claimed, by the monotonic clock of this process.
    """

    trial_id: int
    number: int
    key: str
    params: Mapping[str, Any] | None
    epochs: tuple[int, ...]
    cell: Mapping[str, Any] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)
    taken: float = field(default_factory=time.monotonic, compare=False)


def claim_of(waiting: WaitingCell, params: Mapping[str, Any]) -> Claim:
    """Return the claim of a waiting cell, with its parameters from Optuna's tables."""
    cell = waiting.cell
    return Claim(
        waiting.trial_id, waiting.number, cell["key"], cell["params"], tuple(cell["epochs"]),
        cell, params,
    )  # fmt: skip


def waiting_trial(cell: PlannedCell, distributions: Mapping[str, Any]) -> optuna.trial.FrozenTrial:
    """Return the waiting trial that stands for a planned cell."""
    import optuna

    params = {k: encode(v) for k, v in (cell.params or {}).items() if k in distributions}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.WAITING,
        params=params,
        distributions={k: distributions[k] for k in params},
        user_attrs={CELL: cell_to_plain(cell)},
        system_attrs=_fixed(cell),
    )


def _fixed(cell: PlannedCell) -> dict[str, Any]:
    """Return the attribute that Optuna's ``enqueue_trial`` writes for given parameters."""
    return {FIXED: {n: encode(v) for n, v in cell.fixed.items()}} if cell.fixed else {}
