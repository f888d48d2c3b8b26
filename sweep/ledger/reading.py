"""Read an Optuna study back as the records that tables and reports are made from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError, StudyFileError, SweepError
from sweep.ledger.checksums import CHANGED, OutcomeChecksums, has_digests, is_whole
from sweep.ledger.codec import (
    data_from_plain,
    import_from_plain,
    importances_from_plain,
    layers_from_plain,
    nested_from_plain,
    openings_from_plain,
    race_from_plain,
    sections_from_plain,
    splits_from_plain,
    winner_from_plain,
)
from sweep.ledger.counts import ENDED, StudyCounts
from sweep.ledger.limits import draw_of, search_end, within_seconds
from sweep.ledger.outcomes import IdleRecord
from sweep.ledger.records import Candidate, Rung, StudyRecord, TrialRecord
from sweep.ledger.scores import candidate_with, mean_score
from sweep.ledger.stored_result import stored_result
from sweep.ledger.stored_split import values_of
from sweep.ledger.studies import damaged
from sweep.spaces import Space, decode, grid_candidates
from sweep.spec import StudySpec
from sweep.storage.attributes import (
    BY_DRAW,
    CELL,
    COPIED,
    DIGEST,
    IDLE,
    IMPORTANCES,
    IMPORTED,
    LOST,
    NESTED,
    NO_NESTED,
    RACE,
    REASON,
    RUNG,
    SECTIONS,
    WINNER,
    WORKER,
)
from sweep.storage.damaged_rows import UNREADABLE
from sweep.storage.stored_trial import result_of
from sweep.support.garbage import no_garbage_search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from optuna.trial import FrozenTrial

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.outcomes import NestedRecord, OuterFold
    from sweep.ledger.records import SplitResult
    from sweep.storage.stored_trial import StoredTrial
    from sweep.support.layer import Layer


def read_study(ledger: Ledger, name: str) -> StudyRecord:
    """Read a study.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    name : str
        The study's name.

    Returns
    -------
    StudyRecord

    Raises
    ------
    LedgerError
        If there is no such study or it cannot be read.
    """
    try:
        return _read(ledger, name)
    except SweepError:
        raise
    except UNREADABLE as error:
        raise damaged(name) from error


def _read(ledger: Ledger, name: str) -> StudyRecord:
    header = ledger.header(name)
    with no_garbage_search():
        return record_of(ledger, name, header, ledger.stored_trials(name))


def record_of(
    ledger: Ledger,
    name: str,
    header: Mapping[str, Any],
    everything: Sequence[FrozenTrial | StoredTrial],
    counted: StudyCounts | None = None,
) -> StudyRecord:
    """Return a study's record from its header and trials; pass ``counted`` if these are not all."""
    spec = study_spec(name, header)
    own = [trial for trial in everything if _has_cell(trial)]  # warm-start trials have none
    strict = has_digests(header)
    space = spec.space.dimensions
    records = (trial_record(t, space, strict, spec.budget) for t in own)
    read = [_apply_limit(each, spec) for each in records]
    end = None if counted else search_end(own, header)
    beyond = {t.number: t for t in read if end is not None and _is_beyond(t, end, header)}
    trials = tuple(t for t in read if t.number not in beyond)
    with ledger.translated():
        attributes = ledger.storage.get_study_user_attrs(ledger.study_id(name))
    outcomes = OutcomeChecksums(attributes)
    winner = winner_from_plain(outcomes.checked(WINNER))
    return StudyRecord(
        name=name,
        source=header["source"],
        spec=header["spec"],
        data=data_from_plain(header["data"]),
        environment=header["environment"],
        created=header["created"],
        trials=trials,
        candidates=tuple(_candidates(spec, trials)),
        planned=header["planned"],
        winner=winner,
        beyond=tuple(beyond.values()),
        ended_by=None if end is None else _without_improvement(spec.search.patience),
        nested=_nested(ledger, name, nested_from_plain(outcomes.checked(NESTED))),
        no_nested=attributes.get(NO_NESTED),
        race=race_from_plain(outcomes.checked(RACE)),
        importances=importances_from_plain(attributes.get(IMPORTANCES)),
        idle=tuple(IdleRecord(**each) for each in attributes.get(IDLE, ())),
        openings=openings_from_plain(outcomes.openings(), winner),
        uid=header.get("uid", ""),
        owner=header.get("owner", ""),
        imported=import_from_plain(header.get(IMPORTED)),
        sections=sections_from_plain(attributes.get(SECTIONS, [])),
        damage=(*_unreadable(everything), *outcomes.damage),
        counted=counted,
    )


