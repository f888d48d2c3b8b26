"""What the API says of itself: the OpenAPI description, and a page that is drawn from it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape
from starlette.requests import Request

from sweep.service.access import role
from sweep.service.pages import page, root_of
from sweep.service.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fastapi import FastAPI

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
INTRODUCTION = (
    "Studies of a sweep server. Every request brings a token (`Authorization: Bearer TOKEN`) with "
    "the role read, submit or admin; each role includes those before it. Answers are the JSON that "
    "the commands print with `--format json`. A refusal is application/problem+json."
)
REFUSALS = {
    "401": "No valid token.",
    "403": "The token's role is too small, the study is somebody else's, or another site asks.",
    "404": "Nothing is at this address.",
    "413": "The body is too large.",
    "422": "What was sent is wrong; `problems` has each with its path, line and message.",
    "429": "Too many requests; `Retry-After` says for how many seconds to wait.",
}
PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string", "description": "the status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "the reason, with a remedy"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "line", "message"],
                "properties": {
                    "path": {"type": "string", "description": "such as search.cv, or query.limit"},
                    "line": {"type": ["integer", "null"], "description": "of the study file"},
                    "message": {"type": "string", "description": "rule, value and remedy"},
                },
            },
        },
    },
}
HEADER = "Authorization: Bearer $SWEEP_TOKEN"
EXAMPLES = {"key": "digits-grid", "form": "csv", "name": "digits", "source": "..."}
MEANINGS = {
    "key": "the study's address, as the list of studies has it; to compare: one for each study",
    "form": "`csv` or `json`",
    "offset": "how many studies to leave out at the beginning",
    "limit": "how many to give at most",
    "top": "how many candidates to give, best first; by default all",
    "retry_failed": "whether cells that failed are tried once more",
    "probe": "whether a few models are trained for a moment, to say how long it takes",
    "index": "parameters of the rows",
    "columns": "parameters of the columns",
    "values": "what stands in the cells; `mean_test_score` is the held-out score",
    "exact": "whether ranges are shown value by value, not in quartiles",
    "after": "the `number` of an earlier answer: the answer waits for another one",
    "wait": "seconds to wait for a change at most",
    "baseline": "the address of the study that the others are compared with; by default the first",
    "name": "the dataset's name",
}
"""Parameters that routes do not describe where they take them."""
FORMS = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")


def describe(app: FastAPI) -> None:
    """Have an application describe itself with the refusals that it gives.

    Parameters
    ----------
    app : FastAPI
        With all its routes.
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title="sweep", version=app.version, description=INTRODUCTION, routes=app.routes
            )
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    for path, method, operation in operations(made):
        text = " ".join(operation.get("description", "").split()).replace("``", "`")
        operation["summary"] = text.partition(". ")[0].rstrip(".") or operation["summary"]
        operation["description"] = text
        for each in operation.get("parameters", ()):
            each.setdefault("description", MEANINGS.get(each["name"], ""))
        operation["responses"] |= _refusals(path, method, operation)
    return made


def _refusals(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"401", "403", "429"}
    if "{" in path:
        asked |= {"404", "422"}
    if operation.get("parameters"):
        asked.add("422")
    if method != "get":
        asked |= {"413", "422"}
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": REFUSALS[status], "content": content} for status in sorted(asked)
    }


def operations(made: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each operation."""
    for path, held in made["paths"].items():
        for method, operation in held.items():
            yield path, method, operation


@router.get("/api/v1/docs", dependencies=[role("read")])
def documentation(request: Request) -> str:
    """Show the routes of the API, with their parameters and an example of each."""
    made = request.app.openapi()
    base = f"{request.url.scheme}://{request.url.netloc}{root_of(request)}"
    rows = [
        {
            "path": path, "method": method.upper(), "role": operation["tags"][-1],
            "summary": operation["summary"], "description": operation["description"],
            "parameters": list(_parameters(made, operation)),
            "example": _example(base, path, method, operation, made),
            "refusals": sorted(each for each in operation["responses"] if each >= "400"),
        }
        for path, method, operation in operations(made)
    ]  # fmt: skip
    return page(
        request, "api.html.j2", rows=rows, refusals=REFUSALS, introduction=INTRODUCTION,
        coded=coded,
    )  # fmt: skip


def coded(words: str) -> Markup:
    """Return a text as HTML, what stands between backticks as code."""
    pieces = [escape(each) for each in words.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if place % 2 else each
        for place, each in enumerate(pieces)
    )


def _parameters(made: Any, operation: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for each in operation.get("parameters", ()):
        yield _parameter(each["name"], each["in"], each["schema"], each)
    schema = _body(made, operation)
    for name, held in schema.get("properties", {}).items():
        needed = {"required": name in schema.get("required", ())}
        yield _parameter(name, "body", held, {**held, **needed})


def _parameter(
    name: str, where: str, schema: Mapping[str, Any], held: Mapping[str, Any]
) -> dict[str, str]:
    kinds = [schema, *schema.get("anyOf", ())]
    given = schema.get("default", "")
    default = given if isinstance(given, str) else json.dumps(given)
    return {
        "name": name, "where": where, "default": "required" if held.get("required") else default,
        "kind": next((str(each["type"]) for each in kinds if "type" in each), ""),
        "text": held.get("description") or schema.get("description") or MEANINGS.get(name, ""),
    }  # fmt: skip


def _body(made: Any, operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a request's body; empty for none, or where it is a file."""
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next(
        (content[form].get("schema", {}) for form in FORMS if form in content), {}
    )
    reference = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = made["components"]["schemas"].get(reference, schema)
    return found


def _example(base: str, path: str, method: str, operation: Mapping[str, Any], made: Any) -> str:
    """Return a command line that asks for a route."""
    words = ["curl", "-H", HEADER]
    if method != "get":
        words += ["-X", method.upper()]
    schema = _body(made, operation)
    needed = {
        name: EXAMPLES.get(name, 1 if held.get("type") == "integer" else "...")
        for name, held in schema.get("properties", {}).items()
        if name in schema.get("required", ())
    }
    if needed:
        words += ["--json", json.dumps(needed)]
    elif "requestBody" in operation and not schema.get("properties"):
        words += ["--data-binary", "@FILE"]
    for name, value in EXAMPLES.items():
        path = path.replace(f"{{{name}}}", value)
    asked = "&".join(
        f"{each['name']}=..." for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    )  # fmt: skip
    words.append(f"{base}{path}{'?' if asked else ''}{asked}")
    line = shlex.join(words)
    return line.replace(
        "'Authorization: Bearer $SWEEP_TOKEN'", '"Authorization: Bearer $SWEEP_TOKEN"'
    )
