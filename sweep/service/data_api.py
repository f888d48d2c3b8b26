"""``/api/v1/data``: what can be named; one uploaded, one deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sweep.service.access import Services, role
from sweep.service.acts import record_act
from sweep.service.api import as_json
from sweep.service.app import Service
from sweep.service.changes import Submitter
from sweep.service.known_data import (
    READINGS,
    UPLOADED,
    KnownDataset,
    find_dataset,
    known_datasets,
    studies_naming,
)
from sweep.service.problems import RefusedError
from sweep.service.tokens import Identity
from sweep.service.uploads import (
    Receiver,
    check_free,
    checked_name,
    remove,
    store,
    work_folder,
)

router = APIRouter(prefix="/api/v1", tags=["data"])
AT_ONCE = 2
"""Uploads that are unpacked and read at the same time; others wait."""
ERRORS: Any = {422: {"description": "no dataset, with every problem"}}
BODY: Any = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}
_turns = CapacityLimiter(AT_ONCE)


@router.get("/data", dependencies=[role("read")])
def data(service: Services) -> Response:
    """List the datasets that a study can name."""
    return as_json({"datasets": [_plain(each) for each in known_datasets(service.settings)]})


@router.get("/data/{name}", dependencies=[role("read")])
def one(service: Services, name: str) -> Response:
    """Tell what a dataset holds, as `sweep data NAME --format json` does, and whose it is."""
    found = find_dataset(service.settings, name)
    return as_json(_plain(found, read(service, found)[0]))


@router.post("/data/uploads", status_code=201, responses=ERRORS, openapi_extra=BODY)
async def upload(
    request: Request, service: Services, who: Submitter,
    name: Annotated[str, Query(description="`NAME.npz`, or for a zip of pictures `NAME`")],
) -> Response:  # fmt: skip
    """Upload a dataset: the body is the `.npz` file, or a zip of pictures, as it is.

    A zip holds a folder of pictures for each class, or pictures beside a table `labels.csv`.
    """
    name = checked_name(name)
    await run_sync(check_free, service.settings, name)

    async def received(receiver: Receiver) -> str:
        async for piece in request.stream():
            await receiver.take(piece)
        return name

    try:
        found = await receive(service, who, received)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    return as_json(_plain(found, found.kept.facts), 201)


@router.delete("/data/{name}")
def delete(service: Services, who: Submitter, name: str) -> Response:
    """Delete an upload; not while a study that is not finished names it."""
    delete_dataset(service, who, name)
    return as_json({"dataset": name})


async def receive(
    service: Service, who: Identity, received: Callable[[Receiver], Awaitable[str]]
) -> KnownDataset:
    """Receive an upload, check it, put it in place, and write down who did it.

    Parameters
    ----------
    service : Service
        Where to.
    who : Identity
        Who uploads it.
    received : coroutine function
        Hands what arrives to the receiver; returns the dataset's name.
    """
    async with work_folder(service.settings) as work:
        name = await _written(Receiver(work), received)
        await run_sync(partial(_store, service, work, name, who), limiter=_turns)
    return await run_sync(find_dataset, service.settings, name)


async def _written(receiver: Receiver, received: Callable[[Receiver], Awaitable[str]]) -> str:
    try:
        name = await received(receiver)
        await receiver.end()
    finally:
        receiver.close()
    return name


def _store(service: Service, work: Path, name: str, who: Identity) -> None:
    about = store(service.settings, work, name, who.name)
    record_act(service.ledger, who.name, "upload", detail=f"{name}, {about.bytes:,} bytes")


def delete_dataset(service: Service, who: Identity, name: str) -> None:
    """Delete an upload.

    Raises
    ------
    RefusedError
        403 for another's, 409 while it is needed, 404 for one that is not there.
    """
    found = find_dataset(service.settings, name)
    if found.source != UPLOADED:
        raise RefusedError(403, f"{name} was not uploaded; only the server's owner can remove it")
    if not may_delete(who, found):
        whose = found.kept.owner or "the server's owner"
        raise RefusedError(
            403, f"the dataset belongs to {whose}; only they or an admin may do this"
        )
    if studies := studies_naming(service, found):
        raise RefusedError(
            409,
            f"{name} is needed by studies that are not finished: {', '.join(studies[:5])}"
            f"{', ...' if len(studies) > 5 else ''}; delete them first, or let them finish",
        )
    try:
        remove(service.settings, name)
    except FileNotFoundError:
        raise RefusedError(404, f"no dataset is at {name!r}") from None
    record_act(service.ledger, who.name, "delete data", detail=name)


def may_delete(who: Identity, known: KnownDataset) -> bool:
    """Return whether somebody may delete a dataset: their own upload, or an admin any upload."""
    own = bool(known.kept.owner) and known.kept.owner == who.name
    return known.source == UPLOADED and (who.may("admin") or (who.may("submit") and own))


def read(service: Service, known: KnownDataset) -> tuple[Any, list[Any], str]:
    """Return the facts and pictures of a dataset, or why there are none."""
    if not known.here:
        return None, [], "Keras downloads it when a study first uses it."
    found = READINGS.read(service.settings, known)
    return (None, [], found) if isinstance(found, str) else (found.facts, found.albums, "")


def _plain(known: KnownDataset, facts: Any = None) -> dict[str, Any]:
    told, facts = known.plain(), facts or known.kept.facts
    return told | {key: value for key, value in (facts or {}).items() if key != "name"}
