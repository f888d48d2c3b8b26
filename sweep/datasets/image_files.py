"""Read picture files as arrays: decode, turn upright, resize; name all unreadable files at once."""

from __future__ import annotations

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.resizing import resized
from sweep.errors import DataError
from sweep.support.tensorflow_loading import load_tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Suffixes of picture files, in any case."""

_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""Functions that turn a picture upright, by the EXIF orientation that the camera wrote."""

_MOST_NAMED = 50
_THREADS = 8
_BLOCK = 512
"""Pictures that are decoded at a time."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size.

    Attributes
    ----------
    pixels : ndarray of shape (n, height, width, channels), uint8
        Resized, in the order of the files.
    sizes : ndarray of shape (n, 2)
        Height and width of each file's picture, upright, before resizing.
    """

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int64]


def read_pictures(
    paths: Sequence[Path], size: tuple[int, int], channels: int, resize: str = "squash"
) -> Pictures:
    """Decode picture files and resize them bilinearly, as Keras does.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    size : tuple of int
        Height and width in pixels.
    channels : {1, 3}
        Gray or color.
    resize : {"crop", "pad", "squash"}
        What is done where proportions differ.

    Returns
    -------
    Pictures

    Raises
    ------
    DataError
        With the name of every file that cannot be read as a picture.
    """
    pixels = np.empty((len(paths), *size, channels), np.uint8)
    sizes, done = np.empty((len(paths), 2), np.int64), 0
    for block in read_blocks(paths, size, channels, resize):
        place = slice(done, done + len(block.pixels))
        pixels[place], sizes[place], done = block.pixels, block.sizes, place.stop
    return Pictures(pixels, sizes)


def read_blocks(
    paths: Sequence[Path], size: tuple[int, int], channels: int, resize: str
) -> Iterator[Pictures]:
    """Do what :func:`read_pictures` does, and yield some pictures at a time, in order.

    Every file is read before an error is raised, which names all that cannot be.
    """
    load_tensorflow()
    from PIL import Image as Pillow

    Pillow.init()  # before the threads: if several call it at once, it may miss a file format
    failed: dict[Path, str] = {}
    one = partial(_read, size=size, channels=channels, resize=resize)
    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(paths), _BLOCK):
            some = paths[first : first + _BLOCK]
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module="PIL")
                found = list(pool.map(one, some))
            pairs = zip(some, found, strict=True)
            failed |= {path: why for path, why in pairs if isinstance(why, str)}
            good = [each for each in found if not isinstance(each, str)]
            if not failed:
                shapes = np.array([shape for _, shape in good], np.int64)
                yield Pictures(np.stack([pixels for pixels, _ in good]), shapes)
    if failed:
        raise DataError(_unreadable(dict(sorted(failed.items()))))


def picture_sizes(paths: Sequence[Path]) -> NDArray[np.int64]:
    """Return height and width of pictures by their headers, upright; unreadable ones left out."""
    from PIL import Image as Pillow

    Pillow.init()
    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        warnings.filterwarnings("ignore", module="PIL")
        found = [each for each in pool.map(_size, paths) if each]
    return np.array(found, np.int64).reshape(-1, 2)


def _size(path: Path) -> tuple[int, int] | None:
    """Return height and width as the header says, None where it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            # getexif decodes a whole PNG; what was turned is rare there
            turned = picture.format != "PNG" or "exif" in picture.info
            orientation = picture.getexif().get(_ORIENTATION, 1) if turned else 1
    except Exception:  # noqa: BLE001 - on damaged files decoders raise anything
        return None
    return (width, height) if orientation in _ON_ITS_SIDE else (height, width)


def _read(
    path: Path, size: tuple[int, int], channels: int, resize: str
) -> tuple[NDArray[np.uint8], tuple[int, int]] | str:
    """Return one picture and its original size, or why it cannot be read."""
    if not path.is_file():
        return "no file"
    try:
        pixels = _decoded(path.read_bytes(), channels)
        return resized(pixels, size, resize), (pixels.shape[0], pixels.shape[1])
    except Exception as error:  # noqa: BLE001 - on damaged files decoders raise anything
        return _reason(error)


def _decoded(data: bytes, channels: int) -> NDArray[np.uint8]:
    """Return pixels of shape (h, w, channels), decoded by TensorFlow (JPEG, PNG) or Pillow."""
    import tensorflow as tf
    from PIL import Image, ImageOps

    if not data.startswith((_JPEG, _PNG)):
        with Image.open(io.BytesIO(data)) as picture:
            return _converted(ImageOps.exif_transpose(picture), channels)
    with tf.device("CPU:0"):
        pixels = tf.io.decode_image(data, channels=channels, expand_animations=False).numpy()
    turned = _UPRIGHT.get(_orientation(data))
    return np.asarray(pixels if turned is None else turned(pixels))


def _orientation(data: bytes) -> int:
    """Return the EXIF orientation of a picture; 1 is upright."""
    from PIL import Image

    if data.startswith(_PNG) and b"eXIf" not in data:  # getexif would decode the whole picture
        return 1
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF data does not matter for the pixels
        return 1


def _converted(picture: Image, channels: int) -> NDArray[np.uint8]:
    """Return 8-bit pixels of the first frame; of 16 bits the upper eight, as TensorFlow does."""
    if picture.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits; an .npz file keeps them")
    if picture.mode.startswith("I;16"):
        from PIL import Image as Pillow

        picture = Pillow.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    mode = "L" if channels == 1 else "RGB"
    pixels: NDArray[np.uint8] = np.asarray(picture.convert(mode), np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels)


def _reason(error: Exception) -> str:
    """Return a short reason why a file cannot be read."""
    import tensorflow as tf

    text = str(error)
    if isinstance(error, tf.errors.OpError) or not text or "BytesIO" in text:
        return "damaged, or of another kind"
    return text.splitlines()[0][:100]


def _unreadable(failed: dict[Path, str]) -> str:
    """Return the message for unreadable files; with several, each on its own line."""
    lines = [f"{shown(path)}: cannot be read as a picture ({why})" for path, why in failed.items()]
    if len(lines) == 1:
        return f"{lines[0]}; replace it or move it away"
    return all_of(f"{len(lines)} files cannot be read; replace them or move them away", lines)


def all_of(head: str, lines: Sequence[str]) -> str:
    """Return a message of many lines, cut after the first fifty."""
    more = len(lines) - _MOST_NAMED
    rest = [f"and {more} more"] if more > 0 else []
    return "\n  ".join([head, *lines[:_MOST_NAMED], *rest])


def shown(path: Path) -> str:
    """Return a path as printable text for a message; its bytes need not be UTF-8."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)
