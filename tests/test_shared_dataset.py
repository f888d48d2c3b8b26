"""The dataset that processes share."""

import os
import sys

import numpy as np
import pytest

from sweep.datasets import Dataset
from sweep.workers import shared_dataset

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is Linux's")


@pytest.fixture
def dataset():
    """Return a small dataset with groups."""
    x = np.arange(240, dtype=np.uint8).reshape(10, 4, 6)
    y = np.arange(10) % 2
    return Dataset("own", x[:8], y[:8], x[8:], y[8:], ("a", "b"), np.arange(8) // 2)


@pytest.fixture
def mapped(dataset, monkeypatch):
    """Return what another process would map."""
    monkeypatch.setattr(shared_dataset, "_held", [])
    fd = shared_dataset.share_dataset(dataset)
    shared_dataset.hold(fd)
    os.close(fd)
    return shared_dataset.held(lambda: pytest.fail("it is held"))


def test_what_is_mapped_is_what_was_written(dataset, mapped):
    """All of it: the same fingerprint, names and groups."""
    assert mapped.fingerprint == dataset.fingerprint
    assert (mapped.name, mapped.class_names) == (dataset.name, dataset.class_names)
    assert type(mapped.x_train) is np.ndarray


def test_shared_rows_cannot_be_written_to(mapped):
    """One worker's mistake must not change another's data."""
    with pytest.raises(ValueError, match="read-only"):
        mapped.x_train[0] = 0


def test_a_process_that_holds_nothing_loads_its_own(dataset, monkeypatch):
    """Where workers are spawned."""
    monkeypatch.setattr(shared_dataset, "_held", [])
    assert shared_dataset.held(lambda: dataset) is dataset
