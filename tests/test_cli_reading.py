"""Commands that read the ledger: list, show, best, report."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import commands
import pytest
from commands import GUARD, process, read, sweep
from ledgers import build

from sweep.cli.leaderboard import none_complete
from sweep.ledger.ledger import Ledger
from sweep.spec import SearchSection
from sweep.study.answers.status import strict_settings

HEAVY = ("numpy", "pandas", "optuna", "sklearn", "tensorflow", "keras", "scipy", "matplotlib")


here, ledger = commands.here, commands.ledger


def test_list(ledger):
    """`list` has a line for each study: method, status, cells, best, test set."""
    lines = [line.split() for line in read("list").splitlines()]
    assert lines[1][:5] == ["tiny", "grid", "finished", "3/3", "0.8910"]
    assert "opened" in lines[1]
    assert lines[2][:4] == ["half", "grid", "stopped", "1/3"]
    assert "closed" in lines[2]


def test_list_shows_failures(here):
    """A finished study with failed cells says so; candidates of one cell count once."""
    build(here / "l.db", failed=(1,))
    text = read("list", "--storage", "l.db")
    assert "finished, 1 failed" in text
    (row,) = json.loads(read("list", "--storage", "l.db", "--format", "json"))
    assert (row["status"], row["failed"]) == ("finished", 1)
    assert "3 of 3 cells done, 1 failed" in read("show", "tiny", "--storage", "l.db")


def test_list_json(ledger):
    """`list --format json` is a list of records."""
    first, second = json.loads(read("list", "--format", "json"))
    assert first["best"] == pytest.approx(0.891)
    assert (second["name"], second["test_opened"]) == ("half", False)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_list_keeps_to_the_width(ledger, monkeypatch, columns):
    """`list` never draws wider than the terminal, nor more than one line a study."""
    build(ledger, "a-study-with-a-name-that-is-longer-than-a-narrow-terminal-has-room", done=0)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = read("list").splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= columns


def test_list_without_studies(here):
    """An empty ledger says how to begin."""
    Ledger(f"sqlite:///{here / 'empty.db'}")
    assert "sweep run digits-grid" in read("list", "--storage", "empty.db")


def test_storage_from_environment(ledger, monkeypatch):
    """SWEEP_STORAGE names the ledger."""
    moved = ledger.rename(ledger.parent.parent / "moved.db")
    monkeypatch.setenv("SWEEP_STORAGE", str(moved))
    assert "tiny" in read("list")


def test_show_ranks(ledger):
    """`show` ranks the candidates, best first, with score, spread and parameters."""
    lines = read("show", "tiny").splitlines()
    first = next(line for line in lines if line.lstrip().startswith("1 "))
    assert "0.8910 ± 0.0008" in first
    assert first.split()[-4:] == ["5", "64", "0.5", "s"]
    assert any("test score 0.9306 on 360 rows (opened once" in line for line in lines)


def test_show_top(ledger):
    """--top limits the lines and says how many are left out."""
    text = read("show", "tiny", "--top", "2")
    assert "... and 4 more" in text
    assert (
        len(json.loads(read("show", "tiny", "--top", "2", "--format", "json"))["leaderboard"]) == 2
    )


def test_show_says_that_the_test_set_is_closed(ledger):
    """Without refit the test set is said to be closed."""
    assert "the test set is still closed (refit = false)" in read("show", "half")


def test_show_failures(here):
    """`show` counts the failures by reason, markup left as text."""
    build(here / "l.db", failed=(1,))
    text = read("show", "tiny", "--storage", "l.db")
    assert "1 failed: ModelError: out of luck [bold]really[/bold]" in text


@pytest.mark.parametrize("columns", [60, 80])
def test_show_keeps_to_the_width(ledger, monkeypatch, columns):
    """The leaderboard of many parameters keeps to the width and cuts no value."""
    space = {
        "hidden_size": {"int": [16, 64]}, "learning_rate": {"float": [1e-4, 1e-1], "log": True},
        "batch_size": {"int": [16, 64]}, "dropout_rate": {"float": [0.0, 0.5]},
    }  # fmt: skip
    build(ledger, "wide", space=space, method="random", trials=4, validation=0.2)
    monkeypatch.setenv("COLUMNS", str(columns))
    text = read("show", "wide")
    assert max(map(len, text.splitlines())) <= columns
    assert text.count("dropout_rate=0.") == 4


@pytest.mark.parametrize("command", ["show", "best", "report"])
def test_a_file_in_place_of_a_name(ledger, command):
    """A study's file in place of its name is told apart, with the name that it gives."""
    Path("mine.toml").write_text('[study]\nname = "half"\n')
    result = sweep(command, "mine.toml")
    assert result.exit_code == 2
    assert "STUDY is the name that a study has in the ledger, not its file" in result.stderr
    assert "in this file it is 'half'" in result.stderr


