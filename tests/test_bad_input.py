"""Bad study files and bad data in bulk: a plain message or a valid study, and nothing half done.

``SWEEP_CASES=2000`` makes as many cases as that; the counts are printed at the end.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sqlite3
import time
import tomllib
from collections import Counter
from contextlib import closing, nullcontext, suppress
from types import SimpleNamespace

import numpy as np
import pytest
from broken_data import FOLDER_RULES, NPZ_RULES, PICTURE_RULES, arrays, build, npz_of
from commands import sweep
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from ledgers import build as build_study
from mutations import RULES, STUDIES, mutated, written
from mutations_text import TEXT_RULES

from sweep.datasets import load_dataset
from sweep.errors import SweepError
from sweep.runner.local_pool import LocalPool

CASES = int(os.environ.get("SWEEP_CASES", "200"))
LONG_RUN = 2000
PLAIN = (*RULES, *TEXT_RULES, *NPZ_RULES, *FOLDER_RULES)
"""Rules that are tried without TensorFlow: these make as many cases as asked."""
SECONDS = 2.0
"""Longest that a check may take of the processor."""

PLACE = re.compile(
    r"\(line \d+|\(at line \d+|\(at end of document|at position \d+|too deep|bytes, got"
    r"|^\s*(study|data|model|search|space|report)\b"
    r"|^error: (?!.*\d problems?$).+?: ",
    re.MULTILINE,
)
"""A line, a byte, the whole file, a section and its key; else what the message is about."""

in_bulk = settings(
    max_examples=max(2, -(-CASES // len(PLAIN))),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class Place:
    """A folder with a ledger that holds a finished study, small data, and what was tried there."""

    def __init__(self, folder):
        self.folder, self.counts, self.outcomes = folder, Counter(), Counter()
        self.parsed = 0
        self.file, self.home = folder / "bad.toml", folder / "home"
        (folder / ".sweep").mkdir()
        build_study(folder / ".sweep" / "ledger.db", winner=True)
        self.home.mkdir()
        np.savez(self.home / "mnist.npz", **arrays(300, 100, 10, (28, 28)))
        np.savez(self.home / "cifar10.npz", **arrays(300, 100, 10, (32, 32, 3)))
        self.before = self.held()
        shutil.copytree(folder / ".sweep", folder / "kept")

    def renew(self):
        """Undo what a failed test has left in the ledger."""
        if self.held() != self.before:
            shutil.rmtree(self.folder / ".sweep")
            shutil.copytree(self.folder / "kept", self.folder / ".sweep")

    def held(self):
        """Everything in the ledger and beside it, but the locks."""
        with closing(sqlite3.connect(self.folder / ".sweep" / "ledger.db")) as ledger:
            rows = list(ledger.iterdump())
        files = {p for p in (self.folder / ".sweep").rglob("*") if p.is_file()}
        return rows, {p for p in files if not p.name.startswith("ledger.db.")}

    def refused(self, rule, raw):
        """Check a study file; where that refuses it, so must a run, and leave the ledger alone."""
        note(raw[:3000].decode("utf-8", "replace"))
        self.file.write_bytes(raw)
        self.renew()
        began = time.process_time()
        checked = self.call("check", self.file, "--no-probe")
        took = time.process_time() - began
        self.counts[rule] += 1
        self.outcomes[checked.exit_code] += 1
        assert took < SECONDS, f"{took:.1f} s"
        if checked.exit_code == 0:
            return None
        note(checked.stderr)
        run = self.call("run", self.file, "--no-report")
        assert run.exit_code == 2, run.output
        assert run.stderr == checked.stderr
        assert self.held() == self.before, "the ledger has changed"
        return checked.stderr

    def call(self, command, *words):
        """Call a command, which must not fail in any way that is not foreseen."""
        found = sweep(command, *words, "--data-home", self.home)
        assert found.exit_code in (0, 2), found.output
        assert "Traceback" not in found.output
        assert "internal error" not in found.output
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory, request):
    """Return where to try them: without network, without workers."""
    place = Place(tmp_path_factory.mktemp("bad"))
    for name in ("optuna", "scipy.stats.qmc", "sklearn.model_selection"):  # are not what is timed
        importlib.import_module(name)
    nothing = SimpleNamespace()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.folder)
        patch.delenv("SWEEP_STORAGE", raising=False)
        patch.setenv("KERAS_HOME", str(place.folder / "keras"))
        patch.setenv("COLUMNS", "80")
        patch.setattr("sweep.runner.forkserver.forkserver_started", lambda: nullcontext(nothing))
        patch.setattr(LocalPool, "run", _never)
        yield place
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        _tell(place)


def _never(*_args, **_options):
    raise AssertionError("a refused study must not reach its workers")


def _tell(place):
    files = sum(place.counts[rule] for rule in (*RULES, *TEXT_RULES))
    print(f"\n{place.counts.total()} cases, {place.outcomes[0]} of them valid")  # noqa: T201
    print(f"{files} study files, {place.parsed} of them TOML")  # noqa: T201
    print(", ".join(f"{rule} {place.counts[rule]}" for rule in (*PLAIN, *PICTURE_RULES)))  # noqa: T201


def _judge(place, rule, raw):
    """Try a study file; what refuses it names the file and a place in it, or the data."""
    place.parsed += _parses(raw)
    said = place.refused(rule, raw)
    if said is not None:
        assert PLACE.search(said), said


def _parses(raw):
    try:
        tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("number", range(len(STUDIES)))
def test_the_studies_are_valid_before_they_are_mutated(place, number):
    """What is mutated holds, so that what is found is the mutation."""
    place.file.write_bytes(written(STUDIES[number]))
    result = place.call("check", place.file, "--no-probe")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("rule", RULES)
@in_bulk
@given(rng=st.randoms())
def test_studies_that_say_something_else(place, rule, rng):
    """A study with any rule broken is valid, or refused by check and run with a place."""
    _judge(place, rule, mutated(rule, rng))


@pytest.mark.parametrize("rule", TEXT_RULES)
@in_bulk
@given(rng=st.randoms())
def test_study_files_with_damaged_text(place, rule, rng):
    """A study file damaged in any way is valid, or refused by check and run with a place."""
    _judge(place, rule, TEXT_RULES[rule](written(rng.choice(STUDIES)), rng))


SETTINGS = {
    "train_rows": [1, 3, 30, 41],
    "test_rows": [1, 21],
    "sample": ["first", "stratified"],
    "scaling": ["none", "unit", "standardize"],
    "one_vs_rest": [1, 9, "a", ""],
    "positive": [0, 1, "a", "not 1"],
    "groups": ["groups", "nothing", "x_train"],
}


def _given(rng, known):
    """Some of the settings of ``[data]``, each with some value."""
    return {key: rng.choice(known[key]) for key in known if rng.random() < 0.2}


def _judge_data(place, rule, rng, dataset, known):
    """Load it; what that refuses, check and run refuse in a study that names it."""
    words = _given(rng, known)
    study = {
        "data": {"dataset": dataset, **words},
        "search": {"method": "grid", "validation": 0.3},
        "space": {"hidden_size": [4]},
    }
    loaded = None
    with suppress(SweepError):
        loaded = load_dataset(dataset, folder=place.folder, **words)
    said = place.refused(rule, written(study))
    if loaded is None:
        assert said is not None
    else:
        assert np.isfinite(loaded.x_train).all()
        assert len(loaded.x_train) == len(loaded.y_train)
        assert len(loaded.class_names) == len(loaded.classes) >= 2


@pytest.mark.parametrize("rule", NPZ_RULES)
@in_bulk
@given(rng=st.randoms())
def test_broken_npz_files(place, rule, rng):
    """A file of arrays broken in any way is a valid dataset, or refused with a message."""
    (place.folder / "bad.npz").write_bytes(npz_of(rule, rng))
    _judge_data(place, rule, rng, "bad.npz", SETTINGS)


def _try_folder(place, rules, rule, rng, known):
    folder = place.folder / "pictures"
    build(folder)
    try:
        rules[rule](folder, rng)
        _judge_data(place, rule, rng, "pictures", known)
    finally:
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink(missing_ok=True)


@pytest.mark.parametrize("rule", FOLDER_RULES)
@in_bulk
@given(rng=st.randoms())
def test_broken_folders(place, rule, rng):
    """A folder that does not hold class folders of pictures is refused with a message."""
    _try_folder(place, FOLDER_RULES, rule, rng, SETTINGS)


@pytest.mark.tensorflow
@pytest.mark.parametrize("rule", PICTURE_RULES)
@in_bulk
@given(rng=st.randoms())
def test_broken_pictures(place, rule, rng):
    """A folder with pictures that cannot be read is a valid dataset, or refused with a message."""
    known = {**SETTINGS, "image_size": [[1, 1], [8, 4]], "color": ["rgb", "grayscale"]}
    _try_folder(place, PICTURE_RULES, rule, rng, known)


def test_the_cases_are_what_they_claim(place):
    """Enough of the study files are TOML still, and in a long run every rule was tried often."""
    files = sum(place.counts[rule] for rule in (*RULES, *TEXT_RULES))
    assert place.parsed >= 0.3 * files
    if CASES >= LONG_RUN:
        assert min(place.counts[rule] for rule in PLAIN) >= 10
