"""Every page of the service as reader, submitter and admin: no browser, no TensorFlow."""

import re
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from html import unescape

import pytest
from html_page import Page
from ledgers import build, sections
from service_client import START, opened

from sweep.ledger.ledger import Ledger
from sweep.service.acts import acts
from sweep.service.snapshot import Copy
from sweep.service.token_commands import add_token
from sweep.storage.attributes import STUDY
from sweep.support.file_names import slug
from sweep.support.text import places

HTML = {"accept": "text/html"}
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a b & c &amp; d",
    "'; DROP TABLE studies; --", "</title><svg onload=alert(1)>", "../../etc/passwd", "x" * 100,
)  # fmt: skip
ROLES = ("read", "submit", "admin")
LARGEST = 150_000
ROW = '<tr role="row" data-part'
NAME = r'<th scope="row" role="rowheader"><a href="/studies/([^"]+)"'
PLAIN = """\
[study]
name = "mine"

[data]
dataset = "digits"

[model]
factory = "mlp"

[search]
method = "grid"
cv = 3

[space]
hidden_size = [16, 32]
"""


@pytest.fixture
def storage(tmp_path):
    """Return a ledger with a finished, a waiting, a failed and a stopped study."""
    path = tmp_path / "ledger.db"
    build(path, "done", winner=True)
    build(path, "waiting", done=0)
    build(path, "failed", failed=(1,), refit=False)
    build(path, "stopped", done=1)
    ledger = Ledger(f"sqlite:///{path}")
    ledger.stop("stopped", "2026-03-02T10:00:00+00:00")
    ledger.close()
    return f"sqlite:///{path}"


@contextmanager
def as_role(storage, role):
    """Yield a service, and a client whose browser has logged in with a token of that role."""
    token = START if role == "start" else add_token(storage, f"the-{role}", role)
    with opened(storage) as (service, client):
        client.headers |= HTML | {"origin": "http://127.0.0.1:8080"}
        client.get("/", params={"token": token})
        yield service, client


def buttons(html):
    """The words on the buttons of a page's forms, but for those of every page."""
    found = re.findall(r"<button[^>]*>([^<]*)</button>", html)
    return [each for each in found if each not in ("Log out", "Light / dark", "Find")]


@pytest.mark.parametrize("role", ["read", "submit", "admin"])
def test_every_page_is_shown_to_whom_it_is_for(storage, role):
    """The role alone decides; each page is HTML, small, and has one heading of the first level."""
    paths = {
        "/": "read", "/studies/done": "read", "/studies/waiting": "read",
        "/studies/failed": "read", "/studies/stopped": "read", "/new": "submit",
        "/new?from=own": "submit", "/new?from=study:done": "submit", "/acts": "admin",
    }  # fmt: skip
    with as_role(storage, role) as (_service, client):
        for path, least in paths.items():
            answer = client.get(path)
            may = ROLES.index(role) >= ROLES.index(least)
            assert answer.status_code == (200 if may else 403), path
            assert len(answer.content) < LARGEST
            assert answer.text.count("<h1>") == 1
            assert "style=" not in re.sub(r"<svg.*?</svg>", "", answer.text, flags=re.DOTALL)
            assert not re.search(r"<script(?! src=)|\son\w+=", answer.text)


def test_a_reader_sees_no_button_that_changes_anything(storage):
    """Neither in the list nor at a study."""
    with as_role(storage, "read") as (_service, client):
        assert buttons(client.get("/").text) == ["Compare the chosen"]
        for key in ("done", "waiting", "failed", "stopped"):
            assert buttons(client.get(f"/studies/{key}").text) == []
        assert "/new" not in client.get("/").text


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("done", ["Delete for good"]),
        ("waiting", ["Stop", "Set", "Delete for good"]),
        ("failed", ["Try failed again", "Delete for good"]),
        ("stopped", ["Continue", "Set", "Delete for good"]),
    ],
)
def test_buttons_are_there_only_where_they_apply(storage, key, shown):
    """A finished study has neither Stop nor Continue."""
    with as_role(storage, "admin") as (_service, client):
        assert buttons(client.get(f"/studies/{key}").text) == shown


