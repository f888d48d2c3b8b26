"""The dashboard's server: Python's own WSGI server, with a thread for each request."""

from __future__ import annotations

import errno
import io
import logging
import socket
import sys
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from sweep.errors import DashboardError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = logging.getLogger("sweep")


class Server(ThreadingMixIn, WSGIServer):
    """Answers every request in a daemon thread."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the error of a connection, such as one that the browser has closed."""
        del request
        log.info("%s: %s", client_address[0], ascii(str(sys.exception())))


class SixServer(Server):
    """The same server for IPv6."""

    address_family = socket.AF_INET6


class Handler(WSGIRequestHandler):
    """Closes a connection that is silent for half a minute; logs to the log file only."""

    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's own name
        """Log a request."""
        log.info("%s %s", self.address_string(), ascii(format % args))

    def get_stderr(self) -> Any:
        """Return the stream for tracebacks: the log, not the user's terminal."""
        return _Logged()


class _Logged(io.TextIOBase):
    """A stream that writes to the log."""

    def write(self, text: str, /) -> int:
        """Log a text unless it is blank."""
        if text.strip():
            log.error("%s", text.rstrip())
        return len(text)


def listen(host: str, port: int, app: WSGIApplication) -> Server:
    """Return a server that listens on a port; call ``serve_forever``, read ``server_port``.

    Raises
    ------
    DashboardError
        If it cannot listen there.
    """
    try:
        kind = SixServer if ":" in host else Server
        return make_server(host, port, app, server_class=kind, handler_class=Handler)
    except OSError as error:
        raise DashboardError(plain_error(error, host, port)) from error


def plain_error(error: OSError, host: str, port: int) -> str:
    """Return why a port cannot be taken, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"--port: {port} is in use; name another, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"--port: {port} may not be taken by this user; name one above 1023"
    return f"--host: {host!r} is no address of this machine ({error.strerror or error})"


def address(host: str, port: int) -> str:
    """Return the address to open in a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
