"""Server-sent events: a page is told that something has changed, and asks for what it shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sweep.service.access import identity_of, role, service_of
from sweep.service.app import Service
from sweep.service.tokens import Identity

router = APIRouter(prefix="/api/v1", tags=["read"])
BEAT_SECONDS = 2.0
"""How often a stream without news says so, and asks whether its token is still valid."""
APART_SECONDS = 0.5
"""Least time between two events of a stream."""


@router.get("/events", dependencies=[role("read")])
async def events(request: Request) -> StreamingResponse:
    """Stream an event ``studies`` with the number of the newest copy, each time that it grows."""
    stream = _stream(request, service_of(request), identity_of(request))
    return StreamingResponse(stream, media_type="text/event-stream")


async def _stream(request: Request, service: Service, who: Identity) -> AsyncIterator[str]:
    sent = -1
    while not service.snapshot.ended and not await request.is_disconnected():
        if await service.tokens.still(who.token_id) is None:
            return  # revoked
        copy = service.snapshot.copy
        if copy.number != sent:
            sent = copy.number
            yield f"event: studies\ndata: {json.dumps({'number': sent})}\n\n"
            await asyncio.sleep(APART_SECONDS)
        else:
            yield ": still here\n\n"
        await service.snapshot.changed(sent, BEAT_SECONDS)
