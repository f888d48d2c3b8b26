"""The page on which a study is handed in."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from sweep.errors import StudyFileError
from sweep.service.access import Services, role, service_of
from sweep.service.app import Service
from sweep.service.changes import Submitter, checked_priority, hand_in, planned
from sweep.service.handing_in import plain_problems
from sweep.service.known_data import find_dataset, known_datasets
from sweep.service.lists import newest_names
from sweep.service.pages import page, seen
from sweep.service.problems import RefusedError
from sweep.service.tokens import Identity
from sweep.service.turns import in_turn
from sweep.spec import read_study_text, shipped_studies
from sweep.spec.toml import to_toml
from sweep.support.redaction import redacted

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LARGEST = 1_000_000
OWN_NAME, OWN_DATASET = "my-study", "mine.npz"
OWN_DATA = """\
# How many filters, how much dropout and how many epochs does a network need on my pictures?
[study]
name = "my-study"

[data]
dataset = "mine.npz"           # the page Data lists the names, and takes uploads
scaling = "unit"               # pixels from 0 to 1

[model]
factory = "cnn"

[search]
method = "grid"
cv = 5

[space]
filters = [16, 32]
conv_dropout_rate = [0.0, 0.3]
epochs = [5, 10]               # one fit of 10 epochs answers both
"""
FIRST = "shipped:digits-grid"
SPARE_LINES = 3
"""Empty lines below the text, where no script makes the field grow."""
SHOWN = 100
"""Characters of a line that is shown beside its problem."""


@router.get("/new", dependencies=[role("submit")])
def new(
    request: Request, service: Services,
    begun: Annotated[str, Query(alias="from", max_length=300)] = FIRST,
) -> str:  # fmt: skip
    """Show the field; begin from ``own``, ``data:NAME``, ``shipped:NAME`` or ``study:KEY``."""
    kind, _, name = begun.partition(":")
    source = _for_data(service, name if kind == "data" else "")
    if kind == "study":
        source = _from_study(service, name)
    elif kind == "shipped" and name in shipped_studies():
        source = _under_free_name(service, shipped_studies()[name].read_text("utf-8"), name)
    return _page(request, source, begun=begun)


@router.post("/new")
async def handed_in(
    request: Request, service: Services, who: Submitter, source: Annotated[str, Form()] = "",
    act: Annotated[str, Form()] = "submit", file: UploadFile | None = None,
    priority: Annotated[str, Form(max_length=20)] = "0",
) -> Response:  # fmt: skip
    """Check what stands in the field, or hand it in; problems are shown beside it."""
    source = source.replace("\r\n", "\n")
    if file is not None and file.filename:
        source, act = (await file.read(LARGEST)).decode("utf-8-sig", "replace"), "load"
    if act == "load":
        return HTMLResponse(_page(request, source, priority=priority))
    answer = partial(_answer, request, service, who, source, act, priority)
    return await (run_sync(answer) if act in ("check", "probe") else in_turn(answer))


def _answer(
    request: Request, service: Service, who: Identity, source: str, act: str, priority: str
) -> Response:
    try:
        if act in ("check", "probe"):
            found = planned(service, source, probe=act == "probe")
            return HTMLResponse(
                _page(request, source, priority=priority, **_checked(source, found))
            )
        made = hand_in(service, who, source, priority=checked_priority(priority))
    except RefusedError as error:
        values = {"priority": priority, **_checked(source, error)}
        return HTMLResponse(_page(request, source, **values), error.refusal.status)
    return seen(request, f"/studies/{made['key']}")


@router.post("/fragments/check", dependencies=[role("submit")])
def checked(
    request: Request, service: Services, source: Annotated[str, Form()] = "",
    *, probe: Annotated[bool, Form()] = False,
) -> str:  # fmt: skip
    """Return the plan of what stands in the field, or its problems."""
    source = source.replace("\r\n", "\n")
    try:
        found = _checked(source, planned(service, source, probe=probe))
    except RefusedError as error:
        found = _checked(source, error)
    return page(request, "checked.html.j2", **found)


def _checked(source: str, found: dict[str, Any] | RefusedError) -> dict[str, Any]:
    """Return what the page says of a check: the plan, or each problem with its line's text."""
    if not isinstance(found, RefusedError):
        notes = [*found["data_notes"], *found["warnings"]]
        if found["ruled_out"]:
            notes.append(f"{found['ruled_out']} cells have too many weights and are not trained")
        if found["outer_folds"]:
            notes.append(f"the search is repeated on {found['outer_folds']} outer folds")
        notes += [found["note"]] if found["note"] else []
        return {"plan": found, "problems": [], "notes": notes}
    problems = plain_problems(found) or [{"path": "", "line": None, "message": str(found)}]
    lines = source.split("\n")
    for each in problems:
        line = each.get("line") or 0
        each["text"] = lines[line - 1].strip()[:SHOWN] if 0 < line <= len(lines) else ""
    return {"plan": None, "problems": problems, "notes": []}


def _page(request: Request, source: str, **values: Any) -> str:
    shown = {"plan": None, "problems": [], "notes": [], "begun": "", "priority": "0", **values}
    return page(
        request, "new.html.j2", source=source, shipped=list(shipped_studies()),
        studies=newest_names(service_of(request).snapshot.copy.studies),
        rows=source.count("\n") + 1 + SPARE_LINES, **shown,
    )  # fmt: skip


def _from_study(service: Services, key: str) -> str:
    """Return the file of a study under a new name."""
    name = service.snapshot.copy.names.get(key)
    if name is None:
        raise RefusedError(404, f"no study is at {key!r}")
    source = redacted(str(service.reader.header(name)["source"]))
    return renamed(source, _free_name(service, name))


def _for_data(service: Services, name: str) -> str:
    """Return the example for a dataset of this server; by default for the newest upload."""
    if name:
        dataset = find_dataset(service.settings, name).dataset
    else:
        known = [d for d in known_datasets(service.settings) if d.kept.uploaded_at]
        newest = max(known, key=lambda d: d.kept.uploaded_at, default=None)
        dataset = newest.dataset if newest else OWN_DATASET
    source = OWN_DATA.replace(f'"{OWN_DATASET}"', json.dumps(dataset, ensure_ascii=False))
    return _under_free_name(service, source, OWN_NAME)


def _under_free_name(service: Services, source: str, name: str) -> str:
    """Return a study file as it is, under another name where a study has its name."""
    taken = name in service.snapshot.copy.by_name
    return renamed(source, _free_name(service, name)) if taken else source


def _free_name(service: Services, name: str) -> str:
    taken, number = set(service.snapshot.copy.by_name), 2
    stem = re.sub(r"-\d{1,6}$", "", name) or name
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def renamed(source: str, name: str) -> str:
    """Return a study file with another name; its text stays, where that can be done."""
    text = json.dumps(name, ensure_ascii=False)
    changed = re.sub(r'(?m)^(\s*name\s*=\s*)("[^"\n]*"|\'[^\'\n]*\')', lambda m: m[1] + text,
                     source, count=1)  # fmt: skip
    try:
        spec = read_study_text(source, set_=[f"study.name={text}"])
        if changed != source and read_study_text(changed).study.name == name:
            return changed
    except StudyFileError:
        return changed
    return to_toml(spec.sections())
