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
def mapped(dataset):
    """Return what another process would map."""
    fd = shared_dataset.share_dataset(dataset)
    yield shared_dataset.load_shared(shared_dataset.shared_path(fd), lambda: pytest.fail("shared"))
    os.close(fd)


def test_what_is_mapped_is_what_was_written(dataset, mapped):
    """All of it: the same fingerprint, names and groups."""
    assert mapped.fingerprint == dataset.fingerprint
    assert (mapped.name, mapped.class_names) == (dataset.name, dataset.class_names)
    assert type(mapped.x_train) is np.ndarray


def test_shared_rows_cannot_be_written_to(mapped):
    """One worker's mistake must not change another's data."""
    with pytest.raises(ValueError, match="read-only"):
        mapped.x_train[0] = 0


@pytest.mark.parametrize("path", ["", "/proc/1/fd/999999"])
def test_a_process_that_is_given_nothing_loads_its_own(dataset, path):
    """Where nothing was shared, or it cannot be opened."""
    assert shared_dataset.load_shared(path, lambda: dataset) is dataset
