"""Datasets: every source, every subset, every check."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections import Counter
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sweep.datasets
from sweep.datasets import DATASETS, Dataset, load_dataset
from sweep.datasets.sampling import split_test, stratified_rows
from sweep.errors import DataError, ReferenceError_


def arrays(train=30, test=12, classes=3, shape=(4, 4), seed=0):
    """Arrays in Keras's layout; every class occurs in both parts."""
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        "y_train": (np.arange(train) % classes).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        "y_test": (np.arange(test) % classes).astype(np.uint8),
    }


@pytest.fixture
def npz(tmp_path):
    """A function that writes arrays, some replaced, and returns the file's path."""

    def write(_name="data.npz", _drop=(), **changed):
        content = {k: v for k, v in (arrays() | changed).items() if k not in _drop}
        np.savez(tmp_path / _name, **content)
        return str(tmp_path / _name)

    return write


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch, tmp_path_factory, request):
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
        refused("missing: patient, there are: x_train", npz(), groups="patient")

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


class TestSubsets:
    def test_first_rows(self, npz):
        """``train_rows`` and ``test_rows`` are the first in file order."""
        data = load_dataset(npz(), train_rows=7, test_rows=4)
        assert (data.x_train == arrays()["x_train"][:7]).all()
        assert (data.x_test == arrays()["x_test"][:4]).all()

    def test_names_of_lost_classes_go(self, npz):
        """A class that the subset lost is named no more."""
        path = npz(y_train=np.repeat([0, 1, 2], 10), class_names=np.array(["a", "b", "c"]))
        data = load_dataset(path, train_rows=20, test_rows=2)
        assert data.class_names == ("a", "b")

    def test_stratified(self, npz):
        """A stratified sample is proportionate and in file order."""
        y = np.repeat([0, 1, 2], [18, 9, 3])
        x = np.arange(30)[:, None]
        options = {"train_rows": 10, "sample": "stratified"}
        data = load_dataset(npz(y_train=y, x_train=x, x_test=x[:12]), **options)
        assert data.class_counts == (6, 3, 1)
        assert (np.diff(data.x_train[:, 0]) > 0).all()

    def test_stratified_is_seeded(self, npz):
        """The seed alone decides which rows."""
        path, options = npz(), {"train_rows": 12, "sample": "stratified"}
        prints = [load_dataset(path, seed=s, **options).fingerprint for s in (0, 0, 1)]
        assert prints[0] == prints[1] != prints[2]

    @given(
        counts=st.lists(st.integers(1, 40), min_size=2, max_size=6),
        part=st.floats(0, 1),
        seed=st.integers(0, 5),
    )
    def test_stratified_keeps_every_class(self, counts, part, seed):
        """Any number of rows: as many as asked, distinct, each class at least once."""
        y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
        n = len(counts) + round(part * (len(y) - len(counts)))
        rows = stratified_rows(y, n, np.random.default_rng(seed))
        assert len(rows) == len(set(rows.tolist())) == n
        assert len(np.unique(y[rows])) == len(counts)
        assert (np.diff(rows) > 0).all()

    @given(
        counts=st.lists(st.integers(2, 40), min_size=2, max_size=6),
        fraction=st.floats(0.01, 0.99),
    )
    def test_a_split_has_every_class_on_both_sides(self, counts, fraction):
        """Any test fraction leaves a row of each class to train and one to test on."""
        y = np.repeat(np.arange(len(counts)), counts)
        train, test = split_test(y, fraction, seed=0)
        assert sorted([*train, *test]) == list(range(len(y)))
        assert len(np.unique(y[train])) == len(np.unique(y[test])) == len(counts)

    @pytest.mark.parametrize("key", ["train_rows", "test_rows"])
    def test_more_rows_than_there_are(self, npz, key):
        """The error says both numbers."""
        there = {"train_rows": 30, "test_rows": 12}[key]
        refused(f"{key}: there are {there} rows, got 99", npz(), **{key: 99})

    @pytest.mark.parametrize("rows", [0, -3, 2.5, True])
    def test_rows_that_are_no_number_of_rows(self, npz, rows):
        """Only whole numbers from 1 on."""
        refused("train_rows: must be a whole number of at least 1", npz(), train_rows=rows)

    def test_stratified_sample_too_small(self, npz):
        """Fewer rows than classes cannot be stratified."""
        options = {"train_rows": 2, "sample": "stratified"}
        refused("a row of each of the 3 classes, got 2", npz(), **options)

    def test_subset_that_loses_a_test_class(self, npz):
        """Test labels that the subset no longer trains on are refused, with the way out."""
        path = npz(y_train=np.repeat([0, 1, 2], 10))
        refused(
            r'got 2 in y_test only; ask for more rows or use sample = "strat', path, train_rows=15
        )

    def test_subset_with_one_class(self, npz):
        """A subset of one class cannot be learned."""
        path = npz(y_train=np.repeat([0, 1, 2], 10))
        refused("at least two classes, got only 0", path, train_rows=5)

    @pytest.mark.parametrize(
        ("key", "allowed"),
        [("sample", "first, stratified"), ("scaling", "none, standardize, unit")],
    )
    def test_unknown_words(self, npz, key, allowed):
        """An unknown word is answered with the allowed ones."""
        refused(f"{key}: must be one of {allowed}, got 'x'", npz(), **{key: "x"})


