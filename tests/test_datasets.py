"""Datasets: the built-in ones, and those of a function of one's own."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from dataset_files import arrays, fake_keras, no_downloads, npz_files, paint, refused  # noqa: F401

import sweep.datasets
from sweep.datasets import DATASETS, Dataset, load_dataset
from sweep.errors import DataError, ReferenceError_


class TestFace:
    def test_public_names(self):
        """The face shows five names, sorted."""
        names = ["DATASETS", "Dataset", "Scaling", "fit_scaling", "load_dataset"]
        assert sweep.datasets.__all__ == names == sorted(names)

    def test_built_in_names(self):
        """There are four built-in datasets, each with one line."""
        assert list(DATASETS) == ["cifar10", "digits", "fashion_mnist", "mnist"]
        assert all(line and "\n" not in line for line in DATASETS.values())


class TestDataset:
    def test_properties(self, npz):
        """Shape, classes and counts describe the training rows."""
        data = load_dataset(npz(y_train=np.repeat([5, 2, 9], 10), y_test=np.repeat([2], 12)))
        assert data.shape == (4, 4)
        assert data.classes == (2, 5, 9)
        assert data.class_counts == (10, 10, 10)
        assert data.class_names == ("2", "5", "9")

    def test_frozen(self, npz):
        """Nobody changes a dataset in passing."""
        with pytest.raises(FrozenInstanceError):
            load_dataset(npz()).name = "other"

    def test_pixels_keep_their_dtype(self, npz):
        """uint8 stays uint8, float32 stays float32."""
        assert load_dataset(npz()).x_train.dtype == np.uint8
        floats = {"x_train": np.ones((30, 2), "f4"), "x_test": np.ones((12, 2), "f4")}
        assert load_dataset(npz(**floats)).x_train.dtype == np.float32

    def test_big_endian_pixels_become_native(self, npz):
        """Byte order of the file does not travel on; the values do."""
        x = np.arange(30 * 16, dtype=">i2").reshape(30, 4, 4)
        data = load_dataset(npz(x_train=x))
        assert data.x_train.dtype.isnative
        assert (data.x_train == x).all()

    def test_boolean_pixels_become_numbers(self, npz):
        """Black-and-white masks are 0 and 1."""
        data = load_dataset(npz(x_train=np.eye(30, 4, dtype=bool), x_test=np.ones((12, 4), bool)))
        assert data.x_train.dtype == np.uint8
        assert data.x_train.sum() == 4

    def test_fingerprint_is_of_the_arrays(self, npz):
        """The same arrays under another file name have the same fingerprint."""
        one, two = load_dataset(npz("a.npz")), load_dataset(npz("b.npz"))
        assert one.fingerprint == two.fingerprint
        assert len(one.fingerprint) == len(hashlib.sha256().hexdigest())

    @pytest.mark.parametrize("field", ["x_train", "y_train", "x_test", "y_test"])
    def test_fingerprint_changes_with_each_array(self, npz, field):
        """One changed value in any array shows."""
        data = load_dataset(npz())
        changed = getattr(data, field).copy()
        changed.flat[-1] += 1
        assert replace(data, **{field: changed}).fingerprint != data.fingerprint

    def test_fingerprint_sees_dtype_shape_and_groups(self, npz):
        """The same bytes in another form are other data."""
        data = load_dataset(npz())
        forms = [
            replace(data, x_train=data.x_train.view(np.int8)),
            replace(data, x_train=data.x_train.reshape(30, 16)),
            replace(data, groups=np.array(["a", "b"] * 15)),
        ]
        assert len({data.fingerprint, *(form.fingerprint for form in forms)}) == 4

    def test_fingerprint_ignores_memory_order(self, npz):
        """Fortran order and strides are no difference."""
        data = load_dataset(npz())
        turned = replace(data, x_train=np.asfortranarray(data.x_train))
        assert turned.fingerprint == data.fingerprint


class TestDigits:
    def test_bundled(self):
        """Digits need no file: 1,437 + 360 rows of 8x8, 0..255, all ten classes in each."""
        data = load_dataset("digits")
        assert data.x_train.shape == (1437, 8, 8)
        assert data.x_test.shape == (360, 8, 8)
        assert data.x_train.dtype == np.uint8
        assert (data.x_train.min(), data.x_train.max()) == (0, 255)
        assert data.class_names == tuple("0123456789")
        assert min(Counter(data.y_test.tolist()).values()) >= 34

    def test_split_never_changes(self):
        """The split is fixed, whatever the seed."""
        assert load_dataset("digits", seed=1).fingerprint == load_dataset("digits").fingerprint

    def test_no_row_is_on_both_sides(self):
        """Training and test part together are scikit-learn's rows, each once."""
        from sklearn.datasets import load_digits

        data = load_dataset("digits")
        both = np.concatenate([data.x_train, data.x_test]).reshape(-1, 64)
        whole = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
        assert sorted(map(bytes, both)) == sorted(map(bytes, whole))


