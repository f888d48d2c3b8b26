# ruff: noqa: E501, RUF001
"""Studies with hostile names: they break no page, run no script, reach no other path."""

import copy
import json
from html.parser import HTMLParser
from urllib.parse import quote, urljoin, urlsplit

import pytest
from ledgers import build
from service_client import BASE, START, bearer, limited, opened

from sweep.ledger.ledger import Ledger
from sweep.spec.sections import NAME_LENGTH
from sweep.support.file_names import slug

WRITTEN = (
    "<script>alert(1)</script>", "</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>', "' onmouseover='alert(1)", '" autofocus onfocus="alert(1)',
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "</textarea><script>x</script>",
    "<!--", "-->", "]]>", "<![CDATA[", "<base href=//evil.example>", "<meta http-equiv=refresh>",
    "{{ 7*7 }}", "{% for x in y %}", "{{ self.__init__.__globals__ }}", "${7*7}", "#{7*7}",
    "%7B%7B7*7%7D%7D", "&lt;script&gt;", "&#60;script&#62;", "&amp;", "<a href=//evil.example>x</a>",
    "<iframe srcdoc='<script>x</script>'>", "<style>*{display:none}</style>", "<form action=//e.x>",
)  # fmt: skip
PATHS = (
    "..", ".", "../..", "../../etc/passwd", "..\\..\\x", "/", "//", "//evil.example/x", "/etc/passwd",
    "%2e%2e", "%2f", "..%2f..%2f", "%00", "a/b", "a?b=c", "a#b", "a;b", "a&b=c", "a%20b", "a+b", "~",
    "file:///etc/passwd", "C:\\x", "con", "nul", "aux", "index", "com1", "lpt9.txt", "a.", "a ", " a",
    "new", "stop", "delete", "report", "login", "static", "api", "v1", "best", "-rf", "--help", "*",
)  # fmt: skip
QUERIES = (
    "'; DROP TABLE studies; --", "' OR '1'='1", '" OR 1=1', "1; SELECT 1", "%", "_", "\\", "\\'",
    "$(touch x)", "`touch x`", "| touch x", "; touch x", "&& touch x", "=cmd|' /C calc'!A0", "+1+1",
    "-1+1", "@SUM(1)", "=1+1", "None", "null", "true", "[]", "{}", "0", "-1", "1e309", "NaN",
)  # fmt: skip
LETTERS = (
    "\u202eevil", "\u200b", "\ufeff", "a\u0300" * 30, "\u0000x", "a\nb", "a\r\nSet-Cookie: x=1",
    "a\tb", "\x1b[31mred", "\x07", "\x7f", "\u2028", "\u2029", "\U0001f4a3", "\u05d0\u05d1", "ﬃ",
    "İ", "ß", "ẞ", "Ａ", "\u00ad", "日本語", "é", "e\u0301", "\ud7ff", "\ufffe", "\U0010ffff",
)  # fmt: skip
LONG = ("a" * 200, "<" * 200, "é" * 200, "/" * 200, "\U0001f4a3" * 120, " " * 50 + "x", "<" * 100)
NAMES = tuple(
    dict.fromkeys(
        [
            *WRITTEN, *PATHS, *QUERIES, *LETTERS, *LONG,
            *(f"x {each}" for each in WRITTEN), *(f"../{each}" for each in WRITTEN[:20]),
            *(each.upper() for each in PATHS[:30]), *(f"{each}\u0000" for each in PATHS[:20]),
        ]
    )
)  # fmt: skip
OWN_SCRIPTS = {"/static/service.js"}
PLAIN = "plain"


def can_be(name):
    """Return whether a study file may have a name; others only stand in a ledger that was forged."""
    return name.isprintable() and name == name.strip() and len(name) <= NAME_LENGTH


