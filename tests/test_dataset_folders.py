"""Datasets in folders of pictures."""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pytest
from dataset_files import arrays, fake_keras, no_downloads, npz_files, paint, refused  # noqa: F401

from sweep.datasets import load_dataset


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
        """Pictures of one size keep it unless told otherwise; grayscale has no last axis."""
        assert load_dataset(str(zoo), color="grayscale").shape == (5, 6)

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
