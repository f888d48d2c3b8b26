"""Several scorers: the first ranks, all stand in the tables as scikit-learn names them."""

import json
import math
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from commands import sweep
from fakes import FakeClassifier
from ledgers import build
from records import grid_record, tpe_record, with_scorers
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sweep import analysis, open_study, tables
from sweep.errors import StudyFileError
from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate
from sweep.evaluation.lockstep import evaluate_in_lockstep
from sweep.evaluation.reuse import results_until
from sweep.evaluation.scoring import Scored, Scoring
from sweep.ledger.checksums import CHANGED
from sweep.ledger.codec import split_from_plain, split_to_plain
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import NestedRecord, OuterFold
from sweep.ledger.records import SplitResult
from sweep.spec import load_study, to_toml
from sweep.storage.attributes import RESULT, WINNER
from sweep.study.answers.leaderboard import leaderboard
from sweep.study.answers.status import plain_status, study_status
from sweep.study.compatibility import check_same
from sweep.tables.plain_rows import leaderboard_rows

NAMES = ("accuracy", "f1_macro", "roc_auc", "neg_log_loss")
Y = np.tile([0, 1], 30)
X = np.column_stack([Y, np.arange(60)])
DATA = SearchData(X, Y, list(StratifiedKFold(3).split(X, Y)))
ASKED = EvaluationRequest((1, 3), NAMES, train_scores=True)


def study(scoring, **search):
    """Return a study file's sections."""
    return {
        "study": {"name": "s"}, "data": {"dataset": "digits"}, "model": {"epochs": 3},
        "search": {"method": "grid", "scoring": scoring, **search}, "space": {"hidden_size": [8]},
    }  # fmt: skip


def problems(scoring, **search):
    """Return the problems of a study file."""
    with pytest.raises(StudyFileError) as caught:
        load_study(study(scoring, **search))
    return caught.value.problems


# -- the study file ------------------------------------------------------------------------------


def test_the_first_of_a_list_ranks():
    """The list survives TOML and JSON; one name in a list is that name."""
    spec = load_study(study(list(NAMES)))
    assert (spec.search.scorer, spec.search.scorers) == ("accuracy", NAMES)
    assert type(spec).from_plain(json.loads(json.dumps(spec.plain()))).search == spec.search
    assert 'scoring = ["accuracy", "f1_macro", "roc_auc", "neg_log_loss"]' in to_toml(
        spec.sections()
    )
    one = load_study(study(["f1_macro"]))
    assert one.sections() == load_study(study("f1_macro")).sections()
    assert one.search.scorers == ("f1_macro",)


def test_every_fault_of_a_list_is_told_at_once():
    """Unknown names with near ones, names that stand twice, what is no name; an empty list."""
    found = problems(["accuracy", "f1_makro", "accuracy", 3, "nothing_like_it"])
    assert found[:3] == [
        "search.scoring.accuracy: stands 2 times; name each scorer once",
        'search.scoring.f1_makro: no scorer named "f1_makro", did you mean f1_macro?',
        "search.scoring.3: must be the name of a scorer, got 3",
    ]
    assert found[3].startswith(
        'search.scoring.nothing_like_it: no scorer named "nothing_like_it"; '
    )
    assert len(found) == 4
    (empty,) = problems([])
    assert empty == (
        'search.scoring: must name a scorer, got an empty list; say scoring = "accuracy"'
    )


def test_rules_look_at_the_first_scorer():
    """A choice that needs rows, and a pruner's bounds, are of what ranks."""
    with_split = {"choose": "cheapest", "validation": 0.2}
    assert load_study(study(["accuracy", "f1_macro"], **with_split))
    (told,) = problems(["f1_macro", "accuracy"], **with_split)
    assert 'with one split scored by "f1_macro"' in told


def test_several_objectives_and_several_scorers_go_together():
    """The objective score is the first scorer."""
    more = {"method": "nsga2", "trials": 4, "objectives": ["score", "parameters"]}
    spec = load_study(study(list(NAMES), **more))
    assert (spec.search.scorer, spec.search.objectives) == ("accuracy", ("score", "parameters"))


def test_another_list_is_another_study():
    """Scores that no fit has are not made up: the study is refused under that name."""
    one, other = (load_study(study(s)) for s in ("accuracy", ["accuracy", "f1_macro"]))
    with pytest.raises(Exception, match=r"search.scoring: was 'accuracy', now \['accuracy', 'f1_m"):
        check_same(one, other)


# -- evaluation ----------------------------------------------------------------------------------


