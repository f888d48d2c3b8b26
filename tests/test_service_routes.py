"""Every route of the service x what a stranger may try at it.

``ROUTES`` names each route with the role that it asks for. A route that is missing from it fails
the first test: give a new one its line here.
"""

from importlib import resources

import pytest
from fastapi.routing import iter_route_contexts
from ledgers import build
from service_client import BASE, START, bearer, limited, opened
from uploads import npz

from sweep.ledger.ledger import Ledger
from sweep.service.app import ROUTERS
from sweep.service.token_commands import add_token, revoke_token

API = "/api/v1"
OWN = "own"
"""The role submit, and the study or dataset must be one's own."""
ROUTES = {
    ("GET", "/"): "read",
    ("GET", "/acts"): "admin",
    ("GET", "/compare"): "read",
    ("GET", "/data"): "read",
    ("GET", "/data/{name}"): "read",
    ("GET", "/fragments/studies"): "read",
    ("GET", "/fragments/studies/{key}"): "read",
    ("GET", "/health"): "open",
    ("GET", "/new"): "submit",
    ("GET", "/static"): "open",
    ("GET", "/static/style.css"): "open",
    ("GET", "/studies/{key}"): "read",
    ("GET", "/studies/{key}/report"): "read",
    ("POST", "/data/uploads"): "submit",
    ("POST", "/data/{name}/delete"): OWN,
    ("POST", "/fragments/check"): "submit",
    ("POST", "/login"): "open",
    ("POST", "/logout"): "read",
    ("POST", "/new"): "submit",
    ("POST", "/studies/{key}/{act}"): OWN,
    ("GET", f"{API}/compare"): "read",
    ("GET", f"{API}/data"): "read",
    ("GET", f"{API}/data/{{name}}"): "read",
    ("GET", f"{API}/acts"): "admin",
    ("GET", f"{API}/docs"): "read",
    ("GET", f"{API}/events"): "read",
    ("GET", f"{API}/me"): "read",
    ("GET", f"{API}/openapi.json"): "read",
    ("GET", f"{API}/queue"): "read",
    ("GET", f"{API}/studies"): "read",
    ("GET", f"{API}/studies/{{key}}"): "read",
    ("GET", f"{API}/studies/{{key}}/best"): "read",
    ("GET", f"{API}/studies/{{key}}/outcome"): "read",
    ("GET", f"{API}/studies/{{key}}/export"): "read",
    ("GET", f"{API}/studies/{{key}}/files"): "read",
    ("GET", f"{API}/studies/{{key}}/ledger"): "read",
    ("GET", f"{API}/studies/{{key}}/now"): "read",
    ("GET", f"{API}/studies/{{key}}/pivot"): "read",
    ("GET", f"{API}/studies/{{key}}/source"): "read",
    ("GET", f"{API}/studies/{{key}}/trials.{{form}}"): "read",
    ("POST", f"{API}/check"): "submit",
    ("POST", f"{API}/data/uploads"): "submit",
    ("POST", f"{API}/studies"): "submit",
    ("POST", f"{API}/studies/{{key}}/continue"): OWN,
    ("POST", f"{API}/studies/{{key}}/priority"): OWN,
    ("POST", f"{API}/studies/{{key}}/retry"): OWN,
    ("POST", f"{API}/studies/{{key}}/stop"): OWN,
    ("DELETE", f"{API}/data/{{name}}"): OWN,
    ("DELETE", f"{API}/studies/{{key}}"): OWN,
}
STREAMS = {f"{API}/events"}
"""Routes whose answer does not end."""
BODIES = {
    "priority": {"priority": 3},
    "check": {"source": "[study]\nname = 1\n"},
    "studies": {"source": "[study]\nname = 1\n"},
}
PLACES = {"{key}": "theirs", "{act}": "stop", "{form}": "csv"}
"""What stands in the place of a parameter of a path."""
MINE, THEIRS = "mine", "theirs"
MUCH = 10_000_000
ROLES = ("read", "submit", "admin")


def found_routes(app):
    """Return each route of an application as (method, path)."""
    for each in iter_route_contexts(app.routes):
        for method in each.methods or {"GET"}:  # a folder of files has no methods
            if method != "HEAD":
                yield method, each.path


