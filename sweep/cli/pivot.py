"""``sweep pivot``: mean scores by parameter values, each with its n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import emit
from sweep.cli.text import clean, score, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table
    from rich.text import Text

    from sweep.tables import Pivot

COLD, WARM = (23, 37, 84), (250, 204, 21)
"""Ends of the colour scale: dark blue, yellow."""
BRIGHT = 140


def _names(_ctx: click.Context, _param: click.Parameter, value: str | None) -> list[str]:
    return [name.strip() for name in (value or "").split(",") if name.strip()]


@click.command(short_help="Cross-tabulate a study by parameters.")
@study_argument
@click.option(
    "--index", required=True, callback=_names, metavar="A[,B]", help="Parameters of the rows."
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
    gives as a range stands in quartiles of the values tried, as in the report.

    \b
    Example:
      sweep pivot digits-grid --index epochs --columns hidden_size
    """
    table: Pivot = opened(study, storage).pivot(index, columns or None, values, exact=exact)
    rows = records(table)
    emit(form, rows, rows, lambda: [*(drawn(table, v) for v in table.values), *_notes(table)])


def _notes(table: Pivot) -> list[str]:
    names = " and ".join(map(clean, table.cut))
    return [f"{names} in quartiles of the values tried; --exact: value by value"] if names else []


def records(table: Pivot) -> list[dict[str, Any]]:
    """Return a record for each cell that holds a candidate: parameters, means, ``n``."""
    rows = []
    for key in table.mean.index:
        for across in _across(table):
            n = int(table.n.loc[key, _n(across)])
            if not n:
                continue
            names = map(str, [*table.mean.index.names, *table.mean.columns.names[1:]])
            labels = zip(names, [*_tuple(key), *_tuple(across)], strict=True)
            held = {name: _value(table, name, label) for name, label in labels}
            means = {v: float(table.mean.loc[key, _column(v, across)]) for v in table.values}
            rows.append({**held, **means, "n": n})
    return rows


def _value(table: Pivot, name: str, label: Any) -> Any:
    """Return what a label stands for; ``"None"`` where the parameter does not apply."""
    value = table.choices.get(name, {}).get(label)
    return label if value is None else value


def drawn(table: Pivot, value: str) -> Table:
    """Draw the means of one column as a heat map."""
    from rich.table import Table
    from rich.text import Text

    across = _across(table)
    heads = [", ".join(map(setting, _tuple(key))) or clean(value) for key in across]
    by = ", ".join(map(clean, table.mean.columns.names[1:]))
    title = f"{clean(value)} (n) by {by}" if by else None
    out = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in table.mean.index.names:
        out.add_column(Text(clean(name)), justify="right", no_wrap=True, style="bold")
    for head in heads:
        out.add_column(Text(head), justify="right", no_wrap=True)
    means = [table.mean[_column(value, key)] for key in across]
    low = min((float(column.min()) for column in means), default=0.0)
    high = max((float(column.max()) for column in means), default=1.0)
    for key in table.mean.index:
        cells = [_cell(table, value, key, each, (low, high)) for each in across]
        out.add_row(*(Text(setting(part)) for part in _tuple(key)), *cells)
    return out


def _cell(table: Pivot, value: str, key: Any, across: Any, ends: tuple[float, float]) -> Text:
    from rich.text import Text

    mean, n = float(table.mean.loc[key, _column(value, across)]), table.n.loc[key, _n(across)]
    if not n or mean != mean:  # noqa: PLR0124 - NaN
        return Text("-")
    low, high = ends
    return Text(f" {score(mean)} ({n}) ", style=_heat((mean - low) / (high - low or 1.0)))


def _heat(share: float) -> str:
    mixed = [round(a + (b - a) * share) for a, b in zip(COLD, WARM, strict=True)]
    light = 0.3 * mixed[0] + 0.6 * mixed[1] + 0.1 * mixed[2]
    return f"{'black' if light > BRIGHT else 'white'} on rgb({','.join(map(str, mixed))})"


def _across(table: Pivot) -> list[Any]:
    """Return the values of the column parameters; one empty tuple where there are none."""
    return list(table.n.columns) if table.mean.columns.nlevels > 1 else [()]


def _column(value: str, across: Any) -> Any:
    return (value, *_tuple(across)) if across != () else value


def _n(across: Any) -> Any:
    return "n" if across == () else across


def _tuple(key: Any) -> Sequence[Any]:
    return key if isinstance(key, tuple) else (key,)
