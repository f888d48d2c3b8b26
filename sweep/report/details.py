"""What stands behind the answer: model, errors by class, failures, data, how to repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.report import text
from sweep.report.answer import chosen
from sweep.report.blocks import Heat, HeatMap, Table, shades, table
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import StudyRecord

WIDTH = 72
MATRIX = 20
"""More classes than this are no matrix that a person reads; the recalls alone are shown."""


@dataclass(frozen=True)
class Repeat:
    """How to do it again: file name, file, command, and the settings for Python."""

    file: str
    source: str
    command: str
    python: str


def layers(record: StudyRecord) -> Table | None:
    """Return the layers of the chosen model, None where none is recorded."""
    candidate = chosen(record)
    held = record.winner.layers if record.winner else ()
    held = held or (candidate.trial.layers if candidate else ())
    if not held:
        return None
    rows = [(name, kind, shape, text.whole(count)) for name, kind, shape, count in held]
    total = sum(count for *_, count in held)
    rows.append(("total", "", "", text.whole(total)))
    whose = "winner" if record.winner else "best trial so far"
    caption = (
        f"{text.many(len(held), 'layer')} of the {whose}: output shape of one row, and weights."
    )
    return table(
        caption, {"layer": False, "kind": False, "output shape": False, "parameters": True}, rows
    )


def confusion(record: StudyRecord) -> HeatMap | None:
    """Return the confusion matrix of the test set, None where it is closed."""
    matrix = record.winner.confusion if record.winner else ()
    if not matrix:
        return None
    names = [text.clean(name) for name in _class_names(record, len(matrix))]
    columns = (*names, "recall") if len(matrix) <= MATRIX else ("right", "rows", "recall")
    rows = tuple((names[i], _class_row(row, i)) for i, row in enumerate(matrix))
    right, total = sum(row[i] for i, row in enumerate(matrix)), sum(map(sum, matrix))
    caption = (
        f"{total:,} test rows by true class (row) and predicted class (column); {right:,} on the "
        "diagonal are right. Shade: share of the row. Recall: share of a class that is found."
    )
    return HeatMap("confusion", "Confusion matrix", caption, "true", "predicted", columns, rows)


def failures(record: StudyRecord) -> Table | None:
    """Return the failed trials with their reasons, None where none failed."""
    failed = [t for t in record.trials if t.state == "FAIL"]
    order = parameter_names(record)
    rows = [(t.number, text.sentence(t.params, order), t.reason or "no reason") for t in failed]
    if not rows:
        return None
    caption = f"{len(rows):,} of {text.many(len(record.trials), 'trial')} failed."
    return table(caption, {"trial": True, "settings": False, "reason": False}, rows)


def cut_attempts(record: StudyRecord) -> str:
    """Say how many attempts were ended from outside, empty where none was."""
    count = sum(trial.state == "CUT" for trial in record.trials)
    attempts = "1 attempt was" if count == 1 else f"{count:,} attempts were"
    return f"{attempts} cut from outside and is no row of any table." if count else ""


def data_facts(record: StudyRecord) -> list[tuple[str, str]]:
    """Return what the study ran on."""
    data = record.data
    return [
        ("Data", text.clean(data.name)),
        ("Rows", f"{data.train_rows:,} for training, {data.test_rows:,} for the test"),
        ("Shape of a row", " × ".join(map(str, data.shape))),  # noqa: RUF001 - the sign of the field
        ("Fingerprint", text.clean(data.fingerprint)),
        ("Started", text.moment(record.created)),
    ]


def classes(record: StudyRecord) -> Table | None:
    """Return the classes with their training rows, None where they were not counted."""
    counts = record.data.class_counts
    if not counts:
        return None
    total, names = sum(counts), _class_names(record, len(counts))
    rows = [(n, f"{c:,}", f"{c / max(total, 1):.1%}") for n, c in zip(names, counts, strict=True)]
    caption = f"Classes ({len(counts)}) in {total:,} training rows."
    return table(caption, {"class": False, "rows": True, "share": True}, rows)


def environment(record: StudyRecord) -> Table:
    """Return versions and machine."""
    return table(
        "Where it ran.", {"what": False, "version": False}, list(record.environment.items())
    )


def repeat(record: StudyRecord) -> Repeat:
    """Return the study file, the command to repeat it, and the settings for Python."""
    file, candidate = f"{text.slug(record.name)}.toml", chosen(record)
    params = record.winner.params if record.winner else candidate.params if candidate else {}
    python = f"best = {_literal(params)}\nestimator.set_params(**best)" if params else ""
    return Repeat(file, text.visible(record.source), f"sweep run {file}", python)


def _literal(params: Mapping[str, Any]) -> str:
    """Return a dict as a person would type it: on one line, or one line an entry."""
    entries = [f"{name!r}: {value!r}" for name, value in params.items()]
    short = "{" + ", ".join(entries) + "}"
    if len(short) <= WIDTH:
        return short
    return "{\n" + "".join(f"    {entry},\n" for entry in entries) + "}"


def _class_names(record: StudyRecord, size: int) -> list[str]:
    names = list(record.data.classes[:size])
    return names + [str(n) for n in range(len(names), size)]


def _class_row(row: tuple[int, ...], label: int) -> tuple[Heat, ...]:
    total = sum(row)
    recall = Heat(f"{row[label] / total:.1%}" if total else text.NOTHING)
    if len(row) > MATRIX:
        return Heat(f"{row[label]:,}"), Heat(f"{total:,}"), recall
    shade = shades([0, total])
    cells = [
        Heat(
            f"{count:,}" if count else "·", shade=shade(count) if count else None, ringed=n == label
        )
        for n, count in enumerate(row)
    ]
    return (*cells, recall)
