"""How many more repeats would tell two candidates apart, as far as the splits so far can say."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.comparisons import compare
from sweep.analysis.intervals import TINY
from sweep.analysis.racing import half_width, last_quantile, pair_noise, row_errors
from sweep.analysis.settling import MOST_REPEATS, entrants, is_current, rules
from sweep.ledger.scores import split_scores
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.analysis.racing import Rules
    from sweep.ledger.records import StudyRecord

SURE = 5
"""Repeats up to which a number is said: beyond, a little luck makes twice as many of them."""

BETWEEN_LOOKS = 0.583
"""How many standard deviations of a step a bound moves out, for looks are few (Siegmund 1985)."""


@dataclass(frozen=True)
class Outlook:
    """What more repeats would tell of the candidates that cannot be told from the best.

    Attributes
    ----------
    splits : int
        Splits that they were compared on.
    alike : int
        Candidates that cannot be told apart, the best among them.
    told : int
        Candidates that score lower by more than chance explains.
    repeats : int or None
        About how many more repeats would tell the furthest of them from the best; None where no
        number of them would.
    within_reach : int
        How many of them that many repeats, and up to 20, would tell.
    """

    splits: int
    alike: int
    told: int
    repeats: int | None
    within_reach: int


def repeats_to_tell(
    gap: float, noise: float, candidates: int, splits: tuple[int, int], held_by: Rules
) -> int | None:
    """Return how many more repeats tell a difference in half of all studies like this one.

    If the truth is what was measured, the difference goes on as a Brownian motion with drift, in
    the information that splits bring, and is told when it first passes the bound of a look: its
    first passage has an inverse Gaussian distribution (D. R. Cox and H. D. Miller, The Theory of
    Stochastic Processes, 1965, section 5.7).

    Parameters
    ----------
    gap : float
        The difference of two means.
    noise : float
        Standard deviation of a difference of two scores of the same split.
    candidates : int
        How many are compared.
    splits : tuple of (int, int)
        Splits so far, and of a repeat.
    held_by : Rules
        As for :func:`sweep.analysis.racing.race`.

    Returns
    -------
    int or None
        None where the last look would not tell it in half of the studies.
    """
    first, folds = splits
    if noise <= TINY or gap <= _of_rows(gap, candidates, held_by):
        return None
    for repeats in range(1, MOST_REPEATS + 1):
        now = first + folds * repeats
        if _share_told(gap / noise, candidates, (first, now, folds), held_by) >= 0.5:
            return repeats
    return None


def _of_rows(gap: float, candidates: int, held_by: Rules) -> float:
    if held_by.rows is None:
        return 0.0
    error = float(row_errors(np.array([gap]), held_by.rows)[0])
    return last_quantile(candidates, held_by.level) * error


def _share_told(
    effect: float, candidates: int, looks: tuple[int, int, int], held_by: Rules
) -> float:
    """Return in what share of studies a difference is told between two looks, some splits apart."""
    from scipy.special import log_ndtr

    first, now = (held_by.shared + 1 / splits for splits in looks[:2])
    last = held_by.shared + 1 / held_by.most
    freedom = float((candidates - 1) * (looks[1] - 1))
    bound = half_width(candidates, looks[1], freedom, held_by) * sqrt(last) / now
    drift, passed = effect / sqrt(last), last / now - last / first
    steps = max((looks[1] - looks[0]) // looks[2], 1)
    far = bound - drift * last / first + BETWEEN_LOOKS * sqrt(passed / steps)
    if far <= 0:
        return 1.0
    ends = (drift * passed - far) / sqrt(passed), -(drift * passed + far) / sqrt(passed)
    before, reflected = map(float, log_ndtr(ends))
    return exp(before) + exp(2 * far * drift + reflected)


def outlook(record: StudyRecord) -> Outlook | None:
    """Return what more repeats would tell; None where there is nothing to tell, or to know.

    Parameters
    ----------
    record : StudyRecord
        The study: of several splits that are not of groups, and not settled yet.
    """
    compared, groups = compare(record), record.settings.data.groups
    if compared is None or len(compared.alike) < 2 or groups is not None or is_current(record):
        return None
    scores = np.array([split_scores(each) for each in compared.alike])
    splits, folds = scores.shape[1], record.settings.search.cv
    if splits < 2 or folds is None:
        return None
    held_by = rules(record, compared.best, 0.0, splits + folds * MOST_REPEATS)
    noise, _ = pair_noise(scores)
    gaps = scores.mean(axis=1)
    found = [
        repeats_to_tell(gaps[0] - gap, float(noise[0, place]), len(entrants(record)),
                        (splits, folds), held_by)
        for place, gap in enumerate(gaps[1:], start=1)
    ]  # fmt: skip
    known = [each for each in found if each is not None]
    least = min(known, default=None)
    return Outlook(splits, len(scores), len(compared.told), least, len(known))


def outlook_text(record: StudyRecord) -> str:
    """Return what it would take to tell more; empty where there is nothing to say."""
    held = outlook(record)
    if held is None:
        return ""
    few = ""
    if not held.told:
        few = f"{held.splits} splits are too few to tell any candidate from the best: "
    those = f"these {held.alike}"
    if held.repeats is None:
        return f"{few}more repeats would hardly tell {those} apart, further rows would"
    repeats = f"about {counted(held.repeats, 'more repeat')} would tell"
    if held.repeats > SURE:
        repeats = f"more than {SURE} repeats would tell"
    if held.alike == 2:
        return f"{few}{repeats} {those} apart"
    reach = f"{held.within_reach} of {those} in {MOST_REPEATS} repeats"
    return f"{few}{repeats} the first of {those} from the best, and {reach}"
