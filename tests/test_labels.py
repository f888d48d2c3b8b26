"""Labels and class names of any kind of array; parts that were scaled in different ways."""

import numpy as np
import pandas as pd
import pytest

from sweep.datasets import load_dataset
from sweep.datasets.checks import checked
from sweep.datasets.dataset import Dataset
from sweep.errors import DataError

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (6, 4, 4), dtype=np.uint8)
WORDS = ["cat", "ant", "cat", "bee", "ant", "bee"]


def made(y_train, y_test, names=(), x_train=X, x_test=X):
    """A checked dataset of what a loader may return."""
    return checked(Dataset("own", x_train, y_train, x_test, y_test, names))


KINDS = {
    "list": list,
    "array": np.array,
    "bytes": lambda words: np.array([word.encode() for word in words]),
    "objects": lambda words: np.array(words, object),
    "column": lambda words: np.array(words)[:, None],
    "series": pd.Series,
    "string": lambda words: pd.array(words, dtype="string"),
    "category": lambda words: pd.Series(words, dtype="category"),
    "index": pd.Index,
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_text(kind):
    """Text of any kind of array is numbered by its names, sorted."""
    data = made(KINDS[kind](WORDS), KINDS[kind](WORDS[::-1]))
    assert data.class_names == ("ant", "bee", "cat")
    assert data.y_train.tolist() == [2, 0, 2, 1, 0, 1]
    assert data.y_test.tolist() == [1, 0, 1, 2, 0, 2]
    assert data.y_train.dtype == data.y_test.dtype == np.int64


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "column"])
def test_class_names_of_any_kind(kind):
    """Names of any kind of array name numbers, and give text its order."""
    names = KINDS[kind](["cat", "ant", "bee"])
    for labels in ([0, 1, 0, 2, 1, 2], WORDS):
        data = made(labels, labels, names)
        assert data.class_names == ("cat", "ant", "bee")
        assert data.y_train.tolist() == [0, 1, 0, 2, 1, 2]


@pytest.mark.parametrize("dtype", ["Int64", "int8", "object", "boolean", "Float64"])
def test_numbers_of_pandas(dtype):
    """Whole numbers are labels, whatever kind of column they stand in."""
    labels = pd.Series([1, 0, 1, 1, 0, 0], dtype=dtype)
    data = made(labels, labels)
    assert data.y_train.tolist() == [1, 0, 1, 1, 0, 0]


def test_text_in_a_file(tmp_path):
    """An ``.npz`` file may hold text as labels; subsets and one class against the rest know it."""
    path = str(tmp_path / "d.npz")
    np.savez(path, x_train=X, y_train=WORDS, x_test=X, y_test=WORDS)
    assert load_dataset(path).class_names == ("ant", "bee", "cat")
    data = load_dataset(path, one_vs_rest="bee")
    assert data.y_train.tolist() == [0, 0, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("train", "test", "names", "message"),
    [
        (WORDS, ["ox"] * 6, (), "label of y_test must be one of the classes ant, bee, cat, got ox"),
        (WORDS, WORDS, ["cat", "ant", "ox"], "label of y_train .* cat, ant, ox, got bee"),
        (WORDS, WORDS, ["cat", "ant"], "each of the 3 classes of y_train once, got 2"),
        (WORDS, [0] * 6, (), "y_train must be whole numbers, or text as in the other part"),
        ([0] * 6, WORDS, (), "y_test must be whole numbers, or text as in the other part"),
        ([*WORDS[:5], None], WORDS, (), "y_train must have a label .* row 5"),
        (pd.Series([*WORDS[:5], None]), WORDS, (), "y_train must have a label"),
        (pd.array([1, 0, 1, 0, 1, None]), [0] * 6, (), "y_train must have a label"),
        (["cat"] * 6, ["cat"] * 6, (), "at least two classes, got only cat"),
    ],
)
def test_text_that_names_no_class(train, test, names, message):
    """What is missing or unknown among text is named."""
    with pytest.raises(DataError, match=message):
        made(train, test, names)


SCALES = {
    "0 to 1": X.astype(np.float32) / 255,
    "0 to 16": X / 255 * 16,
    "-1 to 1": X / 127.5 - 1,
    "0 to 65535": X.astype(np.uint16) * 257,
    "standardized": (X - X.mean()) / X.std(),
}
Y = np.arange(6) % 2


@pytest.mark.parametrize("kind", SCALES)
def test_parts_of_different_scale(tmp_path, kind):
    """Scaled rows beside rows that are not are refused with both ranges, either way round."""
    x = SCALES[kind]
    ours, theirs = (f"{a.min():g} to {a.max():g}" for a in (X, x))
    for x_train, x_test, said in (
        (X, x, f"x_train from {ours} and x_test from {theirs}"),
        (x, X, f"x_train from {theirs} and x_test from {ours}"),
    ):
        with pytest.raises(DataError, match=f"must be scaled alike, got {said}"):
            made(Y, Y, (), x_train, x_test)
        np.savez(tmp_path / "d.npz", x_train=x_train, y_train=Y, x_test=x_test, y_test=Y)
        with pytest.raises(DataError, match="must be scaled alike"):
            load_dataset(str(tmp_path / "d.npz"))
        np.savez(tmp_path / "mnist.npz", x_train=x_train, y_train=Y, x_test=x_test, y_test=Y)
        with pytest.raises(DataError, match=r"mnist: .* must be scaled alike"):
            load_dataset("mnist", data_home=tmp_path)


def test_a_function_of_different_scales(tmp_path):
    """What a loader of one's own returns is compared too."""
    (tmp_path / "own_scales.py").write_text(
        "import numpy as np\nx, y = np.eye(6) * 255, np.arange(6) % 2\n"
        "def load():\n    return (x, y), (x / 255, y)\n"
    )
    with pytest.raises(DataError, match="x_train from 0 to 255 and x_test from 0 to 1;"):
        load_dataset("own_scales:load", allow=["own_scales"], folder=tmp_path)


@pytest.mark.parametrize(
    "x_test",
    [
        X // 5,
        np.zeros_like(X),
        np.where(np.arange(96).reshape(6, 4, 4) == 7, 60000, X.astype(int)),
        X.astype(np.float64) * 1.5 - 60,
    ],
    ids=["dark", "black", "one bright spot", "brighter"],
)
def test_parts_that_only_look_different(x_test):
    """Darker pictures, black ones and a single bright spot are no other scale."""
    assert made(Y, Y, (), X, x_test).shape == (4, 4)
    assert made(Y, Y, (), x_test, X).shape == (4, 4)


@pytest.mark.parametrize("negative", ["x_train", "x_test"])
def test_rows_below_zero_in_one_part_are_told_of(negative):
    """Rows of -1 to 1 beside rows of 0 to 1 may be meant; they are never passed over in silence."""
    signed, unsigned = (SCALES[kind].repeat(9, axis=0) for kind in ("-1 to 1", "0 to 1"))
    parts = {"x_train": unsigned, "x_test": unsigned, negative: signed}
    labels = np.arange(54) % 2
    (note,) = made(labels, labels, (), **parts).notes
    assert "-0.9" in note or "-1 to" in note
    assert note.endswith("make sure that both are scaled alike")
    assert made(labels, labels, (), unsigned, unsigned).notes == ()
    few = {name: x[:6] for name, x in parts.items()}
    assert made(labels[:6], labels[:6], (), **few).notes == ()
