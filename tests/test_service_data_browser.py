"""The pages of data in a real browser: width, contrast, rules of accessibility."""

import numpy as np
import pytest
from service_client import BASE, START, bearer, opened
from uploads import npz

from sweep.service.dataset_reader import read_here

pytestmark = pytest.mark.browser
LONG = "a-name-of-many-words-that-does-not-end-for-a-long-while-yet.npz"
PAGES = ("/data", "/data/digits", f"/data/{LONG}", "/data/cifar10", "/data/nothing", "refused")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The HTML of the pages, and a function that answers the browser."""
    folder, patched = tmp_path_factory.mktemp("data"), pytest.MonkeyPatch()
    patched.delenv("SWEEP_DATA_HOME", raising=False)
    patched.setenv("KERAS_HOME", str(folder / "keras"))
    for module in ("uploads", "known_data"):
        patched.setattr(f"sweep.service.{module}.read_in_new_process", read_here)
    headers = {**bearer(START), "Accept": "text/html"}
    with opened(f"sqlite:///{folder}/ledger.db") as (_, client):
        names = np.array(["<b>bold</b>", "a class whose name goes on and on " * 3, "c"])
        sent = {"params": {"name": LONG}, "content": npz(class_names=names), "headers": headers}
        assert client.post("/api/v1/data/uploads", **sent).status_code == 201
        found = {path: client.get(path, headers=headers).text for path in PAGES[:-1]}
        form = {"files": {"file": ("x.npz", npz(y_test=None))}, "headers": headers}
        found["refused"] = client.post("/data/uploads", **form).text
        yield {path: (text, "text/html") for path, text in found.items()} | {
            "/static/style.css": (client.get("/static/style.css").text, "text/css"),
            "/static/service.js": (client.get("/static/service.js").text, "text/javascript"),
        }
    patched.undo()


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_axe_finds_no_violation(browser, pages, scheme, width):
    """All of axe-core's rules, with everything opened; no page scrolls sideways or complains."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    size, complaints = {"width": width, "height": 900}, []

    def answer(route):
        body, kind = pages[route.request.url.removeprefix(BASE).replace("/refused", "refused")]
        route.fulfill(body=body, content_type=kind)

    with browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True) as context:
        context.route("**/*", answer)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        for path in PAGES:
            page.goto(f"{BASE}/{path.removeprefix('/')}")
            page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
            found = axe.Axe().run(page).response["violations"]
            assert [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found] == []
            wide, room = page.evaluate(
                "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            )
            assert wide <= room, path
    assert complaints == []
