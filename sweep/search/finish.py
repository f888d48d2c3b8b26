"""Choose the winner, refit it on all training rows, open the test set once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep import selection
from sweep.ledger.reading import read_study
from sweep.ledger.records import Candidate, StudyRecord, WinnerRecord
from sweep.ledger.storage import ledger_folder
from sweep.names import slug
from sweep.search.estimator import make_estimator
from sweep.search.evaluate import checked_score, scorer_of
from sweep.spec import StudySpec

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sweep.datasets import Dataset
    from sweep.ledger.ledger import Ledger


def finish_study(
    ledger: Ledger, name: str, dataset: Dataset, allow: Collection[str] = ()
) -> WinnerRecord | None:
    """Refit the chosen configuration and open the test set for it.

    A winner that is already recorded is not opened again.

    Returns
    -------
    WinnerRecord or None
        None if nothing is complete.
    """
    from sweep.estimators.weights import save_fitted

    record = read_study(ledger, name)
    chosen = selection.chosen(record)
    if chosen is None or selection.is_current(record, chosen):
        return record.winner
    chosen_at = _now()
    spec = StudySpec.from_plain(record.spec)
    estimator = make_estimator(spec, {**chosen.params, "epochs": chosen.epoch}, allow)
    estimator.fit(dataset.x_train, dataset.y_train)
    winner = _open_test_set(estimator, spec, dataset, chosen, record, chosen_at)
    save_fitted(estimator, winner_path(ledger.url, name))
    ledger.set_winner(name, winner)
    return winner


def winner_path(url: str, name: str) -> Path:
    """Return where the winner's weights lie."""
    return ledger_folder(url) / "artifacts" / slug(name) / "winner.npz"


def _open_test_set(
    estimator: Any,
    spec: StudySpec,
    dataset: Dataset,
    chosen: Candidate,
    record: StudyRecord,
    chosen_at: str,
) -> WinnerRecord:
    from sklearn.metrics import confusion_matrix

    opened_at = _now()
    score = scorer_of(spec.search.scoring)(estimator, dataset.x_test, dataset.y_test)
    guesses = estimator.predict(dataset.x_test)
    confusion = confusion_matrix(dataset.y_test, guesses, labels=estimator.classes_)
    return WinnerRecord(
        candidate=chosen.index,
        params=dict(chosen.params),
        chosen_at=chosen_at,
        test_score=checked_score(score, chosen.epoch),
        test_opened_at=opened_at,
        test_rows=len(dataset.y_test),
        train_rows=len(dataset.y_train),
        test_openings=1 + (record.winner.test_openings if record.winner else 0),
        refit_seconds=estimator.history_["seconds"][-1],
        history={k: tuple(v) for k, v in estimator.history_.items() if k != "seconds"},
        layers=estimator.layer_table(),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
