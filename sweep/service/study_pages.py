"""The page of one study: how it stands, what leads, what went wrong, what one may do about it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from sweep.dashboard.app import REPORT_POLICY
from sweep.errors import LedgerError, SweepError
from sweep.report import text
from sweep.report.failures import failures
from sweep.report.report_data import report_data
from sweep.report.search import history
from sweep.service import changes
from sweep.service.access import Services, StudyName, identity_of, role
from sweep.service.acts import acts
from sweep.service.app import Service
from sweep.service.changes import Submitter
from sweep.service.drawing import DRAWING
from sweep.service.fragments import fragment, tag_of
from sweep.service.lists import row_of
from sweep.service.pages import page, root_of, seen
from sweep.service.problems import RefusedError
from sweep.service.states import queued
from sweep.study.answers import best as best_answers
from sweep.study.answers import leaderboard
from sweep.study.answers.opening import find_study
from sweep.support.file_names import slug
from sweep.support.text import places

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
TOP = 10
MOST_FAILURES, MOST_LINES, MOST_ACTS = 30, 60, 20
"""What the page lists at most; the report has all failures."""
ENDED = ("finished", "damaged")


@router.get("/studies/{key}", dependencies=[role("read")])
async def study(request: Request, service: Services, name: StudyName) -> Response:
    """Show a study."""
    question = ("study page", name, identity_of(request), root_of(request))
    made = await service.moment.soon(question, lambda: _page(request, service, name))
    return HTMLResponse(made)


@router.get("/fragments/studies/{key}", dependencies=[role("read")])
async def study_fragment(request: Request, service: Services, name: StudyName) -> Response:
    """Return what changes on the page of a study."""
    question, make = _state(request, service, name)
    return fragment(request, await service.moment.soon(question, make))


@router.get("/studies/{key}/report", dependencies=[role("read")])
def report(service: Services, name: StudyName) -> Response:
    """Return the report of a study, under a policy that keeps it away from the service."""
    html = service.answer(name, "report", lambda: _report(service, name))
    return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})


@router.post("/studies/{key}/{act}")
async def change(
    request: Request, service: Services, name: StudyName, who: Submitter, act: str,
    confirm: Annotated[str, Form()] = "", priority: Annotated[int, Form()] = 0,
) -> Response:  # fmt: skip
    """Stop, continue, retry, move or delete a study from its page."""
    known = {"continue": changes.go_on, "retry": changes.retry}
    if act in known:
        await known[act](request, service, name, who)
    elif act == "stop":
        await run_sync(changes.stop, request, service, name, who)
    elif act == "priority":
        await run_sync(changes.set_priority, request, service, name, who, priority)
    elif act == "delete":
        if confirm.strip() != name.strip():
            raise RefusedError(422, f"To delete the study, type its name: {name}")
        await run_sync(changes.delete, request, service, name, who)
        return seen(request, "/")
    else:
        raise RefusedError(404, f"A study cannot be asked to {act!r}.")
    return seen(request, f"/studies/{slug(name)}")


def _report(service: Service, name: str) -> str:
    from sweep.ledger.pictures import read_pictures
    from sweep.report.page import render

    record = queued(service, find_study(service.settings.storage, name).record)
    shown = read_pictures(service.settings.storage, name, record.uid)
    with DRAWING:
        return render(record, shown=shown)


def _page(request: Request, service: Service, name: str) -> str:
    number, state = (
        service.snapshot.copy.number,
        service.moment.get(*_state(request, service, name)),
    )
    return page(
        request, "study.html.j2", name=name, key=slug(name), number=number, state=state,
        tag=tag_of(state),
    )  # fmt: skip


def _state(request: Request, service: Service, name: str) -> tuple[Hashable, Callable[[], str]]:
    """Return what changes on the page of a study, as a question and who makes the answer."""
    question = ("study", name, identity_of(request), root_of(request))
    template = "study_state.html.j2"
    return question, lambda: page(request, template, **_values(request, service, name))


def _values(request: Request, service: Service, name: str) -> dict[str, Any]:
    who, overview = identity_of(request), service.snapshot.copy.by_name.get(name)
    if overview is None:
        raise RefusedError(404, f"the study {name!r} was deleted")
    row = row_of(service, overview)
    return {
        "name": name, "key": slug(name), "study": overview, "row": row,
        "own": who.may("admin") or (who.may("submit") and overview.owner == who.name),
        "going": row.state in ("running", "stopping", "finishing"), "open": row.state not in ENDED,
        "now": service.now(name), "lines": list(service.lines(name))[-MOST_LINES:],
        "acts": acts(service.reader, name, MOST_ACTS), "hosts": places(overview.hosts),
        "dashboard": find_spec("optuna_dashboard") is not None, **_held(service, name),
    }  # fmt: skip


def _held(service: Service, name: str) -> dict[str, Any]:
    try:
        return service.answer(name, "page", lambda: _read(service, name))
    except LedgerError as error:
        names = ("status", "board", "several", "best", "history", "failures", "winner")
        return {**dict.fromkeys(names), "error": str(error)}


def _read(service: Service, name: str) -> dict[str, Any]:
    """Return what the page says that takes reading the study."""
    storage = service.settings.storage
    found = find_study(storage, name)
    record = found.record = queued(service, found.record)
    best = None
    board = leaderboard.leaderboard(record, TOP)
    with suppress(SweepError):  # nothing has a score yet
        best = _plainly(best_answers.best_candidate(found, storage))
    with DRAWING:
        drawn = history(record)
    return {
        "board": board if board.leaders else None,
        "several": any(each.std is not None for each in board.leaders), "best": best, "error": "",
        "history": drawn and replace(drawn, data=None),
        "failures": _first(failures(report_data(record))),
        "status": board.status, "winner": record.winner is not None,
    }  # fmt: skip


def _plainly(best: best_answers.Best) -> dict[str, Any]:
    """Return what the headline says of the best candidate."""
    settings = text.settings(best.params, list(best.params))
    return {
        "mean_test_score": best.mean_test_score,
        "interval": best.interval,
        "settings": settings,
    }


def _first(table: Any) -> Any:
    """Return the first rows of a long table."""
    if table is None or len(table.rows) <= MOST_FAILURES:
        return table
    caption = f"{table.caption} The first {MOST_FAILURES}; the report has all."
    return replace(table, caption=caption, rows=table.rows[:MOST_FAILURES])
