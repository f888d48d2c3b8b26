"""Choices that are lists, truth values, none, nested or mixed, in every reading command."""

import csv
import io
import json
from dataclasses import replace
from statistics import fmean

import commands
import pytest
from commands import read
from ledgers import build, sections
from records import grid_record

from sweep import load_study, open_study, run_study
from sweep.analysis import mean_score
from sweep.analysis.importances import importances
from sweep.figures.parallel import axis_ends, parallel_frame
from sweep.spaces import same
from sweep.tables import candidates_frame, is_continuous, ordered_values, pivot

here = commands.here

SPACE = {
    "epochs": [1, 2],
    "hidden_size": [[64], [128, 64, 32], [64, 32]],
    "mixed": [4, [8, 4]],
    "bias": [False, True],
    "kernels": [[[3, 3], [2, 2]], [[5, 5]]],
    "activations": [["relu", "tanh"], ["relu"]],
}
COMMANDS = (
    ("show",),
    ("best",),
    ("best", "--pareto"),
    ("pivot", "--index", "hidden_size", "--columns", "mixed"),
    ("pivot", "--index", "bias,kernels", "--columns", "activations"),
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """A ledger with a grid and a random study over all such choices, two cells failed in each."""
    path = tmp_path_factory.mktemp("choices") / "l.db"
    made = {"space": SPACE, "factory": "mine:build", "winner": True, "failed": (2, 3)}
    build(path, "grid", method="grid", **made)
    build(path, "random", method="random", trials=30, **made)
    return str(path)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_reading_command_takes_them(here, ledger, words, form):
    """Each command ends with status 0 in each form, for a grid and a random study."""
    for study in ("grid", "random"):
        command, *more = words
        assert read(command, study, *more, "--format", form, "--storage", ledger)


def test_reports_and_a_comparison_take_them(ledger, here):
    """Both reports are written, chosen pivots too, and the page that compares them."""
    for study in ("grid", "random"):
        pairs = ("--pivot", "hidden_size,mixed", "--pivot", "kernels,bias,activations")
        for more in ((), pairs):
            read("report", study, "-o", "page.html", *more, "--storage", ledger)
            page = (here / "page.html").read_text("utf-8")
            assert "[128, 64, 32]" in page
    read("compare", "grid", "random", "-o", "both.html", "--storage", ledger)
    assert "[128, 64, 32]" in (here / "both.html").read_text("utf-8")


def test_a_figure_for_each_such_choice(ledger, here):
    """The report draws score against each parameter, and all of them together."""
    read("report", "grid", "-o", "page.html", "--storage", ledger)
    page = (here / "page.html").read_text("utf-8")
    for name in SPACE:
        assert f" candidates against {name}." in page


def test_a_pivot_gives_the_values_themselves(ledger):
    """In JSON lists are lists, in CSV what `show` writes of them; the means are those by hand."""
    record = open_study("grid", ledger).record
    words = ("pivot", "grid", "--index", "hidden_size", "--columns", "mixed", "--storage", ledger)
    rows = json.loads(read(*words, "--format", "json"))
    assert [row["hidden_size"] for row in rows[::2]] == [[64], [64, 32], [128, 64, 32]]
    for row in rows:
        own = [
            mean_score(c)
            for c in record.candidates
            if c.trial.state == "COMPLETE"
            and all(c.params[name] == row[name] for name in ("hidden_size", "mixed"))
        ]
        assert row["n"] == len(own)
        assert row["mean_test_score"] == pytest.approx(fmean(own))
    lines = list(csv.DictReader(io.StringIO(read(*words, "--format", "csv"))))
    assert [line["hidden_size"] for line in lines[::2]] == ["[64]", "[64, 32]", "[128, 64, 32]"]


def test_importances_take_them(ledger):
    """Each parameter has its share, by fANOVA and by PED-ANOVA."""
    for study in ("grid", "random"):
        assert set(importances(open_study(study, ledger).record).values) == set(SPACE)


def test_lists_stand_in_the_order_of_what_they_hold():
    """By their numbers, not by their letters; words after them, and none last."""
    held = [[128], [16, 8], "b", [16], 9, None, True, [["a"]], ["a", 2], []]
    assert ordered_values(held) == [
        True, 9, "[]", "[16]", "[16, 8]", "[128]", "[['a']]", "['a', 2]", "b", "None"
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], [4, [8, 4]], [True, False], [[None], None]])
def test_no_such_choice_is_taken_for_numbers_on_an_axis(values):
    """Lists, truth values and what mixes them with numbers stand side by side."""
    assert not is_continuous(values * 9, ranged=True)


def test_such_choices_have_places_on_parallel_axes():
    """Evenly spread, none left out, named at both ends."""
    frame = candidates_frame(_renamed([[64, 32], 4, None]))
    place = dict(zip(frame["candidate"], frame["param_hidden_size"], strict=True))
    found = parallel_frame(frame).set_index("candidate")["param_hidden_size"]
    assert {str(place[i]): found[i] for i in place if place[i] is not None} == {
        "4": 0.0, "[64, 32]": 1.0
    }  # fmt: skip
    assert all(found.isna()[i] == (place[i] is None) for i in place)
    assert axis_ends(list(place.values())) == ("4", "[64, 32]")


def test_a_pivot_over_none_and_mixed_loses_no_candidate():
    """Each choice has its row, none the last one, and n adds up."""
    found = pivot(candidates_frame(_renamed([[64, 32], 4, None])), "hidden_size")
    assert found.n["n"].to_dict() == {4: 3, "[64, 32]": 3, "None": 3}
    assert found.choices["hidden_size"] == {4: 4, "[64, 32]": [64, 32], "None": None}


def test_lists_keep_truth_values_and_numbers_apart():
    """`[1]` is `[1.0]` but not `[true]`, at any depth."""
    assert same([1, [2]], [1.0, [2.0]])
    assert not same([[1]], [[True]])
    assert not same([1], [1, 1])


@pytest.mark.tensorflow
def test_a_run_over_such_choices_reports_and_exports(here):
    """Widths that are a number, one or several in a list: run, report, winner, frame."""
    space = {"hidden_size": [4, [16], [8, 4]], "nesterov": [True, False]}
    study = sections("lists", space, cv=2)
    study["data"] |= {"train_rows": 100, "test_rows": 50}
    study["model"] |= {"optimizer": "sgd", "momentum": 0.9, "epochs": 1}
    result = run_study(load_study(study), storage="l.db", n_jobs=1)
    assert result.frame["state"].tolist() == ["COMPLETE"] * 6
    weights = {4: 65 * 4 + 50, "[8, 4]": 65 * 8 + 36 + 50, "[16]": 65 * 16 + 170}
    assert result.pivot("hidden_size", values="parameters").mean["parameters"].to_dict() == weights
    assert result.best_estimator_.get_params()["hidden_size"] == result.best_params_["hidden_size"]
    result.report("page.html")
    read("export", "lists", "-o", "model", "--storage", "l.db")


def _renamed(widths):
    """Return a study of three widths, these in place of them."""
    record = grid_record()
    other = dict(zip((32, 64, 256), widths, strict=True))
    rows = [
        replace(c, params={**c.params, "hidden_size": other[c.params["hidden_size"]]})
        for c in record.candidates
    ]
    return replace(record, candidates=tuple(rows))
