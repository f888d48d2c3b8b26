"""Section ``curves``: learning curves of the best trials among all others."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from sweep import figures
from sweep.analysis import mean_score
from sweep.ledger.counts import ENDED
from sweep.ledger.scores import several_scorers
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import ROWS, Key, Plot, Table, frame_table
from sweep.report.curve_data import FEW, OTHERS, other_trials, top_candidates
from sweep.support.code_references import is_reference
from sweep.support.text import counted
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.report.report_data import ReportData


def curves(data: ReportData) -> list[Plot]:
    """Return the section; empty where no trial was scored a second time."""
    return learning_curves(data.record, data.folds, data.trials)


def learning_curves(
    record: StudyRecord, folds: pd.DataFrame, measured: Sequence[int]
) -> list[Plot]:
    """Return learning curves and training loss of the best trials among all others.

    Parameters
    ----------
    record : StudyRecord
        The study.
    folds, measured
        From :func:`sweep.report.curve_data.curve_folds`.
    """
    top = top_candidates(record)
    if not top or (folds["epoch"].max() < 2 and folds["epoch"].nunique() < 2):
        return []
    numbers, legend = [c.trial.number for c in top], _legend(record, top, measured)
    others = several_scorers(record)[1:]
    data = figures.curves_frame(folds, [f"test_{name}" for name in others])
    several = bool((folds["split"] > 0).any())
    if (count := len(measured)) > FEW:
        data = data[data["trial"].isin(measured[:ROWS])]
    folds, grey = _limit_others(folds, numbers, measured)
    score = figures.draw_curves(folds, numbers, scoring(record))
    note = f"Strong: mean over splits. Thin: each split. {grey}".strip() if several else grey
    trials = f"the best {len(top)} of {_count_trials(folds)} trials"
    words = f"Held-out {scoring(record)} by epoch for {trials}."
    curves = figures.to_svg(score, "c-", "Held-out score", words)
    plots = [
        Plot(
            "curves",
            "Held-out score",
            curves,
            note,
            _epochs_table(record, data, count, "test_score", "held-out score"),
            legend,
        )
    ]
    for place, name in enumerate(others, 1):
        column, said = f"test_{name}", text.clean(name)
        if data[column].notna().any():
            drawn = figures.draw_curves(folds, numbers, said, column)
            words = f"Held-out {said} by epoch for {trials}."
            svg = figures.to_svg(drawn, f"c{place}-", f"Held-out {said}", words)
            epochs = _epochs_table(record, data, count, column, f"held-out {said}")
            plots.append(Plot(f"curves-{place}", f"Held-out {said}", svg, note, epochs, legend))
    if data["loss"].notna().any():
        drawn = figures.draw_loss(folds, numbers, _chance_loss(record))
        svg = figures.to_svg(drawn, "l-", "Training loss", "By epoch.")
        epochs = _epochs_table(record, data, count, "loss", "training loss")
        plots.append(Plot("loss", "Training loss", svg, note, epochs, legend))
    return plots


def _limit_others(
    folds: pd.DataFrame, top: Sequence[int], measured: Sequence[int]
) -> tuple[pd.DataFrame, str]:
    """Keep at most ``OTHERS`` of the other trials, evenly spread; return a note on them too."""
    kept, count = other_trials(measured, top), len(set(measured) - set(top))
    said = "Grey: the other trials, dashed if pruned." if count else ""
    if count <= OTHERS:
        return folds, said
    shown = folds[folds["trial"].isin({*kept, *top})]
    return shown, f"{said} {OTHERS} of the {count:,} others are drawn."


def _chance_loss(record: StudyRecord) -> float | None:
    """Return the loss of equal probabilities; None for a model with a loss of its own."""
    own = is_reference(record.settings.model.code)
    return None if own or len(record.data.classes) < 2 else log(len(record.data.classes))


def _legend(record: StudyRecord, top: list[Candidate], measured: Sequence[int]) -> tuple[Key, ...]:
    order = parameter_names(record)
    keys = [
        Key(n, f"{text.settings_line(c.trial.params, order)} ({_score_text(c)})")
        for n, c in enumerate(top, start=1)
    ]
    rest = len(measured) - len(top)
    return (*keys, Key(0, counted(rest, "other trial"))) if rest else tuple(keys)


def _score_text(candidate: Candidate) -> str:
    return f"{text.score(mean_score(candidate))} after epoch {candidate.epoch}"


def _count_trials(folds: pd.DataFrame) -> int:
    return len(set(folds["trial"]))


def _epochs_table(
    record: StudyRecord, data: pd.DataFrame, count: int, column: str, words: str
) -> Table:
    """Return a table with one row per trial, one column per epoch; ``count`` have been measured."""
    # Each trial has each epoch once: nothing to aggregate, so no pivot_table.
    indexed = data.set_index(["trial", "state", "epoch"])[column]
    means = indexed.unstack("epoch").reset_index()  # noqa: PD010 - see above
    numbers: dict[int, str] = {}
    for candidate in record.candidates:
        before = numbers.get(number := candidate.trial.number)
        numbers[number] = f"{before}, {candidate.index}" if before else str(candidate.index)
    means = means.assign(state=means["state"].map(ENDED))
    means["trial"] = means["trial"].map(numbers)
    caption = f"{count:,} trials: {words} after each epoch, mean over splits."
    titles = {e: f"{e:.3g}" if e < 1 else f"{e:.0f}" for e in data["epoch"].unique()}
    titles["trial"] = "candidates" if len(record.candidates) > len(numbers) else "candidate"
    return frame_table(caption, means, titles, count)
