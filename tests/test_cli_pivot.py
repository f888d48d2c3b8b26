"""`sweep pivot`: means with their n, value by value or in quartiles."""

from __future__ import annotations

import csv
import io
import json

import commands
import pytest
from commands import read, sweep
from ledgers import build

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
