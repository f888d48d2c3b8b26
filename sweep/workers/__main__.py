"""A worker process: ``python -m sweep.workers``, its job on standard input."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from sweep.errors import StudyChangedError
from sweep.storage.process_identity import worker_name
from sweep.storage.waiting_messages import waits_shown_by
from sweep.support.code_digests import keep_loaded
from sweep.support.keras_configuration import load_keras
from sweep.support.redaction import redacted
from sweep.training.threads import single_threaded
from sweep.workers.control import Control, StopWork
from sweep.workers.job import RECYCLE, Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.spec import StudySpec


def main(*, spare: bool = False) -> int:
    """Run the loop, then wait for orders: ``finish`` refits the winner, ``stop`` ends.

    Parameters
    ----------
    spare : bool
        Whether nobody needs this worker yet: it fits a small model while it waits, so that its
        first real fit does not wait for TensorFlow to begin.
    """
    single_threaded()
    control = Control()
    control.tell("hello", name=worker_name())
    # TensorFlow takes seconds to load: do that while the run still prepares the job.
    preload()
    if spare:
        warm_up()
    line = control.first_order()
    if not line:
        return 0
    try:
        job = Job.from_line(line)
        _print_into(job.log)
        with keep_loaded(), waits_shown_by(lambda line: control.tell("waits", line=line)):
            return _build_once(job, control) if job.build else _work(job, control)
    except BaseException as error:  # noqa: BLE001 - a process's last frame: said, then left
        from sweep.workers.failure_reason import reason_of

        control.tell("broken", reason=reason_of(error))
        sys.stderr.write(redacted(traceback.format_exc()))
        return 1


def preload() -> None:
    """Load what every worker needs and run nothing of it, so that a fork is still safe."""
    single_threaded()
    gc.disable()  # nothing that an import makes is garbage; looking for some costs a tenth
    with _without("matplotlib", "pandas"):  # workers hand arrays to Keras, no more
        load_keras()
    import alembic.migration  # noqa: F401
    import optuna.samplers
    import optuna.storages  # noqa: F401
    import sklearn.metrics
    import sklearn.model_selection  # noqa: F401
    import sqlalchemy.orm  # noqa: F401

    import sweep.estimators.weight_files
    import sweep.evaluation.refit
    import sweep.search.outer_folds
    import sweep.search.study_data
    import sweep.workers.loop
    import sweep.workers.shared_dataset  # noqa: F401

    gc.enable()
    gc.freeze()


def warm_up() -> None:
    """Fit a small model: TensorFlow sets itself up at the first one, for half a second."""
    import numpy as np

    from sweep.estimators import KerasMLPClassifier

    x, y = np.zeros((20, 4, 4), np.float32), np.arange(20) % 2
    fitted = KerasMLPClassifier(hidden_size=2, epochs=1, batch_size=10).fit(x, y)
    fitted.predict_proba(x)


def _print_into(log: str) -> None:
    """Print into the log of the run that this worker works for."""
    if log:
        fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        for stream in (1, 2):
            os.dup2(fd, stream)
        os.close(fd)


@contextmanager
def _without(*libraries: str) -> Iterator[None]:
    """Let optional imports fail for a moment, as if these libraries were not installed."""
    absent = [name for name in libraries if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _build_once(job: Job, control: Control) -> int:
    from sweep.evaluation.trial_build import TrialBuild, factory_problems
    from sweep.spec import StudySpec
    from sweep.workers.resource_limits import limit_memory

    asked = TrialBuild.from_text(job.build)
    limit_memory(StudySpec.from_plain(asked.study).search.memory_limit)
    control.tell("built", problems=factory_problems(asked, job.allow))
    return 0


def _work(job: Job, control: Control) -> int:
    from sweep.evaluation.refit import finish_study
    from sweep.ledger.ledger import Ledger
    from sweep.search.outer_folds import outer_fold_data
    from sweep.search.sealed_data import seal
    from sweep.search.study_data import load_data
    from sweep.spec import StudySpec
    from sweep.storage.database import expect
    from sweep.workers.loop import Worker
    from sweep.workers.resource_limits import limit_memory
    from sweep.workers.shared_dataset import load_shared

    expect(job.storage)
    ledger = Ledger(job.storage, create=False)
    header = ledger.header(job.study)
    spec = StudySpec.from_plain(header["spec"])
    limit_memory(spec.search.memory_limit)
    dataset = load_shared(job.data, partial(load_data, spec, job.data_home, job.allow, job.storage))
    dataset = outer_fold_data(dataset, header.get("part"))
    if job.elsewhere:
        _check_same_data(header["data"]["fingerprint"], dataset.fingerprint)
    _check_same_code(spec, job)
    training, sealed = seal(dataset)
    del dataset
    worker = Worker(job, control, ledger, spec, training, header.get("part"))
    order = "work"
    while order != "stop":
        if order == "work" and not worker.run():
            control.tell("recycle")
            return RECYCLE
        if order == "finish":
            with suppress(StopWork):
                with control.interruptible():
                    finish_study(ledger, job.study, training, sealed, job.allow)
                control.tell("finished")
        control.tell("idle")
        order = control.orders.get()
    return 0


def _check_same_data(asked: str, here: str) -> None:
    if asked != here:
        raise StudyChangedError(
            f"this machine has other data than the study: fingerprint {here[:12]}, the study's is "
            f"{asked[:12]}; bring the study's data here"
        )


def _check_same_code(spec: StudySpec, job: Job) -> None:
    from sweep.evaluation.estimator import check_user_code, user_code_text
    from sweep.evaluation.own_scorers import own_scorers

    check_user_code(spec, job.allow)  # what is loaded now stays
    own_scorers(spec, job.allow)
    here = user_code_text(spec, job.allow)
    if job.code and here != job.code:
        raise StudyChangedError(
            f"this run began with other code: {job.code}, {'here' if job.elsewhere else 'now'} "
            f"{here}; what is finished is kept: run it again to go on with the code as it is now, "
            "or bring the old code back first"
        )


if __name__ == "__main__":
    sys.exit(main())
