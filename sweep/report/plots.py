"""The figures of a study, each with its note and its data."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep import figures
from sweep.analysis import distinct, mean_score, ranked
from sweep.ledger.counts import ENDED
from sweep.ledger.objectives import objectives_of
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Key, Plot, Table, frame_table
from sweep.tables import PREFIX, objectives_frame, parameter_names, ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import Candidate, StudyRecord

TITLES = {"seconds": "Cost against score", "parameters": "Size against score"}
HUES = {"COMPLETE": "blue", "PRUNED": "grey", "INFEASIBLE": "violet", "FAIL": "orange"}
"""What the colours of the timeline's bars are called."""

TOP = 5
OTHERS = 300
"""Curves of other trials that are drawn."""


def slices(record: StudyRecord, frame: pd.DataFrame) -> list[Plot]:
    """Return one plot for each parameter that took more than one value."""
    names = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    plots = [_slice(record, frame, name, f"x{n}-") for n, name in enumerate(names)]
    return [plot for plot in plots if plot is not None]


def slices_table(record: StudyRecord, frame: pd.DataFrame) -> Table:
    """Return the data of all slices: the complete candidates."""
    names = [c for c in frame.columns if c.startswith(PREFIX)]
    data = frame.loc[frame["state"] == "COMPLETE", ["candidate", *names, "mean_test_score"]]
    titles = {name: text.clean(name.removeprefix(PREFIX)) for name in names}
    titles["mean_test_score"] = f"held-out {scoring(record)}"
    caption = f"The points of these figures: {len(data):,} complete candidates."
    return frame_table(caption, data, titles)


def history(record: StudyRecord) -> Plot | None:
    """Return scores in the order of the trials, None before one has ended with a score."""
    data = figures.history_frame(record)
    if data["score"].notna().sum() == 0:
        return None
    name, title = scoring(record), "Best so far"
    svg = figures.to_svg(figures.draw_history(data, name), "h-", title, _found(data, name))
    rings = " Rings: past a limit." if "INFEASIBLE" in set(data["state"]) else ""
    note = f"Dots: complete trials. Crosses: pruned ones, at their last epoch.{rings}"
    caption = f"{len(data):,} ended trials in the order in which they ended; held-out {name}."
    table = frame_table(caption, _in_words(data))
    return Plot("history", title, svg, f"{note} Line: best so far.", table)


def search(record: StudyRecord, frame: pd.DataFrame) -> list[Plot]:
    """Return how the search went: best so far, cost, and the other objectives."""
    costs = [cost(record, frame, by) for by in TITLES]
    found = (history(record), *costs, *pareto(record), timeline(record))
    return [plot for plot in found if plot is not None]


def timeline(record: StudyRecord) -> Plot | None:
    """Return what each worker did when, None where nobody has taken a trial."""
    data = figures.timeline_frame(record)
    if data.empty:
        return None
    title, count = "Workers", int(data["worker"].max())
    words = f"{text.many(len(data), 'trial')} of {text.many(count, 'worker')} along the clock."
    svg = figures.to_svg(figures.draw_timeline(data), "w-", title, words)
    said = [
        f"{HUES[state]}: {word}" for state, word in ENDED.items() if state in set(data["state"])
    ]
    note = f"A bar is a trial. {'; '.join(said).capitalize()}."
    caption = f"{words} Seconds since the first trial began."
    return Plot("timeline", title, svg, note, frame_table(caption, _in_words(data)))


def _in_words(data: pd.DataFrame) -> pd.DataFrame:
    """Say states as people do."""
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
    note = "Line and blue dots: nothing as cheap scores as high."
    units = {"seconds": "seconds of fitting one split, mean over splits", "parameters": "weights"}
    caption = f"{len(data):,} complete candidates; {units[by]}."
    shown = data.assign(front=data["front"].map({True: "yes", False: ""}))
    return Plot(f"cost-{by}", title, svg, note, frame_table(caption, shown, {"front": "worth it"}))