def test_a_submitter_has_no_buttons_at_studies_of_others(storage):
    """And is refused where they send the form all the same."""
    with as_role(storage, "submit") as (_service, client):
        assert buttons(client.get("/studies/waiting").text) == []
        answer = client.post("/studies/waiting/stop")
        assert answer.status_code == 403
        assert 'href="/studies/waiting"' in answer.text


def test_the_list_begins_with_the_queue(storage):
    """What waits in its order, then the others."""
    with as_role(storage, "admin") as (_service, client):
        rows = re.findall(NAME, client.get("/").text)
        assert rows[0] == "waiting"
        assert set(rows) == {"waiting", "done", "failed", "stopped"}
        found = client.get("/", params={"q": "STOP"}).text
        assert re.findall(NAME, found) == ["stopped"]


def test_the_list_says_the_best_score_with_its_interval(storage):
    """As soon as the interval has been read."""
    with as_role(storage, "read") as (service, client):
        service.intervals.read()
        row = client.get("/").text.split('data-part="done"')[1].split("</tr>")[0]
        study = service.snapshot.copy.by_name["done"]
        interval = service.intervals.of(study)
        assert f"{study.best:.4f} <small>{interval.low:.4f} to {interval.high:.4f}" in row


def test_a_hundred_studies_make_a_page(storage):
    """The others are on the next one; no page is over 150 kB."""
    with as_role(storage, "read") as (service, client):
        service.snapshot.stop()  # the copy stays as it is made here
        study = service.snapshot.copy.by_name["done"]
        many = [replace(study, name=f"a-study-with-a-long-name-{n:03}") for n in range(103)]
        service.snapshot.copy = Copy(99, many, {}, {each.name: each for each in many})
        first, second = client.get("/"), client.get("/?page=2")
        assert (first.text.count(ROW), second.text.count(ROW)) == (100, 3)
        assert len(first.content) < LARGEST
        assert client.get("/?page=99").text.count(ROW) == 3


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_on_every_page(tmp_path, name):
    """It closes no tag, opens none, runs nothing, and its study can be deleted by it."""
    path = tmp_path / "ledger.db"
    build(path, name, failed=(0,), study={**sections(name), "study": {"name": name}})
    with as_role(f"sqlite:///{path}", "admin") as (_service, client):
        key = slug(name)
        client.post(f"/studies/{key}/priority", data={"priority": "3"})
        for at in ("/", f"/studies/{key}", f"/new?from=study:{key}", "/acts", "/new"):
            answer = client.get(at)
            assert answer.status_code == 200, at
            shown = Page(answer.text)
            assert shown.wrong == []
            assert [each["src"] for each in shown.all("script")] == ["/static/service.js"]
            assert not {tag for tag, _ in shown.elements} & {"img", "iframe", "object"}
            assert not [n for _, held in shown.elements for n in held if n.startswith("on")]
        wrong = client.post(f"/studies/{key}/delete", data={"confirm": name + "x"})
        assert wrong.status_code == 422
        gone = client.post(f"/studies/{key}/delete", data={"confirm": name}, follow_redirects=False)
        assert gone.status_code == 303
        assert client.get(f"/studies/{key}").status_code == 404


