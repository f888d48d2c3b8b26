"""The numbers of a trial's fits after one epoch, side by side: what tables and rankings need."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import SplitResult


class FitColumns(NamedTuple):
    """A trial's fits after one epoch: each field has one value a fit.

    Attributes
    ----------
    splits, seeds : tuple of int
        Their numbers, from 0.
    rows : tuple of int
        Held-out rows.
    scores, train_scores : tuple of (float or None)
        By the scorer that ranks; None where it was not measured.
    seconds : tuple of (float or None)
        Of fitting, to the end of the epoch.
    score_seconds : tuple of float
        Of scoring the held-out rows once.
    longest : tuple of float
        Seconds of the whole fit; 0 where none were measured.
    trained : bool
        Whether any of them was scored on its training rows, after whatever epoch.
    """

    splits: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: tuple[int, ...]
    scores: tuple[float | None, ...]
    train_scores: tuple[float | None, ...]
    seconds: tuple[float | None, ...]
    score_seconds: tuple[float, ...]
    longest: tuple[float, ...]
    trained: bool


def columns_at(splits: Sequence[SplitResult], epoch: float) -> FitColumns:
    """Return the columns of a trial's fits after an epoch; see :class:`StoredSplits`."""
    known: FitColumns | None = getattr(splits, "columns", {}).get(epoch)
    return columns_of(splits, epoch) if known is None else known


def columns_of(splits: Sequence[SplitResult], epoch: float) -> FitColumns:
    """Return the columns of fits."""
    return FitColumns(
        tuple([each.split for each in splits]),
        tuple([each.seed for each in splits]),
        tuple([each.n_test for each in splits]),
        tuple([each.test.get(epoch) for each in splits]),
        tuple([each.train.get(epoch) for each in splits]),
        tuple([each.seconds.get(epoch) for each in splits]),
        tuple([each.score_seconds for each in splits]),
        tuple([max(each.seconds.values(), default=0.0) for each in splits]),
        any(each.train for each in splits),
    )


def columns_from_plain(plain: Sequence[Mapping[str, Any]], epoch: float) -> FitColumns:
    """Return the same from what the ledger holds."""
    name = str(epoch)
    return FitColumns(
        tuple([each.get("split", i) for i, each in enumerate(plain)]),
        tuple([each.get("seed", 0) for each in plain]),
        tuple([each["n_test"] for each in plain]),
        tuple([each.get("test", {}).get(name) for each in plain]),
        tuple([each.get("train", {}).get(name) for each in plain]),
        tuple([each.get("seconds", {}).get(name) for each in plain]),
        tuple([each["score_seconds"] for each in plain]),
        tuple([max(each.get("seconds", {}).values(), default=0.0) for each in plain]),
        any(each.get("train") for each in plain),
    )


@lru_cache(maxsize=1000)
def ascends(splits: tuple[int, ...]) -> bool:
    """Return whether each fit is of a split after the one before: one seed, in order."""
    return all(one < other for one, other in pairwise(splits))


def may_have(splits: Sequence[SplitResult], name: str) -> bool:
    """Return whether a field that is stored only where it is not empty may be among the fits'."""
    text: str | None = getattr(splits, "text", None)
    return text is None or f'"{name}":' in text
