"""Warm start: a sampler that learns gets the finished trials of other studies first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.analysis import mean_score, of_class
from sweep.analysis.scorers import identity, own_identity
from sweep.errors import StudyFileError, StudyNotFoundError
from sweep.evaluation.estimator import user_code
from sweep.ledger.objectives import objective_values
from sweep.ledger.reading import read_study
from sweep.search.plan import estimator_defaults
from sweep.spaces import applies, candidate_identity, distributions, encode, ordered
from sweep.spec import StudySpec, estimator_parameters, takes
from sweep.spec.scorers import is_own_scorer
from sweep.storage.attributes import SOURCE
from sweep.storage.locks import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.outcomes import DataRecord
    from sweep.ledger.records import Candidate, StudyRecord

STARTED = "started_from"


@dataclass(frozen=True)
class WarmStartTrial:
    """One candidate of another study, in the parameters and objectives of this one.

    Attributes
    ----------
    study : str
        The other study.
    candidate : str
        The identity of its candidate.
    params : mapping of str to value
        Parameters of this study's space, with values that the space allows.
    values : list of float
        Values of this study's objectives.
    """

    study: str
    candidate: str
    params: Mapping[str, Any]
    values: list[float]


def sources(
    ledger: Ledger, spec: StudySpec, data: DataRecord, allow: Collection[str] = ()
) -> list[StudyRecord]:
    """Read the studies that a search starts from; none if it has started already.

    Raises
    ------
    StudyFileError
        Naming every study that is unknown, ran on other data, or has another scorer.
    """
    if ledger.has(spec.study.name) and STARTED in ledger.header(spec.study.name):
        return []
    found, problems = [], []
    mine = of_class(spec.search.scorer, data.positive)
    if is_own_scorer(spec.search.scorer):
        mine = own_identity(spec.search.scorer, user_code(spec, allow))
    for name in spec.search.start_from:
        try:
            record = read_study(ledger, name)
        except StudyNotFoundError as error:
            problems.append(f"search.start_from: {error}")
            continue
        if record.data.fingerprint != data.fingerprint:
            problems.append(
                f"search.start_from: study {name!r} ran on other data: fingerprint "
                f"{record.data.fingerprint[:12]}, here {data.fingerprint[:12]}; "
                "their scores do not compare"
            )
        elif identity(record) != mine:
            problems.append(
                f"search.start_from: study {name!r} was scored by {identity(record)}, this one is "
                f"by {mine}; their scores do not compare"
            )
        found.append(record)
    if problems:
        raise StudyFileError(spec.study.name, problems)
    return found


def warm_start(ledger: Ledger, spec: StudySpec, records: list[StudyRecord]) -> list[str]:
    """Add the trials of other studies to the new study, once; report how many could be used.

    They are complete trials without a cell: Optuna's samplers see them, tables do not show them.
    Later trials of the other studies are not added.

    Returns
    -------
    list of str
        One line for each study; empty if this was done before.
    """
    name = spec.study.name
    if not records:
        return []
    with one_at_a_time(ledger, name, "cells"):
        if STARTED in ledger.header(name):
            return []
        trials = {record.name: warm_start_trials(record, spec) for record in records}
        ledger.add_warm_start_trials(
            name,
            [
                (each.params, each.values, _source(each))
                for many in trials.values()
                for each in many
            ],
            distributions(spec.space.dimensions),
            spec.search.method_row.warm_start_attributes,
        )
        ledger.update(name, **{STARTED: {other: len(many) for other, many in trials.items()}})
    return [_message(record, len(trials[record.name])) for record in records]


def warm_start_trials(record: StudyRecord, spec: StudySpec) -> list[WarmStartTrial]:
    """Return the complete candidates of a study that this one can learn from."""
    before = record.settings
    factory, own = before.model.factory, before.model.estimator is not None
    defaults = {**(estimator_parameters(factory) or {}), **estimator_defaults(factory)}

    def settings(candidate: Candidate) -> dict[str, Any]:
        """Return all its parameters: searched, fixed, or by default."""
        if own:
            budget = {before.budget: candidate.epoch} if before.budget else {}
            return {**before.model.params, **candidate.params, **budget}
        return {**defaults, **before.settled(candidate.params), "epochs": candidate.epoch}

    read = (_warm_start_trial(record, each, settings(each), spec) for each in record.candidates)
    return [each for each in read if each is not None]


def _warm_start_trial(
    record: StudyRecord, candidate: Candidate, settings: Mapping[str, Any], spec: StudySpec
) -> WarmStartTrial | None:
    score, epoch, trial = mean_score(candidate), candidate.epoch, candidate.trial
    if score is None or not (spec.searched_epochs or epoch == spec.fixed_epochs):
        return None
    params = _usable(settings, spec)
    always = {name for name, each in spec.space.dimensions.items() if not each.when}
    whole = spec.search.method_row.warm_start == "all"
    if not params or (whole and not always <= set(params)):
        return None
    values = objective_values(spec.search.objectives, score, trial.splits, epoch, trial.parameters)
    if not np.isfinite(values).all():
        return None
    return WarmStartTrial(record.name, candidate_identity(candidate.params), params, values)


def _usable(given: Mapping[str, Any], spec: StudySpec) -> dict[str, Any]:
    """Return the parameters of this space that apply, with values that it allows."""
    params: dict[str, Any] = {}
    for name in ordered(spec.space.dimensions):
        dimension = spec.space.dimensions[name]
        if name in given and takes(dimension, given[name]) and applies(dimension, params):
            params[name] = given[name]
    return {name: encode(value) for name, value in params.items()}


def _source(trial: WarmStartTrial) -> dict[str, Any]:
    """Return the trial attribute that names where it is from."""
    return {SOURCE: {"study": trial.study, "candidate": trial.candidate}}


def _message(record: StudyRecord, used: int) -> str:
    left = len(record.candidates) - used
    unused = f"; {left} do not fit this search space" if left else ""
    return f"starts from {used} trials of {record.name}{unused}"
