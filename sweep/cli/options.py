"""Options that several commands share, and what the shell may complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from sweep.cli.server_options import server_at
from sweep.cli.text import clean, complain
from sweep.client.address import SERVER, server_address
from sweep.errors import LedgerError
from sweep.support.file_names import expanded
from sweep.support.redaction import REMEDY, mistyped, remember, secrets

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress
    from sweep.study.result import StudyResult

F = TypeVar("F", bound=Callable[..., Any])


class PathOfPerson(click.Path):
    """A path in which ``~`` is expanded, which a shell does not do within ``--option=~/x``."""

    def __init__(self, *, dir_okay: bool = True) -> None:
        super().__init__(dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        return super().convert(expanded(value), param, ctx)


def complete_study(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of studies in the ledger; quietly none where it cannot be read."""
    del param
    try:
        names = _study_names(ctx.params.get("storage"))
    except Exception:  # noqa: BLE001 - a prompt is no place for errors
        return []
    return [name for name in names if name.startswith(incomplete)]


def _study_names(storage: str | None) -> list[str]:
    from sweep.study.answers.studies import study_names

    if storage or not os.environ.get(SERVER):
        return study_names(storage)
    from sweep.client.server import Server

    return Server(server_address()).names()


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the shipped studies; files are the shell's own."""
    del ctx, param
    from sweep.support.study_files import shipped_studies

    names = [CompletionItem(name) for name in shipped_studies() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def without_password(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse an address with a password on the command line."""
    del ctx
    option = param.opts[0]
    if value and mistyped(value):
        remember(value)
        raise LedgerError(f"{option}: {REMEDY}")
    if value and secrets(value):
        raise LedgerError(
            f"{option}: an address with a password does not belong on the command line, where "
            "others can read it; put it in the environment variable SWEEP_STORAGE, or in a file "
            "that SWEEP_STORAGE_FILE names"
        )
    return value


def storage_option(command: F) -> F:
    """``--storage``: refuses an address with a password."""
    return click.option(
        "--storage",
        metavar="URL",
        callback=without_password,
        is_eager=True,
        help="The ledger: a file or a database address.  [default: SWEEP_STORAGE, else "
        ".sweep/ledger.db of the current project]",
    )(command)


def format_option(command: F) -> F:
    """``--format``: for people, programs or spreadsheets."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="How to print.",
    )(command)


def data_home_option(command: F) -> F:
    """``--data-home``: the folder with the data files."""
    return click.option(
        "--data-home",
        metavar="DIR",
        type=PathOfPerson(),
        help="Folder with mnist.npz and the like.  [default: SWEEP_DATA_HOME]",
    )(command)


def _some(_ctx: click.Context, _param: click.Parameter, value: int | None) -> int | None:
    if value is not None and value != -1 and value < 1:
        raise click.BadParameter(f"must be 1 or more, or -1 for every core, got {value}")
    return value


def jobs_option(command: F) -> F:
    """``--n-jobs``: worker processes."""
    return click.option(
        "-j",
        "--n-jobs",
        type=int,
        callback=_some,
        metavar="N",
        help="Workers.  [default: one a GPU, else every core]",
    )(command)


def _there(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from sweep.runner.gpus import find_gpus

        find_gpus(value)
    return value


def gpus_option(command: F) -> F:
    """``--gpus``: what the workers compute on."""
    return click.option(
        "--gpus",
        callback=_there,
        metavar="LIST",
        help="GPUs that workers take turns on, as 0,2; or none.  [default: all that "
        "CUDA_VISIBLE_DEVICES shows]",
    )(command)


def allow_option(command: F) -> F:
    """``--allow``: modules that a study may load."""
    return click.option(
        "--allow",
        metavar="MODULE",
        multiple=True,
        help="Let the study load code from this module; repeat for more. Also: allow = [...] "
        "under [tool.sweep] of your pyproject.toml.",
    )(command)


def set_option(command: F) -> F:
    """``--set``: changes to the study file."""
    return click.option(
        "--set",
        "changes",
        metavar="PLACE=VALUE",
        multiple=True,
        help="Change a setting: --set search.cv=3; repeat for more. Nothing after = takes it away.",
    )(command)


def name_option(command: F) -> F:
    """``--name``: another name in the ledger."""
    return click.option("--name", help="Another name for the study in the ledger.", metavar="NAME")(
        command
    )


def study_argument(command: F) -> F:
    """``STUDY``: a name in the ledger."""
    return click.argument("study", shell_complete=complete_study)(command)


def file_argument(command: F) -> F:
    """``FILE``: a study file, or the name of a shipped study."""
    return click.argument("file", metavar="FILE|NAME", shell_complete=complete_file)(command)


def allowed(given: tuple[str, ...]) -> frozenset[str]:
    """Return the modules that the person allows, here and in the current project."""
    from sweep.support.code_references import project_allow
    from sweep.support.module_permission import is_module

    if file := next((name for name in given if name.endswith(".py")), None):
        raise click.BadParameter(
            f"must be a module's name, got the file {file}; write --allow {Path(file).stem}"
        )
    if other := next((name for name in given if not is_module(name)), None):
        raise click.BadParameter(
            f"must be a module's name, such as mine or package.models, got {other!r}"
        )
    return project_allow(Path.cwd()) | set(given)


def opened(
    name: str,
    storage: str | None,
    allow: frozenset[str] = frozenset(),
    find: Callable[[str | None, str], StudyResult] | None = None,
    server: ServerAddress | None = None,
) -> StudyResult:
    """Open a study for reading; a mistyped name gets a suggestion.

    Parameters
    ----------
    name : str
        The study.
    storage : str or None
        The ledger.
    allow : frozenset of str
        Modules that the person allows.
    find : callable, optional
        Opens the study, where not all of it is wanted.
    server : ServerAddress, optional
        Where the study is, if it is not in a ledger here.

    Raises
    ------
    StudyNotFoundError
        Naming a close match.
    """
    from sweep.errors import StudyNotFoundError

    try:
        found = _found(name, storage, allow, find, server)
    except StudyNotFoundError as error:
        if rule := _of_file(name):
            raise StudyNotFoundError(f"{error.__cause__}.{rule}") from error
        raise
    for line in found.record.damage:
        complain(f"note: {clean(line)}")
    return found


def _found(
    name: str, storage: str | None, allow: frozenset[str],
    find: Callable[[str | None, str], StudyResult] | None, server: ServerAddress | None,
) -> StudyResult:  # fmt: skip
    from sweep.study.answers.opening import find_study

    if server is not None:
        return server_at(server).study(name, allow=allow, find=find)
    return find(storage, name) if find else find_study(storage, name, allow=allow)


def _of_file(name: str) -> str:
    """Say so where a person gives a study's file for its name."""
    from sweep.cli.text import clean

    path = expanded(name)
    if path.suffix != ".toml":
        return ""
    rule = " STUDY is the name that a study has in the ledger, not its file"
    try:
        found = _name_in(path)
    except (OSError, ValueError, RecursionError):
        return rule
    return f"{rule}; in this file it is {clean(found)!r}"


def _name_in(path: Path) -> str:
    import tomllib

    from sweep.support.study_files import LARGEST_FILE

    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise OSError
    study = tomllib.loads(path.read_text("utf-8-sig")).get("study", {})
    return str(study.get("name", path.stem) if isinstance(study, dict) else path.stem)
