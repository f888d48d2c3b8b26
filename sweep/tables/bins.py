"""Parameters of many different numbers, cut into quartiles of the values tried."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.tables.labels import PREFIX, is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.records import StudyRecord

MANY, FEW = 8, 4
QUARTILES = 4


def ranges(record: StudyRecord) -> frozenset[str]:
    """Return the parameters that the space gives as a range of numbers, not as choices."""
    space = record.spec.get("space", {})
    return frozenset(
        n for n, entry in space.items() if isinstance(entry, dict) and {"int", "float"} & set(entry)
    )


def is_continuous(values: Iterable[Any], *, ranged: bool = False) -> bool:
    """Say whether values are numbers, and too many different ones to stand side by side.

    Parameters
    ----------
    values : iterable
        Parameter values; None where the parameter does not apply.
    ranged : bool, default False
        Whether they come from a range: then more than four are many, otherwise more than
        eight.

    Returns
    -------
    bool
        Whether an axis of numbers, or quartiles, serve them better.
    """
    held = [v for v in values if not is_missing(v)]
    numbers = all(isinstance(v, Real) and not isinstance(v, bool) for v in held)
    return numbers and len(set(held)) > (FEW if ranged else MANY)


def in_quartiles(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Cut columns of parameters into quartiles of the values that they hold.

    Parameters
    ----------
    frame : DataFrame
        Rows of :func:`sweep.tables.candidates_frame`.
    names : iterable of str
        Parameters of numbers, without ``param_``.

    Returns
    -------
    DataFrame
        The frame, in these columns ordered categories such as ``"0.001 to 0.0316"``; still
        missing where the parameter does not apply.
    """
    return frame.assign(**{PREFIX + n: _quartiles(frame[PREFIX + n]) for n in names})


def binned(
    frame: pd.DataFrame, names: Iterable[str], ranged: frozenset[str]
) -> tuple[pd.DataFrame, set[str]]:
    """Cut parameters of many different numbers into quartiles; say which were cut."""
    short = {n if PREFIX + n in frame else n.removeprefix(PREFIX) for n in names}
    known = {n for n in short if PREFIX + n in frame}
    cut = {n for n in known if is_continuous(frame[PREFIX + n], ranged=n in ranged)}
    return in_quartiles(frame, cut), cut


def _quartiles(column: pd.Series[Any]) -> pd.Series[Any]:
    numbers = column.astype(float)
    places = pd.qcut(numbers, QUARTILES, labels=False, duplicates="drop")
    ends = numbers.groupby(places).agg(["min", "max"])
    labels = dict(zip(ends.index, _labels(ends.to_numpy().tolist()), strict=True))
    order = list(labels.values())
    return pd.Series(pd.Categorical(places.map(labels), order, ordered=True), column.index)


def _labels(ends: list[list[float]]) -> list[str]:
    """Name bins by the least and the greatest value in each: no two bins share a value."""
    whole = all(end.is_integer() for each in ends for end in each)
    short = [_label(each, "{:.0f}" if whole else "{:.3g}") for each in ends]
    return short if len(set(short)) == len(short) else [_label(each, "{!r}") for each in ends]


def _label(ends: list[float], form: str) -> str:
    return " to ".join(dict.fromkeys(form.format(end) for end in ends))
