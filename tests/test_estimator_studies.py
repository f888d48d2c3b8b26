"""Studies of a person's own estimators, run for real: the scores of plain scikit-learn code."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from own_estimators import network, ours, tree
from sklearn.model_selection import GridSearchCV, cross_validate

from sweep import load_best, load_dataset, load_study, open_study, run_study
from sweep.errors import ResultError
from sweep.report import render
from sweep.search.splits import make_splits
from sweep.study import check_study
from sweep.study.join import join_study
from sweep.study.submit import submit_study

pytestmark = pytest.mark.tensorflow

HERE = Path(__file__).parent
ALLOW = ["own_estimators"]
DATA = {"dataset": "digits", "train_rows": 200, "test_rows": 80, "flat": True}
DIGITS = load_dataset("digits", train_rows=200, test_rows=80)
X, Y = DIGITS.x_train.reshape(200, -1), DIGITS.y_train
LINEAR = {"pca__n_components": [5, 10], "clf__C": [0.1, 1.0]}
OURS = {"pca__n_components": [5, 10], "clf__epochs": [1, 3]}


def study(name, space, search=None, **sections):
    """Return a study of an estimator beside the tests."""
    spec = load_study(
        {
            "study": {"name": name},
            "data": DATA,
            "model": {"estimator": f"own_estimators:{name}"},
            "search": {"method": "grid", "cv": 3, **(search or {})},
            "space": space,
            **sections,
        }
    )
    return spec.model_copy(update={"folder": HERE})


def run(spec, folder, **more):
    """Run it."""
    return run_study(spec, storage=str(folder / "l.db"), allow=ALLOW, **{"n_jobs": 1, **more})


def table(result):
    """Return the table without its times."""
    return result.frame.drop(columns=[n for n in result.frame.columns if n.endswith("_time")])


def splits_of(spec):
    """Return the splits of a study."""
    return [(np.asarray(a), np.asarray(b)) for a, b in make_splits(spec, Y, None)]


def same_scores(result, theirs):
    """Compare a study's table with that of scikit-learn, candidate by candidate."""
    frame = result.frame
    for place, params in enumerate(theirs["params"]):
        rows = frame
        for name, value in params.items():
            rows = rows[rows[f"param_{name}"] == value]
        (row,) = rows.to_dict("records")
        for split in range(3):
            assert row[f"split{split}_test_score"] == theirs[f"split{split}_test_score"][place]
        assert row["mean_train_score"] == pytest.approx(theirs["mean_train_score"][place])


@pytest.fixture(scope="module")
def linear_result(tmp_path_factory):
    """Return a finished study of a pipeline that ends in scikit-learn's classifier."""
    return run(study("linear", LINEAR), tmp_path_factory.mktemp("linear"), n_jobs=2)


@pytest.fixture(scope="module")
def ours_result(tmp_path_factory):
    """Return a finished study of a pipeline that ends in a classifier of sweep's."""
    return run(study("ours", OURS), tmp_path_factory.mktemp("ours"), n_jobs=1)


def test_a_pipeline_of_scikit_learn_scores_what_grid_search_cv_says(linear_result):
    """To the last bit; there are no epochs, layers or weights to speak of."""
    from own_estimators import linear

    spec = study("linear", LINEAR)
    search = GridSearchCV(
        linear(), LINEAR, cv=splits_of(spec), refit=False, return_train_score=True
    )
    same_scores(linear_result, search.fit(X, Y).cv_results_)
    assert linear_result.frame["parameters"].isna().all()
    assert set(linear_result.folds["epoch"]) == {1}
    winner = linear_result.record.winner
    assert (winner.layers, winner.weights, winner.history, winner.precision) == ((), (), {}, "")
    fitted = linear().set_params(**linear_result.best_params_).fit(X, Y)
    test = DIGITS.x_test.reshape(80, -1)
    assert linear_result.test_score_ == fitted.score(test, DIGITS.y_test)
    assert np.trace(winner.confusion) / 80 == linear_result.test_score_


def test_its_report_shows_what_there_is(linear_result, ours_result):
    """Layers and curves of a classifier of sweep's; neither for any other."""
    page = render(linear_result.record)
    assert "pca__n_components" in page
    assert "Confusion matrix" in page
    assert "layers of the winner" not in page
    assert "Held-out score</h" not in page
    assert "from own_estimators import linear" in page or "open_study" in page
    page = render(ours_result.record)
    assert "layers of the winner" in page
    assert "clf__epochs" in page


