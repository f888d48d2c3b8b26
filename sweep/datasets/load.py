"""``load_dataset``: read the data that a study file names; check, subset and scale it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.datasets.builtin import read_builtin
from sweep.datasets.checks import check_choice, check_classes, checked
from sweep.datasets.folders import COLORS, read_folder
from sweep.datasets.loader_function import read_reference
from sweep.datasets.npz import read_npz
from sweep.datasets.sampling import SAMPLES, one_against_rest, subset, with_positive
from sweep.datasets.scaling import SCALINGS, fit_scaling
from sweep.datasets.sources import kind_of, path_of
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sweep.datasets.dataset import Dataset


def load_dataset(
    dataset: str,
    *,
    data_home: str | os.PathLike[str] | None = None,
    train_rows: int | None = None,
    test_rows: int | None = None,
    sample: str = "first",
    scaling: str = "none",
    one_vs_rest: int | str | None = None,
    rest_rows: int | None = None,
    positive: int | str | None = None,
    groups: str | None = None,
    image_size: int | Sequence[int] | None = None,
    color: str = "rgb",
    test_fraction: float = 0.2,
    seed: int = 0,
    allow: Collection[str] = (),
    folder: Path | None = None,
) -> Dataset:
    """Load a dataset, check it, and prepare it: first relabel, then subset, then scale.

    Parameters
    ----------
    dataset : str
        A name in :data:`DATASETS`; an ``.npz`` file with ``x_train``, ``y_train``, ``x_test``,
        ``y_test`` and perhaps ``class_names``; a folder of class folders; or
        ``"module:function"``.
    data_home : path, optional
        Folder with ``mnist.npz`` and the like; default: ``SWEEP_DATA_HOME``.
    train_rows, test_rows : int, optional
        Rows to keep; default: all.
    sample : {"first", "stratified"}
        The first rows in file order, or rows drawn in proportion to the classes.
    scaling : {"none", "standardize", "unit"}
        Other than ``"none"``: ``float32`` pixels, scaled by the statistics of the training rows.
    one_vs_rest : int or str, optional
        A class, by label or name, that becomes 1; all others become 0.
    rest_rows : int, optional
        Training rows of the other classes to keep, drawn at random; all rows of that class stay.
    positive : int or str, optional
        The positive class of two, by label or name, for precision, recall and the like; default:
        the second one, as in scikit-learn.
    groups : str, optional
        Name of the array with the group of each training row.
    image_size : int or (height, width), optional
        Size of a folder's pictures in pixels; default (32, 32).
    color : {"rgb", "grayscale"}
        How a folder's pictures are read.
    test_fraction : float, default=0.2
        Share of test rows where the folder has no ``test`` folder.
    seed : int, default=0
        Seed of all random draws.
    allow : collection of str
        Modules that the user allows to be loaded.
    folder : Path, optional
        Folder of the study file: relative paths and modules are looked for there first.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        When the data is missing or damaged, or does not fit these parameters.
    ReferenceError_
        When a ``"module:function"`` may not be, or cannot be, loaded.

    Examples
    --------
    >>> load_dataset("digits", train_rows=100).x_train.shape
    (100, 8, 8)
    """
    dataset = os.fspath(dataset)
    _check_choices(sample, scaling, color, one_vs_rest, rest_rows)
    if kind_of(dataset, folder) == "folder":
        if groups is not None:
            raise DataError(f"groups: a folder of pictures has no array {groups!r}; use an .npz")
        path = path_of(dataset, folder)
        data = checked(
            read_folder(
                path,
                dataset,
                image_size=image_size,
                color=color,
                test_fraction=test_fraction,
                seed=seed,
            )
        )
    else:
        _check_no_pictures(dataset, image_size, color)
        data = _read_arrays(dataset, data_home, groups, allow, folder)
    if one_vs_rest is not None:
        data = one_against_rest(data, one_vs_rest, rest_rows, seed)
    data = subset(data, train_rows, test_rows, sample, seed)
    check_classes(data, 'ask for more rows or use sample = "stratified"')
    if positive is not None:
        data = with_positive(data, positive)
    return _scaled(data, scaling)


def _check_choices(
    sample: str, scaling: str, color: str, one_vs_rest: int | str | None, rest_rows: int | None
) -> None:
    """Refuse unknown settings before anything large is read."""
    check_choice("sample", sample, SAMPLES)
    check_choice("scaling", scaling, SCALINGS)
    check_choice("color", color, COLORS)
    if rest_rows is not None and one_vs_rest is None:
        raise DataError(f"rest_rows: only together with one_vs_rest, got {rest_rows!r} alone")


def _check_no_pictures(dataset: str, image_size: int | Sequence[int] | None, color: str) -> None:
    """Refuse options for pictures that would otherwise be ignored silently."""
    if image_size is not None or color != "rgb":
        raise DataError(
            f"image_size, color: only for a folder of pictures, and {dataset} is none; "
            f"leave them out"
        )


def _read_arrays(
    dataset: str,
    data_home: str | os.PathLike[str] | None,
    groups: str | None,
    allow: Collection[str],
    folder: Path | None,
) -> Dataset:
    """Return a dataset from any source but a folder of pictures, checked."""
    kind = kind_of(dataset, folder)
    if kind == "builtin":
        return read_builtin(dataset, data_home, groups)
    if kind == "npz":
        return checked(read_npz(path_of(dataset, folder), dataset, groups))
    return checked(read_reference(dataset, groups, allow, folder))


def _scaled(data: Dataset, kind: str) -> Dataset:
    """Scale training and test rows by the statistics of the training rows."""
    if kind == "none":
        return data
    scaling = fit_scaling(data.x_train, kind)
    return replace(data, x_train=scaling.apply(data.x_train), x_test=scaling.apply(data.x_test))
