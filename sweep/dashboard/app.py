"""The pages of the dashboard: the list of studies, their reports, and optuna-dashboard."""

from __future__ import annotations

import json
import logging
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sweep.analysis.overview import all_overviews
from sweep.errors import SweepError
from sweep.ledger.ledger import Ledger
from sweep.report.index import render_index
from sweep.report.page import page_resources
from sweep.storage.locations import storage_url
from sweep.study.report_paths import report_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from sweep.dashboard.guard import Guard

    Headers = list[tuple[str, str]]

SECURITY = [
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-downloads"
)
"""In addition to the report's own, stricter policy: a changed report file could drop that one, and
must not reach the dashboard."""
NO_REPORT = b"No study of this ledger has a report of that name; sweep report STUDY writes one."
DRAINED = 65536
"""Most bytes of a refused request's body that are read."""


class Dashboard:
    """A WSGI application over a ledger.

    Parameters
    ----------
    ledger : Ledger
        Opened read-only unless the guard allows editing.
    guard : Guard
        Decides which requests are allowed.
    """

    def __init__(self, ledger: Ledger, guard: Guard) -> None:
        from optuna_dashboard import wsgi

        self.ledger = ledger
        self.guard = guard
        self.optuna: WSGIApplication = wsgi(ledger.storage)
        self.folder = report_path("any").parent
        logging.getLogger("optuna_dashboard").parent = logging.getLogger("sweep")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *SECURITY], exc_info)

        environ.setdefault("HTTP_ACCEPT_ENCODING", "identity")  # optuna-dashboard must have one
        body = self._body(environ, start)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    def _body(self, environ: WSGIEnvironment, start: Any) -> Iterable[bytes]:
        refusal = self.guard.refusal(environ)
        if refusal is not None:
            _drain(environ)
            reason = json.dumps({"reason": refusal.reason}).encode()
            start(refusal.status, [*_typed("application/json", reason), *refusal.headers])
            return [reason]
        try:
            return self._answer(environ, start)
        except SweepError as error:
            message = str(error).encode()
            start("503 Service Unavailable", _typed("text/plain; charset=utf-8", message))
            return [message]

    def _answer(self, environ: WSGIEnvironment, start: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in ("", "/"):
            return self._page(start, self._studies(), page_resources()["policy"])
        if path.startswith("/reports/"):
            return self._report(path.removeprefix("/reports/"), start)
        return self.optuna(environ, start)

    def _studies(self) -> bytes:
        studies = all_overviews(self.ledger)
        names = [study.name for study in studies]
        links = {n: f"/reports/{f.name}" for n in names if (f := self._file(n)).is_file()}
        pages = {name: f"/dashboard/studies/{self.ledger.study_id(name)}" for name in names}
        note = "Editing is allowed." if self.guard.edit else "Read-only."
        return render_index(studies, links, pages, note).encode()

    def _report(self, name: str, start: Any) -> Iterable[bytes]:
        """Serve a report of a study in the ledger; no path is built from the request."""
        files = {file.name: file for file in map(self._file, self.ledger.names())}
        with suppress(KeyError, FileNotFoundError):
            return self._page(start, files[name].read_bytes(), REPORT_POLICY)
        start("404 Not Found", _typed("text/plain; charset=utf-8", NO_REPORT))
        return [NO_REPORT]

    def _file(self, study: str) -> Path:
        return self.folder / report_path(study).name

    def _page(self, start: Any, page: bytes, policy: str) -> Iterable[bytes]:
        headers = _typed("text/html; charset=utf-8", page)
        start("200 OK", [*headers, ("Content-Security-Policy", policy)])
        return [page]


@contextmanager
def open_dashboard(storage: str | None, guard: Guard) -> Iterator[Dashboard]:
    """Open a ledger and serve it; for queries alone where the guard lets nobody edit.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    guard : Guard
        Who may ask for what.

    Raises
    ------
    LedgerError
        If there is no ledger.
    """
    with closing(Ledger(storage_url(storage), create=False, reading=not guard.edit)) as ledger:
        yield Dashboard(ledger, guard)


def _typed(content: str, body: bytes) -> Headers:
    length = ("Content-Length", str(len(body)))
    return [("Content-Type", content), length, ("Cache-Control", "no-cache")]


def _drain(environ: WSGIEnvironment) -> None:
    """Read a small body of a refused request; if it stays unread, the answer may be lost."""
    with suppress(ValueError, OSError):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(max(0, min(length, DRAINED)))
