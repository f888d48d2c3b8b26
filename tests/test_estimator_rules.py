"""What ``[model] estimator`` may be, and which parameters it has: known before anything trains."""

from pathlib import Path

import pytest

from sweep.errors import ReferenceError_, StudyFileError
from sweep.evaluation.estimator import check_user_code, make_estimator, user_code
from sweep.evaluation.own_estimator import with_facts, with_seed
from sweep.evaluation.pipeline_parts import unfitted
from sweep.search.plan import check_row_shape, make_plan
from sweep.search.study_data import WHOLE, load_data
from sweep.service.handing_in import read_source
from sweep.service.problems import RefusedError
from sweep.service.settings import Settings
from sweep.spec import StudySpec, load_study

HERE = Path(__file__).parent
ALLOW = ["own_estimators"]


def study(name, space=None, model=None, search=None, data=None, set_=()):
    """Return a study of one of the estimators beside the tests."""
    sections = {
        "data": {"dataset": "digits", "flat": True, **(data or {})},
        "model": {"estimator": f"own_estimators:{name}", **(model or {})},
        "search": {"method": "grid", **(search or {})},
        "space": space or {},
    }
    return load_study(sections, set_=set_).model_copy(update={"folder": HERE})


def loaded(name, *args, **more):
    """Return the same with what its code says."""
    return with_facts(study(name, *args, **more), ALLOW)


def refused(name, *args, **more):
    """Return what is wrong with it once its code is loaded."""
    try:
        check_user_code(loaded(name, *args, **more), ALLOW)
    except StudyFileError as error:
        return error.problems
    return []


def file_problems(**changes):
    """Return what is wrong with a file, before its code is looked at."""
    with pytest.raises(StudyFileError) as caught:
        study("linear", **changes)
    return caught.value.problems


def test_it_stands_alone():
    """Beside a factory it is refused; --set of one takes the other away."""
    (problem,) = file_problems(model={"factory": "mlp"})
    assert problem == "model.estimator: stands beside factory; leave one out"
    changed = study("linear", set_=["model.factory=mlp"])
    assert (changed.model.factory, changed.model.estimator) == ("mlp", None)


def test_what_no_estimator_can_have():
    """Each with its remedy, all at once."""
    found = file_problems(data={"scaling": "unit"}, search={"max_parameters": 9})
    assert [each.partition(":")[0] for each in found] == ["data.scaling", "search.max_parameters"]
    with pytest.raises(StudyFileError, match='must be "module:name", got "mine"'):
        load_study({"data": {"dataset": "digits"}, "model": {"estimator": "mine"},
                    "search": {"method": "grid"}})  # fmt: skip
    assert study("linear").data.scaling == "none"


def test_an_estimator_of_python_is_named():
    """Workers are processes that load it: an object in its place is refused with what to write."""
    from own_estimators import linear

    sections = {"data": {"dataset": "digits"}, "search": {"method": "grid"}}
    with pytest.raises(StudyFileError, match='write "estimator": "own_estimators:linear"'):
        load_study({**sections, "model": {"estimator": linear}})


def test_it_is_written_as_it_was_read():
    """What the code says stays with it in the ledger, and is no part of the question."""
    spec = loaded("ours", {"clf__epochs": [1, 2]}, {"pca__n_components": 5})
    again = StudySpec.from_plain(spec.plain())
    assert again == spec
    assert "facts" not in spec.sections()
    assert spec.sections()["model"] == {
        "estimator": "own_estimators:ours", "pca__n_components": 5,
    }  # fmt: skip


def test_code_needs_permission_and_identifies_the_study():
    """As a factory's does."""
    with pytest.raises(ReferenceError_, match="may not be loaded"):
        with_facts(study("linear"), ())
    assert list(user_code(study("linear"), ALLOW)) == ["own_estimators"]


def test_the_door_of_a_server_is_the_same():
    """Only what its owner allows."""
    text = '[data]\ndataset = "digits"\n[model]\nestimator = "own_estimators:linear"\n'
    text += '[search]\nmethod = "grid"\n'
    with pytest.raises(RefusedError) as caught:
        read_source(Settings(storage="sqlite:///x.db"), text)
    (problem,) = caught.value.refusal.problems
    assert (problem["path"], problem["line"]) == ("model.estimator", 4)
    assert "does not load code from 'own_estimators'" in problem["message"]
    allowed = Settings(storage="sqlite:///x.db", allow=("own_estimators",))
    assert read_source(allowed, text).model.code == "own_estimators:linear"