def test_a_study_is_handed_in_without_script(storage):
    """The form's answer leads to its page; the list of changes says who it was."""
    with as_role(storage, "submit") as (service, client):
        form = {"source": PLAIN, "act": "submit", "priority": "2"}
        answer = client.post("/new", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/studies/mine")
        shown = client.get("/studies/mine").text
        assert "In the queue at place 1" in shown
        assert "priority 2" in shown
        assert [(a.who, a.act) for a in acts(service.ledger, "mine")] == [("the-submit", "submit")]
        client.post("/new", data=form, follow_redirects=False)
        details = [(a.act, a.detail) for a in acts(service.ledger, "mine")]
        assert details == [("submit", "again: nothing to add"), ("submit", "")]
        assert '<a class="button" href="/studies/mine/report">' in shown  # it has no score to show
        assert (
            '<a class="button primary" href="/studies/done/report">'
            in client.get("/studies/done").text
        )


def test_workers_of_one_machine_are_counted():
    """As the list of studies has it."""
    assert places(["vm", "vm", "node1"]) == "vm x 2, node1"


def test_problems_are_shown_at_their_lines_without_script(storage):
    """Line, setting, rule and the line's own text; what was typed stands in the field."""
    with as_role(storage, "submit") as (service, client):
        wrong = PLAIN.replace("cv = 3", "cv = 1").replace('"mlp"', '"mpl"')
        answer = client.post("/new", data={"source": wrong, "act": "submit"})
        assert answer.status_code == 422
        assert 'data-line="8">line 8</a> <code>model.factory</code>' in answer.text
        assert 'data-line="12">line 12</a> <code>search.cv</code>' in answer.text
        assert "<pre>cv = 1</pre>" in answer.text
        assert "cv = 1" in answer.text.split("<textarea")[1].split("</textarea>")[0]
        assert "mine" not in service.snapshot.copy.by_name


def test_the_plan_is_shown_before_handing_in(storage):
    """Candidates and fits, by the button and by what the script asks for."""
    with as_role(storage, "submit") as (_service, client):
        pages = [
            client.post("/new", data={"source": PLAIN, "act": "check"}).text,
            client.post("/fragments/check", data={"source": PLAIN}).text,
        ]
        for page in pages:
            assert "Ready to hand in" in page
            assert re.search(r"<dt>candidates</dt><dd>2</dd>", page)
            assert re.search(r"<dt>fits</dt><dd>7</dd>", page)
            assert "How long will it take?" in page


def test_a_file_is_shown_in_the_field(storage):
    """It is not handed in by that."""
    with as_role(storage, "submit") as (service, client):
        answer = client.post("/new", data={"act": "submit"}, files={"file": ("a.toml", PLAIN)})
        assert "name = &#34;mine&#34;" in answer.text
        assert "mine" not in service.snapshot.copy.by_name


def test_a_start_has_a_name_that_is_free(storage):
    """Of a study, of the start of a start, and of a shipped study that has been handed in."""
    with as_role(storage, "submit") as (service, client):

        def name_in_field(begun):
            html = client.get("/new", params={"from": begun}).text
            return re.search(r"name = &#34;(.*?)&#34;", html.split("<textarea")[1])[1]

        assert name_in_field("study:done") == "done-2"
        assert name_in_field("shipped:digits-grid") == "digits-grid"
        client.post("/new", data={"source": PLAIN.replace("mine", "digits-grid"), "act": "submit"})
        assert name_in_field("shipped:digits-grid") == "digits-grid-2"
        client.post("/new", data={"source": PLAIN.replace("mine", "mine-2"), "act": "submit"})
        assert name_in_field("study:mine-2") == "mine-3"
        assert client.get("/new", params={"from": "study:nobody"}).status_code == 404
        assert len(service.snapshot.copy.studies) == 6


def test_the_examples_are_valid(storage):
    """Of the one for own data only the dataset is missing; begun at a dataset, nothing is."""
    with as_role(storage, "submit") as (_service, client):
        for begun, wrong in (("own", ["no dataset"]), ("data:digits", [])):
            field = client.get("/new", params={"from": begun}).text.split("<textarea")[1]
            source = unescape(field.split(">", 1)[1].split("</textarea>")[0])
            found = client.post("/fragments/check", data={"source": source}).text
            assert re.findall(r"<span>(no dataset|.*)", found) == wrong


@pytest.mark.parametrize("path", ["/fragments/studies", "/fragments/studies/waiting"])
def test_a_part_that_is_shown_already_is_not_sent_again(storage, path):
    """Named by the tag that its page or its last text brought, also where a proxy made it weak."""
    with as_role(storage, "admin") as (_service, client):
        shown = client.get(path.removeprefix("/fragments").removesuffix("/studies") or "/").text
        tag = unescape(re.search(r'data-tag="([^"]*)"', shown)[1])
        first = client.get(path)
        assert (first.status_code, first.headers["etag"]) == (200, tag)
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = client.get(path, headers={"if-none-match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"if-none-match": '"other"'}).text == first.text
        client.post("/studies/waiting/priority", data={"priority": 9})
        after = client.get(path, headers={"if-none-match": tag})
        assert (after.status_code, "priority 9" in after.text) == (200, True)
        assert after.headers["etag"] != tag


@pytest.mark.parametrize("wrong", ["101", "high", "1.5", ""])
def test_a_wrong_priority_is_refused_and_nothing_is_handed_in(storage, wrong):
    """With the rule; what was typed stays."""
    with as_role(storage, "submit") as (service, client):
        answer = client.post("/new", data={"source": PLAIN, "act": "submit", "priority": wrong})
        assert answer.status_code == (422 if wrong else 303) or answer.history
        assert ("mine" in service.snapshot.copy.by_name) == (not wrong)


def test_studies_are_compared_on_one_page(storage):
    """By the page of `sweep compare`, which is kept away from the service."""
    with as_role(storage, "read") as (_service, client):
        answer = client.get("/compare?key=done&key=failed")
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "done / failed" in answer.text
        assert client.get("/compare?key=done").status_code == 422
        assert client.get("/compare?key=done&key=nobody").status_code == 404


def test_a_report_is_kept_away_from_the_service(storage):
    """It runs its own script in a sandbox without the session."""
    with as_role(storage, "read") as (_service, client):
        answer = client.get("/studies/done/report")
        assert answer.status_code == 200
        assert "sandbox allow-scripts allow-downloads" in answer.headers["content-security-policy"]


def test_stop_continue_and_priority_by_forms(storage):
    """Each leads back to the study, which then offers the opposite."""
    with as_role(storage, "admin") as (_service, client):
        client.post("/new", data={"source": PLAIN, "act": "submit"})
        assert "Continue" in buttons(client.post("/studies/mine/stop").text)
        assert "Stop" in buttons(client.post("/studies/mine/continue").text)
        assert "priority 9" in client.post("/studies/mine/priority", data={"priority": 9}).text
        assert client.post("/studies/mine/explode").status_code == 404
        shown = client.get("/studies/mine").text.split("Who did what")[1]
        words = re.findall(r": (\w+)", re.sub(r"<[^>]*>", "", shown))
        assert words[:3] == ["priority", "continue", "stop"]


def test_a_damaged_study_leaves_the_others_their_pages(storage):
    """It is in the list, and its page says what is wrong."""
    with sqlite3.connect(storage.removeprefix("sqlite:///")) as database:
        database.execute(
            "UPDATE study_user_attributes SET value_json = '[1' WHERE key = ? AND study_id = "
            "(SELECT study_id FROM studies WHERE study_name = 'waiting')",
            (STUDY,),
        )
    database.close()
    with as_role(storage, "admin") as (_service, client):
        row = client.get("/").text.split('data-part="waiting"')[1].split("</tr>")[0]
        assert "damaged" in row
        assert client.get("/studies/done").status_code == 200
        shown = client.get("/studies/waiting")
        assert shown.status_code == 200
        assert 'role="alert"' in shown.text
        assert client.get("/api/v1/queue").status_code == 200


def test_the_best_settings_name_the_server_and_not_its_files(storage):
    """In the statements to paste into Python."""
    with as_role(storage, "read") as (_, client):
        found = client.get("/api/v1/studies/done/best").json()["python"]
    assert 'connect("http://127.0.0.1:8080")' in found.replace("'", '"')
    assert "ledger.db" not in found
