"""Section ``repeat``: how to run the study again, and how to get its model in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.answer import chosen
from sweep.report.python_code import lines, modules
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from sweep.report.report_data import ReportData


@dataclass(frozen=True)
class Repeat:
    """File name, study file, command, Python that gives the model, and whether it is refitted."""

    file: str
    source: str
    command: str
    python: str
    refitted: bool


def repeat(data: ReportData) -> Repeat | None:
    """Return the study file, the command to repeat it, and Python that gives the model.

    None for an imported study, which only the tool that ran it can repeat.
    """
    record = data.record
    if record.imported is not None:
        return None
    file, candidate = f"{slug(record.name)}.toml", chosen(record)
    command = " ".join([f"sweep run {file}", *(f"--allow {m}" for m in modules(record.settings))])
    python = text.visible(lines(record, candidate)) if candidate else ""
    return Repeat(file, text.visible(record.source), command, python, record.winner is not None)
