"""What a route asks of who calls it: answered in the event loop, where memory holds the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from anyio.to_thread import run_sync
from fastapi import Depends
from starlette.requests import Request

from sweep.service.problems import RefusedError

if TYPE_CHECKING:
    from sweep.service.app import Service
    from sweep.service.tokens import Identity


def service_of(request: Request) -> Service:
    """Return the service that a request is sent to."""
    found: Service = request.app.state.service
    return found


def identity_of(request: Request) -> Identity:
    """Return who sends a request.

    Raises
    ------
    RefusedError
        401, if nobody is known: the door lets those pass too who are about to log in.
    """
    found: Identity | None = request.scope["state"]["identity"]
    if found is None:
        raise RefusedError(401, "A token is needed.")
    return found


async def _service(request: Request) -> Service:
    return service_of(request)


async def _study_name(request: Request, key: str) -> str:
    service = service_of(request)
    known = service.snapshot.copy.names.get(key)
    return await run_sync(name_at, service, key) if known is None else known


def name_at(service: Service, key: str) -> str:
    """Return the name of the study at an address.

    Raises
    ------
    RefusedError
        404, if there is none.
    """
    name = service.snapshot.copy.names.get(key) or service.snapshot.refresh().names.get(key)
    if name is None:
        raise RefusedError(404, f"no study is at {key!r}; the list of studies has their addresses")
    return name


def role(least: str) -> Any:
    """Return a dependency that refuses who has a smaller role.

    Parameters
    ----------
    least : str
        One of :data:`sweep.service.tokens.ROLES`.
    """

    async def check(request: Request) -> Identity:
        who = identity_of(request)
        if not who.may(least):
            raise RefusedError(403, f"{who.name} has the role {who.role!r}; this needs {least!r}")
        return who

    return Depends(check)


def check_owner(request: Request, owner: str) -> None:
    """Refuse a change of another's study, except by an admin.

    Raises
    ------
    RefusedError
        403, naming the owner.
    """
    who = identity_of(request)
    if not who.may("admin") and owner != who.name:
        raise RefusedError(403, f"the study belongs to {owner}; only they or an admin may do this")


Services = Annotated["Any", Depends(_service)]
"""A parameter of a route: the :class:`sweep.service.app.Service`."""
StudyName = Annotated[str, Depends(_study_name)]
"""A parameter of a route: the study at ``{key}``."""
