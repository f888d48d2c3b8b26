"""Folders of class folders, read by Keras's ``image_dataset_from_directory``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.dataset import Dataset
from sweep.datasets.sampling import split_test
from sweep.errors import DataError
from sweep.quiet import load_tensorflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLORS = ("grayscale", "rgb")
"""How pictures are read: one channel, which is squeezed away, or three."""

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_BATCH = 256


@dataclass(frozen=True)
class _Pictures:
    """Pictures of one folder, in the sorted order of their paths, and their classes."""

    x: NDArray[np.uint8]
    y: NDArray[Any]
    names: tuple[str, ...]


def read_folder(
    folder: Path,
    name: str,
    *,
    image_size: int | Sequence[int] | None,
    color: str,
    test_fraction: float,
    seed: int,
) -> Dataset:
    """Read pictures, each in the folder of its class.

    The folder holds either class folders, or ``train`` and ``test`` with the same class folders
    in each (whatever else lies beside the two is left alone).

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Name of the dataset.
    image_size : int or (height, width), optional
        Pixels that every picture is resized to, bilinearly; (32, 32) without it.
    color : {"grayscale", "rgb"}
        Rows of shape (h, w) or (h, w, 3).
    test_fraction : float
        Without ``test`` folder: the part of the rows, stratified, that becomes test rows.
    seed : int
        Decides which.

    Returns
    -------
    Dataset
        ``uint8`` pixels; not checked yet.

    Raises
    ------
    DataError
        For a folder without pictures, a single class, and a file that is no readable picture,
        with its name.
    """
    size = _size(image_size)
    if all(_class_folders(folder / part) for part in ("train", "test")):
        train, test = (_read(folder / part, size, color) for part in ("train", "test"))
        return _of_two(folder, name, train, test)
    _check_fraction(test_fraction)
    both = _read(folder, size, color)
    _check_splittable(folder, both)
    rows, held_out = split_test(both.y, test_fraction, seed)
    x, y = both.x, both.y
    return Dataset(name, x[rows], y[rows], x[held_out], y[held_out], both.names)


def _of_two(folder: Path, name: str, train: _Pictures, test: _Pictures) -> Dataset:
    """Training and test pictures that were apart already."""
    if train.names != test.names:
        raise DataError(
            f"{folder}: train and test must hold the same class folders, got "
            f"{', '.join(train.names)} and {', '.join(test.names)}"
        )
    return Dataset(name, train.x, train.y, test.x, test.y, train.names)


def _size(image_size: int | Sequence[int] | None) -> tuple[int, int]:
    """Height and width in pixels."""
    match image_size:
        case None:
            return (32, 32)
        case bool():
            pass
        case int() if image_size > 0:
            return (image_size, image_size)
        case [int(height), int(width)] if height > 0 and width > 0:
            return (height, width)
    raise DataError(
        f"image_size: must be a positive number of pixels or [height, width], got {image_size!r}"
    )


def _check_fraction(test_fraction: float) -> None:
    """Refuse a test part of nothing or everything."""
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction: must lie between 0 and 1, got {test_fraction!r}")


def _check_splittable(folder: Path, pictures: _Pictures) -> None:
    """Refuse a class whose only picture cannot be on both sides."""
    for name, count in zip(pictures.names, np.bincount(pictures.y), strict=True):
        if count == 1:
            raise DataError(
                f"{folder / name}: a class needs at least 2 pictures, one to train and one to "
                f"test on, got 1"
            )


def _class_folders(folder: Path) -> list[Path]:
    """List the folders in it that Keras takes for classes."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _read(folder: Path, size: tuple[int, int], color: str) -> _Pictures:
    """All pictures of one folder of class folders."""
    _check_files(folder)
    load_tensorflow()
    from keras.utils import image_dataset_from_directory

    batches = image_dataset_from_directory(
        str(folder),
        color_mode=color,
        batch_size=_BATCH,
        image_size=size,
        shuffle=False,
        data_format="channels_last",
        verbose=False,
    )
    pixels, labels = _collect(batches)
    names = tuple(batches.class_names)
    return _Pictures(pixels[..., 0] if color == "grayscale" else pixels, labels, names)


def read_picture(path: Path, size: tuple[int, int], channels: int) -> NDArray[np.float32]:
    """Read one picture as those of a folder are read: decoded and resized by TensorFlow.

    Parameters
    ----------
    path : Path
        The file.
    size : tuple of int
        Height and width in pixels.
    channels : {1, 3}
        Grey or colours.

    Returns
    -------
    ndarray of shape (height, width, channels), float32
        Whole numbers from 0 to 255.

    Raises
    ------
    DataError
        If it is no picture that TensorFlow can decode.
    """
    load_tensorflow()
    import tensorflow as tf

    try:
        data = tf.io.read_file(str(path))
        image = tf.io.decode_image(data, channels=channels, expand_animations=False)
        resized = tf.image.resize(image, size).numpy()
    except (tf.errors.OpError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a picture") from error
    return np.asarray(np.rint(resized), np.float32)


def _check_files(folder: Path) -> None:
    """Refuse what Keras would pass over without a word."""
    classes = _class_folders(folder)
    loose = sorted(p for p in folder.iterdir() if p.is_file() and _is_picture(p))
    if loose:
        raise DataError(f"{loose[0]}: must lie in the folder of its class")
    if len(classes) < 2:
        raise DataError(
            f"{folder}: must hold at least two class folders, got "
            f"{', '.join(path.name for path in classes) or 'none'}"
        )
    for path in classes:
        _check_class(path)


def _check_class(folder: Path) -> None:
    """Refuse an empty class, and a file in it that is no picture by its name."""
    # As Keras walks: into folders within, but not through links.
    files = sorted(Path(root) / name for root, _, names in os.walk(folder) for name in names)
    if odd := [p for p in files if not _is_text(p)]:
        shown = os.fsencode(odd[0]).decode("utf-8", "replace")
        raise DataError(f"{shown}: a picture's name must be UTF-8 text; rename it")
    other = [p for p in files if not _is_picture(p) and not p.name.startswith(".")]
    if other:
        raise DataError(
            f"{other[0]}: must be a picture ({' '.join(_SUFFIXES)}); convert it or move it away"
        )
    if not any(_is_picture(path) for path in files):
        raise DataError(f"{folder}: must hold pictures ({' '.join(_SUFFIXES)}), got none")


def _is_text(path: Path) -> bool:
    """Whether TensorFlow, which takes names as UTF-8, can open it."""
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def _is_picture(path: Path) -> bool:
    """Whether Keras would read it, by its name."""
    return path.name.lower().endswith(_SUFFIXES)


def _collect(batches: Any) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """All batches as two arrays; a picture that TensorFlow cannot decode is named."""
    import tensorflow as tf

    pixels, labels = [], []
    try:
        for images, classes in batches.as_numpy_iterator():
            pixels.append(np.rint(images).astype(np.uint8))
            labels.append(classes)
    except tf.errors.OpError as error:
        raise DataError(_unreadable(batches.file_paths)) from error
    return np.concatenate(pixels), np.concatenate(labels)


def _unreadable(paths: Sequence[str]) -> str:
    """Name the first picture that TensorFlow itself cannot decode."""
    import tensorflow as tf

    for path in paths:
        try:
            tf.io.decode_image(tf.io.read_file(path), expand_animations=False)
        except tf.errors.OpError:
            return f"{path}: cannot be read as a picture; replace it or move it away"
    return f"{Path(paths[0]).parent}: a picture in or beside this folder cannot be resized"
