"""The one table of a report's sections: a new section is a row here and a file in the report.

``[report] sections`` of a study file chooses among these names. The function ``NAME`` of
``sweep/report/NAME.py`` builds the section (see :mod:`sweep.report.sections`), which is left out
where that returns nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class PageSection(NamedTuple):
    """A section of the report.

    Attributes
    ----------
    name : str
        Its name in study files, its anchor on the page, and the name of its builder.
    title : str
        Its title in the page's navigation.
    heading : str
        Its heading on the page.
    at_end : bool
        Whether it stands after the user's own sections.
    """

    name: str
    title: str
    heading: str
    at_end: bool = False


PAGE_SECTIONS = (
    PageSection("leaderboard", "Leaderboard", "Leaderboard"),
    PageSection("pivots", "Pivots", "Pivots"),
    PageSection("parameters", "Parameters", "Score against each parameter"),
    PageSection("importances", "Importances", "Which parameters mattered"),
    PageSection("curves", "Curves", "Learning curves"),
    PageSection("fit", "Best candidate", "The best candidate, epoch by epoch"),
    PageSection("pictures", "Pictures", "Pictures"),
    PageSection("search", "Search", "How the search went"),
    PageSection("model", "Model", "The model"),
    PageSection("failures", "Failures", "Failures"),
    PageSection("limits", "Limits", "Limits"),
    PageSection("data", "Data", "Data and environment", at_end=True),
    PageSection("repeat", "Repeat", "Repeat it", at_end=True),
)
"""In the order of the page. The answer stands above them in every report."""

REPORT_SECTIONS = tuple(section.name for section in PAGE_SECTIONS)
