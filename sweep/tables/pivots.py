"""Means and counts by parameter values."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.errors import ResultError
from sweep.tables.bins import in_quartiles, is_continuous
from sweep.tables.labels import NO_VALUE, PREFIX, labelled, ordered_values, plain_label

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

FORMS = {10: "{:.4f}", 10_000: "{:.4g}"}
"""Format of a mean by its upper bound."""
MEAN = "mean_test_"
CELLS = 100_000
"""Most cells of a pivot; two ranges, value by value, would exceed it."""


@dataclass(frozen=True, repr=False)
class Pivot:
    """Means and counts of one or more columns by parameter values.

    Attributes
    ----------
    mean : DataFrame
        Mean by cell; the index has the index parameters, the columns the value names and, below
        them, the column parameters if there are any. NaN for a cell without candidates.
    n : DataFrame
        Candidates in each cell, in the rows of ``mean``: one column ``n``, or one for each
        value of the column parameters.
    values : tuple of str
        The averaged columns of the table of candidates.
    cut : tuple of str
        The parameters that are grouped in quartiles of the values tried, not value by value.
    choices : mapping of str to mapping
        By parameter, the value of each label of an axis: labels of lists are text.
    """

    mean: pd.DataFrame
    n: pd.DataFrame
    values: tuple[str, ...]
    cut: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)

    def means(self, value: str) -> pd.DataFrame:
        """Return the means of one of ``values``, in the rows and columns of ``n``."""
        return pd.DataFrame(self.mean[value])

    def shown(self, value: str) -> pd.DataFrame:
        """Return :meth:`means` as text, n in brackets behind each."""
        means = self.means(value)
        cells = [
            [_cell(mean, n) for mean, n in zip(*pair, strict=True)]
            for pair in zip(means.to_numpy(), self.n.to_numpy(), strict=True)
        ]
        return pd.DataFrame(cells, means.index, means.columns)

    def __repr__(self) -> str:
        return self._printed(lambda value: f"{value} (n)\n{self.shown(value).to_string()}")

    def _repr_html_(self) -> str:
        heads = {value: html.escape(f"{value} (n)") for value in self.values}
        return self._printed(lambda value: f"<p>{heads[value]}</p>{self.shown(value).to_html()}")

    def _printed(self, draw: Callable[[str], str]) -> str:
        if self.n.empty:
            return "a pivot without cells: no candidate is complete"
        return "\n\n".join(map(draw, self.values))


def pivot(
    frame: pd.DataFrame,
    index: str | Sequence[str],
    columns: str | Sequence[str] | None = None,
    values: str | Sequence[str] = "mean_test_score",
    *,
    ranged: Collection[str] = (),
) -> Pivot:
    """Average scores of complete candidates by parameter values.

    Parameters
    ----------
    frame : DataFrame
        From :func:`candidates_frame`.
    index, columns : str or list of str
        Parameters, with or without ``param_``; ``columns`` may be left out.
    values : str or list of str
        Numeric columns of ``frame`` to average; a scorer's name is short for its mean
        (``f1_macro`` for ``mean_test_f1_macro``).
    ranged : collection of str, default ()
        Parameters to group in quartiles of the values tried, if these are more than four.

    Returns
    -------
    Pivot
        A parameter that does not apply has the label ``"None"``, sorted last; numbers are in
        numeric order, categories in their own.

    Raises
    ------
    ResultError
        If a name is unknown, or none is given; the message lists the allowed ones. If the pivot
        would have more than :data:`CELLS` cells.
    """
    rows, across = _parameters(frame, index), _parameters(frame, columns)
    wanted = _values(frame, values)
    if not rows or not wanted:
        raise ResultError("pivot: index and values need at least one name each, got none")
    if twice := sorted({name for name in (*rows, *across) if (*rows, *across).count(name) > 1}):
        names = ", ".join(name.removeprefix("param_") for name in twice)
        raise ResultError(f"pivot: each parameter may stand once, got {names} twice")
    keys = rows + across
    complete = frame[frame["state"] == "COMPLETE"]
    named = {k.removeprefix(PREFIX): complete[k] for k in keys}
    cut = tuple(n for n, c in named.items() if n in ranged and is_continuous(c, ranged=True))
    complete = in_quartiles(complete, cut)
    keyed = complete[wanted].astype(float).assign(**{k: _ordered(complete[k]) for k in keys})
    groups = keyed.groupby(keys, observed=True, sort=True)
    mean, n = groups[wanted].mean(), groups.size().to_frame("n")
    if across:
        _check_size(n, rows, across)
        mean = pd.concat({value: _spread(mean[value], across) for value in wanted}, axis=1)
        n = _spread(n["n"], across).fillna(0).astype(int)
    choices = {name: labelled(column) for name, column in named.items() if name not in cut}
    return Pivot(_plain(mean), _plain(n), tuple(wanted), cut, choices)


def _cell(mean: float, n: int) -> str:
    """Return a mean and its count as text: four decimals, or four digits from ten upwards."""
    if not n or mean != mean:  # noqa: PLR0124 - NaN
        return "-"
    form = next((form for end, form in FORMS.items() if abs(mean) < end), "{:,.0f}")
    return f"{form.format(mean)} ({n})"


def _check_size(n: pd.DataFrame, rows: list[str], across: list[str]) -> None:
    """Refuse too many cells: a table of two ranges grows with the square of the trials."""
    found = n.index.to_frame(index=False)
    down, wide = (len(found[names].drop_duplicates()) for names in (rows, across))
    if down * wide > CELLS:
        raise ResultError(
            f"pivot: at most {CELLS:,} cells, got {down:,} rows x {wide:,} columns; "
            "leave exact values out, or put every parameter into the index"
        )


def _spread(table: pd.Series[Any], across: Sequence[str]) -> pd.DataFrame:
    """Move index levels to the columns (pivot_table would group again and drop None)."""
    spread = pd.DataFrame(table.unstack(list(across)))  # noqa: PD010 - see above
    return spread.sort_index(axis=1)


def _names(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or [])


def _parameters(frame: pd.DataFrame, names: str | Sequence[str] | None) -> list[str]:
    allowed = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    short = [name if name in allowed else name.removeprefix(PREFIX) for name in _names(names)]
    return [PREFIX + _known(name, allowed, "parameter") for name in short]


def _values(frame: pd.DataFrame, names: str | Sequence[str]) -> list[str]:
    plain = [c for c in frame.columns if not c.startswith(PREFIX)]
    allowed = [c for c in plain if c not in {"candidate", "state", "reason", "copied_from"}]
    full = {name.removeprefix(MEAN): name for name in allowed if name.startswith(MEAN)}
    full = {short: name for short, name in full.items() if short not in allowed}
    return [_known(full.get(name, name), allowed, "column") for name in _names(names)]


def _known(name: str, allowed: Sequence[str], kind: str) -> str:
    if name in allowed:
        return name
    close = get_close_matches(name, allowed, n=1)
    hint = f", did you mean {close[0]}? There are" if close else "; there are"
    raise ResultError(f"pivot: no {kind} named {name!r}{hint}: {', '.join(allowed) or 'none'}")


def _ordered(column: pd.Series[Any]) -> pd.Categorical:
    """Return values as categories in natural order: numbers, then text, "None" last."""
    labels = [plain_label(value) for value in column]
    if isinstance(column.dtype, pd.CategoricalDtype):
        order = [*column.cat.categories, NO_VALUE]
    else:
        order = ordered_values(column)
    return pd.Categorical(labels, categories=list(dict.fromkeys(order)), ordered=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with plain values, not categories, on its axes; names without prefix."""
    return frame.set_axis(_plain_axis(frame.index), axis=0).set_axis(
        _plain_axis(frame.columns), axis=1
    )


def _plain_axis(axis: pd.Index[Any]) -> pd.Index[Any]:
    names = [None if n is None else str(n).removeprefix(PREFIX) for n in axis.names]
    if isinstance(axis, pd.MultiIndex):
        return pd.MultiIndex.from_tuples(list(axis), names=names)
    plain: pd.Index[Any] = pd.Index(list(axis), name=names[0])
    return plain
