"""Rows of datasets that are read from the disk: as those in memory, to the last bit."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dataset_files import arrays, no_downloads, npz_files, paint, refused  # noqa: F401
from pandas.testing import assert_frame_equal

import sweep
from sweep.datasets import load_dataset, mapped_rows, mapped_store
from sweep.datasets.mapped_rows import ArrayFile, MappedRows
from sweep.datasets.mapped_store import Memory
from sweep.errors import DataError
from sweep.ledger.ledger import Ledger
from sweep.storage.locations import mapped_folder
from sweep.study.cleanup import leftovers, remove_leftovers

X = np.random.default_rng(0).integers(0, 256, (60, 4, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Read a few rows at a time, so that small sets have many pieces."""
    monkeypatch.setattr(mapped_rows, "PIECE", 100)
    monkeypatch.setattr("sweep.training.backend.PIECE", 100)
    monkeypatch.setattr("sweep.datasets.npz.PIECE", 100)


@pytest.fixture
def rows(tmp_path):
    """Rows on the disk, the same as ``X``."""
    (tmp_path / "x").write_bytes(X.tobytes())
    return MappedRows(ArrayFile(tmp_path / "x", X.shape, "|u1"))


def both(dataset, folder, **options):
    """Load a dataset in memory and on the disk."""
    return (
        load_dataset(dataset, **options),
        load_dataset(dataset, memory="mapped", mapped_folder=folder / "mapped", **options),
    )


class TestRows:
    def test_they_are_read_as_an_array(self, rows):
        """Slices, single rows, masks and row numbers give the same rows as of an array."""
        order = np.random.default_rng(1).permutation(60)
        assert (rows.shape, rows.ndim, rows.size, rows.nbytes) == (X.shape, 3, X.size, X.nbytes)
        assert np.array_equal(rows[5:50:3], X[5:50:3])
        assert np.array_equal(rows[7], X[7])
        assert np.array_equal(rows[-1], X[-1])
        for key in (order, order[:7], order % 2 == 0, [3, 3, 1], np.zeros(0, int), slice(0, 0)):
            assert np.array_equal(np.asarray(rows[key]), X[key])
            assert np.array_equal(np.asarray(rows[order, ...][key]), X[order][key])

    def test_an_index_reads_nothing(self, rows, monkeypatch):
        """Taking rows does not touch the file."""
        monkeypatch.setattr(ArrayFile, "read", lambda *_: pytest.fail("read"))
        assert len(rows[np.arange(10)]) == 10

    def test_pieces(self, rows):
        """All rows in order, a multiple of some at a time."""
        pieces = list(rows.pieces(3))
        assert {len(piece) for piece in pieces} == {6}
        assert np.array_equal(np.concatenate(pieces), X)

    def test_conversions(self, rows):
        """Another type and shape of rows are those of the array."""
        assert np.array_equal(rows.astype(np.float32)[:9], X[:9].astype(np.float32))
        assert np.array_equal(rows.reshape(60, 12)[:9], X[:9].reshape(9, 12))
        assert rows.reshape(60, -1).shape == (60, 12)
        with pytest.raises(ValueError, match="do not fit"):
            rows.reshape(30, 24)

    def test_ends(self, rows, tmp_path):
        """Smallest and largest number, and NaN where there is one."""
        assert (rows.min(), rows.max()) == (X.min(), X.max())
        x = np.array([[1.0, 2.0]] * 20)
        x[13, 1] = np.nan
        (tmp_path / "n").write_bytes(x.tobytes())
        assert np.isnan(MappedRows(ArrayFile(tmp_path / "n", x.shape, "<f8")).max())

    def test_another_process_opens_the_file(self, rows):
        """What is handed over is the file's name and the row numbers."""
        again = pickle.loads(pickle.dumps(rows[np.arange(9, 3, -1)]))  # noqa: S301
        assert np.array_equal(np.asarray(again), X[9:3:-1])

    def test_a_file_that_has_become_shorter(self, rows, tmp_path):
        """It is an error of the data, and no end of the process."""
        os.truncate(tmp_path / "x", 100)
        with pytest.raises(DataError, match="it has become shorter"):
            rows[50:60]
        with pytest.raises(DataError, match="another length"):
            ArrayFile(tmp_path / "x", X.shape, "|u1")

    def test_everything_at_once_must_fit(self, rows, monkeypatch):
        """A step that needs an array gets one where it fits, else the reason."""
        assert np.array_equal(np.asarray(rows), X)
        monkeypatch.setattr(mapped_rows, "free_memory", lambda: 1000)
        with pytest.raises(DataError, match="this step needs them all in memory"):
            np.asarray(rows)


