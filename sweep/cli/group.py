"""The group of all commands: loads a command when it is asked for, reports what goes wrong."""

from __future__ import annotations

import errno
import logging
import shlex
import traceback
from importlib import import_module
from typing import Any

import click

from sweep.cli.streams import OutputError
from sweep.cli.text import clean, complain
from sweep.errors import SweepError
from sweep.support.redaction import redacted
from sweep.support.suggestion import suggestion

INTERNAL = 3
"""Exit status of a defect of sweep's own."""
INTERRUPTED = 130
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""The disk's own troubles, told also where the system does not say with which file."""
ARGUMENTS, VERBOSE, QUIET = (f"sweep.{name}" for name in ("arguments", "verbose", "quiet"))
log = logging.getLogger("sweep")


class Sweep(click.Group):
    """All commands, each in ``sweep.cli.<module>`` under its own name.

    Parameters
    ----------
    homes : mapping of str to str
        From a command's name to ``"module:attribute"``; the order of ``--help``.
    """

    def __init__(self, *args: Any, homes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a person meets them."""
        del ctx
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self.homes:
            return None
        module, _, attribute = self.homes[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"sweep.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a mistyped one gets a suggestion."""
        if args and args[0] not in self.homes and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{suggestion(args[0], self.homes)}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the arguments: a run that is stopped says how to continue."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn errors into a message and an exit status."""
        try:
            return super().invoke(ctx)
        except OutputError:
            raise
        except SweepError as error:
            log.error("%s", error)  # noqa: TRY400 - what a person did is no defect of ours
            _trace_if_asked(ctx)
            complain(f"error: {error}")
            ctx.exit(error.exit_status)
        except KeyboardInterrupt as stop:
            from sweep.cli.signals import status_of

            complain("interrupted")
            ctx.exit(status_of(stop))
        except click.ClickException as error:
            # It repeats what a person typed.
            error.message = redacted(error.message)  # type: ignore[misc]
            raise
        except (click.exceptions.Exit, click.Abort):
            raise
        except OSError as error:
            if not error.filename and error.errno not in DISK:
                _report_defect(ctx, error)
            log.error("%s", error)  # noqa: TRY400 - the disk's trouble is no defect of ours
            _trace_if_asked(ctx)
            place = f"{clean(error.filename)}: " if error.filename else ""
            complain(f"error: {place}{error.strerror or error}")
            ctx.exit(SweepError.exit_status)
        except Exception as error:  # noqa: BLE001 - the last place before the person
            _report_defect(ctx, error)


def command_line(ctx: click.Context, *extra: str) -> str:
    """Return the command that a person typed, quoted for a shell, ``extra`` words first."""
    root = ctx.find_root()
    return f"{root.info_name} {shlex.join([*extra, *ctx.meta[ARGUMENTS]])}"


def _report_defect(ctx: click.Context, error: Exception) -> None:
    log.error("internal error", exc_info=error)
    _trace_if_asked(ctx)
    remedy = "please report it, with the lines above"
    if not ctx.meta.get(VERBOSE):
        remedy = f"run again with -v for the traceback: {command_line(ctx, '-v')}; please report it"
    complain(f"internal error: {type(error).__name__}: {error} ({remedy})")
    ctx.exit(INTERNAL)


def _trace_if_asked(ctx: click.Context) -> None:
    if ctx.meta.get(VERBOSE):
        complain(traceback.format_exc())
