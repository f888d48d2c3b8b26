"""Hyperband by promotion: each slot begins a candidate with few epochs, or lets a good one go on.

A decision trial by trial, as Optuna's pruners take it, stops a trial for good or lets it run: the
first ones of a rung, which have nobody to be compared with, run to the end. Here a trial pauses at
its rung. It goes on, from its saved weights, once it is among the best ``1 / reduction_factor`` of
those that have come so far. The brackets are those of L. Li et al., "Hyperband: a novel
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
from sweep.ledger.scores import mean_split_score
from sweep.spaces import candidate_identity, without_epochs
from sweep.spec.pruning import BY_RUNGS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from optuna.trial import FrozenTrial

    from sweep.ledger.records import TrialRecord
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class Bracket:
    """One way of dividing a budget.

    Attributes
    ----------
    rungs : tuple of int
        Epochs after which a candidate pauses, ascending; the last is the whole.
    starts : int
        Candidates begun in it before the next bracket's turn.
    """

    rungs: tuple[int, ...]
    starts: int


@dataclass(frozen=True)
class BracketPlan:
    """The brackets of a study, most candidates first; one trial of ``factor`` goes on."""

    brackets: tuple[Bracket, ...]
    factor: int

    @property
    def whole(self) -> int:
        """Epochs of a whole trial."""
        return self.brackets[0].rungs[-1]

    @property
    def epochs_of_a_slot(self) -> float:
        """Epochs that a slot trains on average, over one turn of all brackets."""
        slots = epochs = 0.0
        for bracket in self.brackets:
            before, going = 0, float(bracket.starts)
            for rung in bracket.rungs:
                slots, epochs = slots + going, epochs + going * (rung - before)
                before, going = rung, going / self.factor
        return epochs / slots

    def begin(self, number: int) -> Rung:
        """Return where the candidate of that number, from 0, pauses first."""
        turns = [place for place, each in enumerate(self.brackets) for _ in range(each.starts)]
        place = next(islice(cycle(turns), number % len(turns), None))
        return Rung(place, self.brackets[place].rungs[0])

    def above(self, rung: Rung) -> int:
        """Return the epochs of the next rung; the whole where there is none."""
        rungs = self.brackets[rung.bracket].rungs
        return next((epochs for epochs in rungs if epochs > rung.epochs), rungs[-1])


def bracket_plan(spec: StudySpec) -> BracketPlan | None:
    """Return the plan of a study; None where its pruner has none."""
    asked = spec.search.pruner
    if asked is None or asked.name not in BY_RUNGS:
        return None
    factor, least = asked.reduction_factor or 3, asked.min_epochs or 1
    most = max(asked.max_epochs or spec.largest_epochs, least)
    rungs = [least]
    while rungs[-1] * factor < most:
        rungs.append(rungs[-1] * factor)
    steps = (*rungs, most) if rungs[-1] < most else tuple(rungs)
    if asked.name == "successive_halving":
        return BracketPlan((Bracket(steps, 1),), factor)
    size = len(steps)
    starts = [math.ceil(size * factor ** (size - 1 - i) / (size - i)) for i in range(size)]
    brackets = tuple(Bracket(steps[i:], each) for i, each in enumerate(starts))
    return BracketPlan(brackets, factor)


def next_rung(
    plan: BracketPlan, trials: Sequence[TrialRecord], left: int, lost: Collection[int] = ()
) -> Rung:
    """Return what the next slot of a study does.

    Parameters
    ----------
    plan : BracketPlan
        The study's.
    trials : sequence of TrialRecord
        Those with a rung that run or have ended with a value.
    left : int
        Slots that will be left after this one. The last ones begin nothing new where something
        is left to go on, so that the study ends with whole trials.
    lost : collection of int
        Numbers of trials whose continuation failed: they do not go on.
    """
    furthest: dict[str, int] = {}
    for each in trials:
        furthest[_who(each)] = max(_rung(each).epochs, furthest.get(_who(each), 0))
    followed = {t.number for t in trials if furthest[_who(t)] > _rung(t).epochs} | set(lost)
    # One that was just taken may not have its parameters written yet.
    followed |= {r.continues for r in map(_rung, trials) if r.continues is not None}
    paused = [t for t in trials if _pauses(t) and t.number not in followed]
    if chosen := _promotable(plan, trials, paused):
        return _follow(plan, chosen)
    whole = any(t.state == "COMPLETE" for t in trials)
    if left < len(plan.brackets[0].rungs) - 1 and paused:
        best = max(paused, key=lambda t: (_rung(t).epochs, reached_score(t), -t.number))
        rung = _follow(plan, best)
        return rung if left or whole else Rung(rung.bracket, plan.whole, best.number)
    begun = sum(t.rung is not None and t.rung.continues is None for t in trials)
    first = plan.begin(begun)
    return first if left or whole else Rung(first.bracket, plan.whole)


def rank_across_budgets(trials: list[FrozenTrial], enough: int) -> list[FrozenTrial]:
    """Make trials of different budgets comparable for a sampler.

    A sampler takes every complete trial for better than every pruned one, however long both were
    trained. Here trials are ranked by their score at the highest rung that enough of them have
    reached; those that have not come so far rank below, by how far they came. Ranking by one
    budget is that of S. Falkner et al., "BOHB: robust and efficient hyperparameter optimization
    at scale" (ICML 2018); keeping the others as bad examples is ours.

    Parameters
    ----------
    trials : list of optuna.trial.FrozenTrial
        As the ledger holds them, with a score for each epoch.
    enough : int
        Trials at a rung before they are ranked by it.

    Returns
    -------
    list of optuna.trial.FrozenTrial
        Ended ones as complete, their value the rank from 0, the worst; running ones, and those
        that were never trained, unchanged. What another study has taught counts as trained
        enough.
    """
    ended = [t for t in trials if t.state.is_finished() and (t.intermediate_values or t.values)]
    ends = sorted({max(t.intermediate_values or {0: 0}) for t in ended}, reverse=True)
    counts = {end: sum(end in t.intermediate_values for t in ended) for end in ends}
    level = next((end for end in ends if counts[end] >= enough), 1)

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
    """Return the mean held-out score of a trial at its rung, or as far as it came."""
    shared = set.intersection(*(set(split.test) for split in trial.splits))
    return mean_split_score(trial.splits, max(e for e in shared if e <= _rung(trial).epochs))


def _promotable(
    plan: BracketPlan, trials: Sequence[TrialRecord], paused: Sequence[TrialRecord]
) -> TrialRecord | None:
    """Return the best trial of the highest rung that has one to let go on."""
    places = {(t.rung.epochs, -t.rung.bracket) for t in paused if t.rung}
    for epochs, bracket in sorted(places, reverse=True):
        here = [t for t in trials if t.rung and t.splits and t.state in ("PRUNED", "COMPLETE")]
        here = [t for t in here if (_rung(t).epochs, -_rung(t).bracket) == (epochs, bracket)]
        once = {_who(t): t for t in sorted(here, key=lambda t: -t.number)}
        ranked = sorted(once.values(), key=lambda t: (-reached_score(t), t.number))
        for trial in ranked[: len(ranked) // plan.factor]:
            if trial in paused:
                return trial
    return None


def _who(trial: TrialRecord) -> str:
    """Tell candidates apart: trials with the same parameters are one."""
    return candidate_identity(without_epochs(trial.params))


def _pauses(trial: TrialRecord) -> bool:
    """Whether it may go on; what a limit has refused was never trained."""
    return trial.state == "PRUNED" and bool(trial.splits)


def _follow(plan: BracketPlan, trial: TrialRecord) -> Rung:
    rung = _rung(trial)
    return Rung(rung.bracket, plan.above(rung), trial.number)


def _rung(trial: TrialRecord) -> Rung:
    if trial.rung is None:
        raise ValueError(f"trial {trial.number} stands on no rung")
    return trial.rung
