"""``sweep best``: the settings to take, and how sure one may be."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.leaderboard import natural_width, test_line
from sweep.cli.nested_text import nested_lines
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.server_options import server_option
from sweep.cli.settled_text import settled_lines
from sweep.cli.text import clean, other_scores, score, setting, settings
from sweep.support.text import counted, difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from sweep.client.address import ServerAddress
    from sweep.ledger.records import StudyRecord
    from sweep.study.answers.best import Best, ParetoSet, Rival

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
@server_option
def best(
    *, study: str, pareto: bool, form: str, storage: str | None, server: ServerAddress | None
) -> None:
    """Say which settings to take, and how sure one may be.

    \b
    Example:
      sweep best digits-grid
      sweep best digits-grid --format json
      sweep best digits-grid --pareto
    """
    from sweep.study.answers.best import best_candidate

    result = opened(study, storage, server=server)
    if pareto:
        _emit_pareto(result.record, form)
        return
    emit_best(best_candidate(result, storage, server.url if server else None), form)


def emit_best(best: Best, form: str) -> None:
    """Print the chosen candidate in the asked form."""
    from sweep.study.answers.best import plain_best

    answer = plain_best(best)
    emit(form, answer, [_flat(answer)], lambda: drawn(best))


def _flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as a line of a table of text."""
    held = ("params", "interval", "nested", "settled")
    row = {key: value for key, value in answer.items() if key not in held}
    row["indistinguishable"] = len(answer["indistinguishable"])
    row["settled"] = answer["settled"]["text"] if answer["settled"] else None
    row["nested_score"] = answer["nested"]["score"] if answer["nested"] else None
    row |= {f"interval_{key}": value for key, value in (answer["interval"] or {}).items()}
    return row | {f"param_{name}": value for name, value in answer["params"].items()}


def _emit_pareto(record: StudyRecord, form: str) -> None:
    from sweep.study.answers.best import pareto_set, plain_pareto

    found = pareto_set(record)
    emit(form, plain_pareto(found), found.rows, lambda: [_pareto(found)])


def _pareto(found: ParetoSet) -> Table:
    """Draw the set: parameters in a column each where that fits, else together in one."""
    rows, names = found.rows, found.parameters
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


def drawn(best: Best) -> list[RenderableType]:
    """Return the chosen candidate, ready to print."""
    from rich.text import Text

    params = [f"  {clean(name)} = {setting(value)}" for name, value in best.params.items()]
    rest = [*_certainty(best), test_line(best.winner_test)]
    unfinished = [] if best.status == "finished" else [f"so far: {best.status}"]
    said = ", ".join([score(best.mean_test_score), *unfinished])
    current = best.settled is not None and best.settled["current"]
    chosen = CHOICES[best.choose] if not current else "taken, by further repeats,"
    head = [f"{clean(best.study)}: {chosen} {said}{other_scores(best.others)}"]
    remedy = " (`sweep settle`)" if best.python else ""  # none of a study of another tool's
    few = [f"{best.outlook}{remedy}"] if best.outlook else []
    lines = map(Text, [*few, *head, *params, *rest])
    if not best.python:
        return list(lines)
    return [*lines, Text(""), Text("in Python:"), f"  {clean(best.python)}"]


def _certainty(best: Best) -> list[str]:
    held = best.interval
    found = [] if held else [best.no_interval]
    if held:
        found.append(
            f"{held.level:.0%} interval {score(held.low)} to {score(held.high)}\n  {held.method}"
        )
    told = settled_lines(best.settled)
    current = best.settled is not None and best.settled["current"]
    return [*found, *nested_lines(best.nested), *told, *([] if current else _rivals(best))]


def _rivals(best: Best) -> list[str]:
    """Name the cheapest candidates that may be as good."""
    rivals = best.indistinguishable
    if best.alike < 2 or best.cheapest is None:
        return []
    which = "the others" if len(rivals) <= RIVALS else f"the {RIVALS} cheapest of the others"
    alike = f"these {best.alike} configurations cannot be told from the best at {best.level:.0%}"
    return [
        f"{alike}, compared at once;",
        f"  the cheapest of them is {settings(best.cheapest)}",
        f"{which}, cheapest first:",
        *(f"  {_rival(each)}" for each in rivals[:RIVALS]),
    ]


def _rival(rival: Rival) -> str:
    """Return a candidate's score and settings, and on a second line what it costs."""
    behind = difference(rival.behind_low, rival.behind_best, rival.behind_high)
    found = f"{score(rival.mean_test_score)}, behind by {behind}: {settings(rival.params)}"
    return "\n      ".join([found, *filter(None, [_cost(rival)])])


def _cost(rival: Rival) -> str:
    counts = ((rival.parameters, "weight"), (rival.multiply_adds, "multiply-add"))
    told = [counted(count, word) for count, word in counts if count is not None]
    seconds = rival.mean_fit_time
    return ", ".join([*told, *([f"fit {seconds:.1f} s"] if isfinite(seconds) else [])])
