"""The report in a real browser: policy, width, contrast, sorting and filtering."""

import csv
import re
from dataclasses import replace

import pandas as pd
import pytest
from records import grid_record, hostile_record, tpe_record
from test_pictures import everything

from sweep.ledger.overview import StudyOverview
from sweep.report import write_comparison, write_report
from sweep.report.index import render_index
from sweep.support.file_writing import write_file
from sweep.tables import candidates_frame

pytestmark = pytest.mark.browser
RECORDS = {"grid": grid_record, "tpe": tpe_record, "hostile": hostile_record}

# A canvas turns any CSS colour into the bytes that the screen shows.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => {
      v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (e) => {
    const c = getComputedStyle(e).backgroundColor;
    return c !== "rgba(0, 0, 0, 0)" ? c : e.parentElement ? paper(e.parentElement) : "white";
  };
  const worst = {};
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest("script, style, title, desc, [hidden]")) continue;
    const style = getComputedStyle(e);
    const ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(paper(e))].sort((x, y) => y - x);
    const key = `${e.tagName}.${e.getAttribute("class") || ""}`;
    worst[key] = Math.min(worst[key] || 21, (a + 0.05) / (b + 0.05));
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    made = {name: write_report(made(), folder / f"{name}.html") for name, made in RECORDS.items()}
    two = [replace(grid_record(), name="one"), replace(hostile_record(), name="two")]
    made["comparison"] = write_comparison(two, folder / "comparison.html")
    study = StudyOverview(
        "one", "grid", "finished", 9, 9, 0, 0.9, "2026-03-02T09:30:00+00:00", True
    )
    made["index"] = write_file(folder / "index.html", render_index([study], {"one": "grid.html"}))
    made["pictures"] = write_report(grid_record(), folder / "pictures.html", None, everything())
    return made


@pytest.fixture
def visit(browser, files):
    """Open a report; complaints of the browser fail the test at its end."""
    contexts, complaints = [], []

    def open_page(name, *, width=1200, scheme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(files[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def column(page, number):
    """The visible cells of one column of the leaderboard."""
    return page.locator(f"#board tbody tr:visible > :nth-child({number})").all_inner_texts()


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*RECORDS, "comparison", "index", "pictures"])
def test_the_page_fits_its_window_and_keeps_its_policy(visit, name, scheme, width):
    """No complaint in the console, and the page never scrolls sideways."""
    page = visit(name, width=width, scheme=scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    wide, room = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= room


@pytest.mark.parametrize("name", [*RECORDS, "comparison", "index", "pictures"])
def test_nothing_is_asked_for_from_outside(browser, files, name):
    """The network log of a visit holds the page itself and what stands in it."""
    with browser.new_context() as context:
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(files[name].as_uri())
        page.wait_for_load_state("networkidle")
    assert asked[0] == files[name].as_uri()
    assert all(url.startswith("data:image/") for url in asked[1:])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["grid", "tpe"])
def test_all_text_has_contrast(visit, name, scheme):
    """Every text stands out from its paper by 4.5 to 1 or more, in both themes."""
    worst = visit(name, scheme=scheme).evaluate(CONTRASTS)
    assert len(worst) > 15
    assert {k: v for k, v in worst.items() if v < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*RECORDS, "comparison", "index", "pictures"])
