"""Section ``search``: how the search went, trial by trial and against its cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from sweep import figures
from sweep.ledger.counts import ENDED
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Plot, frame_table
from sweep.spec.scorers import column_of
from sweep.support.text import counted
from sweep.tables import PREFIX, objectives_frame

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData

TITLES = {"seconds": "Cost against score", "parameters": "Size against score"}
HUES = {"COMPLETE": "blue", "PRUNED": "grey", "INFEASIBLE": "violet", "FAIL": "orange"}
"""What the colours of the timeline's bars are called."""


@dataclass(frozen=True)
class Search:
    """Figures, and sentences on trials that no table shows."""

    beyond: str
    cut: str
    plots: list[Plot]


def search(data: ReportData) -> Search | None:
    """Return the section; None where there is nothing to show."""
    record = data.record
    found = Search(beyond_the_end(record), cut_trials(record), search_plots(record, data.measured))
    return found if found.plots or found.beyond or found.cut else None


def search_plots(record: StudyRecord, frame: pd.DataFrame) -> list[Plot]:
    """Return how the search went: best so far, cost, and the other objectives."""
    costs = [cost(record, frame, by) for by in TITLES]
    found = (history(record), *costs, *pareto(record), timeline(record))
    return [plot for plot in found if plot is not None]


def history(record: StudyRecord) -> Plot | None:
    """Return scores in the order of the trials, None before one has ended with a score."""
    data = figures.history_frame(record)
    if data["score"].notna().sum() == 0:
        return None
    name, title = scoring(record), "Best so far"
    svg = figures.to_svg(figures.draw_history(data, name), "h-", title, _best_sentence(data, name))
    rings = " Rings: past a limit." if "INFEASIBLE" in set(data["state"]) else ""
    note = f"Dots: complete trials. Crosses: pruned ones, at their last epoch.{rings}"
    caption = f"{len(data):,} ended trials in the order in which they ended; held-out {name}."
    table = frame_table(caption, _with_state_words(data))
    few = figures.sample_note(len(data), "trials")
    return Plot("history", title, svg, f"{note} Line: best so far.{few}", table)


def timeline(record: StudyRecord) -> Plot | None:
    """Return what each worker did when, None where nobody has taken a trial."""
    data = figures.timeline_frame(record)
    if data.empty:
        return None
    title, count = "Workers", int(data["worker"].max())
    words = f"{counted(len(data), 'trial')} of {counted(count, 'worker')} along the clock."
    svg = figures.to_svg(figures.draw_timeline(data), "w-", title, words)
    said = [
        f"{HUES[state]}: {word}" for state, word in ENDED.items() if state in set(data["state"])
    ]
    few = figures.sample_note(len(data), "bars")
    note = f"A bar is a trial. {'; '.join(said).capitalize()}.{few}"
    caption = f"{words} Seconds since the first trial began."
    return Plot("timeline", title, svg, note, frame_table(caption, _with_state_words(data)))


def _with_state_words(data: pd.DataFrame) -> pd.DataFrame:
    """Replace states by their words."""
    return data.assign(state=data["state"].map(ENDED))


def cost(record: StudyRecord, frame: pd.DataFrame, by: str = "seconds") -> Plot | None:
    """Return score against seconds or weights, None where there is nothing to weigh."""
    data = figures.cost_frame(frame, by)
    if data.empty or (by == "parameters" and data[by].nunique() < 2):
        return None
    title, worth = TITLES[by], int(data["front"].sum())
    words = f"{worth} of {len(data)} candidates score higher than all that cost less."
    drawn = figures.draw_cost(data, scoring(record), by)
    svg = figures.to_svg(drawn, f"k{by[0]}-", title, words)
    few = figures.sample_note(len(data) - worth, "other candidates")
    note = f"Line and blue dots: nothing as cheap scores as high.{few}"
    units = {"seconds": "seconds of fitting one split, mean over splits", "parameters": "weights"}
    caption = f"{len(data):,} complete candidates; {units[by]}."
    shown = data.assign(front=data["front"].map({True: "yes", False: ""}))
    return Plot(f"cost-{by}", title, svg, note, frame_table(caption, shown, {"front": "worth it"}))


def pareto(record: StudyRecord) -> list[Plot]:
    """Return score against each other objective; nothing where the score is the only one."""
    objectives = list(map(column_of, record.settings.search.objectives[1:]))
    if not objectives:
        return []
    data = objectives_frame(record)
    named = enumerate(objectives)
    return [_pareto(record, data, name, place) for place, name in named if not data.empty]


def _pareto(record: StudyRecord, data: pd.DataFrame, name: str, place: int) -> Plot:
    title = f"Score against {text.clean(figures.AXES.get(name, name))}"
    count = int(data["pareto"].sum())
    words = f"No other candidate beats {count} of {len(data)} in every objective."
    drawn = figures.draw_pareto(data, name, scoring(record))
    svg = figures.to_svg(drawn, f"p{place}-", title, words)
    shown = data[data["pareto"]].drop(columns="pareto")
    names = [str(column) for column in shown.columns]
    titles = {n: text.clean(n.removeprefix(PREFIX)) for n in names if n.startswith(PREFIX)}
    caption = f"The Pareto set: {words}{_refitted(record)}"
    table = frame_table(caption, shown, titles)
    note = f"Blue: the Pareto set.{figures.sample_note(len(data) - count, 'other candidates')}"
    return Plot(f"pareto-{name.replace('_', '-')}", title, svg, note, table)


def _refitted(record: StudyRecord) -> str:
    return "" if record.imported else " The one with the highest score is refitted."


def _best_sentence(data: pd.DataFrame, score: str) -> str:
    best = data["best"].max()
    if pd.isna(best):
        return f"No complete trial among {len(data)}."
    first = int(data.loc[data["best"] == best, "order"].iloc[0])
    found = f"was found after {first} of {len(data)} trials"
    return f"The best held-out {score}, {text.score(best)}, {found}."


def beyond_the_end(record: StudyRecord) -> str:
    """Return how many cells were evaluated after the end of the search; empty if none was."""
    count = len(record.beyond)
    if not count:
        return ""
    verb = "was" if count == 1 else "were"
    return (
        f"{counted(count, 'cell')} beyond the end of the search {verb} evaluated too, by workers "
        "that did not know the end yet; nothing here counts them, and more patience takes them up."
    )


def cut_trials(record: StudyRecord) -> str:
    """Return how many trials were ended from outside; empty if none was."""
    count = sum(trial.state == "CUT" for trial in record.trials)
    if not count:
        return ""
    if count == 1:
        return (
            "1 attempt was cut from outside (an interrupted run, a lost worker); it is in no table."
        )
    return (
        f"{count:,} attempts were cut from outside (an interrupted run, a lost worker); they are "
        "in no table."
    )
