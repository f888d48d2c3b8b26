"""Pictures of a study: taken by the run, stored as plain arrays, shown by the report."""

import base64
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from records import grid_record, tpe_record

from sweep.evaluation.pictures import pixels, training_pictures, winner_pictures
from sweep.ledger.pictures import (
    Pictures,
    Shown,
    data_pictures_path,
    read_pictures,
    save_pictures,
    winner_pictures_path,
)
from sweep.report import render
from sweep.report.pictures import albums, pictures
from sweep.report.report_data import report_data

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (90, 8, 8), dtype=np.uint8)
LABELS = np.tile(np.arange(10), 9)


def fitted(kernels=()):
    """A fitted estimator of ten classes with these convolutions."""
    weights = [(f"conv_{i}/kernel", k) for i, k in enumerate(kernels, 1)]
    return SimpleNamespace(classes_=np.arange(10), named_weights=lambda: weights)


def guesses(wrong=()):
    """Probabilities that are right but for these rows, the later the surer."""
    proba = np.full((90, 10), 0.01)
    proba[np.arange(90), LABELS] = 0.91
    for n, row in enumerate(wrong):
        proba[row] = 0.0
        proba[row, (LABELS[row] + 1) % 10] = 0.5 + n / 100
    return proba


def test_the_training_images_are_drawn_by_the_seed():
    """Sixty-four different ones, each with its label's place; the same for the same seed."""
    one, two, other = (training_pictures(IMAGES, LABELS + 5, seed) for seed in (1, 1, 2))
    shown = one.shown["training"]
    assert shown.images.shape == (64, 8, 8)
    rows = [int(np.flatnonzero((image == IMAGES).all((1, 2)))[0]) for image in shown.images]
    assert len(set(rows)) == 64
    assert [LABELS[row] for row in rows] == shown.true.tolist()
    assert np.array_equal(shown.images, two.shown["training"].images)
    assert not np.array_equal(shown.images, other.shown["training"].images)


def test_mistakes_are_the_surest_first():
    """Fifteen at most; and the first test images in file order, right or wrong."""
    made = winner_pictures(fitted(), IMAGES, LABELS, guesses(wrong=range(20)))
    assert made.shown["mistakes"].confidence.tolist() == sorted(np.arange(5, 20) / 100 + 0.5)[::-1]
    assert (made.shown["mistakes"].predicted != made.shown["mistakes"].true).all()
    assert made.shown["test"].true.tolist() == LABELS[:15].tolist()
    assert "mistakes" not in winner_pictures(fitted(), IMAGES, LABELS, guesses()).shown


def test_the_first_test_images_are_of_all_classes():
    """Also where the rows come class by class; the rest are the first of the file."""
    order = np.argsort(LABELS, kind="stable")
    made = winner_pictures(fitted(), IMAGES[order], LABELS[order], guesses()[order])
    assert made.shown["test"].true.tolist() == [0] * 6 + list(range(1, 10))


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        (np.zeros((3, 8, 8, 1)), (8, 8)),
        (np.zeros((3, 8, 8, 3), np.uint8), (8, 8, 3)),
        (np.zeros((3, 200, 100, 3), np.uint8), (48, 24, 3)),
        (np.zeros((3, 64)), None),
        (np.zeros((3, 1, 64)), None),
    ],
)
def test_rows_become_images(rows, shape):
    """One channel or three, large ones made smaller; flat rows are none."""
    found = pixels(rows, np.arange(3))
    assert (None if found is None else found.shape[1:]) == shape
    assert found is None or found.dtype == np.uint8


def test_other_numbers_are_stretched():
    """From the least to the greatest."""
    rows = np.array([[[-1.0, 0.0], [0.5, 1.0]]])
    assert pixels(rows, np.arange(1)).tolist() == [[[0, 128], [191, 255]]]


def everything():
    """All kinds of pictures."""
    kernels = (RNG.normal(size=(3, 3, 1, 8)), RNG.normal(size=(3, 3, 8, 8)))
    made = winner_pictures(fitted(kernels), IMAGES, LABELS, guesses(wrong=[4, 7]))
    shown = {**training_pictures(IMAGES, LABELS, 0).shown, **made.shown}
    return Pictures(shown, made.kernels)


