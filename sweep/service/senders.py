"""Two ways in which a message leaves the server: a command gets it, or an HTTP address."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sweep import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIES = 3
PAUSE_SECONDS = 2.0
LONGEST_COMPLAINT = 500


class SendError(Exception):
    """A message that did not arrive, and why."""


def run_command(words: Sequence[str], text: str, seconds: float) -> None:
    """Run a command with a message on standard input.

    Parameters
    ----------
    words : sequence of str
        The program and its words; no shell reads them.
    text : str
        The message.
    seconds : float
        How long it may take; then it is ended, with what it has started.

    Raises
    ------
    SendError
        If it cannot be started, fails, or takes too long.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaint:
        given.write(text.encode() + b"\n")
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the owner's own command
                list(words), stdin=given, stdout=subprocess.DEVNULL, stderr=complaint,
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise SendError(f"the command {words[0]!r} cannot be started: {error}") from error
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise SendError(
                f"the command {words[0]!r} took more than {seconds:g} seconds and was ended"
            ) from None
        if status:
            complaint.seek(0)
            said = complaint.read(LONGEST_COMPLAINT).decode("utf-8", "replace").strip()
            raise SendError(f"the command {words[0]!r} ended with status {status}: {said!r}")


def post(url: str, text: str, seconds: float) -> None:
    """Send a message to an HTTP address by POST; try again where it cannot be reached.

    Parameters
    ----------
    url : str
        The address.
    text : str
        The message, JSON.
    seconds : float
        How long one try may take.

    Raises
    ------
    SendError
        If it was refused, or not reached by any try.
    """
    for tried in range(1, TRIES + 1):
        try:
            _post_once(url, text, seconds)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or tried == TRIES:
                raise SendError(f"{_host(url)} answered {error.code} {error.reason}") from error
        except (OSError, HTTPException, ValueError) as error:
            if tried == TRIES:
                reason = getattr(error, "reason", None) or error
                raise SendError(f"{_host(url)} was not reached: {reason}") from error
        else:
            return
        time.sleep(PAUSE_SECONDS)


def _post_once(url: str, text: str, seconds: float) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": f"sweep/{__version__}"}
    request = urllib.request.Request(url, text.encode(), headers, method="POST")  # noqa: S310
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler, urllib.request.HTTPErrorProcessor,
    ):  # fmt: skip
        opener.add_handler(handler())  # none that follows to another address, or reads files
    opener.open(request, timeout=seconds).close()


def _host(url: str) -> str:
    """Return what may be said of an address in a log: its path may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"
