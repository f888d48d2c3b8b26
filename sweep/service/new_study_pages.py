"""The page on which a study is handed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from sweep.errors import StudyFileError
from sweep.service.access import Services, role
from sweep.service.changes import Submitter, hand_in, planned
from sweep.service.handing_in import plain_problems
from sweep.service.pages import page, seen
from sweep.service.problems import RefusedError
from sweep.spec import read_study_text, shipped_studies
from sweep.spec.toml import to_toml
from sweep.study.answers.plan import plain_plan
from sweep.support.redaction import redacted

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LARGEST = 1_000_000
OWN_DATA = """\
[study]
name = "my-study"

[data]
dataset = "mine.npz"        # uploaded on the page Data
train_rows = 2000

[model]
factory = "cnn"

[search]
method = "grid"
cv = 5

[space]
filters = [16, 32]
dropout_rate = [0.0, 0.3]
epochs = [5, 10]
"""
FIRST = "digits-grid"


@router.get("/new", dependencies=[role("submit")])
def new(
    request: Request, service: Services, shipped: str = FIRST, study: str = "", own: str = ""
) -> str:
    """Show the field, with a study to begin from."""
    if own:
        source = OWN_DATA
    elif study:
        source = _from_study(service, study)
    else:
        path = shipped_studies().get(shipped)
        source = path.read_text("utf-8") if path else ""
    return _page(request, source)


@router.post("/new")
def handed_in(
    request: Request, service: Services, who: Submitter, source: Annotated[str, Form()] = "",
    act: Annotated[str, Form()] = "submit", file: UploadFile | None = None,
) -> Response:  # fmt: skip
    """Check what stands in the field, or hand it in; problems are shown beside it."""
    if file is not None and file.filename:
        source = file.file.read(LARGEST + 1).decode("utf-8", "replace")
        return HTMLResponse(_page(request, source))
    try:
        if act == "check":
            plan = plain_plan(planned(service, source, None))
            return HTMLResponse(_page(request, source, plan=plan))
        found = hand_in(service, who, source)
    except RefusedError as error:
        problems = plain_problems(error) or [{"path": "", "line": None, "message": str(error)}]
        return HTMLResponse(_page(request, source, problems=problems), error.refusal.status)
    return seen(request, f"/studies/{found['key']}")


@router.post("/fragments/check", dependencies=[role("submit")])
def checked(request: Request, service: Services, source: Annotated[str, Form()] = "") -> str:
    """Return the plan of what stands in the field, or its problems."""
    try:
        return page(request, "checked.html.j2", plan=plain_plan(planned(service, source, None)),
                    problems=[])  # fmt: skip
    except RefusedError as error:
        problems = plain_problems(error) or [{"path": "", "line": None, "message": str(error)}]
        return page(request, "checked.html.j2", plan=None, problems=problems)


def _page(request: Request, source: str, **values: Any) -> str:
    shown = {"plan": None, "problems": [], **values}
    return page(request, "new.html.j2", source=source, shipped=list(shipped_studies()), **shown)


def _from_study(service: Services, key: str) -> str:
    """Return the file of a study under a new name."""
    name = service.snapshot.copy.names.get(key)
    if name is None:
        raise RefusedError(404, f"no study is at {key!r}")
    source = redacted(str(service.ledger.header(name)["source"]))
    return renamed(source, _free_name(service, name))


def _free_name(service: Services, name: str) -> str:
    taken, number = set(service.snapshot.copy.by_name), 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def renamed(source: str, name: str) -> str:
    """Return a study file with another name; its text stays, where that can be done."""
    import json
    import re

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
