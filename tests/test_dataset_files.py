"""Datasets in .npz files, and the checks of every array."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from dataset_files import arrays, fake_keras, no_downloads, npz_files, paint, refused  # noqa: F401

from sweep.datasets import load_dataset
from sweep.errors import DataError


class Trap:
    """An object whose unpickling makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)

    @classmethod
    def array(cls, path):
        """30 traps in an array."""
        return np.array([cls(path)] * 30, dtype=object)


class TestNpz:
    def test_keras_layout(self, npz):
        """Four arrays make a dataset; labels become int64."""
        data = load_dataset(npz())
        assert (data.x_train == arrays()["x_train"]).all()
        assert (data.x_test == arrays()["x_test"]).all()
        assert data.y_train.dtype == np.int64

    def test_class_names(self, npz):
        """class_names name the sorted labels."""
        data = load_dataset(npz(class_names=np.array(["cat", "dog", "ox"])))
        assert data.class_names == ("cat", "dog", "ox")

    def test_path_beside_the_study_file(self, npz, tmp_path):
        """A relative path is looked for beside the study file."""
        npz()
        assert load_dataset("data.npz", folder=tmp_path).name == "data.npz"

    def test_groups(self, npz):
        """A named array becomes the groups, and follows the rows."""
        data = load_dataset(npz(patient=np.arange(30) // 2), groups="patient", train_rows=5)
        assert data.groups.tolist() == [0, 0, 1, 1, 2]

    def test_missing_groups(self, npz):
        """A groups array that is not there is named."""
        refused("missing: patient; there are: x_train", npz(), groups="patient")

    def test_groups_of_wrong_length(self, npz):
        """There is one group for each training row."""
        path = npz(patient=np.arange(29))
        refused(r"one value for each of the 30 training rows", path, groups="patient")

    def test_groups_of_wrong_kind(self, npz):
        """Groups are no fractions."""
        refused("groups must be whole numbers", npz(p=np.linspace(0, 1, 30)), groups="p")

    def test_missing_file(self, tmp_path):
        """A file that is not there is named."""
        refused(r"no such file: .*absent\.npz", str(tmp_path / "absent.npz"))

    def test_missing_arrays(self, npz):
        """All missing arrays are named at once."""
        refused("missing: x_test, y_test", npz(_drop=("x_test", "y_test")))

    def test_other_arrays_do_not_matter(self, npz):
        """Arrays that nobody asked for are not even read."""
        path = npz(notes=np.array([{"a": 1}], dtype=object))
        assert len(load_dataset(path).x_train) == 30

    @pytest.mark.parametrize("keep", [0, 10, 200, 1500])
    def test_truncated(self, npz, keep):
        """A file cut off anywhere is called broken."""
        path = Path(npz())
        path.write_bytes(path.read_bytes()[:keep])
        refused("must be a whole .npz file", str(path))

    @pytest.mark.parametrize("place", range(100, 1100, 250))
    def test_damaged(self, npz, place):
        """A file with flipped bytes inside is called broken."""
        path = Path(npz())
        content = bytearray(path.read_bytes())
        content[place : place + 20] = bytes(b ^ 0xFF for b in content[place : place + 20])
        path.write_bytes(content)
        with pytest.raises(DataError):
            load_dataset(str(path))

    def test_short_member(self, tmp_path, npz):
        """A member with fewer bytes than its header promises is refused with its name."""
        import zipfile

        source, target = npz(), tmp_path / "short.npz"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name)[: -7 if name == "x_train.npy" else None])
        refused("x_train must be as long as its header says", str(target))

    def test_member_without_header(self, tmp_path, npz):
        """A member that is no array is named."""
        import zipfile

        source, target = npz(_drop=("x_train",)), tmp_path / "text.npz"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
            new.writestr("x_train.npy", b"hello")
            for name in old.namelist():
                new.writestr(name, old.read(name))
        refused("x_train is no array", str(target))

    def test_plain_array_under_the_wrong_name(self, tmp_path):
        """A .npy file renamed to .npz is no .npz file."""
        np.save(tmp_path / "x.npy", np.ones((3, 3)))
        (tmp_path / "x.npy").rename(tmp_path / "x.npz")
        refused("must be a whole .npz file", str(tmp_path / "x.npz"))

    @pytest.mark.parametrize("where", ["x_train", "class_names", "patient"])
    def test_objects_are_never_unpickled(self, npz, tmp_path, where):
        """A booby-trapped object array is refused, and its trap does not spring."""
        path = npz(**{where: Trap.array(tmp_path / "sprung")})
        refused(f"{where} holds Python objects, which are never", path, groups="patient")
        assert not (tmp_path / "sprung").exists()

    def test_pickle_file_is_never_unpickled(self, tmp_path):
        """A pickle renamed to .npz is refused, and its trap does not spring."""
        (tmp_path / "x.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
        refused("must be a whole .npz file", str(tmp_path / "x.npz"))
        assert not (tmp_path / "sprung").exists()

    def test_the_trap_is_real(self, tmp_path):
        """Unpickling the trap would have made the file that the other tests look for."""
        pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))  # noqa: S301 - that is the point
        assert (tmp_path / "sprung").exists()


NAN = np.full((30, 4), np.nan)


