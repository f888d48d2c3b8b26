"""The pages of the service in a real browser: from handing a study in to deleting it."""

import re
from contextlib import contextmanager

import pytest
from ledgers import build, sections
from service_process import served, until

from sweep.ledger.ledger import Ledger
from sweep.service.token_commands import add_token, revoke_token
from sweep.support.file_names import slug

pytestmark = pytest.mark.browser
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
PAGES = (
    "/", "/?q=done", "/studies/done", "/studies/waiting", "/studies/failed", "/studies/stopped",
    f"/studies/{slug(HOSTILE)}", "/new", "/new?from=own", "/data", "/data/digits", "/acts",
    "/api/v1/docs",
)  # fmt: skip
SMALL = """\
[study]
name = "story"

[data]
dataset = "digits"
train_rows = 300
test_rows = 100

[model]
factory = "mlp"

[search]
method = "grid"
cv = 3

[space]
hidden_size = [8, 16]
epochs = [1, 2]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server without workers, over studies in all states."""
    folder = tmp_path_factory.mktemp("house")
    path = folder / "ledger.db"
    build(path, "done", winner=True)
    build(path, "other", winner=True)
    build(path, "waiting", done=0)
    build(path, "failed", failed=(1,), refit=False)
    build(path, "stopped", done=1)
    build(path, HOSTILE, failed=(0,), study={**sections(HOSTILE), "study": {"name": HOSTILE}})
    storage = f"sqlite:///{path}"
    ledger = Ledger(storage)
    ledger.stop("stopped", "2026-03-02T10:00:00+00:00")
    ledger.close()
    with served(folder, "--workers", "0", storage=storage) as service:
        yield service


@contextmanager
def visit(browser, service, token=None, **options):
    """Yield a page whose browser has logged in; complaints of the browser fail the test."""
    complaints = []
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(f"{service.url}/?token={token or service.token}")
        yield page
    assert complaints == []


def violations(page):
    """What axe-core finds, all rules."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found]


def unfold(page):
    """Open what is folded."""
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_window_without_complaint(browser, house, path):
    """In both themes, 400 and 1200 pixels wide, with everything opened."""
    for width, scheme in ((400, "light"), (400, "dark"), (1200, "light")):
        view = {"width": width, "height": 900}
        with visit(browser, house, viewport=view, color_scheme=scheme) as page:
            page.goto(house.url + path)
            unfold(page)
            wide, room = page.evaluate(
                "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            )
            assert wide <= room, (width, scheme)


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation(browser, house, path):
    """axe-core's rules, all of them, in both themes, with everything opened."""
    for scheme in ("light", "dark"):
        with visit(browser, house, color_scheme=scheme, bypass_csp=True) as page:
            page.goto(house.url + path)
            unfold(page)
            assert violations(page) == [], scheme


@pytest.mark.parametrize("path", ["/", "/data"])
def test_on_a_narrow_screen_each_row_of_a_list_is_a_block(browser, house, path):
    """Nothing scrolls sideways, each value has its label, and it is a table to who hears it."""
    sideways = "(e) => [...e.querySelectorAll('*'), e].some((x) => x.scrollWidth > e.clientWidth)"
    parts = ":is(table.studies, .studies :is(tr, td, th))"
    labels = "(all) => all.map((e) => [getComputedStyle(e, '::before').content, e.dataset.label])"
    for width, scheme in ((320, "light"), (400, "light"), (400, "dark"), (480, "light")):
        view = {"width": width, "height": 900}
        options = {"viewport": view, "color_scheme": scheme, "bypass_csp": True}
        with visit(browser, house, **options) as page:
            page.goto(house.url + path)
            assert not page.locator(".scroll").evaluate(sideways)
            labelled = page.locator(".studies [data-label]").evaluate_all(labels)
            assert len(labelled) >= 4
            assert [each for each in labelled if each[1] not in each[0]] == []
            # Chromium knows a table of blocks by itself, other browsers do not
            assert page.locator(f"{parts}:not([role])").count() == 0
            heard = page.get_by_role("columnheader").all_inner_texts()
            without = {word for word in heard[1:] if word not in {each[1] for each in labelled}}
            assert path == "/data" or not without  # of data that nobody has read it says less
            assert page.get_by_role("rowheader").count() == page.get_by_role("row").count() - 1
            assert violations(page) == [], (width, scheme)


