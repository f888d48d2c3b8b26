"""``sweep stop``: have a study's workers finish their cells and leave."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import click

from sweep.cli.options import storage_option, study_argument
from sweep.cli.text import clean, counted


@click.command(short_help="Have a study's workers finish their cells and leave.")
@study_argument
@storage_option
def stop(*, study: str, storage: str | None) -> None:
    """Have every worker of a study finish its cell and leave, wherever it runs.

    `sweep run` continues the study, and `sweep submit` lets workers take its cells again.

    \b
    Example:
      sweep stop digits-grid
    """
    from contextlib import closing

    from sweep.ledger.ledger import Ledger
    from sweep.storage.locations import storage_url
    from sweep.storage.locks import taken_by

    with closing(Ledger(storage_url(storage), create=False)) as ledger:
        ledger.header(study)
        parts = (study, *ledger.parts(study))  # the outer folds of a nested study stop with it
        counts = sum((ledger.counts(each) for each in parts), Counter[str]())
        running = counts["RUNNING"]
        if not running and not counts["WAITING"]:
            refit = taken_by(ledger, study, "finish")
            rest = f"{refit}; end that there, by Ctrl-C" if refit else "nothing to stop"
            click.echo(clean(f"{study}: no cell waits or runs; {rest}"))
            return
        ledger.stop(study, datetime.now().astimezone().isoformat(timespec="milliseconds"))
    at_work = f"{counted(running, 'cell')} in hand will be finished" if running else "none runs"
    click.echo(f"{clean(study)} stops: {at_work}; `sweep run` or `sweep submit` continues it")
