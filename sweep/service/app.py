"""The application: the door, the pages, the API."""

from __future__ import annotations

import logging
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from sweep import __version__
from sweep.errors import LedgerAwayError, StudyNotFoundError, SweepError
from sweep.ledger.ledger import Ledger
from sweep.service.answers_cache import AnswersCache, MomentCache
from sweep.service.gate import HEADERS, POLICY, Gate
from sweep.service.intervals import Intervals
from sweep.service.leaving import Leaving
from sweep.service.problems import Refusal, RefusedError, refusal_response
from sweep.service.queue import Queue, Standing
from sweep.service.rates import Rates
from sweep.service.sessions import Sessions
from sweep.service.snapshot import Snapshot
from sweep.service.states import status_of
from sweep.service.tables import make_tables
from sweep.service.tokens import Tokens
from sweep.study.preparation import owner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from sweep.ledger.overview import StudyOverview
    from sweep.service.settings import Settings
    from sweep.service.worker_pool import WorkerPool

T = TypeVar("T")
log = logging.getLogger("sweep.service")
ROUTERS = (
    "api", "changes", "compare_pages", "data_api", "data_pages", "description", "downloads",
    "events", "now", "pages", "new_study_pages", "study_pages",
)  # fmt: skip
"""Modules that hold routes, in the order in which these are asked; they import this one."""


@dataclass
class Service:
    """What routes work with.

    Attributes
    ----------
    settings : Settings
        How the server was started.
    ledger, reader : Ledger
        The studies: to be written, and to be read. A reader of an SQLite ledger takes no write
        lock, so that a thousand questions do not hold the workers up.
    tokens, sessions : Tokens, Sessions
        Who asks.
    snapshot : Snapshot
        All studies in a few numbers.
    cache : AnswersCache
        Answers about studies that have not changed.
    moment : MomentCache
        Lists and pages of the newest copy of the studies.
    order : Queue
        The order in which workers take the studies.
    intervals : Intervals
        Of the best scores.
    workers : WorkerPool or None
        The workers of this machine; None where there are none.
    """

    settings: Settings
    ledger: Ledger
    reader: Ledger
    tokens: Tokens
    sessions: Sessions
    snapshot: Snapshot
    cache: AnswersCache
    moment: MomentCache
    order: Queue
    intervals: Intervals
    workers: WorkerPool | None = None

    def close(self) -> None:
        """Close the connections to the ledger."""
        self.reader.close()
        self.ledger.close()

    def now(self, name: str) -> Mapping[str, Any]:
        """Return what the workers of this machine are doing for a study; empty if nothing."""
        return self.workers.now(name) if self.workers is not None else {}

    def lines(self, name: str) -> Sequence[str]:
        """Return the last lines of the workers of this machine about a study, oldest first."""
        return self.workers.lines(name) if self.workers is not None else ()

    def queue(self) -> Standing:
        """Return which studies are at work, and which wait at which place."""
        return self.order.standing()

    def status(self, study: StudyOverview) -> str:
        """Return a study's status; see :mod:`sweep.service.states`."""
        return status_of(self, study, self.queue())

    def answer(self, name: str, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question about a study; the one from before, until it changes."""
        study = self.snapshot.copy.by_name.get(name)
        status = "" if study is None else self.status(study)
        return self.cache.get(name, (question, status), make)

    def changed(self) -> None:
        """Take a change in at once: the list shows it, the workers look."""
        self.snapshot.refresh()
        self.order.forget()
        self.snapshot.touch()
        if self.workers is not None:
            self.workers.wake()


def open_service(settings: Settings, start_token: str | None) -> Service:
    """Open the ledger and what the service keeps in it; nothing listens yet."""
    ledger = Ledger(settings.storage)
    make_tables(ledger)
    reader = Ledger(settings.storage, reading=True)
    snapshot = Snapshot(reader)
    return Service(
        settings, ledger, reader, Tokens(ledger, start_token, owner(), reader),
        Sessions(ledger, start_token or secrets.token_hex(16)), snapshot, AnswersCache(reader),
        MomentCache(snapshot), Queue(reader, snapshot), Intervals(reader, snapshot),
    )  # fmt: skip


def create_app(service: Service) -> FastAPI:
    """Return the application over a service.

    Parameters
    ----------
    service : Service
        See :func:`open_service`.
    """
    from sweep.service.description import describe

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.snapshot.start()
        service.intervals.start()
        try:
            yield
        finally:
            service.intervals.stop()
            service.snapshot.stop()

    app = FastAPI(
        title="sweep", version=__version__, redirect_slashes=False, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", lifespan=lifespan,
    )  # fmt: skip
    app.root_path = service.settings.root_path  # as an argument FastAPI warns of it, from 0.165 on
    app.state.service = service
    for name in ROUTERS:
        app.include_router(import_module(f"sweep.service.{name}").router)
    static = str(resources.files("sweep.service") / "static")
    app.mount("/static", StaticFiles(directory=static), name="static")
    describe(app)
    for kind in (RefusedError, SweepError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(Exception, _defect)
    app.add_middleware(
        Gate, settings=service.settings, tokens=service.tokens, sessions=service.sessions,
        rates=Rates(service.settings.limits),
    )  # fmt: skip
    app.add_middleware(Leaving, headers=_bare)  # the last one is asked first
    return app


async def _refused(request: Request, error: Exception) -> Response:
    return refusal_response(request, _refusal(error))


async def _defect(request: Request, error: Exception) -> Response:
    """Answer where sweep has a defect: the log has the traceback, the answer no detail."""
    log.error("internal error at %s %s", request.method, request.url.path, exc_info=error)
    detail = "This is a defect of sweep; the server's log says more. Please report it."
    return refusal_response(request, Refusal(500, detail, _bare()))


def _bare() -> dict[str, str]:
    """Return the headers of an answer that does not pass the door."""
    headers = {name.decode(): value.decode() for name, value in HEADERS.items()}
    return {**headers, "content-security-policy": POLICY, "cache-control": "no-store"}


def _refusal(error: Any) -> Refusal:
    """Return what an error means to who asked."""
    if isinstance(error, RefusedError):
        return error.refusal
    if isinstance(error, HTTPException):
        return Refusal(error.status_code, str(error.detail), error.headers or {})
    if isinstance(error, RequestValidationError):
        found = [
            {"path": ".".join(map(str, each["loc"])), "line": None, "message": each["msg"]}
            for each in error.errors()
        ]
        return Refusal(422, "The request does not say what it must.", problems=found)
    if isinstance(error, StudyNotFoundError):
        return Refusal(404, str(error))
    if isinstance(error, LedgerAwayError):
        return Refusal(503, str(error))
    return Refusal(422, str(error))
