"""``/api/v1``: what programs ask about studies; the same JSON as ``--format json``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sweep.service.access import Services, StudyName, role
from sweep.service.acts import acts
from sweep.service.states import queued
from sweep.service.tokens import Identity
from sweep.study.answers import best as best_answers
from sweep.study.answers import leaderboard, pivots
from sweep.study.answers.opening import find_study
from sweep.study.answers.outcome import plain_leaderboard
from sweep.support.file_names import slug
from sweep.support.redaction import redacted
from sweep.support.spreadsheet import csv_text, json_value

router = APIRouter(prefix="/api/v1", tags=["read"], dependencies=[role("read")])
MOST = 1000
Top = Annotated[int | None, Query(ge=1)]


@router.get("/me")
async def me(who: Annotated[Identity, role("read")]) -> dict[str, str]:
    """Say who asks, and what they may do."""
    return {"name": who.name, "role": who.role}


@router.get("/studies")
async def list_studies(
    service: Services,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List the studies, oldest first, with their addresses."""

    def made() -> bytes:
        found, queue = service.snapshot.copy.studies, service.queue()
        page = [
            {
                "key": slug(each.name), **asdict(each), "status": service.status(each),
                "priority": queue.priorities.get(each.name, 0),
                "place": queue.places.get(each.name),
            }
            for each in found[offset : offset + limit]
        ]  # fmt: skip
        return encoded({"total": len(found), "offset": offset, "studies": page})

    return json_answer(await service.moment.soon(("studies", offset, limit), made))


@router.get("/queue")
def queue(service: Services) -> Response:
    """List the studies that have work, in the order in which workers take them."""
    standing = service.queue()
    rows = [
        {"key": slug(each.name), **asdict(each), "place": standing.places.get(each.name)}
        for each in standing.rows
    ]
    return as_json({"studies": rows})


@router.get("/studies/{key}")
def show(service: Services, name: StudyName, top: Top = None) -> Response:
    """Show a study as `sweep show --format json` does."""

    def made() -> bytes:
        found = leaderboard.find_candidates(service.settings.storage, name, top)
        table = leaderboard.candidate_table(queued(service, found.record), top)
        return encoded(leaderboard.plain_candidates(table))

    return json_answer(service.answer(name, ("show", top), made))


@router.get("/studies/{key}/outcome")
def outcome(service: Services, name: StudyName) -> Response:
    """Say how a study has ended and who leads it: what `sweep submit --wait` prints at the end."""

    def made() -> bytes:
        found = leaderboard.find_leaders(service.settings.storage, name)
        return encoded(plain_leaderboard(leaderboard.leaderboard(queued(service, found.record))))

    service.snapshot.refresh()  # it is asked for at the moment at which a study ends
    return json_answer(service.answer(name, "outcome", made))


@router.get("/studies/{key}/best")
def best(request: Request, service: Services, name: StudyName) -> Response:
    """Say which settings to take, as `sweep best --format json` does."""
    server = str(request.base_url).rstrip("/")

    def made() -> bytes:
        found = find_study(service.settings.storage, name, allow=service.settings.allow)
        found.record = queued(service, found.record)
        return encoded(best_answers.plain_best(best_answers.best_candidate(found, server=server)))

    return json_answer(service.answer(name, ("best", server), made))


@router.get("/studies/{key}/pivot")
def pivot(
    service: Services,
    name: StudyName,
    index: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
    columns: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
    values: Annotated[list[str], Query()] = ["mean_test_score"],  # noqa: B006 - as above
    *,
    exact: bool = False,
) -> Response:
    """Cross-tabulate a study, as `sweep pivot --format json` does."""

    def made() -> bytes:
        found = find_study(service.settings.storage, name)
        tables = pivots.pivots(found, index, columns, values, exact=exact)
        return encoded(pivots.plain_pivots(tables))

    question = ("pivot", tuple(index), tuple(columns), tuple(values), exact)
    return json_answer(service.cache.get(name, question, made))


@router.get("/studies/{key}/source")
def source(service: Services, name: StudyName) -> PlainTextResponse:
    """Return the study file."""
    return PlainTextResponse(redacted(str(service.reader.header(name)["source"])))


@router.get("/studies/{key}/trials.{form}")
def trials(service: Services, name: StudyName, form: str) -> Response:
    """Return all candidates with the score of each split, as `sweep show --format csv` does."""

    def made() -> bytes:
        found = leaderboard.find_candidates(service.settings.storage, name, None)
        rows = leaderboard.candidate_table(found.record, None).rows
        return encoded(rows) if form == "json" else redacted(csv_text(rows)).encode()

    kinds = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
    if form not in kinds:
        return Response(status_code=404)
    body = service.cache.get(name, ("trials", form), made)
    held = {"content-disposition": f'attachment; filename="{slug(name)}.{form}"'}
    return Response(body, 200, held, kinds[form])


@router.get("/acts", tags=["admin"], dependencies=[role("admin")])
def list_acts(
    service: Services,
    study: Annotated[str | None, Query(description="a study's name")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> Response:
    """List who did what, newest first, of one study or of all."""
    found = acts(service.reader, study, limit)
    return as_json({"acts": [asdict(each) for each in found]})


def as_json(value: Any, status: int = 200) -> Response:
    """Return a value as the command line prints it with ``--format json``."""
    return json_answer(encoded(value), status)


def encoded(value: Any) -> bytes:
    """Return a value as the bytes of its JSON; what is no finite number becomes null."""
    return redacted(json.dumps(json_value(value), ensure_ascii=False)).encode()


def json_answer(body: bytes, status: int = 200) -> Response:
    """Return JSON that is encoded already."""
    return Response(body, status, media_type="application/json")