def test_a_pipeline_with_a_last_step_of_ours_scores_what_grid_search_cv_says(ours_result):
    """One fit answers all of ``clf__epochs``, with the steps before it fitted once."""
    spec = study("ours", OURS)
    pipeline = ours().set_params(clf__random_state=0, pca__random_state=0)
    search = GridSearchCV(pipeline, OURS, cv=splits_of(spec), refit=False, return_train_score=True)
    same_scores(ours_result, search.fit(X, Y).cv_results_)
    assert len(ours_result.record.trials) == 2
    assert set(ours_result.folds["epoch"]) == {1, 2, 3}
    assert ours_result.frame["parameters"].notna().all()
    winner = ours_result.record.winner
    assert winner.layers
    assert len(winner.history["loss"]) == ours_result.best_params_["clf__epochs"]
    fitted = pipeline.set_params(**ours_result.best_params_).fit(X, Y)
    test = DIGITS.x_test.reshape(80, -1)
    assert ours_result.test_score_ == fitted.score(test, DIGITS.y_test)


def test_workers_elsewhere_take_its_cells(linear_result, tmp_path):
    """Submitted, then taken by a worker that has the same code; the same table."""
    spec, storage = study("linear", LINEAR), str(tmp_path / "l.db")
    assert submit_study(spec, storage=storage, allow=ALLOW) == 4
    joined = join_study("linear", storage, allow=ALLOW, n_jobs=1)
    pd.testing.assert_frame_equal(table(joined), table(linear_result), check_exact=True)


def test_a_plain_classifier_under_several_seeds(tmp_path):
    """``random_state`` is the study's seed, then that plus one."""
    spec = study("tree", {"max_depth": [2, 6]}, {"seeds": 2, "refit": False})
    frame = run(spec, tmp_path).frame
    for seed in (0, 1):
        classifier = tree().set_params(max_depth=6, random_state=seed)
        theirs = cross_validate(classifier, X, Y, cv=splits_of(spec))["test_score"]
        row = frame[frame["param_max_depth"] == 6].iloc[0]
        assert [row[f"split{i}_seed{seed}_test_score"] for i in range(3)] == theirs.tolist()


def test_a_study_says_where_fits_are_not_repeatable(tmp_path):
    """The check, the record and the report do."""
    spec = study("Careless", {"width": [1, 2]}, {"refit": False})
    checked = check_study(spec, allow=ALLOW, storage=str(tmp_path / "l.db"))
    assert any("not repeatable: two fits of Careless" in note for note in checked.notes)
    result = run(spec, tmp_path)
    assert "two fits of Careless" in render(result.record)
    assert check_study(study("tree", {"max_depth": [2]}), allow=ALLOW).notes == ()


def test_splits_are_pruned_for_any_estimator(tmp_path):
    """A hopeless candidate is given up after some splits."""
    space = {"clf__C": {"float": [1e-6, 1.0], "log": True}}
    search = {"method": "random", "trials": 8, "cv": 5, "split_pruner": True, "refit": False}
    states = run(study("linear", space, search), tmp_path).frame["state"]
    assert set(states) == {"COMPLETE", "PRUNED"}


IN_ROWS = {"name": "hyperband", "resource": "n_samples", "min_samples": 32}


@pytest.mark.parametrize("pruner", ["hyperband", IN_ROWS], ids=["epochs", "rows"])
def test_hyperband_promotes_candidates_of_a_pipeline(tmp_path, pruner):
    """By the epochs or rows of its last step; those that pause go on from their weights."""
    space = {"pca__n_components": {"int": [4, 12]}, "clf__hidden_size": [4, 8]}
    search = {"method": "random", "trials": 8, "pruner": pruner, "validation": 0.3,
              "refit": False}  # fmt: skip
    spec = study("ours", space, {**search, "cv": None}, model={
        "estimator": "own_estimators:ours", "clf__epochs": 9})  # fmt: skip
    result = run(spec, tmp_path)
    rungs = [trial.rung for trial in result.record.trials]
    assert any(rung.continues is not None for rung in rungs)
    assert "FAIL" not in set(result.frame["state"])


