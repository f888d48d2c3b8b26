"""``sweep best``: the settings to take, and how sure one may be."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.board import test_line
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import emit
from sweep.cli.text import clean, counted, score, setting, settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from sweep.ledger.records import Candidate, StudyRecord

RIVALS = 5


@click.command(short_help="Say which settings to take, and how sure.")
@study_argument
@format_option
@storage_option
def best(*, study: str, form: str, storage: str | None) -> None:
    """Say which settings to take, and how sure one may be.

    \b
    Example:
      sweep best digits-grid
      sweep best digits-grid --format json
    """
    result = opened(study, storage)
    answer = _answer(result.record, result.best, storage)
    params = answer["params"]
    row = {key: value for key, value in answer.items() if key not in ("params", "interval")}
    row["indistinguishable"] = len(answer["indistinguishable"])
    row |= {f"interval_{key}": value for key, value in (answer["interval"] or {}).items()}
    row |= {f"param_{name}": value for name, value in params.items()}
    emit(form, answer, [row], lambda: _drawn(result.record, result.best, answer))


def _answer(record: StudyRecord, chosen: Candidate, storage: str | None) -> dict[str, Any]:
    from dataclasses import asdict

    from sweep import selection
    from sweep.report.snippet import statements

    interval = selection.score_interval(record, chosen)
    return {
        "study": record.name,
        "status": record.status,
        "params": dict(chosen.params),
        "mean_test_score": selection.mean_score(chosen),
        "interval": asdict(interval) if interval else None,
        "mean_fit_time": selection.fit_seconds(chosen),
        "indistinguishable": [_plain(rival) for rival in selection.indistinguishable(record)],
        "test_score": record.winner.test_score if record.winner else None,
        "parameters": chosen.trial.parameters,
        "python": "; ".join(statements(record, chosen, storage)),
    }


def _plain(rival: Candidate) -> dict[str, Any]:
    from sweep import selection

    return {
        "candidate": rival.index,
        "params": dict(rival.params),
        "mean_test_score": selection.mean_score(rival),
        "mean_fit_time": selection.fit_seconds(rival),
        "parameters": rival.trial.parameters,
    }


def _drawn(
    record: StudyRecord, chosen: Candidate, answer: Mapping[str, Any]
) -> list[RenderableType]:
    from rich.text import Text

    params = [f"  {clean(name)} = {setting(value)}" for name, value in chosen.params.items()]
    rest = [*_certainty(answer), test_line(record)]
    unfinished = [] if record.status == "finished" else [f"so far: {record.status}"]
    head = [
        f"{clean(record.name)}: best {', '.join([score(answer['mean_test_score']), *unfinished])}"
    ]
    return [*map(Text, [*head, *params, *rest, "", "in Python:"]), f"  {clean(answer['python'])}"]


def _certainty(answer: Mapping[str, Any]) -> list[str]:
    held = answer["interval"]
    found = []
    if held:
        found.append(
            f"{held['level']:.0%} interval {score(held['low'])} to {score(held['high'])}\n"
            f"  {held['method']}"
        )
    return [*found, *_rivals(answer["indistinguishable"])]


def _rivals(rivals: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the cheapest candidates that may be as good."""
    if not rivals:
        return []
    shown = rivals[:RIVALS]
    which = "cheapest first" if len(rivals) <= RIVALS else f"the {RIVALS} cheapest"
    head = f"the data cannot tell {counted(len(rivals), 'other candidate')} from it; {which}:"
    return [head, *(f"  {_rival(each)}" for each in shown)]


def _rival(rival: Mapping[str, Any]) -> str:
    seconds = rival["mean_fit_time"]
    fit = f", fit {seconds:.1f} s" if isfinite(seconds) else ""
    return f"{score(rival['mean_test_score'])}{fit}: {settings(rival['params'])}"