def test_the_keys_go_through_a_list_on_a_narrow_screen(browser, house):
    """From the list to the box and the link of each study."""
    with visit(browser, house, viewport={"width": 400, "height": 900}) as page:
        page.get_by_role("region", name="Studies").focus()
        keys = page.locator("tr[data-part]").evaluate_all("(e) => e.map((x) => x.dataset.part)")
        for key in keys[:3]:
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.value") == key
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.pathname") == f"/studies/{key}"


def test_a_long_name_lies_over_nothing(browser, house):
    """On a wide screen, where the list is a table."""
    with visit(browser, house, viewport={"width": 1200, "height": 900}) as page:
        name = page.locator(f'tr[data-part="{slug(HOSTILE)}"] th bdi')
        assert name.evaluate("(e) => e.scrollWidth <= e.clientWidth")


def test_axe_finds_no_violation_where_one_is_refused(browser, house):
    """At the way in, and on the page of a refusal."""
    for token, path in (("", "/"), (house.token, "/studies/nobody")):
        with browser.new_context(bypass_csp=True) as context:
            page = context.new_page()
            if token:
                page.goto(f"{house.url}/?token={token}")
            page.goto(house.url + path)
            assert page.locator("[role=alert]").is_visible()
            assert violations(page) == []


def test_axe_finds_no_violation_beside_problems(browser, house):
    """With marked lines, and with a plan."""
    with visit(browser, house, bypass_csp=True) as page:
        page.goto(f"{house.url}/new")
        page.fill("#source", SMALL.replace("cv = 3", "cv = 1"))
        page.wait_for_selector(".gutter .marked")
        page.wait_for_selector("#checked:not(.stale)")
        assert violations(page) == []
        page.fill("#source", SMALL)
        page.wait_for_selector("text=Ready to hand in")
        page.wait_for_selector("#checked:not(.stale)")
        assert violations(page) == []


def test_a_mistake_is_shown_at_its_line_while_one_types(browser, house):
    """Its line is marked; a click on it, or on the mark, selects the line; mended, it is gone."""
    with visit(browser, house) as page:
        page.goto(f"{house.url}/new?from=own")
        page.fill("#source", SMALL.replace("cv = 3", "cv = 1").replace('"mlp"', '"mpl"'))
        page.get_by_role("link", name="line 14").wait_for()
        assert page.locator(".gutter .marked").all_inner_texts() == ["10", "14"]
        page.get_by_role("link", name="line 14").click()
        chosen = "source.value.slice(source.selectionStart, source.selectionEnd)"
        assert page.evaluate(chosen) == "cv = 1"
        page.locator(".gutter .marked").first.click()
        assert page.evaluate(chosen) == 'factory = "mpl"'
        page.keyboard.type('factory = "mlp"')
        page.wait_for_selector("text=1 problem")
        page.get_by_role("link", name="line 14").press("Enter")
        page.keyboard.type("cv = 3")
        page.wait_for_selector("text=Ready to hand in")
        assert page.locator(".gutter .marked").count() == 0


def test_a_file_is_shown_in_the_field(browser, house, tmp_path):
    """Chosen, and then dropped on it; nothing is handed in by that."""
    (tmp_path / "a.toml").write_text(SMALL)
    with visit(browser, house) as page:
        page.goto(f"{house.url}/new")
        page.set_input_files("#file", tmp_path / "a.toml")
        until(lambda: '"story"' in page.input_value("#source"))
        page.evaluate(
            """() => {
              const held = new DataTransfer();
              held.items.add(new File(['[study]\\nname = "dropped"\\n'], "b.toml"));
              source.dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true}));
            }"""  # noqa: E501
        )
        until(lambda: '"dropped"' in page.input_value("#source"))
        assert "story" not in house.studies()


def test_the_list_changes_by_itself_and_keeps_what_was_chosen(browser, house):
    """A study that somebody else hands in appears; chosen ones stay so, and are compared."""
    with visit(browser, house) as page:
        compare = page.get_by_role("button", name="Compare the chosen")
        assert compare.is_disabled()
        page.get_by_label("Compare done").check()
        house.submit(SMALL.replace("story", "by-somebody"))
        page.wait_for_selector("text=by-somebody")
        page.wait_for_selector("[data-part=by-somebody] >> text=place")
        assert page.get_by_label("Compare done").is_checked()
        page.get_by_label("Compare other").check()
        compare.click()
        page.wait_for_url("**/compare?key=*")
        assert "highest held-out" in page.inner_text("h2 >> nth=0")


