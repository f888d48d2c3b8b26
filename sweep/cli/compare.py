"""``sweep compare``: several studies side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.fitted_table import fitted
from sweep.cli.options import PathOfPerson, complete_study, format_option, opened, storage_option
from sweep.cli.output import console, emit
from sweep.cli.server_options import server_option
from sweep.cli.text import clean, score
from sweep.errors import ResultError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from sweep.client.address import ServerAddress
    from sweep.study.answers.comparison import Comparison

MEAN = "mean_test_"
HIDDEN = ("fits", "method", "parameters")
"""Columns that a narrow terminal does without, first to last."""


@click.command(short_help="Compare studies, on one page.")
@click.argument(
    "studies", nargs=-1, required=True, metavar="STUDY...", shell_complete=complete_study
)
@click.option(
    "--baseline", metavar="STUDY", help="Compare the others with this one.  [default: the first]"
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PathOfPerson(),
    help="Where to write the page.  [default: reports/A-vs-B--DIGEST.html]",
)
@format_option
@storage_option
@server_option
def compare(
    *, studies: tuple[str, ...], baseline: str | None, output: Path | None, form: str,
    storage: str | None, server: ServerAddress | None,
) -> None:  # fmt: skip
    """Compare what two to five studies have found: scores, differences, how soon, models.

    Differences are paired by split, so only studies on the same rows and splits have one.

    \b
    Example:
      sweep compare dropout-mlp small-cnn
      sweep compare before after --baseline before --format json
    """
    from sweep.report.comparison import checked_baseline
    from sweep.study.answers.comparison import comparison, plain_comparison

    place = checked_baseline(studies, baseline)  # before any is read, which may take long
    records = [opened(name, storage, server=server).record for name in studies]
    found = comparison(records, records[place])
    emit(form, plain_comparison(found), found.studies, lambda: _drawn(found))
    if form == "table":
        click.echo(f"\ncomparison: {clean(_written(records, found.baseline, output))}")


def _drawn(found: Comparison) -> list[RenderableType]:
    means = _means(found.studies[0])
    studies = fitted(
        [_cells(row) for row in found.studies],
        console().width,
        hidden=(*HIDDEN, *means),
        right={"held-out", "test", "fits", "parameters", *means},
    )
    base = clean(found.baseline)
    lines = [f"{clean(p['study'])} less {base}: {_said(p)}" for p in found.differences]
    return [studies, "", *lines]


def _cells(row: dict[str, Any]) -> dict[str, str]:
    weights = row["parameters"]
    return {
        "study": clean(row["study"]),
        "method": clean(row["method"]),
        "held-out": score(row["score"]),
        "test": score(row["test_score"]),
        **{title: score(row[name]) for title, name in _means(row).items()},
        "fits": f"{row['fits']:,}",
        "parameters": "-" if weights is None else f"{int(weights):,}",
    }


def _means(row: dict[str, Any]) -> dict[str, str]:
    """Return the columns of means by each scorer, where a study has several, by their titles."""
    return {f"mean {clean(n.removeprefix(MEAN))}": n for n in row if n.startswith(MEAN)}


def _said(pair: dict[str, Any]) -> str:
    gap, low, high = pair["difference"], pair["low"], pair["high"]
    if gap is None:
        return f"not compared, {pair['reason']}"
    between = pair["reason"] or f"95 % interval {low:+.4f} to {high:+.4f}"
    return f"{gap:+.4f} ({between})"


def _written(records: list[Any], baseline: str, output: Path | None) -> Path:
    from sweep.report import write_comparison
    from sweep.study.report_paths import comparison_path

    target = output or comparison_path(record.name for record in records)
    try:
        return write_comparison(records, target, baseline)
    except OSError as error:
        place = error.filename or target
        raise ResultError(
            f"the comparison cannot be written to {place}: {error.strerror}; name another file"
        ) from error
