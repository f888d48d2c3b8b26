"""A sweep server in Python: ``sweep.connect(address)``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.client.address import server_address
from sweep.client.connection import Connection, NoSuchStudyError
from sweep.client.source import problems_of, sent
from sweep.errors import StudyNotFoundError
from sweep.support.file_names import slug
from sweep.support.suggestion import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from sweep.client.address import ServerAddress
    from sweep.client.source import Study
    from sweep.client.study import ServerStudy
    from sweep.ledger.overview import StudyOverview
    from sweep.runner.progress import Watcher
    from sweep.spec import StudySpec
    from sweep.study.answers.actions import Stop, Submission
    from sweep.study.answers.outcome import Leaderboard, Outcome
    from sweep.study.answers.plan import StudyPlan
    from sweep.study.result import StudyResult

T = TypeVar("T")
PAGE = 1000


def connect(url: str | None = None, *, token: str | None = None) -> Server:
    """Connect to a sweep server: hand studies in there, read what they found as if they ran here.

    Parameters
    ----------
    url : str, optional
        Its address, such as ``http://127.0.0.1:8080``; one with ``?token=``, as ``sweep serve``
        prints it, will do. By default that of the environment variable ``SWEEP_SERVER``.
    token : str, optional
        The token that lets one in; by default ``SWEEP_TOKEN``.

    Returns
    -------
    Server

    Raises
    ------
    ServiceError
        If the address cannot be read, no server answers there, or it refuses the token.

    Examples
    --------
    >>> server = sweep.connect("http://127.0.0.1:8080")  # doctest: +SKIP
    >>> found = server.submit("digits-grid", wait=True)  # doctest: +SKIP
    >>> found.best_params_  # doctest: +SKIP
    """
    server = Server(server_address(url, token, "connect"))
    server.connection.get("/me")
    return server


class Server:
    """A server and its studies; see :func:`connect`.

    Parameters
    ----------
    address : ServerAddress
        Where it is, and the token.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.url = address.url
        self.connection = Connection(address)

    def studies(self) -> list[StudyOverview]:
        """Return every study of the server in a few numbers, oldest first."""
        from sweep.ledger.overview import StudyOverview

        names = StudyOverview.__dataclass_fields__
        found = []
        for row in self._rows():
            held: dict[str, Any] = {name: row[name] for name in names if name in row}
            found.append(StudyOverview(**{**held, "hosts": tuple(row["hosts"])}))
        return found

    def names(self) -> list[str]:
        """Return the names of the server's studies, oldest first."""
        return [str(row["name"]) for row in self._rows()]

    def study(
        self, name: str, *, allow: Collection[str] = (),
        find: Callable[[str, str], StudyResult] | None = None,
    ) -> ServerStudy:  # fmt: skip
        """Return a study as it stands now.

        Parameters
        ----------
        name : str
            The study.
        allow : collection of str
            Modules that ``best_estimator_`` may load code from, on this machine.
        find : callable, optional
            ``find(ledger, name)`` reads the study, where not all of it is wanted.

        Raises
        ------
        StudyNotFoundError
            If the server has none of that name; a mistyped one gets a suggestion.
        """
        from sweep.client.downloads import StudyCopy
        from sweep.client.study import ServerStudy
        from sweep.study.result import open_study

        copy = self._of(name, lambda: StudyCopy(self.connection, name))
        record = (find(copy.url, name) if find else open_study(name, copy.url)).record
        if record.status == "stopped" and (status := self._status(name)) != "stopped":
            record = replace(record, queued=status)
        return ServerStudy(record, copy, self.url, allow)

    def submit(
        self, study: Study, *, wait: bool = False, retry_failed: bool = False,
        watcher: Watcher | None = None,
    ) -> ServerStudy:  # fmt: skip
        """Hand a study in; the server's workers take its cells.

        Parameters
        ----------
        study : StudySpec, path, name of a shipped study, or mapping
            As for :func:`sweep.run_study`.
        wait : bool, default False
            Whether to wait until the study has ended. Ctrl-C ends the waiting, not the study.
        retry_failed : bool, default False
            Whether cells that failed are tried once more.
        watcher : Watcher, optional
            Is told how far the study is while this waits.

        Returns
        -------
        StudyResult
            As it stands, or with ``wait`` as it has ended.

        Raises
        ------
        StudyFileError
            With every problem that the file has for this server.
        """
        found = self.hand_in(study, retry_failed=retry_failed)
        if wait:
            self.watch(found.study, watcher, found.waiting)
        return self.study(found.study)

    def hand_in(
        self, study: Study, *, retry_failed: bool = False, label: str | None = None
    ) -> Submission:
        """Hand a study in; return how many of its cells were queued and wait.

        Parameters
        ----------
        study, retry_failed
            As for :meth:`submit`.
        label : str, optional
            What messages call the file.
        """
        handed = sent(study)
        body = {**handed.body(), "retry_failed": retry_failed}
        with problems_of(label or handed.label):
            answer = self.connection.post("/studies", body)
        from sweep.study.answers.actions import Submission

        return Submission(answer["name"], answer["enqueued"], answer["waiting"])

    def watch(self, name: str, watcher: Watcher | None = None, waiting: int = 0) -> None:
        """Wait until a study has ended or was stopped.

        Parameters
        ----------
        name : str
            The study.
        watcher : Watcher, optional
            Is told how far it is.
        waiting : int
            Cells that waited when it was handed in.
        """
        from sweep.client.watching import watch

        self._of(name, lambda: watch(self.connection, name, watcher, waiting))

    def outcome(self, name: str) -> Leaderboard[Outcome]:
        """Return how a study has ended and who leads it, without downloading it.

        Parameters
        ----------
        name : str
            The study.
        """
        from sweep.study.answers.outcome import leaderboard_from_plain

        return leaderboard_from_plain(
            self._of(name, lambda: self.connection.get(f"/studies/{slug(name)}/outcome"))
        )

    def check(
        self, study: Study, *, probe: bool = False, label: str | None = None
    ) -> dict[str, Any]:
        """Check a study for this server, without handing it in; return its plan.

        Parameters
        ----------
        study : StudySpec, path, name of a shipped study, or mapping
            As for :func:`sweep.run_study`.
        probe : bool, default False
            Whether the server trains a moment to estimate the time.
        label : str, optional
            What messages call the file.

        Raises
        ------
        StudyFileError
            With every problem that the file has for this server.
        """
        asked = sent(study)
        body = {**asked.body(), "probe": probe}
        with problems_of(label or asked.label):
            plan: dict[str, Any] = self.connection.post("/check", body)
        return plan

    def plan(self, spec: StudySpec, *, probe: bool = False, label: str) -> StudyPlan:
        """Check a study as :meth:`check` does; return the plan as ``sweep check`` draws it."""
        from sweep.client.plan import study_plan

        plain = self.check(spec, probe=probe, label=label)
        known = None if plain["status"] == "new" else self.study(spec.study.name).record
        return study_plan(spec, plain, known)

    def stop(self, name: str) -> Stop:
        """Have every worker of a study finish its cell and leave."""
        from sweep.study.answers.actions import Stop

        return Stop(**self._of(name, lambda: self.connection.post(f"/studies/{slug(name)}/stop")))

    def delete(self, name: str) -> list[str]:
        """Delete a study, its trials and weights; return messages about files that are left."""
        answer = self._of(name, lambda: self.connection.delete(f"/studies/{slug(name)}"))
        return list(answer["left"])

    def export(self, name: str, folder: str | Path) -> Path:
        """Write a study's winner into a folder; the server makes it, as ``sweep export`` does."""
        from sweep.client.downloads import download_export

        return self._of(name, lambda: download_export(self.connection, name, folder))

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    def _status(self, name: str) -> str:
        """Return what the server says of a study whose cells wait."""
        answer = self._of(name, lambda: self.connection.get(f"/studies/{slug(name)}/now"))
        return str(answer["status"])

    def _rows(self) -> list[dict[str, Any]]:
        """Return all pages of the list of studies."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.connection.get("/studies", offset=len(rows), limit=PAGE)
            rows += page["studies"]
            if not page["studies"] or len(rows) >= page["total"]:
                return rows

    def _of(self, name: str, ask: Callable[[], T]) -> T:
        """Ask about a study; say which there are where there is none of that name."""
        try:
            return ask()
        except NoSuchStudyError:
            known = self.names()
            if name in known:
                raise
            there_are = ", ".join(known) or "none yet"
            message = f"no study named {name!r} at {self.url}; there are: {there_are}"
            raise StudyNotFoundError(f"{message}.{suggestion(name, known)}") from (
                StudyNotFoundError(message)
            )
