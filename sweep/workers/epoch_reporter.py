"""A scikit-learn callback that tells the run of every split and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.workers.control import Control


class EpochReporter:
    """Says each split and epoch as it ends."""

    max_propagation_depth = None

    def __init__(self, control: Control, trial: int, of: int) -> None:
        self._control, self._trial, self._of = control, trial, of
        self._split = -1

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin; nothing to prepare."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """End; nothing to put away."""

    def on_fit_task_begin(self, _estimator: Any, context: Any) -> None:
        """Count the splits by their first epochs."""
        if context.task_name == "epoch" and context.task_id == 0:
            self._split += 1

    def fit_ended(self, number: int) -> None:
        """Say that a fit without epochs has ended; fits are counted seed by seed."""
        self._control.tell("epoch", trial=self._trial, split=number, epoch=1, of=1)

    def on_fit_task_end(self, _estimator: Any, context: Any) -> bool:
        """Say that an epoch has ended; never ask to stop."""
        if context.task_name == "epoch":
            where = {"split": self._split, "epoch": context.task_id + 1, "of": self._of}
            self._control.tell("epoch", trial=self._trial, **where)
        return False
