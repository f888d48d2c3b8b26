"""How a report says to repeat a study: the command, and Python for the model."""

from dataclasses import replace

import own_models
import pytest
from html_page import Page
from records import (
    grid_record,
    tpe_record,
)

from sweep.report import render
from sweep.report.repeat import repeat
from sweep.report.report_data import report_data


def built(record, factory, **model):
    """The record without a winner, of another model; what its Python says."""
    spec = {**record.spec, "model": {"factory": factory, **model}}
    return repeat(report_data(replace(record, winner=None, spec=spec)))


def test_python_opens_the_refitted_winner():
    """With a winner the page gives the lines that load it."""
    python = repeat(report_data(grid_record())).python
    assert python.splitlines() == [
        "from sweep import open_study", "model = open_study('mnist-mlp-grid').best_estimator_",
    ]  # fmt: skip
    assert "in the same project, the refitted model" in Page(render(grid_record())).text


@pytest.mark.parametrize(
    ("factory", "made", "first"),
    [
        ("mlp", "KerasMLPClassifier", ()),
        ("cnn", "KerasCNNClassifier", ()),
        ("two_stage", "KerasClassifier", ("two_stage",)),
        ("own_models:plain", "KerasClassifier", (own_models.plain,)),
    ],
)
def test_python_builds_the_estimator(monkeypatch, factory, made, first):
    """Without a winner it builds the estimator with the settings of the search."""
    held = {}

    def note(*args, **params):
        held.update(args=args, params=params)
        return "built"

    monkeypatch.setattr(f"sweep.{made}", note, raising=False)
    record = grid_record()
    names = {}
    exec(built(record, factory, batch_size=128).python, names)  # noqa: S102 - the subject
    assert names["model"] == "built"
    assert held["args"] == first
    settled = {"scaling": "unit", "random_state": 0, "batch_size": 128}
    assert held["params"] == {**settled, "epochs": 10, "hidden_size": 256}


def test_python_breaks_long_lines():
    """A construction with many settings has one a line; a short one stays on one."""
    long, short = built(tpe_record(30), "cnn"), built(grid_record(), "mlp")
    assert max(map(len, long.python.splitlines())) < 60
    assert len(short.python.splitlines()) == 2


def test_the_command_allows_the_modules_that_the_study_names():
    """Model and data of a person's own are allowed in the command, each module once."""
    record = grid_record()
    assert built(record, "mine.nets:build").command.endswith(".toml --allow mine.nets")
    data = {"dataset": "pets:load"}
    spec = {**record.spec, "data": data, "model": {"factory": "pets:build"}}
    command = repeat(report_data(replace(record, spec=spec))).command
    assert command.count("--allow pets") == 1


def test_the_command_names_a_harmless_file():
    """A study's name never reaches the command as it stands."""
    record = replace(grid_record(), name="../../etc; rm -rf $HOME")
    command = repeat(report_data(record)).command
    assert command == "sweep run etc-rm--rf-HOME--8341b4fadea7d96e.toml"
