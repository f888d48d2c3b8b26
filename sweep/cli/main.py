"""``sweep``: the group, its options, and the way in."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from sweep import __version__
from sweep.cli.group import ARGUMENTS, INTERRUPTED, QUIET, VERBOSE, Sweep, log
from sweep.cli.options import PathOfPerson
from sweep.cli.streams import OutputError, open_streams
from sweep.cli.text import clean_lines, complain
from sweep.errors import SettingWarning
from sweep.storage.locations import here
from sweep.support.redaction import masked, redacted

HOMES = {
    "init": "init:init",
    "check": "check:check",
    "run": "run:run",
    "submit": "submit:submit",
    "settle": "settle:settle",
    "worker": "worker:worker",
    "serve": "serve:serve",
    "stop": "stop:stop",
    "list": "list_studies:list_studies",
    "show": "show:show",
    "table": "table:table",
    "best": "best:best",
    "pivot": "pivot:pivot",
    "report": "report:report",
    "compare": "compare:compare",
    "dashboard": "dashboard:dashboard",
    "export": "export:export",
    "predict": "predict:predict",
    "import": "import_study:import_study",
    "judge": "judge:judge",
    "delete": "delete:delete",
    "prune": "prune:prune",
    "migrate": "migrate:migrate",
    "models": "catalog:models",
    "data": "catalog:data",
}

EPILOG = """\b
A first study:
  sweep run digits-grid            a study that comes with sweep
  sweep init && sweep run study.toml

\b
Results are kept in .sweep/ledger.db of the current project; --storage or
SWEEP_STORAGE name another ledger, SWEEP_STORAGE_FILE a file with its address.
SWEEP_SERVER (or --server) and SWEEP_TOKEN name a `sweep serve` to ask instead.
SWEEP_DATA_HOME names the folder with mnist.npz and the like. Exit status: 0
done, 1 some trials failed or a question was answered with no, 2 bad input or a
file that cannot be written, 3 a defect in sweep, 130 interrupted, 141 nobody
reads standard output any more, 143 ended by SIGTERM.

\b
Completion of commands and study names:
  bash  eval "$(_SWEEP_COMPLETE=bash_source sweep)"
  zsh   eval "$(_SWEEP_COMPLETE=zsh_source sweep)"
  fish  _SWEEP_COMPLETE=fish_source sweep | source
"""


@click.group(
    cls=Sweep,
    homes=HOMES,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="sweep")
@click.option("-v", "--verbose", is_flag=True, help="Say more; show the traceback of an error.")
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@click.option(
    "--log-file",
    type=PathOfPerson(dir_okay=False),
    help="Add what happens to this file, with times.",
)
@click.pass_context
def cli(ctx: click.Context, *, verbose: bool, quiet: bool, log_file: Path | None) -> None:
    """Search the settings of Keras image models, the scikit-learn way.

    A study file says which data, which model, and which settings to try; sweep tries them all
    on every core, keeps what is done, and says which to take and how sure one may be.
    """
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet exclude each other")
    ctx.meta[VERBOSE], ctx.meta[QUIET] = verbose, quiet
    _log(ctx, log_file, verbose=verbose)
    here()


class _Redacting(logging.Formatter):
    """A formatter that takes out passwords, and what a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return clean_lines(redacted(super().format(record)))


class _LogFile(logging.FileHandler):
    """A log file; one that takes no more is said once, and is no reason to end."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its base's own name
        """Write no more into it."""
        del record
        log.removeHandler(self)
        complain(f"note: --log-file: {self.baseFilename} takes no more: {sys.exception()}")

    def close(self) -> None:
        """Close the file; what it has not taken was told before."""
        with suppress(OSError):
            super().close()


def _log(ctx: click.Context, log_file: Path | None, *, verbose: bool) -> None:
    log.setLevel(logging.INFO)
    log.propagate = False
    if log_file is not None:
        try:
            log_file.parent.mkdir(parents=True, exist_ok=True)
            _add(ctx, _LogFile(log_file, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            raise click.UsageError(f"--log-file: cannot be written: {error}") from error
    log.addHandler(logging.NullHandler())
    if verbose:
        log.info("sweep %s on Python %s", __version__, sys.version.split()[0])
        complain(f"sweep {__version__} on Python {sys.version.split()[0]}, {Path(__file__).parent}")
    log.info("sweep %s", " ".join(map(masked, ctx.meta[ARGUMENTS])))


def _add(ctx: click.Context, handler: logging.Handler) -> None:
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    ctx.call_on_close(handler.close)
    ctx.call_on_close(lambda: log.removeHandler(handler))


def _say_warnings() -> None:
    """Have our own warnings read like all else that the command line says."""
    before = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if issubclass(category, SettingWarning):
            complain(f"note: {message}")
        else:
            before(message, category, *rest)

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it may not keep its fonts
    warnings.filterwarnings("ignore", message="Do not pass an `input_shape`")
    warnings.simplefilter("always", SettingWarning)  # also where all others are errors
    warnings.showwarning = show  # type: ignore[assignment]


def main() -> None:
    """Run the command line and leave with its exit status."""
    open_streams()
    _say_warnings()
    try:
        cli()
    except OutputError as error:
        if not error.is_unread:
            complain(f"error: {error}")
        _leave(error.exit_status)
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(INTERRUPTED)
    except SystemExit as leaving:
        _leave(leaving.code)
        raise


def _leave(code: object) -> None:
    """Leave at once: taking the libraries down one by one costs half a second.

    Nor does a thread that a person's own module has left hold us up.
    """
    if not isinstance(code, int | None):
        return
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OutputError as error:
        code = code or error.exit_status
    sys.stderr.flush()
    os._exit(code or 0)
