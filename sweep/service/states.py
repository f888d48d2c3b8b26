"""What a study is at, in the words of the service: its ledger, its queue and its workers together.

The ledger has the word "stopped" for a study of which cells wait and none runs. Here their turn
comes, so such a study runs or waits, unless somebody has stopped it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.ledger.overview import StudyOverview
    from sweep.ledger.records import StudyRecord
    from sweep.service.app import Service
    from sweep.service.queue import Standing

RECENT_SECONDS = 3.0


def state_of(service: Service, study: StudyOverview, queue: Standing) -> str:
    """Return what a study is at; one whose worker is between two cells is worked on."""
    state = queue.state(study)
    if state == "waiting" and (service.now(study.name) or _is_between_cells(study)):
        return "finishing" if study.status == "finished" else "running"
    return state


def status_of(service: Service, study: StudyOverview, queue: Standing) -> str:
    """Return a study's status; one that nobody has stopped runs or waits."""
    return state_of(service, study, queue) if study.status == "stopped" else study.status


def queued(service: Service, record: StudyRecord) -> StudyRecord:
    """Return a study that was read, with the status that the service says."""
    queue, study = service.queue(), service.snapshot.copy.by_name.get(record.name)
    if record.status != "stopped" or study is None or record.name in queue.stopped:
        return record
    at_work = state_of(service, study, queue) == "running"
    return replace(record, queued="running" if at_work else "waiting")


def _is_between_cells(study: StudyOverview) -> bool:
    """Return whether a worker has just ended a cell, and will take the next."""
    return study.done > 0 and study.last_sign is not None and study.last_sign < RECENT_SECONDS