def test_a_file_without_a_name_is_called_like_itself(ledger):
    """Without [study] name the file's own name is the study's; what is no TOML names nothing."""
    Path("tiny.toml").write_text("[space]\n")
    assert "in this file it is 'tiny'" in sweep("show", "tiny.toml").stderr
    Path("tiny.toml").write_text("no toml")
    for name in ("tiny.toml", "nowhere.toml"):
        error = sweep("show", name).stderr
        assert "not its file\n" in error


def test_study_name_gets_a_suggestion(ledger):
    """A mistyped study gets a suggestion."""
    assert "Did you mean 'tiny'?" in sweep("show", "tinny").stderr


def test_best(ledger):
    """`best` says the parameters, an interval and the test score."""
    text = read("best", "tiny")
    for part in ("best 0.8910", "epochs = 5", "hidden_size = 64", "95% interval", "0.9306"):
        assert part in text


def test_best_names_its_rivals(here):
    """`best` names the cheapest candidates that the data cannot tell from it; JSON has all."""
    space = {"epochs": [1, 2], "hidden_size": [16, 32, 64, 128]}
    build(here / "l.db", space=space, validation=0.2)
    words = ("best", "tiny", "--storage", "l.db")
    answer = json.loads(read(*words, "--format", "json"))
    rivals = answer["indistinguishable"]
    assert len(rivals) == 7
    assert set(rivals[0]) == {
        "candidate", "params", "mean_test_score", "mean_fit_time", "parameters", "multiply_adds",
        "behind_best", "behind_low", "behind_high",
    }  # fmt: skip
    times = [rival["mean_fit_time"] for rival in rivals]
    assert times == sorted(times)
    assert answer["params"] not in [rival["params"] for rival in rivals]
    lines = read(*words).splitlines()
    at = lines.index(
        "these 8 configurations cannot be told from the best at 95%, compared at once;"
    )
    assert lines[at + 1] == "  the cheapest of them is epochs=1, hidden_size=128"
    assert lines[at + 3].startswith("  0.8700, behind by 0.0100 (-0.0609 to 0.0809): epochs=1")
    assert lines[at + 4] == "      9 weights, 9 multiply-adds, fit 0.1 s"
    (row,) = csv.DictReader(io.StringIO(read(*words, "--format", "csv")))
    assert row["indistinguishable"] == "7"


def test_best_names_at_most_five_rivals(here):
    """Of many rivals the five cheapest are shown, and the rest counted."""
    space = {"epochs": [*range(1, 9)], "hidden_size": [16, 32]}
    build(here / "l.db", space=space, validation=0.2)
    words = ("best", "tiny", "--storage", "l.db")
    count = len(json.loads(read(*words, "--format", "json"))["indistinguishable"])
    assert count > 5
    text = read(*words)
    assert f"these {count + 1} configurations cannot be told from the best" in text
    assert "the 5 cheapest of the others, cheapest first:" in text
    assert text.count("multiply-adds, fit ") == 5


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        ("best", "tiny: best 0.8800"),
        ("cheapest", "tiny: cheapest that cannot be told from the best, 0.8700"),
        ("one_standard_error", "tiny: cheapest within one standard error of the best, 0.8700"),
    ],
)
def test_best_says_by_which_rule(here, choose, expected):
    """`choose` decides which settings are taken, and the first line says so."""
    space = {"epochs": [1, 2], "hidden_size": [16, 32, 64, 128]}
    build(here / "l.db", space=space, validation=0.2, choose=choose)
    assert read("best", "tiny", "--storage", "l.db").startswith(expected)


