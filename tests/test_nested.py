"""Nested cross-validation: outer folds, their rows, their estimate."""

import json
from dataclasses import replace
from io import StringIO

import commands
import numpy as np
import pytest
from commands import sweep
from records import grid_record
from rich.console import Console

from sweep.analysis.nested import (
    inner_score,
    is_current,
    nested_interval,
    nested_score,
    plain_nested,
)
from sweep.cli.plan_text import verdict
from sweep.cli.progress_display import picture
from sweep.datasets import Dataset
from sweep.errors import DataError, StudyFileError
from sweep.evaluation.split_checks import check_outer_folds
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import NestedRecord, OuterFold
from sweep.ledger.reading import read_study
from sweep.report import page
from sweep.runner.progress import Progress
from sweep.search.outer_folds import (
    outer_fold_data,
    outer_fold_spec,
    outer_folds,
)
from sweep.spec import load_study
from sweep.study.answers.plan import StudyPlan
from sweep.study.check import check_study
from sweep.study.compatibility import check_same
from sweep.study.delete import delete_study
from sweep.study.nested import record_nested

here, ledger = commands.here, commands.ledger


def spec(nested=3, **search):
    """A grid that asks for outer folds."""
    search = {"method": "grid", "cv": 2, **search}
    return load_study(
        {
            "study": {"name": "deep"},
            "data": {"dataset": "digits"},
            "search": search if nested is None else {**search, "nested": nested},
            "space": {"hidden_size": [4, 8]},
        }
    )


def dataset(rows=12, groups=None):
    """Rows that hold their own number, two classes in turn; the test set holds -1."""
    numbers = np.arange(rows).reshape(-1, 1)
    labels = np.arange(rows) % 2
    return Dataset("own", numbers, labels, -np.ones((4, 1)), np.zeros(4, int), ("a", "b"), groups)


def nested_record(scores=(0.90, 0.92, 0.94), inner=0.96, planned=3):
    """What three outer folds found."""
    folds = tuple(OuterFold(s, inner, {"epochs": 5, "hidden_size": 64}, 4000, 2000) for s in scores)
    return NestedRecord(folds, planned, "2026-03-02T10:00:00+00:00")


def test_outer_folds_hold_every_row_out_once():
    """Together they score each training row, and search all others."""
    data = dataset()
    folds = [outer_fold_data(data, part) for part in outer_folds(spec())]
    assert sorted(np.concatenate([f.x_test.ravel() for f in folds])) == list(range(12))
    for fold in folds:
        assert set(fold.x_train.ravel()) | set(fold.x_test.ravel()) == set(range(12))
        assert not set(fold.x_train.ravel()) & set(fold.x_test.ravel())


def test_an_outer_fold_cannot_reach_the_test_set():
    """Its rows of the test set are the fold's own, the study's are nowhere in it."""
    for part in outer_folds(spec()):
        fold = outer_fold_data(dataset(), part.plain())
        assert min(fold.x_train.min(), fold.x_test.min()) >= 0