class TestChecks:
    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"x_train": np.ones(30)}, r"x_train must have the shape \(n, features\)"),
            ({"x_train": np.ones((30, 2, 2, 2, 2))}, "x_train must have the shape"),
            ({"x_train": np.ones((30, 3, 8, 8))}, "1 to 4 channels .* move the channels last"),
            ({"x_train": np.ones((30, 5, 5))}, r"one shape, got \(5, 5\) and \(4, 4\)"),
            ({"x_train": np.ones((29, 4, 4))}, "x_train and y_train .* got 29 and 30"),
            ({"y_test": np.zeros(11, int)}, "x_test and y_test .* got 12 and 11"),
            ({"x_train": np.ones((0, 4, 4)), "y_train": np.ones(0)}, "at least one row"),
            ({"x_test": np.ones((0, 4, 4)), "y_test": np.ones(0)}, "x_test .* at least one row"),
            ({"x_train": np.ones((30, 0))}, "one pixel"),
            ({"x_train": np.full((30, 4, 4), np.nan)}, "x_train must be finite, got NaN or inf"),
            ({"x_test": np.full((12, 4, 4), -np.inf)}, "x_test must be finite"),
            ({"x_train": np.full((30, 4), "a")}, "x_train must hold real numbers, got dtype <U1"),
            ({"x_train": np.ones((30, 4), complex)}, "real numbers, got dtype complex128"),
            ({"y_train": np.eye(30, 3)}, r"y_train must have the shape .* argmax"),
            ({"y_train": np.array(5)}, "y_train must have the shape"),
            ({"y_train": NAN[:, 0]}, "y_train must have a label in every row"),
            ({"y_train": np.linspace(0, 1, 30)}, "whole numbers, .* only classification"),
            ({"y_train": np.full(30, 1e300)}, "y_train must be whole numbers, got 1e"),
            (
                {"y_train": np.full(30, "cat")},
                "whole numbers, or text as in the other part, got dty",
            ),
            ({"y_test": np.arange(12)}, r"got 3, 4, 5, 6, 7, ... \(9 in all\) in y_test only"),
            ({"y_train": np.zeros(30, int)}, "at least two classes, got only 0"),
            ({"class_names": np.array(["a", "b"])}, "each of the 3 classes .* got 2: a, b"),
            ({"class_names": np.array(["a", "b", "a"])}, "class_names must differ"),
            ({"class_names": np.arange(3)}, "class_names must be a list of strings"),
        ],
    )
    def test_broken_arrays(self, npz, changed, message):
        """Each broken rule is one clear error that names the file and the array."""
        path = npz(**changed)
        with pytest.raises(DataError, match=message) as caught:
            load_dataset(path)
        assert str(caught.value).startswith(path)

    def test_whole_floats_are_labels(self, npz):
        """1.0 is the label 1."""
        data = load_dataset(npz(y_train=(np.arange(30) % 3).astype(float)))
        assert data.y_train.dtype == np.int64
        assert data.classes == (0, 1, 2)

    @pytest.mark.parametrize("shape", [(16,), (4, 4), (4, 4, 1), (4, 4, 4)])
    def test_shapes_that_are_fine(self, npz, shape):
        """Flat rows and images of 1 to 4 channels pass."""
        found = arrays(shape=shape)
        assert load_dataset(npz(**found)).shape == shape

    def test_bytes_as_class_names(self, npz):
        """Names stored as bytes are read as text."""
        data = load_dataset(npz(class_names=np.array([b"a", b"b", b"c"])))
        assert data.class_names == ("a", "b", "c")


class TestWords:
    def test_mistyped_name(self):
        """A mistyped name is answered with the nearest one and all kinds of sources."""
        said = "nothing named 'mnits'; did you mean mnist.* a file.npz, a table.csv, a folder"
        refused(said, "mnits")

    @pytest.mark.parametrize(
        ("name", "remedy"),
        [
            ("labels.xlsx", 'read it in a function of your own .* "mine:load"'),
            ("x.npy", "read it in a function of your own"),
            ("photos.ZIP", "unpack it, and name the folder"),
            ("cat.jpg", "name the folder that holds a folder of pictures for each class"),
            ("own.py", 'name a function in it .* "own:function"'),
        ],
    )
    def test_another_file(self, tmp_path, name, remedy):
        """A file that is there is not called unknown: what can be read is said, and how to."""
        (tmp_path / name).write_text("file,label\n")
        said = f"{name} is a file, and the only files .* are .npz with x_train.*; {remedy}"
        refused(said, name, folder=tmp_path)
        refused(said, str(tmp_path / name))

    def test_empty_name(self):
        """An empty name is not the current folder."""
        refused("nothing named ''", "")

    @pytest.mark.parametrize("option", [{"image_size": 8}, {"color": "grayscale"}])
    def test_picture_options_elsewhere(self, npz, option):
        """Options that only pictures have are refused, not passed over."""
        refused("only for pictures in files", npz(), **option)


@pytest.mark.parametrize("value", [1e308, -1e300, 1e19])
def test_pixels_that_float32_cannot_calculate_with(npz, value):
    """Models calculate in float32, where such a pixel or its square would be inf."""
    pixels = arrays()["x_test"].astype(float)
    pixels[0, 0, 0] = value
    with pytest.raises(DataError, match="x_test must lie within 1e"):
        load_dataset(npz(x_test=pixels), scaling="unit")


def test_labels_of_half_precision(npz):
    """They are whole numbers like any, and no warning of NumPy's comes out."""
    labels = arrays()["y_train"].astype(np.float16)
    assert load_dataset(npz(y_train=labels)).classes == (0, 1, 2)
