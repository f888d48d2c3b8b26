"""Several studies side by side: frames, paired differences, the page, the command."""

import json
from dataclasses import replace

import commands
import numpy as np
import pytest
from commands import read, sweep
from ledgers import RANDOM, build
from records import HOSTILE, empty_record, grid_record, tpe_record, validation_record

from sweep.analysis import chosen, interval, paired, split_scores
from sweep.errors import ResultError
from sweep.report import render_comparison
from sweep.tables import pairs_frame, progress_frame, settings_frame, shared_frame, studies_frame

here = commands.here


def named(record, name, shift=0.0, by_split=0.001):
    """Return a record under another name, its held-out scores moved."""

    def moved(trial):
        splits = [
            replace(s, test={e: v + shift + s.split * by_split for e, v in s.test.items()})
            for s in trial.splits
        ]
        return replace(trial, splits=tuple(splits))

    rows = tuple(replace(c, trial=moved(c.trial)) for c in record.candidates)
    return replace(record, name=name, candidates=rows)


def zero(candidate):
    """Return a candidate that is never right."""
    splits = [replace(s, test=dict.fromkeys(s.test, 0.0)) for s in candidate.trial.splits]
    return replace(candidate, trial=replace(candidate.trial, splits=tuple(splits)))


def test_a_difference_is_paired_by_split():
    """The mean of the differences, with the corrected interval of Nadeau and Bengio."""
    one, other = named(grid_record(), "one", 0.01, 0.006), named(grid_record(), "other")
    found = paired(one, other)
    gaps = np.subtract(split_scores(chosen(one)), split_scores(chosen(other)))
    rows = chosen(one).trial.splits[0].n_test
    expected = interval(list(gaps), one.data.train_rows - rows, rows)
    assert found.difference == pytest.approx(0.02)
    assert (found.low, found.high) == pytest.approx(expected)
    assert paired(other, one).difference == pytest.approx(-0.02)


def test_what_does_not_compare_is_refused():
    """Other data, another scorer, other splits: a plain reason and no number."""
    record = grid_record()
    data = replace(record.data, fingerprint="0" * 64)
    search = {**record.spec["search"], "scoring": "f1_macro"}
    folds = {**record.spec["search"], "cv": 3}
    for other, reason in (
        (replace(record, data=data), "other data"),
        (replace(record, spec={**record.spec, "search": search}), "other scorers"),
        (replace(record, spec={**record.spec, "search": folds}), "other splits (cv)"),
    ):
        found = paired(record, other)
        assert found.difference is None
        assert found.reason.startswith(reason)
    empty = replace(record, candidates=())
    assert paired(record, empty).reason == "nothing is complete yet"


def test_one_split_has_no_interval():
    """But a difference."""
    record = validation_record()
    found = paired(named(record, "a", 0.01), named(record, "b"))
    assert found.difference == pytest.approx(0.01)
    assert (found.low, found.reason) == (None, "one split: no interval")


def test_studies_frame():
    """One row a study, of what it has chosen."""
    frame = studies_frame([grid_record(), replace(tpe_record(), name="tpe"), empty_record()])
    assert frame["method"].tolist()[:2] == ["grid", "tpe"]
    first = frame.iloc[0]
    assert first["low"] < first["score"] < first["high"]
    assert np.isnan(frame.iloc[2]["score"])


def test_progress_rises_and_counts_fits():
    """The best so far never falls, and seconds and fits grow."""
    frame = progress_frame([grid_record(), replace(tpe_record(), name="tpe")])
    for _, own in frame.groupby("study"):
        for column in ("seconds", "fits", "best"):
            assert own[column].is_monotonic_increasing


def test_settings_that_differ():
    """And no others; a study that lacks one has an empty cell."""
    record = grid_record()
    other = replace(
        record, name="b", spec={**record.spec, "model": {"factory": "cnn", "filters": 8}}
    )
    frame = settings_frame([record, other]).set_index("setting")
    assert set(frame.index) >= {"model.factory", "model.filters"}
    assert not any(place.startswith("search.") for place in frame.index)
    assert frame.loc["model.filters"].tolist() == ["", "8"]


