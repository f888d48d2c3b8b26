"""Section ``pivots``: pivots of the table of candidates as shaded tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.scores import several_scorers
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Heat, HeatMap, shades
from sweep.support.text import counted
from sweep.tables import PREFIX, Pivot, binned, pivot, ranges, study_pivots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData

LEAST = 2
"""Candidates a cell, on average, of a pivot that is drawn without being asked for."""


def pivots(data: ReportData) -> list[HeatMap]:
    """Return the section; see :func:`heat_maps`."""
    return heat_maps(data.record, data.measured, data.pivots)


def heat_maps(
    record: StudyRecord, frame: pd.DataFrame, pivots: Sequence[str] | None = None
) -> list[HeatMap]:
    """Return the pivots of a study.

    Parameters
    ----------
    record : StudyRecord
        The study.
    frame : DataFrame
        Its :func:`sweep.tables.candidates_frame`.
    pivots : sequence of str, optional
        Which: ``"a,b"`` for a against b, ``"a"`` for a alone, ``"a,b,c"`` for a and b against
        c. By default those of ``[report] pivots``, and without them up to three pairs of the
        parameters along which scores vary most.

    Returns
    -------
    list of HeatMap
        Empty where nothing is complete or nothing varies. Numbers of more than eight
        different values stand in quartiles. One without rows says in its caption why it is not
        drawn: it was not asked for, and has fewer than two candidates a cell.

    Raises
    ------
    ResultError
        If a pivot names no parameter of the study.
    """
    complete = frame[(frame["state"] == "COMPLETE") & frame["mean_test_score"].notna()]
    if complete.empty:
        return []
    chosen = [[name.strip() for name in wanted.split(",")] for wanted in pivots or ()]
    chosen = chosen or study_pivots(record, complete)
    named = [name for names in chosen for name in names]
    quartered, cut = binned(complete, named, ranges(record))
    others, wanted = several_scorers(record)[1:], bool(pivots or record.settings.report.pivots)
    made = []
    for n, names in enumerate(chosen, start=1):
        found = _heat_map(quartered, names, f"pivot{n}", scoring(record), cut, others)
        made.append(found if wanted else _unless_sparse(found, names, len(complete)))
    return made


def _unless_sparse(found: HeatMap, names: Sequence[str], candidates: int) -> HeatMap:
    """Return a sentence in place of cells that hold hardly more than a candidate each.

    A grid fills every cell; there a single candidate is all there can be.
    """
    cells = [cell for _, row in found.rows for cell in row]
    if candidates >= LEAST * len(cells) or all(cell.shade is not None for cell in cells):
        return found
    caption = (
        f"{counted(candidates, 'candidate')} in {len(cells)} cells: fewer than {LEAST} in each, "
        "so most means would be those of one candidate. The leaderboard has them all; "
        f'[report] pivots = ["{text.clean(",".join(names))}"] draws them all the same.'
    )
    return replace(found, caption=caption, rows=())


def _heat_map(
    frame: pd.DataFrame, names: list[str], ident: str, score: str, cut: set[str],
    others: Sequence[str],
) -> HeatMap:  # fmt: skip
    index, across = (names[:1], names[1:]) if len(names) < 3 else (names[:-1], names[-1:])
    columns = [*_score_columns(frame), *(f"mean_test_{name}" for name in others)]
    made = pivot(frame, index, across or None, columns)
    short = [n.removeprefix(PREFIX) for n in names]
    mean = made.mean["mean_test_score"]
    grid = mean if isinstance(mean, pd.DataFrame) else mean.to_frame()
    titles = tuple(_title(c) for c in grid.columns) if across else ("mean",)
    return HeatMap(
        name=ident,
        title=" and ".join(text.clean(n) for n in short[: len(index)])
        + (f" against {text.clean(short[-1])}" if across else ""),
        caption=_caption(made, grid, score, [n for n in short if n in cut], others),
        corner=" / ".join(text.clean(n) for n in short[: len(index)]),
        across=text.clean(short[-1]) if across else f"held-out {score}",
        columns=titles,
        rows=_rows(made, grid, others),
    )


def _has_train_scores(made: Pivot) -> bool:
    return "mean_train_score" in made.mean


def _score_columns(frame: pd.DataFrame) -> list[str]:
    return [c for c in ("mean_test_score", "mean_train_score") if c in frame]


def _caption(
    made: Pivot, grid: pd.DataFrame, score: str, cut: list[str], others: Sequence[str]
) -> str:
    values = grid.to_numpy(dtype=float)
    under = ["the training score"] if _has_train_scores(made) else []
    under += map(text.clean, others)
    train = f", under it {', '.join(under)}" if under else ""
    bins = f" {' and '.join(map(text.clean, cut))} in quartiles of the values tried." if cut else ""
    return (
        f"Mean held-out {score} by cell{train} and n, the complete candidates in it. Shade: "
        f"{text.score(np.nanmin(values))} (lightest) to {text.score(np.nanmax(values))}; the best "
        f"cell is ringed.{bins}"
    )


def _rows(
    made: Pivot, grid: pd.DataFrame, others: Sequence[str]
) -> tuple[tuple[str, tuple[Heat, ...]], ...]:
    values = grid.to_numpy(dtype=float)
    shade, top = shades(values.ravel().tolist()), np.nanmax(values)
    n = made.n.to_numpy(dtype=int)
    notes = {
        label: np.asarray(made.mean[column], dtype=float).reshape(values.shape)
        for label, column in _under(made, others).items()
    }
    return tuple(
        (
            _title(label),
            tuple(
                _cell(
                    values[i, j],
                    {label: each[i, j] for label, each in notes.items()},
                    n[i, j],
                    shade(values[i, j]),
                    ringed=values[i, j] == top,
                )
                for j in range(values.shape[1])
            ),
        )
        for i, label in enumerate(grid.index)
    )


def _under(made: Pivot, others: Sequence[str]) -> dict[str, str]:
    """Return the columns of the scores that stand under a cell's, by their short names."""
    train = {"train": "mean_train_score"} if _has_train_scores(made) else {}
    return train | {text.clean(name): f"mean_test_{name}" for name in others}


def _cell(
    mean: float, under: Mapping[str, float], n: int, shade: int | None, *, ringed: bool
) -> Heat:
    if shade is None:
        return Heat(text.NOTHING, ("n 0",))
    notes = [f"{label} {text.score(each)}" for label, each in under.items() if np.isfinite(each)]
    return Heat(text.score(mean), (*notes, f"n {n}"), shade, ringed)


def _title(label: Any) -> str:
    return " / ".join(map(text.setting, label)) if isinstance(label, tuple) else text.setting(label)
