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
from sweep.cli.plan_text import rungs, status_note, test_set, tried_words, verdict
from sweep.cli.server_options import refuse_at_server, server_at, server_option
from sweep.cli.text import classes_of, clean, setting, spoken
from sweep.support.tensorflow_loading import without_noise
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from sweep.client.address import ServerAddress
    from sweep.spec import StudySpec
    from sweep.spec.problems import Problem
    from sweep.study import Check
    from sweep.study.answers.plan import StudyPlan


@click.command(short_help="Check a study: its plan, time and problems.")
@file_argument
@set_option
@name_option
@click.option("--probe/--no-probe", default=True, help="Train a moment to estimate the time.")
@allow_option
@data_home_option
@format_option
@storage_option
@server_option
def check(
    *, file: str, changes: tuple[str, ...], name: str | None, probe: bool,
    allow: tuple[str, ...], data_home: Path | None, form: str, storage: str | None,
    server: ServerAddress | None,
) -> None:  # fmt: skip
    """Check a study before it runs: its plan, its time, and what stands in the way.

    Every problem of the file is named at once, with its line.

    \b
    Example:
      sweep check study.toml
      sweep check digits-grid --set search.cv=5 --no-probe
    """
    reason = "the code and the data that a study may load are decided by"
    refuse_at_server(server, reason, allow=allow, data_home=data_home)
    spec = read_spec(file, changes, name, None if server else allow)
    home = None if data_home is None else str(data_home)
    if probe and form == "table":
        _probing()
    if server is not None:
        plan = server_at(server).plan(spec, probe=probe, label=file)
    else:
        plan = _planned(spec, storage, home, allow, probe=probe)
    given = {
        "--set": changes, "--name": (name,), "--allow": allow, "--data-home": (home,),
        "--storage": (storage,), "--server": (_given_server(),),
    }  # fmt: skip
    step = _next(file, given, plan, "run" if server is None else "submit")
    from sweep.study.answers.plan import plain_plan

    plain = {**plain_plan(plan), "next": step}
    emit(form, plain, [_flat(plain)], lambda: _drawn(plan, step))
    if plan.checked.models.failed:
        click.get_current_context().exit(1)


def _planned(
    spec: StudySpec, storage: str | None, home: str | None, allow: tuple[str, ...], *, probe: bool
) -> StudyPlan:
    from sweep.study.answers.plan import known_study, plan_study

    known = known_study(storage, spec)
    with without_noise() if probe else nullcontext():
        return plan_study(storage, spec, known, data_home=home, allow=allowed(allow), probe=probe)


def _given_server() -> str | None:
    """Return the address that was given on the command line; None where it is the environment's."""
    from click.core import ParameterSource

    ctx = click.get_current_context()
    given = ctx.get_parameter_source("server") == ParameterSource.COMMANDLINE
    return ctx.params["server"].url if given else None


def read_spec(
    file: str, changes: tuple[str, ...], name: str | None, allow: tuple[str, ...] | None
) -> StudySpec:
    """Read a study file with the changes of ``--set`` and ``--name`` worked in.

    Where the file has problems, those of the code that it names are told with them; with None for
    ``allow`` no code is loaded.
    """
    import json

    from sweep.spec import load_study

    def of_code(raw: Mapping[str, Any], folder: Path | None) -> Sequence[Problem]:
        from sweep.evaluation.estimator import problems_of_names

        return [] if allow is None else problems_of_names(raw, folder, allow=allowed(allow))

    named = [] if name is None else [f"study.name={json.dumps(name, ensure_ascii=False)}"]
    return load_study(file, set_=[*changes, *named], of_code=of_code)


def _probing() -> None:
    err = console(err=True)
    if err.is_terminal:
        err.print("training for a moment to estimate the time ...", style="dim")


def _flat(plain: dict[str, Any]) -> dict[str, Any]:
    data = plain["data"]
    kept = {key: value for key, value in plain.items() if key not in ("data", "space")}
    rows = {"train_rows": data.train_rows, "test_rows": data.test_rows}
    return {**kept, "data": data.name, **rows, "shape": list(data.shape)}


def _next(
    file: str, given: Mapping[str, Sequence[str | None]], plan: StudyPlan, command: str
) -> str | None:
    """Return the command that runs the study as it was checked, or shows what is done.

    None where every model that was tried failed: the study file is to be mended first.
    """
    if plan.hopeless:
        return None
    if not plan.done:
        return _words(command, file, given)
    place = {option: given[option] for option in ("--storage", "--server")}
    return _words("show", plan.checked.spec.study.name, place)


def _words(command: str, what: str, given: Mapping[str, Sequence[str | None]]) -> str:
    """Return a command with the options that were given to this one, quoted for a shell."""
    options = [(name, value) for name, values in given.items() for value in values if value]
    return shlex.join(["sweep", command, what, *(word for pair in options for word in pair)])


def _drawn(plan: StudyPlan, command: str | None) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, text in _facts(plan).items():
        table.add_row(label, Text(text))
    then = "" if command is None else f"; next: {clean(command)}"
    return [table, Text(""), f"{verdict(plan)}{then}"]


def _facts(study: StudyPlan) -> dict[str, str]:
    checked = study.checked
    spec, data, plan = checked.spec, checked.data, checked.plan
    shape = " x ".join(str(side) for side in data.shape)
    rows = (
        f"{clean(data.name)}: {counted(data.train_rows, 'training row')}, "
        f"{data.test_rows:,} test, {shape}, {classes_of(data)}"
    )
    facts = {
        "study": f"{clean(spec.study.name)} {status_note(study)}",
        "data": "\n".join([rows, *map(clean, checked.notes)]),
        "model": _model(spec),
        "search": f"{spec.search.method}, {_splitting(spec, checked.splits)}, "
        f"scored by {clean(study.scored_by)}",
        "candidates": counted(plan.candidates, "candidate") + _sharing(checked),
        "fits": _fits(checked),
        "test set": test_set(study),
    }
    if checked.brackets is not None:
        facts["rungs"] = rungs(checked.brackets)
    if checked.ruled_out:
        limit = f"{spec.search.max_parameters:,} parameters"
        facts["limit"] = f"{counted(checked.ruled_out, 'cell')} above {limit}: not trained"
    if checked.minutes is not None:
        workers = min(checked.workers, study.left)
        most = "at most " if checked.at_most else ""
        facts["time"] = (
            f"{most}{spoken(checked.minutes * 60)} on {counted(workers, checked.device)}"
        )
    if checked.models.tried:
        facts["models"] = tried_words(study)
    if study.note is not None:
        facts["note"] = study.note
    if checked.models.warnings:
        failures = [
            f"a run would record this failure: {clean(each)}" for each in checked.models.warnings
        ]
        facts["warning"] = "\n".join(failures)
    return facts


def _model(spec: StudySpec) -> str:
    held = [f"{clean(name)} = {setting(value)}" for name, value in spec.model.params.items()]
    return ", ".join([clean(spec.model.code), *held])


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
