"""``sweep judge``: the verdict on another tool's results, for people who keep their tuner."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from sweep.cli.best import emit_best
from sweep.cli.import_options import reading_options
from sweep.cli.options import PathOfPerson, format_option
from sweep.cli.report import written
from sweep.cli.text import clean, complain
from sweep.support.file_names import expanded

if TYPE_CHECKING:
    from sweep.importing.found import FoundStudy


@click.command(short_help="Say how sure one may be of another tool's results.")
@click.argument("source", metavar="FILE|FOLDER")
@click.option(
    "-o",
    "--output",
    metavar="PAGE",
    type=PathOfPerson(),
    help="Write the report as one HTML page, too.  [default: no page]",
)
@click.option("--name", metavar="NAME", help="What to call it.  [default: as the file]")
@reading_options
@format_option
def judge(
    *, source: str, output: Path | None, name: str | None, score_name: str | None,
    scoring: str | None, minimize: bool, params: list[str], repeats: int, form: str,
) -> None:  # fmt: skip
    """Say which settings of another tool's to take, and how sure one may be.

    The interval of the best, what cannot be told from it, the cheapest of these. FILE and FOLDER
    are those of `sweep import`; nothing is kept, and no ledger is written to.

    \b
    Example:
      sweep judge cv_results.csv --scoring accuracy
      sweep judge cv_results.csv --scoring accuracy -o verdict.html
      sweep judge runs.csv --score val_loss --minimize --format json
    """
    from sweep.importing.files import read_path

    path = expanded(source)
    found = read_path(
        path, score=score_name, scoring=scoring, minimize=minimize, repeats=repeats, params=params
    )
    with TemporaryDirectory(prefix="sweep-judge-") as folder:
        _judge(found, name or path.resolve().stem, Path(folder), output, form)


def _judge(found: FoundStudy, name: str, folder: Path, output: Path | None, form: str) -> None:
    """Say the verdict from a ledger that goes with its folder."""
    from sweep.importing.writing import write_import
    from sweep.study.answers.best import best_candidate

    result = write_import(found, name, f"sqlite:///{folder / 'ledger.db'}")
    best = best_candidate(result)
    page = written(result, output) if output is not None else None
    for note in found.notes:
        complain(f"note: {clean(note)}")
    emit_best(best, form)
    if page is not None:
        complain(f"report: {clean(page)}")