def test_unknown_names_are_refused_with_the_near_ones():
    """All at once, those of [model] and [space]."""
    found = refused("ours", {"pca__n_component": [5], "scale": [1]}, {"clf__hiden_size": 3})
    lacks = "the estimator has no such parameter, did you mean"
    assert found == [
        f"model.clf__hiden_size: {lacks} clf__hidden_size?",
        f"space.pca__n_component: {lacks} pca__n_components?",
    ]
    (problem,) = refused("linear", {"clf__width": [5]})
    assert problem.startswith("space.clf__width: the estimator has no such parameter; there are: ")
    assert "clf__C" in problem
    assert "pca__" not in problem


def test_what_a_file_may_not_set():
    """What a study sets itself, and what would load code or pickles."""
    found = refused("ours", model={"clf__warm_start": True, "memory": "/tmp/x"})  # noqa: S108
    assert [each.partition(":")[0] for each in found] == ["model.clf__warm_start", "model.memory"]
    (problem,) = refused("bare", {"model": ["os:system"]})
    assert problem.startswith("space.model: a study sets it itself")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "or a function or class that returns one, got one that returns dict"),
        ("network", r"own_estimators:network\(\) raised TypeError"),
        ("HERE", "has no"),
    ],
)
def test_what_is_no_estimator(name, message):
    """Its code is called, without arguments, and must give one."""
    with pytest.raises((StudyFileError, ReferenceError_), match=message):
        loaded(name)


def test_a_regressor_is_refused():
    """Scores are those of classes."""
    assert refused("regressor") == ["model.estimator: must be a classifier, got Ridge"]


def test_a_class_of_ones_own_that_does_not_say_that_it_classifies_is_told_how_to():
    """scikit-learn knows a classifier by what it inherits."""
    (problem,) = refused("Unnamed")
    assert problem == (
        "model.estimator: must be a classifier, got Unnamed; have it inherit from ClassifierMixin "
        "first, then BaseEstimator"
    )


def test_epochs_are_those_of_a_last_step_of_ours():
    """Under their name in the pipeline; the code's default holds where the study says nothing."""
    ours, bare, linear = (loaded(name) for name in ("ours", "bare", "linear"))
    assert [each.budget for each in (ours, bare, linear)] == ["clf__epochs", "epochs", ""]
    assert [each.fixed_epochs for each in (ours, bare, linear)] == [2, 2, 1]
    assert loaded("ours", model={"clf__epochs": 7}).fixed_epochs == 7
    assert loaded("ours", {"clf__epochs": [3, 9]}).largest_epochs == 9


def test_candidates_that_differ_in_epochs_share_a_cell_where_the_last_step_is_ours():
    """Any other's are cells of their own, whatever its parameters are called."""
    space = {"clf__epochs": [1, 3], "pca__n_components": [5, 10]}
    plan = make_plan(loaded("ours", space))
    assert (plan.candidates, len(plan.cells)) == (4, 2)
    assert [cell.epochs for cell in plan.cells] == [(1, 3)] * 2
    assert plan.cells[0].params == {"pca__n_components": 5}
    plain = make_plan(loaded("linear", {"clf__max_iter": [50, 100], "clf__C": [0.1, 1.0]}))
    assert (plain.candidates, len(plain.cells)) == (4, 4)
    kept = loaded("ours", space, {"clf__callbacks": ["TerminateOnNaN"]})
    assert len(make_plan(kept).cells) == 4


def test_a_pruner_needs_epochs():
    """Splits can be compared for any estimator."""
    tpe = {"method": "tpe", "trials": 3, "pruner": "median"}
    (problem,) = refused("linear", {"clf__C": [0.1, 1.0]}, search=tpe)
    assert problem.startswith("search.pruner: decides after each epoch")
    assert "split_pruner" in problem
    assert refused("ours", {"clf__hidden_size": [4, 8]}, search=tpe) == []
    (problem,) = refused("ours", {"clf__early_stopping": [True]}, search=tpe)
    assert problem.startswith("search.pruner: a pruner decides after each epoch, so early_stopping")
    (problem,) = refused("linear", search={"refit_epochs": 3})
    assert problem.startswith("search.refit_epochs: cannot be set")
    random = {"method": "nsga2", "trials": 3, "objectives": ["score", "parameters"]}
    (problem,) = refused("linear", {"clf__C": [0.1, 1.0]}, search=random)
    assert problem.startswith("search.objectives:")


