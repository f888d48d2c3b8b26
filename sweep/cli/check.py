"""``sweep check``: what a study would do, and what stands in its way."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.options import (
    allow_option,
    allowed,
    data_home_option,
    file_argument,
    format_option,
    name_option,
    set_option,
    storage_option,
)
from sweep.cli.output import console, emit
from sweep.cli.study_status import StudyStatus, known_study
from sweep.cli.text import classes_of, clean, counted, setting, spoken
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from sweep.spec import StudySpec
    from sweep.study import Check

ENOUGH_SPLITS = 5
"""Fewer scores than that leave a t interval wide: its quantile is 4.3 at 3 splits, 2.8 at 5."""


@click.command(short_help="Check a study: its plan, time and problems.")
@file_argument
@set_option
@name_option
@click.option("--probe/--no-probe", default=True, help="Train a moment to estimate the time.")
@allow_option
@data_home_option
@format_option
@storage_option
def check(
    *, file: str, changes: tuple[str, ...], name: str | None, probe: bool,
    allow: tuple[str, ...], data_home: Path | None, form: str, storage: str | None,
) -> None:  # fmt: skip
    """Check a study before it runs: its plan, its time, and what stands in the way.

    Every problem of the file is named at once, with its line.

    \b
    Example:
      sweep check study.toml
      sweep check digits-grid --set search.cv=5 --no-probe
    """
    from sweep.study import check_study

    spec = read_spec(file, changes, name)
    known = known_study(spec, storage)
    home = None if data_home is None else str(data_home)
    if probe and form == "table":
        _probing()
    with without_noise() if probe else nullcontext():
        checked = check_study(
            spec, data_home=home, allow=allowed(allow), probe=probe, known=known, storage=storage
        )
    given = {
        "--set": changes, "--name": (name,), "--allow": allow, "--data-home": (home,),
        "--storage": (storage,),
    }  # fmt: skip
    standing = StudyStatus(checked, known)
    step = _next(file, given, standing)
    plan = {**_plan(standing), "next": step}
    emit(form, plan, [_flat(plan)], lambda: _drawn(standing, step))
    if checked.failed:
        click.get_current_context().exit(1)


def read_spec(file: str, changes: tuple[str, ...], name: str | None) -> StudySpec:
    """Read a study file with the changes of ``--set`` and ``--name`` worked in."""
    import json

    from sweep.spec import load_study

    named = [] if name is None else [f"study.name={json.dumps(name, ensure_ascii=False)}"]
    return load_study(file, set_=[*changes, *named])


def _probing() -> None:
    err = console(err=True)
    if err.is_terminal:
        err.print("training for a moment to estimate the time ...", style="dim")


def _plan(standing: StudyStatus) -> dict[str, Any]:
    checked = standing.checked
    spec, minutes = checked.spec, checked.minutes
    return {
        "study": spec.study.name,
        "method": spec.search.method,
        "scoring": spec.search.scoring,
        "refit": spec.search.refit,
        "model": spec.model.factory,
        "data": checked.data,
        "data_notes": list(checked.notes),
        "space": spec.sections()["space"],
        "candidates": checked.plan.candidates,
        "cells": len(checked.plan.cells),
        "splits": checked.splits,
        "seeds": spec.search.seeds,
        "outer_folds": checked.outer,
        "fits": checked.fits,
        "fits_of_a_plain_search": checked.candidate_fits,
        "ruled_out": checked.ruled_out,
        "workers": checked.workers,
        "minutes": None if minutes is None else round(minutes, 2),
        "at_most": checked.at_most,
        "tried": checked.tried,
        "failed": checked.failed,
        "warnings": list(checked.warnings),
        "status": standing.status,
        "done": standing.cells - standing.left,
        "left": standing.left,
        "note": _width_note(standing),
    }


def _width_note(standing: StudyStatus) -> str | None:
    """Return a note on few splits; a study that has begun keeps those that it has."""
    checked = standing.checked
    if standing.status != "new" or checked.spec.search.validation is not None:
        return None
    if checked.splits >= ENOUGH_SPLITS:
        return None
    return (
        f"an interval over {counted(checked.splits, 'split')} is wide; search.cv = 5, or "
        "search.repeats, narrows it"
    )


def _flat(plan: dict[str, Any]) -> dict[str, Any]:
    data = plan["data"]
    kept = {key: value for key, value in plan.items() if key not in ("data", "space")}
    rows = {"train_rows": data.train_rows, "test_rows": data.test_rows}
    return {**kept, "data": data.name, **rows, "shape": list(data.shape)}


def _next(
    file: str, given: Mapping[str, Sequence[str | None]], standing: StudyStatus
) -> str | None:
    """Return the command that runs the study as it was checked, or shows what is done.

    None where every model that was tried failed: the study file is to be mended first.
    """
    if standing.hopeless:
        return None
    if not standing.done:
        return _words("run", file, given)
    return _words("show", standing.checked.spec.study.name, {"--storage": given["--storage"]})


def _words(command: str, what: str, given: Mapping[str, Sequence[str | None]]) -> str:
    """Return a command with the options that were given to this one, quoted for a shell."""
    options = [(name, value) for name, values in given.items() for value in values if value]
    return shlex.join(["sweep", command, what, *(word for pair in options for word in pair)])


def _drawn(standing: StudyStatus, command: str | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, text in _facts(standing).items():
        table.add_row(label, Text(text))
    then = "" if command is None else f"; next: {clean(command)}"
    return [table, Text(""), f"{standing.verdict()}{then}"]


def _facts(standing: StudyStatus) -> dict[str, str]:
    from sweep.analysis import of_class

    checked = standing.checked
    spec, data, plan = checked.spec, checked.data, checked.plan
    shape = " x ".join(str(side) for side in data.shape)
    rows = (
        f"{clean(data.name)}: {counted(data.train_rows, 'training row')}, "
        f"{data.test_rows:,} test, {shape}, {classes_of(data)}"
    )
    facts = {
        "study": f"{clean(spec.study.name)} {standing.note()}",
        "data": "\n".join([rows, *map(clean, checked.notes)]),
        "model": _model(spec),
        "search": f"{spec.search.method}, {_splitting(spec, checked.splits)}, "
        f"scored by {clean(of_class(spec.search.scoring, data.positive))}",
        "candidates": counted(plan.candidates, "candidate") + _sharing(checked),
        "fits": _fits(checked),
        "test set": standing.test_set(),
    }
    if checked.ruled_out:
        limit = f"{spec.search.max_parameters:,} parameters"
        facts["limit"] = f"{counted(checked.ruled_out, 'cell')} above {limit}: not trained"
    if checked.minutes is not None:
        workers = min(checked.workers, standing.left)
        most = "at most " if checked.at_most else ""
        facts["time"] = (
            f"{most}{spoken(checked.minutes * 60)} on {counted(workers, checked.device)}"
        )
    if (note := _width_note(standing)) is not None:
        facts["note"] = note
    if checked.warnings:
        failures = [f"a run would record this failure: {clean(each)}" for each in checked.warnings]
        facts["warning"] = "\n".join(failures)
    return facts


def _model(spec: StudySpec) -> str:
    held = [f"{clean(name)} = {setting(value)}" for name, value in spec.model.params.items()]
    return ", ".join([clean(spec.model.factory), *held])


def _splitting(spec: StudySpec, splits: int) -> str:
    if spec.search.validation is not None:
        return f"{spec.search.validation:.0%} of the training rows held out"
    if spec.search.repeats > 1:
        return f"{splits // spec.search.repeats}-fold cross-validation x {spec.search.repeats}"
    return f"{splits}-fold cross-validation"


def _sharing(checked: Check) -> str:
    cells = len(checked.plan.cells)
    if cells == checked.plan.candidates:
        return ""
    return f" in {counted(cells, 'cell')} (those that differ only in epochs share one)"


def _fits(checked: Check) -> str:
    cells, refit = len(checked.plan.cells), checked.spec.search.refit
    splits = counted(checked.splits, "split")
    if checked.spec.search.seeds > 1:
        splits += f" x {checked.spec.search.seeds} seeds"
    sum_ = f"{counted(cells, 'cell')} x {splits}" + (" + the winner" if refit else "")
    plain = checked.candidate_fits
    if checked.outer:
        sum_ += f", and as many in each of {counted(checked.outer, 'outer fold')}"
    saved = f"; a plain search would train {plain:,}" if plain > checked.fits else ""
    return f"{checked.fits:,} ({sum_}{saved})"
