"""Parts of pages that keep themselves up to date; what a page shows already is not sent again."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request


def tag_of(html: str) -> str:
    """Return the ETag of a part: another one for each other text."""
    return f'"{sha256(html.encode()).hexdigest()[:32]}"'


def fragment(request: Request, html: str) -> Response:
    """Return a part; 304 and no text where the page says that it shows this one."""
    tag = tag_of(html)
    shown = request.headers.get("if-none-match", "").split(",")
    # a proxy that packs answers makes the tag a weak one
    if tag in (each.strip().removeprefix("W/") for each in shown):
        return Response(status_code=304, headers={"etag": tag})
    return HTMLResponse(html, headers={"etag": tag})
