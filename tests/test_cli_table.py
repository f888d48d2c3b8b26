"""`sweep table`: every trial of every state in a file, in each format the same."""

import csv
import json
from contextlib import closing
from dataclasses import replace

import commands
import pandas as pd
import pytest
import test_cli_show
from commands import read, sweep
from ledgers import build, split

from sweep import open_study, tables
from sweep.ledger.ledger import Ledger
from sweep.tables import files

here, mixed = commands.here, test_cli_show.mixed

NEEDS = {".parquet": "pyarrow", ".xlsx": "openpyxl"}


def as_frame(path):
    """A table read back; text for CSV, as the file holds it."""
    if path.suffix in NEEDS:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_excel(path)
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text("utf-8")))
    return pd.read_csv(path)


def needed(ending):
    """Skip where an extra is missing."""
    if ending in NEEDS:
        pytest.importorskip(NEEDS[ending], reason=f"{ending} needs {NEEDS[ending]}")


@pytest.mark.parametrize("ending", files.FORMATS)
def test_every_format_has_all_trials(mixed, here, ending):
    """14 trials in four states, the scores of `result.frame` in each split, reasons, times."""
    needed(ending)
    path = here / f"out{ending}"
    said = read("table", "mixed", "--storage", mixed, "-o", path)
    assert said.strip() == f"{path}: 14 rows"
    found, frame = as_frame(path), open_study("mixed", mixed).frame
    states = {"COMPLETE": 11, "INFEASIBLE": 1, "PRUNED": 1, "FAIL": 1}
    assert found["state"].value_counts().to_dict() == states
    assert list(found["trial"]) == list(range(14))
    for name in ("mean_test_score", "split0_test_score", "split2_test_score", "mean_fit_time"):
        by_trial = found.sort_values("candidate")[name].astype(float)
        assert by_trial.tolist() == pytest.approx(
            frame[name].tolist(), rel=1e-15, abs=0, nan_ok=True
        )
    failed = found[found["state"] == "FAIL"].iloc[0]
    assert failed["reason"] == "ModelError: no luck"
    assert found["started"].notna().all()
    assert found["finished"].notna().all()


def test_a_pruned_trial_says_how_far_it_came(mixed, here):
    """Its last score stands beside its epochs, and it has no rank and no mean."""
    read("table", "mixed", "--storage", mixed, "-o", here / "out.json")
    rows = json.loads((here / "out.json").read_text("utf-8"))
    (pruned,) = [row for row in rows if row["state"] == "PRUNED"]
    assert (pruned["rank_test_score"], pruned["mean_test_score"]) == (None, None)
    assert pruned["epochs_run"] == pruned["epoch"]
    assert pruned["last_score"] == pytest.approx(0.5 + 12 / 50 + pruned["epoch"] / 100 + 0.001)


def test_trials_that_are_no_candidates_are_there(here):
    """Waiting, running and interrupted trials have a row each, without a place and a rank."""
    build(here / "l.db", "part", done=1)
    with closing(Ledger(f"sqlite:///{here / 'l.db'}")) as ledger:
        ledger.cut(ledger.claim("part", "w:1").trial_id, "killed by signal 9")
        ledger.claim("part", "w:2")
        record = open_study("part", str(here / "l.db")).record
    frame = tables.trials_frame(record)
    assert dict(zip(frame["trial"], frame["state"], strict=True)) == {
        0: "COMPLETE", 1: "CUT", 2: "RUNNING"
    }  # fmt: skip
    assert frame[frame["state"] == "CUT"]["reason"].unique().tolist() == ["killed by signal 9"]
    assert frame["candidate"].isna().tolist() == [False, False, True, True, True, True]
    assert frame["rank_test_score"].dropna().tolist() == [2, 1]
    assert frame["param_epochs"].tolist() == [2, 5] * 3  # an asked epoch each