def test_pictures_come_back_as_they_were_saved(tmp_path):
    """Those of the data and those of the winner, from two files."""
    url, made = f"sqlite:///{tmp_path / 'l.db'}", everything()
    training = Pictures({"training": made.shown["training"]})
    winner = {name: made.shown[name] for name in ("test", "mistakes")}
    save_pictures(data_pictures_path(url, "s"), training)
    save_pictures(winner_pictures_path(url, "s"), Pictures(winner, made.kernels))
    back = read_pictures(url, "s")
    assert set(back.shown) == {"training", "test", "mistakes"}
    for name, shown in made.shown.items():
        assert np.array_equal(back.shown[name].images, shown.images)
        assert np.array_equal(back.shown[name].predicted, shown.predicted)
    assert [k.shape for k in back.kernels.values()] == [(3, 3, 1, 8), (3, 3, 8, 8)]


def test_a_file_that_is_damaged_or_holds_objects_shows_nothing(tmp_path):
    """Nothing is unpickled, and the report is written without."""
    url = f"sqlite:///{tmp_path / 'l.db'}"
    path = winner_pictures_path(url, "s")
    path.parent.mkdir(parents=True)
    for content in (b"", b"no arrays", b"PK\x03\x04 torn"):
        path.write_bytes(content)
        assert read_pictures(url, "s").shown == {}
    np.savez(path, **{"test:images": np.array([print], object), "test:true": np.zeros(1, int)})
    assert read_pictures(url, "s").shown == {}
    np.savez(path, **{"test:images": IMAGES[:3], "test:true": np.zeros(2, int)})
    assert read_pictures(url, "s").shown == {}


def test_the_report_shows_every_kind():
    """With labels in words and a ring around what is wrong; the same bytes twice."""
    record, made = grid_record(), everything()
    names = [album.name for album in albums(record, made)]
    assert names == ["mosaic", "test", "mistakes", "filters-conv_1", "filters-conv_2"]
    page = render(record, None, made)
    assert page == render(record, None, made)
    assert 'id="pictures"' in page
    sources = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    sizes = [Image.open(io.BytesIO(base64.b64decode(source))).size for source in sources]
    assert sizes[0] == (16 * 9 - 1, 4 * 9 - 1)
    assert len(sizes) == 1 + 15 + 2 + 2
    assert page.count('<li class="ring">') == 2 + 2  # among the first test images, and alone
    assert 'alt="4, predicted 5 with 50%"' in page


def test_a_mistake_between_classes_that_read_the_same_is_one():
    """Classes are told apart by their numbers: their names may differ in what nobody sees."""
    record = grid_record()
    alike = replace(record, data=replace(record.data, classes=("a", "a\u200b", *"23456789")))
    judged = Shown(IMAGES[:1], np.array([0]), np.array([1]), np.array([0.9]))
    (album,) = albums(alike, Pictures({"mistakes": judged}))
    assert album.pictures[0].ringed
    assert album.pictures[0].words == ("a 90%", "is a")


def test_no_picture_of_another_study_is_shown():
    """Labels that are no classes, predictions without a winner."""
    made = everything()
    odd = Shown(IMAGES[:2], np.array([3, 12]))
    assert albums(grid_record(), Pictures({"training": odd})) == []
    closed = albums(grid_record(refit=False), made)
    assert [album.name for album in closed] == ["mosaic"]
    assert pictures(report_data(grid_record())) == []


def test_200_trials_with_pictures_of_mnist_stay_below_400_kb(data_home):
    """All kinds of pictures, five splits."""
    with np.load(f"{data_home}/mnist.npz") as data:
        x, y = data["x_train"][:64], data["y_train"][:64].astype(np.int64)
    judged = Shown(x[:15], y[:15], y[14::-1], np.ones(15))
    kernels = {f"conv_{n}": RNG.normal(size=(3, 3, n, 32)).astype(np.float32) for n in (1, 16)}
    shown = {"training": Shown(x, y), "test": judged, "mistakes": judged}
    page = render(tpe_record(200, splits=5), None, Pictures(shown, kernels))
    assert len(page.encode()) < 400_000


def test_two_processes_may_save_the_same_pictures_at_once(tmp_path, monkeypatch):
    """A study that is handed in twice at the same moment; workers that join on two machines."""
    path, real = tmp_path / "data-pictures.npz", np.savez_compressed
    album = training_pictures(IMAGES, LABELS, 0)

    def save(file, **arrays):
        monkeypatch.setattr(np, "savez_compressed", real)
        real(file, **arrays)
        save_pictures(path, album)  # the other one, in the meantime

    monkeypatch.setattr(np, "savez_compressed", save)
    save_pictures(path, album)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
