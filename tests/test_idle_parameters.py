"""Parameters of a factory that change nothing are named: by the run, ``show`` and the report."""

import json

import pytest
from click.testing import CliRunner
from service_client import START, opened

from sweep import run_study
from sweep.analysis.idle import IdleFinder, Measured, idle_line
from sweep.cli.main import cli
from sweep.ledger.codec import split_from_plain, split_to_plain
from sweep.ledger.outcomes import IdleRecord
from sweep.ledger.records import SplitResult
from sweep.runner.progress import Watcher


def found(*trials, taken=(), prefix=""):
    """Return what a finder says of trials ``(params, start, scores)``: at once, and at the end."""
    finder, said = IdleFinder(prefix), []
    for number, (params, start, scores) in enumerate(trials):
        said += finder.add(Measured(number, params, start, taken, scores))
    return said, finder.idle()


SAME = ("a", (0.5, 0.25))


def test_two_trials_that_differ_in_one_parameter_alone_show_it():
    """Said once, with how many pairs in the end."""
    said, idle = found(*(({"rate": rate}, *SAME) for rate in (0.0, 0.2, 0.5)))
    assert said == [IdleRecord("rate", 0, 1)]
    assert idle == (IdleRecord("rate", 0, 1, 2),)
    assert idle_line(said[0]) == (
        "rate changed nothing: trials 0 and 1 differ in it alone, began with the same weights and "
        "the same compiled model, and have equal scores to the last bit; does the factory use it?"
    )


@pytest.mark.parametrize(
    "other",
    [
        ({"rate": 0.2}, "b", (0.5, 0.25)),
        ({"rate": 0.2}, "a", (0.5, 0.26)),
        ({"rate": -0.0}, *SAME),
        ({"rate": 0.2, "width": 3}, *SAME),
    ],
    ids=["another model", "another score", "the same value", "two parameters"],
)
def test_other_trials_show_nothing(other):
    """Weights, configuration or a score differ; or the parameters do not differ in one alone."""
    assert found(({"rate": 0.0}, *SAME), other) == ([], ())


def test_a_parameter_that_acts_beside_one_value_of_another_is_not_named():
    """Momentum has no effect on Adam, and one on SGD."""
    trials = [
        ({"optimizer": "sgd", "momentum": 0.0}, "s", (1,)),
        ({"optimizer": "sgd", "momentum": 0.9}, "t", (2,)),
        ({"optimizer": "adam", "momentum": 0.0}, "u", (3,)),
        ({"optimizer": "adam", "momentum": 0.9}, "u", (3,)),
    ]
    assert found(*trials, taken=("optimizer", "momentum")) == ([], ())


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("batch_size", ""),
        ("n_iter_no_change", ""),
        ("clf__batch_size", "clf__"),
        ("pca__whiten", "clf__"),
        ("whiten", "clf__"),
    ],
)
def test_parameters_that_the_fit_and_other_steps_use_are_not_named(name, prefix):
    """A batch larger than the rows, and early stopping that never fires, are no fault."""
    trials = [({name: value}, *SAME) for value in (500, 1000)]
    assert found(*trials, prefix=prefix) == ([], ())
    taken = (name.removeprefix("clf__"),)
    assert found(*trials, taken=taken, prefix=prefix) == ([], ())


def test_a_parameter_of_a_pipelines_last_step_is_named():
    """As in the study file; its optimizer only where the factory takes that."""
    units = [({"clf__units": value, "pca__whiten": True}, *SAME) for value in (5, 10)]
    assert found(*units, prefix="clf__")[1] == (IdleRecord("clf__units", 0, 1),)
    optimizers = [({"clf__optimizer": name}, *SAME) for name in ("sgd", "adam")]
    assert found(*optimizers, prefix="clf__") == ([], ())
    assert found(*optimizers, taken=("optimizer",), prefix="clf__")[1]


def test_an_optimizer_that_the_factory_takes_and_leaves_is_named():
    """Sweep's own optimizer is none that could act there."""
    trials = [({"optimizer": name}, *SAME) for name in ("sgd", "adam")]
    assert found(*trials) == ([], ())
    assert found(*trials, taken=("optimizer",))[1] == (IdleRecord("optimizer", 0, 1),)