def pareto(record: StudyRecord) -> list[Plot]:
    """Return score against each other objective; nothing where the score is the only one."""
    objectives = objectives_of(record.spec)[1:]
    data = objectives_frame(record)
    return [_pareto(record, data, name) for name in objectives if not data.empty]


def _pareto(record: StudyRecord, data: pd.DataFrame, name: str) -> Plot:
    title, count = f"Score against {figures.AXES[name]}", int(data["pareto"].sum())
    words = f"No other candidate beats {count} of {len(data)} in every objective."
    drawn = figures.draw_pareto(data, name, scoring(record))
    svg = figures.to_svg(drawn, f"p{name[0]}-", title, words)
    shown = data[data["pareto"]].drop(columns="pareto")
    names = [str(column) for column in shown.columns]
    titles = {n: text.clean(n.removeprefix(PREFIX)) for n in names if n.startswith(PREFIX)}
    caption = f"The Pareto set: {words} The one with the highest score is refitted."
    table = frame_table(caption, shown, titles)
    return Plot(f"pareto-{name.replace('_', '-')}", title, svg, "Blue: the Pareto set.", table)


def learning(record: StudyRecord, folds: pd.DataFrame) -> list[Plot]:
    """Return learning curves and training loss of the best trials among all others."""
    top = _top(record)
    if not top or folds["epoch"].max() < 2:
        return []
    numbers, legend = [c.trial.number for c in top], _legend(record, top, folds)
    data, several = figures.curves_frame(folds), bool((folds["split"] > 0).any())
    folds, grey = _fewer(folds, numbers)
    score = figures.draw_curves(folds, numbers, scoring(record))
    note = f"Strong: mean over splits. Thin: each split. {grey}".strip() if several else grey
    words = (
        f"Held-out {scoring(record)} by epoch for the best {len(top)} of {_trials(folds)} trials."
    )
    curves = figures.to_svg(score, "c-", "Held-out score", words)
    plots = [
        Plot("curves", "Held-out score", curves, note, _wide(record, data, "test_score"), legend)
    ]
    if data["loss"].notna().any():
        drawn = figures.draw_loss(folds, numbers, _guessing(record))
        svg = figures.to_svg(drawn, "l-", "Training loss", "By epoch.")
        plots.append(Plot("loss", "Training loss", svg, note, _wide(record, data, "loss"), legend))
    return plots