def address(path, study=THEIRS):
    """Return a path with something in each of its places."""
    for place, name in {**PLACES, "{key}": study, "{name}": f"{study}.npz"}.items():
        path = path.replace(place, name)
    return path.replace("/static", "/static/service.js") if path == "/static" else path


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A service with a study of ann's, one of bob's and a dataset of his; tokens of every role."""
    folder = tmp_path_factory.mktemp("service")
    storage = f"sqlite:///{folder}/ledger.db"
    for name, owner in ((MINE, "ann"), (THEIRS, "bob")):
        build(folder / "ledger.db", name, winner=True)
        ledger = Ledger(storage)
        ledger.update(name, owner=owner)
        ledger.close()
    free = limited(requests=10**6, refused=10**6)
    with opened(storage, configuration=free) as (service, client):
        tokens = {
            "read": add_token(storage, "eve", "read"),
            "submit": add_token(storage, "ann", "submit"),
            "admin": add_token(storage, "root", "admin"),
            "revoked": add_token(storage, "gone", "admin"),
        }
        revoke_token(storage, "gone")
        _upload(client, add_token(storage, "bob", "submit"))
        yield service, client, tokens


def _upload(client, token):
    answer = client.post(
        f"{API}/data/uploads", params={"name": f"{THEIRS}.npz"}, content=npz(),
        headers=bearer(token),
    )  # fmt: skip
    assert answer.status_code == 201


def ask(client, method, path, *, token=None, study=THEIRS, **options):
    """Send a request to a route; return the answer."""
    client.cookies.clear()
    headers = {**(bearer(token) if token else {}), **options.pop("headers", {})}
    if method == "POST" and "content" not in options:
        last = path.rpartition("/")[2]
        options["json" if path.startswith(API) else "data"] = BODIES.get(last, {})
    return client.request(
        method, address(path, study), headers=headers, follow_redirects=False, **options
    )


every_route = pytest.mark.parametrize(
    ("method", "path"), list(ROUTES), ids=[f"{m} {p}" for m, p in ROUTES]
)


def test_every_route_has_its_line(house):
    """In the table above; none is there that the application does not have."""
    _, client, _ = house
    assert sorted(found_routes(client.app)) == sorted(ROUTES)


def test_every_module_with_routes_is_asked():
    """One that is missing from the list would answer nothing."""
    files = [each for each in resources.files("sweep.service").iterdir() if each.is_file()]
    found = [each.stem for each in files if "\nrouter = " in each.read_text("utf-8")]
    assert sorted(found) == sorted(ROUTERS)


@every_route
def test_nobody_and_who_was_revoked(house, method, path):
    """Are told nothing, but the way in and its style."""
    _, client, tokens = house
    expected = {401} if ROUTES[method, path] != "open" else {200, 204, 401}
    for token in (None, tokens["revoked"], "sweep_0123456789abcdef_x", START[:-1]):
        assert ask(client, method, path, token=token).status_code in expected


@every_route
def test_a_word_in_the_address_is_no_token(house, method, path):
    """Only the first page takes a token in its address, and only a valid one."""
    _, client, _ = house
    expected = {401} if ROUTES[method, path] != "open" else {200, 204, 401}
    for query in ("token=x", "token=", "access_token=x"):
        answer = ask(client, method, path, params=query)
        assert answer.status_code in expected


@every_route
def test_a_smaller_role_is_refused(house, method, path):
    """With 403; the least role that is asked for is not."""
    _, client, tokens = house
    least = ROUTES[method, path]
    if least == "open" or path in STREAMS:
        return
    needed = "submit" if least == OWN else least
    for role in ROLES[: ROLES.index(needed)]:
        assert ask(client, method, path, token=tokens[role]).status_code == 403
    if least != OWN:
        allowed = ask(client, method, path, token=tokens[needed])
        assert allowed.status_code not in (401, 403, 405)
        assert allowed.status_code < 500


@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if ROUTES[each] == OWN])
def test_a_study_of_another_is_refused(house, method, path):
    """It is there afterwards, and nothing about it has changed."""
    service, client, tokens = house
    before = service.ledger.attributes()[THEIRS]
    answer = ask(client, method, path, token=tokens["submit"])
    assert answer.status_code == 403
    assert "bob" in answer.json()["detail"]
    assert client.get(f"{API}/data/{THEIRS}.npz", headers=bearer(START)).status_code == 200
    assert service.ledger.attributes()[THEIRS] == before


@pytest.mark.parametrize("act", ["stop", "continue", "retry", "delete", "priority"])
def test_the_page_of_another_changes_nothing(house, act):
    """Whatever the form asks for."""
    service, client, tokens = house
    before = service.ledger.attributes()[THEIRS]
    answer = client.post(
        f"/studies/{THEIRS}/{act}", data={"confirm": THEIRS, "priority": "9"},
        headers=bearer(tokens["submit"]),
    )  # fmt: skip
    assert answer.status_code in (403, 404)
    assert service.ledger.attributes()[THEIRS] == before


def test_ones_own_study_is_not_refused(house):
    """Stop and priority of a study of ann's."""
    _, client, tokens = house
    for act in ("stop", "priority"):
        path = f"{API}/studies/{{key}}/{act}"
        answer = ask(client, "POST", path, token=tokens["submit"], study=MINE)
        assert answer.status_code == 200, answer.text


