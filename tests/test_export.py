"""The winner in a folder of its own, and back."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from sweep import load_best, load_dataset, run_study
from sweep.cli.main import cli
from sweep.errors import ResultError

pytestmark = pytest.mark.tensorflow

STUDY = {
    "study": {"name": "tiny"},
    "data": {"dataset": "digits", "train_rows": 300, "test_rows": 60, "scaling": "standardize"},
    "model": {"factory": "cnn", "padding": "same", "filters": 4, "epochs": 2},
    "search": {"method": "grid", "cv": 2},
    "space": {"dense_width": [8]},
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A study's result, its folder and its export."""
    folder = tmp_path_factory.mktemp("export")
    result = run_study(STUDY, storage=str(folder / "l.db"), n_jobs=1)
    return result, folder, result.export(folder / "out")


def test_it_predicts_as_the_estimator_does_also_in_a_fresh_process(exported):
    """To float32's last digits of the estimator, to the last bit of itself."""
    result, _, out = exported
    rows = load_dataset("digits").x_test[:40]
    model = load_best(out)
    here = model.predict_proba(rows)
    assert here == pytest.approx(result.best_estimator_.predict_proba(rows), abs=1e-5)
    assert (model.predict(rows) == result.best_estimator_.predict(rows)).all()
    code = (
        "import sys, numpy as np, sweep\n"
        "rows = sweep.load_dataset('digits').x_test[:40]\n"
        "np.save(sys.argv[2], sweep.load_best(sys.argv[1]).predict_proba(rows))\n"
    )
    there = out.parent / "there.npy"
    subprocess.run([sys.executable, "-c", code, str(out), str(there)], check=True)
    assert np.array_equal(np.load(there), here)


def test_the_recipe_and_the_card(exported):
    """Say what it is, on what, how good, and with which settings."""
    result, _, out = exported
    recipe = json.loads((out / "recipe.json").read_text("utf-8"))
    assert recipe["params"] == {"dense_width": 8}
    assert recipe["test_score"] == result.test_score_
    card = (out / "README.md").read_text("utf-8")
    assert f"{result.test_score_:.4f} on 60 rows" in card
    assert {path.name for path in out.iterdir()} == {"model.keras", "recipe.json", "README.md"}


HARMS = ("model", "no model", "no recipe", "foreign", "bare", "later", "not json")


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_not_an_export_of_ours_is_refused(exported, tmp_path, harm):
    """With the reason, before Keras reads a byte."""
    for path in exported[2].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model, recipe = tmp_path / "model.keras", tmp_path / "recipe.json"
    if harm == "model":
        model.write_bytes(model.read_bytes() + b"x")
    elif harm == "no model":
        model.unlink()
    elif harm == "no recipe":
        recipe.unlink()
    elif harm == "foreign":
        recipe.write_text("[]")
    elif harm == "bare":
        recipe.write_text('{"format": 1, "model_sha256": "", "classes": "abc"}')
    elif harm == "later":
        recipe.write_text(json.dumps({**json.loads(recipe.read_text("utf-8")), "format": 9}))
    else:
        recipe.write_text("{")
    with pytest.raises(
        ResultError, match=r"not the file|missing|is not there|cannot be read|no recipe|format 9"
    ):
        load_best(tmp_path)


def test_a_recipe_of_other_classes_is_refused(exported, tmp_path):
    """Their number must be the model's."""
    for path in exported[2].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    recipe = json.loads((tmp_path / "recipe.json").read_text("utf-8"))
    recipe |= {"classes": [0, 1, 2], "class_names": ["a", "b", "c"]}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(ResultError, match="names 3 classes, and the model has 10 outputs"):
        load_best(tmp_path)


def test_an_empty_folder_stays_the_folder_that_it_is(exported, tmp_path):
    """With its bits, where a link leads to it; the model is the same as in a new one."""
    result, _, out = exported
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    home.chmod(0o750)
    link.symlink_to("home")
    assert result.export(link) == link
    assert link.is_symlink()
    assert home.stat().st_mode & 0o777 == 0o750
    assert sorted(f.name for f in home.iterdir()) == sorted(f.name for f in out.iterdir())


def test_a_full_disk_is_named_and_keeps_nothing(exported, disk):
    """The model is larger than what is left of it."""
    (disk / "filler").write_bytes(b"0" * (2**20 - 8192))
    with pytest.raises(ResultError, match="No space left on device"):
        exported[0].export(disk / "out")
    assert [path.name for path in disk.iterdir()] == ["filler"]