def test_a_nested_search_and_tpe(tmp_path):
    """Outer folds repeat the search with the same estimator."""
    space = {"pca__n_components": {"int": [4, 12]}, "clf__C": {"float": [0.01, 1.0]}}
    search = {"method": "tpe", "trials": 3, "cv": 2, "nested": 2}
    result = run(study("linear", space, search), tmp_path)
    assert len(result.record.nested.folds) == 2
    assert len(result.frame) == 3


def test_a_study_goes_on_and_grows(tmp_path):
    """What is finished is not fitted again; other code is refused by its digest as a factory's."""
    first = run(study("linear", {"clf__C": [0.1]}, {"refit": False}), tmp_path)
    grown = run(study("linear", {"clf__C": [0.1, 1.0]}, {"refit": False}), tmp_path)
    assert grown.frame["mean_test_score"].iloc[0] == first.frame["mean_test_score"].iloc[0]
    assert [trial.number for trial in grown.record.trials] == [0, 1]
    assert grown.record.environment["own_estimators"]


def test_keras_own_wrapper_scores_what_the_same_loop_says(tmp_path):
    """Its weights come from Keras's global seed, which each fit sets; its tables reach the fit."""
    import keras
    from keras.wrappers import SKLearnClassifier

    space = {"model_kwargs__width": [4, 16], "fit_kwargs__epochs": [1, 3]}
    spec = study("wrapped", space, {"refit": False, "train_scores": False})
    frame = run(spec, tmp_path).frame
    row = frame[
        (frame["param_model_kwargs__width"] == 16) & (frame["param_fit_kwargs__epochs"] == 3)
    ]
    for place, (train, test) in enumerate(splits_of(spec)):
        keras.utils.set_random_seed(0)
        plain = SKLearnClassifier(
            network, model_kwargs={"width": 16}, fit_kwargs={"verbose": 0, "epochs": 3}
        ).fit(X[train], Y[train])
        found = row[f"split{place}_test_score"].iloc[0]
        assert found == np.mean(plain.predict(X[test]).ravel() == Y[test])


@pytest.mark.skipif(find_spec("scikeras") is None, reason="SciKeras is not installed")
def test_scikeras_in_a_pipeline(tmp_path):
    """Its routed parameters are known; its epochs are candidates of their own."""
    space = {"clf__model__width": [4, 16], "clf__epochs": [1, 3]}
    spec = study("scikeras", space, {"cv": 2, "refit": False, "train_scores": False})
    frame = run(spec, tmp_path).frame
    assert set(frame["state"]) == {"COMPLETE"}
    assert len(set(frame["mean_test_score"])) > 1


@pytest.mark.skipif(find_spec("skorch") is None, reason="skorch is not installed")
def test_skorch_in_a_pipeline(tmp_path):
    """Its epochs are candidates of their own."""
    spec = study("skorch", {"clf__max_epochs": [1, 3]}, {"cv": 2, "refit": False})
    assert set(run(spec, tmp_path).frame["state"]) == {"COMPLETE"}


def test_a_bare_classifier_of_ours_is_given_back_without_a_pickle(tmp_path):
    """Its parameters have their own names; images need no flat."""
    spec = study("bare", {"epochs": [1, 3]}, data={**DATA, "flat": False})
    result = run(spec, tmp_path)
    assert result.best_estimator_.score(DIGITS.x_test, DIGITS.y_test) == result.test_score_


def test_the_winner_of_any_other_needs_skops_or_trust(linear_result, ours_result):
    """Without skops its file is a pickle, loaded only for who says so."""
    test = DIGITS.x_test.reshape(80, -1)
    for result in (linear_result, ours_result):
        if find_spec("skops") is None:
            with pytest.raises(ResultError, match="is a pickle, which runs code"):
                _ = result.best_estimator_
        trusted = open_study(result.name, result.url, allow=ALLOW, trust=True)
        assert trusted.best_estimator_.score(test, DIGITS.y_test) == result.test_score_


NO_SKOPS = pytest.mark.skipif(find_spec("skops") is None, reason="skops is not installed")


def trusted(result):
    """Return a study whose own pickles are trusted."""
    return open_study(result.name, result.url, allow=ALLOW, trust=True)