def study_spec(name: str, header: Mapping[str, Any]) -> StudySpec:
    """Return the study file that is stored in a study's header.

    Raises
    ------
    LedgerError
        If it is not valid.
    """
    try:
        return StudySpec.from_plain(header["spec"])
    except StudyFileError as error:
        raise LedgerError(
            f"study {name!r}: its settings in the ledger do not hold ({error.problems[0]}): they "
            "are damaged, or another version of sweep wrote them"
        ) from error


def _nested(ledger: Ledger, name: str, nested: NestedRecord | None) -> NestedRecord | None:
    """Return the nested record; recompute inner scores that an older version wrote.

    It read them by row number, which is another candidate where the grid had grown.
    """
    if nested is None or all(fold.candidate for fold in nested.folds):
        return nested
    headers = {own: ledger.header(own)["part"] for own in ledger.parts(name)}
    names = {h["number"]: own for own, h in headers.items() if h.get("of") == len(nested.folds)}
    folds = enumerate(nested.folds, start=1)
    read = (replace(f, inner_score=_inner_score(ledger, names.get(i), f)) for i, f in folds)
    return replace(nested, folds=tuple(read))


def _inner_score(ledger: Ledger, name: str | None, fold: OuterFold) -> float | None:
    if name is not None:
        with suppress(SweepError):  # the fold's own study is damaged
            found = candidate_with(read_study(ledger, name).candidates, fold.params)
            return mean_score(found) if found else None
    return None


def _has_cell(trial: FrozenTrial | StoredTrial) -> bool:
    cell = trial.user_attrs.get(CELL)
    return isinstance(cell, dict) and {"key", "params", "epochs"} <= cell.keys()


def _unreadable(trials: Sequence[FrozenTrial | StoredTrial]) -> list[str]:
    found = [t for t in trials if not _has_cell(t) and t.user_attrs.get(DIGEST)]
    return [f"trial {t.number} cannot be read; a run evaluates its cell again" for t in found]


def trial_record(
    trial: FrozenTrial | StoredTrial,
    space: Space,
    strict: bool = False,
    budget: str = "epochs",
) -> TrialRecord:
    """Return the record of one trial.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial or StoredTrial
        A trial with a cell.
    space : mapping of str to dimension
        The study's search space.
    strict : bool
        Whether a finished trial must have a digest.
    budget : str
        The parameter that plays the role of ``epochs``.
    """
    attributes = trial.user_attrs
    cell = attributes[CELL]
    if not _is_whole(trial, strict=strict):
        params = cell["params"] or {}
        return TrialRecord(
            trial.number, cell["key"], "FAIL", params, tuple(cell["epochs"]), reason=CHANGED
        )
    epochs = tuple(cell["epochs"]) or _suggested_epochs(trial, budget)
    parameters, splits, layers = _result(trial, epochs)
    started, finished = _span(trial)
    return TrialRecord(
        number=trial.number,
        key=cell["key"],
        state=_state(trial),
        params=_decoded(trial.params, space) if cell["params"] is None else cell["params"],
        epochs=epochs,
        splits=splits,
        parameters=parameters,
        layers=layers,
        reason=attributes.get(REASON) or attributes.get(LOST),
        worker=attributes.get(WORKER),
        started=started,
        finished=finished,
        copied_from=attributes.get(COPIED),
        rung=Rung(**attributes[RUNG]) if RUNG in attributes else None,
    )


def _is_whole(trial: FrozenTrial | StoredTrial, *, strict: bool) -> bool:
    """Return whether a trial is as it was recorded; one whose text is no JSON is not."""
    with suppress(ValueError):
        return is_whole(trial, strict=strict)
    return False


def _result(
    trial: FrozenTrial | StoredTrial, epochs: Sequence[int]
) -> tuple[int | None, Sequence[SplitResult], Sequence[Layer]]:
    """Return a trial's weights, splits and layers; decoded now where no digest vouches for them."""
    text = getattr(trial, "result", None)
    if text is not None and DIGEST in trial.user_attrs:
        return stored_result(text, epochs)
    result = result_of(trial)
    splits = splits_from_plain(result.get("splits", []))
    for each in splits:
        values_of(each)
    return result.get("parameters"), splits, layers_from_plain(result.get("layers", []))