def test_an_export_overwrites_nothing(exported, tmp_path):
    """And a study without a winner has none."""
    result, folder, out = exported
    with pytest.raises(ResultError, match="must be a new or an empty folder"):
        result.export(out)
    closed = {**STUDY, "study": {"name": "closed"}, "search": {**STUDY["search"], "refit": False}}
    with pytest.raises(ResultError, match="no refitted winner"):
        run_study(closed, storage=str(folder / "l.db"), n_jobs=1).export(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_commands(exported, tmp_path, monkeypatch):
    """Export a study, classify a file and a folder; what is no picture is named."""
    _, folder, _ = exported
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["export", "tiny", "--storage", str(folder / "l.db")])
    assert done.exit_code == 0, done.stderr
    digits = load_dataset("digits")
    (tmp_path / "pictures").mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(digits.x_test[0]).save(tmp_path / "pictures" / "0.png")
    Image.fromarray(np.rot90(digits.x_test[1])).save(tmp_path / "pictures" / "1.png", exif=turned)
    Image.fromarray(digits.x_test[2]).save(tmp_path / "pictures" / "2.tif")
    (tmp_path / "pictures" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "pictures" / ".ipynb_checkpoints" / "0.png").write_text("no picture")
    line = ["predict", "exports/tiny", "pictures", "--format", "json"]
    said = json.loads(CliRunner().invoke(cli, line).stdout)
    model = load_best(tmp_path / "exports" / "tiny")
    expected = [str(label) for label in model.predict(digits.x_test[:3])]
    assert [row["class"] for row in said] == expected
    (tmp_path / "no.png").write_text("no picture")
    refused = CliRunner().invoke(cli, ["predict", "exports/tiny", "pictures", "--white", "0"])
    assert (refused.exit_code, "above 0" in refused.stderr) == (2, True)
    for wrong in ("no.png", "none.png", "exports"):
        refused = CliRunner().invoke(cli, ["predict", "exports/tiny", wrong])
        assert refused.exit_code == 2, refused.stderr
        assert wrong in refused.stderr
    (tmp_path / "neither.gif").write_text("no picture")
    refused = CliRunner().invoke(cli, ["predict", "exports/tiny", "no.png", "neither.gif"])
    assert refused.stderr.count("cannot be read as a picture") == 2


def test_flat_rows_with_an_image_shape(tmp_path):
    """The exported model takes the rows of the data, and knows what image they are."""
    digits = load_dataset("digits", train_rows=200, test_rows=40)
    flat = {f"x_{part}": getattr(digits, f"x_{part}").reshape(-1, 64) for part in ("train", "test")}
    np.savez(tmp_path / "flat.npz", **flat, y_train=digits.y_train, y_test=digits.y_test)
    study = {
        **STUDY,
        "study": {"name": "flat"},
        "data": {"dataset": str(tmp_path / "flat.npz")},
        "model": {**STUDY["model"], "image_shape": [8, 8, 1]},
    }
    result = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    rows = flat["x_test"]
    there = load_best(result.export(tmp_path / "out")).predict_proba(rows)
    assert there == pytest.approx(result.best_estimator_.predict_proba(rows), abs=1e-5)


@pytest.mark.parametrize(("scaling", "said"), [("unit", False), ("none", True)])
def test_pictures_for_a_model_of_pixels_from_0_to_1(tmp_path, scaling, said):
    """White is 1 where unit scaling says so; elsewhere it is taken for 255, with a word."""
    digits = load_dataset("digits", train_rows=200, test_rows=40)
    rows = {f"x_{p}": (getattr(digits, f"x_{p}") / 255).astype("f4") for p in ("train", "test")}
    np.savez(tmp_path / "float.npz", **rows, y_train=digits.y_train, y_test=digits.y_test)
    data = {"dataset": str(tmp_path / "float.npz"), "scaling": scaling}
    study = {**STUDY, "study": {"name": "float"}, "data": data}
    result = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    result.export(tmp_path / "out")
    pixels = np.round(rows["x_test"][0] * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    words = [str(tmp_path / "out"), str(tmp_path / "one.png"), "--format", "json"]
    done = CliRunner().invoke(cli, ["predict", *words])
    found = json.loads(done.stdout)[0]["probability"]
    right = result.best_estimator_.predict_proba(pixels[None].astype("f4") / 255).max()
    assert ("--white" in done.stderr) == said
    assert (found == pytest.approx(right, abs=1e-4)) == (not said)
    named = CliRunner().invoke(cli, ["predict", *words, "--white", "1"])
    assert json.loads(named.stdout)[0]["probability"] == pytest.approx(right, abs=1e-4)
    assert named.stderr == ""
