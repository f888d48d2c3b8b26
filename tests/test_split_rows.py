"""Rows that cannot be trained on or scored as asked are refused before anything trains."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from commands import here, read, sweep  # noqa: F401 - a fixture

from sweep import load_dataset, run_study
from sweep.errors import DataError, ModelError, StudyFileError
from sweep.estimators.holdout import check_share, hold_out
from sweep.evaluation import split_checks
from sweep.evaluation.scoring import Scoring
from sweep.evaluation.split_checks import check_outer_folds, checked_splits, unseen_classes
from sweep.spec import SCORERS, load_study

Y = np.repeat([1, 2], [24, 16])
APART = np.where(np.arange(40) < 24, np.arange(40) % 8, 9)
"""Groups: class 1 in eight of them, class 2 in one."""


def saved(folder, y=Y, groups=APART, y_test=None, **more):
    """Write a small dataset; return a study of it."""
    x = np.random.default_rng(0).integers(0, 255, (len(y), 4, 4), np.uint8)
    test = np.unique(y).repeat(4) if y_test is None else np.asarray(y_test)
    rows = {"x_train": x, "y_train": y, "x_test": x[: len(test)], "y_test": test}
    names = {"class_names": more.pop("names")} if "names" in more else {}
    np.savez(folder / "mine.npz", **rows, **names, groups=groups)
    data = {"dataset": str(folder / "mine.npz"), **more.pop("data", {})}
    return {
        "study": {"name": "mine"},
        "data": data,
        "model": {"epochs": 1, **more.pop("model", {})},
        "search": {"method": "grid", "cv": 2, **more.pop("search", {})},
        "space": {"hidden_size": [2, 4], **more.pop("space", {})},
    }


def problems(asked):
    """Return what is refused of a study's rows."""
    spec = load_study(asked)
    words = spec.data.model_dump(exclude={"scaling", "dataset"})
    data = load_dataset(spec.data.dataset, **words)
    try:
        return unseen_classes(data, checked_splits(spec, data))
    except StudyFileError as error:
        return error.problems


def test_a_split_that_would_train_on_one_class_is_refused(tmp_path):
    """By its number and the class, which stands in one group, or apart from the other."""
    (told,) = problems(saved(tmp_path, data={"groups": "groups"}))
    assert told == (
        "search: split 1 would train on class 1 alone, and a classifier needs two; take other "
        "splits or other groups"
    )


THREE = np.repeat([0, 1, 2], [20, 20, 10])
ALONE = np.where(np.arange(50) < 40, np.arange(50) % 8, 9)
"""Groups: class 2 in one of them."""


def test_a_split_that_lacks_a_class_is_told_of_and_scored(tmp_path):
    """Held-out rows of it count as wrong, as in scikit-learn."""
    (told,) = problems(saved(tmp_path, THREE, ALONE, data={"groups": "groups"}))
    assert told.endswith("trains on no row of class 2 and holds some out: they count as wrong")


def test_a_scorer_is_tried_once_for_rows_that_it_cannot_tell_apart(tmp_path, monkeypatch):
    """However many splits there are: what it says depends on the classes that are there."""
    tried = Counter()
    trial = Scoring.trial_score
    monkeypatch.setattr(
        Scoring, "trial_score",
        lambda self, *rest: tried.update([next(iter(self._scorers))]) or trial(self, *rest),
    )  # fmt: skip
    split_checks._refusal.cache_clear()
    names = ["accuracy", "roc_auc_ovr", "neg_log_loss"]
    assert problems(saved(tmp_path, THREE, search={"scoring": names, "cv": 5})) == []
    assert tried == dict.fromkeys(names, 1)


@pytest.mark.parametrize("name", ["roc_auc_ovr", "average_precision"])
def test_a_scorer_that_rows_do_not_allow_is_refused(tmp_path, name):
    """With the split, the class that is missing there, and what to do; nothing is trained."""
    asked = saved(tmp_path, THREE, ALONE, data={"groups": "groups"}, search={"scoring": name})
    other = 'or a scorer that needs no such row, as "accuracy"'
    begin = f'search.scoring: "{name}" cannot score what split'
    assert problems(asked) == [
        f"{begin} 1 trains on without a row of class 2; take other splits, train_scores = false, "
        + other,
        f"{begin} 2 holds out without a row of class 2; take other splits, {other}",
    ]


@pytest.mark.parametrize("name", SCORERS)
def test_no_scorer_refuses_rows_of_each_class(tmp_path, name):
    """What can be scored is not refused, also with two rows of a class in a split."""
    two = np.tile([0, 1], 4)
    assert problems(saved(tmp_path, two, search={"scoring": name})) == []


