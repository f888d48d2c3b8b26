"""Listen: uvicorn with the application, the workers of this machine beside it."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from sweep.dashboard.guard import is_loopback
from sweep.errors import ServiceError
from sweep.runner.signals import handled
from sweep.service.app import create_app, open_service
from sweep.service.child_process import end_children
from sweep.service.leaving import quiet_end
from sweep.service.notify import Notifier
from sweep.service.preload import load_libraries
from sweep.service.slow_headers import patient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweep.service.app import Service
    from sweep.service.settings import Settings

LEAVE_SECONDS = 3
ROOT_PATH = r"(/(?!\.+(/|$))[A-Za-z0-9._~-]+)*"
HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:]+"


def check_settings(settings: Settings) -> None:
    """Refuse to listen where others reach the server, unless that is asked for.

    Raises
    ------
    ServiceError
        With everything that is wrong.
    """
    problems = []
    if not is_loopback(settings.host) and not settings.public:
        problems.append(
            f"--host: {settings.host!r} can be reached from other machines; add --public, or "
            "leave it out"
        )
    if not re.fullmatch(ROOT_PATH, settings.root_path):
        problems.append(
            "--root-path: must begin with / and have only letters, digits and -._~ between "
            f"slashes, is {settings.root_path!r}"
        )
    problems += [
        f"--name: must be a host name alone, without http:// and port, is {name!r}"
        for name in settings.names
        if not re.fullmatch(HOST, name)
    ]
    if problems:
        raise ServiceError("\n".join(problems))


def serve(settings: Settings, started: Callable[[str, Service], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        How.
    started : callable
        ``started(address, service)`` is called when the port is taken.

    Raises
    ------
    ServiceError
        If the port cannot be taken, or settings do not hold.
    """
    from sweep.service.worker_pool import WorkerPool

    check_settings(settings)
    token = secrets.token_urlsafe(24)
    with closing(listening(settings.host, settings.port)) as listener:
        service = open_service(settings, token)
        if settings.workers:
            service.workers = WorkerPool(settings, service.snapshot)
        port = listener.getsockname()[1]
        notifier = Notifier(
            settings, service.ledger, service.snapshot, public_address(settings, port)
        )
        try:
            server = _Server(_configuration(service))
            notifier.start()
            if service.workers:
                service.workers.start()
            started(address(settings, port, token), service)
            threading.Thread(target=load_libraries, daemon=True).start()
            server.run(sockets=[listener])
        finally:
            notifier.stop()
            if service.workers:
                service.workers.stop()
            service.close()


class _Server(uvicorn.Server):
    """Ends its event streams first, and returns: uvicorn would raise the signal once more."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have SIGINT and SIGTERM end the server."""
        with handled(self.handle_exit):
            yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake up the streams, which then see that the server ends; end what takes too long."""
        self.config.app.state.service.snapshot.stop()  # type: ignore[union-attr]
        with quiet_end():
            await super().shutdown(sockets)
            end_children()
            await asyncio.sleep(0)  # requests that were cancelled are answered


def _configuration(service: Service) -> uvicorn.Config:
    limits = service.settings.limits
    return uvicorn.Config(
        create_app(service), log_config=None, access_log=False, server_header=False,
        date_header=False, proxy_headers=False, lifespan="on", ws="none",
        http=patient(limits.seconds),
        h11_max_incomplete_event_size=32 * 1024,
        timeout_keep_alive=15, timeout_graceful_shutdown=LEAVE_SECONDS,
        limit_concurrency=limits.streams + 200, root_path=service.settings.root_path,
    )  # fmt: skip


def listening(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises
    ------
    ServiceError
        If it cannot be taken.
    """
    from sweep.dashboard.server import plain_error

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces at once (TCP_NODELAY) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ServiceError(plain_error(error, host, port)) from error
    return listener


def address(settings: Settings, port: int, token: str) -> str:
    """Return the address that a person opens, with the token that lets them in."""
    return f"{_listened(settings, port)}/?token={token}"


def public_address(settings: Settings, port: int) -> str:
    """Return where people reach the server: the first name that a proxy passes on, if any."""
    if settings.names:
        return f"https://{settings.names[0]}{settings.root_path}"
    return _listened(settings, port)


def _listened(settings: Settings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.root_path}"