def test_axe_finds_no_violation(browser, files, name, scheme):
    """axe-core's rules, all of them, in both themes, with everything opened."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with browser.new_context(color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(files[name].as_uri())
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        found = axe.Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found] == []


def test_a_click_on_a_title_sorts_and_another_turns_it_round(visit):
    """Sorting is by number where there are numbers; empty cells stay last."""
    page = visit("tpe")
    page.get_by_label("Show all").check()
    title = page.locator("#board thead").get_by_role("button", name="held-out")
    title.click()
    held = column(page, 2)
    scores = [float(s) for s in held if s]
    assert scores == sorted(scores)
    assert held[len(scores) :] == [""] * (60 - len(scores))
    title.click()
    held = column(page, 2)
    assert [float(s) for s in held if s] == scores[::-1]
    assert held[0] != ""
    head = page.locator("#board th", has_text="held-out")
    assert head.get_attribute("aria-sort") == "descending"


def test_the_first_twenty_rows_show_until_all_are_asked_for(visit):
    """Twenty rows at first, all with the box ticked."""
    page = visit("tpe")
    assert len(column(page, 1)) == 20
    page.get_by_label("Show all").check()
    assert len(column(page, 1)) == 60


def test_the_filter_finds_rows_beyond_the_first_twenty(visit):
    """All words must be in a row; the count is said."""
    page = visit("tpe")
    page.get_by_role("searchbox", name="Filter").fill("sgd failed")
    states, optimizers = column(page, 12), column(page, 10)
    assert all(state.startswith("failed: ") for state in states)
    assert set(optimizers) == {"sgd"}
    assert page.locator("#found").inner_text() == f"{len(states)} of 60"
    page.get_by_role("searchbox", name="Filter").fill("")
    assert len(column(page, 1)) == 20


def test_columns_can_be_left_out_and_brought_back(visit):
    """A box for each title; what is hidden is hidden in every row."""
    page = visit("tpe")
    page.get_by_text("Columns", exact=True).click()
    box = page.locator("#columns").get_by_label("fit s")
    cells = page.locator("#board tr:visible > :nth-child(4)")
    assert cells.first.is_visible()
    box.uncheck()
    assert not any(cells.nth(n).is_visible() for n in range(5))
    box.check()
    assert cells.first.is_visible()


def test_the_download_is_the_table_of_candidates(visit, tmp_path):
    """All rows and columns, named like the study, as any program reads them."""
    page = visit("tpe")
    with page.expect_download() as held:
        page.get_by_role("button", name="Download as CSV").click()
    assert held.value.suggested_filename == "mnist-cnn-tpe.csv"
    held.value.save_as(tmp_path / "t.csv")
    frame = pd.read_csv(tmp_path / "t.csv")
    expected = candidates_frame(tpe_record()).sort_values(["rank_test_score", "candidate"])
    assert frame["candidate"].tolist() == expected["candidate"].tolist()
    scores = expected["mean_test_score"].to_numpy(dtype=float)
    assert frame["mean_test_score"].to_numpy() == pytest.approx(scores, nan_ok=True)


def test_a_hostile_name_is_no_formula_in_the_download(visit, tmp_path):
    """A spreadsheet calculates nothing."""
    page = visit("hostile")
    with page.expect_download() as held:
        page.get_by_role("button", name="Download as CSV").click()
    held.value.save_as(tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text("utf-8").splitlines()
    cells = [cell for row in csv.reader(lines) for cell in row]
    number = re.compile(r"-?[0-9.e+-]+")
    dangerous = [c for c in cells if c.startswith(("=", "+", "-", "@")) and not number.fullmatch(c)]
    assert dangerous == []


def test_a_row_that_is_chosen_stands_out_among_the_lines(visit):
    """By the pointer in the table or in the drawing, and by the arrow keys; it is said."""
    page = visit("tpe")
    page.locator("#board tbody tr").nth(2).click()
    chosen = page.locator("#board tr.picked").get_attribute("data-candidate")
    assert page.locator("#parallel path.picked").get_attribute("data-candidate") == chosen
    assert page.locator("#picked").inner_text() == f"Chosen: candidate {chosen}."
    page.keyboard.press("ArrowDown")
    below = page.locator("#board tbody tr").nth(3).get_attribute("data-candidate")
    assert page.locator("#board tr.picked").get_attribute("data-candidate") == below
    page.locator(f'#parallel path[data-candidate="{chosen}"]').dispatch_event("click")
    assert page.locator("#board tr.picked").get_attribute("data-candidate") == chosen
    assert page.locator("#picked").inner_text().startswith(f"Chosen: candidate {chosen}: 0.")


def test_the_theme_follows_the_system_until_the_button_is_pressed(visit):
    """Dark on a dark system; the button turns it, and back."""
    page = visit("grid", scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    assert dark == "rgb(21, 23, 26)"
    button = page.get_by_role("button", name="Light / dark")
    button.click()
    assert page.evaluate(paper) == "rgb(253, 253, 251)"
    button.click()
    assert page.evaluate(paper) == dark


def test_the_keyboard_reaches_the_answer_first(visit):
    """The first stop is the skip link, and it leads to the answer."""
    page = visit("grid")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_without_scripts_the_page_reads_the_same(visit):
    """Controls that need a script are not shown; the rows are."""
    page = visit("tpe", script=False)
    assert not page.locator("#filter").is_visible()
    assert page.locator("#board tbody tr").nth(19).is_visible()
    page.get_by_label("Show all").check()
    assert page.locator("#board tbody tr").nth(59).is_visible()


def test_printed_pages_are_light_and_carry_no_controls(visit):
    """Print is light on any system, without navigation."""
    page = visit("grid", scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    fg = page.evaluate("getComputedStyle(document.body).color")
    assert fg == "rgb(29, 31, 34)"
