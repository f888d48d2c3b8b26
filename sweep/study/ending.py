"""What a run still does for a study whose search it has ended, or left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sweep.analysis import idle_records, importances
from sweep.ledger.reading import read_study
from sweep.storage.locks import one_at_a_time
from sweep.study.own_sections import compute_sections, own_sections

if TYPE_CHECKING:
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.runner.progress import Watcher
    from sweep.spec import StudySpec
    from sweep.workers.job import Job


def add_importances(ledger: Ledger, record: StudyRecord) -> StudyRecord:
    """Compute the importances of a study that has ended, unless the ledger holds them."""
    if importances.is_current(record):
        return record
    with one_at_a_time(ledger, record.name, "importances"):
        record = read_study(ledger, record.name)  # another process may have computed them
        if importances.is_current(record):
            return record
        found = importances.importances(record)
        ledger.set_importances(record.name, found)
    return replace(record, importances=found)


def add_idle(ledger: Ledger, record: StudyRecord) -> StudyRecord:
    """Record which parameters of the user's factory changed nothing, for answers in short."""
    found = idle_records(record)
    if found == record.idle:
        return record
    ledger.set_idle(record.name, found)
    return replace(record, idle=found)


def add_own_sections(
    ledger: Ledger, spec: StudySpec, record: StudyRecord, job: Job, watcher: Watcher
) -> StudyRecord:
    """Compute the user's own sections of the report, if the study names any."""
    if not own_sections(spec):
        return record
    found = compute_sections(spec, record, job.allow)
    for section in found:
        if section.reason:
            watcher.say(f"section {section.reference} is left out: {section.reason}")
    ledger.set_sections(record.name, found)
    return replace(record, sections=found)


def leave_stopped(ledger: Ledger, record: StudyRecord) -> None:
    """Stop a study whose time is up and of which no cell runs: more time is a person's decision."""
    if record.status in ("stopped", "waiting"):
        ledger.stop(record.name, datetime.now().astimezone().isoformat(timespec="milliseconds"))
