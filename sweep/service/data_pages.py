"""The pages of datasets: what can be named, one of them with its pictures, the way to upload."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sweep.service.access import Services, identity_of, role
from sweep.service.changes import Submitter
from sweep.service.data_api import delete_dataset, may_delete, read, receive
from sweep.service.form_stream import receive_form
from sweep.service.known_data import UPLOADED, find_dataset, known_datasets
from sweep.service.pages import page, seen
from sweep.service.problems import RefusedError
from sweep.service.uploads import Receiver, checked_name, name_from_file

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
THOUSAND = 1000


@router.get("/data", dependencies=[role("read")])
def data(request: Request, service: Services) -> str:
    """Show what can be named, and the form."""
    return _list(request, service)


@router.post("/data/uploads")
async def upload(request: Request, service: Services, who: Submitter) -> Response:
    """Take a file from the form; problems are shown above it."""

    async def received(receiver: Receiver) -> str:
        filename, fields = await receive_form(request, receiver)
        if not filename:
            raise RefusedError(422, "Choose a file: an .npz, or a zip of pictures.")
        return checked_name(_name(fields.get("name", "").strip(), filename))

    try:
        found = await receive(service, who, received)
    except RefusedError as error:
        shown = _list(request, service, refusal=error.refusal)
        return HTMLResponse(shown, error.refusal.status)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    return seen(request, f"/data/{found.name}")


@router.get("/data/{name}", dependencies=[role("read")])
def one(request: Request, service: Services, name: str) -> str:
    """Show a dataset."""
    found = find_dataset(service.settings, name)
    facts, albums, problem = read(service, found)
    return page(
        request, "dataset.html.j2", each=found, facts=facts, albums=albums, problem=problem,
        own=may_delete(identity_of(request), found), size=size_text(found.kept.bytes),
    )  # fmt: skip


@router.post("/data/{name}/delete")
def delete(request: Request, service: Services, who: Submitter, name: str) -> Response:
    """Delete an upload from its page."""
    delete_dataset(service, who, name)
    return seen(request, "/data")


def size_text(size: int) -> str:
    """Return ``3.2 MB``."""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB"):
        if number < THOUSAND:
            break
        number, unit = number / THOUSAND, larger
    return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.3g} {unit}"


def _name(given: str, filename: str) -> str:
    """Return the name in the field, with the ending of the file; without one, the file's."""
    if not given:
        return name_from_file(filename)
    arrays = filename.lower().endswith(".npz") and not given.endswith(".npz")
    return f"{given}.npz" if arrays else given


def _list(request: Request, service: Services, **values: Any) -> str:
    found, limits = known_datasets(service.settings), service.settings.limits
    return page(
        request, "data.html.j2", datasets=found, uploaded=UPLOADED,
        most=size_text(limits.upload), unpacked=size_text(limits.unpacked), files=limits.files,
        **{"refusal": None, **values},
    )  # fmt: skip