@pytest.mark.parametrize("name", ["roc_auc", "d2_brier_score", "d2_log_loss_score"])
def test_a_test_set_that_cannot_be_scored_is_refused(tmp_path, name):
    """Before the search, not after it; it may stay closed."""
    asked = saved(tmp_path, y_test=[1, 1, 1], search={"scoring": name})
    (told,) = problems(asked)
    assert told == (
        f'search.scoring: "{name}" cannot score the test rows without a row of class 2; take '
        'more test rows, refit = false, or a scorer that needs no such row, as "accuracy"'
    )
    assert problems(asked | {"search": {**asked["search"], "refit": False}}) == []


@pytest.mark.parametrize(
    ("name", "instead"),
    [("f1", "f1_macro"), ("positive_likelihood_ratio", "balanced_accuracy")],
)
def test_scorers_for_two_classes_name_another(tmp_path, name, instead):
    """With more classes than two nothing trains."""
    (told,) = problems(saved(tmp_path, THREE, search={"scoring": name}))
    assert told.endswith(f'is for two classes, these data have 3; take "{instead}"')


def test_outer_folds_are_looked_at_too(tmp_path):
    """Two groups with a class are enough for two splits, and one is left inside an outer fold."""
    groups = np.repeat(np.arange(10), 4)
    y = np.where(groups < 2, np.tile([0, 1], 20), 0)
    more = {"scoring": "roc_auc", "train_scores": False, "nested": 2}
    asked = saved(tmp_path, y, groups, data={"groups": "groups"}, search=more)
    assert problems(asked) == []
    spec = load_study(asked)
    with pytest.raises(StudyFileError, match=r"(?s)mine / outer 1 of 2: .* alone, and a class"):
        check_outer_folds(spec, load_dataset(spec.data.dataset, groups="groups"))


@pytest.mark.parametrize(
    ("search", "told"),
    [
        (
            {"cv": 11, "nested": 12},
            [
                f"search.{key}: {n} splits need {n} rows of each class, and class 2 has 10; take "
                f"search.{key} = 10, or more rows of it"
                for key, n in (("cv", 11), ("nested", 12))
            ],
        ),
        (
            {"cv": None, "validation": 0.03},
            [
                (
                    "search.validation: holds out 2 of 50 rows at search.validation = 0.03, and "
                    "each of the 3 classes needs a row there and another to train on; take "
                    "search.validation = 0.06 to 0.94, or more rows"
                )
            ],
        ),
    ],
)
def test_too_few_rows_for_the_splits_name_the_class_and_what_would_do(tmp_path, search, told):
    """All at once, by the class's own name."""
    assert problems(saved(tmp_path, THREE, search=search)) == told
    y = np.where(np.arange(50) < 49, THREE, 3)
    names = ["a", "b", "c", "lone"]
    for given in (search, {"cv": None, "validation": 0.2}):
        (one, *_) = problems(saved(tmp_path, y, names=names, search=given))
        assert "class lone has " in one
        assert one.endswith(" more rows of it")


# -- early stopping ------------------------------------------------------------------------------

FEW = (
    "early stopping holds out 2 of 20 rows at validation_fraction = 0.1, and each of "
    "the 3 classes needs a row there and another to train on; take validation_fraction = 0.15 to "
    "0.85, or more rows"
)


@pytest.mark.parametrize(
    "where",
    [
        {"model": {"early_stopping": True}},
        {"space": {"early_stopping": [False, True]}},
        {"model": {"callbacks": ["EarlyStopping"]}},
        {"model": {"callbacks": [{"name": "ReduceLROnPlateau", "monitor": "val_accuracy"}]}},
        {"model": {"early_stopping": True}, "space": {"validation_fraction": [0.1, 0.5]}},
        {
            "space": {
                "early_stopping": [True, False],
                "validation_fraction": {"choices": [0.1, 0.5], "when": {"early_stopping": True}},
            }
        },
    ],
)
def test_early_stopping_with_few_rows_names_what_would_do(tmp_path, where):
    """Wherever it is asked for: the parameter, the rows, the classes, and shares that fit."""
    labels = np.tile([0, 1, 2], 14)[:40]
    told = problems(saved(tmp_path, labels, **where))
    assert told == [f"model.validation_fraction: {FEW} (met in split {n})" for n in (1, 2)]
    where = {"model": {**where.get("model", {}), "validation_fraction": 0.2}}
    assert problems(saved(tmp_path, labels, **where)) == []


def test_what_is_refused_is_what_cannot_be_held_out():
    """Each share that passes leaves a row of each class on both sides; others do not exist."""
    labels = np.repeat([0, 1, 2], [8, 6, 2])
    for share in np.linspace(0.01, 0.99, 99):
        try:
            check_share(labels, share)
        except ModelError:
            assert not 3 <= np.ceil(share * 16) <= 13
        else:
            fit, held = hold_out(labels, share, 0)
            assert sorted([*fit, *held]) == list(range(16))
    with pytest.raises(ModelError, match="but class 1 has a single row; give more rows of it"):
        check_share(np.array([0, 0, 0, 0, 1]), 0.4)


