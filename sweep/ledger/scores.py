"""A candidate found by what it is, and its scores: by split, by fit, their mean."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.ledger.records import mean_of
from sweep.spaces import candidate_identity
from sweep.spec.scorers import column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.ledger.records import Candidate, SplitResult, StudyRecord


def candidate_with(candidates: Iterable[Candidate], params: Mapping[str, Any]) -> Candidate | None:
    """Return the candidate with these parameters, whatever row it stands in.

    Parameters
    ----------
    candidates : iterable of Candidate
        The table of candidates.
    params : mapping of str to value
        All its searched parameters.

    Returns
    -------
    Candidate or None
        Of several, for a sampler may suggest the same again, the first with a score.
    """
    wanted = candidate_identity(params)
    found = [each for each in candidates if each.identity == wanted]
    return next((each for each in found if mean_score(each) is not None), next(iter(found), None))


def several_scorers(record: StudyRecord) -> tuple[str, ...]:
    """Return the scorers of a study as tables call them, the first ranks; empty for only one."""
    scorers = tuple(map(column_of, record.settings.search.scorers))
    return scorers if len(scorers) > 1 else ()


def fit_score(split: SplitResult, kind: str, scorer: str | None, epoch: float) -> float | None:
    """Return a score of one fit.

    Parameters
    ----------
    split : SplitResult
        The fit.
    kind : {"test", "train"}
        The rows.
    scorer : str or None
        A further scorer; None for the one that ranks.
    epoch : float
        After so many epochs.

    Returns
    -------
    float or None
        None where it was not measured; NaN where it could not be computed.
    """
    if scorer is None:
        found: float | None = getattr(split, kind).get(epoch)
        return found
    held = {"test": split.others, "train": split.train_others}[kind].get(scorer, {})
    if epoch not in held:
        return None
    score = held[epoch]
    return nan if score is None else score


def fit_scores_by(row: Candidate, kind: str, scorer: str | None) -> Sequence[float | None]:
    """Return :func:`fit_score` of each fit of a row of the table of candidates, at its epoch."""
    if scorer is None:
        return row.fits.scores if kind == "test" else row.fits.train_scores
    return [fit_score(split, kind, scorer, row.epoch) for split in row.trial.splits]


def other_means(record: StudyRecord, candidate: Candidate) -> dict[str, float | None]:
    """Return a complete candidate's mean held-out score by each further scorer.

    Over all its fits, as :func:`sweep.tables.candidates_frame` has it; None where one of them has
    none.
    """
    found: dict[str, float | None] = {}
    for name in several_scorers(record)[1:]:
        scores = [fit_score(s, "test", name, candidate.epoch) for s in candidate.trial.splits]
        mean = float(np.mean([nan if score is None else score for score in scores] or [nan]))
        found[name] = mean if isfinite(mean) else None
    return found


def scores_by_split(candidate: Candidate) -> Mapping[int, list[float]]:
    """Return the held-out scores at the candidate's epoch: by split, one for each seed."""
    return candidate.scores


def split_scores(candidate: Candidate) -> list[float]:
    """Return the held-out scores of a candidate, one a split, at its epoch.

    Parameters
    ----------
    candidate : Candidate
        A row of the table of candidates.

    Returns
    -------
    list of float
        In the order of the splits, each the mean over the seeds; empty for a candidate that is
        not complete.
    """
    return candidate.split_scores


def fit_scores(candidate: Candidate) -> list[float]:
    """Return the held-out score of every fit of a candidate: of each split under each seed."""
    return [score for scores in scores_by_split(candidate).values() for score in scores]


def mean_score(candidate: Candidate) -> float | None:
    """Return the mean held-out score over splits, None for a candidate without one."""
    return candidate.mean_score


def mean_split_score(splits: Sequence[SplitResult], epoch: float) -> float:
    """Return the mean test score of the splits after an epoch."""
    return mean_of([split.test[epoch] for split in splits])


def shared_epochs(splits: Sequence[SplitResult]) -> list[float]:
    """Return the epochs, or shares of the first one, after which every split was scored."""
    return sorted(set.intersection(*(set(split.test) for split in splits))) if splits else []


def last_score(candidate: Candidate) -> tuple[float, float] | None:
    """Return how far a trial came: the last epoch that all its measured splits reached, their mean.

    No epoch after the candidate's own counts; None where there is none.
    """
    splits = [split for split in candidate.trial.splits if split.test]
    epochs = [epoch for epoch in shared_epochs(splits) if epoch <= candidate.epoch]
    return (epochs[-1], mean_split_score(splits, epochs[-1])) if epochs else None


def best_epoch(splits: Sequence[SplitResult], epochs: Iterable[int]) -> float:
    """Return the epoch with the best mean score; the last measured one if none was reached."""
    shared = shared_epochs(splits)
    reached: list[float] = [epoch for epoch in sorted(epochs) if epoch in shared] or shared[-1:]
    return max(reached, key=lambda epoch: mean_split_score(splits, epoch))


def best_mean_score(splits: Sequence[SplitResult], epochs: Iterable[float]) -> float:
    """Return the best mean score over some epochs, each of which every split was scored after.

    Raises
    ------
    KeyError
        If a split lacks one of them.
    """
    return max(mean_split_score(splits, epoch) for epoch in epochs)
