"""The report as a page: its form, its safety, its size."""

import base64
import hashlib
import re
import stat
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from html_page import Page
from records import (
    HOSTILE,
    empty_record,
    grid_record,
    hostile_record,
    running_record,
    tpe_record,
    validation_record,
    with_scorers,
)

from sweep.report import render, write_report
from sweep.study import StudyResult

RECORDS = {
    "grid": grid_record,
    "tpe": tpe_record,
    "validation": validation_record,
    "running": running_record,
    "empty": empty_record,
    "hostile": hostile_record,
    "several": lambda: with_scorers(grid_record(), missing=(1,)),
}


@pytest.fixture(scope="module", params=RECORDS)
def page(request):
    html = render(RECORDS[request.param]())
    return html, Page(html)


def test_every_element_is_closed_in_order(page):
    """The page is well formed."""
    assert page[1].wrong == []
    assert page[1].open == []


def test_the_page_asks_for_nothing_from_outside(page):
    """No address of another place, and no element that would load one."""
    html, parsed = page
    html = re.sub(r'data-packed="[^"]*"|src="data:image/png;base64,[^"]*"', "", html)
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", html)
    assert {a.get("href") for a in parsed.all("link")} == {"data:,"}
    assert not [t for t, a in parsed.elements if t in {"img", "iframe", "object"} or "src" in a]


def test_nothing_is_styled_or_scripted_in_line(page):
    """No style attribute and no event attribute: the policy would stop them."""
    for tag, attributes in page[1].elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_the_policy_allows_only_the_pages_own_style_and_script(page):
    """The policy is default-src 'none' and the hashes of the one style and the one script."""
    html, parsed = page
    policy = next(a["content"] for a in parsed.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (source,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert len(parsed.all(tag)) == 1


def test_headings_come_in_order(page):
    """One h1, first; no level is skipped on the way down."""
    levels = [int(tag[1]) for tag, _ in page[1].elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_ids_are_unique_and_links_lead_somewhere(page):
    """Every link within the page has its target."""
    ids = [a["id"] for _, a in page[1].elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for a in page[1].all("a")}
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_every_table_has_a_caption_and_a_container_that_the_keyboard_reaches(page):
    """As many captions as tables; scroll containers take focus and have a label."""
    parsed = page[1]
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    scrolls = [a for a in parsed.all("div") if a.get("class") == "scroll"]
    scrolls = [a for a in scrolls if a["aria-label"] != "All parameters together"]
    assert len(scrolls) == len(parsed.all("table"))
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolls)


def test_the_same_record_gives_the_same_bytes(page, request):
    """Rendering twice gives one page."""
    name = request.node.callspec.params["page"]
    assert render(RECORDS[name]()) == page[0]


def nan_scores(record):
    """The study with every score NaN."""
    trials = {
        t.number: replace(
            t,
            splits=tuple(replace(s, test=dict.fromkeys(s.test, float("nan"))) for s in t.splits),
        )
        for t in record.trials
    }
    rows = tuple(replace(c, trial=trials[c.trial.number]) for c in record.candidates)
    return replace(record, trials=tuple(trials.values()), candidates=rows, winner=None)


@pytest.mark.parametrize(
    "record",
    [
        replace(grid_record(), candidates=(), trials=(), winner=None),
        nan_scores(grid_record()),
        grid_record(epochs=(1,), widths=(32,), folds=1),
        tpe_record(1, refit=False),
        replace(
            grid_record(),
            spec={"data": {"dataset": "mnist"}, "search": {"method": "grid"}},
            environment={},
            data=replace(grid_record().data, class_counts=(), classes=()),
        ),
        replace(grid_record(), winner=replace(grid_record().winner, layers=(), confusion=())),
    ],
    ids=["nothing", "nan", "one", "one tpe", "nothing set", "no layers"],
)
def test_sparse_studies_have_a_page(record):
    """Whatever a study lacks, its page is made and well formed."""
    parsed = Page(render(record))
    assert parsed.wrong == []
    assert "Take" in parsed.text or "No settings to take" in parsed.text


def test_hostile_names_are_text():
    """Markup in a name is escaped everywhere, direction characters are gone."""
    html = render(hostile_record())
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\u202e" not in html
    assert len(Page(html).all("script")) == 1
    assert HOSTILE in Page(html).text


def test_2000_trials_of_five_splits_stay_below_2_mb():
    """Curves are sampled and tables cut, and the page says so."""
    page = render(tpe_record(2000, splits=5))
    assert len(page.encode()) < 2_000_000
    assert re.search(r"300 of the 1,\d{3} others are drawn\.", page)
    assert "The first 100 rows of 2,000." in page


def test_200_trials_of_five_splits_stay_below_400_kb():
    """A large study's page is small."""
    assert len(render(tpe_record(200, splits=5)).encode()) < 400_000


def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """The folder is made; a failure leaves the old page and no remains."""
    target = write_report(grid_record(), tmp_path / "deep" / "report.html")
    before = target.read_bytes()
    assert before.startswith(b"<!doctype html>")
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 != 0 or sys.platform == "win32"

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(running_record(), target)
    assert target.read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_the_read_arm_imports_neither_tensorflow_nor_scikit_learn():
    """Rendering a report loads none of the libraries of the write arm, and no pyplot."""
    code = (
        "import sys; sys.path.insert(0, 'tests'); import records; from sweep.report import render; "
        "render(records.grid_record()); "
        "print(*{'tensorflow', 'keras', 'sklearn', 'optuna', 'matplotlib.pyplot'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == ""


def test_a_notebook_shows_a_result_and_its_report(tmp_path):
    """The ten best with a small picture; the page where it was written."""
    result = StudyResult(tpe_record(), "sqlite:///none.db")
    shown = result._repr_html_()
    assert shown.partition("</table>")[0].count("<tr") == 11
    drawn = re.findall(r"<b>([\w -]+)</b><svg", shown)
    assert drawn == ["Best so far", "Held-out score", "Training loss"]
    assert "color-mix" in shown  # a pivot
    names = re.findall(r'\bid="([^"]+)"', shown)
    assert len(names) == len(set(names))
    pointed = set(re.findall(r'href="#([^"]+)"', shown))
    assert pointed <= set(names)
    assert "--accent: #3b82c4" in shown
    path = result.report(tmp_path / "r.html")
    assert path.is_file()
    page = path._repr_html_()
    assert page.startswith('<iframe title="Report" srcdoc="&lt;!doctype html&gt;')
    assert "<script>" not in page
