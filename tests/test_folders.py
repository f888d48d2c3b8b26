"""Folders of pictures: which are taken for what, which files are read, and how they come out."""

import json
import os
import sys
import warnings

import commands
import numpy as np
import pytest
from commands import read, sweep
from PIL import Image

from sweep.datasets import load_dataset
from sweep.datasets.folder_layout import find_layout
from sweep.errors import DataError

CLASSES = ("ant", "bee")

here = commands.here


def paint(path, color=(200, 30, 60), size=(6, 4), mode="RGB", **options):
    """Write a picture of one color; a size is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)
    return path


def classes(folder, names=CLASSES, count=2):
    """Write class folders with so many pictures."""
    for name in names:
        for number in range(count):
            paint(folder / name / f"{number}.png")


def flat(folder):
    """Write pictures that lie in no class folder."""
    for number in range(2):
        paint(folder / f"{number}.png")


def refusal(folder, **options):
    """What loading says against a folder; nothing of it needs TensorFlow."""
    with pytest.raises(DataError) as caught:
        load_dataset(str(folder), **options)
    return str(caught.value)


class TestLayout:
    @pytest.fixture(autouse=True)
    def _no_keras(self, monkeypatch):
        """What the names of folders say needs no Keras."""
        monkeypatch.setitem(sys.modules, "keras", None)
        monkeypatch.setitem(sys.modules, "tensorflow", None)

    @pytest.mark.parametrize(
        ("parts", "train", "test", "note"),
        [
            (["train", "test"], "train", "test", ""),
            (["Train", "Test"], "Train", "Test", ""),
            (["training", "testing"], "training", "testing", ""),
            (["train", "val"], "train", "val", ""),
            (["TRAIN", "Validation"], "TRAIN", "Validation", ""),
            (["train", "valid", "test"], "train", "test", "; valid/ left out"),
            (["train", "test", "notes", "old"], "train", "test", "; notes/ and old/ left out"),
        ],
    )
    def test_parts(self, tmp_path, parts, train, test, note):
        """Folders named like parts, in any case, are the parts; the note says which were taken."""
        for part in parts:
            classes(tmp_path / part)
        layout = find_layout(tmp_path)
        assert (layout.train, layout.test) == (tmp_path / train, tmp_path / test)
        assert layout.note == f"training rows are {train}/, test rows {test}/{note}"

    @pytest.mark.parametrize(
        ("train", "test"),
        [
            ("seg_train/seg_train", "seg_test/seg_test"),
            ("training_set/training_set", "test_set/test_set"),
            ("train_images", "test1"),
            ("Train/Train", "val/val"),
        ],
    )
    def test_parts_by_a_word(self, tmp_path, train, test):
        """A word in the names tells parts too, where they hold the same class folders."""
        for part in (train, test):
            classes(tmp_path / part)
        layout = find_layout(tmp_path)
        assert (layout.train, layout.test) == (tmp_path / train, tmp_path / test)

    def test_a_test_folder_without_a_training_folder(self, tmp_path):
        """The same class folders in two folders are no two classes of that name."""
        classes(tmp_path / "rps")
        classes(tmp_path / "rps-test-set")
        assert "must have train/ beside rps-test-set/, and has none: rename" in refusal(tmp_path)

    def test_train_alone(self, tmp_path):
        """A train folder without another has the test rows in it."""
        classes(tmp_path / "Train")
        layout = find_layout(tmp_path)
        assert (layout.train, layout.test) == (tmp_path / "Train", None)
        assert layout.note == "Train/ alone: test rows are a part of it"

    @pytest.mark.parametrize(
        "names",
        [("bus", "train"), ("valid", "invalid"), ("a", "b"), ("bus", "bullet_train", "test_tube")],
    )
    def test_classes_that_are_no_parts(self, tmp_path, names):
        """One class may be named like a part: a train beside a bus."""
        classes(tmp_path, names)
        assert find_layout(tmp_path).train == tmp_path
        assert find_layout(tmp_path).note == ""

    def test_a_class_with_folders_in_it(self, tmp_path):
        """A part's name within a class's is no part, whatever folders are in it."""
        classes(tmp_path / "bullet_train", ("day", "night"))
        classes(tmp_path / "test_tube", ("lab",))
        classes(tmp_path, ("bus",))
        assert find_layout(tmp_path).train == tmp_path

    def test_flat_test_pictures(self, tmp_path):
        """Test pictures without class folders have no labels, and are no class either."""
        classes(tmp_path / "train")
        flat(tmp_path / "test")
        said = refusal(tmp_path)
        assert "test/ must hold class folders as train/ does, and holds none" in said
        assert f'dataset = "{tmp_path / "train"}"' in said

    @pytest.mark.parametrize(
        "names", [("train", "test"), ("Train", "val"), ("training_set", "test_set")]
    )
    def test_flat_parts(self, tmp_path, names):
        """Parts without class folders are not read as classes of that name."""
        for name in names:
            flat(tmp_path / name)
        assert "must each hold the folders of the classes, and hold none" in refusal(tmp_path)

    @pytest.mark.parametrize("names", [("train", "Train", "test"), ("train", "val", "validation")])
    def test_one_part_twice(self, tmp_path, names):
        """Two folders for one part are refused by name."""
        for name in names:
            classes(tmp_path / name)
        assert "must have one folder for the" in refusal(tmp_path)

    def test_no_training_folder(self, tmp_path):
        """Validation and test alone leave nothing to train on."""
        for name in ("val", "test"):
            classes(tmp_path / name)
        assert "must have train/ beside val/ and test/" in refusal(tmp_path)

    def test_train_beside_classes(self, tmp_path):
        """A train folder with folders in it may be a class or the training rows."""
        classes(tmp_path)
        classes(tmp_path / "train", ("steam", "diesel"))
        assert "may be the training rows, or a class like ant/ and bee/" in refusal(tmp_path)

    def test_parts_within_classes(self, tmp_path):
        """Pictures to train and to test on are not thrown together where each class has both."""
        for name in CLASSES:
            classes(tmp_path / name, ("train", "test"))
        assert "must hold the pictures of one class, got train/ and test/" in refusal(tmp_path)

    def test_one_folder_around(self, tmp_path):
        """A folder around the class folders is named as what may be meant."""
        classes(tmp_path / "archive")
        said = refusal(tmp_path)
        assert "at least two class folders, got archive" in said
        assert f'say dataset = "{tmp_path / "archive"}"' in said

    def test_hidden_folders_are_no_classes(self, tmp_path):
        """Neither those of notebooks nor those of archives."""
        classes(tmp_path)
        for name in (".ipynb_checkpoints", "__MACOSX", ".git"):
            paint(tmp_path / name / "x.png")
        (tmp_path / "bee" / "notes.txt").write_text("")
        said = refusal(tmp_path)
        assert "\n" not in said
        assert "notes.txt: must be a picture" in said

    def test_every_problem_at_once(self, tmp_path):
        """Wrong files, empty classes and loose pictures are named together."""
        classes(tmp_path)
        (tmp_path / "cow").mkdir()
        paint(tmp_path / "loose.png")
        for name in ("a.txt", "b.csv"):
            (tmp_path / "ant" / name).write_text("")
        said = refusal(tmp_path)
        lines = said.splitlines()
        assert lines[0] == f"{tmp_path}: 4 problems"
        for line in ("cow: must hold", "loose.png: must lie", "a.txt: must be", "b.csv: must be"):
            assert sum(line in each for each in lines[1:]) == 1


@pytest.mark.parametrize(
    ("one", "name"), [(2, "2"), ("2", "2"), (10, "10"), ("10", "10"), ("07", "07"), (7, "07")]
)
def test_a_number_is_a_name_where_classes_are_named_by_numbers(tmp_path, one, name):
    """``one_vs_rest = 2`` is the class named 2, not the third one."""
    path = tmp_path / "d.npz"
    x, y = np.arange(16).reshape(8, 2), np.arange(8) % 4
    names = np.array(["07", "1", "10", "2"])
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y, class_names=names)
    data = load_dataset(str(path), one_vs_rest=one)
    assert data.class_names == (f"not {name}", name)
    assert np.array_equal(data.y_train, names[y] == name)


def test_a_number_that_names_no_class(tmp_path):
    """Where classes are named by numbers, no other number stands for one."""
    path = tmp_path / "d.npz"
    x, y = np.arange(12).reshape(6, 2), np.arange(6) % 3
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y, class_names=["10", "20", "30"])
    with pytest.raises(DataError, match=r"no class 1 in .* there are: 10, 20, 30"):
        load_dataset(str(path), one_vs_rest=1)


@pytest.mark.tensorflow
class TestPictures:
    @pytest.fixture
    def zoo(self, tmp_path):
        """Two ants and two bees."""
        classes(tmp_path)
        return tmp_path

    def test_as_keras_reads_them(self, tmp_path):
        """PNG and JPEG pictures come out as those of Keras's image_dataset_from_directory."""
        rng = np.random.default_rng(0)
        for name in CLASSES:
            (tmp_path / name / "inner").mkdir(parents=True)
            for number, suffix in enumerate(("png", "jpg", "JPEG")):
                size = (int(rng.integers(9, 60)), int(rng.integers(9, 60)), 3)
                picture = Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8))
                picture.save(tmp_path / name / f"{number}.{suffix}")
                picture.save(tmp_path / name / "inner" / f"{number}.{suffix}")
        from keras.utils import image_dataset_from_directory

        (x, y) = next(
            image_dataset_from_directory(
                str(tmp_path), image_size=(12, 10), shuffle=False, verbose=False
            ).as_numpy_iterator()
        )
        data = load_dataset(str(tmp_path), image_size=[12, 10], test_fraction=0.4)
        both = np.concatenate([data.x_train, data.x_test])
        labels = np.concatenate([data.y_train, data.y_test])
        wanted = np.rint(x).astype(np.uint8)
        for label in (0, 1):
            ours, theirs = both[labels == label], wanted[y == label]
            assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs))

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
    def test_pictures_are_upright(self, tmp_path, orientation, suffix):
        """A photograph that a camera has marked as turned is turned back, in each of eight ways."""
        upright = np.zeros((16, 32, 3), np.uint8)
        upright[:8, :16], upright[8:, :16], upright[:8, 16:] = 255, 170, 85
        turned = {
            1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
            5: upright.swapaxes(0, 1), 6: np.rot90(upright),
            7: upright[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(upright, -1),
        }[orientation]  # fmt: skip
        exif = Image.Exif()
        exif[0x0112] = orientation
        quality = {"quality": 100} if suffix in ("jpg", "webp") else {}
        for name in CLASSES:
            (tmp_path / name).mkdir()
            for number in range(2):
                path = tmp_path / name / f"{number}.{suffix}"
                Image.fromarray(np.ascontiguousarray(turned)).save(path, exif=exif, **quality)
        data = load_dataset(str(tmp_path), image_size=[16, 32])
        difference = np.abs(data.x_train[0].astype(int) - upright)
        assert np.median(difference) <= 2
        assert difference.mean() < 8

    @pytest.mark.parametrize("color", ["rgb", "grayscale"])
    @pytest.mark.parametrize("suffix", ["bmp", "gif", "webp", "tif", "TIFF", "jpg", "png"])
    def test_every_kind_in_both_colors(self, tmp_path, suffix, color):
        """Pictures of every kind are read in color and in gray."""
        for name, value in (("ant", 40), ("bee", 200)):
            for number in range(2):
                paint(tmp_path / name / f"{number}.{suffix}", (value,) * 3)
        data = load_dataset(str(tmp_path), image_size=4, color=color)
        assert data.shape == ((4, 4, 3) if color == "rgb" else (4, 4))
        assert np.abs(data.x_train[0].astype(int) - 40).max() <= 2
        assert np.abs(data.x_train[1].astype(int) - 200).max() <= 2

    def test_sixteen_bits(self, tmp_path):
        """A deep picture is read by its upper eight bits, as TIFF and as PNG alike."""
        for suffix in ("tif", "png"):
            for number in range(2):
                path = tmp_path / suffix / f"{number}.{suffix}"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(np.full((5, 5), 130 * 256 + 200, np.uint16)).save(path)
        data = load_dataset(str(tmp_path), image_size=5, color="grayscale")
        assert (data.x_train == 130).all()

    def test_thirty_two_bits(self, zoo):
        """A picture of floating-point pixels is refused by name, with what keeps them."""
        Image.fromarray(np.ones((5, 5), np.float32)).save(zoo / "ant" / "f.tif")
        assert "f.tif: cannot be read as a picture (pixels of 32 bits; an .npz" in refusal(zoo)

    def test_hidden_files_do_not_count(self, zoo):
        """Checkpoints of a notebook, thumbnails and a Mac's second files are no pictures."""
        before = load_dataset(str(zoo)).fingerprint
        paint(zoo / "ant" / ".ipynb_checkpoints" / "0-checkpoint.png")
        paint(zoo / ".ipynb_checkpoints" / "0-checkpoint.png")
        for name in ("._0.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
            (zoo / "ant" / name).write_bytes(b"\0\5\26\7")
        (zoo / "._loose.png").write_bytes(b"")
        assert load_dataset(str(zoo)).fingerprint == before

    def test_all_unreadable_files_are_named_at_once(self, zoo):
        """However many there are, in each class; those that are whole are not named."""
        for name in ("ant/b.jpg", "ant/c.webp", "bee/d.gif"):
            (zoo / name).write_bytes(b"GIF89a no more")
        (zoo / "bee" / "e.png").symlink_to("e.png")
        lines = refusal(zoo).splitlines()
        assert lines[0] == "4 files cannot be read; replace them or move them away"
        for name, line in zip(
            ("ant/b.jpg", "ant/c.webp", "bee/d.gif", "bee/e.png"), lines[1:], strict=True
        ):
            assert line.startswith(f"  {zoo / name}: cannot be read as a picture (")

    def test_a_name_that_is_no_text(self, zoo):
        """A picture is read whatever bytes its name is made of."""
        try:
            paint(zoo / "bee" / "2.png").rename(zoo / "bee" / os.fsdecode(b"\xe9.png"))
        except OSError:
            pytest.skip("this file system takes UTF-8 names alone")
        data = load_dataset(str(zoo))
        assert len(data.x_train) + len(data.x_test) == 5

    def test_resizing_is_said(self, zoo):
        """Pictures that are resized are told of, with the spread of their sizes and how."""
        (note,) = load_dataset(str(zoo), image_size=8).notes
        assert note == (
            "pictures of 4 x 6 pixels (height x width) are resized to 8 x 8, stretched where "
            'proportions differ (resize = "crop" or "pad" keeps proportions)'
        )
        assert load_dataset(str(zoo), image_size=[8, 12]).notes == (
            "pictures of 4 x 6 pixels (height x width) are resized to 8 x 12",
        )
        paint(zoo / "ant" / "large.png", size=(300, 200))
        (note,) = load_dataset(str(zoo), resize="pad").notes
        assert note == (
            "pictures of 4 x 6 to 200 x 300 pixels (height x width) are resized to 32 x 32, black "
            "added where proportions differ; image_size = [height, width] in [data] sets another "
            "size"
        )

    def test_pictures_of_one_size_keep_it(self, zoo):
        """Where all pictures have one size, nothing is resized unasked, and nothing said."""
        data = load_dataset(str(zoo))
        assert data.shape == (4, 6, 3)
        assert data.notes == ()
        assert (data.x_train == [200, 30, 60]).all()

    def test_large_pictures_do_not_keep_their_size(self, tmp_path):
        """Photographs of a camera become 32 x 32, and it is said."""
        for name in CLASSES:
            for number in range(2):
                paint(tmp_path / name / f"{number}.png", size=(300, 20))
        data = load_dataset(str(tmp_path))
        assert data.shape == (32, 32, 3)
        assert "pictures of 20 x 300 pixels (height x width) are resized" in data.notes[0]

    def test_turned_photographs_have_the_size_that_is_seen(self, tmp_path):
        """A photograph that is 6 wide and 4 high, marked as turned, counts as 4 wide and 6 high."""
        exif = Image.Exif()
        exif[0x0112] = 6
        for name in CLASSES:
            for number, suffix in enumerate(("jpg", "png")):
                paint(tmp_path / name / f"{number}.{suffix}", exif=exif)
        assert load_dataset(str(tmp_path)).shape == (6, 4, 3)

    @pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
    def test_resizing_as_keras_does(self, tmp_path, resize):
        """Each way is the one of Keras's image_dataset_from_directory."""
        rng = np.random.default_rng(1)
        for name in CLASSES:
            (tmp_path / name).mkdir()
            for number in range(6):
                size = (int(rng.integers(9, 60)), int(rng.integers(9, 60)), 3)
                picture = Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8))
                picture.save(tmp_path / name / f"{number}.png")
        from keras.utils import image_dataset_from_directory

        (x, _) = next(
            image_dataset_from_directory(
                str(tmp_path), image_size=(12, 20), shuffle=False, verbose=False,
                crop_to_aspect_ratio=resize == "crop", pad_to_aspect_ratio=resize == "pad",
            ).as_numpy_iterator()
        )  # fmt: skip
        ours = load_dataset(str(tmp_path), image_size=[12, 20], resize=resize)
        both = np.concatenate([ours.x_train, ours.x_test])
        theirs = np.rint(x).astype(np.uint8)
        assert sorted(map(bytes, both)) == sorted(map(bytes, theirs))

    def test_another_way_gives_other_data(self, tmp_path):
        """The fingerprint tells the ways of resizing apart."""
        for name, value in (("ant", 40), ("bee", 200)):
            for number in range(2):
                image = Image.fromarray(np.linspace(0, value, 200, dtype=np.uint8).reshape(20, 10))
                (tmp_path / name).mkdir(exist_ok=True)
                image.save(tmp_path / name / f"{number}.png")
        ways = ("squash", "crop", "pad")
        prints = {
            load_dataset(str(tmp_path), image_size=8, resize=each).fingerprint for each in ways
        }
        assert len(prints) == 3

    def test_pictures_of_the_default_size(self, tmp_path):
        """Nothing is said where nothing is resized."""
        for name in CLASSES:
            for number in range(2):
                paint(tmp_path / name / f"{number}.png", size=(32, 32))
        assert load_dataset(str(tmp_path)).notes == ()

    def test_no_warning_of_pillow(self, zoo):
        """What Pillow says of odd pictures is no line of ours."""
        picture = Image.new("P", (8, 8))
        picture.putpalette([0, 0, 0, 255, 255, 255])
        picture.save(zoo / "ant" / "p.gif", transparency=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert load_dataset(str(zoo), image_size=5).shape == (5, 5, 3)


STUDY = """
[study]
name = "photos"
[data]
dataset = "photos"
[model]
factory = "mlp"
epochs = 1
[search]
method = "grid"
validation = 0.5
refit = false
[space]
hidden_size = [2]
"""


@pytest.mark.tensorflow
def test_what_was_taken_is_said(here):
    """`sweep data`, `check` and `run` say which folders were taken, and how pictures change."""
    for part in ("Train", "val"):
        classes(here / "photos" / part)
        paint(here / "photos" / part / "ant" / "wide.png", size=(8, 4))
    (here / "s.toml").write_text(STUDY)
    taken = "training rows are Train/, test rows val/"
    resized = "pictures of 4 x 6 to 4 x 8 pixels (height x width) are resized to 32 x 32, stretched"
    for words in (["data", "photos"], ["check", "s.toml", "--no-probe"]):
        said = " ".join(read(*words).split())
        assert taken in said
        assert resized in said
    plan = json.loads(read("check", "s.toml", "--no-probe", "--format", "json"))
    assert plan["data_notes"][0] == taken
    ran = sweep("run", "s.toml", "--n-jobs", "1", "--no-report")
    assert ran.exit_code == 0
    assert f"data: {taken}" in ran.stderr
    assert f"data: {resized}" in ran.stderr
    sweep("report", "photos", "--output", "r.html")
    shown = (here / "r.html").read_text("utf-8")
    assert taken in shown
    assert resized in shown