def test_what_a_page_shows_already_is_not_sent_again(browser, house):
    """Another study's news bring no text; its own do, and are shown."""

    def hand_in(name):
        told = {"source": SMALL.replace("story", name), "priority": -9}  # behind all others
        house.ask("/studies", "POST", json=told)

    with visit(browser, house) as page:
        page.goto(f"{house.url}/studies/waiting")
        mine = "**/fragments/studies/waiting"
        with page.expect_response(mine) as news:
            hand_in("of-others")
        assert (news.value.status, news.value.headers.get("content-length", "0")) == (304, "0")
        with page.expect_response(lambda each: each.url.endswith("waiting") and each.ok) as news:
            house.ask("/studies/waiting/priority", "POST", json={"priority": 5})
        page.get_by_text("priority 5").first.wait_for()
        with page.expect_response(mine) as again:
            hand_in("of-others-too")
        assert again.value.status == 304


def test_it_works_without_script(browser, house):
    """A mistake at its line, mended, handed in, stopped, moved and deleted."""
    with visit(browser, house, java_script_enabled=False) as page:
        page.goto(f"{house.url}/new?from=own")
        page.fill("#source", SMALL.replace("story", "plain"))
        page.get_by_role("button", name="Check").click()
        page.get_by_role("heading", name="Ready to hand in").wait_for()
        page.get_by_role("button", name="Hand in").click()
        page.get_by_role("heading", name=re.compile("In the queue at place")).wait_for()
        page.fill("#priority", "7")
        page.get_by_role("button", name="Set").click()
        page.get_by_text("priority 7").first.wait_for()
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Continue").wait_for()
        page.locator("summary", has_text="Delete").click()
        page.fill("#confirm", "plain")
        page.get_by_role("button", name="Delete for good").click()
        page.wait_for_url(f"{house.url}/")
        assert "plain" not in house.studies()


def test_a_reader_is_refused_and_out_at_once_when_revoked(browser, house):
    """No button, no field; a request all the same is 403; the open page becomes the way in."""
    storage = f"sqlite:///{house.folder}/ledger.db"
    token = add_token(storage, "eve", "read")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{house.url}/?token={token}")
        page.goto(f"{house.url}/studies/waiting")
        assert page.get_by_role("button", name="Stop").count() == 0
        assert page.get_by_role("link", name="New study").count() == 0
        sent = context.request.post(
            f"{house.url}/studies/waiting/stop", headers={"origin": house.url}
        )
        assert sent.status == 403
        assert page.goto(f"{house.url}/new").status == 403
        page.goto(f"{house.url}/studies/waiting")
        revoke_token(storage, "eve")
        page.get_by_role("heading", name="Log in").wait_for(timeout=15_000)
        assert page.goto(f"{house.url}/studies/waiting").status == 401


