"""Where a server is, and the token that lets one in; a token is never shown."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, urlsplit

from sweep.errors import ServiceError
from sweep.support.redaction import remember

SERVER, TOKEN = "SWEEP_SERVER", "SWEEP_TOKEN"
SHORTEST_HIDDEN = 8
"""Characters of a token that is taken out of messages: a short one is a part of other words."""
FORM = "write http://HOST:PORT or https://HOST, as `sweep serve` prints it"


@dataclass(frozen=True)
class ServerAddress:
    """A server.

    Attributes
    ----------
    url : str
        Scheme, host, port and path, without a slash at the end.
    token : str
        Lets one in; empty where none was given.
    """

    url: str
    token: str = field(default="", repr=False)

    @property
    def plain(self) -> bool:
        """Whether what is sent is not encrypted."""
        return self.url.startswith("http://")


def server_address(
    given: str | None = None, token: str | None = None, label: str = SERVER
) -> ServerAddress:
    """Read a server's address; a token in it is taken out.

    Parameters
    ----------
    given : str, optional
        The address, perhaps with ``?token=``; else that of the environment.
    token : str, optional
        The token; else that of the address, else that of the environment.
    label : str
        What messages call the address.

    Raises
    ------
    ServiceError
        If there is none, or it cannot be read.
    """
    text = (given or os.environ.get(SERVER) or "").strip()
    if not text:
        raise ServiceError(f"no server is named: give its address, or set {SERVER}; {FORM}")
    parts = _parts(text, label)
    found = (token or token_in(text) or os.environ.get(TOKEN) or "").strip()
    if found:
        if len(found) >= SHORTEST_HIDDEN:
            remember(f"http://server/?token={found}")
        if not found.isascii() or not found.isprintable() or " " in found:
            raise ServiceError(f"{TOKEN}: must be the token as it was shown, in one word")
    return ServerAddress(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", found)


def token_in(text: str) -> str:
    """Return the token in an address; empty where it has none."""
    return parse_qs(text.partition("?")[2]).get("token", [""])[0]


def has_password(text: str) -> bool:
    """Return whether an address has a user or a password before its host."""
    return "@" in text.partition("?")[0]


def _parts(text: str, label: str) -> SplitResult:
    if has_password(text):
        remember(text)
        raise ServiceError(
            f"{label}: must have no user and no password (it is not shown, for it may hold one); "
            f"a token lets one in: set {TOKEN}"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        shown = text.partition("?")[0]
        raise ServiceError(f"{label}: {shown!r} is no address of a server; {FORM}")
    return parts
