"""A person's own sections of a report, and the choice among ours."""

import sys
from dataclasses import replace
from types import ModuleType

import pandas as pd
import pytest
from matplotlib.figure import Figure
from records import grid_record

from sweep import Section
from sweep.errors import StudyFileError
from sweep.ledger.codec import sections_from_plain
from sweep.report import render
from sweep.report.model import layers
from sweep.report.sections import builder
from sweep.section import PICTURE_BYTES, SectionRecord, recorded
from sweep.spec import load_study
from sweep.spec.report_sections import PAGE_SECTIONS, PageSection

HOSTILE = "<script>alert(1)</script>"


def made(figure=None, rows=2):
    """A section of two columns."""
    frame = pd.DataFrame({"name": [HOSTILE] * rows, "value": [0.5] * rows})
    return Section("Lift", frame, "Two rows.", figure)


def with_section(section):
    """Return a record that holds it."""
    return replace(grid_record(), sections=(section,))


def test_a_section_is_stored_as_text():
    """Numbers stay numbers, a picture becomes SVG without a date; back from JSON it is the same."""
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    held = recorded("mine:lift", made(figure))
    assert held.rows == ((HOSTILE, 0.5), (HOSTILE, 0.5))
    assert held.svg.rstrip().endswith("</svg>")
    assert "<dc:date>" not in held.svg
    plain = {**vars(held), "columns": list(held.columns), "rows": [list(r) for r in held.rows]}
    assert sections_from_plain([plain]) == (held,)


def test_what_is_no_section_or_too_large_is_refused():
    """With the rule and what came instead."""
    with pytest.raises(TypeError, match=r"must return a sweep\.Section, got DataFrame"):
        recorded("mine:lift", pd.DataFrame())
    with pytest.raises(ValueError, match="at most 1,000 rows, got 1,001"):
        recorded("mine:lift", made(rows=1001))
    twice = Section("Lift", pd.DataFrame([[1, 2]], columns=["a", "a"]), "One row.")
    with pytest.raises(ValueError, match="names of columns must differ"):
        recorded("mine:lift", twice)
    huge = type(
        "Huge", (), {"savefig": lambda _self, sink, **_: sink.write("x" * (PICTURE_BYTES + 1))}
    )
    with pytest.raises(ValueError, match="bytes of SVG"):
        recorded("mine:lift", made(huge()))


def test_the_page_escapes_what_a_ledger_holds():
    """Text is text, and a picture stands where nothing of it can run."""
    held = SectionRecord(
        "a:b", HOSTILE, HOSTILE, (HOSTILE,), ((HOSTILE,),), f"<svg>{HOSTILE}</svg>"
    )
    page = render(with_section(held))
    assert HOSTILE not in page
    assert '<img class="own" src="data:image/svg+xml;base64,' in page
    assert 'href="#own-1"' in page


@pytest.mark.parametrize("titles", [(1, "1"), ("a", "a\u200b"), ("score", "\ud800score"), ()])
def test_columns_that_read_the_same_are_all_shown(titles):
    """Or none, where there is none: no title takes another column's place."""
    frame = pd.DataFrame([[f"cell {n}" for n in range(len(titles))]], columns=list(titles))
    page = render(with_section(recorded("mine:lift", Section("Lift", frame, "One row."))))
    assert [f"cell {n}" in page for n in range(len(titles))] == [True] * len(titles)


def test_a_function_that_failed_leaves_its_reason():
    """And the rest of the report."""
    page = render(with_section(SectionRecord("mine:lift", reason="ValueError: no luck")))
    assert "There is no such section: ValueError: no luck" in page
    assert 'id="leaderboard"' in page


def sections(*names):
    """Return a record whose study file chooses these sections."""
    record = grid_record()
    return replace(record, spec={**record.spec, "report": {"sections": list(names)}})


def test_a_study_file_chooses_sections():
    """The answer stands in every report; own functions alone choose nothing."""
    page = render(sections("leaderboard", "repeat"))
    assert [name for name in ("answer", "leaderboard", "repeat") if f'id="{name}"' in page] == [
        "answer", "leaderboard", "repeat",
    ]  # fmt: skip
    assert 'id="data"' not in page
    assert 'href="#data"' not in page
    assert 'id="data"' in render(sections("mine:lift"))


def test_a_section_that_is_none_is_told():
    """With the one that was meant."""
    study = {
        "study": {"name": "s"}, "data": {"dataset": "digits"}, "model": {},
        "search": {"method": "grid"}, "space": {"hidden_size": [8]},
        "report": {"sections": ["leaderbord", "mine:lift"]},
    }  # fmt: skip
    with pytest.raises(
        StudyFileError, match='no section named "leaderbord", did you mean leaderboard'
    ):
        load_study(study)


def test_a_section_needs_a_row_of_the_table_and_a_file(monkeypatch):
    """Its builder is found by its name; blocks need no template."""
    module = ModuleType("sweep.report.calibration")
    module.calibration = lambda data: [f"{data.record.name} is calibrated.", layers(data.record)]
    monkeypatch.setitem(sys.modules, "sweep.report.calibration", module)
    rows = (*PAGE_SECTIONS, PageSection("calibration", "Calibration", "Are its shares right?"))
    monkeypatch.setattr("sweep.report.sections.PAGE_SECTIONS", rows)
    page = render(grid_record())
    assert '<a href="#calibration">Calibration</a>' in page
    section = page.split('<section id="calibration">')[1].split("</section>")[0]
    assert "<h2>Are its shares right?</h2>\n<p>mnist-mlp-grid is calibrated.</p>" in section
    assert "<td>203,530</td>" in section


@pytest.mark.parametrize("section", PAGE_SECTIONS, ids=lambda each: each.name)
def test_each_section_has_a_builder_of_its_name(section):
    """A function of the module of that name."""
    found = builder(section)
    assert (found.__name__, found.__module__) == (section.name, f"sweep.report.{section.name}")
