"""`sweep judge`: the verdict on another tool's results."""

import json
import tempfile
from pathlib import Path

import commands
import pandas as pd
import pytest
from commands import read, sweep

here = commands.here
DATA = Path(__file__).parent / "data" / "imports"
SPLITS = {
    16: [0.80, 0.82, 0.79, 0.81, 0.80],
    32: [0.90, 0.93, 0.91, 0.92, 0.94],
    64: [0.91, 0.92, 0.92, 0.92, 0.94],
}


@pytest.fixture
def file(here, monkeypatch):
    """Results of three widths, two of them alike; temporary files go beside them."""
    rows = [
        {
            "params": str({"width": width}),
            "param_width": width,
            "mean_fit_time": width / 100,
            "mean_test_score": sum(scores) / 5,
            **{f"split{i}_test_score": score for i, score in enumerate(scores)},
        }
        for width, scores in SPLITS.items()
    ]
    pd.DataFrame(rows).to_csv(here / "cv.csv", index=False)
    (here / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here / "tmp"))
    return here / "cv.csv"


def files(folder):
    """Every file of a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_verdict_is_that_of_import_and_best(file, here):
    """Each format says what `sweep best` says of the imported file, and nothing is left."""
    kept = {}
    for form in ("table", "json", "csv"):
        kept[form] = read("judge", file, "--scoring", "accuracy", "--format", form)
    assert files(here) == ["cv.csv"]
    read("import", file, "--scoring", "accuracy")
    for form, said in kept.items():
        assert read("best", "cv", "--format", form) in said
    assert "cannot be told from the best" in kept["table"]


def test_the_verdict_in_figures(file):
    """The best, the one that is as good with the interval of the difference, the cheapest."""
    found = json.loads(sweep("judge", file, "--format", "json").stdout)
    assert found["params"] == {"width": 64}
    (rival,) = found["indistinguishable"]
    assert rival["params"] == {"width": 32}
    assert rival["behind_best"] == pytest.approx(0.002)
    assert rival["behind_low"] < 0 < rival["behind_high"]
    assert found["interval"]["low"] < 0.922 < found["interval"]["high"]


def test_the_page(file, here):
    """`-o` writes one page, which names no ledger; a wrong place is one message and no answer."""
    sweep("judge", file, "-o", "page.html")
    assert files(here) == ["cv.csv", "page.html"]
    page = (here / "page.html").read_text("utf-8")
    assert "imported: scikit-learn" in page
    assert "ledger.db" not in page
    wrong = sweep("judge", file, "-o", "cv.csv/page.html")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "name another file" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scoring", "nonsense"], "must be a scorer"),
        (["--repeats", "3"], "repeats"),
    ],
)
def test_what_import_refuses(file, here, arguments, told):
    """A file that makes no study is refused with the message of `sweep import`; no page."""
    refused = sweep("judge", file, *arguments, "-o", "page.html")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert refused.stderr == sweep("import", file, *arguments).stderr
    assert "page.html" not in files(here)


def test_files_of_other_tools(here):
    """KerasTuner's projects and MLflow's runs are judged; one value a run has no interval."""
    tuner = json.loads(sweep("judge", DATA / "keras_tuner" / "random", "--format", "json").stdout)
    runs = json.loads(
        sweep("judge", DATA / "mlflow.csv", "--score", "val_loss", "--minimize",
              "--format", "json").stdout
    )  # fmt: skip
    assert (tuner["study"], runs["study"]) == ("random", "mlflow")
    assert (tuner["interval"], runs["interval"]) == (None, None)
    assert files(here) == []
