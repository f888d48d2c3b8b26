"""The Pareto set in tables, pictures, reports and the command line."""

import json
from dataclasses import replace

import pytest
from commands import read
from ledgers import GRID, build, sections
from pretend import begin, study, work
from records import grid_record

from sweep import analysis
from sweep.ledger.ledger import Ledger
from sweep.report.page import render
from sweep.spec import to_toml
from sweep.tables import objectives_frame, pareto


def several(record):
    """The record as that of a study with all objectives but inference."""
    search = {**record.spec["search"], "objectives": ["score", "parameters", "fit_seconds"]}
    return replace(record, spec={**record.spec, "search": search})


def test_the_pareto_set_is_what_no_other_candidate_beats():
    """Highest score first; the first is the one that is refitted."""
    record = several(grid_record())
    every, front = objectives_frame(record), pareto(record)
    names = ["parameters", "fit_seconds"]
    for row in every.itertuples():
        as_good = every[
            (every["mean_test_score"] >= row.mean_test_score)
            & (every[names] <= [row.parameters, row.fit_seconds]).all(axis=1)
        ]
        better = as_good[
            (as_good["mean_test_score"] > row.mean_test_score)
            | (as_good[names] < [row.parameters, row.fit_seconds]).any(axis=1)
        ]
        assert row.pareto == better.empty
    assert front["mean_test_score"].is_monotonic_decreasing
    assert front["candidate"].iloc[0] == analysis.best(record).index
    assert "pareto" not in front


def test_the_score_alone_is_set_against_parameters():
    """Every study has both."""
    assert list(pareto(grid_record()))[-2:] == ["mean_test_score", "parameters"]


def test_the_report_shows_each_objective_only_where_there_are_several():
    """One picture for each objective beside the score."""
    page = render(several(grid_record()))
    assert "Score against parameters" in page
    assert "Score against seconds of fitting one split" in page
    assert "The Pareto set" not in render(grid_record())


def test_a_report_of_refused_and_infeasible_trials_is_whole(monkeypatch, tmp_path):
    """Rows without scores stand in no picture."""
    spec = study(
        "grid",
        space={"epochs": [1, 3], "hidden_size": [8, 64]},
        max_parameters=80,
        max_fit_seconds=1,
        objectives=["score", "inference_ms"],
    )
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    record = work(monkeypatch, ledger, spec)
    page = render(record)
    assert "322 parameters, above max_parameters = 80" in page
    assert len(objectives_frame(record)) == 1


def test_best_lists_the_pareto_set(tmp_path):
    """In a table, and as values."""
    path = tmp_path / "l.db"
    build(path, objectives=["score", "fit_seconds"])
    rows = json.loads(read("best", "tiny", "--pareto", "--format", "json", "--storage", path))
    assert [row["epochs"] for row in rows["pareto"]] == [5, 2]
    assert "fit_seconds" in read("best", "tiny", "--pareto", "--storage", path)


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_the_pareto_set_cuts_nothing(tmp_path, monkeypatch, columns):
    """Where the columns do not fit, parameters stand together and fold; no number is cut."""
    path = tmp_path / "l.db"
    space = {
        "hidden_size": [[64, 32, 16]],
        "dropout_rate": [0.25],
        "batch_size": [128],
        "epochs": [2],
    }
    build(path, objectives=["score", "fit_seconds"], space=space, factory="mine:build")
    monkeypatch.setenv("COLUMNS", str(columns))
    text = read("best", "tiny", "--pareto", "--storage", path)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= columns
    for part in ("0.821", "0.25", "[64, 32, 16]" if columns > 50 else "hidden_size=[64,"):
        assert part in text


def test_check_says_what_a_limit_rules_out(tmp_path):
    """Counted without training; digits have 64 pixels."""
    file = tmp_path / "tiny.toml"
    file.write_text(to_toml(sections(space=GRID, max_parameters=2000)))
    said = read("check", file, "--no-probe", "--storage", tmp_path / "l.db")
    assert "2 cells above 2,000 parameters: not trained" in said
