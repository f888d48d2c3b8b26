"""``sweep pivot``: mean scores by parameter values, each with its n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.heat_map import drawn
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.text import clean
from sweep.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.study.result import StudyResult
    from sweep.tables import Pivot


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


@click.command(short_help="Cross-tabulate a study by parameters.")
@study_argument
@click.option(
    "--index",
    callback=_names,
    metavar="A[,B]",
    help="Parameters of the rows.  [default: the study's own pivots]",
)
@click.option("--columns", callback=_names, metavar="C[,D]", help="Parameters of the columns.")
@click.option(
    "--values",
    callback=_names,
    default="mean_test_score",
    show_default=True,
    metavar="V[,W]",
    help="What to average: mean_test_score, mean_fit_time, parameters, ...",
)
@click.option(
    "--exact", is_flag=True, help="Ranges value by value, not in quartiles of the values tried."
)
@format_option
@storage_option
def pivot(
    *, study: str, index: list[str], columns: list[str], values: list[str], exact: bool,
    form: str, storage: str | None,
) -> None:  # fmt: skip
    """Cross-tabulate a study: the mean score for each value of some parameters.

    The number of candidates stands in brackets beside each mean. A parameter that the study
    gives as a range stands in quartiles of the values tried, as in the report. Without --index
    the pivots are those of the report: what [report] pivots says, else what matters most.

    \b
    Example:
      sweep pivot digits-grid
      sweep pivot digits-grid --index epochs --columns hidden_size
    """
    if columns and not index:
        raise click.UsageError("--columns needs --index, the parameters of the rows")
    result = opened(study, storage)
    asked = [(index, columns)] if index else _own(result)
    tables = [result.pivot(rows, across or None, values, exact=exact) for rows, across in asked]
    rows = [row for table in tables for row in records(table)]
    width = console().width
    emit(form, rows, rows, lambda: [part for table in tables for part in _parts(table, width)][:-1])


def _own(result: StudyResult) -> list[tuple[list[str], list[str]]]:
    """Return rows and columns of each of the study's own pivots.

    Raises
    ------
    ResultError
        Where there are none.
    """
    from sweep.tables import parameter_names, study_pivots

    found = study_pivots(result.record, result.frame)
    if not found:
        names = ", ".join(map(clean, parameter_names(result.record))) or "none"
        raise ResultError(
            f"study {result.name!r} has no pivots of its own: no candidate is complete, or no "
            f"parameter took more than one value; name one with --index, there are: {names}"
        )
    return [
        (names[:1], names[1:]) if len(names) < 3 else (names[:-1], names[-1:]) for names in found
    ]


def _parts(table: Pivot, width: int) -> list[Any]:
    parts = [part for value in table.values for part in drawn(table, value, width)]
    notes = _notes(table)
    return [*parts[:-1], *notes, ""] if notes else parts


def _notes(table: Pivot) -> list[str]:
    names = " and ".join(map(clean, table.cut))
    return [f"{names} in quartiles of the values tried; --exact: value by value"] if names else []


def records(table: Pivot) -> list[dict[str, Any]]:
    """Return a record for each cell that holds a candidate: parameters, means, ``n``."""
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
