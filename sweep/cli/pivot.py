"""``sweep pivot``: mean scores by parameter values, each with its n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.heat_map import drawn
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.server_options import server_option
from sweep.cli.text import clean

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress
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
@server_option
def pivot(
    *, study: str, index: list[str], columns: list[str], values: list[str], exact: bool,
    form: str, storage: str | None, server: ServerAddress | None,
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
    from sweep.study.answers.pivots import pivots, plain_pivots

    result = opened(study, storage, server=server)
    tables = pivots(result, index, columns, values, exact=exact)
    rows = plain_pivots(tables)
    width = console().width
    emit(form, rows, rows, lambda: [part for table in tables for part in _parts(table, width)][:-1])


def _parts(table: Pivot, width: int) -> list[Any]:
    parts = [part for value in table.values for part in drawn(table, value, width)]
    notes = _notes(table)
    return [*parts[:-1], *notes, ""] if notes else parts


def _notes(table: Pivot) -> list[str]:
    names = " and ".join(map(clean, table.cut))
    return [f"{names} in quartiles of the values tried; --exact: value by value"] if names else []
