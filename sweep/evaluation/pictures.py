"""Collect the pictures of a study: training images, the winner's predictions, its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.ledger.pictures import Pictures, Shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOSAIC = 64
"""Number of random training images."""

ROWS = 15
"""Number of first test images, and of mistakes."""

SIDE = 48
"""Larger images are made smaller, so that a report can be sent by mail."""

KERNELS = (2, 16, 32)
"""Most convolutions to show, and most inputs and outputs of each."""


def training_pictures(x: NDArray[Any], y: NDArray[Any], seed: int) -> Pictures:
    """Return random training images with their labels; nothing if the rows are not images.

    Parameters
    ----------
    x : ndarray of shape (n, ...)
        Training rows.
    y : ndarray of shape (n,)
        Their labels.
    seed : int
        Seed of the random choice.
    """
    chosen = np.random.default_rng(seed).permutation(len(y))[:MOSAIC]
    images = pixels(x, chosen)
    if images is None:
        return Pictures()
    return Pictures({"training": Shown(images, np.searchsorted(np.unique(y), y[chosen]))})


def winner_pictures(
    estimator: Any, x: NDArray[Any], y: NDArray[Any], proba: NDArray[Any], last: Any = None
) -> Pictures:
    """Return the first test images, of all classes, the most confident mistakes, and filters.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    x : ndarray of shape (n, ...)
        Test rows.
    y : ndarray of shape (n,)
        Their labels.
    proba : ndarray of shape (n, classes)
        The estimator's predicted probabilities.
    last : estimator, optional
        Its last step, whose filters are shown if it is a classifier of sweep's; by default itself.
    """
    true, guess, sure = np.searchsorted(estimator.classes_, y), proba.argmax(1), proba.max(1)
    wrong = np.flatnonzero(guess != true)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:ROWS]
    shown = {}
    for name, rows in (("test", _first_of_each(true)), ("mistakes", worst)):
        images = pixels(x, rows)
        if images is not None and len(rows):
            shown[name] = Shown(images, true[rows], guess[rows], sure[rows].astype(float))
    last = estimator if last is None else last
    return Pictures(shown, _kernels(last) if hasattr(last, "named_weights") else {})


def _first_of_each(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first rows, in order, with at least one of each class as far as there is room."""
    first = np.sort(np.unique(labels, return_index=True)[1])[:ROWS]
    others = np.setdiff1d(np.arange(min(ROWS + len(first), len(labels))), first)
    return np.sort(np.concatenate([first, others[: ROWS - len(first)]]))


def weight_shapes(estimator: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return name (``"conv_1/kernel"``) and shape of each array of a fitted estimator's weights."""
    return tuple((name, tuple(map(int, array.shape))) for name, array in estimator.named_weights())


def pixels(x: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.uint8] | None:
    """Return some rows as uint8 images, one or three channels; None if the rows are not images.

    Other types are scaled so that the chosen rows range from 0 to 255.
    """
    images = np.asarray(x[rows])
    if images.ndim == 4:
        images = images if images.shape[3] == 3 else images[..., 0]
    if images.ndim not in (3, 4) or min(images.shape[1:3]) < 2:
        return None
    if images.dtype != np.uint8:
        low, high = float(np.min(images, initial=0)), float(np.max(images, initial=0))
        images = np.round((images - low) * (255 / ((high - low) or 1))).astype(np.uint8)
    return np.stack([_small(image) for image in images]) if len(images) else images


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if max(image.shape[:2]) <= SIDE:
        return image
    from PIL import Image

    scale = SIDE / max(image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    return np.asarray(Image.fromarray(image).resize(size))


def _kernels(estimator: Any) -> dict[str, NDArray[np.float32]]:
    count, inputs, outputs = KERNELS
    found = [(n, a) for n, a in estimator.named_weights() if a.ndim == 4 and "kernel" in n]
    shown = {name.partition("/")[0]: array for name, array in found[:count]}
    return {n: a[..., :inputs, :outputs].astype(np.float32) for n, a in shown.items()}
