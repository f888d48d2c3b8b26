"""Section ``model``: its layers, its weights and its errors by class."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.answer import chosen
from sweep.report.blocks import Heat, HeatMap, Table, shades, table
from sweep.report.classes import class_names, shape_text
from sweep.support.layer import total_parameters
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData

MATRIX = 20
"""More classes than this are no matrix that a person reads; the recalls alone are shown."""


@dataclass(frozen=True)
class Model:
    """Layers and weights as tables, the confusion matrix of the test set."""

    layers: Table | None
    weights: Table | None
    confusion: HeatMap | None


def model(data: ReportData) -> Model | None:
    """Return the section; None where neither layers nor a confusion matrix are recorded."""
    record = data.record
    found = Model(layers(record), weights(record), confusion(record))
    return found if found.layers or found.confusion else None


def layers(record: StudyRecord) -> Table | None:
    """Return the layers of the chosen model, None where none is recorded."""
    candidate = chosen(record)
    refitted = record.winner.layers if record.winner else ()
    held = refitted or (candidate.trial.layers if candidate else ())
    if not held:
        return None
    rows = [(each.name, each.kind, each.output_shape, text.whole(each.parameters)) for each in held]
    total = total_parameters(held)
    rows.append(("total", "", "", text.whole(total)))
    whose = "winner" if record.winner else "best trial so far"
    caption = f"{counted(len(held), 'layer')} of the {whose}: output shape of one row, and weights."
    titles = {"layer": False, "kind": False, "output shape": False, "parameters": True}
    return table(caption, titles.items(), rows)


def weights(record: StudyRecord) -> Table | None:
    """Return names and shapes of the winner's weights, None where there is none."""
    held = record.winner.weights if record.winner else ()
    if not held:
        return None
    sizes = [(name, shape, prod(shape)) for name, shape in held]
    rows = [(name, shape_text(shape), text.whole(size)) for name, shape, size in sizes]
    caption = f"{counted(len(held), 'array')} of weights of the winner."
    return table(caption, {"weights": False, "shape": False, "numbers": True}.items(), rows)


def confusion(record: StudyRecord) -> HeatMap | None:
    """Return the confusion matrix of the test set, None where it is closed."""
    matrix = record.winner.confusion if record.winner else ()
    if not matrix:
        return None
    names = [text.clean(name) for name in class_names(record, len(matrix))]
    columns = (*names, "recall") if len(matrix) <= MATRIX else ("right", "rows", "recall")
    rows = tuple((names[i], _class_row(row, i)) for i, row in enumerate(matrix))
    if len(matrix) <= MATRIX:
        rows = (*rows, ("precision", _precision_row(matrix)))
    right, total = sum(row[i] for i, row in enumerate(matrix)), sum(map(sum, matrix))
    caption = (
        f"{total:,} test rows by true class (row) and predicted class (column); {right:,} on the "
        "diagonal are right. Shade: share of the row. Recall: share of a class that is found. "
        "Precision: share of a prediction that is right."
    )
    return HeatMap("confusion", "Confusion matrix", caption, "true", "predicted", columns, rows)


def _precision_row(matrix: tuple[tuple[int, ...], ...]) -> tuple[Heat, ...]:
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