def test_splits_without_a_digest_are_read_and_written_as_ever():
    """Older ledgers have none; built-in models write none."""
    plain = split_to_plain(SplitResult({1: 0.5}))
    assert {"start", "taken"}.isdisjoint(plain)
    assert split_from_plain(plain) == SplitResult({1: 0.5})
    own = SplitResult({1: 0.5}, start="ab", taken=("optimizer",))
    assert split_from_plain(json.loads(json.dumps(split_to_plain(own)))) == own


FACTORY = """
import keras


def build(input_shape, n_classes, optimizer="adam", width=8, depth=1):
    layers = [keras.layers.Dense(width, "relu") for _ in range(1)]
    model = keras.Sequential([
        keras.Input(input_shape), keras.layers.Flatten(), *layers,
        keras.layers.Dense(n_classes, "softmax"),
    ])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model
"""


class Said(Watcher):
    """Keep what a run says."""

    def __init__(self):
        self.lines = []

    def say(self, message):
        """Take a line."""
        self.lines.append(message)


@pytest.mark.tensorflow
def test_a_study_says_which_parameters_changed_nothing(tmp_path, monkeypatch):
    """The run at once, ``sweep show`` and the report ever after; not the one that acts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaves_it.py").write_text(FACTORY, "utf-8")
    ledger, said = str(tmp_path / "l.db"), Said()
    result = run_study(
        {
            "study": {"name": "idle"},
            "data": {"dataset": "digits", "train_rows": 100, "test_rows": 50},
            "model": {"factory": "leaves_it:build", "epochs": 2},
            "search": {"method": "grid", "cv": 2, "refit": False},
            "space": {"optimizer": ["sgd", "adam"], "depth": [1, 2], "width": [4, 8]},
        },
        storage=ledger, n_jobs=1, allow=["leaves_it"], watcher=said,
    )  # fmt: skip
    names = [line.split()[0] for line in said.lines if " changed nothing: trials " in line]
    assert sorted(names) == ["depth", "optimizer"]
    assert {(each.name, each.pairs) for each in result.record.idle} == {
        ("depth", 4), ("optimizer", 4)
    }  # fmt: skip
    shown = CliRunner().invoke(cli, ["show", "idle", "--storage", ledger]).output
    assert "depth changed nothing: trials" in " ".join(shown.split())
    page = result.report(tmp_path / "r.html")
    assert "optimizer changed nothing: trials" in page.read_text("utf-8")


PIPELINE = (
    FACTORY
    + """

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sweep import KerasClassifier


def make():
    return make_pipeline(StandardScaler(), KerasClassifier(build, epochs=1))
"""
)


@pytest.mark.tensorflow
def test_a_pipeline_and_the_services_page_say_it_too(tmp_path, monkeypatch):
    """By the name in the study file, by the run and on the study's page."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaves_it_in_steps.py").write_text(PIPELINE, "utf-8")
    ledger, said = str(tmp_path / "l.db"), Said()
    result = run_study(
        {
            "study": {"name": "steps"},
            "data": {"dataset": "digits", "train_rows": 100, "test_rows": 50, "flat": True},
            "model": {"estimator": "leaves_it_in_steps:make"},
            "search": {"method": "grid", "cv": 2, "refit": False},
            "space": {"kerasclassifier__depth": [1, 2], "kerasclassifier__width": [4, 8]},
        },
        storage=ledger, n_jobs=1, allow=["leaves_it_in_steps"], watcher=said,
    )  # fmt: skip
    assert [each.name for each in result.record.idle] == ["kerasclassifier__depth"]
    lines = [line.split()[0] for line in said.lines if " changed nothing: trials " in line]
    assert lines == ["kerasclassifier__depth"]
    with opened(f"sqlite:///{ledger}") as (_service, client):
        client.headers |= {"accept": "text/html"}
        client.get("/", params={"token": START})
        page = " ".join(client.get("/studies/steps").text.split())
    assert "kerasclassifier__depth changed nothing: trials" in page
    assert "kerasclassifier__width changed nothing" not in page