def test_a_weight_of_no_class_is_refused(tmp_path):
    """Not when the first cell fails."""
    told = problems(saved(tmp_path, model={"class_weight": {"3": 2.0, "1": 1.0}}))
    assert told == ["model.class_weight: no class is labelled 3; the labels are 1, 2"]
    assert problems(saved(tmp_path, model={"class_weight": {"2": 2.0}})) == []
    named = {"names": ["healthy", "ill"], "model": {"class_weight": {"ill": 2.0}}}
    (told,) = problems(saved(tmp_path, **named))
    assert told.endswith("no class is labelled ill; the labels are 1 (healthy), 2 (ill)")


# -- from the command line -----------------------------------------------------------------------


def written(folder, asked):
    """Write a study file."""
    lines = []
    for section, table in asked.items():
        lines += [f"[{section}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
    path = Path(folder, "mine.toml")
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_check_sees_what_run_refuses(here):  # noqa: F811
    """A class in one group only: no IndexError, exit status 2, before anything trains."""
    path = written(here, saved(here, data={"groups": "groups"}))
    for command in ("check", "run"):
        found = sweep(command, path, *(["--no-probe"] if command == "check" else []))
        assert (found.exit_code, "would train on class 1 alone" in found.output) == (2, True)
    path = written(here, saved(here, THREE, ALONE, data={"groups": "groups"}))
    assert "trains on no row of class 2" in read("check", path, "--no-probe")


def test_check_names_the_positive_class(here):  # noqa: F811
    """Beside the classes, and beside a scorer that is of one."""
    more = {"names": ["healthy", "ill"], "search": {"scoring": "recall"}}
    said = " ".join(read("check", written(here, saved(here, **more)), "--no-probe").split())
    assert "2 classes (positive: ill)" in said
    assert "scored by recall of class ill" in said
    path = written(here, saved(here, **more, data={"positive": "healthy"}))
    plan = json.loads(read("check", path, "--no-probe", "--format", "json"))
    assert plan["data"]["positive"] == "healthy"
    path = written(here, saved(here, THREE, data={"positive": 1}))
    found = sweep("check", path, "--no-probe")
    assert (found.exit_code, "positive: names one of two classes" in found.output) == (2, True)


@pytest.mark.parametrize(("given", "label"), [(2, 2), ("2", 2), ("ill", 2), ("healthy", 1)])
def test_a_class_is_positive_by_its_label_or_its_name(tmp_path, given, label):
    """As one_vs_rest names one."""
    path = saved(tmp_path, names=["healthy", "ill"])["data"]["dataset"]
    assert load_dataset(path, positive=given).positive == label
    assert load_dataset(path).positive_class == "ill"
    with pytest.raises(DataError, match=r"positive: no class 'well'.*there are: healthy, ill"):
        load_dataset(path, positive="well")


@pytest.mark.tensorflow
def test_a_check_tries_a_model_on_rows_enough_for_early_stopping(here):  # noqa: F811
    """The few rows that it is timed on hold each class on both sides, as the study's rows do."""
    labels = np.arange(120) % 10
    stopping = {"early_stopping": True, "validation_fraction": 0.2}
    path = written(here, saved(here, labels, np.arange(120), model=stopping))
    assert "nothing stands in the way" in read("check", path)


@pytest.mark.tensorflow
@pytest.mark.parametrize("method", ["grid", "tpe"])
def test_one_class_is_positive_in_all_that_a_study_says(tmp_path, method):
    """Splits, outer folds, test set, report and export, with labels 1 and 2 and early stopping."""
    from sklearn.metrics import recall_score

    more = {"trials": 2, "pruner": "median"} if method == "tpe" else {"nested": 2}
    asked = saved(
        tmp_path, np.tile([1, 2, 1, 1], 12), np.arange(48), names=["healthy", "ill"],
        data={"positive": "healthy"}, model={"early_stopping": method == "grid"},
        search={"scoring": "recall", "method": method, **more},
    )  # fmt: skip
    result = run_study(asked, storage=f"sqlite:///{tmp_path / 'l.db'}", n_jobs=1)
    assert result.frame["state"].eq("COMPLETE").all()
    data = load_dataset(asked["data"]["dataset"])
    guess = result.best_estimator_.predict(data.x_test)
    assert result.test_score_ == recall_score(data.y_test, guess, pos_label=1)
    report = result.report(tmp_path / "r.html").read_text("utf-8")
    assert "recall of class healthy" in report
    assert "Positive class" in report
    card = result.export(tmp_path / "out") / "README.md"
    assert "test recall of class healthy" in card.read_text("utf-8")
