"""A study with several scorers on every page: report, comparison, service."""

import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from commands import sweep
from html_page import Page
from ledgers import build
from records import grid_record, tpe_record, with_scorers
from service_client import opened

from sweep import tables
from sweep.analysis.nested import plain_nested
from sweep.cli.nested_text import nested_lines
from sweep.ledger.outcomes import NestedRecord, Opening, OuterFold
from sweep.report import render, render_comparison
from sweep.report.answer import answer
from sweep.report.curve_data import curve_folds
from sweep.report.curves import learning_curves
from sweep.report.leaderboard import leaderboard
from sweep.report.nested import nested_table
from sweep.report.pivots import heat_maps
from sweep.report.report_data import report_data
from sweep.report.test_set_openings import openings
from sweep.service.token_commands import add_token

LIST = ["accuracy", "f1_macro", "roc_auc_ovr"]


def nested(record):
    """Give a record two outer folds, of which one lacks a score."""
    folds = (
        OuterFold(0.9, 0.9, {"epochs": 5}, 10, 5, "", {"f1_macro": 0.8, "roc_auc_ovr": 0.7}),
        OuterFold(0.9, 0.9, {"epochs": 5}, 10, 5, "", {"f1_macro": 0.6, "roc_auc_ovr": None}),
    )
    return replace(record, nested=NestedRecord(folds, 3, "2026-03-02T10:00:00+00:00"))


def test_the_reports_leaderboard_has_a_column_for_each_further_scorer():
    """With the means of the table; a missing one is a dash."""
    record = with_scorers(grid_record(), missing=(1,))
    board = leaderboard(report_data(record))
    assert board.others == ("f1_macro", "roc_auc_ovr")
    frame = tables.candidates_frame(record).set_index("candidate")
    for row in board.rows:
        mean = frame.loc[int(row.candidate), "mean_test_f1_macro"]
        assert row.others[0] == f"{mean:.4f}"
    assert "–" in {row.others[1] for row in board.rows}  # noqa: RUF001 - the page's dash
    table = re.search(r'<table id="board">.*?</table>', render(record), re.DOTALL)[0]
    heads = [re.sub("<[^>]+>", "", h) for h in re.findall(r"<th scope=\"col\".*?</th>", table)]
    assert heads[1:5] == ["held-out", "±", "f1_macro", "roc_auc_ovr"]
    assert "could not be computed in 3 of 45 fits" in Page(render(record)).text


def test_repeated_openings_of_the_test_set_are_told_by_every_scorer():
    """A column each; one that could not be computed is a dash, also of older ledgers."""
    record = with_scorers(grid_record())
    params = record.winner.params
    table = openings(
        replace(
            record,
            openings=(
                Opening("2026-03-01T08:00:00+00:00", params, 0.91),
                Opening("2026-03-02T09:41:12+00:00", params, 0.92, {"f1_macro": 0.9}),
            ),
        )
    )
    assert table.head[-3:] == (
        "test", "test f1_macro", "test roc_auc_ovr",
    )  # fmt: skip
    assert [row[-3:] for row in table.rows] == [
        ("0.9100", "–", "–"), ("0.9200", "0.9000", "–"),  # noqa: RUF001 - the page's dash
    ]  # fmt: skip


def test_each_scorer_has_a_curve_with_its_numbers():
    """Beside the first scorer's, over the epochs that were scored."""
    record = with_scorers(tpe_record(12))
    plots = learning_curves(record, *curve_folds(record))
    assert [plot.title for plot in plots] == [
        "Held-out score", "Held-out f1_macro", "Held-out roc_auc_ovr", "Training loss",
    ]  # fmt: skip
    first, second = (np.array(list(map(list, p.data.rows))) for p in plots[:2])
    known = re.compile(r"0\.\d+")
    pairs = [
        (float(a), float(b))
        for a, b in zip(first[:, 2:].ravel(), second[:, 2:].ravel(), strict=True)
        if known.fullmatch(a)
    ]
    assert pairs
    assert all(abs(a - 0.1 - b) < 2e-4 for a, b in pairs)


