"""``sweep export``: the winner in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import click

from sweep.cli.options import (
    PathOfPerson,
    allow_option,
    allowed,
    opened,
    storage_option,
    study_argument,
)
from sweep.cli.signals import heard
from sweep.cli.text import clean


@click.command(short_help="Write a study's winner as a Keras model.")
@study_argument
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    type=PathOfPerson(),
    help="A new or empty folder.  [default: exports/STUDY]",
)
@allow_option
@storage_option
def export(*, study: str, output: Path | None, allow: tuple[str, ...], storage: str | None) -> None:
    """Write the refitted winner of a study: model.keras, recipe.json and a model card.

    The model takes raw pixels and gives probabilities. It holds no pickle and no code. Where a
    function of your own makes the model, that code is loaded, if you allow it; with layers of your
    own the weights are written, and who loads them needs that code too. What is written is tried
    first: it must say what the winner says.

    \b
    Example:
      sweep export digits-grid
      sweep export digits-grid --output digits-model
    """
    from sweep.export.recipe import RECIPE, read_recipe
    from sweep.export.writing import export_best
    from sweep.support.file_names import slug
    from sweep.support.tensorflow_loading import load_tensorflow

    load_tensorflow()
    result = opened(study, storage, allowed(allow))
    with heard():
        folder = export_best(result, output or Path("exports") / slug(study))
    click.echo(f"exported: {clean(folder)}")
    code = str(read_recipe(folder / RECIPE).get("code", "")).partition(":")[0]
    needs = f', allow=["{code}"]' if code else ""
    click.echo(f'in Python: sweep.load_best("{clean(folder)}"{needs})')
    if code:
        click.echo(f"needs the code of {code}: sweep predict {clean(folder)} ... --allow {code}")
