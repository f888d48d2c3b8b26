"""Requests to a server, and what goes wrong with them in plain words."""

from __future__ import annotations

import json
import time
import weakref
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

import httpx2 as httpx

from sweep.client.address import SERVER, TOKEN
from sweep.errors import ServiceError, StudyFileError
from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from sweep.client.address import ServerAddress

API = "/api/v1"
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0
"""How long an answer may take: a study that is handed in is checked first."""
EXPORT_SECONDS = 900.0
UNPROCESSABLE = 422
PASSING = (502, 503, 504)
"""What a proxy answers while the server behind it is restarted, and a server that is full."""
NO_ROUTE = "Not Found"
"""What a server of sweep says of an address that it does not have, as of one below a page's."""
TRIES = 4
"""So often is asked again where the server says that there are too many requests."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONGEST_SHOWN = 300


class NoSuchStudyError(ServiceError):
    """The server has nothing at an address."""


class AwayError(ServiceError):
    """The server does not answer; it may be restarted.

    Parameters
    ----------
    short : str
        What is wrong.
    remedy : str
        What to do about it; empty where ``short`` says it.
    """

    def __init__(self, short: str, remedy: str = "") -> None:
        self.short = short
        super().__init__(f"{short}; {remedy}" if remedy else short)


class Connection:
    """Ask one server.

    Parameters
    ----------
    address : ServerAddress
        Where it is, and the token.
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        headers = {"Accept": "application/json"}
        if address.token:
            headers["Authorization"] = f"Bearer {address.token}"
        self._client = httpx.Client(
            base_url=address.url + API,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            # Certificates are read where they are needed; redirections are not followed.
            verify=not address.plain,
            # A proxy of the environment does not lead to this machine.
            trust_env=httpx.URL(address.url).host not in LOOPBACK,
        )

        weakref.finalize(self, self._client.close)

    def close(self) -> None:
        """Close the connection; later requests fail."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON at a path of the API."""
        return self._json("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send JSON; return the answer."""
        return self._json("POST", path, json=dict(body or {}))

    def delete(self, path: str) -> Any:
        """Ask to delete what is at a path; return the answer."""
        return self._json("DELETE", path)

    def download(self, path: str, file: BinaryIO, seconds: float = ANSWER_SECONDS) -> None:
        """Write what is at a path into an open file."""
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        with self._in_plain_words(), self._client.stream("GET", path, timeout=timeout) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise self._error(answer)
            file.writelines(answer.iter_bytes())

    def _json(self, method: str, path: str, **options: Any) -> Any:
        with self._in_plain_words():
            answer = self._patiently(method, path, **options)
            if not answer.is_success:
                raise self._error(answer)
            try:
                return answer.json()
            except ValueError:
                raise self._no_server(answer) from None

    def _patiently(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask; ask again a little later where there are too many requests."""
        for _ in range(TRIES - 1):
            answer = self._client.request(method, path, **options)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return answer
            time.sleep(_seconds(answer.headers.get("retry-after")))
        return self._client.request(method, path, **options)

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        url = self.address.url
        try:
            yield
        except httpx.ConnectError as error:
            raise AwayError(
                f"{url}: no server answers there ({_why(error)})",
                f"start one with `sweep serve`, or name another with --server or {SERVER}",
            ) from None
        except httpx.TimeoutException:
            raise AwayError(f"{url}: the server did not answer in time", "try again") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise AwayError(
                f"{url}: the connection was lost ({_why(error)})",
                "what it was told before, the server does: `sweep list` shows it",
            ) from None
        except httpx.InvalidURL as error:
            raise ServiceError(f"{url} is no address of a server: {error}") from None

    def _error(self, answer: httpx.Response) -> ServiceError | StudyFileError:
        """Return what the server's refusal means."""
        problem = _problem(answer)
        if problem is None or problem.get("detail") == NO_ROUTE:
            return self._failed(answer)
        url, detail = self.address.url, str(problem.get("detail") or problem.get("title"))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return ServiceError(f"{url}: {self._token_refused()}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return NoSuchStudyError(f"{url}: {detail}")
        if answer.status_code == UNPROCESSABLE:
            return _unprocessable(detail, problem.get("problems") or [])
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return AwayError(f"{url}: {detail}")
        return ServiceError(f"{url}: {detail}")

    def _token_refused(self) -> str:
        how = "`sweep serve token add NAME` on that machine makes one"
        if not self.address.token:
            return f"a token is needed: set {TOKEN}; {how}"
        return f"the token is refused: it is unknown here, or was revoked; {how}, for {TOKEN}"

    def _failed(self, answer: httpx.Response) -> ServiceError:
        """Return what an answer means that is no refusal of sweep's own."""
        url, status = self.address.url, f"(status {answer.status_code})"
        if answer.status_code in PASSING:
            said = f"{url}: the server is away or has too much to do {status}"
            return AwayError(said, "try again")
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            return ServiceError(f"{url}: the server failed {status}; its log may say more")
        return self._no_server(answer)

    def _no_server(self, answer: httpx.Response) -> ServiceError:
        return ServiceError(
            f"{self.address.url}: what answers there is no server of sweep (status "
            f"{answer.status_code}); use the address that `sweep serve` has printed, without the "
            "path of a page"
        )


def _unprocessable(detail: str, problems: list[Mapping[str, Any]]) -> ServiceError | StudyFileError:
    """Return the problems of a study file, each at its line; or one of another kind."""
    if not problems or [each.get("message") for each in problems] == [detail]:
        return ServiceError(redacted(detail))
    places = [(str(p.get("path", "")), p.get("line"), str(p.get("message"))) for p in problems]
    places.sort(key=lambda place: place[1] or inf)  # in the order of the file
    lines = [f"{_place(path, line)}{message}" for path, line, message in places]
    return StudyFileError("the study file", lines, places)


def _place(path: str, line: int | None) -> str:
    at = "" if line is None else f" (line {line})"
    return f"{path}{at}: " if path or at else ""


def _problem(answer: httpx.Response) -> dict[str, Any] | None:
    """Return a refusal of sweep's own; None for an answer of something else."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        found = json.loads(answer.text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _seconds(text: str | None) -> float:
    return min(10.0, float(text)) if text and text.isdigit() else 1.0


def _why(error: Exception) -> str:
    """Return the system's words for an error, without its number."""
    text = str(error).partition("] ")[2] or str(error) or type(error).__name__
    return redacted(text)[:LONGEST_SHOWN]
