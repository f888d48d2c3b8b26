"""Every sampler on every kind of dimension, its extra, and what it repeats."""

from importlib.util import find_spec

import pytest
from pretend import SPACE, begin, searched, study, work

from sweep.analysis import mean_score
from sweep.errors import StudyFileError
from sweep.ledger.ledger import Ledger
from sweep.search.plan import make_plan
from sweep.search.samplers import check_extra
from sweep.spec.methods import METHODS

LEARNING = tuple(name for name, method in METHODS.items() if method.learns)
DRAWN = tuple(name for name, method in METHODS.items() if method.drawn_beforehand)


def needs(method):
    """Skip where the extra of a sampler is not installed."""
    extra = METHODS[method].extra
    if extra is not None and find_spec(extra.module) is None:
        pytest.skip(f"the extra {method} is not installed")


def params(record):
    """What was tried, in order."""
    return [dict(c.params) for c in record.candidates]


@pytest.mark.parametrize("method", [*DRAWN, *LEARNING])
def test_every_sampler_takes_every_kind_of_dimension(monkeypatch, tmp_path, method):
    """Ranges, logs, steps, choices and conditions; each trial lies in the space, quietly."""
    needs(method)
    record = searched(monkeypatch, tmp_path / "l.db", method, trials=16)
    assert [t.state for t in record.trials] == ["COMPLETE"] * 16, record.trials[-1].reason
    for tried in params(record):
        assert 1e-4 <= tried["learning_rate"] <= 1e-1
        assert tried["hidden_size"] in range(8, 65, 8)
        assert ("momentum" in tried) == (tried["optimizer"] == "sgd")
    assert len({tried["learning_rate"] for tried in params(record)}) == 16


@pytest.mark.parametrize("method", LEARNING)
def test_a_sampler_repeats_itself_with_one_worker_also_when_stopped(monkeypatch, tmp_path, method):
    """Each slot seeds its own sampler, so another process draws what this one would have."""
    needs(method)
    whole = params(searched(monkeypatch, tmp_path / "one.db", method, trials=30))
    spec, ledger = study(method, trials=30), Ledger(f"sqlite:///{tmp_path / 'two.db'}")
    begin(ledger, spec)
    work(monkeypatch, ledger, spec, cells=13)
    again = work(monkeypatch, Ledger(ledger.url), spec)
    assert params(again) == whole


@pytest.mark.parametrize("method", LEARNING)
def test_a_sampler_learns(monkeypatch, tmp_path, method):
    """The last third of the trials is better than the first."""
    needs(method)
    space = {name: SPACE[name] for name in ("learning_rate", "hidden_size")}
    record = searched(monkeypatch, tmp_path / "l.db", method, trials=60, space=space)
    scores = [mean_score(c) for c in record.candidates]
    assert sum(scores[40:]) / 20 > sum(scores[:20]) / 20 + 0.05


def test_cma_es_leaves_no_pickle_in_the_ledger(monkeypatch, tmp_path):
    """Its state is worked out from the trials; the ledger holds the number of the generation."""
    needs("cmaes")
    spec, ledger = study("cmaes", trials=20), Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    work(monkeypatch, ledger, spec)
    held = [trial.system_attrs for trial in ledger.trials("pretend")]
    assert {name for attributes in held for name in attributes} == {"cma:generation"}
    assert max(each.get("cma:generation", 0) for each in held) >= 2


@pytest.mark.parametrize("method", DRAWN)
def test_trials_drawn_beforehand_grow_by_appending(method):
    """The first trials of a longer study are those of the shorter one; the seed decides them."""
    short, longer = (
        [cell.params for cell in make_plan(study(method, trials=trials)).cells]
        for trials in (5, 12)
    )
    assert longer[:5] == short
    other = study(method, trials=5).model_copy(
        update={"study": study(method, trials=5).study.model_copy(update={"seed": 9})}
    )
    assert [cell.params for cell in make_plan(other).cells] != short


def test_a_sobol_sequence_fills_the_space_evenly():
    """Each eighth of the range holds one of the first eight points, each choice four."""
    space = {"hidden_size": {"int": [1, 8]}, "optimizer": ["sgd", "adam"]}
    drawn = [cell.params for cell in make_plan(study("qmc", trials=8, space=space)).cells]
    assert sorted(each["hidden_size"] for each in drawn) == list(range(1, 9))
    assert [each["optimizer"] for each in drawn].count("sgd") == 4


@pytest.mark.parametrize(("method", "needed"), [("cmaes", "cmaes"), ("gp", "PyTorch")])
def test_a_missing_extra_is_named_before_a_run(monkeypatch, method, needed):
    """The message says what to install."""
    monkeypatch.setattr("sweep.search.samplers.find_spec", lambda _name: None)
    with pytest.raises(StudyFileError) as error:
        check_extra(study(method, trials=3))
    assert error.value.problems[0] == (
        f'search.method: "{method}" needs {needed}, which is not installed; '
        f'pip install ".[{method}]" in a checkout of sweep'
    )


@pytest.mark.parametrize("method", ["random", "qmc", "tpe", "nsga2", "cmaes"])
def test_fixed_trials_come_first(monkeypatch, tmp_path, method):
    """What a start table leaves out is drawn."""
    needs(method)
    start = [{"hidden_size": 24, "optimizer": "sgd", "momentum": 0.5}, {"learning_rate": 0.02}]
    record = searched(monkeypatch, tmp_path / "l.db", method, trials=4, start=start)
    first, second, third, _ = params(record)
    assert {**first, **start[0]} == first
    assert 1e-4 <= first["learning_rate"] <= 1e-1
    assert second["learning_rate"] == 0.02
    assert third["learning_rate"] != 0.02