def test_splits_and_epochs(mixed, here):
    """A row for each split, a row for each epoch of each split; pruned trials are among them."""
    build(here / "l.db", "curves", space={"epochs": [2, 5], "hidden_size": [8, 16]})
    for kind, count in (("--splits", 2 * 2 * 3), ("--epochs", 2 * 2 * 3)):
        path = here / f"out{kind}.csv"
        read("table", "curves", "--storage", mixed, kind, "-o", path)
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        assert len(rows) == count
        scores = {
            (int(r["trial"]), int(r["split"]), int(r["epoch"])): float(r["test_score"])
            for r in rows
        }
        wanted = {
            (trial, each, epoch): split(0.8 + trial / 50, [2, 5], each).test[epoch]
            for trial in range(2) for each in range(3) for epoch in (2, 5)
        }  # fmt: skip
        assert scores == wanted
    read("table", "mixed", "--storage", mixed, "--splits", "-o", here / "m.csv")
    rows = list(csv.DictReader((here / "m.csv").read_text("utf-8").splitlines()))
    assert [row["state"] for row in rows].count("PRUNED") == 3


def test_text_that_looks_like_a_formula_is_none(here):
    """Neither a spreadsheet nor a workbook computes what a study says."""
    record = build(here / "l.db", "odd", done=1, failed=(0,))
    first = replace(record.trials[0], reason="=1+1\x07")
    rows = tuple(replace(row, trial=first) for row in record.candidates)
    frame = tables.trials_frame(replace(record, trials=(first,), candidates=rows))
    files.write_table(frame, here / "out.csv")
    text = (here / "out.csv").read_text("utf-8")
    assert "'=1+1" in text
    needed(".xlsx")
    from openpyxl import load_workbook

    files.write_table(frame, here / "out.xlsx")
    sheet = load_workbook(here / "out.xlsx").active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value == "=1+1?"]
    assert [cell.data_type for cell in cells] == ["s", "s"]


def test_what_cannot_be_written_is_told(here):
    """One line, status 2, and no file."""
    build(here / "l.db", "tiny", done=1)
    before = sorted(here.iterdir())
    for name, said in (
        ("out.txt", "must end in .csv, .json, .parquet or .xlsx, got 'out.txt'"),
        ("n" * 300 + ".csv", "the table cannot be written"),
        ("l.db/out.csv", "the table cannot be written"),
    ):
        result = sweep("table", "tiny", "--storage", "l.db", "-o", name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
    assert sorted(here.iterdir()) == before


def test_a_missing_extra_is_named(here, monkeypatch):
    """With what to install, before the study is read."""
    monkeypatch.setattr(files, "find_spec", lambda _: None)
    result = sweep("table", "no-such", "-o", "out.parquet")
    assert result.exit_code == 2
    assert 'pip install ".[parquet]"' in result.stderr


def test_more_rows_than_a_sheet_holds_are_refused(here, monkeypatch):
    """Another format is named, and nothing is written."""
    needed(".xlsx")
    build(here / "l.db", "tiny", done=1)
    monkeypatch.setattr(files, "SHEET_ROWS", 2)
    result = sweep("table", "tiny", "--storage", "l.db", "-o", "out.xlsx")
    assert result.exit_code == 2
    assert "holds 1 rows, the table has 6; name a .csv or .parquet file" in result.stderr
    assert not (here / "out.xlsx").exists()


def test_a_study_without_trials_is_a_table_without_rows(here):
    """The names of the columns are there."""
    build(here / "l.db", "empty", done=0)
    with closing(Ledger(f"sqlite:///{here / 'l.db'}")) as ledger:
        record = open_study("empty", ledger.url).record
    for frame in (tables.splits_frame(record), tables.epochs_frame(record)):
        for ending in (".csv", ".json", ".xlsx", ".parquet"):
            needed(ending)
            path = files.write_table(frame, here / f"out{ending}")
            assert len(as_frame(path)) == 0
            if ending != ".json":
                assert list(as_frame(path).columns) == list(frame.columns)
