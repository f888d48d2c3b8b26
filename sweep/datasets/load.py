"""``load_dataset``: read the data that a study file names; check, subset and scale it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.datasets.checks import check_choice, check_classes
from sweep.datasets.mapped_rows import MappedRows
from sweep.datasets.mapped_store import MEMORY, Memory
from sweep.datasets.picture_rows import COLORS, PictureOptions
from sweep.datasets.read_source import Source, read_source
from sweep.datasets.resizing import DEFAULT_RESIZE, RESIZES
from sweep.datasets.sampling import SAMPLES, one_against_rest, subset, with_positive
from sweep.datasets.scaling import SCALINGS, fit_scaling
from sweep.datasets.table_columns import ColumnNames
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
    path: str | None = None,
    label: str | None = None,
    split: str | None = None,
    group: str | None = None,
    image_size: int | Sequence[int] | None = None,
    color: str = "rgb",
    resize: str | None = None,
    memory: str | None = None,
    mapped_folder: Path | None = None,
    memory_limit: int | None = None,
    test_fraction: float = 0.2,
    flat: bool = False,
    seed: int = 0,
    allow: Collection[str] = (),
    folder: Path | None = None,
) -> Dataset:
    """Load a dataset, check it, and prepare it: first relabel, then subset, then scale.

    Parameters
    ----------
    dataset : str
        A name in :data:`DATASETS`; an ``.npz`` file with ``x_train``, ``y_train``, ``x_test``,
        ``y_test`` and perhaps ``class_names``; a ``.csv`` file; a folder of class folders; or
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
    path, label, split, group : str, optional
        Names of the columns of a ``.csv`` file: the picture's file, the class, ``train`` or
        ``test``, the group; :data:`sweep.datasets.table_columns.USUAL` has those looked for.
    image_size : int or (height, width), optional
        Size of a folder's pictures in pixels; by default their own where all have one, of at most
        256 pixels a side, else (32, 32).
    color : {"rgb", "grayscale"}
        How a folder's pictures are read.
    resize : {"squash", "crop", "pad"}, optional
        How pictures of other proportions come to that size: stretched (default), cut off at the
        edges, or with black added.
    memory : {"mapped", "ram"}, optional
        Where rows are kept: in a file of ``mapped_folder``, read where they are needed, or in
        memory; default: in memory if they take at most half of what is free. Rows in a file are
        :class:`sweep.datasets.mapped_rows.MappedRows`, not scaled.
    mapped_folder : Path, optional
        Folder for rows in files; without one all rows are in memory.
    memory_limit : int, optional
        Bytes of which rows in memory may take half, in place of the free memory.
    test_fraction : float, default=0.2
        Share of test rows where the source does not say which they are.
    flat : bool, default=False
        Whether rows are features, ``(n, features)``, in place of images.
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
    columns = ColumnNames(path, label, split, group)
    pictures = PictureOptions(image_size, color, resize)
    _check_choices(sample, scaling, memory, pictures, one_vs_rest, rest_rows)
    source = Source(
        dataset, folder, data_home, allow, groups, columns, pictures,
        Memory(memory, mapped_folder, memory_limit), test_fraction, seed,
    )  # fmt: skip
    data = read_source(source)
    if one_vs_rest is not None:
        data = one_against_rest(data, one_vs_rest, rest_rows, seed)
    data = subset(data, train_rows, test_rows, sample, seed)
    check_classes(data, 'ask for more rows or use sample = "stratified"')
    if positive is not None:
        data = with_positive(data, positive)
    return _scaled(data.flattened() if flat else data, scaling)


def _check_choices(
    sample: str,
    scaling: str,
    memory: str | None,
    pictures: PictureOptions,
    one_vs_rest: int | str | None,
    rest_rows: int | None,
) -> None:
    """Refuse unknown settings before anything large is read."""
    check_choice("sample", sample, SAMPLES)
    check_choice("memory", memory or "ram", MEMORY)
    check_choice("scaling", scaling, SCALINGS)
    check_choice("color", pictures.color, COLORS)
    check_choice("resize", pictures.resize or DEFAULT_RESIZE, RESIZES)
    if rest_rows is not None and one_vs_rest is None:
        raise DataError(f"rest_rows: only together with one_vs_rest, got {rest_rows!r} alone")


def _scaled(data: Dataset, kind: str) -> Dataset:
    """Scale training and test rows by the statistics of the training rows."""
    if kind == "none":
        return data
    if isinstance(data.x_train, MappedRows):
        raise DataError(
            f'scaling: rows on the disk are scaled by each fit, got {kind!r}; take "none" here'
        )
    scaling = fit_scaling(data.x_train, kind)
    return replace(data, x_train=scaling.apply(data.x_train), x_test=scaling.apply(data.x_test))