def _span(trial: FrozenTrial | StoredTrial) -> tuple[datetime | None, datetime | None]:
    """Return a trial's start and end in UTC: in local time an hour may come twice.

    In older ledgers a trial may end before it starts, if the clock was set back meanwhile.
    """
    began, ended = trial.datetime_start, trial.datetime_complete
    started = None if began is None else began.astimezone(UTC)
    finished = None if ended is None else ended.astimezone(UTC)
    return started, max(started, finished) if started and finished else finished


def _apply_limit(trial: TrialRecord, spec: StudySpec) -> TrialRecord:
    """Return the trial; ``INFEASIBLE`` if even its first scored epoch exceeds max_fit_seconds."""
    return within_seconds(trial, spec.search.max_fit_seconds, min(trial.epochs, default=0))


def _without_improvement(patience: int | None) -> str:
    return f"no improvement in {patience} trial{'s' * (patience != 1)}"


def _is_beyond(trial: TrialRecord, end: int, header: Mapping[str, Any]) -> bool:
    """Return whether a trial ended after the draw at which patience ended the search.

    Only several workers begin such trials, so they must not count.
    """
    return bool(header.get(BY_DRAW)) and trial.state in ENDED and draw_of(trial.key) > end


def _state(trial: FrozenTrial | StoredTrial) -> str:
    if trial.state.name == "FAIL" and REASON not in trial.user_attrs:
        return "CUT"
    return str(trial.state.name)


def _decoded(params: dict[str, Any], space: Space) -> dict[str, Any]:
    return {n: decode(space[n], value) for n, value in params.items() if n in space}


def _suggested_epochs(trial: FrozenTrial | StoredTrial, budget: str) -> tuple[int, ...]:
    return (int(trial.params[budget]),) if budget in trial.params else ()


def _candidates(spec: StudySpec, trials: Sequence[TrialRecord]) -> list[Candidate]:
    """Return the finished candidates in the order of the plan.

    A trial that another one continues is left out: the other one is the candidate.
    """
    if spec.search.method_row.is_grid:
        return _grid_rows(spec, trials)
    ended = latest_by_key(trials)
    followed = {trial.rung.continues for trial in ended.values() if trial.rung}
    rows = [trial for trial in ended.values() if trial.number not in followed]
    rows.sort(key=lambda trial: (draw_of(trial.key), trial.key))
    return [Candidate(i, t, max(t.epochs, default=0), t.params) for i, t in enumerate(rows)]


def latest_by_key(trials: Sequence[TrialRecord]) -> dict[str, TrialRecord]:
    """Return the last finished trial of each cell."""
    return {trial.key: trial for trial in trials if trial.state in ENDED}


def _grid_rows(spec: StudySpec, trials: Sequence[TrialRecord]) -> list[Candidate]:
    candidates = grid_candidates(spec.space.dimensions)
    by_key: dict[str, list[TrialRecord]] = {}
    for trial in trials:
        if trial.state in ENDED:
            by_key.setdefault(trial.key, []).append(trial)
    rows = []
    for cell in spec.grid_cells():
        for index, epoch in zip(cell.candidates, _epochs(candidates, cell, spec), strict=True):
            found = _trial_for(by_key.get(cell.key, []), epoch)
            if found is not None:
                limited = within_seconds(found, spec.search.max_fit_seconds, epoch)
                rows.append(Candidate(index, limited, epoch, candidates[index]))
    return sorted(rows, key=lambda row: row.index)


def _trial_for(trials: Sequence[TrialRecord], epoch: int) -> TrialRecord | None:
    """Return the last trial that has measured an epoch, else the last that failed.

    A longer fit that failed does not replace the results of a shorter one.
    """
    measured = [t for t in trials if t.state != "FAIL" and epoch in t.epochs]
    failed = [t for t in trials if t.state == "FAIL"]
    return next(iter([*measured[-1:], *failed[-1:]]), None)


def _epochs(candidates: Sequence[dict[str, Any]], cell: Any, spec: StudySpec) -> list[int]:
    return [spec.epochs_of(candidates[i]) for i in cell.candidates]
