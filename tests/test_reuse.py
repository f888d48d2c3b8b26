"""The same parameters again: results are taken over, fits go on, nothing is trained twice."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ledgers import build, with_folder

from sweep.evaluation.checkpoints import CandidateCheckpoints, Checkpoints
from sweep.evaluation.cross_validation import EvaluationRequest, SearchData
from sweep.evaluation.reuse import reuse_result
from sweep.ledger.records import SplitResult, TrialRecord
from sweep.study.delete import delete_study
from sweep.support.disk_space import make_room

PARAMS = {"width": 8, "epochs": 3}


def trial(epochs=3, measured=None, state="COMPLETE", number=4, fits=2, **more):
    """Return a trial that has measured so many epochs of each fit."""
    seen = range(1, (measured or epochs) + 1)
    splits = tuple(
        SplitResult(
            {e: e / 10 + fit / 100 for e in seen},
            seconds={e: float(e) for e in seen},
            history={"loss": tuple(1 / e for e in seen)},
            split=fit,
        )
        for fit in range(fits)
    )
    params = {"epochs": epochs, "width": 8}
    return TrialRecord(number, "slot:4", state, params, (epochs,), splits, **more)


def found(ended, params=None, **asked):
    """Return what the ended trials give to a suggestion of three epochs."""
    return reuse_result(params or PARAMS, EvaluationRequest((3,), **asked), ended, fits=2)


def test_a_duplicate_takes_the_result_over():
    """Scores, curves and seconds are the other's; it is marked with its number."""
    other = trial()
    copy = found([other])
    assert (copy.splits, copy.copied_from, copy.pruned) == (other.splits, 4, False)
    assert copy.value == pytest.approx(0.305)


def test_fewer_epochs_are_read_off_the_longer_curve():
    """Nothing after the asked epoch is taken along."""
    copy = found([trial(9)])
    assert copy.splits == trial(3).splits
    assert found([trial(9, measured=4, state="PRUNED")]).splits == trial(3).splits


def test_a_pruned_duplicate_is_pruned_again():
    """The same trial would be given up at the same place; it keeps what was measured."""
    copy = found([trial(3, measured=2, state="PRUNED")])
    assert (copy.pruned, sorted(copy.splits[0].test)) == (True, [1, 2])
    assert copy.value == pytest.approx(0.205)


@pytest.mark.parametrize(
    "ended",
    [
        [],
        [trial(2)],
        [trial(9, measured=2, state="PRUNED")],
        [trial(9, fits=1, state="PRUNED")],
        [trial(3, number=1, fits=0)],
    ],
)
def test_what_nobody_has_measured_is_trained(ended):
    """Fewer epochs, fewer fits or none do not answer."""
    assert found(ended) is None


def test_other_parameters_are_no_duplicate():
    """Nor the same without one of them."""
    assert found([trial()], {"width": 16, "epochs": 3}) is None
    assert found([trial()], {"width": 8, "epochs": 3, "momentum": 0.5}) is None


def test_what_was_not_measured_is_not_taken_over():
    """Training scores and prediction times are asked of a trial that has them."""
    assert found([trial()], train_scores=True) is None
    assert found([trial()], timed=True) is None


def test_a_copy_of_a_copy_names_the_trained_one():
    """The first of them."""
    assert found([trial(number=7, copied_from=4)]).copied_from == 4


def test_with_callbacks_only_the_same_epochs_answer():
    """What a Keras callback does may depend on the number of epochs."""
    assert reuse_result(PARAMS, EvaluationRequest((3,)), [trial(9)], 2, staged=False) is None
    assert reuse_result(PARAMS, EvaluationRequest((3,)), [trial(3)], 2, staged=False) is not None


def test_the_least_recently_used_checkpoints_make_room(tmp_path):
    """The folder stays below its limit, and a damaged file is no checkpoint."""
    store = Checkpoints(tmp_path, limit=250)
    for number in range(4):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    os.utime(tmp_path / "0.npz", (9, 9))
    make_room(store.folder.glob("*.npz"), store.limit)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.npz", "3.npz"]
    assert store.resume(SimpleNamespace(), tmp_path / "0.npz", 5) == {}
    assert store.resume(SimpleNamespace(), tmp_path / "none.npz", 5) == {}


def test_a_fits_file_is_named_by_all_but_its_epochs():
    """Split and seed tell fits of one candidate apart."""
    store = Checkpoints(Path("c"))
    same = store.path({"a": 1, "epochs": 2, "b": [1]}, 0, 0)
    assert same == store.path({"b": [1], "a": 1, "epochs": 9}, 0, 0)
    others = {store.path({"b": [1], "a": 2}, 0, 0), store.path({"b": [1], "a": 1}, 1, 0)}
    assert same not in others
    assert store.path({"b": [1], "a": 1}, 0, 1) not in {same, *others}


