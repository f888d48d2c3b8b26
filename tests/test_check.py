"""``sweep check``: it tries models, sees what a run refuses, and its time is near."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest
from commands import here, sweep  # noqa: F401

from sweep.errors import StudyFileError
from sweep.ledger.records import PlannedCell
from sweep.search.plan import make_plan
from sweep.search.promotion import bracket_plan
from sweep.spec import load_study
from sweep.study import check_study, tried_models
from sweep.study.check import START_SECONDS
from sweep.study.estimate import CELL_SECONDS, Estimate, estimate, trained_epochs
from sweep.study.sampled_cells import order_of
from sweep.study.timed_fit import Pace, between
from sweep.study.tried_models import ModelTrials, causes

OWN = """
from sweep.models import mlp
def build(shape, n_classes, width=8):
    if width in (13, 14):
        raise OSError(f"{width} is unlucky")
    return mlp(shape, n_classes, hidden_size=width)
"""


def study(space=None, model=None, **search):
    """Return the sections of a small study of digits."""
    return {
        "study": {"name": "mine"},
        "data": {"dataset": "digits", "train_rows": 200, "test_rows": 50},
        "model": model or {},
        "search": {"method": "grid", "cv": 2, **search},
        "space": space or {"hidden_size": [4, 8]},
    }


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that reads a study of a factory of one's own."""
    (tmp_path / "lucky.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))

    def read(widths):
        sections = study({"width": widths}, {"factory": "lucky:build", "epochs": 1})
        return load_study(sections).model_copy(update={"folder": tmp_path})

    return read


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("widths", "tried", "failed"), [([4, 8, 13, 14, 16], 5, 2), ([13, 14], 2, 2)]
)
def test_every_model_of_a_small_study_is_tried(own, widths, tried, failed):
    """Those that fail are named with their reason; the others give the time."""
    found = check_study(own(widths), allow=["lucky"])
    assert (found.models.tried, found.models.failed) == (tried, failed)
    assert [line for line in found.models.warnings if "unlucky" in line] == [
        f"width = {width}: OSError: {width} is unlucky" for width in (13, 14)
    ]
    assert (found.cpu_seconds is None) == (tried == failed)


def tried(cells, broken=()):
    """Return what trials find of cells; those with a value among ``broken`` raise."""

    def run(cell):
        if set(cell.params.values()) & set(broken):
            raise OSError("no")

    trials = ModelTrials(cells)
    trials.attempt_others(run)
    return trials.found()


def grid(**space):
    """Return the cells of a grid."""
    rows = product(*space.values())
    return [PlannedCell(str(n), dict(zip(space, row, strict=True)), (1,)) for n, row in
            enumerate(rows)]  # fmt: skip


def test_the_value_that_fails_is_named():
    """Where every model with it failed and others passed; not where it is by chance."""
    found = tried(grid(loss=["a", "b", "c", "d"], width=[1, 2]), ["c"])
    assert (found.models, found.tried, found.failed) == (8, 8, 2)
    assert found.causes == ("loss = c (1 of 4 values)",)
    assert found.warnings == (
        "loss = c, width = 1: OSError: no",
        "loss = c, width = 2: OSError: no",
    )
    assert tried(grid(loss=["a", "b"]), ["a", "b"]).causes == ()


def test_of_two_values_that_always_failed_together_neither_is_named():
    """One failure tells no value from the other."""
    assert causes([{"a": 1, "b": 2}], [{"a": 3, "b": 4}]) == ()
    assert causes([{"a": 1, "b": 2}], [{"a": 3, "b": 2}]) == ("a = 1 (1 of 2 values)",)


def test_models_that_differ_in_rates_alone_are_one():
    """A trace reads them from variables."""
    found = tried(grid(width=[1, 2], learning_rate=[0.1, 0.2], epochs=[1, 5]))
    assert (found.models, found.tried) == (2, 2)


def test_of_a_large_grid_a_sample_has_each_value(monkeypatch):
    """A value that fails is found, though few of the models are tried."""
    monkeypatch.setattr(tried_models, "MOST_TRIED", 30)
    found = tried(grid(a=range(10), b=range(10, 20), c=range(20, 30)), [7, 13, 29])
    assert (found.models, found.tried) == (1000, 30)
    assert found.causes == (
        "a = 7 (1 of 10 values)", "b = 13 (1 of 10 values)", "c = 29 (1 of 10 values)",
    )  # fmt: skip


