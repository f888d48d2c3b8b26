"""Read pictures as the rows of a dataset's parts, in one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.image_files import picture_sizes, read_blocks, read_pictures
from sweep.datasets.mapped_store import digest_of_files, key_of, mapped_note
from sweep.datasets.resizing import (
    DEFAULT_RESIZE,
    Sizes,
    asked_size,
    default_size,
    resizing_note,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sweep.datasets.mapped_store import Memory

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
    files: Sequence[Path],
    parts: Sequence[NDArray[np.intp]],
    options: PictureOptions,
    memory: Memory,
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
    memory : Memory
        Where rows are kept.

    Raises
    ------
    DataError
        With the name of every file that cannot be read.
    """
    chosen = [files[row] for rows in parts for row in rows]
    size = options.size or default_size(picture_sizes(chosen))
    channels, resize = 1 if options.color == "grayscale" else 3, options.resize or DEFAULT_RESIZE
    shape = (len(chosen), *size, *([3] if channels == 3 else []))
    if memory.maps(math.prod(shape)):
        x, sizes, where = _on_disk(chosen, size, channels, resize, memory)
    else:
        found = read_pictures(chosen, size, channels, resize)
        x, sizes, where = found.pixels.reshape(shape), Sizes.of(found.sizes, size), ""
    ends = np.cumsum([len(rows) for rows in parts])
    places = np.split(np.arange(len(chosen)), ends[:-1])
    rows = [x[each] for each in places] if where else np.split(x, ends[:-1])
    note = resizing_note(sizes, size, resize, asked=options.size is not None)
    return PictureRows(rows, "; ".join(each for each in (note, where) if each))


def _on_disk(
    files: list[Path], size: tuple[int, int], channels: int, resize: str, memory: Memory
) -> tuple[Any, Sizes, str]:
    """Return pictures as rows on the disk, their sizes, and a note; they are written there once."""
    import PIL

    made_of = (digest_of_files(files), str(size), str(channels), resize)
    key = key_of("pictures", *made_of, _tensorflow_version(), PIL.__version__)
    known = memory.find(key)
    if known is None:
        sizes: Sizes | None = None
        with memory.writing(key, len(files) * math.prod(size) * channels) as writer:
            for block in read_blocks(files, size, channels, resize):
                gray = block.pixels[..., 0] if channels == 1 else block.pixels
                writer.append(gray)
                sizes = Sizes.of(block.sizes, size).joined(sizes)
            writer.facts["sizes"] = sizes
        known = memory.written(key), {"sizes": sizes}
    rows, facts = known
    return rows, Sizes.from_plain(facts["sizes"]), mapped_note(rows.nbytes, memory.asked)


def _tensorflow_version() -> str:
    """Return the version of the decoders, without loading them."""
    try:
        return version("tensorflow")
    except PackageNotFoundError:  # a build under another name
        return ""
