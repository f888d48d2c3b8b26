"""The committed gallery: a report for every shipped study, and the smallest one made again."""

import re
import sys
from pathlib import Path

import pytest

from sweep.spec import shipped_studies

CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "reports"
sys.path.insert(0, str(REPORTS))


def leaderboard(page):
    """Return the mean held-out score by settings, as the page shows them."""
    table = page[
        page.index('<table id="board">') : page.index("</table>", page.index('id="board"'))
    ]
    head, _, body = table.partition("<tbody>")
    titles = [re.sub("<[^>]*>", "", each) for each in CELL.findall(head.partition("<thead>")[2])]
    rows = [CELL.findall(row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)]
    score, of = (
        titles.index("held-out"),
        slice(titles.index("candidate") + 1, titles.index("state")),
    )
    return {tuple(row[of]): float(row[score]) for row in rows}


def sections(page):
    """Return the ids of the sections."""
    return re.findall(r'<section id="([^"]+)"', page)


def test_every_shipped_study_has_its_report():
    """And the table a line; every line's study is shipped."""
    table = (REPORTS / "README.md").read_text("utf-8")
    for name in shipped_studies():
        assert (REPORTS / f"{name}.html").is_file()
        assert f"[{name}.html]({name}.html)" in table
    for named in re.findall(r"\]\(([^)]+\.html)\)", table):
        assert (REPORTS / named).is_file()


def test_reports_are_small_enough_to_mail():
    """Under 400 kB each."""
    sizes = {path.name: path.stat().st_size for path in REPORTS.glob("*.html")}
    assert {name: size for name, size in sizes.items() if size >= 400_000} == {}


def test_the_table_names_only_experiments():
    """A name that is no field of an experiment, or a study that is not shipped, is found here."""
    import tomllib

    from gallery import TABLE, Experiment

    held = tomllib.loads(TABLE.read_text("utf-8"))["experiment"]
    assert {Experiment(**each).study for each in held} == set(shipped_studies())


@pytest.mark.tensorflow
def test_the_smallest_report_is_what_its_study_gives(tmp_path):
    """The same sections, candidates and, but for another machine's last digits, scores."""
    from sweep import run_study

    result = run_study("digits-grid", storage=str(tmp_path / "l.db"), n_jobs=2)
    made = Path(result.report(tmp_path / "made.html")).read_text("utf-8")
    kept = (REPORTS / "digits-grid.html").read_text("utf-8")
    assert sections(made) == sections(kept)
    ours, theirs = leaderboard(made), leaderboard(kept)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 9
    for settings, score in ours.items():
        assert score == pytest.approx(theirs[settings], abs=0.01)
