"""What a study must pass before its first cell: the same for check, run and submit."""

import json
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import here, sweep  # noqa: F401
from ledgers import build

from sweep.errors import SweepError
from sweep.ledger.ledger import Ledger
from sweep.spec import load_study
from sweep.study import check_study, run_study
from sweep.study.run import _Run
from sweep.study.submit import submit_study

URL = "sqlite:///l.db"
CODE = """
from sweep.models import mlp

def build(shape, n_classes, width=8):
    return mlp(shape, n_classes, hidden_size=width)
"""


def sections(**changes):
    """Return a small study of digits; ``search`` is changed, other sections are replaced."""
    return {
        "study": {"name": "mine"},
        "data": {"dataset": "digits", "train_rows": 200, "test_rows": 50},
        "search": {"method": "grid", "cv": 2, **changes.pop("search", {})},
        "space": {"hidden_size": [4, 8]},
        **changes,
    }


def own_model(module="mine", function="build", parameter="width"):
    """Return a study of a factory of the user's own."""
    return sections(
        model={"factory": f"{module}:{function}", "epochs": 1}, space={parameter: [4, 8]}
    )


def from_other(name):
    """Return a study that starts from another one."""
    return sections(search={"method": "tpe", "trials": 4, "start_from": [name]})


def no_extra(monkeypatch):
    """Hide every optional package."""
    monkeypatch.setattr("sweep.search.samplers.find_spec", lambda _name: None)


def ledger_with(name, study, **header):
    """Return a set-up: a ledger that holds a study, whose data are not those of digits."""

    def made(_monkeypatch):
        build("l.db", name, study=study)
        with closing(Ledger(URL)) as ledger:
            ledger.update(name, **header)

    return made


def nested_name_taken(_monkeypatch):
    """Make a study of somebody's with the name of an outer fold."""
    build("l.db", "old")
    with closing(Ledger(URL)) as ledger:
        ledger.create("mine / outer 1 of 2", ledger.header("old"))


def damaged(_monkeypatch):
    """Make a ledger file that is no database."""
    Path("l.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)


def nothing(_monkeypatch):
    """Leave the folder without a ledger."""


CMAES = sections(
    search={"method": "cmaes", "trials": 4},
    space={"hidden_size": {"int": [4, 8]}, "learning_rate": {"float": [0.001, 0.1]}},
)
REFUSED = {
    "extra missing": (CMAES, no_extra, '"cmaes" needs cmaes, which is not installed'),
    "section not allowed": (
        sections(report={"sections": ["other:lift"]}), nothing, 'module "other"',
    ),
    "section does not exist": (
        sections(report={"sections": ["mine:lift"]}), nothing, 'module "mine" has no "lift"',
    ),
    "extra and sections": (
        {**CMAES, "report": {"sections": ["mine:lift", "mine:drop"]}}, no_extra, "mine: 3 problems",
    ),
    "ledger damaged": (sections(), damaged, "damaged"),
    "outer fold's name taken": (
        sections(search={"nested": 2}), nested_name_taken, "another study of that name",
    ),
    "question changed": (
        sections(), ledger_with("mine", sections(search={"cv": 3})), "search.cv: was 3, now 2",
    ),
    "factory not allowed": (own_model("other"), nothing, 'module "other"'),
    "factory does not exist": (own_model(function="made"), nothing, 'module "mine" has no "made"'),
    "factory's parameter unknown": (own_model(parameter="depth"), nothing, "depth"),
    "code changed": (
        own_model(), ledger_with("mine", own_model(), code="mine 0123"), "results of other code",
    ),
    "data missing": (sections(data={"dataset": "nowhere.npz"}), nothing, "nowhere.npz"),
    "data changed": (sections(), ledger_with("mine", sections()), "'mine' ran on other data"),
    "every model too large": (
        sections(search={"max_parameters": 10}), nothing, "the smallest has 310 parameters, got 10",
    ),
    "scorer of two classes": (
        sections(search={"scoring": "f1"}), nothing, '"f1" is for two classes',
    ),
    "too few rows for the splits": (sections(search={"cv": 150}), nothing, "150"),
    "start_from without a ledger": (from_other("nobody"), nothing, "no study named 'nobody'"),
    "start_from unknown": (
        from_other("nobody"), ledger_with("old", sections()), "no study named 'nobody'",
    ),
    "start_from on other data": (
        from_other("old"), ledger_with("old", sections()), "'old' ran on other data",
    ),
    "model, scorer and start_from": (
        sections(search={
            "method": "random", "trials": 4, "nested": 2, "max_parameters": 10, "scoring": "f1",
        }),
        nothing, "mine: 2 problems",
    ),
}  # fmt: skip


@pytest.fixture
def place(here, monkeypatch):  # noqa: F811
    """A folder with a module of the user's own, where a run starts no worker."""
    Path("mine.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setattr(_Run, "_pool", lambda *_: SimpleNamespace(close=lambda: None))
    yield monkeypatch
    sys.modules.pop("mine", None)


@pytest.mark.parametrize(("study", "set_up", "excerpt"), REFUSED.values(), ids=REFUSED)
def test_check_run_and_submit_refuse_the_same_in_the_same_words(place, study, set_up, excerpt):
    """The type of the error too."""
    set_up(place)
    spec = load_study(study)
    refusals = []
    for begin in (
        lambda: check_study(spec, storage=URL, allow=["mine"], probe=False),
        lambda: run_study(spec, storage=URL, allow=["mine"], n_jobs=1),
        lambda: submit_study(spec, storage=URL, allow=["mine"]),
    ):
        with pytest.raises(SweepError) as error:
            begin()
        refusals.append((type(error.value), str(error.value)))
    assert excerpt in refusals[0][1]
    assert refusals == [refusals[0]] * 3


def test_the_commands_print_the_same_refusal(place):
    """And exit with the same status."""
    place.setattr("sweep.runner.forkserver.forkserver_started", lambda: nullcontext(None))
    study = from_other("nobody")
    lines = [
        f"[{section}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in each.items())
        for section, each in study.items()
    ]
    Path("s.toml").write_text("\n".join(lines))
    found = [sweep(command, "s.toml") for command in ("check", "run", "submit")]
    assert [each.exit_code for each in found] == [2, 2, 2]
    assert "search.start_from (line 13): no study named 'nobody'" in found[0].stderr
    assert {each.stderr for each in found} == {found[0].stderr}


def test_check_makes_no_ledger(place):
    """It only reads one that is there."""
    check_study(load_study(sections()), storage=URL, probe=False)
    assert not Path("l.db").exists()
