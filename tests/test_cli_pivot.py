"""`sweep pivot`: means with their n, value by value or in quartiles."""

from __future__ import annotations

import csv
import io
import json

import commands
import pandas as pd
import pytest
from commands import read, sweep
from ledgers import build, sections

from sweep.tables import Pivot

here, ledger = commands.here, commands.ledger


def test_pivot_has_n(ledger):
    """`pivot` shows mean and n in each cell."""
    lines = read("pivot", "tiny", "--index", "epochs", "--columns", "hidden_size").splitlines()
    assert lines[1].split() == ["epochs", "16", "32", "64"]
    assert lines[3].split() == ["5", "0.8510", "(1)", "0.8710", "(1)", "0.8910", "(1)"]


def test_pivot_records(ledger):
    """`pivot --format json` is a record for each cell."""
    rows = json.loads(read("pivot", "tiny", "--index", "epochs", "--format", "json"))
    assert [row["n"] for row in rows] == [3, 3]
    assert rows[1]["mean_test_score"] == pytest.approx(0.871)


def test_pivot_of_a_range(here):
    """A range stands in quartiles, which is said; --exact has every value."""
    space = {"epochs": {"int": [1, 9]}, "hidden_size": [16, 32]}
    build(here / "l.db", space=space)
    words = ("pivot", "tiny", "--index", "epochs", "--columns", "hidden_size", "--storage", "l.db")
    text = read(*words)
    assert [line.split("(")[0].split()[:3] for line in text.splitlines()[2:6]] == [
        ["1", "to", "3"], ["4", "to", "5"], ["6", "to", "7"], ["8", "to", "9"],
    ]  # fmt: skip
    assert "epochs in quartiles of the values tried; --exact: value by value" in text
    exact = json.loads(read(*words, "--exact", "--format", "json"))
    assert sorted({row["epochs"] for row in exact}) == list(range(1, 10))
    assert "quartiles" not in read(*words, "--exact")


def test_pivot_of_several(ledger):
    """Several parameters and several values can be asked at once."""
    words = ("--index", "epochs,hidden_size", "--values", "mean_test_score,mean_fit_time")
    rows = list(csv.DictReader(io.StringIO(read("pivot", "tiny", *words, "--format", "csv"))))
    assert len(rows) == 6
    assert set(rows[0]) == {"epochs", "hidden_size", "mean_test_score", "mean_fit_time", "n"}
    assert read("pivot", "tiny", *words).count("(1)") == 12


def test_pivot_of_nothing(here):
    """A study without a complete candidate gives an empty table, no traceback."""
    build(here / "l.db", done=0)
    result = sweep("pivot", "tiny", "--index", "epochs", "--storage", "l.db", "--format", "json")
    assert (result.exit_code, result.exception is None or result.exit_code == 2) in {
        (0, True),
        (2, True),
    }


def test_pivot_by_zero(here):
    """A column value that is 0 is a value like any other."""
    space = {"epochs": [2], "dropout_rate": [0.0, 0.5], "hidden_layers": [1, 2]}
    build(here / "l.db", space=space)
    words = ("pivot", "tiny", "--index", "hidden_layers", "--columns", "dropout_rate")
    rows = json.loads(read(*words, "--storage", "l.db", "--format", "json"))
    assert [(row["hidden_layers"], row["dropout_rate"], row["n"]) for row in rows] == [
        (1, 0.0, 1), (1, 0.5, 1), (2, 0.0, 1), (2, 0.5, 1),
    ]  # fmt: skip


def test_pivot_parameter_gets_a_suggestion(ledger):
    """A mistyped parameter gets a suggestion."""
    assert "did you mean hidden_size?" in sweep("pivot", "tiny", "--index", "hiden_size").stderr


@pytest.mark.parametrize("columns", [40, 80])
def test_pivot_cuts_no_number(here, monkeypatch, columns):
    """What does not fit beside each other stands below, each block with its rows' names."""
    space = {"hidden_size": [[4], [8, 4], 16, 32, 64, 128, 256, 512], "epochs": [1, 2, 3]}
    build(here / "l.db", space=space)
    monkeypatch.setenv("COLUMNS", str(columns))
    words = ("pivot", "tiny", "--index", "epochs", "--columns", "hidden_size", "--storage", "l.db")
    text = read(*words)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= columns
    for row in json.loads(read(*words, "--format", "json")):
        assert f" {row['mean_test_score']:.4f} (1)" in text
    assert text.count("\nepochs ") == len(text.split("\n\n")) > 1


def test_long_labels_fold_before_a_number_is_cut(here, monkeypatch):
    """Where not even one column fits, the rows' names take several lines."""
    space = {"hidden_size": [[4, 8, 16, 32, 64, 128]], "dropout_rate": [0.0, 0.5], "epochs": [1, 2]}
    build(here / "l.db", space=space, factory="mine:build")
    monkeypatch.setenv("COLUMNS", "30")
    text = read("pivot", "tiny", "--index", "hidden_size,epochs", "--columns", "dropout_rate",
                "--storage", "l.db")  # fmt: skip
    assert text.count("(1)") == 4
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 30


def test_large_means_are_written_in_full(ledger):
    """Weights of a model are digits, not powers of ten; small ones keep four digits."""
    text = read("pivot", "tiny", "--index", "epochs", "--values", "parameters")
    assert "9.0000 (3)" in text
    big = Pivot(pd.DataFrame({"v": [203530.0, 1234.5]}), pd.DataFrame({"n": [1, 2]}), ("v",))
    assert big.shown("v")["v"].tolist() == ["203,530 (1)", "1234 (2)"]


def test_without_index_the_pivots_are_those_of_the_report(ledger):
    """What the report shows by itself; --values and --format go with it."""
    assert read("pivot", "tiny") == read(
        "pivot", "tiny", "--index", "epochs", "--columns", "hidden_size"
    )
    rows = json.loads(read("pivot", "tiny", "--values", "parameters", "--format", "json"))
    assert [(r["epochs"], r["hidden_size"], r["parameters"]) for r in rows[:2]] == [
        (2, 16, 9.0), (2, 32, 9.0),
    ]  # fmt: skip


def test_without_index_a_study_s_own_pivots_come_first(here):
    """`[report] pivots` says which."""
    space = {"epochs": [1, 2], "hidden_size": [16, 32], "dropout_rate": [0.0, 0.5]}
    study = sections(space=space)
    study["report"] = {"pivots": ["dropout_rate,epochs", "hidden_size, dropout_rate"]}
    build(here / "l.db", study=study)
    titles = [
        line for line in read("pivot", "tiny", "--storage", "l.db").splitlines() if " by " in line
    ]
    assert titles == ["mean_test_score (n) by epochs", "mean_test_score (n) by dropout_rate"]


def test_a_study_without_pivots_says_what_to_name(here):
    """Nothing complete, or nothing that varies: the message has the parameters."""
    build(here / "l.db", done=0)
    result = sweep("pivot", "tiny", "--storage", "l.db")
    assert result.exit_code == 2
    assert "name one with --index, there are: epochs, hidden_size" in result.stderr


def test_columns_without_index_are_refused(ledger):
    """Rows are needed for columns to stand over."""
    result = sweep("pivot", "tiny", "--columns", "epochs")
    assert (result.exit_code, "--columns needs --index" in result.stderr) == (2, True)