def test_an_export_is_refused_where_skops_cannot_write_it(linear_result, tmp_path, monkeypatch):
    """With the reason and what may be said instead; nothing is left behind."""
    monkeypatch.setattr("sweep.evaluation.stored_estimators.find_spec", lambda _: None)
    with pytest.raises(ResultError, match="skops is not installed"):
        linear_result.export(tmp_path / "out")
    study_ = trusted(linear_result)
    monkeypatch.setattr(study_, "_load_winner", fitted_linear)
    with pytest.raises(ResultError, match=r"is not exported: skops is not installed.*--pickle"):
        study_.export(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def fitted_linear():
    """Return the pipeline of scikit-learn, fitted."""
    from own_estimators import linear

    return linear().fit(X, Y)


def test_a_pickle_is_named_unsafe_and_loaded_only_for_who_trusts_it(
    linear_result, ours_result, tmp_path, monkeypatch
):
    """Whatever the estimator; the file is compared with the recipe first."""
    rows = DIGITS.x_test.reshape(80, -1)
    for result in (linear_result, ours_result):
        whole, study_ = fit_anew(result), trusted(result)
        monkeypatch.setattr(study_, "_load_winner", lambda whole=whole: whole)
        out = study_.export(tmp_path / result.name, pickle=True)
        assert {path.name for path in out.iterdir()} == {
            "estimator.joblib", "recipe.json", "README.md",
        }  # fmt: skip
        assert "UNSAFE" in (out / "README.md").read_text("utf-8")
        with pytest.raises(ResultError, match="is a pickle, which runs code"):
            load_best(out, allow=ALLOW)
        model = load_best(out, trust=True)
        np.testing.assert_allclose(model.predict_proba(rows), whole.predict_proba(rows), atol=1e-6)
        assert (model.predict(rows) == whole.predict(rows)).all()
        with pytest.raises(ResultError, match="rows must have shape"):
            model.predict(rows[:, :5])
    with (out / "estimator.joblib").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ResultError, match="is not the file that was exported"):
        load_best(out, trust=True)


def fit_anew(result):
    """Return the winner of a study, fitted in plain scikit-learn."""
    from own_estimators import linear

    made = {"linear": linear, "ours": ours}[result.name]()
    seeds = {name: 0 for name in made.get_params() if name.endswith("random_state")}
    return made.set_params(**seeds, **result.best_params_).fit(X, Y)


@NO_SKOPS
def test_skops_keeps_winners_and_exports(linear_result, ours_result, tmp_path):
    """Steps and classifiers of scikit-learn's; the last step of ours is a Keras model."""
    rows = DIGITS.x_test.reshape(80, -1)
    files = {"linear": {"estimator.skops"}, "ours": {"steps.skops", "model.keras"}}
    for result in (linear_result, ours_result):
        whole = result.best_estimator_
        assert whole.score(rows, DIGITS.y_test) == result.test_score_
        out = result.export(tmp_path / result.name)
        names = {path.name for path in out.iterdir()}
        assert names == {*files[result.name], "recipe.json", "README.md"}
        model = load_best(out, allow=ALLOW)
        np.testing.assert_allclose(model.predict_proba(rows), whole.predict_proba(rows), atol=1e-5)
        assert (model.predict(rows) == whole.predict(rows)).mean() > 0.98


@NO_SKOPS
def test_skops_makes_no_type_of_a_module_that_is_not_allowed(tmp_path):
    """The types are named; those of known libraries need no word."""
    import keras
    from own_estimators import Tables
    from sklearn.preprocessing import FunctionTransformer

    from sweep.evaluation.stored_estimators import load_stored, store

    fitted = Tables().fit(X, Y)
    store(fitted, tmp_path / "own", agrees=lambda _: True, allow=ALLOW)
    with pytest.raises(ResultError, match=r"not allowed: own_estimators\.Tables"):
        load_stored(tmp_path / "own", ())
    assert load_stored(tmp_path / "own", ALLOW).classes_.tolist() == fitted.classes_.tolist()
    called = FunctionTransformer(keras.utils.get_file)
    store(called, tmp_path / "called", agrees=lambda _: True, allow=["keras"])
    with pytest.raises(ResultError, match=r"not allowed: keras\..*get_file"):
        load_stored(tmp_path / "called", ())
    plain = store(fitted_linear(), tmp_path / "plain", agrees=lambda _: True)
    assert plain.kind == "skops"
    load_stored(tmp_path / "plain", ())
