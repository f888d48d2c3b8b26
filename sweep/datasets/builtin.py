"""The built-in datasets, which a study file names without a path."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sweep.datasets.checks import checked
from sweep.datasets.dataset import Dataset
from sweep.datasets.npz import read_npz
from sweep.datasets.sampling import split_test
from sweep.errors import DataError
from sweep.support.file_names import expanded
from sweep.support.keras_configuration import keras_home
from sweep.support.tensorflow_loading import load_tensorflow

if TYPE_CHECKING:
    from pathlib import Path

DATASETS = {
    "cifar10": "CIFAR-10: 32x32 color photographs of ten kinds of things, 50,000 + 10,000 rows",
    "digits": "scikit-learn's bundled 8x8 handwritten digits, 1,437 + 360 rows, no download",
    "fashion_mnist": "Fashion-MNIST: 28x28 gray pictures of ten kinds of clothes, 60,000 + 10,000",
    "mnist": "MNIST: 28x28 gray handwritten digits, 60,000 + 10,000 rows",
}
"""Built-in names, each with one line about it."""

_DIGITS = tuple("0123456789")
_NAMES = {
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    "digits": _DIGITS,
    "fashion_mnist": (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    "mnist": _DIGITS,
}


def read_builtin(
    name: str, data_home: str | os.PathLike[str] | None, groups: str | None
) -> Dataset:
    """Read one of :data:`DATASETS`, checked and with its class names.

    ``digits`` ships with scikit-learn. For the others the order is: ``<name>.npz`` in the data
    home, the same file in Keras's cache, a download by Keras.

    Parameters
    ----------
    name : str
        One of the built-in names.
    data_home : path, optional
        A folder; default: the environment variable ``SWEEP_DATA_HOME``.
    groups : str, optional
        Name of the array of groups in the data home's file.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        When the data is not found and cannot be downloaded, or is damaged.
    """
    if name == "digits":
        raw = _digits()
    else:
        path = home_file(name, data_home)
        raw = _from_keras(name) if path is None else read_npz(path, name, groups)
    if groups and raw.groups is None:
        raise DataError(f"groups: {name} has no array {groups!r}; leave groups out")
    return _named(raw, _NAMES[name])


def _named(raw: Dataset, names: tuple[str, ...]) -> Dataset:
    """Return the dataset with the class names of the labels that occur."""
    dataset = checked(replace(raw, class_names=()))
    if dataset.class_names != tuple(map(str, dataset.classes)):
        raise DataError(f"{raw.name}: labels must be numbers, got {', '.join(dataset.class_names)}")
    wrong = [label for label in dataset.classes if not 0 <= label < len(names)]
    if wrong:
        raise DataError(
            f"{raw.name}: labels must lie between 0 and {len(names) - 1}, got {wrong[0]}"
        )
    return replace(dataset, class_names=tuple(names[label] for label in dataset.classes))


def _digits() -> Dataset:
    """Return scikit-learn's digits, scaled from 0..16 to 0..255, in a fixed stratified split."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = np.rint(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    train, test = split_test(labels, 0.2, seed=0)  # the seed is fixed: the data are the same always
    return Dataset("digits", images[train], labels[train], images[test], labels[test], ())


def home_file(name: str, data_home: str | os.PathLike[str] | None) -> Path | None:
    """Return the file in the data home or in Keras's cache; None where neither has it."""
    home = data_home or os.environ.get("SWEEP_DATA_HOME")
    folders = [keras_cache()]
    if home:
        folders.insert(0, _data_home(expanded(home)))
    paths = [folder / f"{name}.npz" for folder in folders]
    return next((path for path in paths if path.is_file()), None)


def _data_home(folder: Path) -> Path:
    """Return the folder; refuse one that does not exist, else a typing error starts a download."""
    if not folder.is_dir():
        raise DataError(
            f"data home: must be a folder, got {folder}; mend SWEEP_DATA_HOME or --data-home"
        )
    return folder


def keras_cache() -> Path:
    """Return the folder of Keras's downloads."""
    return keras_home() / "datasets"


def _from_keras(name: str) -> Dataset:
    """Load a dataset with Keras, which downloads it if needed."""
    load_tensorflow()
    try:
        import keras

        # Keras draws a progress bar on stdout, which belongs to the command's own output.
        with redirect_stdout(sys.stderr):
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise DataError(
            f"{name}: not found, and Keras could not download it "
            f"({type(error).__name__}: {_first_line(error)}); set SWEEP_DATA_HOME or --data-home "
            f"to a folder with {name}.npz, or connect so that Keras can download it"
        ) from error
    (x_train, y_train), (x_test, y_test) = train, test
    return Dataset(name, x_train, y_train, x_test, y_test, ())


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message, shortened."""
    return (str(error).strip().splitlines() or [""])[0][:200]