class Page(HTMLParser):
    """What a page holds that could run, or lead away."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.scripts, self.handlers, self.links, self.tags = [], [], [], []
        self.older = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        self.tags.append(tag)
        self.handlers += [name for name in held if name.startswith("on") or name == "srcdoc"]
        self.links += [
            held[name] for name in ("href", "src", "action", "formaction") if name in held
        ]
        if held.get("rel") == "next":
            self.older = held["href"]
        if tag == "script":
            self.scripts.append(held.get("src"))


def check_page(text):
    """Fail where a page has a script, a handler or a link that is not the service's own."""
    page = Page(text)
    assert set(page.scripts) <= OWN_SCRIPTS
    assert page.handlers == []
    assert not {"iframe", "base", "object", "embed"} & set(page.tags)
    for link in page.links:
        if link == "data:,":
            continue
        target = urlsplit(urljoin(f"{BASE}/studies/x", link))
        assert f"{target.scheme}://{target.netloc}" == BASE, link
        assert ".." not in target.path
    return page


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A service over a ledger with a study of each name; the names that it took."""
    path = tmp_path_factory.mktemp("names") / "ledger.db"
    build(path, PLAIN)
    ledger = Ledger(f"sqlite:///{path}")
    header = ledger.header(PLAIN)
    taken = []
    for name in NAMES:
        own = copy.deepcopy(dict(header))
        own["spec"]["study"]["name"] = name
        own["source"] = f"[study]\nname = {json.dumps(name)}\n"
        own["owner"] = name[:60]
        ledger.create(name, own)
        taken.append(name)
    ledger.close()
    free = limited(requests=10**6, refused=10**6)
    with opened(f"sqlite:///{path}", configuration=free) as (service, client):
        client.headers.update(bearer(START))
        yield service, client, taken


def test_there_are_two_hundred(house):
    """Each is in the list, under an address of its own."""
    service, client, names = house
    assert len(names) >= 200
    listed = client.get("/api/v1/studies").json()["studies"]
    assert {each["name"] for each in listed} == {PLAIN, *names}
    assert len({each["key"] for each in listed}) == len(listed)
    assert set(service.snapshot.copy.names.values()) == {PLAIN, *names}


def test_an_address_is_a_plain_word(house):
    """Nothing of a name but letters, digits and hyphens is in an address."""
    for name in NAMES:
        assert slug(name).isascii()
        assert quote(slug(name), safe="") == slug(name)


def test_the_list_runs_nothing(house):
    """Nor does it lead away; every study is linked."""
    _, client, names = house
    found, follow = set(), "/"
    while follow:
        page = check_page(client.get(follow).text)
        found |= set(page.links)
        follow = page.older
    assert {f"/studies/{slug(name)}" for name in names} <= found


def test_what_is_searched_for_runs_nothing(house):
    """The page repeats it as text."""
    _, client, _ = house
    for text in WRITTEN:
        answer = client.get("/", params={"q": text})
        assert answer.status_code == 200
        check_page(answer.text)


def test_the_page_of_a_study_runs_nothing(house):
    """Whatever its name."""
    _, client, names = house
    for name in names:
        answer = client.get(f"/studies/{slug(name)}", headers={"Accept": "text/html"})
        assert (answer.status_code, name) in ((200, name), (200 if can_be(name) else 422, name))
        check_page(answer.text)
        assert "49" not in answer.text.partition("<h1>")[2].partition("</h1>")[0]


def test_the_api_says_the_name(house):
    """Exactly; and no header of a download is broken by it."""
    _, client, names = house
    for name in filter(can_be, names):
        assert client.get(f"/api/v1/studies/{slug(name)}").json()["name"] == name
        held = client.get(f"/api/v1/studies/{slug(name)}/trials.csv")
        assert held.status_code == 200
        assert held.headers["content-disposition"] == f'attachment; filename="{slug(name)}.csv"'
        assert "set-cookie" not in held.headers


def test_a_name_itself_is_no_address(house):
    """Only the plain word is: a name in its place is not found, and leads nowhere else."""
    _, client, names = house
    for name in names:
        if name == slug(name):
            continue
        answer = client.get(f"/api/v1/studies/{quote(name, safe='')}/source")
        assert (answer.status_code, name) == (404, name)
        assert "root:" not in answer.text


def test_a_start_from_it_runs_nothing(house):
    """The field holds the study file as text."""
    _, client, _ = house
    for name in (*WRITTEN, *LETTERS):
        answer = client.get("/new", params={"from": f"study:{slug(name)}"})
        assert answer.status_code == 200, name
        check_page(answer.text)


def test_its_report_runs_nothing_of_it(house):
    """It is shown under a policy in which only its own script runs."""
    _, client, _ = house
    for name in (*WRITTEN[:6], QUERIES[0], LONG[-1]):
        answer = client.get(f"/studies/{slug(name)}/report")
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"]
        page = Page(answer.text)
        assert page.handlers == []
        assert not {"iframe", "base"} & set(page.tags)
        assert [src for src in page.scripts if src] == []


def test_a_confirmation_that_is_not_the_name_deletes_nothing(house):
    """Nor is it repeated as HTML."""
    service, client, _ = house
    for name in WRITTEN:
        answer = client.post(
            f"/studies/{slug(name)}/delete", data={"confirm": "x"}, headers={"Accept": "text/html"}
        )
        assert answer.status_code == 422
        check_page(answer.text)
        assert service.ledger.has(name)


def test_the_list_of_changes_runs_nothing(house):
    """With the names of studies and of who did it."""
    from sweep.service.acts import record_act

    service, client, _ = house
    for name in WRITTEN:
        record_act(service.ledger, name[:60], "stop", name, name)
    check_page(client.get("/acts").text)


def test_names_that_are_handed_in(house):
    """Those with control characters or outer spaces are refused at their line, with 422."""
    _, client, _ = house
    source = '[study]\nname = {}\n[data]\ndataset = "nobody-has-it"\n[space]\nepochs = [1]\n'
    for name in ("a\nb", "\u0000x", "\x1b[31m", " a", "a ", "", "\u202eevil", "\u2028"):
        for sent in ({"source": source.format(json.dumps(name))},
                     {"source": source.format('"x"'), "name": name}):  # fmt: skip
            answer = client.post("/api/v1/check", json=sent)
            assert answer.status_code == 422
            assert "study.name" in [each["path"] for each in answer.json()["problems"]], name