def test_values_of_a_last_step_of_ours_are_checked():
    """As those of a built-in model; other steps' are their own."""
    assert refused("ours", {"clf__epochs": [0, 1]}) == [
        "space.clf__epochs: must be a whole number from 1, got 0"
    ]
    (problem,) = refused("ours", model={"clf__momentum": 0.9})
    assert problem.startswith("model.clf__momentum: adam takes no momentum")
    (problem,) = refused("ours", model={"clf__callbacks": [{"name": "BackupAndRestore"}]})
    assert "may not ask for" in problem
    assert refused("linear", {"clf__C": [-1.0]}) == []


def test_seeds_are_set_wherever_they_stand():
    """Those that are None get the study's; those that the code or the file sets stay."""
    spec = study("ours", model={"pca__random_state": 5}).model_copy()
    made = make_estimator(spec.model_copy(update={"study": spec.study.model_copy(
        update={"seed": 7})}), {}, ALLOW)  # fmt: skip
    params = made.get_params()
    assert (params["pca__random_state"], params["clf__random_state"]) == (5, 7)
    moved = with_seed(made, 2).get_params()
    assert (moved["pca__random_state"], moved["clf__random_state"]) == (7, 9)


def test_entries_of_a_table_have_names():
    """``fit_kwargs__epochs``, as Keras's own wrapper needs it; a copy keeps them."""
    spec = loaded("Tables", {"fit_kwargs__epochs": [1, 2]}, {"model_kwargs__width": 3})
    check_user_code(spec, ALLOW)
    made = make_estimator(spec, {"fit_kwargs__epochs": 2}, ALLOW)
    assert made.fit_kwargs == {"verbose": 0, "epochs": 2}
    assert made.model_kwargs == {"width": 3}
    assert unfitted(made).fit_kwargs == made.fit_kwargs


def test_images_are_refused_where_a_step_takes_features():
    """With the word that turns them into features."""
    with pytest.raises(StudyFileError, match="say flat = true"):
        check_row_shape(loaded("linear"), (8, 8))
    check_row_shape(loaded("linear"), (64,))
    check_row_shape(loaded("bare"), (8, 8))


def test_an_estimator_that_cannot_be_cloned_is_refused_with_the_reason():
    """Every fit needs a copy; scikit-learn says why it has none."""
    (problem,) = refused("Forgets", {"width": [1, 2]})
    assert "model.estimator: scikit-learn cannot clone Forgets" in problem
    assert "RuntimeError: Cannot clone object" in problem
    assert problem.endswith("have __init__ name its parameters and keep them as they are")


ROC = {"scoring": ["roc_auc_ovr", "accuracy"]}


@pytest.mark.parametrize(("name", "space"), [("near", {"clf__C": [1, 2]}), ("margins", {})])
def test_a_ranking_scorer_that_asks_for_probabilities_in_vain_is_refused(name, space):
    """Before anything trains, with what would do; a further one is left empty."""
    (problem,) = refused(name, space, search=ROC)
    assert problem.startswith('search.scoring: "roc_auc_ovr" needs predict_proba, and ')
    assert "CalibratedClassifierCV" in problem
    assert refused(name, space, search={"scoring": ["accuracy", "roc_auc_ovr"]}) == []
    assert refused(name, space, search={"scoring": "roc_auc"}) == []


def test_probabilities_that_a_setting_gives_are_found():
    """Fixed, or one of those that are searched; the classifiers that have them always."""
    assert refused("near", {}, {"clf__probability": True}, search=ROC) == []
    assert refused("near", {"clf__probability": [False, True]}, search=ROC) == []
    for name in ("linear", "ours", "tree", "bare"):
        assert refused(name, {}, search=ROC) == []


def test_rows_on_the_disk_are_said_to_come_into_memory_where_steps_need_them(tmp_path):
    """Only a classifier of sweep's without steps reads them piece by piece."""
    data = {"train_rows": 50, "test_rows": 20, "memory": "mapped"}
    for name, whole in (("linear", True), ("ours", True), ("tree", True), ("bare", False)):
        spec = loaded(name, data=data)
        notes = load_data(spec, None, ALLOW, f"sqlite:///{tmp_path / 'l.db'}").notes
        assert any("read from the disk" in note for note in notes)
        assert (WHOLE in notes) is whole


def test_a_function_that_returns_one_object_again_and_again_leaks_nothing():
    """A candidate has its own parameters and the defaults, not those of the one before."""
    spec = loaded("shared", {"clf__C": [1, 7]})
    assert make_estimator(spec, {"clf__C": 7, "pca__n_components": 3}, ALLOW)["clf"].C == 7
    plain = make_estimator(spec, {}, ALLOW)
    assert (plain["clf"].C, plain["pca"].n_components) == (1.0, 10)
