"""Scorers of a person's own: named, allowed, tried before a run, given one prediction."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import sweep
from fakes import FakeClassifier
from records import grid_record
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import LinearSVC

from sweep import analysis, load_dataset, open_study, run_study, tables
from sweep.analysis.scorers import in_unit_interval, is_share
from sweep.errors import ReferenceError_, StudyChangedError, StudyFileError
from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate
from sweep.evaluation.estimator import user_code
from sweep.evaluation.own_scorers import own_scorers, scorers_code
from sweep.evaluation.scoring import EvaluationError, Scoring
from sweep.report.python_code import modules
from sweep.service.handing_in import _modules
from sweep.service.own_process import needs_own_process
from sweep.spec import load_study
from sweep.study.check import check_study

MODULE = '''
import numpy as np
from sklearn.metrics import fbeta_score, make_scorer

f2 = make_scorer(fbeta_score, beta=2, average="macro")


def cost(estimator, X, y):
    """Return minus the mean cost of the rows."""
    wrong = estimator.predict(X) != y
    return -float(np.mean(np.where(np.asarray(y) == y.max(), {weight}, 1) * wrong))


def metric(y_true, y_pred):
    return 0.0


def text(estimator, X, y):
    return "good"


def lost(estimator, X, y):
    return {{}}["ill"]


def nothing(estimator, X, y):
    return float("nan")


def probing(estimator, X, y):
    """Ask for predictions of other rows."""
    return float(np.mean(estimator.predict(X[::-1]) == y[::-1]))
'''
Y = np.tile([0, 1], 30)
X = np.column_stack([Y, np.arange(60)])
DATA = SearchData(X, Y, list(StratifiedKFold(3).split(X, Y)))


@pytest.fixture
def write(tmp_path):
    """Write scorers_of_mine.py; it is forgotten afterwards."""

    def written(weight=5):
        (tmp_path / "scorers_of_mine.py").write_text(MODULE.format(weight=weight))

    written()
    yield written
    sys.modules.pop("scorers_of_mine", None)


def sections(scoring, **search):
    """Return a study file."""
    names = [f"scorers_of_mine{name}" if name.startswith(":") else name for name in scoring]
    return {
        "study": {"name": "own"},
        "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100},
        "model": {"epochs": 2, "learning_rate": 0.01},
        "search": {"method": "grid", "cv": 3, "scoring": names, **search},
        "space": {"hidden_size": [4, 8]},
    }


def study(folder, *scoring, **search):
    """Read a study that stands beside the module."""
    return load_study(sections(scoring, **search)).model_copy(update={"folder": folder})


def problems(*scoring):
    """Return the problems of a study file."""
    with pytest.raises(StudyFileError) as caught:
        load_study(sections(scoring))
    return caught.value.problems


# -- the study file ------------------------------------------------------------------------------


def test_a_scorer_is_called_by_its_own_name(tmp_path):
    """Tables have the name behind the colon; the study file and messages the whole."""
    spec = study(tmp_path, "accuracy", "mine:cost")
    assert spec.search.scorers == ("accuracy", "mine:cost")
    assert type(spec).from_plain(spec.plain()).search == spec.search
    assert study(tmp_path, "mine:cost").search.scoring == "mine:cost"
    assert EvaluationRequest((1,), spec.search.scorers).others == ("cost",)


def test_names_that_tables_could_not_tell_apart_are_refused():
    """Two of one name, scikit-learn's names, names of columns; what is no reference."""
    found = problems("a:cost", "b:cost", "mine:accuracy", "mine:score", "mine:a.b")
    both = 'tables would call more than one scorer "cost"; give the functions different names'
    taken = 'tables would call it "%s", which has a meaning there already, got "mine:%s"; give the'
    assert found == [
        f'search.scoring."a:cost": {both}',
        f'search.scoring."b:cost": {both}',
        *(
            f'search.scoring."mine:{name}": {taken % (name, name)} function another name'
            for name in ("accuracy", "score")
        ),
        'search.scoring."mine:a.b": must be a scorer or "module:function", got "mine:a.b"',
    ]
    with pytest.raises(StudyFileError, match='tables would call it "loss"'):
        load_study({**sections(["accuracy"]), "search": {"method": "grid", "scoring": "m:loss"}})


