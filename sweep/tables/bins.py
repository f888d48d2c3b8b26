"""Cut parameters with many different numbers into quartiles of the values tried."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.spaces import Choices
from sweep.tables.labels import PREFIX, is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.records import StudyRecord

MANY, FEW = 8, 4
QUARTILES = 4


def ranges(record: StudyRecord) -> frozenset[str]:
    """Return the parameters that the search space defines as ranges, not as choices."""
    space = record.settings.space.dimensions
    return frozenset(name for name, each in space.items() if not isinstance(each, Choices))


def is_continuous(values: Iterable[Any], *, ranged: bool = False) -> bool:
    """Return whether values are numbers, and too many different ones to be shown side by side.

    Parameters
    ----------
    values : iterable
        Parameter values; None where the parameter does not apply.
    ranged : bool, default False
        Whether they come from a range: then more than four are too many, otherwise more than
        eight.

    Returns
    -------
    bool
        True: show them on a numeric axis or in quartiles.
    """
    known = [v for v in values if not is_missing(v)]
    return are_numbers(known) and len(set(known)) > (FEW if ranged else MANY)


def are_numbers(values: Iterable[Any]) -> bool:
    """Return whether values are numbers, as far as the parameter applies."""
    known = (v for v in values if not is_missing(v))
    return all(isinstance(v, Real) and not isinstance(v, bool) for v in known)


def in_quartiles(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Cut columns of parameters into quartiles of their values.

    Parameters
    ----------
    frame : DataFrame
        Rows of :func:`sweep.tables.candidates_frame`.
    names : iterable of str
        Numeric parameters, without ``param_``.

    Returns
    -------
    DataFrame
        The frame with ordered categories such as ``"0.001 to 0.0316"`` in these columns; missing
        where the parameter does not apply.
    """
    return frame.assign(**{PREFIX + n: _quartiles(frame[PREFIX + n]) for n in names})


def binned(
    frame: pd.DataFrame, names: Iterable[str], ranged: frozenset[str]
) -> tuple[pd.DataFrame, set[str]]:
    """Return the frame with parameters of many numbers cut into quartiles, and their names."""
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
    """Return names of bins from the least and the greatest value in each."""
    whole = all(end.is_integer() for each in ends for end in each)
    short = [_label(each, "{:.0f}" if whole else "{:.3g}") for each in ends]
    return short if len(set(short)) == len(short) else [_label(each, "{!r}") for each in ends]


def _label(ends: list[float], form: str) -> str:
    return " to ".join(dict.fromkeys(form.format(end) for end in ends))
