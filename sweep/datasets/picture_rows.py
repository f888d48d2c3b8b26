"""Read pictures as the rows of a dataset's parts, in one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.image_files import picture_sizes, read_pictures
from sweep.datasets.resizing import DEFAULT_RESIZE, asked_size, default_size, resizing_note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COLORS = ("grayscale", "rgb")
"""How pictures are read: one channel, without its axis, or three."""


@dataclass(frozen=True)
class PictureOptions:
    """How pictures become rows.

    Attributes
    ----------
    image_size : int or (height, width), optional
        Size in pixels to which every picture is resized, bilinearly; by default their own where all
        have one, of at most 256 pixels a side, else (32, 32).
    color : {"grayscale", "rgb"}
        Rows of shape (h, w) or (h, w, 3).
    resize : {"crop", "pad", "squash"}, optional
        What is done where proportions differ; default: ``"squash"``.
    """

    image_size: int | Sequence[int] | None = None
    color: str = "rgb"
    resize: str | None = None

    @property
    def are_default(self) -> bool:
        """Whether nothing is asked for."""
        return self == PictureOptions()

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that are asked for.

        Raises
        ------
        DataError
            If they are no positive numbers.
        """
        return asked_size(self.image_size)


@dataclass(frozen=True)
class PictureRows:
    """The rows of each part, and a note on how pictures were resized."""

    parts: list[NDArray[Any]]
    note: str


def read_rows(
    files: Sequence[Path], parts: Sequence[NDArray[np.intp]], options: PictureOptions
) -> PictureRows:
    """Read pictures as the rows of several parts.

    Parameters
    ----------
    files : sequence of Path
        The pictures.
    parts : sequence of ndarray of int
        For each part the places of its rows among the files.
    options : PictureOptions
        Size, color and the like.

    Raises
    ------
    DataError
        With the name of every file that cannot be read.
    """
    chosen = [files[row] for rows in parts for row in rows]
    size = options.size or default_size(picture_sizes(chosen))
    gray, resize = options.color == "grayscale", options.resize or DEFAULT_RESIZE
    found = read_pictures(chosen, size, 1 if gray else 3, resize)
    x = found.pixels[..., 0] if gray else found.pixels
    ends = np.cumsum([len(rows) for rows in parts])[:-1]
    note = resizing_note(found.sizes, size, resize, asked=options.size is not None)
    return PictureRows(np.split(x, ends), note)