def test_scores_are_those_of_a_search_with_several_scorers():
    """To the last bit, for held-out and training rows, at each asked epoch."""
    ours = evaluate(FakeClassifier(), DATA, ASKED)
    theirs = GridSearchCV(
        FakeClassifier(), {"epochs": [1, 3]}, scoring=NAMES, cv=DATA.splits, refit=False,
        return_train_score=True,
    ).fit(X, Y)  # fmt: skip
    for row, epoch in enumerate(ASKED.epochs):
        for number, split in enumerate(ours.splits):
            for kind, first, others in (
                ("test", split.test, split.others), ("train", split.train, split.train_others),
            ):  # fmt: skip
                column = f"split{number}_{kind}_%s"
                assert first[epoch] == theirs.cv_results_[column % "accuracy"][row]
                for name in NAMES[1:]:
                    assert others[name][epoch] == theirs.cv_results_[column % name][row]


def test_one_prediction_serves_all_scorers():
    """The model is asked once an epoch for the held-out rows, however many scorers there are."""
    asked = []

    class Counting(FakeClassifier):
        def predict_proba(self, X):
            asked.append(len(X))
            return super().predict_proba(X)

        def predict(self, X):
            return FakeClassifier.predict(self, X)

    evaluate(Counting(), DATA, EvaluationRequest((3,), NAMES))
    assert asked == [20] * 9


def test_a_single_scorer_measures_as_ever():
    """The same split results as one of several has first, and nothing besides."""
    alone = evaluate(FakeClassifier(), DATA, replace(ASKED, scoring="accuracy")).splits
    among = evaluate(FakeClassifier(), DATA, ASKED).splits
    assert [split.others for split in alone] == [{}] * 3
    assert [(s.test, s.train) for s in alone] == [(s.test, s.train) for s in among]
    assert {"others", "train_others"}.isdisjoint(split_to_plain(alone[0]))


def test_fits_in_lockstep_have_the_same_scores():
    """Also those that were resumed from a checkpoint, to the last bit."""
    whole = evaluate(FakeClassifier(), DATA, replace(ASKED, epochs=(3,)))
    request = replace(ASKED, epochs=(3,))
    never = (lambda *_: False, lambda *_: None)
    steps = evaluate_in_lockstep(FakeClassifier(epochs=3), DATA, request, *never)
    for one, other in zip(whole.splits, steps.splits, strict=True):
        assert (one.others, one.train_others) == (other.others, other.train_others)


class Held:
    """Checkpoints in memory: of fits that were ended after an epoch."""

    def __init__(self, until):
        self.until, self.kept = until, {}

    def resume(self, estimator, split, seed, _most):
        if (split, seed) not in self.kept:
            return {}
        facts, scores = self.kept[split, seed]
        vars(estimator).update(facts)
        return scores

    def save(self, estimator, split, seed, scores):
        del estimator, split, seed, scores

    def finish(self, estimator, split, seed, scores):
        rows = np.array([scores[epoch] for epoch in sorted(scores)], np.float64)
        again = dict(zip(sorted(scores), map(tuple, rows.tolist()), strict=True))
        self.kept[split, seed] = (dict(vars(estimator)), again)


def test_a_resumed_fit_keeps_all_its_scores():
    """A checkpoint holds what every scorer said of the epochs before."""
    request = replace(ASKED, epochs=(3,))
    store = Held(2)
    first = (lambda epoch, _: epoch == 2, lambda *_: None)
    cut = evaluate_in_lockstep(FakeClassifier(epochs=3), DATA, request, *first, store)
    assert cut.pruned
    go_on = (lambda *_: False, lambda *_: None)
    found = evaluate_in_lockstep(FakeClassifier(epochs=3), DATA, request, *go_on, store)
    whole = evaluate_in_lockstep(FakeClassifier(epochs=3), DATA, request, *go_on)
    assert [s.others for s in found.splits] == [s.others for s in whole.splits]


def test_what_is_taken_over_ends_with_its_epochs():
    """A shorter candidate has no score of a later epoch."""
    long = SplitResult({1: 0.5, 2: 0.6}, others={"f1": {1: 0.4, 2: None}})
    assert results_until(long, 1).others == {"f1": {1: 0.4}}


