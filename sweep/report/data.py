"""Section ``data``: what the study ran on, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.report.classes import class_names, shape_text

if TYPE_CHECKING:
    from sweep.ledger.outcomes import ImportRecord
    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData


@dataclass(frozen=True)
class Data:
    """Facts on the data, rows of each class, versions and machine."""

    facts: list[tuple[str, str]]
    classes: Table | None
    environment: Table


def data(report: ReportData) -> Data:
    """Return the section."""
    record = report.record
    return Data(data_facts(record), classes(record), environment(record))


def data_facts(record: StudyRecord) -> list[tuple[str, str]]:
    """Return what the study ran on."""
    data = record.data
    if record.imported is not None:
        return _imported_facts(record, record.imported)
    return [
        ("Data", text.clean(data.name)),
        ("Rows", f"{data.train_rows:,} for training, {data.test_rows:,} for the test"),
        ("Shape of a row", shape_text(data.shape)),
        *(("Read", text.clean(note)) for note in data.notes),
        ("Fingerprint", text.clean(data.fingerprint)),
        ("Started", text.moment(record.created)),
    ]


def _imported_facts(record: StudyRecord, imported: ImportRecord) -> list[tuple[str, str]]:
    """Return where an imported study comes from, and what is known of its data."""
    data = record.data
    rows = [("Rows", f"{data.train_rows:,}"), ("Shape of a row", shape_text(data.shape))]
    return [
        ("Imported from", text.clean(imported.origin)),
        *(("Note", text.clean(note)) for note in imported.notes),
        *(rows if data.train_rows else [("Data", "not known")]),
        ("Imported", text.moment(record.created)),
    ]


def classes(record: StudyRecord) -> Table | None:
    """Return the classes with their training rows, None where they were not counted."""
    counts = record.data.class_counts
    if not counts:
        return None
    total, names = sum(counts), class_names(record, len(counts))
    rows = [(n, f"{c:,}", f"{c / max(total, 1):.1%}") for n, c in zip(names, counts, strict=True)]
    caption = f"Classes ({len(counts)}) in {total:,} training rows."
    return table(caption, {"class": False, "rows": True, "share": True}.items(), rows)


def environment(record: StudyRecord) -> Table:
    """Return versions and machine."""
    titles = {"what": False, "version": False}
    return table("Where it ran.", titles.items(), list(record.environment.items()))