class TestStore:
    def test_rows_are_written_once(self, tmp_path, npz, monkeypatch):
        """A second run finds them by what the file holds, under whatever name it lies."""
        path = npz()
        load_dataset(path, memory="mapped", mapped_folder=tmp_path / "m")
        assert len(list((tmp_path / "m").iterdir())) == 2
        shutil.copy(path, tmp_path / "copy.npz")
        monkeypatch.setattr(Memory, "writing", lambda *_: pytest.fail("written again"))
        load_dataset(tmp_path / "copy.npz", memory="mapped", mapped_folder=tmp_path / "m")

    def test_other_contents_are_other_rows(self, tmp_path, npz):
        """A file that was changed in place is read anew, be its time and length the same."""
        path = npz()
        held = Path(path).stat()
        x = arrays()["x_train"]
        x[0] += 1
        first = load_dataset(path, memory="mapped", mapped_folder=tmp_path / "m").fingerprint
        npz(x_train=x)
        os.utime(path, ns=(held.st_atime_ns, held.st_mtime_ns))
        assert (
            first != load_dataset(path, memory="mapped", mapped_folder=tmp_path / "m").fingerprint
        )

    def test_a_damaged_copy_is_made_again(self, tmp_path, npz):
        """Rows that are too short, or without their facts, do not count."""
        path, folder = npz(), tmp_path / "m"
        wanted = load_dataset(path).fingerprint
        for damage in (lambda f: os.truncate(f / "rows", 5), lambda f: (f / "facts.json").unlink()):
            load_dataset(path, memory="mapped", mapped_folder=folder)
            for each in folder.iterdir():
                damage(each)
            again = load_dataset(path, memory="mapped", mapped_folder=folder)
            assert again.fingerprint == wanted

    def test_nothing_is_left_of_what_fails(self, tmp_path):
        """An error while rows are written leaves none behind."""
        memory = Memory("mapped", tmp_path / "m")
        with pytest.raises(TypeError), memory.writing("a" * 40, 10) as writer:
            writer.append(None)
        assert memory.find("a" * 40) is None
        assert not list((tmp_path / "m" / ("a" * 40)).iterdir())

    def test_no_room(self, tmp_path, npz, monkeypatch):
        """A disk without room is told before anything is written."""
        full = SimpleNamespace(free=2**20)
        monkeypatch.setattr(mapped_store.shutil, "disk_usage", lambda _: full)
        refused("of rows must fit there, and", npz(), memory="mapped", mapped_folder=tmp_path / "m")

    def test_no_folder(self, npz):
        """Without a folder nothing can be mapped."""
        refused('memory: "mapped" needs a folder', npz(), memory="mapped")
        refused("memory: must be one of", npz(), memory="disk")

    def test_rows_that_no_run_reads_are_leftovers(self, tmp_path, npz):
        """``sweep prune`` removes them after its days; those in use stay."""
        url = f"sqlite:///{tmp_path}/ledger.db"
        Ledger(url).close()
        folder = mapped_folder(url)
        load_dataset(npz(), memory="mapped", mapped_folder=folder)
        old, new = sorted(folder.iterdir())
        then = time.time() - 40 * 24 * 3600
        for each in (*old.iterdir(), old):
            os.utime(each, (then, then))
        (found,) = leftovers(url)
        assert found.path == old
        assert "no run has read these rows" in found.why
        remove_leftovers([found])
        assert list(folder.iterdir()) == [new]


class TestChoice:
    def test_above_half_of_the_free_memory(self, tmp_path, npz, monkeypatch):
        """Rows go to the disk by themselves, and it is said; smaller ones stay in memory."""
        path, size = npz(), (30 + 12) * 16
        for free, mapped in ((2 * size, False), (2 * size - 1, True)):
            monkeypatch.setattr(mapped_store, "free_memory", lambda free=free: free)
            data = load_dataset(path, mapped_folder=tmp_path / "m")
            assert isinstance(data.x_train, MappedRows) is mapped
            assert any("more than half of the memory" in note for note in data.notes) is mapped
        assert not isinstance(load_dataset(path).x_train, MappedRows)
        kept = load_dataset(path, memory="ram", mapped_folder=tmp_path / "m")
        assert not isinstance(kept.x_train, MappedRows)

    def test_the_limit_of_a_worker_counts(self, tmp_path, npz):
        """``memory_limit`` stands for the memory where a study names it."""
        data = load_dataset(npz(), mapped_folder=tmp_path / "m", memory_limit=1000)
        assert isinstance(data.x_train, MappedRows)


