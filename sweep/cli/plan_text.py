"""How a study file stands to what the ledger holds under its name, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.cli.text import clean
from sweep.support.text import counted, epochs, times, trained

if TYPE_CHECKING:
    from sweep.search.promotion import Bracket, BracketPlan
    from sweep.study.answers.plan import StudyPlan


def verdict(plan: StudyPlan) -> str:
    """Say what a run would do, or what stands in its way."""
    tried, failed = plan.checked.models.tried, plan.checked.models.failed
    if plan.done:
        return "finished already"
    if plan.hopeless:
        all_ = "the one model" if tried == 1 else f"every one of the {tried} models"
        return f"{all_} that was tried failed, and a run would only record that"
    if failed:
        return f"{failed} of {tried} models that were tried failed; a run would go on"
    if plan.status == "grown":
        return f"the file has grown since the study finished: {_growth(plan)}"
    if plan.refits and not plan.left:
        return "every cell is done; a run would refit the winner and open the test set"
    return _outer(plan) or "nothing stands in the way"


def tried_words(plan: StudyPlan) -> str:
    """Say how many of the different models were tried, and with which values they failed."""
    tried, models = plan.checked.models.tried, plan.checked.models.models
    if not plan.checked.spec.search.method_row.is_grid:
        words = f"{counted(tried, 'model')} of the space tried for a moment"
    elif tried == models:
        words = "the one model" if models == 1 else f"each of the {models} different ones"
        words += " tried for a moment"
    else:
        words = f"{tried} of {models:,} different ones tried for a moment: a sample"
    failed = plan.checked.models.causes
    return "\n".join([words, *(f"failed with {clean(each)}" for each in failed)])


def test_set(plan: StudyPlan) -> str:
    """Say how often the test set was and would be opened."""
    if not plan.checked.spec.search.refit:
        return "stays closed (refit = false)"
    if plan.known is None or not plan.known.test_openings:
        return "opened once, for the winner"
    so_far = f"opened {times(plan.known.test_openings)} so far"
    return so_far if plan.done else f"{so_far}; once more if another candidate wins"


def status_note(plan: StudyPlan) -> str:
    """Return what stands behind the study's name."""
    if plan.status == "new":
        return "(new)"
    if plan.status == "finished":
        return "(in the ledger, finished)"
    counts = f"{plan.cells - plan.left} of {counted(plan.cells, 'cell')} done"
    if plan.status == "grown":
        return f"(in the ledger, grown: {counts})"
    return f"(in the ledger, {counts}; a run continues it)"


def rungs(plan: BracketPlan) -> str:
    """Say where trials pause, how many go on, and how many begin at which rung."""
    steps = [trained(each, plan.rung(0, each).rows) for each in plan.brackets[0].rungs]
    found = f"{', '.join(steps)}; 1 of {plan.factor} goes on"
    if len(plan.brackets) == 1:
        return found
    begin = ", ".join(f"{each.starts} at {_first(plan, each)}" for each in plan.brackets)
    return f"{found}\nof {sum(each.starts for each in plan.brackets)} candidates begin {begin}"


def _first(plan: BracketPlan, bracket: Bracket) -> str:
    first = plan.rung(0, bracket.rungs[0])
    share = first.rows is not None and first.epochs < 1
    return counted(first.rows or 0, "row") if share else epochs(first.epochs)


def _outer(plan: StudyPlan) -> str:
    """Say so where only the outer folds are left."""
    if plan.status != "finished" or plan.refits:
        return ""
    outer = counted(plan.checked.outer_left, "outer fold")
    return f"every cell is done; a run would repeat the search in {outer}"


def _growth(plan: StudyPlan) -> str:
    added = f"a run would evaluate {counted(plan.left, 'new cell')}"
    if not plan.checked.spec.search.refit or plan.known is None or plan.known.winner is None:
        return added
    return f"{added} and, if another candidate wins, open the test set again (refit)"
