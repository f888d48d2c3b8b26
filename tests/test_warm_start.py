"""Warm start from finished studies of the same ledger."""

from dataclasses import replace

import pytest
from pretend import SPACE, begin, study, work
from test_samplers import needs

from sweep.errors import StudyFileError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.spec.methods import METHODS
from sweep.study.warm_start import sources, warm_start, warm_start_trials

GRID = {"learning_rate": [1e-3, 1e-2, 0.5], "hidden_size": [24, 32, 40], "optimizer": ["adam"]}


@pytest.fixture
def ledger(monkeypatch, tmp_path):
    """A ledger with a finished grid of nine candidates, six of them in the space."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    grid = study("grid", name="before", space=GRID)
    begin(ledger, grid)
    work(monkeypatch, ledger, grid)
    return ledger


def started(monkeypatch, ledger, method, name, trials=12):
    """A study that starts from the grid; what it tried."""
    spec = study(method, name=name, trials=trials, start_from=["before"])
    records = sources(ledger, spec, read_study(ledger, "before").data)
    begin(ledger, spec)
    said = warm_start(ledger, spec, records)
    record = work(monkeypatch, ledger, spec)
    return said, record


@pytest.mark.parametrize(
    "method", [name for name, row in METHODS.items() if row.warm_start != "none"]
)
def test_a_grid_teaches_a_sampler_and_makes_no_rows(monkeypatch, ledger, method):
    """Values outside the space do not fit, and that is counted; the table is the study's own."""
    needs(method)
    said, record = started(monkeypatch, ledger, method, "after")
    assert said == ["starts from 6 trials of before; 3 do not fit this search space"] or (
        method == "tpe" and said == ["starts from 9 trials of before"]
    )
    assert len(record.trials) == len(record.candidates) == 12
    assert record.status == "finished"
    again, other = (started(monkeypatch, ledger, method, name)[1] for name in ("b", "c"))
    assert [c.params for c in again.candidates] == [c.params for c in other.candidates]


def test_a_warm_start_is_done_once(monkeypatch, ledger):
    """A run that is continued adds nothing."""
    spec = study("tpe", name="after", trials=2, start_from=["before"])
    records = [read_study(ledger, "before")]
    begin(ledger, spec)
    assert len(warm_start(ledger, spec, records)) == 1
    assert warm_start(ledger, spec, records) == []
    assert len(ledger.trials("after", "COMPLETE")) == 9


def test_what_is_learned_is_in_the_terms_of_the_new_study(ledger):
    """Shared parameters with valid values, under the new study's objectives."""
    spec = study("nsga2", trials=2, start_from=["before"], objectives=["score", "parameters"])
    held = warm_start_trials(read_study(ledger, "before"), spec)
    assert {tuple(each.params) for each in held} == {("learning_rate", "hidden_size", "optimizer")}
    assert {each.params["learning_rate"] for each in held} == {1e-3, 1e-2}
    assert {each.values[1] for each in held} == {3.0}
    assert warm_start_trials(
        read_study(ledger, "before"),
        study("tpe", trials=2, objectives=["score", "inference_ms"], space=SPACE),
    ) == []  # fmt: skip


def test_studies_that_do_not_compare_are_refused_all_at_once(ledger):
    """Unknown, other data, another scorer."""
    spec = study("tpe", trials=2, start_from=["before", "nowhere"])
    with pytest.raises(StudyFileError) as error:
        sources(ledger, spec, replace(read_study(ledger, "before").data, fingerprint="f" * 64))
    other, unknown = error.value.problems
    assert other.startswith("search.start_from: study 'before' ran on other data: fingerprint ")
    assert unknown.startswith("search.start_from: no study named 'nowhere' in ")
    spec = study("tpe", trials=2, start_from=["before"], scoring="balanced_accuracy")
    with pytest.raises(StudyFileError, match="was scored by accuracy, this one is by balanced"):
        sources(ledger, spec, read_study(ledger, "before").data)


def test_what_the_other_study_had_by_default_counts(ledger):
    """A parameter that it neither fixed nor searched had its default, which is a value too."""
    space = {**SPACE, "batch_size": [32, 64], "hidden_layers": [1, 2]}
    taught = warm_start_trials(read_study(ledger, "before"), study("tpe", trials=2, space=space))
    assert len(taught) == 9
    assert {(each.params["batch_size"], each.params["hidden_layers"]) for each in taught} == {
        (32, 1)
    }
