"""Load the data of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.datasets import Dataset, load_dataset
from sweep.ledger.outcomes import DataRecord

if TYPE_CHECKING:
    from collections.abc import Collection

    from sweep.spec import StudySpec


def load_data(
    spec: StudySpec, data_home: str | None = None, allow: Collection[str] = ()
) -> Dataset:
    """Load a study's data without scaling: each fit scales by its own training rows."""
    settings = spec.data.model_dump(exclude={"scaling", "dataset"})
    return load_dataset(
        spec.data.dataset,
        **settings,
        data_home=data_home,
        seed=spec.study.seed,
        allow=allow,
        folder=spec.folder,
    )


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
