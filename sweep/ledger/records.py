"""What the ledger holds, as plain frozen dataclasses: the contract between the two arms.

The write arm turns a :class:`TrialResult` into one JSON attribute of an Optuna trial; the read
arm turns trials back into these records and never needs anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sweep.ledger.counts import ENDED, StudyCounts, counts_of, status_of
from sweep.ledger.fit_columns import ascends, columns_at
from sweep.spaces import candidate_identity
from sweep.spec import StudySpec
from sweep.spec.pruning import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sweep.ledger.fit_columns import FitColumns
    from sweep.ledger.outcomes import (
        DataRecord,
        IdleRecord,
        ImportanceRecord,
        ImportRecord,
        NestedRecord,
        Opening,
        RaceRecord,
        WinnerRecord,
    )
    from sweep.section import SectionRecord
    from sweep.support.layer import Layer


def mean_of(values: Sequence[float]) -> float:
    """Return ``numpy.mean`` of a few values, to the last bit, without its overhead."""
    import numpy as np

    return float(np.add.reduce(values) / len(values))


@dataclass(frozen=True)
class PlannedCell:
    """A cell of work before anyone has taken it.

    Attributes
    ----------
    key : str
        Its name in the ledger: canonical JSON of its parameters, or ``slot:17`` where a sampler
        draws them.
    params : mapping of str to value, or None
        None where they are drawn when the cell is taken.
    epochs : tuple of int
        Epochs to score, ascending; empty where ``epochs`` itself is drawn later.
    fixed : mapping of str to value
        Where parameters are drawn later: those that the study file fixes for this cell.
    """

    key: str
    params: Mapping[str, Any] | None
    epochs: tuple[int, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitResult:
    """What one split of one trial measured, under one seed.

    Attributes
    ----------
    test, train : mapping of float to float
        Score on the held-out rows and on the training rows, by epoch (1 = after the first). Whole
        epochs are ints; a number below 1 is the share of the first epoch's training rows after
        which a trial paused whose rungs count rows. ``train`` is empty where training scores were
        not asked for.
    seconds : mapping of float to float
        Seconds of fitting from the start to the end of that epoch.
    score_seconds : float
        Seconds that scoring the held-out rows once took.
    history : mapping of str to tuple of float
        Keras's training history, one value an epoch: ``loss``, ``accuracy``.
    n_test : int
        Held-out rows.
    split : int
        Number of the split, from 0.
    seed : int
        Number of the seed, from 0: the fit's ``random_state`` is that of the study plus this.
    inference_ms : float or None
        Milliseconds of predicting 1,000 rows, where the study asks for it.
    losses : mapping of float to float
        Mean cross-entropy of the held-out rows, by epoch; empty where a model gives no
        probabilities.
    unrepeatable : str
        Why another fit under the same seed may measure something else; empty where none is known.
    start : str
        Digest of the initial weights and the compiled model of a user's factory; empty for a
        built-in one.
    taken : tuple of str
        Parameters of the training that the factory takes itself.
    others, train_others : mapping of str to mapping of float to (float or None)
        What ``test`` and ``train`` are, by each further scorer of a study with several; None where
        these rows or this prediction allow no such score.
    """

    test: Mapping[float, float]
    train: Mapping[float, float] = field(default_factory=dict)
    seconds: Mapping[float, float] = field(default_factory=dict)
    score_seconds: float = 0.0
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    n_test: int = 0
    split: int = 0
    seed: int = 0
    inference_ms: float | None = None
    losses: Mapping[float, float] = field(default_factory=dict)
    unrepeatable: str = ""
    start: str = ""
    taken: tuple[str, ...] = ()
    others: Mapping[str, Mapping[float, float | None]] = field(default_factory=dict)
    train_others: Mapping[str, Mapping[float, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rung:
    """Where a trial of hyperband or successive halving pauses.

    Attributes
    ----------
    bracket : int
        From 0, the one with most candidates.
    epochs : float
        Epochs after which it pauses; all of them make it complete. Below 1, a share of the first
        epoch's training rows.
    continues : int or None
        Number of the trial with the same parameters that it goes on from.
    rows : int or None
        Training rows after which it pauses, where rungs count rows, before they are rounded up to
        whole batches of the candidate.
    """

    bracket: int
    epochs: float
    continues: int | None = None
    rows: int | None = None

    def rows_at(self, epoch: float) -> int | None:
        """Return the training rows of a fit after an epoch; None where rungs count epochs."""
        return None if self.rows is None else round(epoch * self.rows / self.epochs)


@dataclass(frozen=True)
class TrialRecord:
    """One trial: one cell of work, as the ledger holds it.

    Attributes
    ----------
    number : int
        Optuna's trial number.
    key : str
        The cell of the plan that this trial answers.
    state : str
        ``COMPLETE``, ``PRUNED``, ``FAIL``, ``RUNNING``, ``WAITING``, ``INFEASIBLE`` for a complete
        trial that breaks a constraint, or ``CUT`` for an attempt ended from outside (a kill,
        Ctrl-C), which is no row of any table.
    params : mapping of str to value
        Parameters of the search space that apply to this trial (``epochs`` left out when the
        grid asks for several).
    epochs : tuple of int
        The epochs that the plan asks scores of; one row of the table each.
    splits : sequence of SplitResult
        Empty for a trial without result. A pruned trial has fewer epochs than asked.
    parameters : int or None
        Trainable and other weights of the model.
    layers : sequence of Layer
        The model, layer by layer.
    reason : str or None
        Why a trial failed, was cut, or breaks a constraint.
    worker : str or None
        ``host:pid`` of the process that took it.
    started, finished : datetime or None
        In UTC, by the clock of the worker's machine.
    copied_from : int or None
        Number of the trial with the same parameters whose result was taken over.
    rung : Rung or None
        Where it pauses, in a search that lets good candidates go on.
    """

    number: int
    key: str
    state: str
    params: Mapping[str, Any]
    epochs: tuple[int, ...]
    splits: Sequence[SplitResult] = ()
    parameters: int | None = None
    layers: Sequence[Layer] = ()
    reason: str | None = None
    worker: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    copied_from: int | None = None
    rung: Rung | None = None

    def rows_at(self, epoch: float) -> int | None:
        """Return the training rows of its fits after an epoch; None where rungs count epochs."""
        return self.rung.rows_at(epoch) if self.rung else None

    @property
    def fits(self) -> int:
        """Fits that it has made: none where the result of another trial was taken over."""
        return 0 if self.copied_from is not None else len(self.splits)

    @property
    def fit_seconds(self) -> float:
        """Seconds of all its fits."""
        fitted = columns_at(self.splits, max(self.epochs, default=0)).longest
        return float(sum(fitted[: self.fits]))


@dataclass(frozen=True)
class Candidate:
    """One row of the table of candidates: a trial at one of its asked epochs.

    Attributes
    ----------
    index : int
        Row number in the order of the plan (for a grid, scikit-learn's ``ParameterGrid`` order).
    trial : TrialRecord
        The trial that answers it: ``COMPLETE``, ``PRUNED``, ``INFEASIBLE`` or ``FAIL``.
    epoch : int
        The epoch whose scores are this candidate's.
    params : mapping of str to value
        The searched parameters that apply, ``epochs`` included when it is searched.
    """

    index: int
    trial: TrialRecord
    epoch: int
    params: Mapping[str, Any]

    @property
    def fits(self) -> FitColumns:
        """Its trial's fits after its epoch."""
        return columns_at(self.trial.splits, self.epoch)

    @property
    def scores(self) -> Mapping[int, list[float]]:
        """Held-out scores at its epoch: by split, one for each seed; empty if it isn't complete."""
        found: dict[int, list[float]] = {}
        if self.trial.state == "COMPLETE":
            fits = self.fits
            for split, score in zip(fits.splits, fits.scores, strict=True):
                if score is not None:
                    found.setdefault(split, []).append(score)
        return dict(sorted(found.items()))

    @cached_property
    def mean_score(self) -> float | None:
        """Mean held-out score over splits, each the mean over its seeds; None without one."""
        means = self.split_scores
        return mean_of(means) if means and isfinite(sum(means)) else None

    @property
    def split_scores(self) -> list[float]:
        """Held-out scores at its epoch, one a split: each the mean over the seeds."""
        fits = self.fits
        if self.trial.state == "COMPLETE" and None not in fits.scores and ascends(fits.splits):
            return list(fits.scores)  # type: ignore[arg-type] # None is not among them
        return [held[0] if len(held) == 1 else mean_of(held) for held in self.scores.values()]

    @cached_property
    def identity(self) -> str:
        """What it shares with every candidate of the same parameters."""
        return candidate_identity(self.params)

    def __repr__(self) -> str:
        held = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        found = [s.test[self.epoch] for s in self.trial.splits if self.epoch in s.test]
        score = f", mean score {sum(found) / len(found):.4f}" if found else ""
        return f"<Candidate {self.index}: {held or 'fixed'}; {ENDED[self.trial.state]}{score}>"


@dataclass(frozen=True)
class StudyRecord:
    """A study as the ledger holds it.

    Attributes
    ----------
    name : str
        Its name in the ledger.
    source : str
        The study file as TOML text, the changes of ``--set`` worked in.
    spec : mapping
        The study file as plain values, as the ledger holds them; ``settings`` has them parsed.
    data : DataRecord
        What it ran on.
    environment : mapping of str to str
        Versions and machine: ``python``, ``tensorflow``, ``keras``, ``scikit-learn``, ...
    created : str
        ISO time.
    trials : tuple of TrialRecord
        Every trial, cut ones too, by number; not those beyond the end.
    candidates : tuple of Candidate
        The rows of the table, in the order of the plan; only those that have ended.
    planned : int
        Cells of the plan.
    winner : WinnerRecord or None
        None while the study runs, and when the study file says ``refit = false``.
    beyond : tuple of TrialRecord
        Trials that came to an end beyond the one with which patience ended the search, for several
        workers were at it. They do not count; more ``patience`` takes them up again.
    ended_by : str or None
        Why a search ended before its last cell: ``"no improvement in 20 trials"``.
    nested : NestedRecord or None
        None where no nested cross-validation has ended.
    no_nested : int or None
        Cells of each outer fold when one of them ended without a score: there is no estimate then.
    race : RaceRecord or None
        What further repeats have settled; None where there were none.
    importances : ImportanceRecord or None
        None until a run has seen the study's end.
    idle : tuple of IdleRecord
        Parameters of a user's factory that changed nothing, as far as the last run has seen.
    openings : tuple of Opening
        Each opening of the test set that the ledger holds, oldest first.
    sections : tuple of SectionRecord
        A person's own sections of the report.
    uid : str
        Tells its files from those of another study of that name.
    owner : str
        Who made it: ``user@host``; empty where an older version did not say.
    imported : ImportRecord or None
        Where its results come from, if not from sweep's own fits: it has no model and no winner,
        and nothing goes on with it.
    damage : tuple of str
        A line for each thing that the ledger holds otherwise than it was recorded; trials that
        were changed are failed ones, with that reason.
    queued : str
        What a server says of it where cells wait, none runs, and nobody has stopped it: its
        status in place of ``"stopped"``.
    counted : StudyCounts or None
        What the database has counted, where ``trials`` and ``candidates`` are the leading ones
        alone; None where they are all there are.
    """

    name: str
    source: str
    spec: Mapping[str, Any]
    data: DataRecord
    environment: Mapping[str, str]
    created: str
    trials: tuple[TrialRecord, ...]
    candidates: tuple[Candidate, ...]
    planned: int
    winner: WinnerRecord | None = None
    ended_by: str | None = None
    beyond: tuple[TrialRecord, ...] = ()
    nested: NestedRecord | None = None
    no_nested: int | None = None
    race: RaceRecord | None = None
    importances: ImportanceRecord | None = None
    idle: tuple[IdleRecord, ...] = ()
    openings: tuple[Opening, ...] = ()
    sections: tuple[SectionRecord, ...] = ()
    uid: str = ""
    owner: str = ""
    imported: ImportRecord | None = None
    damage: tuple[str, ...] = ()
    queued: str = ""
    counted: StudyCounts | None = None

    @cached_property
    def settings(self) -> StudySpec:
        """The study file, parsed: what an older version left out has its default."""
        return StudySpec.from_plain(self.spec)

    @cached_property
    def ranked(self) -> tuple[Candidate, ...]:
        """The candidates with a score, best first; see :func:`sweep.analysis.ranked`."""
        scored = [
            (-score, _weights(each), each.index, each)
            for each in self.candidates
            if (score := each.mean_score) is not None
        ]
        return tuple(each for *_, each in sorted(scored, key=itemgetter(0, 1, 2)))

    @cached_property
    def tally(self) -> StudyCounts:
        """All trials in numbers."""
        return self.counted or counts_of(self.trials, self.candidates)

    @property
    def in_rows(self) -> bool:
        """Whether its trials pause after training rows, not after epochs alone."""
        pruner = self.settings.search.pruner
        return pruner is not None and pruner.resource == ROWS

    @property
    def test_openings(self) -> int:
        """How often the test set was opened; an older ledger counts more than it lists."""
        return max(len(self.openings), self.winner.test_openings if self.winner else 0)

    @property
    def status(self) -> str:
        """``"finished"``, ``"waiting"`` (no cell was begun yet), ``"running"`` or ``"stopped"``.

        Stopped: cells are left, and none runs.
        """
        early = self.ended_by is not None
        found = status_of(self.tally.states, self.done, self.planned, early=early)
        return self.queued or found if found == "stopped" else found

    @property
    def standing(self) -> str:
        """The status, with what ended the search early where something did."""
        early = self.status == "finished" and self.ended_by and self.done < self.planned
        return f"{self.status} ({self.ended_by})" if early else self.status

    @property
    def done(self) -> int:
        """Cells with a recorded end: complete, pruned or failed."""
        return self.tally.done


def _weights(candidate: Candidate) -> float:
    weights = candidate.trial.parameters
    return inf if weights is None else weights
