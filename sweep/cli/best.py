"""``sweep best``: the settings to take, and how sure one may be."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.leaderboard import natural_width, test_line
from sweep.cli.nested_text import nested_lines
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.text import clean, score, setting, settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from sweep.ledger.records import Candidate, StudyRecord

RIVALS = 5
TITLES = {"mean_test_score": "score"}
"""What columns of the Pareto set are called where people read it."""

CHOICES = {
    "best": "best",
    "one_standard_error": "cheapest within one standard error of the best,",
    "cheapest": "cheapest that cannot be told from the best,",
}


@click.command(short_help="Say which settings to take, and how sure.")
@study_argument
@click.option("--pareto", is_flag=True, help="List what no other beats in every objective.")
@format_option
@storage_option
def best(*, study: str, pareto: bool, form: str, storage: str | None) -> None:
    """Say which settings to take, and how sure one may be.

    \b
    Example:
      sweep best digits-grid
      sweep best digits-grid --format json
      sweep best digits-grid --pareto
    """
    result = opened(study, storage)
    if pareto:
        _emit_pareto(result.record, form)
        return
    answer = _answer(result.record, result.best, storage)
    params = answer["params"]
    row = {
        key: value for key, value in answer.items() if key not in ("params", "interval", "nested")
    }
    row["indistinguishable"] = len(answer["indistinguishable"])
    row["nested_score"] = answer["nested"]["score"] if answer["nested"] else None
    row |= {f"interval_{key}": value for key, value in (answer["interval"] or {}).items()}
    row |= {f"param_{name}": value for name, value in params.items()}
    emit(form, answer, [row], lambda: _drawn(result.record, result.best, answer))


def _emit_pareto(record: StudyRecord, form: str) -> None:
    from sweep.tables import parameter_names, pareto, plain_rows

    frame = pareto(record).rename(columns=lambda name: name.removeprefix("param_"))
    rows, names = plain_rows(frame), parameter_names(record)
    emit(form, {"study": record.name, "pareto": rows}, rows, lambda: [_pareto(rows, names)])


def _pareto(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Draw the set: parameters in a column each where that fits, else together in one."""
    spread = _table(rows)
    if natural_width(spread) <= console().width:
        return spread
    folded = [
        {
            "candidate": row["candidate"],
            "settings": settings({n: row[n] for n in names if row[n] is not None}, " "),
            **{name: value for name, value in row.items() if name not in ("candidate", *names)},
        }
        for row in rows
    ]
    return _table(folded, "settings")


def _table(rows: Sequence[Mapping[str, Any]], folds: str = "") -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in rows[0] if rows else ():
        fixed, head = name != folds, TITLES.get(name, name)
        table.add_column(Text(clean(head)), no_wrap=fixed, overflow="fold")
    for row in rows:
        table.add_row(*(Text(setting(value)) for value in row.values()))
    return table


def _answer(record: StudyRecord, chosen: Candidate, storage: str | None) -> dict[str, Any]:
    from dataclasses import asdict

    from sweep import analysis
    from sweep.analysis.nested import plain_nested
    from sweep.report.python_code import statements

    interval, compared = analysis.score_interval(record, chosen), analysis.compare(record)
    alike = sorted(compared.alike, key=analysis.cost) if compared else []
    return {
        "study": record.name,
        "status": record.status,
        "params": dict(chosen.params),
        "mean_test_score": analysis.mean_score(chosen),
        "interval": asdict(interval) if interval else None,
        "choose": analysis.rule(record),
        "nested": plain_nested(record),
        "mean_fit_time": analysis.fit_seconds(chosen),
        "level": compared.level if compared else None,
        "alike": len(alike),
        "indistinguishable": [_plain(c) for c in alike if c is not chosen],
        "cheapest": dict(compared.cheapest.params) if compared else None,
        "test_score": analysis.test_score(record, chosen),
        "parameters": chosen.trial.parameters,
        "python": "; ".join(statements(record, chosen, storage)),
    }


def _plain(rival: Candidate) -> dict[str, Any]:
    from sweep import analysis

    return {
        "candidate": rival.index,
        "params": dict(rival.params),
        "mean_test_score": analysis.mean_score(rival),
        "mean_fit_time": analysis.fit_seconds(rival),
        "parameters": rival.trial.parameters,
    }


def _drawn(
    record: StudyRecord, chosen: Candidate, answer: Mapping[str, Any]
) -> list[RenderableType]:
    from rich.text import Text

    params = [f"  {clean(name)} = {setting(value)}" for name, value in chosen.params.items()]
    rest = [*_certainty(answer, _no_interval(record, chosen)), test_line(record)]
    unfinished = [] if record.status == "finished" else [f"so far: {record.status}"]
    said = ", ".join([score(answer["mean_test_score"]), *unfinished])
    head = [f"{clean(record.name)}: {CHOICES[answer['choose']]} {said}"]
    return [*map(Text, [*head, *params, *rest, "", "in Python:"]), f"  {clean(answer['python'])}"]


def _no_interval(record: StudyRecord, chosen: Candidate) -> str:
    from sweep.analysis import no_interval, split_scores

    return no_interval(record, split_scores(chosen))


def _certainty(answer: Mapping[str, Any], why_none: str) -> list[str]:
    held = answer["interval"]
    found = [] if held else [why_none]
    if held:
        found.append(
            f"{held['level']:.0%} interval {score(held['low'])} to {score(held['high'])}\n"
            f"  {held['method']}"
        )
    return [*found, *nested_lines(answer["nested"]), *_rivals(answer)]


def _rivals(answer: Mapping[str, Any]) -> list[str]:
    """Name the cheapest candidates that may be as good."""
    rivals = answer["indistinguishable"]
    if answer["alike"] < 2:
        return []
    which = "the others" if len(rivals) <= RIVALS else f"the {RIVALS} cheapest of the others"
    count, level = answer["alike"], f"{answer['level']:.0%}"
    return [
        f"these {count} configurations cannot be told from the best at {level}, compared at once;",
        f"  the cheapest of them is {settings(answer['cheapest'])}",
        f"{which}, cheapest first:",
        *(f"  {_rival(each)}" for each in rivals[:RIVALS]),
    ]


def _rival(rival: Mapping[str, Any]) -> str:
    seconds = rival["mean_fit_time"]
    fit = f", fit {seconds:.1f} s" if isfinite(seconds) else ""
    return f"{score(rival['mean_test_score'])}{fit}: {settings(rival['params'])}"