def test_shared_parameters():
    """The best score of each study by value."""
    frame = shared_frame([named(grid_record(), "a", 0.1), named(grid_record(), "b")])
    assert set(frame["parameter"]) == {"epochs", "hidden_size"}
    assert frame["a"].to_numpy() == pytest.approx(frame["b"].to_numpy() + 0.1)
    assert frame["parameter"].tolist() == sorted(frame["parameter"])
    for _, rows in frame.groupby("parameter"):
        values = [float(value) for value in rows["value"]]
        assert values == sorted(values)


def test_studies_named_like_a_column():
    """Neither takes the other's place."""
    first, other = named(grid_record(), "value", 0.1), named(grid_record(), "setting")
    other = replace(other, spec={**other.spec, "model": {"factory": "cnn", "filters": 8}})
    shared, settings = shared_frame([first, other]), settings_frame([first, other])
    assert set(shared.loc[shared["parameter"] == "epochs", "value"]) <= set(map(str, range(99)))
    assert shared["study value"].to_numpy() == pytest.approx(shared["setting"] + 0.1)
    assert "model.filters" in set(settings["setting"])
    assert "8" in set(settings["study setting"])
    assert "cnn" in render_comparison([first, other])


def test_a_study_that_is_never_right_has_a_score():
    """0, not minus infinity."""
    low = named(grid_record(), "low", -9.0)
    none = replace(low, candidates=tuple(map(zero, low.candidates)))
    assert set(shared_frame([none, named(grid_record(), "b")])["low"]) == {0.0}


def test_the_page():
    """Names the best, draws both figures, puts the models side by side; the same bytes twice."""
    records = [named(grid_record(), "one", 0.02), named(grid_record(), "other")]
    page = render_comparison(records)
    assert page == render_comparison(records)
    assert "one found the highest held-out accuracy" in page
    assert page.count("<svg") >= 2
    assert page.count("Layers") + page.count("layers of the winner") >= 2
    assert "may be chance" in page or "more than chance explains" in page


def test_the_page_escapes():
    """Hostile names are text."""
    records = [replace(grid_record(), name=HOSTILE), named(grid_record(), "other")]
    page = render_comparison(records)
    assert "<script>alert" not in page


def test_studies_that_cannot_stand_on_one_page():
    """One alone, one twice, six, a baseline that is none of them."""
    record = grid_record()
    for records in ([record], [record, record], [named(record, str(n)) for n in range(6)]):
        with pytest.raises(ResultError, match="needs 2 to 5 different studies"):
            render_comparison(records)
    with pytest.raises(ResultError, match=r"different studies, got 0$"):
        render_comparison([])
    with pytest.raises(ResultError, match="--baseline: must be one of the studies, got 'c'"):
        render_comparison([named(record, "a"), named(record, "b")], "c")
    assert pairs_frame([named(record, "a"), named(record, "b")], record).shape == (2, 6)


def test_the_command(here, monkeypatch):
    """Prints the studies and their differences, and writes the page."""
    monkeypatch.setenv("SWEEP_STORAGE", str(here / "l.db"))
    build(here / "l.db", "one")
    build(here / "l.db", "two", done=2)
    build(here / "l.db", "three", space=RANDOM, method="random", trials=2, validation=0.2)
    said = read("compare", "one", "two", "three")
    assert "two less one: -0.0200 (95 % interval" in said
    assert "three less one: not compared, other splits (cv, validation" in said
    assert list((here / "reports").glob("one-vs-two-vs-three--*.html"))
    found = json.loads(read("compare", "one", "two", "--baseline", "two", "--format", "json"))
    assert found["differences"][0]["difference"] == pytest.approx(0.02)
    alone, mistyped = sweep("compare", "one"), sweep("compare", "one", "twoo")
    assert (alone.exit_code, mistyped.exit_code) == (2, 2)
    assert "needs 2 to 5" in alone.stderr
    assert "did you mean" in mistyped.stderr.lower()


def test_a_study_named_twice_is_refused_before_any_is_read(here, monkeypatch):
    """Reading large studies takes a minute; what is on the line is known at once."""
    monkeypatch.setenv("SWEEP_STORAGE", str(here / "nowhere.db"))
    found = sweep("compare", "one", "one")
    assert found.exit_code == 2
    assert "needs 2 to 5 different studies, got 2: one, one" in found.stderr