@pytest.mark.filterwarnings("ignore")
def test_a_score_that_these_rows_do_not_allow_is_left_empty():
    """A further scorer that says nan, or refuses, ends no fit; the first does."""
    y = np.zeros(4, int)
    scoring = Scoring(("accuracy", "roc_auc", "neg_log_loss"), [0, 1])
    found = scoring.scored(np.array([0, 1]), np.full((4, 2), 0.5), y, 1)
    assert (found.score, math.isnan(found.others[0])) == (1.0, True)
    assert found.others[1] == pytest.approx(-math.log(2))
    with pytest.raises(ArithmeticError, match="the score after epoch 1 is nan"):
        Scoring(("roc_auc", "accuracy"), [0, 1]).scored(
            np.array([0, 1]), np.full((4, 2), 0.5), y, 1
        )
    assert Scored.of(found.numbers).numbers[:2] == found.numbers[:2]


# -- the ledger ----------------------------------------------------------------------------------


def test_a_result_survives_the_ledger():
    """As JSON without NaN, which databases do not take."""
    split = SplitResult(
        {1: 0.5, 2: 0.6}, {2: 0.7}, others={"f1": {1: 0.4, 2: None}}, train_others={"f1": {2: 0.3}}
    )
    text = json.dumps(split_to_plain(split), allow_nan=False)
    assert split_from_plain(json.loads(text)) == split


@pytest.fixture
def held(tmp_path):
    """Return the file of a ledger that holds a study with three scorers."""
    path = tmp_path / "l.db"
    build(path, scoring=["accuracy", "f1_macro", "roc_auc_ovr"], winner=True)
    return path


def read(path):
    """Return the study in a ledger."""
    return open_study("tiny", str(path)).record


def changed(path, table, key, before, after):
    """Change a stored value by hand, as anybody with the file can."""
    with closing(sqlite3.connect(path)) as ledger:
        change = f"UPDATE {table} SET value_json = replace(value_json, ?, ?) WHERE key = ?"  # noqa: S608 - a table's name
        ledger.execute(change, (before, after, key))
        ledger.commit()


def test_a_further_score_that_was_changed_is_not_taken(held):
    """Its trial fails with the reason, as one whose first score was changed."""
    score = read(held).trials[0].splits[0].others["f1_macro"]
    assert score == {2: 0.72, 5: 0.75}
    changed(held, "trial_user_attributes", RESULT, '"f1_macro":{"2":0.72', '"f1_macro":{"2":0.99')
    first, *rest = read(held).trials
    assert (first.state, first.reason) == ("FAIL", CHANGED)
    assert {trial.state for trial in rest} == {"COMPLETE"}


def test_a_changed_score_on_the_test_set_is_not_taken(held):
    """Neither is the winner that it is part of."""
    with closing(Ledger(f"sqlite:///{held}")) as ledger:
        ledger.set_winner("tiny", replace(read(held).winner, other_scores={"f1_macro": 0.91}))
    assert read(held).winner.other_scores == {"f1_macro": 0.91}
    changed(held, "study_user_attributes", WINNER, "0.91", "0.99")
    assert read(held).winner is None
    assert read(held).damage == ("the winner recorded here was changed since",)


def test_a_study_with_one_scorer_is_stored_as_ever(tmp_path):
    """Neither results nor a winner nor an outer fold name what they do not have."""
    build(tmp_path / "l.db", winner=True)
    fold = OuterFold(0.9, 0.9, {"epochs": 5}, 10, 5)
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        ledger.set_nested("tiny", NestedRecord((fold,), 1, "2026-03-02T09:30:00+00:00"))
    with closing(sqlite3.connect(tmp_path / "l.db")) as ledger:
        text = "\n".join(ledger.iterdump())
    assert "other" not in text


# -- commands ------------------------------------------------------------------------------------


def test_commands_show_every_score(held):
    """``show`` and ``best`` in columns and lines; ``pivot`` by the scorer's own name."""
    with closing(Ledger(f"sqlite:///{held}")) as ledger:
        winner = replace(read(held).winner, other_scores={"f1_macro": 0.91, "roc_auc_ovr": None})
        ledger.set_winner("tiny", winner)
    place = ("--storage", held)
    shown = sweep("show", "tiny", *place).output
    assert re.search(r"rank +score +.*f1_macro +roc_auc_ovr", shown)
    assert re.search(r"0\.8910 ± 0\.0008 +\S* *0\.7910 +0\.6910", shown)
    assert "; f1_macro 0.9100; roc_auc_ovr -" in " ".join(shown.split())
    best = sweep("best", "tiny", *place).output
    assert "best 0.8910; f1_macro 0.7910; roc_auc_ovr 0.6910" in best
    plain = json.loads(sweep("best", "tiny", *place, "--format", "json").output)
    assert plain["mean_test_f1_macro"] == pytest.approx(0.791)
    pivot = sweep("pivot", "tiny", "--index", "hidden_size", "--values", "f1_macro", *place).output
    assert "mean_test_f1_macro" in pivot
    rows = sweep("show", "tiny", *place, "--format", "csv").output.splitlines()
    assert "mean_test_roc_auc_ovr,std_test_roc_auc_ovr,rank_test_roc_auc_ovr" in rows[0]


