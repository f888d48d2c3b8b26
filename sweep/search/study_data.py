"""Load the data of a study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.datasets import Dataset, load_dataset
from sweep.datasets.mapped_rows import MappedRows
from sweep.ledger.outcomes import DataRecord
from sweep.storage.locations import mapped_folder

if TYPE_CHECKING:
    from collections.abc import Collection

    from sweep.spec import StudySpec

WHOLE = (
    "each fit reads its rows into memory all the same: steps, and classifiers that are not "
    "sweep's, take arrays; train_rows takes fewer"
)
"""A note on rows on the disk, for an estimator that cannot read them piece by piece."""


def load_data(
    spec: StudySpec,
    data_home: str | None = None,
    allow: Collection[str] = (),
    storage: str | None = None,
) -> Dataset:
    """Load a study's data without scaling: each fit scales by its own training rows.

    Parameters
    ----------
    spec : StudySpec
        The study.
    data_home : str, optional
        Folder with ``mnist.npz`` and the like.
    allow : collection of str
        Modules that the study may load code from.
    storage : str, optional
        Address of the ledger beside which large data are kept on the disk; without one they must
        fit into memory.
    """
    settings = spec.data.model_dump(exclude={"scaling", "dataset"})
    data = load_dataset(
        spec.data.dataset,
        **settings,
        data_home=data_home,
        mapped_folder=None if storage is None else mapped_folder(storage),
        memory_limit=spec.search.memory_limit,
        seed=spec.study.seed,
        allow=allow,
        folder=spec.folder,
    )
    if isinstance(data.x_train, MappedRows) and spec.facts is not None and spec.facts.prefix != "":
        return replace(data, notes=(*data.notes, WHOLE))
    return data


def data_record(dataset: Dataset) -> DataRecord:
    """Return the record of a dataset for the ledger."""
    return DataRecord(
        name=dataset.name,
        fingerprint=dataset.fingerprint,
        train_rows=len(dataset.y_train),
        test_rows=len(dataset.y_test),
        shape=tuple(int(side) for side in dataset.shape),
        classes=tuple(str(name) for name in dataset.class_names),
        class_counts=tuple(int(n) for n in dataset.class_counts),
        positive=dataset.positive_class,
        notes=tuple(str(note) for note in dataset.notes),
    )
