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
    function of your own makes the model, that code is loaded, if you allow it.

    \b
    Example:
      sweep export digits-grid
      sweep export digits-grid --output digits-model
    """
    from sweep.export import export_best
    from sweep.names import slug
    from sweep.quiet import load_tensorflow

    load_tensorflow()
    result = opened(study, storage, allowed(allow))
    folder = export_best(result, output or Path("exports") / slug(study))
    click.echo(f"exported: {clean(folder)}")
    click.echo(f'in Python: sweep.load_best("{clean(folder)}")')
