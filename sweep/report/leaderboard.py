"""Section ``leaderboard``: every candidate, best first."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.counts import ENDED
from sweep.ledger.scores import last_score, several_scorers
from sweep.report import text
from sweep.report.answer import chosen, scoring
from sweep.support.file_names import slug
from sweep.support.spreadsheet import csv_text
from sweep.support.text import counted, trained
from sweep.tables import PREFIX, plain_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.report.report_data import ReportData

SHOWN = 20
LISTED = 1000
"""Most rows of the leaderboard and its CSV: a page of 100,000 would be tens of megabytes."""
LONGEST = 160
"""Characters of a reason; the section of failures has all of them."""
OF_SPLIT = re.compile(r"split\d+(_seed\d+)?_test_score")


@dataclass(frozen=True)
class Row:
    """One candidate; ``bar`` holds low end, mean and high end on a scale of 0 to 100.

    ``others`` holds the means by further scorers.
    """

    rank: str
    candidate: str
    params: tuple[str, ...]
    score: str
    spread: str
    bar: tuple[int, int, int] | None
    train: str
    seconds: str
    parameters: str
    state: str
    taken: bool
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaderboard:
    """The leaderboard.

    ``spread`` and ``trained`` say whether those columns hold anything; ``others`` names further
    scorers; ``download`` is the table of candidates as CSV, gzipped, base64, and ``file`` the
    name to save it by.
    """

    caption: str
    params: tuple[str, ...]
    rows: tuple[Row, ...]
    shown: int
    spread: bool
    trained: bool
    others: tuple[str, ...] = ()
    download: str = ""
    file: str = ""


def leaderboard(data: ReportData) -> Leaderboard:
    """Return the section: ranked candidates first, then those without a score."""
    record, frame = data.record, data.candidates
    names = [c for c in frame.columns if c.startswith(PREFIX)]
    split = [c for c in frame.columns if OF_SPLIT.fullmatch(c)]
    others = several_scorers(record)[1:]
    scale, taken = _bar_scale(frame), chosen(record)
    ordered = frame.sort_values(["rank_test_score", "candidate"], na_position="last")
    ordered = _listed(ordered, None if taken is None else taken.index)
    shown = set(ordered["candidate"])
    ends = {c.index: how_far(c, len(split)) for c in record.candidates if c.index in shown}
    numbers = {c.trial.number: c.index for c in reversed(record.candidates)}
    rows = tuple(
        _row(
            row,
            names,
            scale,
            numbers,
            end=ends[row["candidate"]],
            taken=taken is not None and row["candidate"] == taken.index,
            others=others,
        )
        for row in ordered.to_dict("records")
    )
    params = tuple(text.clean(name.removeprefix(PREFIX)) for name in names)
    caption = _caption(record, len(frame), len(split))
    trained = "mean_train_score" in frame
    kinds = {"spread": len(split) > 1, "trained": trained}
    return Leaderboard(
        caption,
        params,
        rows,
        SHOWN,
        **kinds,
        others=tuple(map(text.clean, others)),
        download=_packed_csv(ordered),
        file=f"{slug(record.name)}.csv",
    )


def _packed_csv(frame: pd.DataFrame) -> str:
    packed = gzip.compress(csv_text(plain_rows(frame)).encode(), mtime=0)
    return base64.b64encode(packed).decode()


def _caption(record: StudyRecord, rows: int, splits: int) -> str:
    spread = f", mean ± standard deviation over {splits} splits" if splits > 1 else ""
    copies = sum(c.trial.copied_from is not None for c in record.candidates)
    copied = f" Taken over from an equal trial, not trained again: {copies}." if copies else ""
    return (
        f"{counted(rows, 'candidate')} by held-out {scoring(record)}{spread}. Fit: seconds of "
        "fitting one split. Parameters: weights of the model. Only complete candidates have a "
        f"score.{copied}{_listed_note(record, rows)}"
    )


def _listed(ordered: pd.DataFrame, taken: int | None) -> pd.DataFrame:
    """Return the first rows of a large study's leaderboard, and the candidate that was taken."""
    if len(ordered) <= LISTED:
        return ordered
    return ordered[(np.arange(len(ordered)) < LISTED) | (ordered["candidate"] == taken)]


def _listed_note(record: StudyRecord, rows: int) -> str:
    if rows <= LISTED:
        return ""
    name = text.clean(record.name)
    return (
        f" The first {LISTED:,} are listed here and in the CSV; `sweep table {name} -o FILE.csv` "
        "writes all."
    )


def _bar_scale(frame: pd.DataFrame) -> tuple[float, float]:
    spread = frame["std_test_score"].fillna(0)
    low, high = (frame["mean_test_score"] - spread).min(), (frame["mean_test_score"] + spread).max()
    return (float(low), float(high) - float(low)) if high > low else (float(low) - 0.5, 1.0)


def _row(
    row: dict[Any, Any], names: list[str], scale: tuple[float, float], numbers: Mapping[int, int],
    *, end: str, taken: bool, others: Sequence[str],
) -> Row:  # fmt: skip
    known = not pd.isna(row["mean_test_score"])
    params = tuple(text.NOTHING if row[n] is None else text.setting(row[n]) for n in names)
    return Row(
        rank=str(row["rank_test_score"]) if known else "",
        candidate=str(row["candidate"]),
        params=params,
        score=text.score(row["mean_test_score"]) if known else "",
        spread=text.score(row["std_test_score"]) if known else "",
        bar=_bar_ends(row, scale) if known else None,
        train=text.score(row["mean_train_score"]) if known and "mean_train_score" in row else "",
        seconds=f"{row['mean_fit_time']:.2f}" if not pd.isna(row["mean_fit_time"]) else "",
        parameters="" if pd.isna(row["parameters"]) else text.whole(row["parameters"]),
        state=ENDED[row["state"]] + _copy_note(row, numbers) + end,
        taken=taken,
        others=tuple(text.score(row[f"mean_test_{name}"]) if known else "" for name in others),
    )


def how_far(candidate: Candidate, fits: int) -> str:
    """Return how far a candidate without a rank came, and why it ended; empty for a complete one.

    Parameters
    ----------
    candidate : Candidate
        A row of the table of candidates.
    fits : int
        Fits of a complete candidate.
    """
    trial, words = candidate.trial, []
    if trial.state == "COMPLETE":
        return ""
    if reached := last_score(candidate):
        epoch, score = reached
        measured = sum(bool(split.test) for split in trial.splits)
        some = f" of {measured} of {fits} fits" if fits > 1 else ""
        words.append(f"{text.score(score)} after {trained(epoch, trial.rows_at(epoch))}{some}")
    if trial.reason:
        words.append(text.clean(shorten(trial.reason, LONGEST, placeholder=" …")))
    return f": {'; '.join(words)}" if words else ""


def _copy_note(row: dict[Any, Any], numbers: Mapping[int, int]) -> str:
    """Return the number of the candidate or trial whose result a row shows, if not its own."""
    source = row.get("copied_from")
    if source is None or pd.isna(source):
        return ""
    number = numbers.get(int(source))
    return f" (copy of trial {source})" if number is None else f" (copy of candidate {number})"


def _bar_ends(row: dict[Any, Any], scale: tuple[float, float]) -> tuple[int, int, int]:
    low, width = scale
    mean, std = row["mean_test_score"], row["std_test_score"]
    ends = [round(100 * (point - low) / width) for point in (mean - std, mean, mean + std)]
    return ends[0], ends[1], ends[2]
