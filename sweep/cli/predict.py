"""``sweep predict``: what an exported winner says of pictures."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.options import PathOfPerson, allow_option, allowed, format_option
from sweep.cli.output import emit
from sweep.cli.text import clean
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweep.export.loading import ExportedModel

WHITE = 255.0


@click.command(short_help="Classify pictures with an exported winner.")
@click.argument("export", metavar="EXPORT", type=PathOfPerson())
@click.argument("images", nargs=-1, required=True, type=PathOfPerson())
@click.option(
    "--white",
    type=float,
    help="The value of a white pixel in the training data.  [default: 255, or what unit scaling "
    "has divided by]",
)
@allow_option
@format_option
def predict(
    *,
    export: Path,
    images: tuple[Path, ...],
    white: float | None,
    allow: tuple[str, ...],
    form: str,
) -> None:
    """Print class and probability of pictures: files, or folders of them.

    Pictures are read as a folder of them is for training: resized, in grey where that was grey.
    A model with layers of your own needs the code that makes it: in this folder, and allowed.

    \b
    Example:
      sweep predict exports/digits-grid seven.png
      sweep predict exports/mine pictures/ --format csv
    """
    from sweep.export.loading import load_best

    model = load_best(export, allow=allowed(allow))
    paths = _files(images)
    if white is not None and not 0 < white < inf:
        raise DataError(f"--white: must be a number above 0, got {white}")
    brightness = (white or _white(model.recipe)) / WHITE
    rows = _read(paths, model.input_shape, model.resize) * brightness
    found = [
        {"file": str(path), **each} for path, each in zip(paths, _told(model, rows), strict=True)
    ]
    emit(form, found, found, lambda: [_drawn(found)])


def _told(model: ExportedModel, rows: NDArray[Any]) -> list[dict[str, Any]]:
    """Return the class of each row, and its probability; None for a classifier without any."""
    proba = model.predict_proba(rows) if model.has_probabilities else None
    indices = model._indices(rows, proba).tolist()
    return [
        {
            "class": model.class_names[index],
            "probability": None if proba is None else float(proba[place, index]),
        }
        for place, index in enumerate(indices)
    ]


def _white(recipe: Mapping[str, Any]) -> float:
    """Return what unit scaling has divided by; else 255, and say so: the range is not known."""
    scale = float(recipe["scaling"]["scale"])
    if recipe.get("unit") is True or (recipe["scaling"]["shift"] == 0 and scale > 1):
        return scale
    click.echo(
        "note: white is taken for 255, since the training pixels were not scaled to unit; where "
        "it was another number, name it: --white",
        err=True,
    )
    return WHITE


def _files(given: Sequence[Path]) -> list[Path]:
    """Return the pictures that paths name.

    Raises
    ------
    DataError
        For a path that is not there, or a folder without pictures.
    """
    from sweep.datasets.folder_layout import is_hidden
    from sweep.datasets.image_files import SUFFIXES

    found = []
    for path in given:
        if path.is_dir():
            every = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            hidden = [p for p in every if any(map(is_hidden, p.relative_to(path).parts))]
            inside = [p for p in every if p not in hidden]
            if not inside:
                raise DataError(f"{path}: must hold pictures ({' '.join(SUFFIXES)}), got none")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"{path}: no such file or folder")
    return found


def _read(paths: Sequence[Path], shape: tuple[int, ...], resize: str) -> NDArray[Any]:
    """Read pictures as rows of a shape, 0 to 255, resized as those of the study were.

    Raises
    ------
    DataError
        If rows are no images, or a file is no picture.
    """
    import numpy as np

    from sweep.datasets.image_files import read_pictures

    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)):
        raise DataError(f"this model takes rows of shape {shape}, which are no pictures")
    size, channels = (shape[0], shape[1]), 3 if shape[2:] == (3,) else 1
    pixels = read_pictures(paths, size, channels, resize).pixels
    return pixels.reshape(-1, *shape).astype(np.float32)


def _drawn(found: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file")
    table.add_column("class")
    table.add_column("probability", justify="right")
    for row in found:
        sure = "-" if row["probability"] is None else f"{row['probability']:.4f}"
        table.add_row(clean(row["file"]), clean(row["class"]), sure)
    return table
