"""Pictures for the report (images, predictions, filters), in files beside the ledger."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.storage.locations import artifacts_folder
from sweep.support import npz_archives

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Shown:
    """Some rows of a dataset, to be shown as images.

    Attributes
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
        Pixels.
    true : ndarray of shape (n,), int
        Indices of their labels among the classes.
    predicted : ndarray of shape (n,), int
        Indices of the predicted classes; empty where nothing was predicted.
    confidence : ndarray of shape (n,), float
        Probability of the predicted class; empty where nothing was predicted.
    """

    images: NDArray[np.uint8]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    confidence: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def is_valid(self) -> bool:
        """Whether the arrays fit each other: another program may have written the file."""
        count, pixels = len(self.true), self.images
        sides = pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] == 3)
        lengths = {len(self.predicted), len(self.confidence)} in ({count}, {0})
        return sides and pixels.dtype == np.uint8 and len(pixels) == count and lengths


@dataclass(frozen=True, eq=False)
class Pictures:
    """All pictures of a study.

    Attributes
    ----------
    shown : mapping of str to Shown
        ``"training"`` (random training rows), ``"test"`` (the first test rows) and ``"mistakes"``
        (test rows with the winner's most confident wrong predictions).
    kernels : mapping of str to ndarray of shape (height, width, inputs, outputs)
        Weights of the winner's first convolutions, by layer, in order.
    """

    shown: Mapping[str, Shown] = field(default_factory=dict)
    kernels: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


FIELDS = ("images", "true", "predicted", "confidence")


def data_pictures_path(url: str, name: str, uid: str = "") -> Path:
    """Return the path of the file with pictures of a study's data."""
    return artifacts_folder(url, name, uid) / "data-pictures.npz"


def winner_pictures_path(url: str, name: str, uid: str = "") -> Path:
    """Return the path of the file with pictures of the winner's predictions and filters."""
    return artifacts_folder(url, name, uid) / "winner-pictures.npz"


def save_pictures(path: Path, pictures: Pictures) -> None:
    """Write pictures as plain arrays; write no file where there are none."""
    arrays: dict[str, Any] = {
        f"{group}:{name}": getattr(shown, name)
        for group, shown in pictures.shown.items()
        for name in FIELDS
    }
    arrays |= {f"kernel:{layer}": kernel for layer, kernel in pictures.kernels.items()}
    if not arrays:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.stem}-{os.urandom(8).hex()}.part")
    try:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_pictures(url: str, name: str, uid: str = "") -> Pictures:
    """Return a study's pictures; leave out files that are missing, damaged or not sweep's."""
    paths = (data_pictures_path(url, name, uid), winner_pictures_path(url, name, uid))
    shown: dict[str, Shown] = {}
    kernels: dict[str, NDArray[np.float32]] = {}
    for arrays in map(_read, paths):
        groups = {key.partition(":")[0] for key in arrays} - {"kernel"}
        for group in sorted(groups):
            rows = Shown(*(arrays.get(f"{group}:{name}", np.empty(0)) for name in FIELDS))
            if rows.is_valid:
                shown[group] = rows
        found = {key.partition(":")[2]: a for key, a in arrays.items() if key[:7] == "kernel:"}
        kernels |= {layer: a for layer, a in found.items() if a.ndim == 4}
    return Pictures(shown, kernels)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return npz_archives.read_arrays(path)[1]
    except Exception:  # noqa: BLE001 - a damaged file fails anywhere from zipfile to array headers
        return {}
