"""``sweep dashboard``: optuna-dashboard over the ledger."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from sweep.cli.group import QUIET
from sweep.cli.options import storage_option
from sweep.cli.server_options import ledger_only
from sweep.cli.text import complain
from sweep.errors import DashboardError

if TYPE_CHECKING:
    from sweep.dashboard.server import Server


@click.command(short_help="Serve the ledger to a browser: optuna-dashboard.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0 takes any that is free.",
)
@click.option("--allow-edit", is_flag=True, help="Let the browser change and delete studies.")
@click.option(
    "--public",
    is_flag=True,
    help="Let --host be an address that other machines reach; needs a password.",
)
@storage_option
@ledger_only("open the server's address in a browser")
@click.pass_context
def dashboard(
    ctx: click.Context, *, host: str, port: int, allow_edit: bool, public: bool, storage: str | None
) -> None:
    """Serve the studies of the ledger to a browser, until Ctrl-C.

    The page lists the studies with their reports and their trials and graphs in optuna-dashboard,
    an extra: pip install ".[dashboard]". Nothing can be changed, and only this machine is
    answered, unless options say otherwise. A password in the environment variable
    SWEEP_DASHBOARD_PASSWORD is asked of everybody.

    \b
    Example:
      sweep dashboard --port 8081
    """
    if find_spec("optuna_dashboard") is None:
        raise DashboardError(
            "the dashboard needs optuna-dashboard, which is not installed; "
            'pip install ".[dashboard]" in a checkout of sweep'
        )
    from sweep.dashboard.app import open_dashboard
    from sweep.dashboard.guard import PASSWORD, Guard, check_door
    from sweep.dashboard.server import address, listen

    password = os.environ.get(PASSWORD, "")
    check_door(host, password, public=public)
    guard = Guard(host, password, allow_edit)
    with open_dashboard(storage, guard) as app, listen(host, port, app) as server:
        click.echo(address(host, server.server_port))
        if not ctx.meta[QUIET]:
            complain(_state(edit=allow_edit, public=public))
        _serve(server)
    if not ctx.meta[QUIET]:
        complain("dashboard ended")


def _state(*, edit: bool, public: bool) -> str:
    rights = "whoever opens it may change and delete studies" if edit else "read-only"
    plain = "; not encrypted: put it behind a proxy with TLS" if public else ""
    return f"{rights}{plain}; Ctrl-C ends it"


def _serve(server: Server) -> None:
    """Serve until Ctrl-C, which is how a server is meant to end."""
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo(err=True)