def test_a_heat_map_names_every_score_of_a_cell():
    """Under the mean, beside the training score."""
    record = with_scorers(grid_record())
    (shown,) = heat_maps(record, tables.candidates_frame(record), ["epochs,hidden_size"])
    assert "under it the training score, f1_macro, roc_auc_ovr" in shown.caption
    cell = shown.rows[0][1][0]
    mean = float(cell.text)
    assert cell.notes[1] == f"f1_macro {mean - 0.1:.4f}"
    assert cell.notes[-1] == "n 1"


def test_the_answer_names_the_other_scores():
    """Held out, in the outer folds and on the test set."""
    record = nested(with_scorers(grid_record()))
    held, outer, test = answer(record).figures
    assert re.search(r"; f1_macro 0\.8\d{3}; roc_auc_ovr 0\.7\d{3}$", held.note)
    assert outer.note.split(". ")[0].endswith("not seen")
    assert "; f1_macro 0.7000; roc_auc_ovr –" in outer.note  # noqa: RUF001 - the page's dash
    assert test.note.endswith("; f1_macro 0.9100; roc_auc_ovr –")  # noqa: RUF001 - the page's dash
    folds = nested_table(record)
    assert list(folds.head)[-4:] == [
        "outer score", "outer f1_macro", "outer roc_auc_ovr", "rows",
    ]  # fmt: skip
    assert plain_nested(record)["other_scores"]["f1_macro"] == 0.7
    assert "; f1_macro 0.7000; roc_auc_ovr -" in nested_lines(plain_nested(record))[0]


def test_studies_are_compared_by_each_scorer():
    """A study has a mean by a scorer that ranks it, or that it reports; else none."""
    several = with_scorers(grid_record())
    search = {**grid_record().spec["search"], "scoring": "f1_macro"}
    ranked = replace(grid_record(), name="b", spec={**grid_record().spec, "search": search})
    frame = tables.studies_frame([several, ranked]).set_index("study")
    means = [f"mean_test_{name}" for name in LIST]
    assert list(frame)[-3:] == means
    first = frame.loc["mnist-mlp-grid"]
    assert first["mean_test_accuracy"] == first["score"]
    assert abs(first["mean_test_f1_macro"] - first["score"] + 0.1) < 1e-9
    other = frame.loc["b"]
    assert other["mean_test_f1_macro"] == other["score"]
    assert np.isnan([other["mean_test_accuracy"], other["mean_test_roc_auc_ovr"]]).all()
    page = Page(render_comparison([several, ranked])).text
    assert "mean accuracy mean f1_macro mean roc_auc_ovr" in page
    plain = tables.studies_frame([grid_record(), replace(grid_record(), name="b")])
    assert list(plain)[-1] == "settings"


def test_compare_prints_the_means(tmp_path):
    """In columns of their own, in tables and as JSON."""
    build(tmp_path / "l.db", "one", scoring=LIST)
    build(tmp_path / "l.db", "two", scoring=LIST[:2])
    words = ("compare", "one", "two", "--storage", tmp_path / "l.db", "-o", tmp_path / "c.html")
    said = sweep(*words).output
    assert re.search(r"mean f1_macro +mean roc_auc_ovr", said)
    assert re.search(r"two .* 0\.7910 +-", said)


@contextmanager
def reader(path):
    """Serve a ledger to a person who may read."""
    url = f"sqlite:///{path}"
    headers = {"authorization": f"Bearer {add_token(url, 'ann', 'read')}", "accept": "text/html"}
    with opened(url) as (_service, client):
        client.headers.update(headers)
        yield client


def test_the_study_page_has_a_column_for_each_further_scorer(tmp_path):
    """Of the leaders, behind the first scorer's."""
    build(tmp_path / "l.db", scoring=LIST)
    with reader(tmp_path / "l.db") as client:
        page = client.get("/studies/tiny").text
    board = page.split('aria-label="Leaderboard"')[1].split("</table>")[0]
    heads = [re.sub("<[^>]+>", "", h) for h in re.findall(r"<th scope=\"col\".*?</th>", board)]
    assert heads[:5] == ["rank", "score", "±", "f1_macro", "roc_auc_ovr"]
    assert '<td class="n">0.7910</td><td class="n">0.6910</td>' in board
