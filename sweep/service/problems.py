"""Answers that are no: for programs as ``application/problem+json``, for people as a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

API = "/api/"
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Refusal:
    """An answer that is no: its HTTP status, the reason, headers."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[Mapping[str, Any]] = ()


class RefusedError(Exception):
    """Raised in a route: the answer is no."""

    def __init__(
        self, status: int, detail: str, problems: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.refusal = Refusal(status, detail, problems=problems)
        super().__init__(detail)


def refusal_response(request: Request, refusal: Refusal) -> Response:
    """Return a refusal in the form that the sender reads: a page for a browser, else JSON."""
    headers = dict(refusal.headers)
    if wants_page(request):
        from sweep.service.pages import refusal_page

        page = refusal_page(request, refusal)
        return HTMLResponse(page, refusal.status, headers)
    body = {
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        **({"problems": list(refusal.problems)} if refusal.problems else {}),
    }
    return Response(json.dumps(body), refusal.status, headers, PROBLEM_TYPE)


def wants_page(request: Request) -> bool:
    """Return whether a person in a browser asks: not for the API, and for HTML."""
    path = request.url.path
    return API not in path and "text/html" in request.headers.get("accept", "")