def test_checkpoints_go_with_their_study(tmp_path):
    """Deleting a study removes its folder, weights of half-finished fits included."""
    build(tmp_path / "l.db")
    folder = with_folder(f"sqlite:///{tmp_path / 'l.db'}", "tiny", "u1", 0) / "checkpoints"
    folder.mkdir()
    (folder / "a.npz").write_bytes(b"x")
    delete_study("tiny", str(tmp_path / "l.db"))
    assert not folder.exists()


@pytest.mark.tensorflow
def test_a_continued_fit_equals_an_uninterrupted_one_to_the_last_bit(tmp_path):
    """Weights, optimizer, scores and history; whether it had ended or was pruned."""
    from sweep import KerasMLPClassifier, load_dataset
    from sweep.evaluation.lockstep import evaluate_in_lockstep

    digits = load_dataset("digits")
    rows = np.arange(240)
    data = SearchData(
        digits.x_train[:240],
        digits.y_train[:240],
        [(rows[80:], rows[:80]), (rows[:160], rows[160:])],
    )

    def run(epochs, store=None, stop=lambda _e, _v: False):
        estimator = KerasMLPClassifier(
            hidden_size=8, dropout_rate=0.3, learning_rate=0.01, learning_rate_decay=0.01,
            scaling="standardize", random_state=3, epochs=epochs,
        )  # fmt: skip
        asked = EvaluationRequest((epochs,), seeds=2)
        return evaluate_in_lockstep(estimator, data, asked, stop, lambda *_: None, store)

    def exact(found):
        return [(s.split, s.seed, s.test, dict(s.history), s.n_test) for s in found.splits]

    store = CandidateCheckpoints(Checkpoints(tmp_path), {"width": 8}, largest=6)
    whole = run(6)
    run(4, store, lambda epoch, _: epoch == 2)
    assert len(list(tmp_path.glob("*.npz"))) == 4
    trained = []
    original = KerasMLPClassifier.partial_fit

    def counted(self, *args, **kwargs):
        trained.append(self.n_epochs_ if hasattr(self, "_state") else 0)
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KerasMLPClassifier, "partial_fit", counted)
        longer = run(6, store)
    assert trained == [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4
    assert exact(longer) == exact(whole)
    assert longer.value == whole.value
    shorter = run(4, store, lambda epoch, _: epoch == 1)
    assert (shorter.pruned, sorted(shorter.splits[0].test)) == (True, [1])


@pytest.mark.tensorflow
@pytest.mark.parametrize("fast", [True, False], ids=["graph", "keras"])
def test_a_trial_that_paused_within_an_epoch_equals_one_that_did_not(tmp_path, fast):
    """Weights, optimizer, scores and history to the last bit; only Keras's own fit repeats rows."""
    from sweep import KerasMLPClassifier, load_dataset
    from sweep.evaluation.lockstep import evaluate_in_lockstep

    digits, rows = load_dataset("digits"), np.arange(240)
    splits = [(rows[80:], rows[:80]), (rows[:150], rows[150:])]
    data = SearchData(digits.x_train[:240], digits.y_train[:240], splits)
    within, fits = {0.25: 40, 0.75: 120}, []

    def run(store=None, pause=None, within=within):
        estimator = KerasMLPClassifier(
            hidden_size=8, dropout_rate=0.3, optimizer="adam", learning_rate_decay=0.01,
            scaling="unit", random_state=3, epochs=2, batch_size=16, fast=fast,
        )  # fmt: skip

        def stop(epoch, _value):
            return epoch == pause

        return evaluate_in_lockstep(
            estimator, data, EvaluationRequest((2,)), stop, lambda *_: None, store, within
        )

    def exact(found):
        return [(s.test, s.losses, dict(s.history)) for s in found.splits]

    def kept(self, store):
        fits.append([*self.estimator._state.weights, *self.estimator._state.optimizer])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweep.evaluation.lockstep._Fit.finish", kept)
        never = run(CandidateCheckpoints(Checkpoints(tmp_path / "none"), {}, 0), within={})
    store = CandidateCheckpoints(Checkpoints(tmp_path / "some"), {"a": 1}, largest=3)
    for pause in (0.25, 0.75, 1):
        found = run(store, pause)
        assert (found.pruned, max(found.splits[0].test)) == (True, pause)
        assert len(list((tmp_path / "some").glob("*.npz"))) == (2 if fast or pause == 1 else 0)
    ended = run(store)
    again = [load_arrays(path) for path in sorted((tmp_path / "some").glob("*.npz"))]
    shares = [{e: s.test.pop(e) for e in within} for s in ended.splits]
    assert all(0 < score < 1 for each in shares for score in each.values())
    for split in ended.splits:
        for share in within:
            split.losses.pop(share)
    assert exact(ended) == exact(never)
    assert sorted(map(digest, again)) == sorted(map(digest, fits))


def load_arrays(path):
    """Return weights and optimizer of a checkpoint."""
    with np.load(path) as file:
        return [file[n] for kind in ("weight", "optimizer") for n in sorted(file) if kind in n]


def digest(arrays):
    """Return all bits of some arrays."""
    return [each.tobytes() for each in arrays]
