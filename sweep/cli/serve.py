"""``sweep serve``: the service, and the tokens that let others in."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sweep.cli.group import QUIET
from sweep.cli.options import PathOfPerson, allow_option, allowed, data_home_option, storage_option
from sweep.cli.text import complain, moment
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweep.service.app import Service

ROLES = ("read", "submit", "admin")


@click.group(invoke_without_command=True, short_help="Serve pages and an API, with workers.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True,
    help="The port; 0 takes any that is free.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(min=0),
    help="Workers of this machine; 0 for none.  [default: one for each core]",
)  # fmt: skip
@click.option(
    "--at-once", type=click.IntRange(min=1), default=2, show_default=True,
    help="Studies that share the workers at the same time.",
)  # fmt: skip
@click.option("--public", is_flag=True, help="Let --host be an address that others reach.")
@click.option("--name", "names", multiple=True, metavar="HOST",
              help="A host name that a proxy passes on; repeat for more.")  # fmt: skip
@click.option("--root-path", default="", help="The path under which a proxy shows the service.")
@click.option("--config", type=PathOfPerson(dir_okay=False), help="A configuration file (TOML).")
@allow_option
@data_home_option
@storage_option
@click.pass_context
def serve(
    ctx: click.Context, *, host: str, port: int, workers: int | None, at_once: int, public: bool,
    names: tuple[str, ...], root_path: str, config: Path | None, allow: tuple[str, ...],
    data_home: Path | None, storage: str | None,
) -> None:  # fmt: skip
    """Serve a page to hand studies in, to watch them and to read their reports.

    The printed address holds a token: whoever has it may do everything. Tokens for others, with a
    role each, are made by `sweep serve token add`. Only this machine is answered unless --public
    says otherwise.

    \b
    Example:
      sweep serve
      sweep serve --workers 0 --port 8081
    """
    ctx.obj = storage
    if ctx.invoked_subcommand:
        return
    from sweep.runner.gpus import cores
    from sweep.service.server import serve as serve_until_stopped
    from sweep.service.settings import Settings, read_configuration
    from sweep.storage.locations import storage_url

    configuration = read_configuration(config)
    settings = Settings(
        storage=storage_url(storage), host=host, port=port, public=public, names=names,
        root_path=root_path.rstrip("/"), workers=cores() if workers is None else workers,
        at_once=at_once, data_home=None if data_home is None else str(data_home),
        allow=(*allowed(allow), *configuration.allow), configuration=configuration,
    )  # fmt: skip
    quiet = ctx.meta[QUIET]

    def started(address: str, service: Service) -> None:
        click.echo(f"sweep is at {address}      (Ctrl-C ends it; running cells are kept)")
        if not quiet:
            complain(_state(service))

    with _warnings_said():
        serve_until_stopped(settings, started)
    if not quiet:
        complain("service ended")


class _Said(logging.Handler):
    """Says what goes wrong while the server runs; nobody reads its log file all day."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say a warning."""
        complain(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def _warnings_said() -> Iterator[None]:
    said, service_log = _Said(logging.WARNING), logging.getLogger("sweep.service")
    service_log.addHandler(said)
    try:
        yield
    finally:
        service_log.removeHandler(said)


def _state(service: Service) -> str:
    settings = service.settings
    workers = counted(settings.workers, "worker")
    here = f"{workers} on this machine" if settings.workers else (
        "no worker on this machine: `sweep worker --all --wait` starts some anywhere"
    )  # fmt: skip
    plain = "; not encrypted: put it behind a proxy with TLS" if settings.public else ""
    return f"{here}{plain}"


@serve.group()
def token() -> None:
    """Make, list and revoke the tokens that let others in."""


@token.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="read", show_default=True,
              help="What its holder may do; each role includes those before it.")  # fmt: skip
@storage_option
@click.pass_context
def add_token(ctx: click.Context, *, name: str, role: str, storage: str | None) -> None:
    """Make a token for NAME; it is shown this once."""
    from sweep.service import token_commands

    click.echo(token_commands.add_token(storage or ctx.obj, name, role))


@token.command("list")
@storage_option
@click.pass_context
def list_tokens(ctx: click.Context, *, storage: str | None) -> None:
    """List the tokens, without their secrets."""
    from sweep.service import token_commands

    for each in token_commands.list_tokens(storage or ctx.obj):
        state = f"revoked {moment(each.revoked_at)}" if each.revoked_at else "valid"
        made = f"made {moment(each.made_at)} by {each.made_by}"
        click.echo(f"{each.name}\t{each.role}\t{state}\t{made}")


@token.command("revoke")
@click.argument("name")
@storage_option
@click.pass_context
def revoke_token(ctx: click.Context, *, name: str, storage: str | None) -> None:
    """Refuse the token of NAME from now on; a browser that used it is out at once."""
    from sweep.service import token_commands

    token_commands.revoke_token(storage or ctx.obj, name)
    complain(f"the token {name} is revoked")
