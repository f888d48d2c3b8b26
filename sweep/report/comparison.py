"""From several study records to one page that compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep import figures, tables
from sweep.errors import ResultError
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import ROWS, Key, Plot, Table, frame_table, table
from sweep.report.model import layers
from sweep.report.page import environment, page_resources
from sweep.support.file_writing import write_file
from sweep.support.text import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from sweep.ledger.records import StudyRecord

MEAN = "mean_test_"
MOST = 5
"""Studies on one page: as many as colours that can be told apart."""


def render_comparison(records: Sequence[StudyRecord], baseline: str | None = None) -> str:
    """Return the comparison of studies as one HTML page.

    Parameters
    ----------
    records : sequence of StudyRecord
        Two to five studies.
    baseline : str, optional
        The study that the others are compared with; the first by default.

    Raises
    ------
    ResultError
        For fewer or more studies, or a baseline that is none of them.
    """
    return str(environment().get_template("comparison.html.j2").render(_context(records, baseline)))


def write_comparison(
    records: Sequence[StudyRecord], path: str | os.PathLike[str], baseline: str | None = None
) -> Path:
    """Write the comparison of studies: whole, or not at all; see :func:`render_comparison`."""
    return write_file(path, render_comparison(records, baseline))


def checked_baseline(names: Sequence[str], baseline: str | None) -> int:
    """Return the place of the study that the others are compared with.

    Raises
    ------
    ResultError
        For fewer or more studies, or a baseline that is none of them.
    """
    given = f": {', '.join(names)}" if names else ""
    if len(set(names)) != len(names) or not 2 <= len(names) <= MOST:
        raise ResultError(f"compare: needs 2 to {MOST} different studies, got {len(names)}{given}")
    if baseline is not None and baseline not in names:
        raise ResultError(
            f"--baseline: must be one of the studies, got {baseline!r}; there are: "
            f"{', '.join(names)}"
        )
    return names.index(baseline) if baseline else 0


def _context(records: Sequence[StudyRecord], baseline: str | None) -> dict[str, Any]:
    base = records[checked_baseline([record.name for record in records], baseline)]
    frame = tables.studies_frame(records)
    progress = tables.progress_frame(records)
    return {
        **page_resources(),
        "title": " / ".join(text.clean(record.name) for record in records),
        "headline": headline(frame, tables.pairs_frame(records, base), scoring(base)),
        "studies": studies_table(frame, scoring(base)),
        "pairs": pairs_table(records, base),
        "progress": [_progress(progress, by, scoring(base)) for by in ("seconds", "fits")]
        if len(progress)
        else [],
        "models": [(text.clean(r.name), held) for r in records if (held := layers(r))],
        "shared": _shared(records),
        "alone": _searched_sentence(records),
        "settings": frame_table(
            "Settings of the study files that are not the same.", tables.settings_frame(records)
        ),
    }


def headline(frame: pd.DataFrame, pairs: pd.DataFrame, score: str) -> str:
    """Return which study has the highest score, and a caution where scores do not compare."""
    known = frame[frame["score"].notna()]
    if known.empty:
        return "Nothing is complete yet"
    top = known.sort_values("score", ascending=False, kind="stable").iloc[0]
    said = f"{text.clean(top['study'])} found the highest held-out {score}, {top['score']:.4f}"
    if pairs["difference"].isna().any():
        return f"{said}; not all ran on the same rows and splits, so scores need not compare"
    return said


def studies_table(frame: pd.DataFrame, score: str) -> Table:
    """Return one row for each study."""
    means = [
        str(name)
        for name in frame
        if str(name).startswith(MEAN) and not frame[name].equals(frame["score"])  # shown already
    ]
    rows = [
        (
            row["study"], row["method"], row["status"], text.score(row["score"]),
            f"{text.score(row['low'])} to {text.score(row['high'])}" if row["low"] == row["low"] else text.NOTHING,  # noqa: E501 - NaN
            text.score(row["test_score"]), text.whole(row["parameters"]),
            f"{row['candidates']:,}", f"{row['fits']:,}", text.seconds(row["fit_seconds"]),
            *(text.score(row[name]) for name in means), row["settings"],
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    titles = {"study": False, "method": False, "status": False, f"held-out {score}": True}
    titles |= {"95% interval": True, f"test {score}": True, "parameters": True}
    titles |= {"candidates": True, "fits": True, "fitting": True}
    titles |= {f"mean {text.clean(name.removeprefix(MEAN))}": True for name in means}
    titles |= {"settings taken": False}
    caption = (
        f"{counted(len(rows), 'study', 'studies')}; what each has chosen, "
        "its mean held-out score over its splits, that model's weights, seconds of all fits."
    )
    return table(caption, titles.items(), rows)


def pairs_table(records: Sequence[StudyRecord], base: StudyRecord) -> Table:
    """Return every study against the baseline."""
    rows = []
    for row in tables.pairs_frame(records, base).to_dict("records"):
        gap = row["difference"]
        known, ends = gap == gap, row["low"] == row["low"]  # noqa: PLR0124 - NaN
        said = f"not compared: {row['reason']}" if not known else row["reason"]
        if ends:
            sure = row["low"] > 0 or row["high"] < 0
            said = "more than chance explains" if sure else "may be chance"
        between = f"{row['low']:+.4f} to {row['high']:+.4f}" if ends else text.NOTHING
        rows.append((row["study"], f"{gap:+.4f}" if known else text.NOTHING, between, said))
    caption = (
        f"Each study less {text.clean(base.name)}: difference of the held-out scores of what was "
        "chosen, paired by split; corrected resampled t interval (Nadeau and Bengio 2003), no "
        "narrower than rows allow where scores are shares of them (Bonett and Price 2012). Each "
        "is the best of its search, so differences are flattered as scores are."
    )
    titles = {"study": False, "difference": True, "95% interval": True, "in words": False}
    return table(caption, titles.items(), rows)


def _progress(frame: pd.DataFrame, by: str, score: str) -> Plot:
    title = f"Best so far against {by}"
    svg = figures.to_svg(figures.draw_progress(frame, by, score), f"{by[0]}-", title, title)
    names = list(dict.fromkeys(frame["study"]))
    legend = tuple(Key(n, text.clean(name)) for n, name in enumerate(names, start=1))
    caption = f"{len(frame):,} complete trials in the order in which they ended."
    data = frame_table(caption, frame[["study", by, "best"]])
    return Plot(f"progress-{by}", title, svg, "", data, legend)


def _shared(records: Sequence[StudyRecord]) -> Table | None:
    frame = tables.shared_frame(records)
    if frame.empty:
        return None
    caption = (
        "The highest held-out score of each study by value of the parameters in common that take "
        "no more than 20 values."
    )
    if len(frame) > ROWS:
        caption = f"{caption} The first {ROWS} rows of {len(frame):,}."
    columns = [(str(name), place > 1) for place, name in enumerate(frame)]
    rows = [
        (name, value, *("" if tables.is_missing(score) else text.score(score) for score in scores))
        for name, value, *scores in frame.head(ROWS).itertuples(index=False)
    ]
    return table(caption, columns, rows)


def _searched_sentence(records: Sequence[StudyRecord]) -> str:
    """Return which parameters all studies search, and which only some do."""
    searched = [list(record.settings.space.dimensions) for record in records]
    names = list(dict.fromkeys(name for each in searched for name in each))
    common = [name for name in names if all(name in each for each in searched)]
    others = [name for name in names if name not in common]
    said = f"Searched by all: {', '.join(map(text.clean, common)) or 'none'}."
    return f"{said} By some only: {', '.join(map(text.clean, others))}." if others else said
