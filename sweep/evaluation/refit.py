"""Choose the winner, refit it on all training rows, open the test set once."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.evaluation.estimator import code_of, make_estimator
from sweep.evaluation.pictures import weight_shapes, winner_pictures
from sweep.evaluation.scoring import Scoring
from sweep.evaluation.test_set import open_test_set
from sweep.ledger.outcomes import WinnerRecord
from sweep.ledger.pictures import Pictures, save_pictures, winner_pictures_path
from sweep.ledger.reading import read_study
from sweep.ledger.study_folders import own_folder
from sweep.storage.locks import one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.search.sealed_data import SealedTest, TrainingRows


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
    from sweep.evaluation.winner_file import save_winner, winner_path

    record = read_study(ledger, name)
    chosen = analysis.chosen(record)
    if chosen is None or analysis.is_current(record, chosen):
        return record.winner
    chosen_at = _now()
    spec = record.settings
    epochs = spec.search.refit_epochs or chosen.epoch
    estimator = make_estimator(spec, {**chosen.params, "epochs": epochs}, allow)
    if spec.search.refit_precision:
        estimator.set_params(precision=spec.search.refit_precision)
    folder = own_folder(ledger, name)
    cell = {"params": chosen.params, "epochs": epochs, "as": estimator.precision}
    code = code_of(spec, allow)
    checkpointer = FitCheckpointer(folder / "refit", {**cell, "code": code})
    estimator.set_callbacks(checkpointer).fit(data.x_train, data.y_train)
    if not still_locked():  # this process was suspended, and another one may have opened it
        raise LockLostError
    scoring = Scoring(spec.search.scorers, data.y_train, data.positive)
    measured = _TestScore(estimator, scoring, spec.search.scorers[1:])
    opening, score = open_test_set(sealed, ledger, record, chosen, measured)
    winner = WinnerRecord(
        params=dict(chosen.params),
        chosen_at=chosen_at,
        test_score=score,
        test_opened_at=opening.opened_at,
        test_rows=measured.rows,
        train_rows=len(data.y_train),
        test_openings=record.test_openings + 1,
        refit_seconds=estimator.history_["seconds"][-1],
        history={k: tuple(v) for k, v in estimator.history_.items() if k != "seconds"},
        layers=estimator.layer_table(),
        confusion=measured.confusion,
        precision=estimator.precision,
        test_loss=measured.loss,
        weights=weight_shapes(estimator),
        other_scores=measured.others,
    )
    # the files first: a winner in the ledger always has its weights
    save_winner(estimator, winner_path(ledger.url, name, record.uid), code)
    save_pictures(winner_pictures_path(ledger.url, name, record.uid), measured.pictures)
    ledger.set_winner(name, winner)
    checkpointer.clear()
    return winner


class _TestScore:
    """Scores a fitted estimator on the test rows; keeps the rest that they tell.

    That is the loss, the other scores, the confusion matrix and pictures.
    """

    def __init__(self, estimator: Any, scoring: Scoring, others: Sequence[str]) -> None:
        self._estimator, self._scoring, self._names = estimator, scoring, others
        self.rows, self.loss = 0, 0.0
        self.others: dict[str, float | None] = {}
        self.confusion: tuple[tuple[int, ...], ...] = ()
        self.pictures = Pictures()

    def __call__(self, x: Any, y: Any) -> float:
        """Return the score."""
        from sklearn.metrics import confusion_matrix

        proba, classes = self._estimator.predict_proba(x), self._estimator.classes_
        scored = self._scoring.scored(classes, proba, y, int(self._estimator.n_epochs_))
        found = (score if math.isfinite(score) else None for score in scored.others)
        self.others = dict(zip(self._names, found, strict=True))
        table = confusion_matrix(y, classes[proba.argmax(axis=1)], labels=classes)
        self.rows, self.loss = len(y), scored.loss
        self.confusion = tuple(tuple(int(n) for n in row) for row in table)
        self.pictures = winner_pictures(self._estimator, x, y, proba)
        return scored.score


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
