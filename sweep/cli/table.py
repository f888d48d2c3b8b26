"""``sweep table``: all trials of a study in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.options import PathOfPerson, opened, storage_option, study_argument
from sweep.cli.server_options import server_option
from sweep.cli.text import clean
from sweep.errors import ResultError
from sweep.support.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.client.address import ServerAddress


@click.command(short_help="Write all trials, splits or epochs of a study into a table file.")
@study_argument
@click.option(
    "--trials",
    "kind",
    flag_value="trials",
    default=True,
    help="A row for each trial at each epoch that was asked for, in whatever state.  [default]",
)
@click.option("--splits", "kind", flag_value="splits", help="A row for each split of each trial.")
@click.option("--epochs", "kind", flag_value="epochs", help="A row for each epoch of each split.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=PathOfPerson(dir_okay=False),
    required=True,
    help="A .csv, .json, .parquet or .xlsx file; the last two need an extra.",
)
@storage_option
@server_option
def table(
    *, study: str, kind: str, output: Path, storage: str | None, server: ServerAddress | None
) -> None:  # fmt: skip
    """Write all that a study measured into a table file: nothing is cut, no state left out.

    Failed, pruned, interrupted, running and waiting trials are there too, with their reasons and
    times.

    \b
    Example:
      sweep table digits-grid -o digits.csv
      sweep table digits-grid --epochs -o epochs.parquet
    """
    from sweep import tables
    from sweep.tables.files import check_format, write_table

    check_format(output)
    frames = {
        "trials": tables.trials_frame, "splits": tables.splits_frame, "epochs": tables.epochs_frame,
    }  # fmt: skip
    frame = frames[kind](opened(study, storage, server=server).record)
    try:
        path = write_table(frame, output)
    except OSError as error:
        raise ResultError(
            f"the table cannot be written to {error.filename or output}: {error.strerror}; name "
            "another file"
        ) from error
    click.echo(f"{clean(path)}: {counted(len(frame), 'row')}")
