"""``/api/v1``: what changes studies: check, hand in, stop, continue, delete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from sweep.errors import LedgerAwayError, StudyFileError, StudyNotFoundError, SweepError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import study_spec
from sweep.service.access import Services, StudyName, check_owner, role
from sweep.service.acts import acting
from sweep.service.api import as_json
from sweep.service.app import Service
from sweep.service.handing_in import read_source, refused
from sweep.service.own_process import ask_own_process, needs_own_process
from sweep.service.problems import RefusedError
from sweep.service.settings import Settings
from sweep.service.tokens import Identity
from sweep.service.turns import in_turn
from sweep.spec import StudySpec
from sweep.study.answers import actions
from sweep.study.answers.plan import StudyPlan, known_study, plain_plan, plan_study
from sweep.study.delete import delete_study
from sweep.support.file_names import slug

router = APIRouter(prefix="/api/v1", tags=["submit"], dependencies=[role("submit")])
Source = Annotated[str, Body(description="the study file, TOML")]
Name = Annotated[str | None, Body(description="another name for the study")]
Submitter = Annotated[Identity, role("submit")]
HIGHEST = 100
Priority = Annotated[
    int, Body(ge=-HIGHEST, le=HIGHEST, description="higher ones come first; 0 is usual")
]


@router.post("/check")
def check(
    service: Services, source: Source, name: Name = None, *, probe: Annotated[bool, Body()] = False
) -> Response:
    """Check a study file; 422 with every problem at its line, else the plan."""
    return as_json(planned(service, source, name, probe=probe))


@router.post("/studies", status_code=201)
async def submit(
    service: Services, who: Submitter, source: Source, name: Name = None,
    *, retry_failed: Annotated[bool, Body()] = False, priority: Priority = 0,
) -> Response:  # fmt: skip
    """Hand a study in: it is checked, put into the ledger and queued."""
    act = partial(hand_in, service, who, source, name, retry_failed=retry_failed, priority=priority)
    return as_json(await in_turn(act), 201)


@router.post("/studies/{key}/stop")
def stop(request: Request, service: Services, name: StudyName, who: Submitter) -> Response:
    """Have the workers of a study finish their cells and leave it."""
    _check_own(request, service, name)
    with acting(service.ledger, who.name, "stop", name):
        found = actions.stop(service.settings.storage, name)
    service.changed()
    return as_json(asdict(found))


@router.post("/studies/{key}/continue")
async def go_on(request: Request, service: Services, name: StudyName, who: Submitter) -> Response:
    """Take a request to stop back, and queue the cells that are left."""
    return await in_turn(partial(_again, request, service, name, who, "continue"))


@router.post("/studies/{key}/retry")
async def retry(request: Request, service: Services, name: StudyName, who: Submitter) -> Response:
    """Queue the cells that failed once more."""
    return await in_turn(partial(_again, request, service, name, who, "retry", retry_failed=True))


@router.post("/studies/{key}/priority")
def change_priority(
    request: Request, service: Services, name: StudyName, who: Submitter,
    priority: Annotated[Priority, Body(embed=True)],
) -> Response:  # fmt: skip
    """Say how soon a study's turn comes."""
    set_priority(request, service, name, who, priority)
    return as_json({"study": name, "priority": priority})


@router.delete("/studies/{key}")
def delete(request: Request, service: Services, name: StudyName, who: Submitter) -> Response:
    """Delete a study, its trials and weights."""
    _check_own(request, service, name)
    with acting(service.ledger, who.name, "delete", name):
        left = delete_study(name, service.settings.storage)
    service.changed()
    return as_json({"study": name, "left": left})


def set_priority(
    request: Request, service: Service, name: str, who: Identity, priority: int
) -> None:
    """Change how soon a study's turn comes, and write down who did it.

    Raises
    ------
    RefusedError
        403 where the study is somebody else's; 422 for a number out of range.
    """
    _check_own(request, service, name)
    checked_priority(priority)
    with acting(service.ledger, who.name, "priority", name, str(priority)):
        service.ledger.set_priority(name, priority)
    service.changed()


def checked_priority(value: int | str) -> int:
    """Return a priority that somebody has given; refuse with 422 what is none."""
    with suppress(ValueError):
        if -HIGHEST <= (priority := int(value)) <= HIGHEST:
            return priority
    message = f"a priority is a whole number from {-HIGHEST} to {HIGHEST}, not {value!r}"
    raise RefusedError(422, message, [{"path": "priority", "line": None, "message": message}])


