"""Access control of the dashboard: optuna-dashboard itself has none."""

from __future__ import annotations

import base64
import binascii
import hmac
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sweep.errors import DashboardError

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD = "SWEEP_DASHBOARD_PASSWORD"  # noqa: S105 - the name of an environment variable
SHORTEST_PASSWORD = 12
READING = ("GET", "HEAD")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can be reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_door(host: str, password: str, *, public: bool) -> None:
    """Refuse to listen for other machines without ``--public`` and a password.

    Raises
    ------
    DashboardError
        With every missing setting.
    """
    problems = []
    outside = not is_loopback(host)
    if outside and not public:
        problems.append(
            f"--host: {host!r} can be reached from other machines; add --public, or leave it out"
        )
    if (outside or public) and not password:
        problems.append(
            f"{PASSWORD}: others need a password; set this environment variable to one of "
            f"{SHORTEST_PASSWORD} characters or more"
        )
    if password and len(password) < SHORTEST_PASSWORD:
        problems.append(
            f"{PASSWORD}: must have {SHORTEST_PASSWORD} characters or more, has {len(password)}"
        )
    if problems:
        raise DashboardError("\n".join(problems))


@dataclass(frozen=True)
class Refusal:
    """A refused request: HTTP status, and the reason for the user."""

    status: str
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Guard:
    """The rules of one dashboard.

    Attributes
    ----------
    host : str
        The address where it listens.
    password : str
        Every request needs it; empty for none.
    edit : bool
        Whether requests may change the ledger.
    """

    host: str
    password: str = ""
    edit: bool = False

    def refusal(self, environ: Mapping[str, Any]) -> Refusal | None:
        """Return why a WSGI request is refused, None if it is allowed."""
        if not self._is_meant(environ.get("HTTP_HOST", "")):
            return Refusal(
                "403 Forbidden",
                "The request names another host than this dashboard's; open the address that "
                "sweep dashboard has printed.",
            )
        if self.password and not self._knows(environ.get("HTTP_AUTHORIZATION", "")):
            ask = ("WWW-Authenticate", 'Basic realm="sweep dashboard", charset="UTF-8"')
            return Refusal("401 Unauthorized", "This dashboard asks for its password.", (ask,))
        if environ["REQUEST_METHOD"] in READING:
            return None
        if not self.edit:
            return Refusal(
                "403 Forbidden",
                "This dashboard is read-only; sweep dashboard --allow-edit lets it change the "
                "ledger.",
            )
        if _is_foreign(environ):
            return Refusal("403 Forbidden", "Another site may not change the ledger.")
        return None

    def _is_meant(self, header: str) -> bool:
        """Return whether the ``Host`` header names this dashboard; it prevents DNS rebinding.

        In that attack the name of another site resolves to this machine. If the server listens on
        every address, its names are not known; then only the password protects it, which a page of
        another site does not have.
        """
        name = _name(header)
        return bool(name) and (
            is_loopback(name) or name == self.host.lower() or self._listens_everywhere()
        )

    def _listens_everywhere(self) -> bool:
        return self.host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound

    def _knows(self, header: str) -> bool:
        scheme, _, credentials = header.partition(" ")
        try:
            given = base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        right = hmac.compare_digest(given, self.password.encode())  # takes constant time
        return right and scheme.lower() == "basic"


def _name(header: str) -> str:
    """Return the host of a ``Host`` header; empty where it cannot be read."""
    with suppress(ValueError):
        return urlsplit(f"//{header}").hostname or ""
    return ""


def _is_foreign(environ: Mapping[str, Any]) -> bool:
    """Return whether a page of another origin sends a request; browsers send ``Origin`` with it."""
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin.partition("://")[2] != environ["HTTP_HOST"]