def test_the_refit_is_not_shared_between_workers(monkeypatch):
    """One core refits the winner, however many there are."""
    found = Estimate(60.0, 100.0)
    monkeypatch.setattr("sweep.study.check.estimate", lambda *_: found)
    checked = replace(check_study(load_study(study())), workers=2)
    assert checked.minutes == pytest.approx((START_SECONDS + 30 + 100) / 60)


def test_after_some_time_no_more_models_are_tried(monkeypatch):
    """A check is waited for."""
    monkeypatch.setattr(tried_models, "TRY_SECONDS", -1.0)
    assert tried(grid(a=[1, 2])).tried == 0


def test_a_limit_that_rules_every_model_out_names_the_smallest():
    """A run would end without a result."""
    spec = load_study(study(max_parameters=10))
    with pytest.raises(StudyFileError, match="the smallest has 310 parameters, got 10"):
        check_study(spec, probe=False)


def test_what_is_trained_twice_is_counted_once():
    """A longer fit answers a shorter one, except where callbacks look at the end."""
    space = {"hidden_size": [8], "epochs": [2, 5]}
    drawn = load_study(study(space, method="random", trials=9))
    assert trained_epochs(drawn, make_plan(drawn).cells) == {0: 5.0}
    own = load_study(study(space, {"callbacks": ["TerminateOnNaN"]}, method="random", trials=9))
    assert sorted(trained_epochs(own, make_plan(own).cells).values()) == [2.0, 5.0]
    climbing = study(method="tpe", trials=9, pruner="hyperband")
    del climbing["search"]["cv"]
    spec = load_study({**climbing, "model": {"epochs": 9}})
    # 9 begin with 1 epoch, 3 go on to 3, 1 to 9; 5 begin with 3; 3 begin with 9.
    epochs, slots = 9 + 3 * 2 + 6 + 15 + 5 / 3 * 6 + 27, 13 + 5 + 5 / 3 + 3
    assert bracket_plan(spec).epochs_of_a_slot == pytest.approx(epochs / slots)


def test_the_pace_of_a_model_lies_between_those_of_others():
    """By its cost; equal costs stand for their mean."""
    cheap, dear = Pace(1, 0, 0.1, 0.01), Pace(3, 0, 0.3, 0.03)
    assert between([(2.0, dear), (1.0, cheap)], 1.5).build == 2
    assert between([(1.0, cheap), (1.0, dear)], 7).build == 2
    assert dear.of_fit(100, 2) == pytest.approx(6.6)


def test_the_cells_to_try_are_spread():
    """The dearest, the cheapest, the middle, and then others; each once."""
    assert order_of([5, 1, 3, 2, 4], 8) == [0, 1, 2, 3, 4]
    assert order_of([1.0] * 20, 8)[:2] == [19, 0]
    assert len(order_of(range(100), 8)) == 8


@pytest.mark.tensorflow
def test_the_estimate_is_near(monkeypatch):
    """Of fits that take as long as an epoch and a row say, whatever the first one costs."""
    from sweep.study import timed_fit

    def seconds(estimator, data, asked, *_):
        clock.now += 0.1 + asked.epochs[0] * (0.05 + 1e-3 * len(data.splits[0][0]))
        clock.now += 3.0 * (not clock.warm)
        clock.warm = True

    clock = SimpleNamespace(now=0.0, warm=False)
    monkeypatch.setattr(timed_fit, "evaluate_with", lambda _parts, _seed: seconds)
    monkeypatch.setattr(timed_fit.time, "perf_counter", lambda: clock.now)
    from sweep import load_dataset
    from sweep.search.splits import make_splits

    data = load_dataset("digits")
    spec = load_study(study({"hidden_size": [8]}, {"epochs": 5}, refit=False))
    splits = make_splits(spec, data.y_train, None)
    found = estimate(spec, make_plan(spec).cells, data, splits, 2, ())
    rows = len(splits[0][0])
    expected = CELL_SECONDS + 3.0 + 2 * (0.1 + 5 * (0.05 + 1e-3 * rows))
    assert found.seconds == pytest.approx(expected, rel=0.02)
    refits = (
        load_study(study({"hidden_size": [8]}, {"epochs": 5}, refit=True, **more))
        for more in ({}, {"refit_epochs": 25})
    )
    one, other = (estimate(each, make_plan(each).cells, data, splits, 2, ()) for each in refits)
    all_rows = len(data.y_train)
    longer = other.refit_seconds - one.refit_seconds
    assert longer == pytest.approx(20 * (0.05 + 1e-3 * all_rows), rel=0.02)
    longer = [replace(each, epochs=(10,)) for each in make_plan(spec).cells]
    assert estimate(spec, longer, data, splits, 2, ()).seconds > found.seconds - 3.0
