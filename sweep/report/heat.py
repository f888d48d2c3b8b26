"""Pivots of the table of candidates as shaded tables."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Heat, HeatMap, shades
from sweep.tables import (
    PREFIX,
    Pivot,
    in_quartiles,
    is_continuous,
    pivot,
    plain_label,
    ranges,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweep.ledger.records import StudyRecord

PAIRS = 3


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
        different values stand in quartiles.

    Raises
    ------
    ResultError
        If a pivot names no parameter of the study.
    """
    complete = frame[(frame["state"] == "COMPLETE") & frame["mean_test_score"].notna()]
    if complete.empty:
        return []
    ranged, asked = ranges(record), pivots or record.spec.get("report", {}).get("pivots") or ()
    parts = [[name.strip() for name in wanted.split(",")] for wanted in asked]
    parts = parts or default_pivots(complete, ranged)
    binned, cut = _binned(complete, [name for names in parts for name in names], ranged)
    return [
        _heat_map(binned, names, f"pivot{n}", scoring(record), cut)
        for n, names in enumerate(parts, start=1)
    ]


def default_pivots(frame: pd.DataFrame, ranged: frozenset[str] = frozenset()) -> list[list[str]]:
    """Return up to three pairs of the parameters along which scores vary most.

    Parameters
    ----------
    frame : DataFrame
        The complete rows of :func:`sweep.tables.candidates_frame`.
    ranged : frozenset of str
        Parameters that the space gives as a range.

    Returns
    -------
    list of list of str
        Each pair in the order of the space: rows, then columns. One parameter alone where
        only one varies.
    """
    names = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    binned, _ = _binned(frame, names, ranged)
    moving = [n for n in names if len(_groups(binned, n)) > 1]
    leading = sorted(moving, key=lambda n: -variation(binned, n))[:PAIRS]
    pairs = [sorted(pair, key=names.index) for pair in combinations(leading, 2)]
    return pairs or [[name] for name in moving]


def variation(frame: pd.DataFrame, name: str) -> float:
    """Return the share of the variance of scores that a parameter's values explain.

    Parameters
    ----------
    frame : DataFrame
        The complete rows of a table of candidates.
    name : str
        A parameter, without ``param_``.

    Returns
    -------
    float
        Epsilon squared (T. L. Kelley, PNAS 21:554-559, 1935): the share, less what as many
        values would explain by chance; below 0 where they explain less than that.
    """
    scores = frame["mean_test_score"].astype(float)
    groups = _groups(frame, name)
    total, rest = (
        float(scores.var()),
        sum(float(scores[rows].var(ddof=0)) * len(rows) for rows in groups),
    )
    free = len(scores) - len(groups)
    return 1 - rest / free / total if free > 0 and total > 0 else 0.0


def _groups(frame: pd.DataFrame, name: str) -> list[pd.Index[Any]]:
    """Return the rows of each value of a parameter."""
    labels = frame[PREFIX + name].map(plain_label).astype(str)
    return [pd.Index(rows) for rows in labels.groupby(labels).groups.values()]


def _binned(
    frame: pd.DataFrame, names: Iterable[str], ranged: frozenset[str]
) -> tuple[pd.DataFrame, set[str]]:
    """Cut parameters of many different numbers into quartiles; say which were cut."""
    short = {n if PREFIX + n in frame else n.removeprefix(PREFIX) for n in names}
    known = {n for n in short if PREFIX + n in frame}
    cut = {n for n in known if is_continuous(frame[PREFIX + n], ranged=n in ranged)}
    return in_quartiles(frame, cut), cut


def _heat_map(
    frame: pd.DataFrame, names: list[str], ident: str, score: str, cut: set[str]
) -> HeatMap:
    index, across = (names[:1], names[1:]) if len(names) < 3 else (names[:-1], names[-1:])
    made = pivot(frame, index, across or None, _wanted(frame))
    short = [n.removeprefix(PREFIX) for n in names]
    mean = made.mean["mean_test_score"]
    grid = mean if isinstance(mean, pd.DataFrame) else mean.to_frame()
    columns = tuple(_title(c) for c in grid.columns) if across else ("mean",)
    return HeatMap(
        name=ident,
        title=" and ".join(text.clean(n) for n in short[: len(index)])
        + (f" against {text.clean(short[-1])}" if across else ""),
        caption=_caption(made, grid, score, [n for n in short if n in cut]),
        corner=" / ".join(text.clean(n) for n in short[: len(index)]),
        across=text.clean(short[-1]) if across else f"held-out {score}",
        columns=columns,
        rows=_rows(made, grid),
    )


def _trained(made: Pivot) -> bool:
    return "mean_train_score" in made.mean


def _wanted(frame: pd.DataFrame) -> list[str]:
    return [c for c in ("mean_test_score", "mean_train_score") if c in frame]


def _caption(made: Pivot, grid: pd.DataFrame, score: str, cut: list[str]) -> str:
    values = grid.to_numpy(dtype=float)
    train = ", under it the training score" if _trained(made) else ""
    bins = f" {' and '.join(map(text.clean, cut))} in quartiles of the values tried." if cut else ""
    return (
        f"Mean held-out {score} by cell{train} and n, the complete candidates in it. Shade: "
        f"{text.score(np.nanmin(values))} (lightest) to {text.score(np.nanmax(values))}; the best "
        f"cell is ringed.{bins}"
    )


def _rows(made: Pivot, grid: pd.DataFrame) -> tuple[tuple[str, tuple[Heat, ...]], ...]:
    values = grid.to_numpy(dtype=float)
    shade, top = shades(values.ravel().tolist()), np.nanmax(values)
    n = made.n.to_numpy(dtype=int)
    train = _train(made, values.shape)
    return tuple(
        (
            _title(label),
            tuple(
                _cell(
                    values[i, j],
                    train[i, j],
                    n[i, j],
                    shade(values[i, j]),
                    ringed=values[i, j] == top,
                )
                for j in range(values.shape[1])
            ),
        )
        for i, label in enumerate(grid.index)
    )


def _train(made: Pivot, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if not _trained(made):
        return np.full(shape, np.nan)
    return np.asarray(made.mean["mean_train_score"], dtype=float).reshape(shape)


def _cell(mean: float, train: float, n: int, shade: int | None, *, ringed: bool) -> Heat:
    if shade is None:
        return Heat(text.NOTHING, ("n 0",))
    notes = [f"train {text.score(train)}"] if np.isfinite(train) else []
    return Heat(text.score(mean), (*notes, f"n {n}"), shade, ringed)


def _title(label: Any) -> str:
    return " / ".join(map(text.value, label)) if isinstance(label, tuple) else text.value(label)
