"""Section ``pictures``: images with their labels, and filters as tiles."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.report import text
from sweep.support.file_names import slug
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweep.ledger.pictures import Pictures, Shown
    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData

ACROSS = 16
"""Images in a row of the mosaic."""

ZOOM = 10
"""Screen pixels for each weight of a filter."""

PHOTOGRAPH = 2048
"""Colour values from which a picture is stored as a photograph is."""

LARGE, SMALL = 56, 40
"""Screen pixels of a single image, and of one in the mosaic, about."""


@dataclass(frozen=True)
class Picture:
    """One image: its data URL, its size on the page, its description, words below it, a ring."""

    source: str
    width: int
    height: int
    alt: str
    words: tuple[str, ...] = ()
    ringed: bool = False


@dataclass(frozen=True)
class Album:
    """Several images with a title and a caption."""

    name: str
    title: str
    caption: str
    pictures: tuple[Picture, ...]


def pictures(data: ReportData) -> list[Album]:
    """Return the section; empty where the study has no pictures."""
    return [] if data.pictures is None else albums(data.record, data.pictures)


def albums(record: StudyRecord, pictures: Pictures) -> list[Album]:
    """Return training images, predictions, mistakes and filters, as far as there are any."""
    names = [text.clean(name) for name in record.data.classes]
    found = training_albums(pictures, names)
    for group, title, what in (
        (
            "test",
            "First test images",
            "in file order, with at least one of each class: prediction, its probability",
        ),
        ("mistakes", "Most confident mistakes", "wrong, most surely first: prediction"),
    ):
        shown = _of_known_classes(pictures.shown.get(group), names) if record.winner else None
        if shown and len(shown.predicted):
            caption = f"{counted(len(shown.true), 'test image')} {what}, and the true class."
            each = tuple(_prediction(shown, place, names) for place in range(len(shown.true)))
            found.append(Album(group, title, caption, each))
    kernels = pictures.kernels if record.winner else {}
    return found + [_filters(layer, kernel) for layer, kernel in kernels.items()]


def training_albums(pictures: Pictures, classes: Sequence[str]) -> list[Album]:
    """Return the training images in one album; none where there are no images.

    Parameters
    ----------
    pictures : Pictures
        See :func:`sweep.evaluation.pictures.training_pictures`.
    classes : sequence of str
        Names of the classes, in the order of their labels.
    """
    shown = _of_known_classes(pictures.shown.get("training"), classes)
    return [] if shown is None else [_mosaic(shown, classes)]


def _of_known_classes(shown: Shown | None, names: Sequence[str]) -> Shown | None:
    """Return rows whose labels are classes of the study; None for others."""
    if shown is None or not len(shown.true):
        return None
    labels = np.concatenate([shown.true, shown.predicted])
    return shown if labels.min() >= 0 and labels.max() < len(names) else None


def _mosaic(shown: Shown, names: Sequence[str]) -> Album:
    rows = [names[label] for label in shown.true]
    lines = [", ".join(rows[i : i + ACROSS]) for i in range(0, len(rows), ACROSS)]
    tiles = _sheet(shown.images, ACROSS)
    alt = f"{len(rows)} training images, row by row: {'; '.join(lines)}"
    caption = f"{counted(len(rows), 'random training image')}, {ACROSS} in a row."
    sheet = _encoded(tiles, alt, zoom=_zoom(shown, SMALL))
    return Album("mosaic", "Training images", caption, (sheet,))


def _prediction(shown: Shown, place: int, names: Sequence[str]) -> Picture:
    guess, true = names[shown.predicted[place]], names[shown.true[place]]
    wrong = bool(shown.predicted[place] != shown.true[place])  # two classes may look alike
    sure = f"{shown.confidence[place]:.0%}"
    words = (f"{guess} {sure}", f"is {true}") if wrong else (f"{guess} {sure}",)
    alt = f"{true}, predicted {guess} with {sure}"
    return _encoded(shown.images[place], alt, words=words, ringed=wrong, zoom=_zoom(shown, LARGE))


def _zoom(shown: Shown, side: int) -> float:
    """Return the factor that enlarges images to about ``side`` pixels, in steps of a half."""
    longest = int(max(shown.images.shape[1:3]))
    return max(1.0, round(2 * side / longest) / 2)


def _filters(layer: str, kernel: NDArray[np.float32]) -> Album:
    """Show each filter as a tile, black to white from its least to its greatest weight."""
    height, width, inputs, outputs = kernel.shape
    name = text.clean(layer)
    scale = np.abs(kernel).max() or 1.0
    grey = np.round(127.5 + 127.5 * kernel / scale).astype(np.uint8)
    colour = inputs == 3
    tiles = grey.transpose(3, 0, 1, 2) if colour else grey.transpose(2, 3, 0, 1)
    flat = tiles if colour else tiles.reshape(inputs * outputs, height, width)
    across = min(ACROSS, outputs) if colour or inputs == 1 else outputs
    picture = _encoded(_sheet(flat, across), f"Filters of {name}", zoom=ZOOM)
    rows = "" if colour or inputs == 1 else "; a row for each input, a column for each filter"
    caption = (
        f"{counted(outputs, 'filter')} of {height} × {width} weights"  # noqa: RUF001
        f"{rows}. Grey is zero, black and white the largest weight of the layer."
    )
    return Album(f"filters-{slug(name)}", f"Filters of {name}", caption, (picture,))


def _sheet(images: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    """Lay images out in rows, one pixel apart, with a last channel that says where an image is."""
    count, height, width = images.shape[:3]
    rows = -(-count // across)
    layers = images if images.ndim == 4 else images[..., None]
    shape = (rows * (height + 1) - 1, across * (width + 1) - 1, layers.shape[3] + 1)
    sheet = np.zeros(shape, np.uint8)
    for place, image in enumerate(layers):
        top, left = (place // across) * (height + 1), (place % across) * (width + 1)
        sheet[top : top + height, left : left + width, :-1] = image
        sheet[top : top + height, left : left + width, -1] = 255
    return sheet


def _encoded(pixels: NDArray[np.uint8], alt: str, *, zoom: float, **more: Any) -> Picture:
    from PIL import Image

    held, kind = io.BytesIO(), "png"
    if pixels.ndim == 3 and pixels.shape[2] >= 3 and pixels.size > PHOTOGRAPH:
        kind = "jpeg"  # a fifth of the bytes; what is between images becomes black
        Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(held, "JPEG", quality=88)
    else:
        Image.fromarray(np.ascontiguousarray(pixels)).save(held, "PNG", optimize=True)
    source = f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode()}"
    height, width = pixels.shape[:2]
    return Picture(source, round(width * zoom), round(height * zoom), alt, **more)