def _fewer(folds: pd.DataFrame, top: Sequence[int]) -> tuple[pd.DataFrame, str]:
    """Keep at most so many of the other trials, evenly spread, and say so."""
    others = sorted(set(folds["trial"]) - set(top))
    said = "Grey: the other trials, dashed if pruned." if others else ""
    if len(others) <= OTHERS:
        return folds, said
    kept = {others[i * len(others) // OTHERS] for i in range(OTHERS)}
    shown = folds[folds["trial"].isin(kept | set(top))]
    return shown, f"{said} {OTHERS} of the {len(others):,} others are drawn."


def fit(record: StudyRecord, folds: pd.DataFrame) -> list[Plot]:
    """Return loss and accuracy of the best candidate: training rows against held-out ones."""
    best = next(iter(ranked(record)), None)
    if best is None:
        return []
    data = figures.fit_frame(folds, best.trial.number)
    if len(data) < 2:
        return []
    legend = (Key(1, "held-out rows, after the epoch"), Key(2, "training rows, during the epoch"))
    settings = _named(best.trial.params, parameter_names(record))
    note = f"{settings}; mean over {text.many(len(best.trial.splits), 'fit')}."
    name = scoring(record)
    plots = []
    for training, held_out, title in (
        ("loss", "test_loss", "Loss"),
        ("accuracy", "test_score", "Accuracy" if name == "accuracy" else f"Accuracy and {name}"),
    ):
        shown = data[["epoch", training, held_out]]
        if shown[held_out].isna().all():
            continue
        drawn = figures.draw_fit(data, training, held_out, title.lower())
        svg = figures.to_svg(drawn, f"f{training[0]}-", title, "Training and held-out, by epoch.")
        titles = {training: f"training {training}", held_out: f"held-out {held_out[5:]}"}
        table = frame_table("Of the best candidate, after each epoch.", shown, titles)
        plots.append(Plot(f"fit-{training}", title, svg, note, table, legend))
    return plots


def _slice(record: StudyRecord, frame: pd.DataFrame, name: str, prefix: str) -> Plot | None:
    data = figures.slice_frame(frame, name)
    if len({str(v) for v in data["value"]}) < 2:
        return None
    entry: Any = record.spec.get("space", {}).get(name)
    log = isinstance(entry, dict) and bool(entry.get("log"))
    title, score = text.clean(name), scoring(record)
    words = f"Held-out {score} of {len(data)} candidates against {title}."
    drawn = figures.draw_slice(data, score, ranged=name in ranges(record), log=log)
    svg = figures.to_svg(drawn, prefix, title, words)
    left = int((frame["state"] == "COMPLETE").sum()) - len(data)
    note = f"n = {len(data):,}" + (f"; does not apply to {left:,} more" if left else "")
    return Plot(f"slice-{prefix}", title, svg, note + (", logarithmic axis" if log else ""), None)


def _guessing(record: StudyRecord) -> float | None:
    """Return the loss of equal probabilities; None where a model may have a loss of its own."""
    own = ":" in str(record.spec.get("model", {}).get("factory", ""))
    return None if own or len(record.data.classes) < 2 else log(len(record.data.classes))


def _top(record: StudyRecord) -> list[Candidate]:
    """Return the best candidates of different trials, none with a result that another one has."""
    first: dict[int, Candidate] = {}
    for candidate in distinct(ranked(record)):
        source = candidate.trial.copied_from
        first.setdefault(candidate.trial.number if source is None else source, candidate)
    return list(first.values())[:TOP]


def _legend(record: StudyRecord, top: list[Candidate], folds: pd.DataFrame) -> tuple[Key, ...]:
    order = parameter_names(record)
    keys = [
        Key(n, f"{_named(c.trial.params, order)} ({_best(c)})") for n, c in enumerate(top, start=1)
    ]
    rest = _trials(folds) - len(top)
    return (*keys, Key(0, text.many(rest, "other trial"))) if rest else tuple(keys)


def _named(params: Mapping[str, Any], order: list[str]) -> str:
    return text.sentence(params, order) or "the fixed model"


def _best(candidate: Candidate) -> str:
    return f"{text.score(mean_score(candidate))} after epoch {candidate.epoch}"


def _trials(folds: pd.DataFrame) -> int:
    return len(set(folds["trial"]))


def _wide(record: StudyRecord, data: pd.DataFrame, column: str) -> Table:
    """Set one row per trial, one column per epoch."""
    # Each trial has each epoch once: nothing to aggregate, so no pivot_table.
    indexed = data.set_index(["trial", "state", "epoch"])[column]
    means = indexed.unstack("epoch").reset_index()  # noqa: PD010 - see above
    held: dict[int, str] = {}
    for candidate in record.candidates:
        before = held.get(number := candidate.trial.number)
        held[number] = f"{before}, {candidate.index}" if before else str(candidate.index)
    means = _in_words(means)
    means["trial"] = means["trial"].map(held)
    words = {"test_score": "held-out score", "loss": "training loss"}[column]
    caption = f"{len(means):,} trials: {words} after each epoch, mean over splits."
    return frame_table(
        caption,
        means,
        {"trial": "candidates" if len(record.candidates) > len(held) else "candidate"},
    )


def _found(data: pd.DataFrame, score: str) -> str:
    best = data["best"].max()
    if pd.isna(best):
        return f"No complete trial among {len(data)}."
    first = int(data.loc[data["best"] == best, "order"].iloc[0])
    found = f"was found after {first} of {len(data)} trials"
    return f"The best held-out {score}, {text.score(best)}, {found}."
