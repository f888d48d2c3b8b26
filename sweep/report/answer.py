"""The answer on top of the report: which settings to take, and how certain that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from sweep.analysis import (
    arithmetic,
    best,
    by_cost,
    compare,
    distinct,
    fit_seconds,
    idle,
    is_current,
    is_share,
    mean_score,
    missing_scores,
    mixture,
    no_interval,
    other_means,
    rule,
    score_interval,
    scorer,
    share_interval,
    split_scores,
    unrepeatable,
)
from sweep.analysis import chosen as choice
from sweep.analysis.power import outlook_text
from sweep.analysis.settled_text import settled
from sweep.ledger.counts import ENDED
from sweep.ledger.reading import latest_by_key
from sweep.ledger.scores import candidate_with
from sweep.report import text
from sweep.report.blocks import Plot, Table, table
from sweep.report.differences import rivals_picture, settled_picture
from sweep.report.nested import nested_words
from sweep.report.settled import settled_table
from sweep.report.test_set_openings import openings
from sweep.support.layer import multiply_adds
from sweep.support.text import counted, difference, times
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.analysis import Comparison
    from sweep.ledger.records import Candidate, StudyRecord

RIVALS = 5
RULES = {
    "best": "best",
    "one_standard_error": "cheapest candidate within one standard error of the best",
    "cheapest": "cheapest candidate that cannot be told from the best",
}


@dataclass(frozen=True)
class Figure:
    """One number of the answer: its title, the number, its interval, and a note on both."""

    title: str
    number: str
    interval: str
    note: str


@dataclass(frozen=True)
class Answer:
    """The top of the page.

    Attributes
    ----------
    banner : str
        The progress of the study; empty when it is finished.
    headline : str
        Shown instead of the settings when nothing is complete.
    settings : list of (name, value)
        The settings to take.
    figures : list of Figure
        Held-out score, nested estimate where there is one, and test score.
    caution : str
        What limits the answer.
    rivals : Table or None
        The best and the candidates that the data cannot tell from it, cheapest first.
    openings : Table or None
        Every opening of the test set, if there was more than one.
    settled : Table or None
        What further repeats have told, in place of ``rivals``.
    picture : Plot or None
        The differences to the best of ``rivals`` or ``settled``, with their intervals.
    """

    banner: str
    headline: str
    settings: list[tuple[str, str]]
    figures: list[Figure]
    caution: str
    rivals: Table | None
    openings: Table | None = None
    settled: Table | None = None
    picture: Plot | None = None


def chosen(record: StudyRecord) -> Candidate | None:
    """Return the refitted candidate, or the choice so far; None if the ledger has lost it."""
    if record.winner is not None:
        return candidate_with(record.candidates, record.winner.params)
    return choice(record)


def scoring(record: StudyRecord) -> str:
    """Return the scorer, and its positive class if it has one."""
    return text.clean(scorer(record))


def answer(record: StudyRecord) -> Answer:
    """Return the answer of a study."""
    candidate = chosen(record)
    taken = record.winner or candidate
    if taken is None:
        figures = [] if record.imported else [_test(record)]
        return Answer(_banner(record), _no_settings(record), [], figures, "", None)
    settings = text.settings(taken.params, parameter_names(record))
    figures = [_held_out(record, candidate), *_nested(record)]
    figures += [] if record.imported else [_test(record)]
    compared = compare(record)
    told, current = settled(record), settled_table(record)
    cautions = (
        text.clean(f"{told}.") if told else "",
        f"{few[0].upper()}{few[1:]}." if (few := outlook_text(record)) else "",
        _cautions(record, compared),
        mixture(record),
        text.clean(unrepeatable(record)),
        text.clean(idle(record)),
        text.clean(missing_scores(record)),
    )
    caution = " ".join(filter(None, cautions))
    rivals = None if current else _rivals(record, compared)
    opened = openings(record)
    picture = settled_picture(record) if current else _picture(record, compared)
    return Answer(
        _banner(record), "", settings, figures, caution, rivals, opened, current, picture
    )  # fmt: skip


def facts(record: StudyRecord) -> list[tuple[str, str]]:
    """Return the few numbers that describe the size of the study."""
    fits, positive = sum(trial.fits for trial in record.trials), record.data.positive
    rows = record.tally.rows
    counts = [f"{rows.get(s, 0):,} {w}" for s, w in ENDED.items() if rows.get(s) or s == "COMPLETE"]
    return [
        ("Search", _search(record)),
        ("Candidates", ", ".join(counts)),
        ("Fits", f"{fits:,}"),
        *([("Training rows", text.whole(known))] if (known := record.data.train_rows) else []),
        *([("Positive class", text.clean(positive))] if positive else []),
        *([("Precision", text.clean(said))] if (said := arithmetic(record)) else []),
        *_times(record),
    ]


def _times(record: StudyRecord) -> list[tuple[str, str]]:
    """Return how long it took; of an imported study only what its tool has measured."""
    fitting, running = sum(t.fit_seconds for t in record.trials), _seconds_running(record)
    found = {"Fitting in all": fitting, "Time running trials": running}
    known = {name: s for name, s in found.items() if s > 0 or record.imported is None}
    return [(name, text.seconds(seconds)) for name, seconds in known.items()]


def _banner(record: StudyRecord) -> str:
    progress = f"{record.status}, {record.done:,} of {record.planned:,} cells"
    if record.status == "finished":
        return "" if record.standing == "finished" else record.standing
    going = record.status == "running" or record.queued
    return progress if going else f"{progress}; run it again to go on"


def _no_settings(record: StudyRecord) -> str:
    if any(trial.state == "COMPLETE" for trial in record.trials):
        return "No settings to take: no complete trial has a score"
    failed = sum(trial.state == "FAIL" for trial in latest_by_key(record.trials).values())
    if failed:
        return f"No settings to take: no trial is complete, {counted(failed, 'cell')} failed"
    return "No settings to take yet: no trial is complete"


def _held_out(record: StudyRecord, candidate: Candidate | None) -> Figure:
    title = f"Held-out {scoring(record)}"
    if candidate is None:
        return Figure(title, text.NOTHING, "", "The trial of the refitted settings is lost")
    mean, found = mean_score(candidate), score_interval(record, candidate)
    rows = sum(split.n_test for split in candidate.trial.splits if not split.seed)
    where = f"on {rows:,} rows held out of the training rows"
    if record.imported:
        where = f"as {text.clean(record.imported.tool)} recorded it"
    where += text.other_scores(other_means(record, candidate))
    if found is None:
        why = no_interval(record, split_scores(candidate))
        return Figure(title, text.score(mean), why, where)
    ends = f"{text.score(found.low)} to {text.score(found.high)}"
    method = f"{found.level:.0%} interval, {found.method}"
    note = f"{method}; {where}" if len(candidate.trial.splits) > 1 else method
    return Figure(title, text.score(mean), ends, note)


def _nested(record: StudyRecord) -> list[Figure]:
    found = nested_words(record)
    return [] if found is None else [Figure(f"Nested {scoring(record)}", *found)]


def _test(record: StudyRecord) -> Figure:
    winner, title = record.winner, f"Test {scoring(record)}"
    if winner is None and record.openings:
        why = f"The test set was opened {times(record.test_openings)}; no winner is recorded"
        return Figure(title, text.NOTHING, "", why)
    if winner is None:
        why = (
            "The test set is still closed"
            if record.settings.search.refit
            else "The test set is still closed (refit = false)"
        )
        return Figure(title, "closed", "", why)
    longer = record.settings.search.refit_epochs
    epochs = f"for {counted(len(winner.history['loss']), 'epoch')} " if longer else ""
    loss = "" if winner.test_loss is None else f", loss {text.score(winner.test_loss)}"
    note = (
        f"after a refit {epochs}on {winner.train_rows:,} rows{loss}; "
        f"test set of {winner.test_rows:,} rows "
        f"opened {times(record.test_openings)}, on {text.moment(winner.test_opened_at)}"
        f"{text.other_scores(winner.other_scores)}"
    )
    if not is_share(record) or winner.test_rows < 1:
        return Figure(title, text.score(winner.test_score), "", note)
    low, high = share_interval(winner.test_score, winner.test_rows)
    ends = f"{text.score(low)} to {text.score(high)}"
    return Figure(
        title, text.score(winner.test_score), ends, f"95% interval, Clopper and Pearson; {note}"
    )


def _cautions(record: StudyRecord, compared: Comparison | None) -> str:
    complete = len(distinct(c for c in record.candidates if c.trial.state == "COMPLETE"))
    now, taken = choice(record), chosen(record)
    if now is not None and record.winner is not None and not is_current(record, now):
        return (
            f"The study has grown since the choice: candidate {now.index} now is the "
            f"{RULES[rule(record)]}, with a held-out score of {text.score(mean_score(now))}."
        )
    if complete < 2 or taken is None:
        return ""
    if rule(record) != "best":
        return _rule_sentence(record)
    flattered = f"The highest of {complete:,} held-out scores is a little flattered by the choice"
    return f"{_lone_best(compared)}{flattered}; {_test_score_note(record)}."


def _test_score_note(record: StudyRecord) -> str:
    """Return what the test score says about a score that was chosen as the highest."""
    if record.winner is None:
        unseen = "the nested score is not" if record.nested else ""
        return unseen or "only the test set can tell by how much"
    count = record.test_openings
    if count == 1:
        return "the test score is not"
    return f"so may be the test score, for the test set was opened {times(count)}"


def _rule_sentence(record: StudyRecord) -> str:
    """Return the rule of the choice where it is not the best score, and the best score."""
    first = best(record)
    top = f"candidate {first.index} with {text.score(mean_score(first))}" if first else "none"
    return f"Taken is the {RULES[rule(record)]}, {top}."


def _lone_best(compared: Comparison | None) -> str:
    """Return a sentence if the data tell the best from every other candidate."""
    if compared is None or len(compared.alike) > 1:
        return ""
    lower = "Every other candidate scores lower by more than chance explains"
    return f"{lower} ({compared.level:.0%}, all compared at once). "


def _rivals(record: StudyRecord, compared: Comparison | None) -> Table | None:
    if compared is None or len(compared.alike) < 2:
        return None
    names, alike = parameter_names(record), by_cost(compared.alike)
    few = f" The {RIVALS} cheapest are shown." if len(alike) > RIVALS else ""
    cheapest = ", ".join(f"{n} = {v}" for n, v in text.settings(compared.cheapest.params, names))
    caption = (
        f"These {len(alike)} configurations cannot be told from the best at "
        f"{compared.level:.0%}; the cheapest of them is {cheapest}. All candidates are compared "
        f"at once, {compared.method}: where several are equally good, any of them is left out in "
        f"{1 - compared.level:.0%} of studies at most.{few} Behind the "
        "best: the difference, and its interval. Multiply-adds: of a prediction for one row. "
        "Fit: seconds of fitting one split."
    )
    around = ("held-out", "behind the best", "parameters", "multiply-adds", "fit s")
    titles = [(title, True) for title in ("candidate", *around, *map(text.clean, names))]
    return table(caption, titles, [_rival(c, names, compared) for c in alike[:RIVALS]])


def _picture(record: StudyRecord, compared: Comparison | None) -> Plot | None:
    if compared is None:
        return None
    return rivals_picture(record, compared, by_cost(compared.alike)[:RIVALS])


def _fit(candidate: Candidate) -> str:
    """Return the seconds of fitting one split, a dash where nobody measured them."""
    seconds = fit_seconds(candidate)
    return f"{seconds:.2f}" if isfinite(seconds) else text.NOTHING


def _rival(candidate: Candidate, names: list[str], compared: Comparison) -> tuple[str, ...]:
    params = [text.cell(candidate.params, n) for n in names]
    score, seconds = text.score(mean_score(candidate)), _fit(candidate)
    weights = text.whole(candidate.trial.parameters)
    first = candidate is compared.best
    behind = text.NOTHING if first else difference(*compared.behind(candidate))
    arithmetic = text.whole(multiply_adds(candidate.trial.layers))
    return (str(candidate.index), score, behind, weights, arithmetic, seconds, *params)


def _search(record: StudyRecord) -> str:
    """Return how candidates were found and judged, and by whom if not by sweep."""
    search = record.settings.search
    if record.imported is None:
        return f"{search.method}, {_splitting(record)}"
    splits = f", {_splitting(record)}" if search.cv or search.validation else ""
    repeats = f", {search.repeats} times" if search.repeats > 1 else ""
    return f"imported: {text.clean(record.imported.origin)}{splits}{repeats}"


def _splitting(record: StudyRecord) -> str:
    search = record.settings.search
    seeds = f", {search.seeds} seeds each" if search.seeds > 1 else ""
    if search.validation:
        return f"validation split of {search.validation:.0%}{seeds}"
    return f"{search.cv}-fold cross-validation{seeds}"


def _seconds_running(record: StudyRecord) -> float:
    """Return the seconds during which at least one ended trial was running."""
    # A cut trial is left out: a killed one is only found, and its end noted, by the next run.
    spans = sorted(
        (t.started, t.finished)
        for t in record.trials
        if t.state in ENDED and t.started and t.finished
    )
    total, reached = 0.0, None
    for started, finished in spans:
        since = started if reached is None else max(started, reached)
        total += max(0.0, (finished - since).total_seconds())
        reached = finished if reached is None else max(finished, reached)
    return total if spans else float("nan")
