"""Mean scores by parameter values: the pivots that somebody names, or the study's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import ResultError
from sweep.tables import parameter_names, study_pivots

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweep.study.result import StudyResult
    from sweep.tables import Pivot


def pivots(
    result: StudyResult,
    index: Sequence[str] = (),
    columns: Sequence[str] = (),
    values: str | Sequence[str] = "mean_test_score",
    *,
    exact: bool = False,
) -> list[Pivot]:
    """Cross-tabulate a study; without ``index`` by its own pivots, as the report does.

    Parameters
    ----------
    result : StudyResult
        The study.
    index, columns, values, exact
        As for :meth:`sweep.study.result.StudyResult.pivot`.

    Raises
    ------
    ResultError
        As that method; without ``index`` where the study has no pivots of its own.
    """
    asked = [(list(index), list(columns))] if index else _own(result)
    return [result.pivot(rows, across or None, values, exact=exact) for rows, across in asked]


def plain_pivots(tables: Iterable[Pivot]) -> list[dict[str, Any]]:
    """Return pivots as JSON: one record for each cell, with parameters, means and ``n``."""
    return [row for table in tables for row in _records(table)]


def _own(result: StudyResult) -> list[tuple[list[str], list[str]]]:
    """Return rows and columns of each of the study's own pivots."""
    found = study_pivots(result.record, result.frame)
    if not found:
        names = ", ".join(parameter_names(result.record)) or "none"
        raise ResultError(
            f"study {result.name!r} has no pivots of its own: no candidate is complete, or no "
            f"parameter took more than one value; name one with --index, there are: {names}"
        )
    return [
        (names[:1], names[1:]) if len(names) < 3 else (names[:-1], names[-1:]) for names in found
    ]


def _records(table: Pivot) -> list[dict[str, Any]]:
    """Return a record for each cell that holds a candidate."""
    names = list(map(str, [*table.mean.index.names, *table.mean.columns.names[1:]]))
    means = {value: table.means(value).to_numpy(dtype=float) for value in table.values}
    counts = table.n.to_numpy(dtype=int)
    rows: list[dict[str, Any]] = []
    for i, key in enumerate(table.n.index):
        for j, across in enumerate(table.n.columns):
            labels = zip(names, [*_tuple(key), *_tuple(across)], strict=False)
            if n := int(counts[i, j]):
                held = {name: _value(table, name, label) for name, label in labels}
                found = {value: float(each[i, j]) for value, each in means.items()}
                rows.append({**held, **found, "n": n})
    return rows


def _value(table: Pivot, name: str, label: Any) -> Any:
    """Return what a label stands for; ``"None"`` where the parameter does not apply."""
    value = table.choices.get(name, {}).get(label)
    return label if value is None else value


def _tuple(key: Any) -> Sequence[Any]:
    return key if isinstance(key, tuple) else (key,)