# -- tables --------------------------------------------------------------------------------------


def test_the_table_has_scikit_learns_names_of_several_scorers():
    """Each scorer has the columns of ``score``, which are those of the first."""
    record = with_scorers(grid_record())
    plain, frame = tables.candidates_frame(grid_record()), tables.candidates_frame(record)
    assert plain.equals(frame[list(plain)])
    kinds = ["mean_test", "std_test", "rank_test", *(f"split{i}_test" for i in range(5))]
    kinds += ["mean_train", "std_train", *(f"split{i}_train" for i in range(5))]
    more = [f"{k}_{n}" for n in ("accuracy", "f1_macro", "roc_auc_ovr") for k in kinds]
    assert [name for name in frame if name not in plain] == more
    for kind in kinds:
        assert frame[f"{kind}_accuracy"].equals(frame[f"{kind}_score"])
    np.testing.assert_allclose(frame["mean_test_f1_macro"], frame["mean_test_score"] - 0.1)
    assert frame["rank_test_f1_macro"].tolist() == frame["rank_test_score"].tolist()
    assert str(frame["rank_test_f1_macro"].dtype) == "Int64"


def test_the_table_of_fits_has_the_scores_of_each_epoch():
    """For curves; a pruned trial's too."""
    record = with_scorers(tpe_record(12))
    folds = tables.folds_frame(record)
    assert list(folds)[-6:] == [
        f"{kind}_{n}" for n in ("accuracy", "f1_macro", "roc_auc_ovr") for kind in ("test", "train")
    ]
    assert folds["test_accuracy"].equals(folds["test_score"])
    np.testing.assert_allclose(folds["test_roc_auc_ovr"], folds["test_score"] - 0.2)
    assert set(folds["state"]) >= {"COMPLETE", "PRUNED"}
    assert list(tables.folds_frame(tpe_record(12)))[-1] == "state"


def test_a_missing_score_leaves_its_mean_empty_and_is_told():
    """As in scikit-learn, the mean is NaN; the candidate keeps its place."""
    record = with_scorers(grid_record(), missing=(1,))
    frame = tables.candidates_frame(record)
    lost = frame["param_hidden_size"] == 64
    assert frame.loc[lost, "mean_test_roc_auc_ovr"].isna().all()
    assert frame.loc[lost, "rank_test_roc_auc_ovr"].isna().all()
    assert frame.loc[~lost, "mean_test_roc_auc_ovr"].notna().all()
    assert frame["mean_test_score"].notna().all()
    said = (
        "roc_auc_ovr could not be computed in 3 of 45 fits: 3 of 9 candidates have no mean of it."
    )
    assert analysis.missing_scores(record) == said
    assert said in study_status(record).cautions
    assert analysis.missing_scores(with_scorers(grid_record())) == ""


def test_a_pivot_takes_a_scorers_name_for_its_mean():
    """Beside the full names, of which the near ones are still told."""
    frame = tables.candidates_frame(with_scorers(grid_record()))
    short = tables.pivot(frame, "hidden_size", values=["f1_macro", "mean_test_score"])
    full = tables.pivot(frame, "hidden_size", values="mean_test_f1_macro")
    assert short.values == ("mean_test_f1_macro", "mean_test_score")
    assert short.mean["mean_test_f1_macro"].equals(full.mean["mean_test_f1_macro"])
    with pytest.raises(Exception, match="did you mean mean_test_f1_macro"):
        tables.pivot(frame, "hidden_size", values="mean_test_f1_makro")


def test_leaders_and_rows_carry_every_score():
    """The means are those of the table; a plain study's rows are as ever."""
    record = with_scorers(grid_record(), missing=(1,))
    board, rows = leaderboard(record), leaderboard_rows(record)
    for leader, row in zip(board.leaders, rows, strict=True):
        assert leader.others["f1_macro"] == row["mean_test_f1_macro"]
        assert leader.others["roc_auc_ovr"] == row["mean_test_roc_auc_ovr"]
    assert leaderboard(grid_record()).leaders[0].others == {}
    plain = plain_status(study_status(record))
    assert plain["scorers"] == ("accuracy", "f1_macro", "roc_auc_ovr")
    assert plain["test_scores"] == {"accuracy": 0.9482, "f1_macro": 0.91, "roc_auc_ovr": None}
    assert not {"scorers", "test_scores"} & set(plain_status(study_status(grid_record())))
