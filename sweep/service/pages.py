"""What all pages share: templates, style, the way in and out; and the list of studies."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from sweep.report import text
from sweep.report.page import page_resources
from sweep.service.access import identity_of, role, service_of
from sweep.service.acts import acts
from sweep.service.fragments import fragment, tag_of
from sweep.service.lists import listed
from sweep.service.problems import Refusal, RefusedError
from sweep.service.sessions import COOKIE, SECONDS
from sweep.support.file_names import slug

Find = Annotated[str, Query(max_length=200)]
Page = Annotated[int, Query(ge=1, alias="page")]
MINUTE, HOUR, DAY = 60, 3600, 86400
NOW_SECONDS = 8
"""Workers give a sign of life at least so often."""
TITLES = {403: "Not allowed", 404: "Not found", 422: "This cannot be done"}
"""What pages call a refusal that the standard names oddly."""
STUDY = re.compile(r"/studies/[^/]+")
KEPT = {"cache-control": "private, max-age=300"}
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@cache
def environment() -> Any:
    """Return the templates of the service and of reports; every text in them is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FunctionLoader(_template), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["own"] = Markup  # only for drawings of sweep.figures, and parts of pages
    made.filters |= {
        "clean": text.clean, "moment": text.moment, "score": text.score, "key": slug,
        "visible": text.visible, "duration": duration, "ago": ago, "cell": text.cell,
        "settings": lambda params: text.settings_line(params, list(params)),
    }  # fmt: skip
    return made


def _template(name: str) -> str:
    own = resources.files("sweep.service") / "templates" / name
    place = own if own.is_file() else resources.files("sweep.report") / name
    return place.read_text("utf-8")


def page(request: Request, template: str, **values: Any) -> str:
    """Return a page: a template with what every page shows beside its own values."""
    who = request.scope.get("state", {}).get("identity")
    made = environment().get_template(template)
    root = root_of(request)
    here = request.url.path.removeprefix(root) or "/"
    return str(made.render(who=who, root=root, here=here, **values))


def root_of(request: Request) -> str:
    """Return the path under which a proxy shows the service; empty for none."""
    return str(request.scope.get("root_path", ""))


def seen(request: Request, path: str) -> RedirectResponse:
    """Return the answer to a form: go on to another page."""
    return RedirectResponse(f"{root_of(request)}{path}", 303)


def refusal_page(request: Request, refusal: Refusal) -> str:
    """Return the page of a refusal; without a token, the way in."""
    title = TITLES.get(refusal.status, HTTPStatus(refusal.status).phrase)
    template = "login.html.j2" if refusal.status == HTTPStatus.UNAUTHORIZED else "refused.html.j2"
    back = STUDY.match(request.url.path.removeprefix(root_of(request)))
    return page(
        request, template, title=title, detail=refusal.detail, problems=refusal.problems,
        back=back[0] if back and refusal.status != HTTPStatus.NOT_FOUND else "",
    )  # fmt: skip


def duration(seconds: float) -> str:
    """Return a time that is left, or was spent: no finer than it is known."""
    if seconds < MINUTE:
        return f"{round(seconds)} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{round(seconds / DAY)} days"


def ago(seconds: float | None) -> str:
    """Return how long ago something was; a dash where that is not known."""
    if seconds is None:
        return text.NOTHING
    return "now" if seconds < NOW_SECONDS else f"{duration(seconds)} ago"


@router.get("/static/style.css")
def style() -> Response:
    """Return the style: the report's, and what the service's pages add."""
    own = (resources.files("sweep.service") / "static" / "service.css").read_text("utf-8")
    return Response(page_resources()["css"] + own, media_type="text/css", headers=KEPT)


@router.get("/health")
async def health() -> Response:
    """Say that the server is there; nothing else, for nobody is asked who they are."""
    return Response(status_code=204)


@router.get("/")
async def home(request: Request, token: str = "", q: Find = "", number: Page = 1) -> Response:
    """Show the studies; with a token in the address, log in first."""
    if token:
        return await run_sync(_log_in, request, token)
    question = ("home", identity_of(request), root_of(request), q, number)
    made = await service_of(request).moment.soon(question, lambda: _home(request, q, number))
    return HTMLResponse(made)


@router.get("/fragments/studies", dependencies=[role("read")])
async def studies_fragment(request: Request, q: Find = "", number: Page = 1) -> Response:
    """Return the list of studies alone, for a page that keeps itself up to date."""
    question, make = _table(request, q, number)
    return fragment(request, await service_of(request).moment.soon(question, make))


@router.post("/login")
def log_in(request: Request, token: Annotated[str, Form()] = "") -> Response:
    """Begin a session with a token."""
    return _log_in(request, token)


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    answer = seen(request, "/")
    answer.delete_cookie(COOKIE, path=root_of(request) or "/")
    return answer


@router.get("/acts", dependencies=[role("admin")])
def changes(request: Request) -> str:
    """Show who did what."""
    return page(request, "acts.html.j2", acts=acts(service_of(request).reader))


def _log_in(request: Request, token: str) -> Response:
    service = service_of(request)
    who = service.tokens.identify(token.strip())
    if who is None:
        raise RefusedError(401, "This token is not known here, or was revoked.")
    answer = seen(request, "/")
    answer.set_cookie(
        COOKIE, service.sessions.cookie(who.token_id), max_age=SECONDS,
        path=root_of(request) or "/", httponly=True, samesite="strict",
        secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
    )  # fmt: skip
    return answer


def _listed(request: Request, q: str, number: int) -> dict[str, Any]:
    service = service_of(request)
    return service.moment.get(("listed", q, number), lambda: listed(service, q, number))


def _home(request: Request, q: str, number: int) -> str:
    values = _listed(request, q, number)
    table = service_of(request).moment.get(*_table(request, q, number))
    return page(request, "studies.html.j2", **values, table=table, tag=tag_of(table))


def _table(request: Request, q: str, number: int) -> tuple[Hashable, Callable[[], str]]:
    """Return the table of studies, as a question and who makes the answer."""
    question = ("table", identity_of(request), root_of(request), q, number)
    template = "studies_table.html.j2"
    return question, lambda: page(request, template, **_listed(request, q, number))
