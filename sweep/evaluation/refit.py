"""Choose the winner, refit it on all training rows, open the test set once."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep import analysis
from sweep.evaluation.estimator import code_of, make_estimator
from sweep.evaluation.own_scorers import own_scorers
from sweep.evaluation.pictures import weight_shapes, winner_pictures
from sweep.evaluation.pipeline_parts import parts_of
from sweep.evaluation.scoring import Scoring
from sweep.evaluation.shared_steps import as_array
from sweep.evaluation.test_set import open_test_set
from sweep.evaluation.whole_fit import FittedWhole, fit_whole
from sweep.ledger.outcomes import WinnerRecord
from sweep.ledger.pictures import Pictures, save_pictures, winner_pictures_path
from sweep.ledger.reading import read_study
from sweep.ledger.remaining import choice_rule
from sweep.ledger.study_folders import own_folder
from sweep.spec.scorers import column_of
from sweep.storage.locks import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.search.sealed_data import SealedTest, TrainingRows
    from sweep.spec import StudySpec


def finish_study(
    ledger: Ledger,
    name: str,
    data: TrainingRows,
    sealed: SealedTest,
    allow: Collection[str] = (),
) -> WinnerRecord | None:
    """Refit the chosen configuration and open the test set for it.

    For a winner that is already recorded the test set is not opened again. For another choice it
    is, and the ledger counts that.

    Parameters
    ----------
    ledger : Ledger
        The ledger with the study.
    name : str
        The study's name.
    data : TrainingRows
        The rows for the refit, under the study's own seed.
    sealed : SealedTest
        The test rows.
    allow : collection of str
        Modules that the study may load code from.

    Returns
    -------
    WinnerRecord or None
        None if no candidate is complete.
    """
    while True:  # after a lost lock once more: the winner is then recorded, or refitted again
        with suppress(LockLostError), one_at_a_time(ledger, name, "finish") as still_locked:
            return _finish(ledger, name, data, sealed, allow, still_locked)


class LockLostError(Exception):
    """Raised before the test set is opened if another process may do the same refit."""


def _finish(
    ledger: Ledger, name: str, data: TrainingRows, sealed: SealedTest, allow: Collection[str],
    still_locked: Callable[[], bool],
) -> WinnerRecord | None:  # fmt: skip
    from sweep.evaluation.fit_checkpoints import FitCheckpointer
    from sweep.evaluation.winner_file import winner_path
    from sweep.evaluation.winner_parts import save_fitted_winner

    complete = ledger.counts(name)["COMPLETE"]
    record = read_study(ledger, name)
    chosen = analysis.chosen(record)
    if chosen is None or analysis.is_current(record, chosen):
        ledger.settle(name, complete, _rule(record))
        return record.winner
    chosen_at = _now()
    spec = record.settings
    epochs = spec.search.refit_epochs or chosen.epoch
    parts = parts_of(make_estimator(spec, {**chosen.params, **_of_budget(spec, epochs)}, allow))
    if spec.search.refit_precision:
        parts.last.set_params(precision=spec.search.refit_precision)
    precision = parts.last.precision if parts.ours else ""
    cell = {"params": chosen.params, "epochs": epochs, "as": precision}
    code = code_of(spec, allow)
    checkpointer = FitCheckpointer(own_folder(ledger, name) / "refit", {**cell, "code": code})
    if parts.ours:
        parts.last.set_callbacks(checkpointer)
    fitted = fit_whole(parts, data.x_train, data.y_train, spec.study.seed)
    if not still_locked():  # this process was suspended, and another one may have opened it
        raise LockLostError
    own = own_scorers(spec, allow)
    scoring = Scoring(spec.search.scorers, data.y_train, data.positive, own)
    others = tuple(map(column_of, spec.search.scorers[1:]))
    measured = _TestScore(fitted, scoring, others)
    opening, score = open_test_set(sealed, ledger, record, chosen, measured)
    winner = WinnerRecord(
        params=dict(chosen.params),
        chosen_at=chosen_at,
        test_score=score,
        test_opened_at=opening.opened_at,
        test_rows=measured.rows,
        train_rows=len(data.y_train),
        test_openings=record.test_openings + 1,
        refit_seconds=fitted.seconds,
        history=fitted.history,
        layers=fitted.last.layer_table() if fitted.ours else (),
        confusion=measured.confusion,
        precision=precision,
        test_loss=measured.loss,
        weights=weight_shapes(fitted.last) if fitted.ours else (),
        other_scores=measured.others,
    )
    # the files first: a winner in the ledger always has its weights
    file = winner_path(ledger.url, name, record.uid)
    save_fitted_winner(fitted, file, code, data.x_train, allow)
    save_pictures(winner_pictures_path(ledger.url, name, record.uid), measured.pictures)
    ledger.set_winner(name, winner)
    ledger.settle(name, complete, _rule(record))
    checkpointer.clear()
    return winner


def _rule(record: StudyRecord) -> str:
    return choice_rule(analysis.rule(record), record.race.ended_at if record.race else None)


def _of_budget(spec: StudySpec, epochs: int) -> dict[str, int]:
    return {spec.budget: epochs} if spec.budget else {}


class _TestScore:
    """Scores a fitted estimator on the test rows; keeps the rest that they tell.

    That is the loss, the other scores, the confusion matrix and pictures.
    """

    def __init__(self, fitted: FittedWhole, scoring: Scoring, others: Sequence[str]) -> None:
        self._fitted, self._scoring, self._names = fitted, scoring, others
        self.rows = 0
        self.loss: float | None = None
        self.others: dict[str, float | None] = {}
        self.confusion: tuple[tuple[int, ...], ...] = ()
        self.pictures = Pictures()

    def __call__(self, x: Any, y: Any) -> tuple[float, dict[str, float | None]]:
        """Return the score, and those by further scorers."""
        from sklearn.metrics import confusion_matrix

        whole, classes = self._fitted.whole, self._fitted.whole.classes_
        if whole is not self._fitted.last or not self._fitted.ours:
            x = as_array(x)
        proba: Any = whole.predict_proba(x) if hasattr(whole, "predict_proba") else None
        if self._fitted.ours:
            epoch = int(self._fitted.last.n_epochs_)
            scored = self._scoring.scored(classes, proba, y, epoch, self._asked(x))
            guess = classes[proba.argmax(axis=1)]
        else:
            scored = self._scoring.of_any(whole, x, y, self._asked(x))
            guess = np.asarray(whole.predict(x)).reshape(-1)
        found = (score if math.isfinite(score) else None for score in scored.others)
        self.others = dict(zip(self._names, found, strict=True))
        table = confusion_matrix(y, guess, labels=classes)
        self.rows, self.loss = len(y), scored.loss if math.isfinite(scored.loss) else None
        self.confusion = tuple(tuple(int(n) for n in row) for row in table)
        if proba is not None and np.array_equal(guess, classes[proba.argmax(axis=1)]):
            self.pictures = winner_pictures(whole, x, y, proba, self._fitted.last)
        return scored.score, self.others

    def _asked(self, x: Any) -> tuple[Any, Any]:
        """Return what scorers of the person's own see: the last step, rows as it gets them."""
        if self._scoring.has_own:
            for _, step in self._fitted.steps:
                x = step.transform(x)
        return self._fitted.last, x


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
