"""The data of the file that was read last: equal to what is in the file, at every moment."""

import os
import time

import numpy as np
import pytest

from sweep.datasets import load_dataset
from sweep.datasets.last_file import last_file
from sweep.support import npz_archives


@pytest.fixture
def reads(monkeypatch):
    """Keep the last file in this process for one test; count how often arrays are read."""
    monkeypatch.setattr(last_file, "_enabled", True)
    monkeypatch.setattr(last_file, "_held", None)
    found, read = [], npz_archives._array

    def counted(*args):
        found.append(1)
        return read(*args)

    monkeypatch.setattr(npz_archives, "_array", counted)
    return found


def written(path, seed, age=10.0):
    """Write a small dataset, as old as asked."""
    draws = np.random.default_rng(seed)
    x, y = draws.integers(0, 255, (40, 4, 4), dtype=np.uint8), np.arange(40) % 2
    np.savez(path, x_train=x[:30], y_train=y[:30], x_test=x[30:], y_test=y[30:])
    os.utime(path, (time.time() - age,) * 2)
    return x[:30]


def test_a_file_is_read_once_while_it_is_the_same(tmp_path, reads, monkeypatch):
    """Equal arrays without another reading; nobody can change what the next one gets."""
    monkeypatch.setattr("sweep.datasets.last_file.SETTLED_SECONDS", 0)
    x = written(tmp_path / "d.npz", 0)
    for _ in range(3):
        found = load_dataset(str(tmp_path / "d.npz"))
        np.testing.assert_array_equal(found.x_train, x)
        with pytest.raises(ValueError, match="read-only"):
            found.x_train[0] = 0
    assert len(reads) == 4


@pytest.mark.parametrize("age", [0, 10])
def test_a_file_that_changes_is_read_again(tmp_path, reads, age, monkeypatch):
    """Also one of the same size, replaced or overwritten, with an old time stamp."""
    monkeypatch.setattr("sweep.datasets.last_file.SETTLED_SECONDS", 0)
    path = tmp_path / "d.npz"
    for seed in range(4):
        x = written(path, seed, age)
        np.testing.assert_array_equal(load_dataset(str(path)).x_train, x)
    assert len(reads) == 16


def test_a_file_that_was_changed_just_now_is_not_kept(tmp_path, reads):
    """A clock's tick may hide the next change; `ctime` cannot be set back."""
    written(tmp_path / "d.npz", 0, age=10)
    for _ in range(2):
        load_dataset(str(tmp_path / "d.npz"))
    assert len(reads) == 8


def test_another_question_reads_the_file_again(tmp_path, reads, monkeypatch):
    """Groups are another array of it."""
    monkeypatch.setattr("sweep.datasets.last_file.SETTLED_SECONDS", 0)
    path = tmp_path / "d.npz"
    written(path, 0)
    with np.load(path) as found:
        np.savez(path, **found, writer=np.arange(30) % 3)
    assert load_dataset(str(path)).groups is None
    assert len(load_dataset(str(path), groups="writer").groups) == 30


def test_a_command_keeps_nothing(tmp_path, reads, monkeypatch):
    """It reads its data once."""
    monkeypatch.setattr(last_file, "_enabled", False)
    written(tmp_path / "d.npz", 0)
    for _ in range(2):
        assert load_dataset(str(tmp_path / "d.npz")).x_train.flags.writeable
    assert last_file._held is None
