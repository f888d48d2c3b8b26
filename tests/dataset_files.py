"""Arrays, files and pictures that the tests of datasets share; no test downloads anything."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from sweep.datasets import load_dataset
from sweep.errors import DataError


def arrays(train=30, test=12, classes=3, shape=(4, 4), seed=0):
    """Arrays in Keras's layout; every class occurs in both parts."""
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        "y_train": (np.arange(train) % classes).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        "y_test": (np.arange(test) % classes).astype(np.uint8),
    }


@pytest.fixture(name="npz")
def npz_files(tmp_path):
    """A function that writes arrays, some replaced, and returns the file's path."""

    def write(_name="data.npz", _drop=(), **changed):
        content = {k: v for k, v in (arrays() | changed).items() if k not in _drop}
        np.savez(tmp_path / _name, **content)
        return str(tmp_path / _name)

    return write


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch, tmp_path_factory, request):
    """Keep every test away from the person's own data home, Keras cache and the network."""
    if "real" not in request.fixturenames:
        monkeypatch.delenv("SWEEP_DATA_HOME", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras_home")))


def fake_keras(monkeypatch, load_data):
    """Put a module in Keras's place, so that no test needs TensorFlow or a network."""
    keras = ModuleType("keras")
    names = ("mnist", "cifar10", "fashion_mnist")
    keras.datasets = SimpleNamespace(**{n: SimpleNamespace(load_data=load_data) for n in names})
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setattr("sweep.datasets.builtin.load_tensorflow", lambda: None)


def refused(match, dataset, **options):
    """Check that loading fails with a DataError that says so."""
    with pytest.raises(DataError, match=match):
        load_dataset(dataset, **options)


def paint(path, value, size=(6, 5), mode="RGB"):
    """Write a picture of one color."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