class TestKerasNames:
    def test_data_home_argument_before_environment(self, npz, tmp_path, monkeypatch):
        """--data-home wins over SWEEP_DATA_HOME."""
        npz("mnist.npz")
        monkeypatch.setenv("SWEEP_DATA_HOME", str(tmp_path / "nowhere"))
        assert len(load_dataset("mnist", data_home=tmp_path).x_train) == 30

    def test_environment_names_the_data_home(self, npz, tmp_path, monkeypatch):
        """SWEEP_DATA_HOME is enough."""
        npz("mnist.npz")
        monkeypatch.setenv("SWEEP_DATA_HOME", str(tmp_path))
        data = load_dataset("mnist")
        assert (data.name, data.class_names) == ("mnist", ("0", "1", "2"))

    def test_missing_data_home_is_no_reason_to_download(self, tmp_path):
        """A mistyped folder is an error of its own."""
        refused("data home: must be a folder, got", "mnist", data_home=tmp_path / "nowhere")

    def test_keras_cache_is_used(self, npz, tmp_path, monkeypatch):
        """What Keras downloaded before is found without Keras."""
        (tmp_path / "datasets").mkdir()
        npz("datasets/mnist.npz")
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setitem(sys.modules, "keras", None)
        assert len(load_dataset("mnist").x_train) == 30

    def test_keras_is_asked_last(self, monkeypatch, capsys):
        """Keras downloads what is nowhere, and its progress bar stays off stdout."""
        found = arrays(classes=10, shape=(32, 32, 3))

        def load_data():
            print("Downloading data")  # noqa: T201 - as Keras does
            column = found["y_train"][:, None], found["y_test"][:, None]
            return (found["x_train"], column[0]), (found["x_test"], column[1])

        fake_keras(monkeypatch, load_data)
        data = load_dataset("cifar10")
        assert data.y_train.shape == (30,)
        assert data.class_names[::9] == ("airplane", "truck")
        assert capsys.readouterr().out == ""

    def test_fashion_names(self, npz, tmp_path):
        """Fashion-MNIST's classes carry their published names, by label."""
        npz("fashion_mnist.npz", y_train=np.arange(30) % 3 + 7, y_test=np.full(12, 9))
        data = load_dataset("fashion_mnist", data_home=tmp_path)
        assert data.class_names == ("sneaker", "bag", "ankle boot")

    def test_label_outside_the_names(self, npz, tmp_path):
        """A file under a built-in name has its labels."""
        npz("mnist.npz", y_train=np.arange(30) % 12)
        refused("mnist: labels must lie between 0 and 9, got 10", "mnist", data_home=tmp_path)

    def test_text_under_a_built_in_name(self, npz, tmp_path):
        """A built-in dataset's classes are named by their numbers, so text is refused."""
        words = np.where(np.arange(30) % 2, "three", "five")
        npz("mnist.npz", y_train=words, y_test=words[:12])
        refused("mnist: labels must be numbers, got five, three", "mnist", data_home=tmp_path)

    def test_without_network(self, monkeypatch):
        """One error names both ways out."""

        def load_data():
            raise Exception("URL fetch failure on https://example.org: None")  # noqa: TRY002

        fake_keras(monkeypatch, load_data)
        with pytest.raises(DataError) as caught:
            load_dataset("mnist")
        message = str(caught.value)
        assert "SWEEP_DATA_HOME or --data-home to a folder with mnist.npz" in message
        assert "connect so that Keras can download it" in message
        assert "\n" not in message

    def test_groups_of_a_download(self, monkeypatch):
        """A downloaded dataset has no groups."""
        found = arrays()
        parts = (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
        fake_keras(monkeypatch, lambda: parts)
        refused("groups: mnist has no array 'writer'", "mnist", groups="writer")


class TestReference:
    @pytest.fixture
    def returns(self, tmp_path, monkeypatch):
        """A function that writes a module whose ``load`` has this body, and names it."""

        def write(body):
            lines = ["import numpy as np", "from sweep.datasets import Dataset"]
            lines += ["x, y = np.ones((6, 4)), np.arange(6) % 2", "def load():", f"    {body}"]
            (tmp_path / "own_data.py").write_text("\n".join(lines))
            monkeypatch.delitem(sys.modules, "own_data", raising=False)
            return {"dataset": "own_data:load", "allow": ["own_data"], "folder": tmp_path}

        yield write
        sys.modules.pop("own_data", None)

    def test_tuple_as_keras_returns_it(self, returns):
        """Two pairs are training and test part."""
        data = load_dataset(**returns("return (x, y), (x[:2], y[:2])"))
        assert (len(data.x_train), len(data.x_test)) == (6, 2)
        assert data.name == "own_data:load"

    def test_mapping(self, returns):
        """A mapping may bring names and groups."""
        body = (
            "return dict(x_train=x, y_train=y, x_test=x, y_test=y, "
            "class_names=['a', 'b'], groups=np.array(list('ppqqrr'), dtype=object))"
        )
        data = load_dataset(**returns(body))
        assert data.class_names == ("a", "b")
        assert data.groups.tolist() == list("ppqqrr")

    def test_mapping_with_named_groups(self, returns):
        """``groups`` names the array that holds them."""
        body = "return dict(x_train=x, y_train=y, x_test=x, y_test=y, patient=[1, 1, 2, 2, 3, 3])"
        data = load_dataset(**returns(body), groups="patient")
        assert data.groups.tolist() == [1, 1, 2, 2, 3, 3]

    def test_dataset(self, returns):
        """A Dataset is taken as it is, and checked."""
        data = load_dataset(**returns("return Dataset('own', x, y, x, y, ('no', 'yes'))"))
        assert (data.name, data.class_names) == ("own", ("no", "yes"))

    def test_lists_are_arrays(self, returns):
        """Lists of lists will do."""
        body = "return (x.tolist(), y.tolist()), (x.tolist(), y.tolist())"
        assert load_dataset(**returns(body)).x_train.shape == (6, 4)

    def test_needs_permission(self, returns):
        """A module that the person did not allow is not loaded."""
        with pytest.raises(ReferenceError_, match="allow"):
            load_dataset(**(returns("return 1") | {"allow": []}))

    def test_what_it_raises_is_told(self, returns):
        """An error of the function becomes one message that names it."""
        refused("own_data:load: raised KeyError: 'gone'", **returns("raise KeyError('gone')"))

    def test_own_data_errors_pass_through(self, returns):
        """A DataError that the function raises stays as it is."""
        body = "from sweep.errors import DataError; raise DataError('mind the gap')"
        refused("^mind the gap$", **returns(body))

    def test_something_else(self, returns):
        """Anything else it returns is refused by its type."""
        refused("must return a Dataset, a mapping .* got int", **returns("return 5"))

    def test_mapping_without_arrays(self, returns):
        """A mapping without the four arrays names the missing ones."""
        refused("missing: y_train, x_test, y_test", **returns("return {'x_train': x}"))

    def test_ragged_rows(self, returns):
        """Rows of unlike lengths are no array."""
        refused("unlike shapes", **returns("return ([[1], [1, 2]], [0, 1]), (x, y)"))

    def test_groups_that_are_not_there(self, returns):
        """A tuple cannot bring groups."""
        options = returns("return (x, y), (x, y)")
        refused("groups: own_data:load returns no array 'p'", **options, groups="p")


class TestRealData:
    @pytest.fixture
    def real(self):
        """The folder with the real files, or a skip that says why."""
        home = os.environ.get("SWEEP_DATA_HOME")
        if not home:
            pytest.skip("SWEEP_DATA_HOME does not name a folder with mnist.npz and cifar10.npz")
        return Path(home)

    @pytest.fixture
    def file(self, real, request):
        """Skip where this one file is missing."""
        if not (real / f"{request.param}.npz").is_file():
            pytest.skip(f"SWEEP_DATA_HOME holds no {request.param}.npz")
        return request.param

    @pytest.mark.parametrize("file", ["mnist"], indirect=True)
    def test_mnist(self, file):
        """MNIST as everybody knows it."""
        data = load_dataset(file)
        assert data.x_train.shape == (60000, 28, 28)
        assert data.x_test.shape == (10000, 28, 28)
        assert data.y_train[:5].tolist() == [5, 0, 4, 1, 9]
        assert data.class_counts[6] == 5918

    @pytest.mark.parametrize("file", ["mnist"], indirect=True)
    def test_mnist_statistics(self, file):
        """Its pixels have mean 33.3184 and deviation 78.5675."""
        scaling = sweep.datasets.fit_scaling(load_dataset(file).x_train, "standardize")
        assert scaling.shift == pytest.approx(33.3184, abs=1e-4)
        assert scaling.scale == pytest.approx(78.5675, abs=1e-4)

    @pytest.mark.parametrize("file", ["mnist"], indirect=True)
    def test_six_against_the_rest(self, file):
        """All 5,918 sixes and 6,000 others train; all 10,000 test."""
        data = load_dataset(file, one_vs_rest=6, rest_rows=6000, scaling="unit")
        assert len(data.x_train) == 11918
        assert data.class_counts == (6000, 5918)
        assert data.class_names == ("not 6", "6")
        assert Counter(data.y_test.tolist()) == {0: 9042, 1: 958}
        assert (data.x_train.min(), data.x_train.max()) == (0, 1)

    @pytest.mark.parametrize("file", ["cifar10"], indirect=True)
    def test_cifar10(self, file):
        """CIFAR-10's labels are flattened and named."""
        data = load_dataset(file)
        assert data.shape == (32, 32, 3)
        assert data.y_train.ndim == 1
        assert data.class_names == (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        )


def test_a_dataset_is_not_compared_by_value(npz):
    """Two datasets are the same by fingerprint; ``==`` asks for the same object."""
    one, two = load_dataset(npz()), load_dataset(npz())
    assert isinstance(one, Dataset)
    assert one != two
    assert one == one  # noqa: PLR0124 - identity is the claim
