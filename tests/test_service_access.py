"""Who gets in: tokens, sessions, hosts, origins, sizes, rates."""

import logging
import time

import pytest
from ledgers import sections
from service_client import BASE, START, bearer, limited, opened
from starlette.testclient import TestClient

from sweep.errors import ServiceError
from sweep.ledger.ledger import Ledger
from sweep.service.acts import acts, record_act
from sweep.service.problems import RefusedError
from sweep.service.rates import Rates
from sweep.service.server import check_settings
from sweep.service.sessions import COOKIE
from sweep.service.settings import Limits, Settings, read_configuration
from sweep.service.token_commands import add_token, list_tokens, revoke_token
from sweep.service.tokens import Tokens
from sweep.spec.toml import to_toml

LIST = "/api/v1/studies"


@pytest.fixture
def storage(tmp_path):
    """Return the address of a ledger to be made."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def asked(storage):
    """A service and a client without a token."""
    with opened(storage) as found:
        yield found


def test_a_token_is_kept_as_a_digest(storage, tmp_path):
    """The database file does not hold it; the token is known all the same."""
    made = add_token(storage, "ann", "submit")
    assert made.encode() not in (tmp_path / "ledger.db").read_bytes()
    ledger = Ledger(storage)
    who = Tokens(ledger).identify(made)
    ledger.close()
    assert (who.name, who.role) == ("ann", "submit")


@pytest.mark.parametrize(
    "wrong", ["", "sweep_", "sweep_0123456789abcdef_x", "start", "\u00e9", "x" * 10000]
)
def test_an_unknown_token_is_nobody(storage, wrong):
    """Also one that has the form of a token, or an identifier that is none."""
    ledger = Ledger(storage)
    add_token(storage, "ann", "read")
    assert Tokens(ledger, START).identify(wrong) is None
    ledger.close()


def test_a_token_with_another_secret_is_nobody(storage):
    """The identifier alone says nothing."""
    made = add_token(storage, "ann", "read")
    ledger = Ledger(storage)
    assert Tokens(ledger).identify(made[:-1] + ("A" if made[-1] != "A" else "B")) is None
    ledger.close()


def test_a_token_name_is_given_once(storage):
    """Also after it was revoked: what it did stays told by its name."""
    add_token(storage, "ann", "read")
    revoke_token(storage, "ann")
    with pytest.raises(ServiceError, match="another name"):
        add_token(storage, "ann", "admin")
    assert [(each.name, each.revoked_at is None) for each in list_tokens(storage)] == [
        ("ann", False)
    ]


def test_a_token_that_is_not_there_cannot_be_revoked(storage):
    """The message names those that are."""
    add_token(storage, "ann", "read")
    with pytest.raises(ServiceError, match="no valid token named 'bob'; there are: ann"):
        revoke_token(storage, "bob")


@pytest.mark.parametrize(("name", "role"), [("", "read"), ("a\nb", "read"), ("ann", "root")])
def test_a_token_that_cannot_be(storage, name, role):
    """A name is one line; a role is one of three."""
    with pytest.raises(ServiceError, match="must be"):
        add_token(storage, name, role)


def test_tokens_are_told_in_the_list_of_changes(storage):
    """Who made and revoked which."""
    add_token(storage, "ann", "read")
    revoke_token(storage, "ann")
    ledger = Ledger(storage)
    found = [(each.act, each.detail) for each in acts(ledger)]
    ledger.close()
    assert found == [("token revoke", "ann"), ("token add", "ann, read")]


def test_programs_read_the_list_of_changes(asked, storage):
    """Newest first, of all studies or of one."""
    service, client = asked
    record_act(service.ledger, "ann", "stop", "mine")
    record_act(service.ledger, "bob", "delete", "theirs")
    every = client.get("/api/v1/acts", headers=bearer(START)).json()["acts"]
    assert [each["who"] for each in every] == ["bob", "ann"]
    mine = client.get("/api/v1/acts", params={"study": "mine"}, headers=bearer(START)).json()
    assert [each["act"] for each in mine["acts"]] == ["stop"]


def test_a_change_is_written_down_before_it_is_made(asked, monkeypatch):
    """Killed meanwhile, a server leaves none that nobody made; what is refused is not kept."""
    service, client = asked
    body, seen = {"source": to_toml(sections("mine"))}, []

    def submitted(*_words, **_options):
        seen.append([(each.act, each.study) for each in acts(service.reader)])
        raise RefusedError(422, "no")

    with monkeypatch.context() as patch:
        patch.setattr("sweep.service.changes._submitted", submitted)
        answer = client.post("/api/v1/studies", json=body, headers=bearer(START))
    assert answer.status_code == 422
    assert seen == [[("submit", "mine")]]
    assert acts(service.reader) == []
    assert client.post("/api/v1/studies", json=body, headers=bearer(START)).status_code == 201
    assert [each.act for each in acts(service.reader)] == ["submit"]


def test_nothing_is_told_without_a_token(asked):
    """Neither a list nor whether a path exists."""
    _, client = asked
    for path in (LIST, "/", "/api/v1/openapi.json", "/nothing", "/api/v1/nothing"):
        answer = client.get(path)
        assert (answer.status_code, path) == (401, path)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_browser_gets_the_way_in(asked):
    """A page with a field for the token, without a script of others."""
    _, client = asked
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert 'name="token"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_token_in_the_address_becomes_a_session(asked):
    """The address is left at once, the cookie cannot be read by a script."""
    _, client = asked
    answer = client.get(f"/?token={START}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert START not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get(LIST).status_code == 200


def test_a_session_ends_with_its_token(asked, storage):
    """At once, in the very next request."""
    _, client = asked
    client.post("/login", data={"token": add_token(storage, "ann", "read")})
    assert client.get(LIST).status_code == 200
    revoke_token(storage, "ann")
    assert client.get(LIST).status_code == 401


def test_a_session_of_a_named_token_outlives_the_server(storage):
    """One of the start token does not."""
    with opened(storage) as (_, client):
        client.post("/login", data={"token": add_token(storage, "ann", "read")})
        named = client.cookies[COOKIE]
        client.get(f"/?token={START}")
        start = client.cookies[COOKIE]
    with opened(storage) as (service, client):
        service.sessions._start_key = "another server's"
        for cookie, status in ((named, 200), (start, 401)):
            client.cookies.clear()
            client.cookies.set(COOKIE, cookie)
            assert client.get(LIST).status_code == status


@pytest.mark.parametrize("spoilt", ["", "a", "start.9999999999.0", ".", "\u00e9.1.2", "a.b.c.d"])
def test_a_spoilt_cookie_is_nobody(asked, spoilt):
    """It is refused like none."""
    _, client = asked
    answer = client.get(LIST, headers=[(b"cookie", f"{COOKIE}={spoilt}".encode("latin-1"))])
    assert answer.status_code == 401


def test_an_old_session_has_ended(asked, monkeypatch):
    """After thirty days."""
    service, client = asked
    cookie = service.sessions.cookie("start")
    soon = time.time() + 31 * 24 * 3600
    monkeypatch.setattr("sweep.service.sessions.time.time", lambda: soon)
    client.cookies.set(COOKIE, cookie)
    assert client.get(LIST).status_code == 401


def test_logging_out_ends_the_session(asked):
    """The cookie is gone."""
    _, client = asked
    client.get(f"/?token={START}")
    client.post("/logout", headers={"Origin": BASE})
    assert client.get(LIST).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1"])
def test_another_host_is_refused(asked, host):
    """A page of another site may have its name resolve to this machine."""
    _, client = asked
    assert client.get(LIST, headers={**bearer(START), "Host": host}).status_code == 421


def test_a_host_that_was_named_is_answered(storage):
    """Behind a proxy."""
    with opened(storage, names=("sweep.example",)) as (_, client):
        headers = {**bearer(START), "Host": "sweep.example"}
        assert client.get(LIST, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_another_site_changes_nothing(asked, headers):
    """With the cookie of a session, also without any word of where it comes from."""
    _, client = asked
    client.get(f"/?token={START}")
    assert client.post("/logout", headers=headers).status_code == 403
    assert client.get(LIST).status_code == 200


def test_a_body_that_is_too_large_is_refused(storage):
    """By its header, and where that lies, by what arrives."""

    def endless():
        for _ in range(100):
            yield b"x" * 1024

    with opened(storage, configuration=limited(body=2048)) as (_, client):
        for body in (b"x" * 5000, endless()):
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = client.post("/login", content=body, headers={**bearer(START), **form})
            assert answer.status_code == 413


def test_who_asks_too_often_waits(storage):
    """Without a token after a few; with one, others are not held up."""
    with opened(storage, configuration=limited(refused=5)) as (_, client):
        found = [client.get(LIST, headers=bearer("wrong")).status_code for _ in range(7)]
        assert found == [401] * 5 + [429] * 2
        assert client.get(LIST, headers=bearer(START)).status_code == 200


def test_a_way_in_by_a_valid_address_is_no_stranger_s_request(storage):
    """Many people behind one address may open the page at the same time."""
    with opened(storage, configuration=limited(refused=3)) as (_, client):
        for _ in range(8):
            client.cookies.clear()
            assert client.get(f"/?token={START}", follow_redirects=False).status_code == 303
        client.cookies.clear()
        found = [client.get("/?token=wrong").status_code for _ in range(5)]
        assert found == [401] * 3 + [429] * 2


def test_a_rate_recovers(monkeypatch):
    """After a second, as many as a second has."""
    now = [100.0]
    monkeypatch.setattr("sweep.service.rates.time.monotonic", lambda: now[0])
    rates = Rates(Limits(requests=2))
    assert sum(rates.allow("ann", known=True) for _ in range(50)) == 20
    now[0] += 1
    assert sum(rates.allow("ann", known=True) for _ in range(50)) == 2
    assert rates.allow("bob", known=True)


def test_it_listens_beyond_this_machine_only_when_asked():
    """All that is wrong is said at once."""
    with pytest.raises(ServiceError, match=r"(?s)--public.*--root-path"):
        check_settings(Settings(storage="", host="0.0.0.0", root_path="sweep"))  # noqa: S104
    check_settings(Settings(storage="", host="0.0.0.0", public=True))  # noqa: S104


def test_a_configuration_with_mistakes(tmp_path):
    """Each is named with its place."""
    path = tmp_path / "server.toml"
    path.write_text("[limits]\nbody = 3\n[notify]\nmail = 'x'\n")
    with pytest.raises(ServiceError) as found:
        read_configuration(path)
    assert "limits.body" in str(found.value)
    assert "notify.mail" in str(found.value)


def test_every_answer_has_its_headers(asked):
    """Also those of refusals and of missing pages."""
    _, client = asked
    for path, headers in (("/", {}), ("/nothing", bearer(START)), (LIST, bearer(START))):
        found = client.get(path, headers=headers).headers
        assert found["x-content-type-options"] == "nosniff"
        assert found["x-frame-options"] == "DENY"
        assert found["cache-control"] == "no-store"


def test_a_defect_is_said_without_details(storage, monkeypatch, caplog):
    """The log has the traceback, the answer has not."""
    monkeypatch.setattr(logging.getLogger("sweep"), "propagate", True)
    with opened(storage) as (service, client):
        monkeypatch.setattr(service, "snapshot", None)
        quiet = TestClient(client.app, base_url=BASE, raise_server_exceptions=False)
        for headers, kind in ((bearer(START), "application/problem+json"),
                              ({"Accept": "text/html", **bearer(START)}, "text/html")):  # fmt: skip
            answer = quiet.get("/fragments/studies", headers=headers)
            assert (answer.status_code, answer.headers["content-type"][:9]) == (500, kind[:9])
            assert "NoneType" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
        monkeypatch.undo()
    assert "internal error at GET /fragments/studies" in caplog.text


def test_the_cookie_of_a_proxy_with_tls_is_secure(asked):
    """A browser then never sends it unencrypted."""
    _, client = asked
    for headers, secure in (({}, False), ({"X-Forwarded-Proto": "https"}, True)):
        answer = client.get(f"/?token={START}", headers=headers, follow_redirects=False)
        assert ("secure" in answer.headers["set-cookie"].lower()) is secure


def test_strangers_behind_a_proxy_are_counted_one_by_one(storage):
    """By the address that the proxy of this machine adds last; others cannot choose theirs."""
    for names, expected in ((("sweep.example",), [401, 429, 401]), ((), [401, 429, 429])):
        with opened(storage, names=names, configuration=limited(refused=1)) as (_, client):
            here = TestClient(client.app, base_url=BASE, client=("127.0.0.1", 5000))
            found = [
                here.get(LIST, headers={"X-Forwarded-For": each}).status_code
                for each in ("1.2.3.4, 10.0.0.1", "5.6.7.8, 10.0.0.1", "10.0.0.1, 10.0.0.2")
            ]
            assert found == expected
