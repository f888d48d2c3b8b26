"""``/api/v1``: what programs ask; the same JSON as ``--format json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from sweep.service.access import Services, role
from sweep.support.file_names import slug

router = APIRouter(prefix="/api/v1", tags=["sweep"])
MOST = 1000


@router.get("/studies", dependencies=[role("read")])
def list_studies(service: Services, offset: int = 0, limit: int = MOST) -> dict[str, Any]:
    """List the studies, oldest first, with their addresses."""
    found = service.snapshot.copy.studies
    page = found[max(0, offset) : max(0, offset) + min(max(1, limit), MOST)]
    return {
        "total": len(found),
        "offset": max(0, offset),
        "studies": [{"key": slug(each.name), **asdict(each)} for each in page],
    }
