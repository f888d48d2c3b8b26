"""What the API says of itself: its OpenAPI description and the page drawn from it."""

import re

import pytest
from fastapi.routing import iter_route_contexts
from service_client import START, bearer, opened

from sweep.service.description import operations
from sweep.service.problems import PROBLEM_TYPE

API = "/api/v1"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A client of a service, and the description."""
    folder = tmp_path_factory.mktemp("api")
    with opened(f"sqlite:///{folder}/ledger.db") as (_, client):
        client.headers.update(bearer(START))
        yield client, client.get(f"{API}/openapi.json").json()


def test_every_route_of_the_api_is_described(asked):
    """But the description itself and the page."""
    client, made = asked
    found = {
        (method, each.path)
        for each in iter_route_contexts(client.app.routes)
        for method in each.methods or ()
        if each.path.startswith(API) and method != "HEAD"
    }
    described = {(method.upper(), path) for path, method, _ in operations(made)}
    assert described == found - {("GET", f"{API}/openapi.json"), ("GET", f"{API}/docs")}


def test_every_route_has_a_summary(asked):
    """A sentence, not the name of a function."""
    _, made = asked
    for path, method, operation in operations(made):
        assert " " in operation["summary"], (path, method)
        assert "\n" not in operation["summary"]
        assert operation["tags"]


def test_refusals_are_described_as_problems(asked):
    """401 and 403 everywhere, 404 and 422 where there is a parameter in the path."""
    _, made = asked
    for path, method, operation in operations(made):
        needed = {"401", "403"} | ({"404", "422"} if "{" in path else set())
        needed |= {"413", "422"} if method != "get" else set()
        assert needed <= set(operation["responses"]), (path, method)
        for status, held in operation["responses"].items():
            if status >= "400":
                assert list(held["content"]) == [PROBLEM_TYPE]
                assert held["content"][PROBLEM_TYPE]["schema"]["$ref"].endswith("/Problem")


def test_a_refusal_is_what_the_description_says(asked):
    """Path, line and message of each problem of a study file."""
    client, made = asked
    problem = made["components"]["schemas"]["Problem"]
    source = '[study]\nname = "x"\n[search]\ncv = 0\n'
    answer = client.post(f"{API}/check", json={"source": source})
    assert answer.status_code == 422
    assert set(answer.json()) <= set(problem["properties"])
    found = {each["path"]: each for each in answer.json()["problems"]}
    assert found["search.cv"]["line"] == 4
    assert found["search.cv"]["message"]
    wrong = client.get(f"{API}/studies", params={"limit": 0})
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, PROBLEM_TYPE)
    assert [each["path"] for each in wrong.json()["problems"]] == ["query.limit"]


def test_no_reference_leads_nowhere(asked):
    """Every ``$ref`` names a schema that is there."""
    client, made = asked
    text = client.get(f"{API}/openapi.json").text
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in made["components"]["schemas"]


def test_the_page_shows_every_route(asked):
    """With its parameters and an example, and nothing from elsewhere."""
    client, made = asked
    answer = client.get(f"{API}/docs")
    assert answer.status_code == 200
    for path, method, _ in operations(made):
        assert f"<code>{method.upper()} {path}</code>" in answer.text
    assert answer.text.count("curl ") >= len(list(operations(made)))
    assert "<code>offset</code>" in answer.text
    assert "<code>source</code>" in answer.text
    assert "{key}" not in "".join(re.findall(r"(?s)<pre.*?</pre>", answer.text))
    assert not re.findall(r'(?:src|href)="(?![/#])(?!data:,)', answer.text)
    assert len(answer.text) < 150_000


def test_the_page_leaves_no_parameter_without_a_meaning(asked):
    """Defaults as JSON, code as code, refusals in one order."""
    client, _ = asked
    text = client.get(f"{API}/docs").text
    assert "<td></td></tr>" not in text
    assert "<td>False</td>" not in text
    assert "`" not in text
    for said in re.findall(r"Refusals: ([\d, ]+)", text):
        assert said.split(", ") == sorted(said.split(", "))


def test_pages_of_the_list(asked, tmp_path):
    """An offset beyond the end is an empty page; the total is said."""
    client, _ = asked
    answer = client.get(f"{API}/studies", params={"offset": 10, "limit": 5}).json()
    assert (answer["total"], answer["offset"], answer["studies"]) == (0, 10, [])
