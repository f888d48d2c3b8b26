"""What requests that are under way are told when the server stops."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.requests import Request

from sweep.service.problems import Refusal, refusal_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STOPPING = "The server is stopping; try again when it is back."
EXPECTED = ("Cancel ", "ASGI callable returned without completing response")
"""What uvicorn says of requests that it ends; it is no fault."""


class Leaving:
    """Answer 503 to a request that is under way for too long after the server was stopped.

    An answer that has begun is cut off: the client sees that the connection is lost.

    Parameters
    ----------
    app : ASGI application
        What answers.
    headers : callable
        ``headers()`` returns those that every answer has.
    """

    def __init__(self, app: ASGIApp, headers: Callable[[], Mapping[str, str]]) -> None:
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer it where the server ends it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            if began:
                return
            refusal = Refusal(503, STOPPING, {**self._headers(), "Connection": "close"})
            await refusal_response(Request(scope), refusal)(scope, receive, send)


@contextmanager
def quiet_end() -> Iterator[None]:
    """Keep to itself what uvicorn says of requests that it ends."""
    log = logging.getLogger("uvicorn.error")
    log.addFilter(_is_news)
    try:
        yield
    finally:
        log.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(EXPECTED)
