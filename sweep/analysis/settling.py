"""What further repeats of a study's cross-validation have settled, and who needs the next one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.binomial import are_independent, rows_behind
from sweep.analysis.intervals import rows_by_split, split_sizes
from sweep.analysis.racing import Race, Rules, race
from sweep.analysis.ranking import by_cost, distinct, ranked
from sweep.errors import ResultError
from sweep.ledger.outcomes import RaceRecord, Runner
from sweep.ledger.scores import scores_by_split, split_scores
from sweep.spaces import candidate_identity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from sweep.ledger.records import Candidate, StudyRecord

MOST_REPEATS = 20
"""Further repeats that there may be; the bounds of all looks rest on it."""

MOST_CANDIDATES = 2_000
"""Candidates that all pairs of can be compared."""


@dataclass(frozen=True)
class Standing:
    """How the race of a study stands.

    Attributes
    ----------
    candidates : list of Candidate
        Those that are compared, by falling score in the search.
    race : Race
        How they stand, in the same order.
    scores : ndarray of shape (n, splits)
        Their scores by split, those of repeats after those of the search; NaN where not measured.
    folds : int
        Splits of a repeat.
    """

    candidates: list[Candidate]
    race: Race
    scores: NDArray[np.float64]
    folds: int

    @property
    def repeats(self) -> int:
        """Further repeats that are complete."""
        return self.race.looks - 1

    @property
    def needed(self) -> list[Candidate]:
        """The candidates of the next repeat; empty where the race is over."""
        if self.repeats >= MOST_REPEATS:
            return []
        return [c for c, need in zip(self.candidates, self.race.needed, strict=True) if need]

    @property
    def means(self) -> NDArray[np.float64]:
        """Each candidate's mean over all its splits."""
        found: NDArray[np.float64] = np.nanmean(self.scores, axis=1)
        return found


def entrants(record: StudyRecord) -> list[Candidate]:
    """Return the candidates that can be compared: complete, each once, on the same splits."""
    order = [c for c in distinct(ranked(record)) if split_sizes(record, c) is not None]
    return [c for c in order if list(scores_by_split(c)) == list(scores_by_split(order[0]))]


def standing(record: StudyRecord, repeats: Sequence[StudyRecord], margin: float) -> Standing:
    """Return how the race of a study stands.

    Parameters
    ----------
    record : StudyRecord
        The study; something of it is complete.
    repeats : sequence of StudyRecord
        Its further repeats so far, in order.
    margin : float
        Differences up to this one do not matter.

    Raises
    ------
    ResultError
        If there are too many candidates to compare all pairs, or nothing is complete.
    """
    candidates = entrants(record)
    if not candidates or len(candidates) > MOST_CANDIDATES:
        raise ResultError(
            f"study {record.name!r}: only 1 to {MOST_CANDIDATES:,} complete candidates can be "
            f"settled, got {len(candidates):,}"
        )
    first, folds = len(split_scores(candidates[0])), record.settings.search.cv or 1
    looks = [first + folds * number for number in range(len(repeats) + 1)]
    scores = np.full((len(candidates), looks[-1]), np.nan)
    failed = np.zeros(len(candidates), bool)
    scores[:, :first] = [split_scores(each) for each in candidates]
    for number, repeat in enumerate(repeats):
        found = {candidate_identity(each.params): each for each in repeat.candidates}
        for place, each in enumerate(candidates):
            again = found.get(candidate_identity(each.params))
            if again is not None and len(values := split_scores(again)) == folds:
                scores[place, looks[number] : looks[number + 1]] = values
            failed[place] |= again is not None and again.trial.state != "COMPLETE"
    ran = race(
        scores, looks, rules(record, candidates[0], margin, first + folds * MOST_REPEATS), failed
    )
    return Standing(candidates, ran, scores, folds)


def rules(record: StudyRecord, candidate: Candidate, margin: float, most: int) -> Rules:
    """Return what the race of a study is held by."""
    held_out, train = split_sizes(record, candidate) or (1.0, inf)
    rows = rows_behind(record, rows_by_split(candidate)) if are_independent(record) else None
    return Rules(held_out / train, margin, most, rows)


def race_record(
    found: Standing, margin: float, complete: int, when: datetime, *, timed_out: bool = False
) -> RaceRecord:
    """Return what a race has settled, for the ledger.

    Parameters
    ----------
    found : Standing
        The race at its end.
    margin : float
        Its margin.
    complete : int
        Complete trials of the study.
    when : datetime
        The time.
    timed_out : bool, default False
        Whether there was no time for the next repeat.
    """
    why = "time" if timed_out else "last" if found.repeats >= MOST_REPEATS else "in vain"
    runners = [_runner(found, place) for place in _told(found)]
    return RaceRecord(
        margin=margin,
        level=0.95,
        repeats=found.repeats,
        most=MOST_REPEATS,
        candidates=len(found.candidates),
        complete=complete,
        end="settled" if found.race.settled else why,
        runners=tuple(sorted(runners, key=lambda each: -each.mean)),
        ended_at=when.astimezone().isoformat(timespec="milliseconds"),
    )


def settled_choice(record: StudyRecord, choose: str) -> Candidate | None:
    """Return the candidate to take by what further repeats have settled.

    Parameters
    ----------
    record : StudyRecord
        The study.
    choose : str
        As ``search.choose``.

    Returns
    -------
    Candidate or None
        Settled: the cheapest of those that are as good as the best within the margin. Else, of
        those that are left, the cheapest for ``"cheapest"``, and for ``"best"`` the highest mean
        of those with most splits, which they have in common. None where there is no race, where
        the study has grown since, and for ``"one_standard_error"``.
    """
    held = record.race
    if held is None or choose == "one_standard_error" or not is_current(record):
        return None
    known = {candidate_identity(c.params): c for c in entrants(record)}
    left = [r for r in held.runners if r.standing in ("as good", "open") and r.candidate in known]
    if not left:
        return None
    if held.end == "settled" or choose == "cheapest":
        return by_cost(known[each.candidate] for each in left)[0]
    most = max(each.splits for each in left)
    return known[max((r for r in left if r.splits == most), key=lambda r: r.mean).candidate]


def is_current(record: StudyRecord) -> bool:
    """Return whether what is settled is of the candidates that the study has now."""
    held = record.race
    return held is not None and held.candidates == len(entrants(record))


def unsettled(record: StudyRecord) -> bool:
    """Return whether a study asks for further repeats that have not come to their end."""
    asked, held = record.settings.search.settle, record.race
    if asked is None or not entrants(record):
        return False
    return held is None or held.margin != asked.margin or not is_current(record)


def _told(found: Standing) -> NDArray[np.int_]:
    """Return the places of those that are worth telling of."""
    first = found.race.splits.min()
    told: NDArray[np.int_] = np.flatnonzero(found.race.left | (found.race.splits > first))
    return told


def _runner(found: Standing, place: int) -> Runner:
    race, candidate = found.race, found.candidates[place]
    names = {"worse": race.worse, "lost": race.lost, "as good": race.as_good}
    low, behind, high = map(float, race.behind[place])
    return Runner(
        candidate=candidate_identity(candidate.params),
        params=dict(candidate.params),
        standing=next((name for name, has in names.items() if has[place]), "open"),
        splits=int(np.isfinite(found.scores[place]).sum()),
        mean=float(found.means[place]),
        low=low,
        behind=behind,
        high=high,
    )
