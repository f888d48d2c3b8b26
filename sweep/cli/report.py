"""``sweep report``: the page that says which settings to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.options import PathOfPerson, opened, storage_option, study_argument
from sweep.cli.server_options import server_option
from sweep.cli.text import clean
from sweep.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.client.address import ServerAddress
    from sweep.study.result import StudyResult


@click.command(short_help="Write a study's report as one HTML page.")
@study_argument
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PathOfPerson(),
    help="Where to write it.  [default: reports/STUDY.html]",
)
@click.option(
    "--pivot",
    "pivots",
    multiple=True,
    metavar="A,B",
    help="Show this pair of parameters as a heat map; repeat for more.",
)
@storage_option
@server_option
def report(
    *, study: str, output: Path | None, pivots: tuple[str, ...], storage: str | None,
    server: ServerAddress | None,
) -> None:  # fmt: skip
    """Write the report of a study: one HTML page that needs nothing else.

    \b
    Example:
      sweep report digits-grid --output digits.html --pivot epochs,hidden_size
    """
    click.echo(clean(written(opened(study, storage, server=server), output, pivots or None)))


def written(result: StudyResult, output: Path | None, pivots: Sequence[str] | None = None) -> Path:
    """Write a report; return its file.

    Raises
    ------
    ResultError
        If the file cannot be written.
    """
    try:
        return result.report(output, pivots)
    except OSError as error:
        place = error.filename or output
        raise ResultError(
            f"the report cannot be written to {place}: {error.strerror}; name another file"
        ) from error
