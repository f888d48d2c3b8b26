"""``--server``: the commands that ask a server what they else ask a ledger."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sweep.client.address import SERVER, TOKEN, has_password, server_address, token_in
from sweep.errors import ServiceError
from sweep.support.redaction import remember

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress
    from sweep.client.server import Server

F = TypeVar("F", bound=Callable[..., Any])
_OPEN = "sweep.server"


def server_option(command: F) -> F:
    """``--server``: a server in place of a ledger; no token belongs on a command line."""
    return click.option(
        "--server",
        metavar="URL",
        callback=_server,
        help=f"Ask this server (`sweep serve`) in place of a ledger; its token stands in {TOKEN}."
        f"  [default: {SERVER}]",
    )(command)


def _server(ctx: click.Context, param: click.Parameter, value: str | None) -> ServerAddress | None:
    del param
    if ctx.resilient_parsing:
        return None
    storage = ctx.params.get("storage")  # eager, so that it is read before
    if value is None:
        return None if storage or not os.environ.get(SERVER) else server_address()
    _check_given(value)
    if storage:
        raise click.UsageError(
            "--server and --storage exclude each other: a study is at a server or in a ledger"
        )
    return server_address(value, label="--server")


def _check_given(value: str) -> None:
    """Refuse a token where others can read it.

    Raises
    ------
    ServiceError
        With the remedy.
    """
    if token_in(value) or has_password(value):
        remember(value)
        raise ServiceError(
            "--server: an address with a token does not belong on the command line, where others "
            f"can read it; put the whole address into the environment variable {SERVER}, or the "
            f"token into {TOKEN}"
        )


def server_at(address: ServerAddress) -> Server:
    """Return the server at an address; one for each command, closed at its end."""
    from sweep.client.server import Server

    ctx = click.get_current_context()
    known: Server | None = ctx.meta.get(_OPEN)
    if known is None:
        known = ctx.meta[_OPEN] = Server(address)
        ctx.call_on_close(known.connection.close)
    return known


def refuse_at_server(server: ServerAddress | None, reason: str, **options: object) -> None:
    """Refuse options that are the server's own business.

    Raises
    ------
    click.UsageError
        Naming the first of them that was given.
    """
    given = [name for name, value in options.items() if value]
    if server is not None and given:
        option = f"--{given[0].replace('_', '-')}"
        raise click.UsageError(f"{option}: {reason} {server.url}; leave it out")


def ledger_only(remedy: str) -> Callable[[F], F]:
    """Have a command that works on a ledger say what to do where ``--server`` is given.

    Parameters
    ----------
    remedy : str
        What to do.
    """

    def refuse(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        del param
        if value is not None and not ctx.resilient_parsing:
            _check_given(value)
            raise click.UsageError(
                f"sweep {ctx.info_name} works on a ledger, not through a server; {remedy}"
            )

    return click.option(
        "--server",
        callback=refuse,
        expose_value=False,
        hidden=True,
        is_eager=True,
        help="None: this command works on a ledger.",
    )
