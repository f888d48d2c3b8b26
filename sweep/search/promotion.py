"""Hyperband by promotion: each slot starts a candidate with few epochs, or continues a good one.

Optuna's pruners decide at once whether a trial stops for good or runs on: the first trials of a
rung, without others to compare with, run to the end. Here a trial pauses at its rung. It
continues, from its saved weights, once it is among the best ``1 / reduction_factor`` of the trials
that have reached the rung. Rungs count epochs, or training rows: a rung below one epoch is then a
fraction of an epoch. The brackets are those of L. Li et al., "Hyperband: a novel
bandit-based approach to hyperparameter optimization" (JMLR 18, 2018), the promotion is that of
L. Li et al., "A system for massively parallel hyperparameter tuning" (MLSys 2020).
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

from sweep.ledger.records import Rung
from sweep.ledger.scores import mean_split_score, shared_epochs
from sweep.spaces import candidate_identity, without_epochs
from sweep.spec.pruning import BY_RUNGS, LEAST_ROWS, ROWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from optuna.trial import FrozenTrial

    from sweep.ledger.records import TrialRecord
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class Bracket:
    """A bracket: its rungs, and its share of the candidates.

    Attributes
    ----------
    rungs : tuple of float
        Epochs after which a candidate pauses, ascending; the last is the full budget. Whole ones
        are ints; below 1, a share of the training rows.
    starts : int
        Candidates started in it before the next bracket's turn.
    """

    rungs: tuple[float, ...]
    starts: int


@dataclass(frozen=True)
class BracketPlan:
    """The brackets of a study, most candidates first; one trial of ``factor`` is promoted.

    Trials that differ only in ``budget``, which plays the role of ``epochs``, are one candidate.
    ``rows`` are the training rows of an epoch where rungs count rows, else None.
    """

    brackets: tuple[Bracket, ...]
    factor: int
    budget: str = "epochs"
    rows: int | None = None

    @property
    def max_epochs(self) -> int:
        """Epochs of a trial with the full budget."""
        return int(self.brackets[0].rungs[-1])

    @property
    def epochs_of_a_slot(self) -> float:
        """Epochs that a slot trains on average, over one turn of all brackets."""
        slots = epochs = 0.0
        for bracket in self.brackets:
            before, remaining = 0.0, float(bracket.starts)
            for rung in bracket.rungs:
                slots, epochs = slots + remaining, epochs + remaining * (rung - before)
                before, remaining = rung, remaining / self.factor
        return epochs / slots

    @property
    def within(self) -> dict[float, int]:
        """The rungs within the first epoch: from their share of it to its rows."""
        shares = (each for each in self.brackets[0].rungs if each < 1)
        return {share: round(share * (self.rows or 0)) for share in shares}

    def first_rung(self, number: int) -> Rung:
        """Return the first rung of the candidate of that number, counted from 0."""
        turns = [index for index, each in enumerate(self.brackets) for _ in range(each.starts)]
        index = next(islice(cycle(turns), number % len(turns), None))
        return self.rung(index, self.brackets[index].rungs[0])

    def rung(self, bracket: int, epochs: float, continues: int | None = None) -> Rung:
        """Return a rung, with its rows where rungs count rows."""
        rows = None if self.rows is None else round(epochs * self.rows)
        return Rung(bracket, epochs, continues, rows)

    def next_epochs(self, rung: Rung) -> float:
        """Return the epochs of the next rung; the full budget where there is none."""
        rungs = self.brackets[rung.bracket].rungs
        return next((epochs for epochs in rungs if epochs > rung.epochs), rungs[-1])


def climbs(spec: StudySpec) -> bool:
    """Return whether the trials of a study pause at rungs."""
    pruner = spec.search.pruner
    return pruner is not None and pruner.name in BY_RUNGS


def bracket_plan(spec: StudySpec, train_rows: int = 0) -> BracketPlan | None:
    """Return the brackets of a study; None where its pruner has none.

    Parameters
    ----------
    spec : StudySpec
        The study.
    train_rows : int
        Training rows of a split, the fewest where splits differ; read where rungs count rows.
    """
    pruner = spec.search.pruner
    if pruner is None or not climbs(spec):
        return None
    factor, rows = pruner.reduction_factor or 3, None
    if pruner.resource == ROWS:
        rows = train_rows
        steps = row_rungs(pruner.min_samples or LEAST_ROWS, factor, rows, spec.largest_epochs)
    else:
        least = pruner.min_epochs or 1
        most = max(pruner.max_epochs or spec.largest_epochs, least)
        steps = tuple(_ladder(least, factor, most))
    if pruner.name == "successive_halving":
        return BracketPlan((Bracket(steps, 1),), factor, spec.budget, rows)
    size = len(steps)
    starts = [math.ceil(size * factor ** (size - 1 - i) / (size - i)) for i in range(size)]
    brackets = tuple(Bracket(steps[i:], each) for i, each in enumerate(starts))
    return BracketPlan(brackets, factor, spec.budget, rows)


def row_rungs(least: int, factor: int, rows: int, epochs: int) -> tuple[float, ...]:
    """Return rungs that count training rows, in epochs.

    Parameters
    ----------
    least : int
        Rows of the first rung.
    factor : int
        Each rung has so many times the rows of the one before.
    rows : int
        Training rows of an epoch. Rungs with as many or more are rounded to whole epochs.
    epochs : int
        The last rung.
    """
    if rows < 1:
        raise ValueError(f"rungs in rows need the training rows of a split, got {rows}")
    steps = list(_ladder(least, factor, rows * epochs))
    whole = [round(each / rows) for each in steps if each >= rows]
    return (*(each / rows for each in steps if each < rows), *sorted({*whole, epochs}))


def _ladder(least: int, factor: int, most: int) -> Iterator[int]:
    """Yield ``least`` and its multiples by powers of the factor below ``most``, then ``most``."""
    while least < most:
        yield least
        least *= factor
    yield most


def step_of(plan: BracketPlan | None, epoch: float) -> int:
    """Return an epoch as Optuna counts it: where rungs count rows, in training rows."""
    return int(epoch) if plan is None or plan.rows is None else round(epoch * plan.rows)


def next_rung(
    plan: BracketPlan, trials: Sequence[TrialRecord], left: int, lost: Collection[int] = ()
) -> Rung:
    """Return the rung of the next slot: of a new candidate, or of one that continues.

    Parameters
    ----------
    plan : BracketPlan
        The study's brackets.
    trials : sequence of TrialRecord
        Trials with a rung that run or have ended with a value.
    left : int
        Slots that will be left after this one. The last slots start no new candidate while a
        paused one can continue, so that the study ends with complete trials.
    lost : collection of int
        Numbers of trials whose continuation failed: they do not continue again.
    """
    furthest: dict[str, float] = {}
    for each in trials:
        one = _identity(plan, each)
        furthest[one] = max(_rung(each).epochs, furthest.get(one, 0))
    followed = {t.number for t in trials if furthest[_identity(plan, t)] > _rung(t).epochs}
    followed |= set(lost)
    # A trial that was just claimed may not have its parameters written yet.
    followed |= {r.continues for r in map(_rung, trials) if r.continues is not None}
    paused = [t for t in trials if _pauses(t) and t.number not in followed]
    if chosen := _promotable(plan, trials, paused):
        return _follow(plan, chosen)
    has_complete = any(t.state == "COMPLETE" for t in trials)
    if left < len(plan.brackets[0].rungs) - 1 and paused:
        best = max(paused, key=lambda t: (_rung(t).epochs, reached_score(t), -t.number))
        rung = _follow(plan, best)
        if left or has_complete:
            return rung
        return plan.rung(rung.bracket, plan.max_epochs, best.number)
    started = sum(t.rung is not None and t.rung.continues is None for t in trials)
    first = plan.first_rung(started)
    return first if left or has_complete else plan.rung(first.bracket, plan.max_epochs)


def rank_across_budgets(trials: list[FrozenTrial], enough: int) -> list[FrozenTrial]:
    """Make trials of different budgets comparable for a sampler.

    A sampler considers every complete trial better than every pruned one, however long both were
    trained. Here trials are ranked by their score at the highest rung that enough of them have
    reached; those that have not reached it rank below, by their own last epoch. Ranking by one
    budget is that of S. Falkner et al., "BOHB: robust and efficient hyperparameter optimization
    at scale" (ICML 2018); keeping the others as bad examples is ours.

    Parameters
    ----------
    trials : list of optuna.trial.FrozenTrial
        Trials of the ledger, with a score for each epoch, or for each rung and epoch.
    enough : int
        Fewest trials at a rung for ranking by it.

    Returns
    -------
    list of optuna.trial.FrozenTrial
        Finished trials as complete, with the rank as value (0 is the worst); running ones, and
        those that were never trained, unchanged. Warm-start trials count as having reached the
        rung.
    """
    ended = [t for t in trials if t.state.is_finished() and (t.intermediate_values or t.values)]
    ends = sorted({max(t.intermediate_values or {0: 0}) for t in ended}, reverse=True)
    counts = {end: sum(end in t.intermediate_values for t in ended) for end in ends}
    first = min((min(t.intermediate_values) for t in ended if t.intermediate_values), default=1)
    level = next((end for end in ends if counts[end] >= enough), first)

    def merit(trial: FrozenTrial) -> tuple[int, float]:
        scores = trial.intermediate_values or {level: trial.values[0]}
        step = level if level in scores else max(scores)
        return step, scores[step]

    ranks = {t.number: rank for rank, t in enumerate(sorted(ended, key=merit))}
    return [_complete(t, float(ranks[t.number])) if t.number in ranks else t for t in trials]


def _complete(trial: FrozenTrial, value: float) -> FrozenTrial:
    from optuna.trial import TrialState

    shown = copy(trial)
    shown.state, shown.values = TrialState.COMPLETE, [value]
    return shown


def reached_score(trial: TrialRecord) -> float:
    """Return the mean held-out score of a trial at its rung, or at its last epoch before it."""
    reached = [e for e in shared_epochs(trial.splits) if e <= _rung(trial).epochs]
    return mean_split_score(trial.splits, reached[-1])


def _promotable(
    plan: BracketPlan, trials: Sequence[TrialRecord], paused: Sequence[TrialRecord]
) -> TrialRecord | None:
    """Return the best trial of the highest rung that has one to promote; None without any."""
    rungs = {(t.rung.epochs, -t.rung.bracket) for t in paused if t.rung}
    for epochs, bracket in sorted(rungs, reverse=True):
        here = [t for t in trials if t.rung and t.splits and t.state in ("PRUNED", "COMPLETE")]
        here = [t for t in here if (_rung(t).epochs, -_rung(t).bracket) == (epochs, bracket)]
        once = {_identity(plan, t): t for t in sorted(here, key=lambda t: -t.number)}
        ranked = sorted(once.values(), key=lambda t: (-reached_score(t), t.number))
        for trial in ranked[: len(ranked) // plan.factor]:
            if trial in paused:
                return trial
    return None


def _identity(plan: BracketPlan, trial: TrialRecord) -> str:
    """Return the candidate's identity: trials with the same parameters are one candidate."""
    return candidate_identity(without_epochs(trial.params, plan.budget))


def _pauses(trial: TrialRecord) -> bool:
    """Return whether a trial is paused; a trial without splits was refused as too large."""
    return trial.state == "PRUNED" and bool(trial.splits)


def _follow(plan: BracketPlan, trial: TrialRecord) -> Rung:
    rung = _rung(trial)
    return plan.rung(rung.bracket, plan.next_epochs(rung), trial.number)


def _rung(trial: TrialRecord) -> Rung:
    if trial.rung is None:
        raise ValueError(f"trial {trial.number} stands on no rung")
    return trial.rung