class TestSources:
    def same(self, one, other):
        assert isinstance(other.x_train, MappedRows)
        assert isinstance(other.x_test, MappedRows)
        assert one.fingerprint == other.fingerprint
        assert one.class_names == other.class_names
        assert other.notes[: len(one.notes)] == one.notes or other.notes[0].startswith(one.notes[0])

    @pytest.mark.parametrize(
        "kind", ["u1", "?", ">u2", "<f8", "f2", ">f4", "i8"], ids=lambda k: k.replace("?", "bool")
    )
    def test_npz(self, tmp_path, npz, kind):
        """Numbers of any type, in either byte order."""
        rng = np.random.default_rng(0)
        x = {
            key: rng.integers(0, 2, (n, 5, 4)).astype(kind)
            for key, n in (("x_train", 30), ("x_test", 12))
        }
        self.same(*both(npz(**x), tmp_path))

    def test_npz_column_by_column(self, tmp_path, npz):
        """What can only be read whole is refused with the remedy."""
        x = np.asfortranarray(arrays()["x_train"])
        refused("column by column", npz(x_train=x), memory="mapped", mapped_folder=tmp_path / "m")

    def test_npz_with_problems(self, tmp_path, npz):
        """The rules are those of arrays in memory."""
        x = arrays()["x_train"].astype(float)
        x[3, 1, 1] = np.inf
        options = {"memory": "mapped", "mapped_folder": tmp_path / "m"}
        refused("x_train must be finite", npz(x_train=x), **options)
        refused("missing: x_test", npz(_drop=["x_test"]), **options)
        refused("as many rows", npz(y_train=np.zeros(7, int)), **options)

    def test_pixels_of_a_table(self, tmp_path):
        """8-bit pixels of a table."""
        self.table(tmp_path, np.random.default_rng(0).integers(0, 256, (40, 6)))

    def test_features_of_a_table(self, tmp_path):
        """Features of a table."""
        self.table(tmp_path, np.random.default_rng(0).normal(size=(40, 6)))

    def table(self, folder, x):
        lines = [",".join(["label", *"abcdef"])]
        lines += [",".join(map(str, [row % 3, *cells])) for row, cells in enumerate(x.tolist())]
        (folder / "t.csv").write_text("\n".join(lines), "utf-8")
        self.same(*both(str(folder / "t.csv"), folder))
        self.same(*both(str(folder / "t.csv"), folder))

    def test_digits(self, tmp_path):
        """Built-in data, and a subset of it."""
        self.same(*both("digits", tmp_path, train_rows=100, sample="stratified", one_vs_rest=3))
        self.same(*both("digits", tmp_path, flat=True))

    @pytest.mark.parametrize("color", ["rgb", "grayscale"])
    def test_pictures(self, tmp_path, monkeypatch, color):
        """Pictures of other proportions; the second time they are found."""
        pytest.importorskip("tensorflow")
        for row in range(8):
            paint(tmp_path / "p" / "ant" / f"{row}.png", (row, 20, 30), (9, 5))
            paint(tmp_path / "p" / "bee" / f"{row}.png", (row, 120, 30), (4, 5))
        for _ in range(2):
            self.same(*both(str(tmp_path / "p"), tmp_path, color=color, image_size=6))

    def test_pictures_that_cannot_be_read(self, tmp_path):
        """They are named as always, and no rows are left behind."""
        pytest.importorskip("tensorflow")
        for row in range(4):
            paint(tmp_path / "p" / "ant" / f"{row}.png", (row, 20, 30))
            paint(tmp_path / "p" / "bee" / f"{row}.png", (row, 120, 30))
        for name in ("ant/9.png", "bee/9.png"):
            (tmp_path / "p" / name).write_text("no picture")
        options = {"memory": "mapped", "mapped_folder": tmp_path / "m"}
        refused("2 files cannot be read", str(tmp_path / "p"), **options)
        assert not [each for each in (tmp_path / "m").rglob("*") if each.is_file()]

    def test_scaling_is_left_to_the_fit(self, tmp_path, npz):
        """Scaled rows would all have to be in memory."""
        options = {"memory": "mapped", "mapped_folder": tmp_path / "m", "scaling": "unit"}
        refused("scaling: rows on the disk are scaled by each fit", npz(), **options)


