"""`sweep show` for programs: every candidate with its state and split scores, none left out."""

import csv
import io
import json
from contextlib import closing

import commands
import pytest
from commands import read
from ledgers import LAYERS, build, split

from sweep import open_study
from sweep.ledger import top_candidates
from sweep.ledger.ledger import Ledger
from sweep.ledger.scores import mean_split_score

here = commands.here

WIDTHS = {"hidden_size": [4, 8, 16, [8, 4], 32, 64, 96, 128, 160, 192, 224, 256, 288, 320]}
ENDS = ["COMPLETE"] * 11 + ["INFEASIBLE", "PRUNED", "FAIL"]


@pytest.fixture
def mixed(here):
    """A study of 14 cells: one pruned, one failed, one past a limit, one copied."""
    url = f"sqlite:///{here / 'l.db'}"
    model = {"space": WIDTHS, "done": 0, "max_fit_seconds": 5}
    build(None, "mixed", url=url, **model)
    with closing(Ledger(url)) as ledger:
        for number, end in enumerate(ENDS):
            claim = ledger.claim("mixed", "w")
            seconds = {"INFEASIBLE": 9.0}.get(end, 0.1)
            splits = [split(0.5 + number / 50, claim.epochs, i) for i in range(3)]
            splits = [_lasting(each, seconds) for each in splits]
            result = (claim, mean_split_score(splits, claim.epochs[-1]), splits, LAYERS)
            if end == "FAIL":
                ledger.fail(claim, "ModelError: no luck")
            elif end == "PRUNED":
                ledger.pruned(*result)
            else:
                ledger.complete(*result, copied_from=0 if number == 4 else None)
    return str(here / "l.db")


def _lasting(result, seconds):
    return type(result)(**{**vars(result), "seconds": dict.fromkeys(result.test, seconds)})


def rows(storage, *words):
    """The lines of the CSV."""
    text = read("show", "mixed", "--storage", storage, "--format", "csv", *words)
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_every_candidate(mixed):
    """More than ten rows, best first; then those past a limit, pruned and failed, no rank."""
    found = rows(mixed)
    assert sorted(row["state"] for row in found) == sorted(ENDS)
    assert [row["rank"] for row in found] == [*map(str, range(1, 12)), "", "", ""]
    scores = [float(row["mean_test_score"]) for row in found[:11]]
    assert scores == sorted(scores, reverse=True)
    assert {row["reason"] for row in found[11:]} == {
        "", "ModelError: no luck", "a fit took 9 s, above max_fit_seconds = 5"
    }  # fmt: skip


def test_csv_is_the_frame(mixed):
    """Scores of each split, epochs, weights and parameters are those of `result.frame`."""
    frame = open_study("mixed", mixed).frame
    by_width = {json.dumps(row["param_hidden_size"]): row for row in frame.to_dict("records")}
    for row in rows(mixed):
        held = by_width[row["param_hidden_size"]]
        assert row["state"] == held["state"]
        assert row["epochs_run"] == str(held["epochs_run"])
        for name in ("mean_test_score", *(f"split{i}_test_score" for i in range(3))):
            if row["state"] == "COMPLETE":
                assert float(row[name]) == held[name]
            else:
                assert row[name] == ""


def test_json_has_them_too(mixed):
    """The leaderboard is whole, with parameters together, and the states are counted."""
    said = json.loads(read("show", "mixed", "--storage", mixed, "--format", "json"))
    assert len(said["leaderboard"]) == said["candidates"] == 14
    counts = {name: said[name] for name in ("complete", "pruned", "failed", "infeasible", "copied")}
    assert counts == {"complete": 11, "pruned": 1, "failed": 1, "infeasible": 1, "copied": 1}
    first, last = said["leaderboard"][0], said["leaderboard"][-1]
    assert (first["state"], first["params"]) == ("COMPLETE", {"hidden_size": 224})
    assert (last["rank"], last["split0_test_score"]) == (None, None)
    (copy,) = [row for row in said["leaderboard"] if row["copied_from"] is not None]
    assert (copy["trial"], copy["copied_from"]) == (4, 0)


def test_top_cuts_where_it_is_asked(mixed):
    """With --top so many rows, and no fewer because the others have no score."""
    assert len(rows(mixed, "--top", "3")) == 3
    assert len(rows(mixed, "--top", "13")) == 13


def test_top_of_a_large_study_reads_the_others_only_where_they_are_wanted(here, monkeypatch):
    """Complete candidates are read alone; with failed ones among the rows the study whole."""
    monkeypatch.setattr(top_candidates, "FEW", 0)
    build(here / "l.db", "mixed", method="random", trials=12, validation=0.2, failed=(3, 5))
    whole = rows("l.db")
    assert [row["state"] for row in whole] == ["COMPLETE"] * 10 + ["FAIL"] * 2
    assert rows("l.db", "--top", "4") == whole[:4]
    assert rows("l.db", "--top", "11") == whole[:11]


def test_people_see_ten(mixed):
    """The table is cut at ten, and says so."""
    assert "... and 1 more" in read("show", "mixed", "--storage", mixed)
