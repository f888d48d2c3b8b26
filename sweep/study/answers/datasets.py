"""What ``sweep data`` and the service say about datasets: which there are, what one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sweep.datasets import Dataset

BUNDLED, DOWNLOADED = "bundled", "download"


def dataset_sources(data_home: str | os.PathLike[str] | None) -> list[dict[str, Any]]:
    """Return the built-in datasets: name, where it comes from, its file, a line about it.

    Parameters
    ----------
    data_home : path, optional
        Folder with ``mnist.npz`` and the like; default: ``SWEEP_DATA_HOME``.
    """
    from sweep.datasets.builtin import DATASETS, home_file

    rows = []
    for name, about in DATASETS.items():
        path = None if name == "digits" else home_file(name, data_home)
        source = BUNDLED if name == "digits" else _kind(path)
        where = None if path is None else str(path)
        rows.append({"name": name, "source": source, "file": where, "about": about})
    return rows


def dataset_facts(dataset: Dataset) -> dict[str, Any]:
    """Return what a dataset holds, as ``sweep data NAME --format json`` prints it."""
    return {
        "name": dataset.name,
        "train_rows": len(dataset.y_train),
        "test_rows": len(dataset.y_test),
        "shape": list(dataset.shape),
        "dtype": str(dataset.x_train.dtype),
        "classes": dict(zip(dataset.class_names, dataset.class_counts, strict=True)),
        "notes": list(dataset.notes),
        "fingerprint": dataset.fingerprint,
    }


def _kind(path: Path | None) -> str:
    from sweep.datasets.builtin import keras_cache

    if path is None:
        return DOWNLOADED
    return "Keras cache" if path.parent == keras_cache() else "data home"
