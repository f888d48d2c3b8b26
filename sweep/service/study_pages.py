"""The page of one study: how it stands, what leads, what went wrong, what one may do about it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from sweep.dashboard.app import REPORT_POLICY
from sweep.errors import SweepError
from sweep.report.failures import failures
from sweep.report.report_data import report_data
from sweep.report.search import history
from sweep.service import changes
from sweep.service.access import Services, StudyName, identity_of, role
from sweep.service.app import Service
from sweep.service.changes import Submitter
from sweep.service.pages import page, seen
from sweep.service.problems import RefusedError
from sweep.study.answers import best as best_answers
from sweep.study.answers import leaderboard
from sweep.study.answers.opening import find_study
from sweep.support.file_names import slug

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
TOP = 10
GOING_ON = ("running", "waiting")
"""States of a study whose page keeps itself up to date."""


@router.get("/studies/{key}", dependencies=[role("read")])
def study(request: Request, service: Services, name: StudyName) -> str:
    """Show a study."""
    return page(request, "study.html.j2", **_values(request, service, name))


@router.get("/fragments/studies/{key}", dependencies=[role("read")])
def study_fragment(request: Request, service: Services, name: StudyName) -> str:
    """Return what changes on the page of a study."""
    return page(request, "study_state.html.j2", **_values(request, service, name))


@router.get("/studies/{key}/report", dependencies=[role("read")])
def report(service: Services, name: StudyName) -> Response:
    """Return the report of a study, under a policy that keeps it away from the service."""
    html = service.cache.get(name, "report", lambda: _report(service, name))
    return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})


@router.post("/studies/{key}/{act}")
def change(
    request: Request, service: Services, name: StudyName, who: Submitter, act: str,
    confirm: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Stop, continue, retry or delete a study from its page."""
    known = {"stop": changes.stop, "continue": changes.go_on, "retry": changes.retry}
    if act in known:
        known[act](request, service, name, who)
    elif act == "delete":
        if confirm != name:
            raise RefusedError(422, f"To delete the study, type its name: {name}")
        changes.delete(request, service, name, who)
        return seen(request, "/")
    else:
        raise RefusedError(404, f"A study cannot be asked to {act!r}.")
    return seen(request, f"/studies/{slug(name)}")


def _report(service: Service, name: str) -> str:
    from sweep.ledger.pictures import read_pictures
    from sweep.report.page import render

    record = find_study(service.settings.storage, name).record
    return render(record, shown=read_pictures(service.settings.storage, name, record.uid))


def _values(request: Request, service: Service, name: str) -> dict[str, Any]:
    who = identity_of(request)
    overview = service.snapshot.copy.by_name[name]
    own = who.may("admin") or (who.may("submit") and overview.owner == who.name)
    held = service.cache.get(name, "page", lambda: _read(service, name))
    return {
        "name": name, "key": slug(name), "study": overview, "own": own,
        "going": overview.status in GOING_ON, "number": service.snapshot.copy.number,
        "now": service.now(name), "lines": service.lines(name), **held,
    }  # fmt: skip


def _read(service: Service, name: str) -> dict[str, Any]:
    """Return what the page says that takes reading the study."""
    storage = service.settings.storage
    record = find_study(storage, name).record
    board = leaderboard.leaderboard(record, TOP)
    best = None
    with suppress(SweepError):  # nothing has a score yet
        best = best_answers.best_candidate(find_study(storage, name), storage)
    data = report_data(record)
    return {
        "board": board, "best": best, "history": history(record), "failures": failures(data),
        "status": board.status,
    }  # fmt: skip
