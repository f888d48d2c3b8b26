"""Datasets in CSV files: labels beside pictures, and tables of features."""

from __future__ import annotations

import os

import numpy as np
import pytest
from dataset_files import arrays, no_downloads, paint, refused  # noqa: F401
from uploads import read_with_pillow

from sweep.datasets import load_dataset
from sweep.errors import DataError
from sweep.spec import read_study_text


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch):
    """Read pictures without TensorFlow: these are tests of what is around the reading."""
    monkeypatch.setattr("sweep.datasets.picture_rows.read_pictures", read_with_pillow)


@pytest.fixture(name="zoo")
def pictures_and_labels(tmp_path):
    """A function that writes a table beside twelve pictures, six cats and six dogs."""
    for row in range(12):
        paint(tmp_path / "pictures" / f"{row}.png", (10 * row, 0, 0))

    def write(lines, name="labels.csv", encoding="utf-8", end="\n"):
        path = tmp_path / name
        path.write_bytes(end.join([*lines, ""]).encode(encoding))
        return str(path)

    return write


ROWS = [f"pictures/{row}.png,{'cat' if row % 2 else 'dog'}" for row in range(12)]
PLAIN = ["path,label", *ROWS]


def shades(x):
    """The number of each picture, which its red pixels tell."""
    return (x[:, 0, 0, 0] // 10).tolist()


def refusal(dataset, **options):
    """What loading says against a table."""
    with pytest.raises(DataError) as caught:
        load_dataset(dataset, **options)
    return str(caught.value)


class TestPictures:
    def test_labels_beside_pictures(self, zoo):
        """Pictures become rows with the labels of the table; a stratified part is the test set."""
        data = load_dataset(zoo(PLAIN))
        assert data.class_names == ("cat", "dog")
        assert data.class_counts == (4, 5)
        assert len(data.y_test) == 3
        assert data.shape == (5, 6, 3)
        numbers = shades(data.x_train) + shades(data.x_test)
        assert sorted(numbers) == list(range(12))
        labels = np.concatenate([data.y_train, data.y_test]).tolist()
        assert [n % 2 == 0 for n in numbers] == [label == 1 for label in labels]
        assert data.notes[0] == "pictures are column path, labels are column label"

    def test_columns_by_name(self, zoo):
        """``path`` and ``label`` name columns; others do not matter."""
        lines = ["who,what,where", *(f"x,{row.split(',')[1]},{row.split(',')[0]}" for row in ROWS)]
        path = zoo(lines, "others.csv")
        data = load_dataset(path, path="where", label="what")
        assert data.fingerprint == load_dataset(zoo(PLAIN)).fingerprint
        said = refusal(path, path="were", label="what")
        assert "path: no column is named 'were', did you mean where?" in said

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    @pytest.mark.parametrize(("encoding", "end"), [("utf-8-sig", "\r\n"), ("utf-16", "\n")])
    def test_other_programs(self, zoo, delimiter, encoding, end):
        """What spreadsheets write is read alike: marks, delimiters, ends of lines, blanks."""
        lines = [line.replace(",", f" {delimiter} ") for line in PLAIN]
        data = load_dataset(zoo(lines, encoding=encoding, end=end))
        assert data.fingerprint == load_dataset(zoo(PLAIN)).fingerprint

    def test_quotes(self, zoo):
        """Quoted cells may hold the delimiter and line ends; rows are counted as a table's."""
        lines = [
            "path,label,about",
            *(f'"{r.split(",")[0]}",{r.split(",")[1]},"a,\nb"' for r in ROWS),
        ]
        assert load_dataset(zoo(lines)).fingerprint == load_dataset(zoo(PLAIN)).fingerprint
        assert "row 3 (none.png)" in refusal(zoo([*lines[:2], "none.png,cat,", *lines[2:]]))

    def test_empty_lines_do_not_count(self, zoo):
        """Lines without anything are no rows."""
        assert load_dataset(zoo([*PLAIN[:3], "", *PLAIN[3:], ""])).fingerprint == (
            load_dataset(zoo(PLAIN)).fingerprint
        )

    def test_split(self, zoo):
        """A column says which rows are tests, in the words that folders have, in any case."""
        words = ["train", "Training", "TEST"] * 4
        lines = ["path,label,split", *(f"{r},{w}" for r, w in zip(ROWS, words, strict=True))]
        data = load_dataset(zoo(lines))
        assert shades(data.x_test) == [2, 5, 8, 11]
        assert shades(data.x_train) == [0, 1, 3, 4, 6, 7, 9, 10]

    def test_validation_rows(self, zoo):
        """Validation rows are the test rows where there are none, else left out: it is said."""
        for words, test, note in (
            (["train", "train", "val"] * 4, [2, 5, 8, 11], "test rows are the validation rows"),
            (["train", "valid", "test"] * 4, [2, 5, 8, 11], "4 validation rows are left out"),
        ):
            lines = ["path,label,split", *(f"{r},{w}" for r, w in zip(ROWS, words, strict=True))]
            data = load_dataset(zoo(lines))
            assert shades(data.x_test) == test
            assert note in data.notes

    def test_another_word_in_split(self, zoo):
        """Other words are named with their rows."""
        words = ["train", "fold1", ""] * 4
        lines = ["path,label,split", *(f"{r},{w}" for r, w in zip(ROWS, words, strict=True))]
        said = refusal(zoo(lines))
        assert "split: must be one of train, training, val, valid" in said
        assert "row 3 (fold1), row 4 (empty), row 6" in said

    def test_groups(self, zoo):
        """No group has training and test rows; the groups of training rows guide the splits."""
        lines = ["path,label,who", *(f"{r},{'abcdef'[i // 2]}" for i, r in enumerate(ROWS))]
        data = load_dataset(zoo(lines), group="who", test_fraction=0.3)
        test = {"abcdef"[n // 2] for n in shades(data.x_test)}
        assert data.groups.tolist() == ["abcdef"[n // 2] for n in shades(data.x_train)]
        assert test
        assert not test & set(data.groups.tolist())
        again = load_dataset(zoo(lines), group="who", test_fraction=0.3)
        assert again.fingerprint == data.fingerprint

    def test_a_group_on_both_sides_of_the_tables_own_split(self, zoo):
        """It is said where the table itself puts one group into both parts."""
        rows = zip(ROWS, ["train", "train", "test"] * 4, "abacdefghijk", strict=True)
        lines = ["path,label,split,who", *(",".join(row) for row in rows)]
        notes = load_dataset(zoo(lines), group="who").notes
        assert any(note.startswith("1 groups have training rows and test rows") for note in notes)

    def test_the_fingerprint_knows_what_decides_the_rows(self, zoo):
        """Other contents of a file, another column, another size: other data."""
        lines = ["path,label,other", *(f"{r},{'xy'[i % 3 == 0]}" for i, r in enumerate(ROWS))]
        path = zoo(lines)
        found = [
            load_dataset(path).fingerprint,
            load_dataset(path, label="other").fingerprint,
            load_dataset(path, image_size=4).fingerprint,
        ]
        paint(zoo.__closure__[0].cell_contents / "pictures" / "3.png", (1, 2, 3))
        assert len({*found, load_dataset(path).fingerprint}) == 4


class TestHostile:
    def test_every_problem_in_one_message(self, zoo):
        """Each kind of problem is one line, its first ten rows by number, and a count."""
        lines = [
            *PLAIN,
            "../secret.png,cat", "/etc/passwd,cat", "C:\\x.png,cat", "a/../../x.png,cat",
            "..\\x.png,cat",
            "pictures/0.png,cat",
            "pictures/none.png,cat",
            "pictures/notes.txt,cat",
            "pictures/1.png,",
            ",cat",
            "only",
            *(f"gone/{n}.png,dog" for n in range(30)),
        ]  # fmt: skip
        head, *told = refusal(zoo(lines)).splitlines()
        assert "7 kinds of problems in its rows, where row 1 is the header" in head
        found = "\n".join(told)
        assert (
            "  path: must lie inside the folder of the table, without .. or a beginning /: "
            in found
        )
        assert "row 14 (../secret.png), row 15 (/etc/passwd), row 16 (C:\\x.png), row 17" in found
        assert "row 19 (pictures/0.png, first in row 2), row 22 (pictures/1.png, first in" in found
        assert "label: must not be empty: row 22" in found
        assert "path: must not be empty: row 23" in found
        assert "must have as many cells as the header has names: row 24 (1 of 2)" in found
        assert "row 20 (pictures/none.png)" in found
        assert "and 21 more" in found

    def test_a_path_outside_is_never_opened(self, zoo, tmp_path):
        """A picture outside the folder is refused though it is there."""
        paint(tmp_path.parent / "outside.png", (1, 1, 1))
        assert "must lie inside the folder" in refusal(zoo([*PLAIN, "../outside.png,cat"]))
        assert "must lie inside" in refusal(zoo([*PLAIN, f"{tmp_path.parent}/outside.png,cat"]))

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "must begin with a row that names the columns"),
            (b"\n\n", "must begin with a row that names the columns"),
            (b"path,label\n", "must have rows below its header, got none"),
            (b"path,label\na.png,c\0t\n", "holds a zero byte"),
            (b"path,label\na.png,\xff\xfe\n", "must be text in UTF-8"),
            (b'path,label\n"a.png,cat\n', "look for a quote that is not closed"),
            (b"a,b\n1,2\n", "label: no column is named label, class or target"),
            (b"label,class,a\n1,2,3\n", "label: may be label, class; name one of them"),
            (b"label\n1\n", "must have a column of paths to pictures, or columns of features"),
            (b"label,a,a\n1,2,3\n", "column 'a' must be there once"),
            (b"label,a,\n1,2,3\n", "every column must have a name, and column 3 has none"),
            (b"path,label,label\n1,2,3\n", "label: may be label, label"),
            (b"label," + b"x," * 300_000 + b"y\n", "must have at most 200,000 columns"),
            (b"label,a\n" + b"1" * 2**24 + b"\n", "must have lines of less than"),
            (b"label,a\ncat\x1b[31m,1\n", r"label: must be text on one line"),
        ],
    )
    def test_no_table(self, tmp_path, content, said):
        """What is no table of data is refused in one message."""
        path = tmp_path / "labels.csv"
        path.write_bytes(content)
        assert said in refusal(str(path))

    def test_no_file(self, tmp_path):
        """A table that is not there, a folder and a pipe are refused by name."""
        refused("no such file", str(tmp_path / "none.csv"))
        (tmp_path / "folder.csv").mkdir()
        refused("no such file", str(tmp_path / "folder.csv"))
        os.mkfifo(tmp_path / "pipe.csv")
        refused("no such file", str(tmp_path / "pipe.csv"))

    def test_formulas_are_text(self, zoo):
        """What a spreadsheet would compute is a label like any other."""
        lines = [line.replace("cat", "=1+1").replace("dog", "@x") for line in PLAIN]
        assert load_dataset(zoo(lines)).class_names == ("=1+1", "@x")

    def test_a_class_of_one_row(self, zoo):
        """Without a split each class needs a row on either side."""
        assert "and these have 1: ox" in refusal(zoo([*PLAIN[:-1], "pictures/11.png,ox"]))

    def test_settings_of_other_sources(self, zoo, tmp_path):
        """What would be ignored is refused."""
        path = zoo(PLAIN)
        refused("groups: names an array, and .* is a table", path, groups="who")
        np.savez(tmp_path / "a.npz", **arrays())
        refused("path, group: only for the columns of a table", str(tmp_path / "a.npz"),
                path="a", group="b")  # fmt: skip
        (tmp_path / "folder").mkdir()
        refused("label: only for the columns", str(tmp_path / "folder"), label="a")

    def test_a_folder_with_a_table(self, zoo, tmp_path):
        """Who names the folder is told of the table in it."""
        zoo(PLAIN)
        refused(r'for the table in it say dataset = ".*labels\.csv"', str(tmp_path))


class TestFeatures:
    def write(self, folder, x, y, header=None):
        names = header or ["label", *(f"pixel{n}" for n in range(x.shape[1]))]
        rows = [",".join(map(str, [label, *row])) for label, row in zip(y, x.tolist(), strict=True)]
        path = folder / "train.csv"
        path.write_text("\n".join([",".join(names), *rows]), "utf-8")
        return str(path)

    def test_pixels(self, tmp_path):
        """A table of pixels is what the same rows in an .npz file are, to the last bit."""
        x = np.random.default_rng(0).integers(0, 256, (40, 9), dtype=np.uint8)
        y = np.arange(40) % 4
        data = load_dataset(self.write(tmp_path, x, y))
        assert data.x_train.dtype == np.uint8
        assert data.y_train.dtype == np.int64
        assert len(data.y_test) == 8
        both = np.concatenate([data.x_train, data.x_test])
        assert sorted(map(bytes, both)) == sorted(map(bytes, x))
        assert data.notes[0] == "labels are column label, features are 9 columns, pixel0 to pixel8"
        assert "read as 8-bit pixels" in data.notes[-1]

    def test_features(self, tmp_path):
        """Other numbers are float32; text labels are classes."""
        x = np.random.default_rng(0).normal(size=(20, 3))
        data = load_dataset(self.write(tmp_path, x, ["yes", "no"] * 10))
        assert data.x_train.dtype == np.float32
        assert data.class_names == ("no", "yes")
        assert np.isin(data.x_train, x.astype(np.float32)).all()

    def test_an_index_of_pandas(self, tmp_path):
        """A column without a name that numbers the rows is left out, and it is said."""
        x = np.stack([np.arange(20), np.arange(20) * 2], axis=1)
        path = self.write(tmp_path, x, [0, 1] * 10, ["label", "", "a"])
        assert "every column must have a name" in refusal(path)
        frame = np.stack([np.arange(20) % 2, np.arange(20) * 2], axis=1)
        path = self.write(tmp_path, frame, range(20), ["", "label", "a"])
        data = load_dataset(path)
        assert data.shape == (1,)
        assert "the column without a name is left out" in data.notes[0]
        path = self.write(tmp_path, frame, range(5, 25), ["", "label", "a"])
        assert "must number the rows from 0 or 1" in refusal(path)

    def test_cells_that_are_no_numbers(self, tmp_path):
        """Each is named with its row and column."""
        path = tmp_path / "t.csv"
        rows = ["1,2,3", "0,x,4", "1,,inf", "0,nan,1e999", "1,1,1e39"]
        path.write_text("\n".join(["label,a,b", *rows]), "utf-8")
        assert (
            "features must be finite numbers: row 3 (a: x), row 4 (a: empty), row 4 (b: inf), "
            "row 5 (a: nan), row 5 (b: 1e999), row 6 (b: 1e39)"
        ) in refusal(str(path))

    def test_no_classes(self, tmp_path):
        """Targets of a regression are refused as such."""
        x = np.random.default_rng(0).normal(size=(60, 2))
        path = self.write(tmp_path, x, x[:, 0])
        assert "only classification is supported" in refusal(path)

    def test_labels_that_look_like_numbers(self, tmp_path):
        """Whole numbers are ordered as numbers; what is written otherwise stays text."""
        x = np.arange(48.0).reshape(24, 2)
        assert load_dataset(self.write(tmp_path, x, [2, 10, -1] * 8)).class_names == (
            "-1",
            "2",
            "10",
        )
        assert load_dataset(self.write(tmp_path, x, ["07", "7"] * 12)).class_names == ("07", "7")

    def test_no_pictures(self, tmp_path):
        """Settings of pictures are refused for features."""
        path = self.write(tmp_path, np.ones((8, 2)), [0, 1] * 4)
        assert "has no column of paths" in refusal(path, image_size=8)


def test_a_study_names_columns():
    """``[data]`` takes the names of columns, and wants text."""
    text = '[data]\ndataset = "l.csv"\npath = "f"\nlabel = "c"\nsplit = "s"\ngroup = "g"\n'
    text += 'resize = "pad"\n[search]\nmethod = "grid"\n[space]\nepochs = [1]\n'
    data = read_study_text(text).data
    assert (data.path, data.label, data.split, data.group, data.resize) == (
        "f",
        "c",
        "s",
        "g",
        "pad",
    )
