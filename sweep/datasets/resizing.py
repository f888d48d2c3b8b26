"""Bring pictures to one size: the size that is chosen by default, three ways, and what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RESIZES = ("crop", "pad", "squash")
"""Ways to bring a picture of other proportions to the size: its edges are cut off, black is added,
or it is stretched. They are Keras's ``crop_to_aspect_ratio``, ``pad_to_aspect_ratio`` and default.
"""

DEFAULT_RESIZE = "squash"
DEFAULT_SIZE = (32, 32)
LARGEST_KEPT = 256
"""Most pixels of a side that pictures of one size keep unasked: Keras's own default size."""

_HOW = {
    "crop": "their edges cut off where proportions differ",
    "pad": "black added where proportions differ",
    "squash": 'stretched where proportions differ (resize = "crop" or "pad" keeps proportions)',
}


def asked_size(image_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Return height and width that a study asks for; None where it does not.

    Raises
    ------
    DataError
        For anything but a positive number of pixels, or two.
    """
    match image_size:
        case None:
            return None
        case bool():
            pass
        case int() if image_size > 0:
            return (image_size, image_size)
        case [int(height), int(width)] if height > 0 and width > 0:
            return (height, width)
    raise DataError(
        f"image_size: must be a positive number of pixels or [height, width], got {image_size!r}"
    )


def default_size(sizes: NDArray[np.int64]) -> tuple[int, int]:
    """Return the size of pictures where none is asked for: their own if it is one and not large."""
    if len(sizes) == 0 or (sizes != sizes[0]).any() or sizes[0].max() > LARGEST_KEPT:
        return DEFAULT_SIZE
    return (int(sizes[0, 0]), int(sizes[0, 1]))


def resized(pixels: NDArray[np.uint8], size: tuple[int, int], resize: str) -> NDArray[np.uint8]:
    """Return a picture in another size, bilinearly, as Keras's ``image_dataset_from_directory``.

    Parameters
    ----------
    pixels : ndarray of shape (h, w, channels), uint8
        One picture.
    size : tuple of int
        Height and width.
    resize : {"crop", "pad", "squash"}
        What is done where proportions differ.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):
        if resize == "pad":
            found = tf.image.resize_with_pad(pixels, *size)
        else:
            found = tf.image.resize(cropped(pixels, size) if resize == "crop" else pixels, size)
        values: NDArray[np.float32] = found.numpy()
    return np.rint(values).astype(np.uint8)


def cropped(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return the largest window in the middle of a picture that has the proportions of a size."""
    (height, width), (rows, columns) = pixels.shape[:2], size
    high = max(1, min(height, width * rows // columns))
    wide = max(1, min(width, height * columns // rows))
    top, left = (height - high) // 2, (width - wide) // 2
    return pixels[top : top + high, left : left + wide]


class Sizes(NamedTuple):
    """Sizes of pictures before they were resized.

    Attributes
    ----------
    low, high : (height, width)
        The smallest and the largest sides.
    differ : bool
        Whether some have other proportions than the size that they are resized to.
    """

    low: tuple[int, int]
    high: tuple[int, int]
    differ: bool

    @classmethod
    def of(cls, sizes: NDArray[np.int64], size: tuple[int, int]) -> Sizes:
        """Return those of pictures that are resized to a size."""
        height, width = size
        low, high = ((int(a), int(b)) for a, b in (sizes.min(axis=0), sizes.max(axis=0)))
        return cls(low, high, bool((sizes[:, 0] * width != sizes[:, 1] * height).any()))

    def joined(self, other: Sizes | None) -> Sizes:
        """Return those of these and of other pictures."""
        if other is None:
            return self
        low, high = (
            (choose(a[0], b[0]), choose(a[1], b[1]))
            for choose, a, b in ((min, self.low, other.low), (max, self.high, other.high))
        )
        return Sizes(low, high, self.differ or other.differ)

    @classmethod
    def from_plain(cls, plain: Any) -> Sizes:
        """Read what JSON has made of it."""
        low, high, differ = plain
        return cls((low[0], low[1]), (high[0], high[1]), bool(differ))


def resizing_note(sizes: Sizes, size: tuple[int, int], resize: str, *, asked: bool) -> str:
    """Return a note on how pictures change; empty where none does.

    Parameters
    ----------
    sizes : Sizes
        Of the pictures.
    size : tuple of int
        Height and width that they come to.
    resize : {"crop", "pad", "squash"}
        What is done where proportions differ.
    asked : bool
        Whether the study names the size.
    """
    if sizes.low == sizes.high == size:
        return ""
    low, high = (" x ".join(map(str, each)) for each in (sizes.low, sizes.high))
    span = low if low == high else f"{low} to {high}"
    height, width = size
    said = f"pictures of {span} pixels (height x width) are resized to {height} x {width}"
    parts = [said, *([_HOW[resize]] if sizes.differ else [])]
    hint = [] if asked else ["image_size = [height, width] in [data] sets another size"]
    return "; ".join([", ".join(parts), *hint])
