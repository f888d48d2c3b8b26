"""End connections that do not say what they want: uvicorn itself waits for headers for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio


class PatientProtocol(H11Protocol):
    """uvicorn's protocol; closes a connection on which the headers of a request do not arrive.

    Attributes
    ----------
    seconds : float
        From the connection, or the first byte of a request, to the end of its headers.
    """

    seconds = 30.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.seconds, self._end)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; wait no longer once it is a request."""
        super().data_received(data)
        if self._is_busy():
            self._forget()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._forget()
        super().connection_lost(exc)

    def _is_busy(self) -> bool:
        """Return whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        if not self._is_busy() and not self.transport.is_closing():
            self.transport.close()


def patient(seconds: float) -> type[PatientProtocol]:
    """Return the protocol with another limit."""
    return type("LimitedProtocol", (PatientProtocol,), {"seconds": seconds})
