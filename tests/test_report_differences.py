"""The picture of a report's answer: differences to the best, their intervals, the margin."""

from dataclasses import replace
from math import inf, nan
from xml.etree import ElementTree as ET

from records import grid_record, tpe_record

from sweep.analysis import by_cost, compare, distinct
from sweep.figures.differences import draw_differences
from sweep.ledger.outcomes import RaceRecord, Runner
from sweep.report import render
from sweep.report.answer import RIVALS, answer


def labels(svg):
    """The names in a picture, from the top."""
    texts = ["".join(each.itertext()) for each in ET.fromstring(svg).iter("text")]  # noqa: S314 - our own
    return [each for each in texts if " = " in each]


def settled_record():
    """A study of which further repeats have told something."""
    record = grid_record()
    complete = distinct(c for c in record.candidates if c.trial.state == "COMPLETE")
    ends = [("as good", -0.004, 0.0, 0.004), ("as good", -0.002, 0.001, 0.004),
            ("open", -inf, 0.002, inf), ("lost", nan, nan, nan)]  # fmt: skip
    runners = tuple(
        Runner(str(n), {"epochs": n}, standing, 5, 0.9, *found)
        for n, (standing, *found) in enumerate(ends)
    )
    race = RaceRecord(0.005, 0.95, 2, 9, len(complete), len(complete), "settled", runners, "")
    return replace(record, race=race)


def test_the_picture_shows_what_the_table_shows():
    """Each candidate that cannot be told from the best, but that one; no margin is known."""
    for record in (grid_record(), tpe_record(30)):
        compared, found = compare(record), answer(record)
        others = [c for c in by_cost(compared.alike)[:RIVALS] if c is not compared.best]
        if not others:
            assert found.picture is None
            continue
        assert len(labels(found.picture.svg)) == len(others)
        assert "margin" not in found.picture.note
        assert found.picture.svg.count("opacity") == 0
        assert "A dot is what was measured" in render(record)


def test_after_further_repeats_the_margin_is_a_band():
    """Those of the race, without the best and what is lost; the margin is told and drawn."""
    picture = answer(settled_record()).picture
    assert [each.partition(",")[0] for each in labels(picture.svg)] == ["epochs = 1", "epochs = 2"]
    assert "within the margin of 0.005" in picture.note
    assert picture.svg.count("opacity") == 1
    assert "nan" not in picture.svg
    assert "inf" not in picture.svg


def test_an_unbounded_interval_reaches_the_edge():
    """The axis goes a tenth beyond the farthest known end; the interval stays within it."""
    axes = draw_differences([("a", -0.1, 0.2, 0.5), ("b", -inf, 0.3, inf)], 0.05).axes[0]
    assert axes.get_xlim() == (-0.55, 0.55)
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert spans[1:] == [(-0.1, 0.5), (-0.55, 0.55)]