def test_an_own_score_is_no_share_of_rows():
    """Whatever its name, for intervals that count rows would say something wrong."""
    record = grid_record()
    for name in ("mine:cost", "accuracy_of_mine:cost"):
        spec = {**record.spec, "search": {**record.spec["search"], "scoring": name}}
        own = type(record)(**{**vars(record), "spec": spec})
        assert not in_unit_interval(own)
        assert not is_share(own)
        assert analysis.scorer(own) == "cost"


# -- code ----------------------------------------------------------------------------------------


def test_a_module_must_be_allowed(write, tmp_path):
    """As for factories; the command that repeats the study allows it."""
    spec = study(tmp_path, "accuracy", ":cost")
    with pytest.raises(ReferenceError_, match="--allow scorers_of_mine"):
        own_scorers(spec, [])
    assert list(own_scorers(spec, ["scorers_of_mine"])) == ["scorers_of_mine:cost"]
    assert modules(spec) == ["scorers_of_mine"]
    (told,) = _modules(SimpleNamespace(allow=()), spec)
    assert told[0] == "search.scoring"
    assert "does not load code from 'scorers_of_mine'" in told[1]
    assert needs_own_process(spec)


def test_the_code_is_part_of_what_identifies_a_study(write, tmp_path):
    """Its digest stands beside a factory's, and in what identifies a checkpoint."""
    spec, allow = study(tmp_path, "accuracy", ":cost"), ["scorers_of_mine"]
    before = user_code(spec, allow)
    assert list(before) == ["scorers_of_mine"]
    assert before["scorers_of_mine"] in scorers_code(spec, allow)
    write(weight=6)
    assert user_code(spec, allow) != before
    assert scorers_code(study(tmp_path, "accuracy"), allow) == ""


def test_what_cannot_be_called_is_refused(write, tmp_path):
    """A metric of two arguments is told how to become a scorer."""
    spec = study(tmp_path, "accuracy", ":metric")
    with pytest.raises(
        StudyFileError, match=r"must take \(estimator, X, y\).*got \(y_true, y_p"
    ) as e:
        own_scorers(spec, ["scorers_of_mine"])
    assert "cost = sklearn.metrics.make_scorer(metric)" in str(e.value)


def test_scorers_are_tried_before_a_run(write, tmp_path):
    """All at once, on made-up predictions; one that asks for other rows cannot be tried."""
    allow = ["scorers_of_mine"]
    with pytest.raises(StudyFileError) as caught:
        check_study(study(tmp_path, ":lost", ":text", ":nothing"), allow=allow, probe=False)
    begin = 'search.scoring: "scorers_of_mine:%s" cannot score a made-up prediction of what split 1'
    assert caught.value.problems == [
        f"{begin % 'lost'} holds out: KeyError: 'ill'",
        f"{begin % 'text'} holds out: TypeError: must return a number, got str",
        f"{begin % 'nothing'} holds out: it returns no finite number",
    ]
    assert check_study(study(tmp_path, ":cost", ":f2", ":probing"), allow=allow, probe=False)


def test_check_names_it_and_refuses_it_without_permission(write, tmp_path):
    """On the command line, with exit status 2."""
    file = tmp_path / "own.toml"
    spec = study(tmp_path, "accuracy", ":cost")
    from sweep.spec import to_toml

    file.write_text(to_toml(spec.sections()))
    refused = sweep("check", file, "--no-probe")
    assert (refused.exit_code, "--allow scorers_of_mine" in refused.stderr) == (2, True)
    found = sweep("check", file, "--no-probe", "--allow", "scorers_of_mine")
    assert (found.exit_code, "scored by accuracy, also by cost" in found.output) == (0, True)


# -- evaluation ----------------------------------------------------------------------------------


def cost(estimator, rows, labels):
    """Return minus the share of wrong rows."""
    return -float(np.mean(estimator.predict(rows) != labels))


F2 = make_scorer(fbeta_score, beta=2, pos_label=1)


