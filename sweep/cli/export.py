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

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress


@click.command(short_help="Write a study's winner as a Keras model.")
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
@allow_option
@storage_option
@server_option
def export(
    *, study: str, output: Path | None, allow: tuple[str, ...], storage: str | None,
    server: ServerAddress | None, pickle: bool,
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
    """
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
