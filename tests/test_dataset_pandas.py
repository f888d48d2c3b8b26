"""What a loader function returns: text labels, and objects of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dataset_files import no_downloads  # noqa: F401

from sweep.datasets import Dataset, load_dataset
from sweep.datasets.checks import checked
from sweep.errors import DataError

X = pd.DataFrame({"a": range(8), "b": range(8, 16)})
TEXT = ["cat", "dog"] * 4
KINDS = {
    "list": TEXT,
    "str": pd.Series(TEXT),
    "object": pd.Series(TEXT, dtype=object),
    "string": pd.Series(TEXT, dtype="string"),
    "category": pd.Series(TEXT, dtype="category"),
    "frame": pd.DataFrame({"label": TEXT}),
    "bytes": np.array(TEXT, "S"),
}


def data(x=X, y=TEXT, **more):
    """Check a dataset of the same rows for training and test."""
    return checked(Dataset("mine", x, y, x, y, **{"class_names": (), **more}))


@pytest.mark.parametrize("kind", KINDS)
def test_text_labels(kind):
    """Text in any form is numbered in the order of its sorted names."""
    found = data(y=KINDS[kind])
    assert found.class_names == ("cat", "dog")
    assert found.y_train.tolist() == [0, 1] * 4
    assert found.fingerprint == data().fingerprint


@pytest.mark.parametrize("kind", ["int64", "Int64", "UInt8", "float64", "category"])
def test_numbers_as_labels(kind):
    """Whole numbers of pandas, also those that could be missing, stay the labels."""
    found = data(y=pd.Series([3, 7] * 4).astype(kind))
    assert found.y_train.tolist() == [3, 7] * 4


@pytest.mark.parametrize(
    "kind", ["int64", "Int64", "uint8", "float32", "Float64", "bool", "boolean"]
)
def test_a_frame_of_features(kind):
    """Its columns become features, whatever type pandas keeps numbers in."""
    frame = (X > 3 if kind.startswith("bool") else X).astype(kind)
    assert np.array_equal(data(x=frame).x_train, frame.astype(float))


def test_groups_and_names():
    """A series of groups and an index of names are taken."""
    found = data(
        groups=pd.Series(list("aabbccdd"), dtype="category"), class_names=pd.Index(["dog", "cat"])
    )
    assert found.groups.tolist() == list("aabbccdd")
    assert found.y_train.tolist() == [1, 0] * 4


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(["cat", None] * 4), pd.Series(["cat", pd.NA] * 4, dtype="string"),
        pd.Series([1, None] * 4, dtype="Int64"), pd.Series([1, np.nan] * 4),
        pd.Series(["cat", None] * 4, dtype="category"),
    ],
    ids=lambda y: str(y.dtype),
)  # fmt: skip
def test_missing_labels_are_named(y):
    """Rows without a label are told, with their numbers."""
    with pytest.raises(DataError, match=r"4 have none: row 1, 3, 5, 7 \(from 0\)"):
        data(y=y)


def test_columns_that_are_no_numbers_are_named():
    """All of them at once: text, dates, gaps."""
    gaps = X["a"].astype("Float64")
    gaps[2] = pd.NA
    x = X.assign(who=TEXT, day=pd.Timestamp("2026-01-01"), gap=gaps)
    said = r"got who \(text\), day \(datetime64.*\), gap \(no value in 1 rows\); encode these"
    with pytest.raises(DataError, match=said):
        data(x=x)


def test_a_loader_function(tmp_path):
    """A function of one's own may return a frame's parts as they are."""
    (tmp_path / "loads.py").write_text(
        "import pandas as pd\n"
        "def load():\n"
        "    frame = pd.DataFrame({'a': range(9), 'b': range(9), 'kind': ['x', 'y', 'z'] * 3})\n"
        "    x, y = frame[['a', 'b']], frame['kind']\n"
        "    return (x[:6], y[:6]), (x[6:], y[6:])\n",
        "utf-8",
    )
    found = load_dataset("loads:load", allow=["loads"], folder=tmp_path)
    assert (found.shape, found.class_names) == ((2,), ("x", "y", "z"))
    assert found.y_test.tolist() == [0, 1, 2]