def test_it_says_what_it_says_in_scikit_learn():
    """A function and a scorer of scikit-learn, to the last bit, for both kinds of rows."""
    own = {"m:cost": cost, "m:f2": F2}
    ours = evaluate(
        FakeClassifier(), DATA, EvaluationRequest((1, 3), ("accuracy", *own), True, own=own)
    )
    theirs = GridSearchCV(
        FakeClassifier(), {"epochs": [1, 3]}, cv=DATA.splits, refit=False, return_train_score=True,
        scoring={"accuracy": "accuracy", "cost": cost, "f2": F2},
    ).fit(X, Y)  # fmt: skip
    for row, epoch in enumerate((1, 3)):
        for number, split in enumerate(ours.splits):
            for name in ("cost", "f2"):
                for kind, held in (("test", split.others), ("train", split.train_others)):
                    column = f"split{number}_{kind}_{name}"
                    assert held[name][epoch] == theirs.cv_results_[column][row]


def test_it_asks_for_no_second_prediction():
    """Of the rows that were predicted; of others it may ask the estimator."""
    asked = []

    class Counting(FakeClassifier):
        def predict_proba(self, rows):
            asked.append("proba")
            return super().predict_proba(rows)

        def predict(self, rows):
            return FakeClassifier.predict(self, rows)

    own = {"m:cost": cost, "m:more": lambda e, rows, _: float(len(e.predict_proba(rows[:2])))}
    found = evaluate(Counting(), DATA, EvaluationRequest((1,), ("accuracy", *own), own=own))
    assert found.splits[0].others == {
        "cost": {1: -0.9}, "more": {1: 2.0},
    }  # fmt: skip
    assert len(asked) == 2 * 3


def test_it_gets_the_labels_and_classes_of_the_study():
    """Also where a split lacks a class, whose probability is 0, and with a positive class."""
    labels = np.array(["healthy", "ill"])[Y]
    seen = {}

    class Known(FakeClassifier):
        def predict_proba(self, rows):
            return np.tile([0.6, 0.4], (len(rows), 1))

        def predict(self, rows):
            return self.classes_[np.zeros(len(rows), int)]

    def spy(estimator, rows, y):
        seen.update(classes=estimator.classes_, proba=estimator.predict_proba(rows)[0], y=y[0])
        seen.update(guess=estimator.predict(rows)[0], skill=estimator.skill)
        return 0.0

    scoring = Scoring(("accuracy", "m:spy"), labels, "healthy", {"m:spy": spy})
    scoring(Known().fit(X, labels), X, labels, 1)
    assert seen["classes"].tolist() == ["healthy", "ill"]
    assert (seen["proba"].tolist(), seen["y"], seen["guess"]) == ([0.6, 0.4], "healthy", "healthy")
    assert seen["skill"] == 0.1
    alone = Scoring(
        ("accuracy", "m:spy"), np.array(["healthy", "ill", "well"]), None, {"m:spy": spy}
    )
    alone(Known().fit(X, labels), X, labels, 1)
    assert seen["proba"].tolist() == [0.6, 0.4, 0.0]


def test_a_fault_of_that_code_is_seen_and_nan_is_no_fault():
    """What it raises ends the fit, as a further scorer too; nan leaves the score empty."""

    def asked(*names):
        own = {"m:lost": lambda *_: {}["ill"], "m:nan": lambda *_: float("nan")}
        return evaluate(FakeClassifier(), DATA, EvaluationRequest((1,), names, own=own))

    with pytest.raises(KeyError, match="ill"):
        asked("accuracy", "m:lost")
    assert asked("accuracy", "m:nan").splits[0].others == {"nan": {1: None}}
    with pytest.raises(EvaluationError, match="the score after epoch 1 is nan"):
        asked("m:nan")