class TestOneAgainstRest:
    def test_labels_and_names(self, npz):
        """The class becomes 1, all others 0, and both have names."""
        data = load_dataset(npz(class_names=np.array(["cat", "dog", "ox"])), one_vs_rest="dog")
        assert data.y_train.tolist() == [0, 1, 0] * 10
        assert data.y_test.tolist() == [0, 1, 0] * 4
        assert data.class_names == ("not dog", "dog")

    @pytest.mark.parametrize("one", [1, "1", "dog"])
    def test_by_label_or_name(self, npz, one):
        """A class is found by its label or its name."""
        path = npz(class_names=np.array(["cat", "dog", "ox"]))
        assert load_dataset(path, one_vs_rest=one).class_names == ("not dog", "dog")

    def test_rest_rows(self, npz):
        """All rows of the class stay, so many others with them, in file order."""
        x = np.arange(30)[:, None]
        path = npz(x_train=x, x_test=x[:12], group=np.arange(30))
        data = load_dataset(path, one_vs_rest=1, rest_rows=4, groups="group")
        assert data.class_counts == (4, 10)
        assert data.y_train.tolist() == [int(i % 3 == 1) for i in data.x_train[:, 0]]
        assert (np.diff(data.x_train[:, 0]) > 0).all()
        assert (data.groups == data.x_train[:, 0]).all()
        assert len(data.x_test) == 12

    def test_rest_rows_are_seeded(self, npz):
        """The seed alone decides which others."""
        path, options = npz(), {"one_vs_rest": 1, "rest_rows": 6}
        prints = [load_dataset(path, seed=s, **options).fingerprint for s in (0, 0, 1)]
        assert prints[0] == prints[1] != prints[2]

    def test_before_subsets(self, npz):
        """The subset counts relabelled rows."""
        options = {"one_vs_rest": 1, "train_rows": 4, "sample": "stratified"}
        assert load_dataset(npz(), **options).class_counts == (3, 1)

    @pytest.mark.parametrize("one", [7, "seven", True])
    def test_no_such_class(self, npz, one):
        """An unknown class is answered with the known ones."""
        refused("one_vs_rest: no class .* there are: 0, 1, 2", npz(), one_vs_rest=one)

    def test_too_many_rest_rows(self, npz):
        """There cannot be more others than there are."""
        refused("rest_rows: there are 20 rows, got 21", npz(), one_vs_rest=1, rest_rows=21)

    def test_rest_rows_alone(self, npz):
        """Without a class there is no rest."""
        refused("rest_rows: only together with one_vs_rest", npz(), rest_rows=5)