@pytest.mark.tensorflow
def test_the_story_of_a_study(browser, tmp_path):
    """Handed in, queued, run, watched, reported, started from, stopped, continued, deleted."""
    with served(tmp_path, "--workers", "1") as service, visit(browser, service) as page:
        page.goto(f"{service.url}/new?from=own")
        page.fill("#source", SMALL.replace("cv = 3", "cv = 1"))
        page.get_by_role("link", name="line 14").wait_for()
        page.fill("#source", SMALL)
        page.get_by_role("button", name="How long will it take?").click()
        page.get_by_text("minutes, about").wait_for(timeout=120_000)
        page.get_by_role("button", name="Hand in").click()
        page.wait_for_url("**/studies/story")
        page.evaluate("window.here = true")
        page.get_by_text("2 of 2").first.wait_for(timeout=120_000)
        page.locator(".state.finished").wait_for(timeout=60_000)
        page.get_by_role("link", name="Export (zip)").wait_for()
        assert page.evaluate("window.here"), "the page was loaded again"
        assert "Held-out accuracy 0." in page.inner_text("h2 >> nth=0")
        assert page.get_by_role("button", name="Continue").count() == 0

        page.get_by_role("link", name="Report").click()
        assert page.inner_text("h1") == "story"
        page.go_back()
        page.get_by_role("link", name="Use as a start").click()
        assert 'name = "story-2"' in page.input_value("#source")
        long = page.input_value("#source").replace("[1, 2]", "[150, 200]")
        page.fill("#source", long.replace("[8, 16]", "[8, 16, 24, 32, 40, 48]"))
        page.get_by_role("heading", name="Ready to hand in").wait_for()
        page.get_by_role("button", name="Hand in").click()
        page.wait_for_url("**/studies/story-2")
        page.locator("[data-part=now] tbody tr").wait_for(timeout=60_000)
        page.get_by_role("button", name="Stop").click()
        page.locator(".state.stopped").wait_for(timeout=120_000)
        stopped = service.studies()["story-2"]
        assert stopped["done"] < stopped["planned"]
        page.get_by_role("button", name="Continue").click()
        done = stopped["done"]
        until(lambda: service.studies()["story-2"]["done"] > done)
        page.get_by_role("button", name="Stop").click()
        page.locator(".state.stopped").wait_for(timeout=120_000)
        until(lambda: service.studies()["story-2"]["status"] != "running")
        page.locator("summary", has_text="Delete").click()
        page.fill("#confirm", "story-2")
        page.get_by_role("button", name="Delete for good").click()
        page.wait_for_url(f"{service.url}/")
        assert set(service.studies()) == {"story"}


def test_what_is_shown_of_an_older_text_fades(browser, house):
    """Until the newer text is checked; the answer about the older one is not shown."""
    with visit(browser, house) as page:
        page.goto(f"{house.url}/new?from=own")
        page.wait_for_selector("#checked.stale", state="detached")
        assert page.locator(".problems").count()
        held = []

        def hold_the_first(route):
            if held:
                route.continue_()
            else:
                held.append(route)

        page.route("**/fragments/check", hold_the_first)
        page.fill("#source", SMALL.replace("cv = 3", "cv = 1"))
        assert page.is_visible("#checking")
        assert page.locator("#checked.stale .problems").count()
        until(lambda: page.wait_for_timeout(50) or held)
        page.fill("#source", SMALL)
        held[0].continue_()
        page.wait_for_selector("text=Ready to hand in")
        assert page.is_hidden("#checking")
        assert not page.locator("#checked.stale, .problems, .marked").count()


def test_handing_in_is_done_once(browser, house):
    """The button says that it is busy, and a second press does nothing."""
    with visit(browser, house) as page:
        page.goto(f"{house.url}/new?from=own")
        page.fill("#source", SMALL.replace('"story"', '"pressed twice"'))
        held = []
        page.route(lambda url: url.endswith("/new"), lambda route: held.append(route))  # noqa: PLW0108 - a method is refused
        press = (  # at once: while the answer is awaited, a page may tell nothing
            "() => { const b = document.querySelector('[data-busy]');"
            " b.click(); b.click(); return b.textContent; }"
        )
        assert page.evaluate(press) == "Handing in …"
        until(lambda: page.wait_for_timeout(50) or held)
        assert len(held) == 1
        held[0].continue_()
        page.wait_for_url("**/studies/pressed*")


def test_an_upload_tells_how_far_it_is(browser, house, tmp_path):
    """That it is sent, that the connection was lost, or what is wrong with it, once."""
    from uploads import npz

    (tmp_path / "wrong.npz").write_bytes(npz(y_test=None))
    with browser.new_context() as context:  # a refusal is a line in the browser's console
        page = context.new_page()
        page.goto(f"{house.url}/?token={house.token}")
        page.goto(f"{house.url}/data")
        page.set_input_files("#file", tmp_path / "wrong.npz")
        held, button = [], page.get_by_role("button", name="Upload")
        page.route("**/data/uploads", lambda route: held.append(route))  # noqa: PLW0108 - a method is refused
        button.click()
        until(lambda: page.wait_for_timeout(50) or held)
        assert page.is_visible("[data-sending]")
        assert button.is_disabled()
        held[0].abort()
        page.wait_for_selector("text=The connection was lost")
        page.unroute("**/data/uploads")
        button.click()
        page.wait_for_selector("text=The upload was not taken")
        assert page.get_by_role("alert").inner_text().count("missing: y_test") == 1