# -- a whole study -------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_a_study_ranked_by_a_scorer_of_ones_own(write, tmp_path):
    """Its table is GridSearchCV's; with other code it does not go on, nor compare."""
    from sweep import KerasMLPClassifier

    storage, allow = str(tmp_path / "l.db"), ["scorers_of_mine"]
    spec = study(tmp_path, ":cost", ":f2", "accuracy")
    found = run_study(spec, storage=storage, allow=allow)
    data = load_dataset("digits", train_rows=200, test_rows=100)
    own = own_scorers(spec, allow)
    scorers = {name.rpartition(":")[2]: scorer for name, scorer in own.items()}
    theirs = GridSearchCV(
        KerasMLPClassifier(epochs=2, learning_rate=0.01, scaling="unit", random_state=0),
        {"hidden_size": [4, 8]}, cv=3, scoring={**scorers, "accuracy": "accuracy"}, refit="cost",
    ).fit(data.x_train, data.y_train)  # fmt: skip
    for name in ("cost", "f2", "accuracy"):
        for kind in ("mean_test", "split1_test", "rank_test"):
            column = f"{kind}_{name}"
            np.testing.assert_array_equal(found.frame[column], theirs.cv_results_[column])
    assert found.best_params_ == theirs.best_params_
    assert found.test_scores_["cost"] == scorers["cost"](
        theirs.best_estimator_, data.x_test, data.y_test
    )
    assert found.record.test_openings == 1
    write(weight=7)
    more = {**sections([":cost", ":f2", "accuracy"]), "space": {"hidden_size": [4, 8, 12]}}
    grown = load_study(more).model_copy(update={"folder": tmp_path})
    with pytest.raises(StudyChangedError, match="has results of other code"):
        run_study(grown, storage=storage, allow=allow)
    other = load_study({**sections([":cost"]), "study": {"name": "other"}})
    run_study(other.model_copy(update={"folder": tmp_path}), storage=storage, allow=allow)
    records = [open_study(name, storage).record for name in ("own", "other")]
    (pair,) = tables.pairs_frame(records, records[0]).to_dict("records")
    assert pair["reason"].startswith("other scorers: scorers_of_mine:cost (")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["linear", "ours"])
def test_a_pipeline_is_scored_by_its_last_step(name, tmp_path):
    """By scorers of scikit-learn to the last bit; by one of one's own on rows as it gets them."""
    import own_estimators

    own = ["own_estimators:shape_of_rows", "own_estimators:likelihood"]
    listed = ["accuracy", "f1_macro", "roc_auc_ovr", *own]
    read = load_study(
        {
            "study": {"name": name},
            "data": {"dataset": "digits", "train_rows": 200, "test_rows": 80, "flat": True},
            "model": {"estimator": f"own_estimators:{name}"},
            "search": {"method": "grid", "cv": 3, "scoring": listed},
            "space": {"pca__n_components": [5, 10]},
        }
    ).model_copy(update={"folder": Path(__file__).parent})
    found = run_study(read, storage=str(tmp_path / "l.db"), allow=["own_estimators"], n_jobs=1)
    data = load_dataset("digits", train_rows=200, test_rows=80)
    x, x_test = data.x_train.reshape(200, -1), data.x_test.reshape(80, -1)
    whole = getattr(own_estimators, name)()
    if name == "ours":
        whole.set_params(clf__random_state=0)
    theirs = GridSearchCV(
        whole, {"pca__n_components": [5, 10]}, cv=3, refit="accuracy", return_train_score=True,
        scoring={n: n for n in listed[:3]} | {"likelihood": own_estimators.likelihood},
    ).fit(x, data.y_train)  # fmt: skip
    for scorer in (*listed[:3], "likelihood"):
        for kind in ("mean_test", "split2_test", "rank_test", "split0_train"):
            column = f"{kind}_{scorer}"
            np.testing.assert_allclose(found.frame[column], theirs.cv_results_[column], atol=1e-12)
    features = found.frame["param_pca__n_components"].astype(float)
    shown = found.frame["mean_test_shape_of_rows"] - found.frame["mean_test_accuracy"]
    np.testing.assert_allclose(shown, features, atol=1e-9)
    best, (right, *_) = found.best_params_, found.test_scores_.values()
    expected = best["pca__n_components"] + right
    assert found.test_scores_["shape_of_rows"] == pytest.approx(expected)
    on_test = own_estimators.likelihood(theirs.best_estimator_, x_test, data.y_test)
    assert found.test_scores_["likelihood"] == pytest.approx(on_test)


def test_a_classifier_without_probabilities_lacks_what_needs_them():
    """A scorer of one's own finds no such method, as in scikit-learn; others are left empty."""
    rows = X.astype(float)
    svm = LinearSVC(random_state=0, max_iter=50).fit(rows, Y)
    seen = []

    def looking(estimator, _rows, _y):
        seen.append((hasattr(estimator, "predict_proba"), hasattr(estimator, "decision_function")))
        return 0.0

    scoring = Scoring(("accuracy", "neg_log_loss", "roc_auc", "m:l"), Y, None, {"m:l": looking})
    found = scoring.of_any(svm, rows, Y)
    assert seen == [(False, True)]
    assert np.isnan(found.others[0])
    assert found.others[1:] == (1.0, 0.0)
