"""``sweep export``: the winner in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.cli.options import (
    PathOfPerson,
    allow_option,
    allowed,
    opened,
    storage_option,
    study_argument,
)
from sweep.cli.server_options import refuse_at_server, server_at, server_option
from sweep.cli.signals import heard
from sweep.cli.text import clean
from sweep.support.redaction import remember, secrets

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress

PASSWORDS = {
    "mlflow": "MLflow reads MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "optuna": "PostgreSQL reads it from ~/.pgpass",
}


def _without_password(
    ctx: click.Context, param: click.Parameter, value: tuple[str, str] | None
) -> tuple[str, str] | None:
    del ctx, param
    if value and secrets(value[1]):
        remember(value[1])
        raise click.UsageError(
            "--to: an address with a password does not belong on the command line, where others "
            f"can read it; {PASSWORDS.get(value[0], 'name a folder')}"
        )
    return value


@click.command(short_help="Write a study's winner, or all of it for another tool.")
@study_argument
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=PathOfPerson(),
    help="A new or empty folder.  [default: exports/STUDY]",
)
@click.option(
    "--pickle",
    is_flag=True,
    help="Write an estimator of your own as a pickle: unsafe, for loading it runs code.",
)
@click.option(
    "--to",
    type=(click.Choice(["tensorboard", "mlflow", "optuna", "wandb"]), str),
    metavar="TOOL PLACE",
    callback=_without_password,
    help="Show the whole study in another tool: tensorboard FOLDER, mlflow URI, optuna URL, "
    "wandb FOLDER.",
)
@click.option("--follow", is_flag=True, help="With --to: go on until the study ends.")
@allow_option
@storage_option
@server_option
def export(
    *, study: str, output: Path | None, allow: tuple[str, ...], storage: str | None,
    server: ServerAddress | None, pickle: bool, to: tuple[str, str] | None, follow: bool,
) -> None:  # fmt: skip
    """Write the refitted winner of a study: model.keras, recipe.json and a model card.

    The model takes raw pixels and gives probabilities. It holds no pickle and no code. Where a
    function of your own makes the model, that code is loaded, if you allow it; with layers of your
    own the weights are written, and who loads them needs that code too. The steps of a pipeline,
    and other classifiers, are written by skops. What is written is tried first: it must say what
    the winner says.

    \b
    Example:
      sweep export digits-grid
      sweep export digits-grid --output digits-model
      sweep export digits-grid --to tensorboard runs

    With --to all candidates go into another tool, read from the ledger, while the study runs
    (--follow) or later.
    """
    if to is not None:
        _refuse_beside_to(server, output=output, pickle=pickle)
        _show(study, storage, allow, *to, follow=follow)
        return
    if follow:
        raise click.UsageError("--follow goes with --to TOOL PLACE; give both")
    from sweep.export.recipe import RECIPE, read_recipe
    from sweep.support.file_names import slug

    target = output or Path("exports") / slug(study)
    refuse_at_server(
        server, "the code that may be loaded is decided by", allow=allow, pickle=pickle
    )
    if server is not None:
        folder = server_at(server).export(study, target)
    else:
        folder = _export(study, storage, allow, target, pickle=pickle)
    click.echo(f"exported: {clean(folder)}")
    recipe = read_recipe(folder / RECIPE)
    code = str(recipe.get("code", "")).partition(":")[0]
    needs = f', allow=["{code}"]' if code else ""
    needs = ", trust=True" if recipe.get("stored") == "pickle" else needs
    click.echo(f'in Python: sweep.load_best("{clean(folder)}"{needs})')
    if code:
        click.echo(f"needs the code of {code}: sweep predict {clean(folder)} ... --allow {code}")


def _refuse_beside_to(server: ServerAddress | None, **options: object) -> None:
    refuse_at_server(server, "it is filled from a ledger, not from the server", to=True)
    given = [name for name, value in options.items() if value]
    if given:
        raise click.UsageError(f"--{given[0]} is of the winner's folder, not of --to; leave it out")


def _show(
    study: str, storage: str | None, allow: tuple[str, ...], tool: str, place: str, *, follow: bool
) -> None:
    from sweep.screens.showing import show

    with heard():
        where, count = show(
            tool, place, lambda: opened(study, storage, allowed(allow)), follow=follow
        )
    click.echo(f"exported: {count} candidates to {clean(where)}")


def _export(
    study: str, storage: str | None, allow: tuple[str, ...], target: Path, *, pickle: bool
) -> Path:
    from sweep.export.writing import export_best
    from sweep.support.tensorflow_loading import load_tensorflow

    load_tensorflow()
    result = opened(study, storage, allowed(allow))
    result.trust = pickle  # who asks for a pickle trusts the ledger's own
    with heard():
        return export_best(result, target, pickle=pickle)
