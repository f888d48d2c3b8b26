"""The door: what every request passes before any page or route sees it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request

from sweep.dashboard.guard import is_loopback
from sweep.service.body_limits import LimitedBody, TooLargeBodyError
from sweep.service.problems import Refusal, refusal_response
from sweep.service.sessions import COOKIE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sweep.service.rates import Rates
    from sweep.service.sessions import Sessions
    from sweep.service.settings import Settings
    from sweep.service.tokens import Identity, Tokens

OPEN_PATHS = ("/login", "/health")
OPEN_FOLDER = "/static/"
READING = ("GET", "HEAD")
UPLOADS = "/uploads"
LONGEST_ADDRESS = 64
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}


class Gate:
    """Ask each request who sends it, from where, and how much it brings.

    In order: the host that it names, the rate, who it is, whether another site sent it, its size.
    Nothing but the log-in page and its style is answered without a valid token, so that nobody
    learns which paths there are.

    Parameters
    ----------
    app : ASGI application
        What is behind the door.
    settings : Settings
        Where the server listens, and what requests may take.
    tokens, sessions, rates
        Who asks, and how often.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, tokens: Tokens, sessions: Sessions, rates: Rates
    ) -> None:
        self._app, self._settings = app, settings
        self._tokens, self._sessions, self._rates = tokens, sessions, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request, guarded = Request(scope), _with_headers(send)
        refusal = await self._refusal(request)
        if refusal is not None:
            await refusal_response(request, refusal)(scope, receive, guarded)
            return
        body = LimitedBody(receive, guarded, self._limit(request), self._settings.limits.seconds)
        with suppress(TooLargeBodyError):
            await self._app(scope, body.receive, body.send)
        if body.refusal is not None and not body.answering:
            await refusal_response(request, body.refusal)(scope, receive, guarded)

    async def _refusal(self, request: Request) -> Refusal | None:
        if not self._is_meant(request):
            return Refusal(
                421,
                "The request names a host that this server does not know; use the address that "
                "`sweep serve` has printed, or name the host with --name.",
            )
        who = await self._identify(request)
        request.scope.setdefault("state", {})["identity"] = who
        address = self._address(request)
        if not self._rates.allow(who.token_id if who else f"address {address}", known=bool(who)):
            return Refusal(429, "Too many requests; wait a moment.", {"Retry-After": "2"})
        if who is None and not _is_open(request):
            return Refusal(
                401,
                "A token is needed: `Authorization: Bearer TOKEN`, or open the address that "
                "`sweep serve` has printed.",
                {"WWW-Authenticate": 'Bearer realm="sweep"'},
            )
        if _is_foreign(request):
            return Refusal(403, "Another site may not send this request.")
        return self._too_large(request)

    def _is_meant(self, request: Request) -> bool:
        """Refuse a name of another site that resolves to this machine (DNS rebinding)."""
        host = _host(request.headers.get("host", ""))
        known = {self._settings.host.lower(), *(name.lower() for name in self._settings.names)}
        return bool(host) and (is_loopback(host) or host in known)

    def _address(self, request: Request) -> str:
        """Return who sends a request; behind a proxy of this machine, whom the proxy names."""
        address = request.client.host if request.client else ""
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        behind = bool(self._settings.names) and bool(address) and is_loopback(address)
        return forwarded[:LONGEST_ADDRESS] if behind and forwarded else address

    async def _identify(self, request: Request) -> Identity | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._tokens.owner_of(token.strip())
        cookie = request.cookies.get(COOKIE)
        token_id = self._sessions.token_id(cookie) if cookie else None
        if token_id:
            return await self._tokens.still(token_id)
        given = request.query_params.get("token", "") if _path(request) == "/" else ""
        return await self._tokens.owner_of(given.strip()) if given else None  # a way in

    def _too_large(self, request: Request) -> Refusal | None:
        length, limit = request.headers.get("content-length", "0"), self._limit(request)
        if not length.isascii() or not length.isdigit():
            return Refusal(400, "Content-Length must be a whole number.")
        return Refusal(413, f"A request may have {limit} bytes.") if int(length) > limit else None

    def _limit(self, request: Request) -> int:
        limits = self._settings.limits
        return limits.upload if request.url.path.endswith(UPLOADS) else limits.body


def _with_headers(send: Send) -> Send:
    """Add the headers that every answer has; a route may set its own policy."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            have = {name.lower() for name, _ in headers}
            if b"content-security-policy" not in have:
                headers.append((b"content-security-policy", POLICY.encode()))
            if b"cache-control" not in have:
                headers.append((b"cache-control", b"no-store"))
            headers += [(name, value) for name, value in HEADERS.items() if name not in have]
            message = {**message, "headers": headers}
        await send(message)

    return guarded


def _is_open(request: Request) -> bool:
    path = _path(request)
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
        return True
    return path == "/" and request.method in READING and bool(request.query_params.get("token"))


def _is_foreign(request: Request) -> bool:
    """Return whether a page of another origin makes a browser send a change.

    A browser says its origin with every POST; a program that has a token says none, and brings
    no cookie.
    """
    if request.method in READING:
        return False
    headers = request.headers
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return COOKIE in request.cookies and "authorization" not in headers
    return origin.partition("://")[2] != headers.get("host")


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    root: Any = request.scope.get("root_path", "")
    return path.removeprefix(root) if root else path
