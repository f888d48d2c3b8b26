"""How much a request may bring, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NoReturn

from sweep.service.problems import Refusal

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

SLOWEST = 16 * 1024
"""Bytes a second: a body that comes slower for long is refused."""


class TooLargeBodyError(Exception):
    """A body that is larger, or slower, than it may be."""


class LimitedBody:
    """Count what arrives of a body, whatever its headers have said.

    Parameters
    ----------
    receive, send
        Of the ASGI server.
    most : int
        Bytes.
    seconds : float
        How long a body may take, beside the time that ``SLOWEST`` bytes a second need.

    Attributes
    ----------
    refusal : Refusal or None
        Why the body was refused. A framework may catch what :meth:`receive` raises and answer in
        words of its own: that answer is dropped.
    answering : bool
        Whether an answer has begun.
    """

    def __init__(self, receive: Receive, send: Send, most: int, seconds: float) -> None:
        self._receive, self._send = receive, send
        self._most, self._seconds = most, seconds
        self._had, self._waited = 0, 0.0
        self._complete = False
        self.refusal: Refusal | None = None
        self.answering = False

    async def receive(self) -> Message:
        """Return the next piece.

        Raises
        ------
        TooLargeBodyError
            If it is too much or too late.
        """
        if self._complete:  # what comes now only says that the client has gone
            return await self._receive()
        begun, left = time.monotonic(), self._seconds + self._had / SLOWEST - self._waited
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            self._refuse(408, f"The request did not arrive within {self._seconds:g} seconds.")
        self._waited += time.monotonic() - begun
        self._had += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._had > self._most:
            self._refuse(413, f"A request may have {self._most} bytes.")
        return message

    async def send(self, message: Message) -> None:
        """Pass a piece of the answer on."""
        if self.refusal is None or self.answering:
            self.answering = True
            await self._send(message)

    def _refuse(self, status: int, detail: str) -> NoReturn:
        late = {"Connection": "close"} if status == 408 else {}  # the rest is not waited for
        self.refusal = Refusal(status, detail, late)
        raise TooLargeBodyError
