"""The page that compares studies: the very page of `sweep compare`, under its own policy."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from sweep.dashboard.app import REPORT_POLICY
from sweep.report.comparison import checked_baseline, render_comparison
from sweep.service.access import Services, name_at, role
from sweep.service.drawing import DRAWING
from sweep.service.states import queued
from sweep.study.answers.opening import find_study

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/compare", dependencies=[role("read")])
def compare(
    service: Services,
    key: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:  # fmt: skip
    """Compare the studies at these addresses; the others with the first."""
    names = [name_at(service, each) for each in dict.fromkeys(key)]
    checked_baseline(names, None)
    found = (find_study(service.settings.storage, name).record for name in names)
    records = [queued(service, record) for record in found]
    with DRAWING:
        html = render_comparison(records)
    return HTMLResponse(html, headers={"content-security-policy": REPORT_POLICY})