class TestScaled:
    def test_training_rows_alone_decide(self, npz):
        """Test rows are scaled by what the kept training rows say."""
        x = np.array([[0.0], [2.0], [50.0]] * 10)
        path = npz(x_train=x, x_test=np.full((12, 1), 3.0))
        data = load_dataset(path, scaling="standardize", train_rows=2, test_rows=2)
        assert data.x_train.tolist() == [[-1.0], [1.0]]
        assert data.x_test.tolist() == [[2.0], [2.0]]
        assert data.x_test.dtype == np.float32


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
            ({"y_train": NAN[:, 0]}, "y_train must be whole numbers, got nan"),
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
        refused("nothing named 'mnits'; did you mean mnist.* a file.npz, a folder", "mnits")

    @pytest.mark.parametrize(
        ("name", "remedy"),
        [
            ("labels.csv", 'read it in a function of your own .* "mine:load"'),
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
        refused("only for a folder of pictures", npz(), **option)


def paint(path, value, size=(6, 5), mode="RGB"):
    """Write a picture of one color."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


class TestFolderWithoutTensorFlow:
    @pytest.fixture(autouse=True)
    def _no_keras(self, monkeypatch):
        """What can be told by the names of the files needs no Keras."""
        monkeypatch.setitem(sys.modules, "keras", None)

    def test_empty_folder(self, tmp_path):
        """A folder without class folders is refused."""
        refused("at least two class folders, got none", str(tmp_path))

    def test_one_class(self, tmp_path):
        """One class folder is not enough."""
        paint(tmp_path / "cat" / "1.png", (1, 2, 3))
        refused("at least two class folders, got cat", str(tmp_path))

    def test_empty_class(self, tmp_path):
        """A class folder without pictures is named."""
        paint(tmp_path / "cat" / "1.png", (1, 2, 3))
        (tmp_path / "dog").mkdir()
        refused(r"dog: must hold pictures .* got none", str(tmp_path))

    def test_other_file(self, tmp_path):
        """A file that is no picture by its name is named."""
        paint(tmp_path / "cat" / "1.png", (1, 2, 3))
        (tmp_path / "cat" / "notes.txt").write_text("meow")
        paint(tmp_path / "dog" / "1.png", (1, 2, 3))
        refused(r"notes\.txt: must be a picture", str(tmp_path))

    def test_loose_picture(self, tmp_path):
        """A picture outside every class folder is named."""
        for name in ("cat", "dog"):
            paint(tmp_path / name / "1.png", (1, 2, 3))
        paint(tmp_path / "loose.png", (1, 2, 3))
        refused(r"loose\.png: must lie in the folder of its class", str(tmp_path))

    @pytest.mark.parametrize("size", [0, -1, "big", [3], [3, 0], True, [1.5, 2]])
    def test_image_size(self, tmp_path, size):
        """A size is a positive number of pixels, or two."""
        refused("image_size: must be a positive number", str(tmp_path), image_size=size)

    @pytest.mark.parametrize("fraction", [0, 1, -0.5, 2])
    def test_fraction(self, tmp_path, fraction):
        """The test part is neither nothing nor everything."""
        refused("test_fraction: must lie between 0 and 1", str(tmp_path), test_fraction=fraction)

    def test_color(self, tmp_path):
        """Colors are rgb or grayscale."""
        refused("color: must be one of grayscale, rgb, got 'cmyk'", str(tmp_path), color="cmyk")

    def test_groups(self, tmp_path):
        """A folder has no groups."""
        refused("groups: a folder of pictures has no array 'p'", str(tmp_path), groups="p")


@pytest.mark.tensorflow
class TestFolder:
    @pytest.fixture
    def zoo(self, tmp_path):
        """Ten cats of one color each, and ten dogs."""
        for i in range(10):
            paint(tmp_path / "cat" / f"{i}.png", (10 + i, 20, 30))
            paint(tmp_path / "dog" / f"{i}.jpg", (200, 210, 220))
        (tmp_path / "README.txt").write_text("cats and dogs")
        (tmp_path / "cat" / ".DS_Store").write_text("")
        return tmp_path

    def test_class_folders(self, zoo):
        """Pictures become uint8 rows; a stratified fifth of them becomes the test set."""
        data = load_dataset(str(zoo), image_size=8)
        assert data.x_train.shape == (16, 8, 8, 3)
        assert data.x_train.dtype == np.uint8
        assert data.class_names == ("cat", "dog")
        assert data.class_counts == (8, 8)
        assert Counter(data.y_test.tolist()) == {0: 2, 1: 2}

    def test_pixels_and_rows_belong_together(self, zoo):
        """A constant color survives resizing, in the row of its label, each picture once."""
        data = load_dataset(str(zoo), image_size=[3, 4])
        x = np.concatenate([data.x_train, data.x_test])
        y = np.concatenate([data.y_train, data.y_test])
        assert x.shape == (20, 3, 4, 3)
        assert sorted(x[y == 0][:, 0, 0, 0].tolist()) == list(range(10, 20))
        assert (x[y == 0][..., 1:] == [20, 30]).all()

    def test_default_size_and_grayscale(self, zoo):
        """32x32 unless told otherwise; grayscale has no last axis."""
        assert load_dataset(str(zoo), color="grayscale").shape == (32, 32)

    def test_seed_decides_the_test_part(self, zoo):
        """The same seed holds out the same pictures."""
        prints = [load_dataset(str(zoo), image_size=4, seed=s).fingerprint for s in (0, 0, 1)]
        assert prints[0] == prints[1] != prints[2]

    def test_train_and_test_folders(self, tmp_path):
        """Folders named train and test are the two parts; others beside them do not matter."""
        for part, value in (("train", 50), ("test", 90), ("notes", 7)):
            for name in ("cat", "dog"):
                paint(tmp_path / part / name / "1.png", (value, value, value))
        data = load_dataset(str(tmp_path), image_size=4)
        assert (data.x_train == 50).all()
        assert (data.x_test == 90).all()
        assert data.y_train.tolist() == data.y_test.tolist() == [0, 1]

    def test_classes_differ(self, tmp_path):
        """Train and test have the same classes."""
        for name in ("train/cat", "train/dog", "test/cat", "test/ox"):
            paint(tmp_path / name / "1.png", (1, 1, 1))
        refused("same class folders, got cat, dog and cat, ox", str(tmp_path))

    def test_single_picture(self, zoo):
        """A class of one picture cannot be both trained and tested on."""
        paint(zoo / "ox" / "1.png", (1, 1, 1))
        refused("ox: a class needs at least 2 pictures", str(zoo))

    def test_text_named_like_a_picture(self, zoo):
        """A file that only claims to be a picture is named."""
        (zoo / "dog" / "3.png").write_text("woof")
        refused(r"dog.3\.png: cannot be read as a picture", str(zoo))

    def test_truncated_picture(self, zoo):
        """A picture that breaks off is named."""
        path = zoo / "cat" / "4.png"
        path.write_bytes(path.read_bytes()[:45])
        refused(r"cat.4\.png: cannot be read as a picture", str(zoo))

    def test_relabelled_and_scaled(self, zoo):
        """Pictures go through the same preparation as arrays."""
        data = load_dataset(str(zoo), image_size=4, one_vs_rest="dog", scaling="unit")
        assert data.class_names == ("not dog", "dog")
        assert data.x_train.dtype == np.float32
        assert 0.8 < data.x_train.max() < 0.9


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
