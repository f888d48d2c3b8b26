"""What each slot of a study with rungs does: begin a candidate, or let a good one go on."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sweep.search.plan import EVEN_START
from sweep.search.precomputed import DRAWN_BEFOREHAND
from sweep.search.promotion import bracket_plan, next_rung, rank_across_budgets
from sweep.storage.locks import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.claims import Claim
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import Rung
    from sweep.spec import StudySpec
    from sweep.workers.trial_cache import FinishedTrials


class RungScheduler:
    """Decides where the trials of one study pause; no rungs, no decision.

    Parameters
    ----------
    ledger : Ledger
        Where decisions are written, at once: other workers' depend on them.
    study : str
        The study's name in the ledger; an outer fold has one of its own.
    spec : StudySpec
        What it searches.
    ended : Ended
        Its trials.
    train_rows : int
        Training rows of a split, the fewest.
    """

    def __init__(
        self, ledger: Ledger, study: str, spec: StudySpec, ended: FinishedTrials, train_rows: int
    ) -> None:
        self._ledger, self._study, self._spec, self._ended = ledger, study, spec, ended
        self.bracket_plan = bracket_plan(spec, train_rows)
        if self.bracket_plan is not None:
            ledger.view.adjust = partial(rank_across_budgets, enough=EVEN_START)

    @property
    def told(self) -> str:
        """What tells the fits of this study from those that pause elsewhere within an epoch."""
        within = {} if self.bracket_plan is None else self.bracket_plan.within
        return f" {within}" if within else ""

    def rung(self, claim: Claim) -> Rung | None:
        """Decide for a slot that was taken, and write it down; None in a study without rungs."""
        if self.bracket_plan is None:
            return None
        slot = slot_of(claim)
        with one_at_a_time(self._ledger, self._study, "rungs"):
            running = [each for each in self._ended.running() if each.number != claim.number]
            trials = [each for each in (*self._ended.all(), *running) if each.rung]
            fixed: Mapping[str, Any] = {}
            if slot < len(self._spec.search.start):  # its parameters are given
                rung = self.bracket_plan.first_rung(slot)
            else:
                taken = {each.key for each in trials} | {claim.key}  # retried: no failure any more
                failed = self._ledger.failed_rungs(self._study, but=taken)
                left = (self._spec.search.trials or 0) - 1 - len(trials) - len(failed)
                lost = {each["continues"] for each in failed if each}
                rung = next_rung(self.bracket_plan, trials, left, lost)
                fixed = self._fixed(rung, slot)
            self._ledger.set_rung(claim, rung, fixed)
        return rung

    def _fixed(self, rung: Rung, slot: int) -> Mapping[str, Any]:
        """Return the parameters of the trial that goes on, or a draw that learns nothing."""
        if rung.continues is not None:
            return next(t.params for t in self._ended.all() if t.number == rung.continues)
        search = self._spec.search
        if not search.method_row.drawn_beforehand:
            return {}
        return next(islice(DRAWN_BEFOREHAND[search.method](self._spec), slot, None))


def slot_of(claim: Claim) -> int:
    """Return the number of a claim's slot."""
    return int(claim.key.rpartition(":")[2])