@pytest.mark.tensorflow
class TestFits:
    @pytest.mark.parametrize(
        "params",
        [
            {}, {"scaling": "standardize"}, {"early_stopping": True, "validation_fraction": 0.3},
            {"fast": False}, {"batch_size": 7, "dropout_rate": 0.2}, {"batch_size": 1000},
            {"image_shape": (6, 2)}, {"optimizer": "sgd", "learning_rate": 0.1},
        ],
        ids=str,
    )  # fmt: skip
    @pytest.mark.parametrize("dtype", ["u1", "f8"])
    def test_a_fit_is_that_of_rows_in_memory(self, rows, tmp_path, params, dtype):
        """History and probabilities are equal to the last bit."""
        x = X.astype(dtype) / (1 if dtype == "u1" else 3)
        (tmp_path / "y").write_bytes(x.tobytes())
        disk = MappedRows(ArrayFile(tmp_path / "y", x.shape, x.dtype.str))
        order = np.random.default_rng(2).permutation(60)[:50]
        y = np.arange(60) % 3
        given = {"hidden_size": 5, "epochs": 3, "batch_size": 8, "random_state": 1, **params}
        one = sweep.KerasMLPClassifier(**given).fit(x[order], y[order])
        other = sweep.KerasMLPClassifier(**given).fit(disk[order], y[order])
        assert one.history_["loss"] == other.history_["loss"]
        assert one.n_features_in_ == other.n_features_in_
        assert np.array_equal(one.predict_proba(x), other.predict_proba(disk))
        assert np.array_equal(one.predict(x), one.predict(disk))

    def test_many_predictions(self, tmp_path):
        """More rows than are predicted at a time, in pieces of whole packets."""
        x = np.random.default_rng(0).integers(0, 256, (1000, 6), dtype=np.uint8)
        (tmp_path / "y").write_bytes(x.tobytes())
        disk = MappedRows(ArrayFile(tmp_path / "y", x.shape, "|u1"))
        for fast in (True, False):
            model = sweep.KerasMLPClassifier(hidden_size=5, epochs=1, random_state=1, fast=fast)
            model.fit(x, np.arange(1000) % 2)
            assert np.array_equal(model.predict_proba(x), model.predict_proba(disk))

    def test_rows_of_another_shape(self, rows):
        """They are refused as those in memory are."""
        model = sweep.KerasMLPClassifier(hidden_size=2, epochs=1).fit(rows, np.arange(60) % 2)
        with pytest.raises(ValueError, match="rows must have shape"):
            model.predict(rows.reshape(60, 3, 4))


STUDY = {
    "study": {"name": "s"},
    "data": {"dataset": "digits", "train_rows": 300, "test_rows": 100, "scaling": "standardize"},
    "model": {"factory": "mlp", "batch_size": 32},
    "search": {"method": "grid", "cv": 3},
    "space": {"epochs": [1, 2], "hidden_size": [4, 8]},
}


def untimed(frame):
    """Return a table without what differs from run to run."""
    return frame[[n for n in frame.columns if not re.search("time|seconds|started|finished", n)]]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "search",
    [{"cv": 3}, {"method": "random", "trials": 4, "pruner": "median", "validation": 0.2}],
    ids=["grid", "pruned"],
)
def test_a_study_has_the_same_table(tmp_path, monkeypatch, search):
    """Rows on the disk change no score, no choice and no test score; the record tells of them."""
    monkeypatch.chdir(tmp_path)
    asked = {"method": "grid", **search}
    found = []
    for memory in ("ram", "mapped"):
        study = {**STUDY, "data": {**STUDY["data"], "memory": memory}, "search": asked}
        found.append(sweep.run_study(study, storage=f"{memory}.db", n_jobs=1, name=memory))
    ram, mapped = found
    assert_frame_equal(untimed(ram.frame), untimed(mapped.frame))
    assert_frame_equal(untimed(ram.folds), untimed(mapped.folds))
    assert ram.test_score_ == mapped.test_score_
    assert ram.record.data.fingerprint == mapped.record.data.fingerprint
    assert any("are read from the disk" in note for note in mapped.record.data.notes)
    again = {**STUDY, "data": {**STUDY["data"], "memory": "ram"}, "search": asked}
    sweep.run_study(again, storage="mapped.db", n_jobs=1, name="mapped")


@pytest.mark.parametrize("options", [{}, {"memory": "mapped"}])
def test_other_members_of_a_file_may_be_anything(tmp_path, options):
    """As where no rows are kept on the disk: a list of Python objects, a picture."""
    labels = np.tile([0, 1, 2], 20)
    named = {"x_train": X, "y_train": labels, "x_test": X, "y_test": labels}
    np.savez(tmp_path / "a.npz", **named, sources=np.array([{"from": 1}, None], dtype=object))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("readme.txt", "by hand")
    found = load_dataset(tmp_path / "a.npz", mapped_folder=tmp_path / "m", **options)
    assert np.array_equal(np.asarray(found.x_train), X)