def test_best_gives_python_for_a_winner(ledger):
    """With a winner, `best` gives the line that loads it."""
    line = json.loads(read("best", "tiny", "--format", "json"))["python"]
    assert line.endswith("open_study('tiny').best_estimator_")
    compile(line, "best", "exec")


def test_best_gives_python_without_a_winner(ledger):
    """Without one, `best` gives the construction with the settings of the search."""
    line = read("best", "half").splitlines()[-1].strip()
    words = "scaling='unit', random_state=0, epochs=5, hidden_size=16"
    assert line == f"from sweep import KerasMLPClassifier; model = KerasMLPClassifier({words})"


def test_best_without_any(here):
    """A study without a complete candidate has no best, and says so."""
    build(here / "l.db", done=0)
    result = sweep("best", "tiny", "--storage", "l.db")
    assert (result.exit_code, "no candidate is complete yet" in result.stderr) == (2, True)


def test_report(ledger):
    """`report` writes a page and prints where."""
    text = read("report", "tiny", "--output", "out/page.html", "--pivot", "epochs,hidden_size")
    assert text.strip() == "out/page.html"
    assert "<html" in Path("out/page.html").read_text("utf-8")


def test_report_that_cannot_be_written(ledger):
    """A report that cannot be written is an error with a remedy."""
    Path("file").touch()
    result = sweep("report", "tiny", "--output", "file/page.html")
    assert (result.exit_code, "name another file" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "tiny"),
        ("best", "tiny"),
        ("pivot", "tiny", "--index", "epochs"),
        ("report", "tiny"),
        ("run", "--help"),
        ("models",),
        ("data",),
    ],
)
def test_reading_loads_no_training_code(ledger, words):
    """The reading commands load neither TensorFlow nor Keras nor scikit-learn."""
    names = ("tensorflow", "keras", "sklearn")
    result = process(*words, code=("-c", GUARD.format(names=names)))
    assert result.returncode == 0, result.stderr


def test_show_loads_no_pandas(ledger):
    """What a leaderboard shows takes no frames, and pandas takes longer to load than to read it."""
    result = process("show", "tiny", code=("-c", GUARD.format(names=("pandas",))))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("rows", "search", "said"),
    [
        ({}, {}, "no candidate is complete yet"),
        ({"FAIL": 2}, {}, "no candidate has come through: 2 failed"),
        (
            {"PRUNED": 3, "INFEASIBLE": 1},
            {"pruner": {"name": "median"}, "max_fit_seconds": 1.0},
            (
                "no candidate has come through: 3 pruned, 1 past a limit; loosen search.pruner and "
                "search.max_fit_seconds, under another --name"
            ),
        ),
        (
            {"PRUNED": 6},
            {"max_parameters": 10},
            (
                "no candidate has come through: 6 pruned; loosen search.max_parameters, under "
                "another --name"
            ),
        ),
    ],
)
def test_a_finished_study_without_a_result_says_how_its_candidates_ended(rows, search, said):
    """And which of the settings that it has may have been too strict."""
    strict = strict_settings(rows, SearchSection(method="random", trials=9, **search))
    assert none_complete(SimpleNamespace(status="finished", rows=rows, strict=strict)) == said


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_compare_cuts_no_number(ledger, monkeypatch, columns):
    """On a narrow terminal columns go and names are cut, scores stay whole."""
    name = "a-study-with-a-name-that-is-longer-than-a-narrow-terminal-has-room"
    build(ledger, name, winner=True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = read("compare", "tiny", name, "-o", "page.html").splitlines()
    head, *studies = lines[:3]
    assert max(map(len, lines[:3])) <= columns
    assert "held-out" in head
    assert [line.count("0.8910") for line in studies] == [1, 1]
    assert [line.count("0.9306") for line in studies] == [1, 1]


def test_a_very_narrow_list_keeps_its_words(ledger, monkeypatch):
    """At 40 columns only the studies' names are cut."""
    monkeypatch.setenv("COLUMNS", "40")
    build(ledger, "another-study-with-a-long-name", winner=True)
    lines = read("list").splitlines()
    assert max(map(len, lines)) <= 40
    assert [line.split()[-1] for line in lines] == ["test", "opened", "closed", "opened"]