@every_route
def test_another_host_is_refused(house, method, path):
    """Also with a token."""
    _, client, tokens = house
    for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "0"):
        headers = {"Host": host}
        assert ask(client, method, path, token=tokens["admin"], headers=headers).status_code == 421


@every_route
def test_another_site_changes_and_reads_nothing(house, method, path):
    """A change is refused; an answer to a reading request is not shown to the other site."""
    service, client, tokens = house
    if path in STREAMS:
        return
    cookie = service.sessions.cookie(service.tokens.identify(tokens["admin"]).token_id)
    for origin in ("http://evil.example", "null", f"{BASE}.evil.example", "http://127.0.0.1:1"):
        headers = {"Origin": origin, "Cookie": f"sweep_session={cookie}"}
        answer = ask(client, method, path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
        if method != "GET":
            assert answer.status_code == 403
    assert {MINE, THEIRS} <= set(service.ledger.attributes())


@every_route
def test_other_methods_do_nothing(house, method, path):
    """HEAD, OPTIONS, TRACE, CONNECT and words that no route knows."""
    service, client, tokens = house
    if path in STREAMS:
        return
    for other in ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "FROB"):
        expected = {401} if ROUTES[method, path] != "open" else {200, 204, 401, 404, 405}
        assert ask(client, other, path).status_code in expected
        answer = ask(client, other, path, token=tokens["read"])
        assert answer.status_code in ({200, 204, 404, 405} if other == "HEAD" else {403, 405})
    assert {MINE, THEIRS} <= set(service.ledger.attributes())


@every_route
def test_a_method_is_not_overridden(house, method, path):
    """By no header and no parameter."""
    service, client, tokens = house
    if path in STREAMS or method != "GET":
        return
    before = service.ledger.attributes()
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    plain = ask(client, method, path, token=tokens["admin"])
    for name in names:
        for other in ("DELETE", "POST"):
            answer = ask(client, method, path, token=tokens["admin"], headers={name: other},
                         params={"_method": other})  # fmt: skip
            assert answer.status_code == plain.status_code
    assert service.ledger.attributes() == before


@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if each[0] != "GET"])
def test_a_large_body_is_refused(house, method, path):
    """With its length said, and in pieces; without a token it is not even read."""
    _, client, tokens = house
    if path.endswith("/uploads"):
        return  # a dataset may be large; its own tests try its limits

    def pieces():
        for _ in range(MUCH // 100_000):
            yield b"x" * 100_000

    form = "json" if path.startswith(API) else "x-www-form-urlencoded"
    headers = {"Content-Type": f"application/{form}"}
    for content in (b"x" * MUCH, pieces()):
        answer = ask(client, method, path, token=tokens["admin"], content=content, headers=headers,
                     study="nobody-here")  # fmt: skip
        unread = () if isinstance(content, bytes) else (303, 404)  # the route takes no body
        assert answer.status_code in (413, *unread)
    if ROUTES[method, path] != "open":
        assert ask(client, method, path, content=b"x" * MUCH).status_code == 401


@every_route
def test_answers_have_their_headers(house, method, path):
    """Of refusals too: nothing is framed, guessed or kept by others."""
    _, client, tokens = house
    if path in STREAMS:
        return
    for token in (None, tokens["read"]):
        found = ask(client, method, path, token=token).headers
        assert found["x-content-type-options"] == "nosniff"
        assert found["x-frame-options"] == "DENY"
        assert "default-src 'none'" in found["content-security-policy"]
        assert "server" not in found


@every_route
def test_refusals_of_the_api_are_problems(house, method, path):
    """``application/problem+json`` with status and detail."""
    _, client, tokens = house
    if not path.startswith(API) or path in STREAMS:
        return
    for token in (None, tokens["read"]):
        answer = ask(client, method, path, token=token, study="nobody-here")
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["detail"]