def test_groups_are_not_torn_apart():
    """Rows of one group are searched, or held out."""
    groups = np.repeat(np.arange(6), 2)
    for part in outer_folds(spec()):
        fold = outer_fold_data(dataset(groups=groups), part)
        held_out = {int(row) // 2 for row in fold.x_test.ravel()}
        assert not held_out & set(fold.groups.tolist())


def test_an_outer_fold_searches_the_same_and_always_refits():
    """Nothing but nested and refit differs."""
    asked = spec(refit=False)
    searched = outer_fold_spec(asked)
    assert searched.search.nested is None
    assert searched.search.refit
    assert searched.space == asked.space
    assert searched.search.cv == asked.search.cv


def test_folds_that_cannot_be_split_are_refused_beforehand():
    """Too few rows of a class, outside or inside."""
    with pytest.raises(DataError, match=r"search\.nested: the rows cannot be split"):
        check_outer_folds(spec(nested=8), dataset())
    with pytest.raises(StudyFileError, match=r"outer 1 of 2: .*\n  search\.cv: 5 splits need 5"):
        check_outer_folds(spec(nested=2, cv=5), dataset())


def test_one_outer_fold_is_none():
    """At least two."""
    with pytest.raises(StudyFileError, match=r"search\.nested.*a whole number from 2"):
        spec(nested=1)


def test_what_other_studies_have_seen_is_refused():
    """A warm start would know the outer held-out rows."""
    with pytest.raises(StudyFileError, match="an outer fold must not know its held-out rows"):
        spec(method="random", trials=3, start_from=["other"])


def test_outer_folds_may_be_asked_for_later():
    """The search itself is not another one."""
    check_same(spec(nested=None), spec())
    check_same(spec(), spec(nested=5))


def test_the_estimate_is_the_mean_of_the_outer_scores():
    """With an interval that counts the rows that folds share: t(2) * sqrt((1/3 + 1/2) * var)."""
    record = replace(grid_record(), nested=nested_record())
    assert nested_score(record.nested) == pytest.approx(0.92)
    assert inner_score(record.nested) == pytest.approx(0.96)
    found = nested_interval(record)
    half = 4.302653 * np.sqrt((1 / 3 + 0.5) * 0.0004)
    assert found.low == pytest.approx(0.92 - half, abs=1e-6)
    assert found.high == pytest.approx(min(1.0, 0.92 + half), abs=1e-6)


def test_an_estimate_of_a_smaller_search_is_told_apart():
    """A study that has grown since, or asks for other folds."""
    record = replace(grid_record(), nested=nested_record())
    assert is_current(record)
    assert not is_current(replace(record, planned=4))
    assert not plain_nested(replace(record, planned=4))["current"]
    asked = {**record.spec, "search": {**record.spec["search"], "nested": 5}}
    assert not is_current(replace(record, spec=asked))


def test_the_report_shows_it_beside_the_held_out_score():
    """In the answer, and fold by fold; nothing of it without."""
    plain = page.render(grid_record())
    shown = page.render(replace(grid_record(), nested=nested_record()))
    assert "Nested accuracy" not in plain
    assert "Nested accuracy" in shown
    assert "0.9200" in shown
    assert "The scores it chose by were 0.0400 above that" in shown
    assert "Nested cross-validation, fold by fold" in shown


def test_without_a_test_score_the_caution_names_the_nested_one():
    """It tells how much the choice flatters."""
    closed = grid_record(refit=False)
    assert "only the test set can tell by how much" in page.render(closed)
    assert "the nested score is not" in page.render(replace(closed, nested=nested_record()))


def test_the_display_opens_no_test_set_for_an_outer_fold():
    """It says what is refitted there."""
    progress = Progress("deep / outer 1 of 3", 4, phase="refitting")
    console = Console(width=100, record=True, file=StringIO())
    console.print(picture(progress, 100))
    progress.turn_to("deep / outer 1 of 3", outer=True)
    progress.phase = "refitting"
    console.print(picture(progress, 100))
    first, second = console.export_text().split("deep / outer 1 of 3")[1:]
    assert "opening the test set" in first
    assert "scoring its held-out rows" in second


def test_the_ledger_keeps_it_and_hides_the_outer_folds(tmp_path):
    """Recorded once from the folds' own studies; deleting the study deletes them."""
    import ledgers

    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledgers.build(tmp_path / "ledger.db", "tiny", winner=True)
    ledger = Ledger(url)
    for number in (1, 2):
        name = f"tiny / outer {number} of 2"
        study = ledgers.sections("tiny")
        ledgers.build(tmp_path / "ledger.db", name, study=study, winner=True)
        ledger.update(name, part={"study": "tiny", "number": number, "of": 2})
    parts = [read_study(ledger, name) for name in ledger.parts("tiny")]
    assert record_nested(ledger, "tiny", parts) is None
    held = read_study(ledger, "tiny").nested
    assert [fold.score for fold in held.folds] == [0.9306, 0.9306]
    assert held.planned == 3
    assert ledger.names() == ["tiny"]
    delete_study("tiny", url)
    assert Ledger(url).storage.get_all_studies() == []


def test_a_fold_without_a_winner_gives_no_estimate(tmp_path):
    """And says which."""
    import ledgers

    record = ledgers.build(tmp_path / "ledger.db", "tiny")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    assert "no trial is complete in tiny" in record_nested(ledger, "tiny", [record])
    assert read_study(ledger, "tiny").nested is None


def test_check_counts_the_fits_of_outer_folds():
    """Two cells, two splits, the winner: five fits, and as many in each of three outer folds."""
    plain = check_study(spec(nested=None), probe=False)
    checked = check_study(spec(), probe=False)
    assert (plain.fits, plain.outer_left) == (5, 0)
    assert (checked.fits, checked.outer, checked.outer_left) == (20, 3, 3)


def test_a_finished_search_is_not_done_while_outer_folds_are_left():
    """The verdict says what a run would still do; nothing once they have ended."""
    known = replace(grid_record(), spec=spec().plain())
    checked = replace(check_study(spec(), probe=False), left=())
    assert "repeat the search in 3 outer folds" in verdict(StudyPlan(checked, known))
    assert not StudyPlan(checked, known).done
    ended = replace(known, nested=nested_record())
    assert StudyPlan(replace(checked, outer_left=0), ended).done


def test_the_command_line_shows_it(ledger):
    """In best and show, as text and as JSON."""
    Ledger(f"sqlite:///{ledger}").set_nested("tiny", nested_record())
    for command in ("best", "show"):
        shown = " ".join(sweep(command, "tiny").stdout.split())
        assert "nested 0.9200 (" in shown
        assert "over 3 outer folds" in shown
        plain = json.loads(sweep(command, "tiny", "--format", "json").stdout)
        assert plain["nested"]["score"] == pytest.approx(0.92)
        assert len(plain["nested"]["folds"]) == 3


@pytest.mark.tensorflow
def test_a_nested_study_runs_goes_on_and_grows(tmp_path):
    """The same scores as scikit-learn's cross_val_score around GridSearchCV; then more values."""
    from sklearn.model_selection import GridSearchCV, cross_val_score

    from sweep import KerasMLPClassifier, load_dataset, run_study
    from sweep.runner.progress import Watcher

    asked = {
        "study": {"name": "nested"},
        "data": {"dataset": "digits", "train_rows": 150, "test_rows": 60},
        "model": {"factory": "mlp", "learning_rate": 0.01, "epochs": 3},
        "search": {"method": "grid", "cv": 2, "nested": 2, "refit": False},
        "space": {"hidden_size": [4, 16]},
    }

    class Counting(Watcher):
        """Keeps the last progress."""

        def begin(self, progress):
            """Keep it."""
            self.progress = progress

    url, counting = f"sqlite:///{tmp_path / 'ledger.db'}", Counting()
    found = run_study(asked, storage=url, n_jobs=2, watcher=counting)
    digits = load_dataset("digits", train_rows=150, test_rows=60)
    mlp = KerasMLPClassifier(learning_rate=0.01, epochs=3, scaling="unit", random_state=0)
    search = GridSearchCV(mlp, {"hidden_size": [4, 16]}, cv=2)
    scores = cross_val_score(search, digits.x_train, digits.y_train, cv=2)
    np.testing.assert_array_equal([fold.score for fold in found.record.nested.folds], scores)
    assert found.record.winner is None
    assert (counting.progress.planned, counting.progress.done) == (6, 6)

    grown = {**asked, "space": {"hidden_size": [4, 16, 32]}}
    more = run_study(grown, storage=url, n_jobs=2, watcher=counting).record
    assert more.nested.planned == 3
    assert (counting.progress.planned, counting.progress.began_done) == (9, 6)
    again = Counting()
    assert run_study(grown, storage=url, watcher=again).record.nested == more.nested
    assert not hasattr(again, "progress")
