"""``/api/v1``: what runs now of one study; whoever watches it waits here for the next change."""

from __future__ import annotations

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from starlette.responses import Response

from sweep.ledger.overview import StudyOverview
from sweep.service.access import Services, StudyName, role
from sweep.service.api import as_json
from sweep.service.app import Service
from sweep.service.problems import RefusedError
from sweep.storage.attributes import TURN

router = APIRouter(prefix="/api/v1", tags=["read"], dependencies=[role("read")])
LONGEST_WAIT = 10.0


@router.get("/studies/{key}/now")
async def now(
    service: Services,
    name: StudyName,
    after: int = -1,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0.0,
) -> Response:
    """Say what the workers of this machine do for a study, and how the study stands.

    With ``after``, the ``number`` of an earlier answer, the answer waits for a change, ``wait``
    seconds at most.
    """
    if wait:
        await service.snapshot.changed(after, wait)
    return as_json(await run_sync(_now, service, name))


def _now(service: Service, name: str) -> dict[str, Any]:
    copy = service.snapshot.refresh()
    study = copy.by_name.get(name)
    if study is None:
        raise RefusedError(404, f"the study {name!r} has been deleted")
    running = {key: value for key, value in service.now(name).items() if key != "event"}
    stopped = study.status != "running" and service.reader.stopped(name) is not None
    return {
        **running, "study": name, "number": copy.number, "status": service.status(study),
        "stopped": stopped, "left": study.left, "finishing": _finishing(service, study),
        "standing": {
            "done": study.done, "planned": study.planned, "failed": study.failed,
            "best": study.best,
        },
    }  # fmt: skip


def _finishing(service: Service, study: StudyOverview) -> bool:
    """Return whether parts of it run, or a process says that it refits a winner; it may be dead."""
    from sweep.storage import turns

    ledger, names = service.reader, [study.name]
    if study.left in ("outer folds", "repeats"):
        if service.queue().state(study) == "finishing":
            return True
        names += ledger.parts(study.name)
    with ledger.translated():
        ids = [ledger.study_id(name) for name in names]
        return any(turns.read(ledger.storage, each, f"{TURN}finish") is not None for each in ids)
