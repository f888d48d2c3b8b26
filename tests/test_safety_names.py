"""Hostile names in every text that reaches a page, a terminal, a table or a file.

Promise 4 of the design: reports escape every text, cells that begin like a formula are guarded,
and a strict content policy stands in every page.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, is_dataclass, replace
from itertools import chain
from pathlib import Path

import commands
import pytest
from commands import sweep
from html_page import Page
from ledgers import DATA, build
from records import grid_record, tpe_record

from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import ImportanceRecord, NestedRecord, OuterFold
from sweep.ledger.overview import StudyOverview
from sweep.report import render
from sweep.report.comparison import render_comparison
from sweep.report.index import render_index
from sweep.section import SectionRecord

here = commands.here

CONTROLS = "\x1b[31m\x1b]0;t\x07\x9b31m\x7f\u202e\u2066\x00\r\n"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}{% raw %}</title></style>"
HOSTILE = f"javascript:alert(1){MARKUP}{CONTROLS}" + "w" * 200
FORMULA = "=cmd|'/c calc'!A1"
MEANING = {
    "state", "key", "chosen_at", "test_opened_at", "opened_at", "ended_at", "created", "method",
    "scoring", "fingerprint", "evaluator", "svg", "status", "optimizer", "choose",
}  # fmt: skip
"""Fields that only the program writes, in words of its own, or that the page takes apart."""
NAMED = {"params", "space", "losses", "history", "values"}
"""Mappings whose keys are names of parameters or measures, which must still be found."""


def poisoned(value, name=""):
    """Put hostile text behind every text in a record, also where a mapping has names."""
    if name in ("spec", *MEANING):  # a record holds no study file that breaks the rules
        return hostile_file(value) if name == "spec" else value
    if isinstance(value, str):
        return value + HOSTILE
    if is_dataclass(value):
        return replace(value, **{f.name: poisoned(getattr(value, f.name), f.name)
                                 for f in fields(value)})  # fmt: skip
    if isinstance(value, dict):
        within = {"environment": lambda key: key + HOSTILE}.get(name, lambda key: key)
        return {within(key): poisoned(held, key) for key, held in value.items()}
    if isinstance(value, list | tuple):
        made = [poisoned(each, name) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


def hostile_file(plain):
    """Return a study file whose free texts are as hostile as its rules let them be."""
    study = {**plain["study"], "name": MARKUP, "description": MARKUP}
    report = {**plain.get("report", {}), "title": MARKUP}
    return {**plain, "study": study, "report": report}


def studies():
    """Two studies with all that a page may show, every text of it hostile."""
    own = SectionRecord("mine:lift", "Lift", "Rows.", ("a", "b"), (("x", 1.5), ("y", None)),
                        f"<svg><text>{MARKUP}</text></svg>")  # fmt: skip
    failed = SectionRecord("mine:none", reason="ValueError: no")
    weighed = ImportanceRecord("fANOVA", {"epochs": 0.7, "hidden_size": 0.3}, 9, 9, caution="so",
                               left_out=("other",))  # fmt: skip
    folds = tuple(OuterFold(0.9, 0.91, {"hidden_size": n}, 800, 200) for n in (32, 64))
    nested = NestedRecord(folds, 9, "2026-03-02T09:40:00+00:00")
    grid = replace(grid_record(), sections=(own, failed), importances=weighed, nested=nested)
    tpe = replace(tpe_record(), sections=(own,))
    return [poisoned(replace(record, name=record.name + name)) for record, name in
            ((grid, ""), (tpe, "-b"))]  # fmt: skip


def pages():
    """Every kind of page."""
    grid, tpe = studies()
    line = StudyOverview(HOSTILE, HOSTILE, "stopped", 1, 2, 1, 0.5, HOSTILE, test_opened=False)
    return {
        "grid": render(grid),
        "tpe": render(tpe),
        "no winner": render(replace(tpe, winner=None)),
        "comparison": render_comparison([grid, tpe]),
        "index": render_index([line], {HOSTILE: "plain.html"}),
    }


@pytest.fixture(scope="module")
def made():
    return pages()


KINDS = ("grid", "tpe", "no winner", "comparison", "index")


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_becomes_an_element(made, kind):
    """Promise 4: one script and one style, no attribute that runs, no link that leads away."""
    parsed = Page(made[kind])
    assert (parsed.wrong, parsed.open) == ([], [])
    assert [len(parsed.all(tag)) for tag in ("script", "style", "title")] >= [1, 1, 1]
    assert len(parsed.all("script")) == len(parsed.all("style")) == 1
    for tag, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        address = attributes.get("href") or attributes.get("src") or "#"
        assert address.startswith(("#", "data:")) or address == "plain.html"
        if tag == "img":
            assert attributes["src"].startswith("data:image/"), attributes


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_is_there_as_text(made, kind):
    """Promise 4: what it says is shown, and is no template and no sum."""
    text = Page(made[kind]).text
    assert "<script>alert(1)</script>" in text
    assert "{{7*7}}{% raw %}" in text
    assert not [c for c in made[kind] if not c.isprintable() and c not in "\n\t"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_is_strict(made, kind):
    """Promise 4: nothing is allowed but the page's own style and script, by their hashes."""
    (policy,) = [a["content"] for a in Page(made[kind]).all("meta") if "http-equiv" in a]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.keys() == {
        "default-src", "style-src", "script-src", "img-src", "base-uri", "form-action",
    }  # fmt: skip
    assert {rules[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    assert rules["img-src"] == "data:"
    for name in ("style-src", "script-src"):
        assert rules[name].startswith("'sha256-")
        assert " " not in rules[name]


# -- the terminal, JSON, CSV --------------------------------------------------------------------


NAME = '<img src=x onerror="alert(1)">{{7*7}}'


@pytest.fixture
def ledger(here):
    """A ledger whose two studies are hostile in every text that a ledger holds."""
    choices = {"kind": [HOSTILE, FORMULA, "@x"], "width\x1b": [1, 2]}
    for name in (NAME, f"{NAME} b"):
        build(here / "l.db", name, winner=True, factory="mine:build", space=choices, failed=(1,))
        held = Ledger(f"sqlite:///{here / 'l.db'}")
        header = held.header(name)
        classes = (HOSTILE, FORMULA, *"23456789")
        spec = {**header["spec"], "study": {"name": name, "description": HOSTILE}}
        held.update(
            name,
            data={**header["data"], "name": HOSTILE, "classes": classes},
            environment={HOSTILE: HOSTILE, "tensorflow": FORMULA},
            source=HOSTILE,
            spec=spec,
        )
        assert len(DATA.classes) == len(classes)
        claim = held.trials(name)[1]
        assert claim.state.name == "FAIL"
    return "l.db"


READING = (
    ["list"], ["show", NAME], ["best", NAME], ["pivot", NAME, "--index", "kind"],
    ["compare", NAME, f"{NAME} b"],
)  # fmt: skip


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_a_terminal_gets_no_controls(ledger, words, form):
    """Promise 4: whatever the format, only line ends and tabs; JSON parses, cells are guarded."""
    result = sweep(*words, "--storage", ledger, "--format", form)
    assert result.exit_code == 0, result.output
    assert not [c for c in result.output if not c.isprintable() and c not in "\n\t"]
    if form == "json":
        json.loads(result.stdout)
    if form == "csv":
        cells = chain.from_iterable(csv.reader(io.StringIO(result.stdout)))
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]


def test_json_keeps_what_it_escapes(ledger):
    """Promise 4: a program reads the very text that the ledger holds."""
    found = json.loads(sweep("show", NAME, "--storage", ledger, "--format", "json").stdout)
    assert json.dumps(HOSTILE)[1:-1] in json.dumps(found)


@pytest.mark.parametrize("options", [(), ("-v",), ("--log-file", "log")])
@pytest.mark.parametrize("words", [["show", CONTROLS[:-3]], ["report", HOSTILE[:50] + "\x1b[2J"]])
def test_errors_and_logs_hold_no_controls(ledger, words, options):
    """Promise 4: a name that is repeated in a message or a log is text there."""
    result = sweep(*options, *words, "--storage", ledger)
    assert result.exit_code == 2
    log = Path("log").read_text("utf-8") if options[1:] else ""
    assert not [c for c in result.output + log if not c.isprintable() and c not in "\n\t"]
