"""The answer first: which settings to take, and how sure one may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.ledger.reading import ENDED, latest_by_key
from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.selection import (
    best,
    fit_seconds,
    indistinguishable,
    mean_score,
    score_interval,
    wilson,
)
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.ledger.records import Candidate, StudyRecord

RIVALS = 5


@dataclass(frozen=True)
class Figure:
    """One number of the answer: its title, itself, its interval, and what they are."""

    title: str
    number: str
    interval: str
    note: str


@dataclass(frozen=True)
class Answer:
    """What stands on top of the page.

    Attributes
    ----------
    banner : str
        How far the study is, empty when it is finished.
    headline : str
        Said instead of the settings when nothing is complete.
    settings : list of (name, value)
        The settings to take.
    figures : list of Figure
        Held-out score and test score.
    caution : str
        What the reader should keep in mind.
    rivals : Table or None
        Candidates that the data cannot tell from the chosen one.
    """

    banner: str
    headline: str
    settings: list[tuple[str, str]]
    figures: list[Figure]
    caution: str
    rivals: Table | None


def chosen(record: StudyRecord) -> Candidate | None:
    """Return the refitted candidate, or the best so far."""
    if record.winner is not None:
        for candidate in record.candidates:
            if candidate.index == record.winner.candidate:
                return candidate
    return best(record)


def scoring(record: StudyRecord) -> str:
    """Return the name of the scorer."""
    return text.clean(record.spec.get("search", {}).get("scoring", "accuracy"))


def answer(record: StudyRecord) -> Answer:
    """Return the answer of a study."""
    candidate = chosen(record)
    if candidate is None:
        return Answer(_banner(record), _nothing(record), [], [_test(record)], "", None)
    params = record.winner.params if record.winner else candidate.params
    settings = text.settings(params, parameter_names(record))
    figures = [_held_out(record, candidate), _test(record)]
    return Answer(
        _banner(record), "", settings, figures, _caution(record), _rivals(record, candidate)
    )


def facts(record: StudyRecord) -> list[tuple[str, str]]:
    """Return the few numbers that say how large the study is."""
    fits = sum(len(trial.splits) for trial in record.trials)
    states = [c.trial.state for c in record.candidates]
    words = (("PRUNED", "pruned"), ("INFEASIBLE", "past a limit"), ("FAIL", "failed"))
    counts = [(states.count(s), word) for s, word in words]
    aside = "".join(f", {n:,} {word}" for n, word in counts if n)
    return [
        ("Search", f"{_search(record, 'method', 'grid')}, {_splits(record)}"),
        ("Candidates", f"{states.count('COMPLETE'):,} complete{aside}"),
        ("Fits", f"{fits:,}"),
        ("Training rows", text.whole(record.data.train_rows)),
        ("Fitting in all", text.seconds(_fitting(record))),
        ("Time running trials", text.seconds(_at_work(record))),
    ]


def _banner(record: StudyRecord) -> str:
    progress = f"{record.status}, {record.done:,} of {record.planned:,} cells"
    if record.status == "finished":
        return "" if record.standing == "finished" else record.standing
    return progress if record.status == "running" else f"{progress}; run it again to go on"


def _nothing(record: StudyRecord) -> str:
    if any(trial.state == "COMPLETE" for trial in record.trials):
        return "No settings to take: no complete trial has a score"
    failed = sum(trial.state == "FAIL" for trial in latest_by_key(record.trials).values())
    if failed:
        return f"No settings to take: no trial is complete, {text.many(failed, 'cell')} failed"
    return "No settings to take yet: no trial is complete"


def _held_out(record: StudyRecord, candidate: Candidate) -> Figure:
    mean, found = mean_score(candidate), score_interval(record, candidate)
    title = f"Held-out {scoring(record)}"
    rows = sum(split.n_test for split in candidate.trial.splits)
    where = f"on {rows:,} rows held out of the training rows"
    if found is None:
        return Figure(title, text.score(mean), "no interval: one split", where)
    ends = f"{text.score(found.low)} to {text.score(found.high)}"
    method = f"{found.level:.0%} interval, {found.method}"
    note = f"{method}; {where}" if len(candidate.trial.splits) > 1 else method
    return Figure(title, text.score(mean), ends, note)


def _test(record: StudyRecord) -> Figure:
    winner, title = record.winner, f"Test {scoring(record)}"
    if winner is None:
        closed = _search(record, "refit", "True") != "True"
        why = (
            "The test set is still closed (refit = false)"
            if closed
            else "The test set is still closed"
        )
        return Figure(title, "closed", "", why)
    note = (
        f"after a refit on {winner.train_rows:,} rows; test set of {winner.test_rows:,} rows "
        f"opened {text.times(winner.test_openings)}, on {text.moment(winner.test_opened_at)}"
    )
    if scoring(record) != "accuracy" or winner.test_rows < 1:
        return Figure(title, text.score(winner.test_score), "", note)
    low, high = wilson(winner.test_score * winner.test_rows, winner.test_rows)
    ends = f"{text.score(low)} to {text.score(high)}"
    return Figure(title, text.score(winner.test_score), ends, f"95% interval, Wilson; {note}")


def _caution(record: StudyRecord) -> str:
    complete = sum(c.trial.state == "COMPLETE" for c in record.candidates)
    first, taken = best(record), chosen(record)
    if first is not None and taken is not None and first.index != taken.index:
        return (
            f"The study has grown since the choice: candidate {first.index} now has the highest "
            f"held-out score, {text.score(mean_score(first))}."
        )
    if complete < 2 or taken is None:
        return ""
    flattered = f"The highest of {complete:,} held-out scores is a little flattered by the choice"
    return f"{_lone(record, taken)}{flattered}; {_flattery(record)}."


def _flattery(record: StudyRecord) -> str:
    """Say what the test set adds to a score that was chosen as the highest."""
    if record.winner is None:
        return "only the test set can tell by how much"
    openings = record.winner.test_openings
    if openings == 1:
        return "the test score is not"
    return f"so may be the test score, for the test set was opened {text.times(openings)}"


def _lone(record: StudyRecord, taken: Candidate) -> str:
    """Say so where the data tell the best from every other candidate."""
    if score_interval(record, taken) is None or indistinguishable(record):
        return ""
    lower = "Every other candidate scores lower by more than chance explains"
    return f"{lower} (95% interval of each difference). "


def _rivals(record: StudyRecord, candidate: Candidate) -> Table | None:
    rivals = [c for c in indistinguishable(record) if c.index != candidate.index]
    if not rivals:
        return None
    names = parameter_names(record)
    shown = f"the {RIVALS} cheapest of {len(rivals)}" if len(rivals) > RIVALS else f"{len(rivals)}"
    caption = (
        f"Settings that the data cannot tell from the best ({shown}), cheapest first: each one's "
        "difference to the best has a 95% interval that reaches 0; not corrected for their "
        "number. Fit: seconds of fitting one split."
    )
    titles = {"candidate": True, **dict.fromkeys(map(text.clean, names), True)}
    titles |= {"held-out": True, "fit s": True, "parameters": True}
    return table(caption, titles, [_rival(c, names) for c in rivals[:RIVALS]])


def _rival(candidate: Candidate, names: list[str]) -> tuple[str, ...]:
    params = [
        text.value(candidate.params[n]) if n in candidate.params else text.NOTHING for n in names
    ]
    score, seconds = text.score(mean_score(candidate)), f"{fit_seconds(candidate):.2f}"
    weights = text.whole(candidate.trial.parameters)
    return (str(candidate.index), *params, score, seconds, weights)


def _search(record: StudyRecord, key: str, default: str) -> str:
    return text.clean(record.spec.get("search", {}).get(key, default))


def _splits(record: StudyRecord) -> str:
    search: Any = record.spec.get("search", {})
    if search.get("validation"):
        return f"validation split of {float(search['validation']):.0%}"
    folds = max((len(c.trial.splits) for c in record.candidates), default=0)
    cv = search.get("cv", folds)
    return f"{cv}-fold cross-validation" if isinstance(cv, int) else f"{folds} splits"


def _fitting(record: StudyRecord) -> float:
    splits = [split for trial in record.trials for split in trial.splits]
    return float(sum(max(split.seconds.values(), default=0.0) for split in splits))


def _at_work(record: StudyRecord) -> float:
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
