"""What stands behind the answer: model, errors by class, failures, data, how to repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from sweep.ledger.reading import latest_by_key
from sweep.report import text
from sweep.report.answer import chosen
from sweep.report.blocks import Heat, HeatMap, Table, shades, table
from sweep.report.python_code import lines, modules
from sweep.support.file_names import slug
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord

MATRIX = 20
"""More classes than this are no matrix that a person reads; the recalls alone are shown."""


@dataclass(frozen=True)
class Repeat:
    """How to do it again: file name, file, command, and Python that gives the model."""

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
    titles = {"layer": False, "kind": False, "output shape": False, "parameters": True}
    return table(caption, titles.items(), rows)


def weights(record: StudyRecord) -> Table | None:
    """Return names and shapes of the winner's weights, None where there is none."""
    held = record.winner.weights if record.winner else ()
    if not held:
        return None
    sizes = [(name, shape, prod(shape)) for name, shape in held]
    rows = [(name, _shape(shape), text.whole(size)) for name, shape, size in sizes]
    caption = f"{text.many(len(held), 'array')} of weights of the winner."
    return table(caption, {"weights": False, "shape": False, "numbers": True}.items(), rows)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "1"  # noqa: RUF001 - the sign of the field


def confusion(record: StudyRecord) -> HeatMap | None:
    """Return the confusion matrix of the test set, None where it is closed."""
    matrix = record.winner.confusion if record.winner else ()
    if not matrix:
        return None
    names = [text.clean(name) for name in _class_names(record, len(matrix))]
    columns = (*names, "recall") if len(matrix) <= MATRIX else ("right", "rows", "recall")
    rows = tuple((names[i], _class_row(row, i)) for i, row in enumerate(matrix))
    if len(matrix) <= MATRIX:
        rows = (*rows, ("precision", _precisions(matrix)))
    right, total = sum(row[i] for i, row in enumerate(matrix)), sum(map(sum, matrix))
    caption = (
        f"{total:,} test rows by true class (row) and predicted class (column); {right:,} on the "
        "diagonal are right. Shade: share of the row. Recall: share of a class that is found. "
        "Precision: share of a prediction that is right."
    )
    return HeatMap("confusion", "Confusion matrix", caption, "true", "predicted", columns, rows)


def failures(record: StudyRecord) -> Table | None:
    """Return the cells whose last attempt failed, with reasons; None where there are none."""
    failed = [t for t in latest_by_key(record.trials).values() if t.state == "FAIL"]
    order = parameter_names(record)
    rows = [
        (text.sentence(t.params, order) or "the fixed model", t.reason or "no reason")
        for t in failed
    ]
    if not rows:
        return None
    verb = "failed at its last attempt" if len(rows) == 1 else "failed at their last attempts"
    caption = f"{len(rows):,} of {text.many(record.planned, 'cell')} {verb}."
    return table(caption, {"settings": False, "reason": False}.items(), rows)


def past_limits(record: StudyRecord) -> Table | None:
    """Return the candidates that a constraint took out, with reasons; None where there are none."""
    taken = [c for c in record.candidates if c.trial.state in ("PRUNED", "INFEASIBLE")]
    order = parameter_names(record)
    rows = [
        (text.sentence(c.params, order) or "the fixed model", c.trial.reason)
        for c in taken
        if c.trial.reason
    ]
    if not rows:
        return None
    caption = f"{text.many(len(rows), 'candidate')} past a limit of the study, not ranked."
    return table(caption, {"settings": False, "reason": False}.items(), rows)


def cut_attempts(record: StudyRecord) -> str:
    """Say how many attempts were ended from outside, empty where none was."""
    count = sum(trial.state == "CUT" for trial in record.trials)
    if not count:
        return ""
    if count == 1:
        return (
            "1 attempt was cut from outside (an interrupted run, a lost worker); it is in no table."
        )
    return (
        f"{count:,} attempts were cut from outside (an interrupted run, a lost worker); they are "
        "in no table."
    )


def beyond_the_end(record: StudyRecord) -> str:
    """Say how many cells were evaluated beyond the end of the search, empty where none was."""
    count = len(record.beyond)
    if not count:
        return ""
    verb = "was" if count == 1 else "were"
    return (
        f"{text.many(count, 'cell')} beyond the end of the search {verb} evaluated too, by workers "
        "that did not know the end yet; nothing here counts them, and more patience takes them up."
    )


def data_facts(record: StudyRecord) -> list[tuple[str, str]]:
    """Return what the study ran on."""
    data = record.data
    return [
        ("Data", text.clean(data.name)),
        ("Rows", f"{data.train_rows:,} for training, {data.test_rows:,} for the test"),
        ("Shape of a row", _shape(data.shape)),
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
    return table(caption, {"class": False, "rows": True, "share": True}.items(), rows)


def environment(record: StudyRecord) -> Table:
    """Return versions and machine."""
    titles = {"what": False, "version": False}
    return table("Where it ran.", titles.items(), list(record.environment.items()))


def repeat(record: StudyRecord) -> Repeat:
    """Return the study file, the command to repeat it, and Python that gives the model."""
    file, candidate = f"{slug(record.name)}.toml", chosen(record)
    command = " ".join([f"sweep run {file}", *(f"--allow {m}" for m in modules(record.spec))])
    python = text.visible(lines(record, candidate)) if candidate else ""
    return Repeat(file, text.visible(record.source), command, python)


def _class_names(record: StudyRecord, size: int) -> list[str]:
    names = list(record.data.classes[:size])
    return names + [str(n) for n in range(len(names), size)]


def _precisions(matrix: tuple[tuple[int, ...], ...]) -> tuple[Heat, ...]:
    columns = list(zip(*matrix, strict=True))
    shares = [(column[i], sum(column)) for i, column in enumerate(columns)]
    cells = [Heat(f"{right / total:.1%}" if total else text.NOTHING) for right, total in shares]
    return (*cells, Heat(""))


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
