"""A cell on its way: planned, waiting as a trial of Optuna's, taken by a process."""

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
"""Where Optuna reads parameters that a trial was enqueued with."""


@dataclass(frozen=True)
class Claim:
    """A cell that this process has taken: nobody else will evaluate it.

    Attributes
    ----------
    trial_id, number : int
        Optuna's identifiers.
    key : str
        The cell of the plan.
    params : mapping of str to value, or None
        None where the sampler is still to suggest them.
    epochs : tuple of int
        Epochs to score, ascending.
    cell : mapping of str to value
        The cell as the ledger holds it.
    stored : mapping of str to value
        The parameters that Optuna holds, as Optuna holds them.
    taken : float
        When it was taken, by a clock of this process that nobody sets.
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
    """Return the claim of a cell that was taken, with the parameters that Optuna holds."""
    cell = waiting.cell
    return Claim(
        waiting.trial_id, waiting.number, cell["key"], cell["params"], tuple(cell["epochs"]),
        cell, params,
    )  # fmt: skip


def waiting_trial(cell: PlannedCell, distributions: Mapping[str, Any]) -> optuna.trial.FrozenTrial:
    """Return the trial that a cell of the plan is enqueued as."""
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
    """Return what Optuna's own ``enqueue_trial`` writes for parameters given beforehand."""
    return {FIXED: {n: encode(v) for n, v in cell.fixed.items()}} if cell.fixed else {}