def planned(
    service: Service, source: str, name: str | None = None, *, probe: bool = False
) -> dict[str, Any]:
    """Return the plan of a study file as JSON; with a probe also the minutes.

    Raises
    ------
    RefusedError
        422 with every problem.
    """
    settings = service.settings
    spec = read_source(settings, source, name)
    if probe or needs_own_process(spec):
        return ask_own_process(settings, "plan", source=source, name=name, probe=probe)
    return plain_plan(plan_of(settings, spec))


def plan_of(settings: Settings, spec: StudySpec, *, probe: bool = False) -> StudyPlan:
    """Return the plan of a study on a server with these settings; see :func:`planned`."""
    with _problems_as_answers():
        known = known_study(settings.storage, spec)
        return plan_study(
            settings.storage, spec, known, data_home=settings.data_home, allow=settings.allow,
            probe=probe,
        )  # fmt: skip


def spec_of(
    settings: Settings, source: str | None, name: str | None, stored: str | None = None
) -> StudySpec:
    """Return a study that is handed in, or one that the ledger holds under a name."""
    if stored is None:
        return read_source(settings, source or "", name)
    with closing(Ledger(settings.storage, reading=True)) as ledger:
        return study_spec(stored, ledger.header(stored))


def hand_in(
    service: Service, who: Identity, source: str, name: str | None = None, *,
    retry_failed: bool = False, priority: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Check a study file and queue it; return its name, address, and cells queued and waiting.

    Raises
    ------
    RefusedError
        422 with every problem; 403 where the study is somebody else's.
    """
    spec = read_source(service.settings, source, name)
    _check_may_continue(service, who, spec.study.name)
    told = {"source": source, "name": name}
    was_open = _is_open(service, spec.study.name)
    with acting(service.ledger, who.name, "submit", spec.study.name) as written:
        cells = _submitted(service, who, spec, told, retry_failed=retry_failed)
        if priority:
            service.ledger.set_priority(spec.study.name, priority)
        if was_open and not cells:
            written.detail = "again: nothing to add"
    waiting = service.reader.counts(spec.study.name)["WAITING"]
    service.changed()
    held = {"enqueued": cells, "waiting": waiting}
    return {"key": slug(spec.study.name), "name": spec.study.name, **held}


def _is_open(service: Service, name: str) -> bool:
    """Return whether the ledger has a study, and nobody has stopped it."""
    return service.reader.has(name) and service.reader.stopped(name) is None


def _submitted(
    service: Service, who: Identity, spec: StudySpec, told: Mapping[str, Any], *,
    retry_failed: bool,
) -> int:  # fmt: skip
    settings = service.settings
    if not needs_own_process(spec):
        return submit_here(settings, spec, who.name, retry_failed=retry_failed)
    found = ask_own_process(settings, "submit", **told, owner=who.name, retry_failed=retry_failed)
    return int(found["enqueued"])


def submit_here(settings: Settings, spec: StudySpec, owner: str, *, retry_failed: bool) -> int:
    """Put a study into the ledger, in this process; return how many cells were queued."""
    from sweep.study.submit import submit_study

    with _problems_as_answers():
        return submit_study(
            spec, storage=settings.storage, data_home=settings.data_home, allow=settings.allow,
            retry_failed=retry_failed, owner=owner,
        )  # fmt: skip


def _again(
    request: Request, service: Service, name: str, who: Identity, act: str,
    *, retry_failed: bool = False,
) -> Response:  # fmt: skip
    _check_own(request, service, name)
    spec = study_spec(name, service.reader.header(name))
    with acting(service.ledger, who.name, act, name):
        cells = _submitted(service, who, spec, {"stored": name}, retry_failed=retry_failed)
    service.changed()
    return as_json({"study": name, "enqueued": cells})


def _check_own(request: Request, service: Service, name: str) -> None:
    check_owner(request, str(service.reader.header(name).get("owner", "")))


def _check_may_continue(service: Service, who: Identity, name: str) -> None:
    """Refuse to go on with, or to retry, a study of somebody else's under its name."""
    if not service.reader.has(name) or who.may("admin"):
        return
    owner = str(service.reader.header(name).get("owner", ""))
    if owner != who.name:
        raise RefusedError(
            403, f"a study named {name!r} is there, of {owner}; give yours another name"
        )


@contextmanager
def _problems_as_answers() -> Iterator[None]:
    """Turn what a study file gets wrong on this server into the answer 422."""
    try:
        yield
    except StudyFileError as error:
        raise refused(error) from error
    except LedgerAwayError as error:
        raise RefusedError(503, str(error)) from error
    except StudyNotFoundError as error:
        raise RefusedError(404, str(error)) from error
    except SweepError as error:
        problem = {"path": "", "line": None, "message": str(error)}
        raise RefusedError(422, str(error), [problem]) from error
