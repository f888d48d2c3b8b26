"""A worker process: ``python -m sweep.workers``, its job on standard input."""

from __future__ import annotations

import sys

from sweep.quiet import load_tensorflow
from sweep.training.threads import single_threaded
from sweep.workers.control import Control
from sweep.workers.job import Job

RECYCLE = 3
"""Exit status of a process that wants another in its place."""


def main() -> int:
    """Run the loop, then wait for orders: ``finish`` refits the winner, ``stop`` ends."""
    single_threaded()
    control = Control()
    # TensorFlow takes seconds to load: do that while the run still prepares the job.
    load_tensorflow()
    import keras  # noqa: F401

    line = control.first_order()
    if not line:
        return 0
    try:
        return _work(Job.from_line(line), control)
    except BaseException as error:
        from sweep.workers.loop import reason_of

        control.tell("broken", reason=reason_of(error))
        raise


def _work(job: Job, control: Control) -> int:
    from sweep.ledger.ledger import Ledger
    from sweep.search.finish import finish_study
    from sweep.search.prepare import load_data
    from sweep.spec import StudySpec
    from sweep.workers.loop import Worker

    ledger = Ledger(job.storage, create=False)
    spec = StudySpec.from_plain(ledger.header(job.study)["spec"])
    dataset = load_data(spec, job.data_home, job.allow)
    worker = Worker(job, control, ledger, spec, dataset)
    order = "work"
    while order != "stop":
        if order == "work" and not worker.run():
            return RECYCLE
        if order == "finish":
            with control.interruptible():
                finish_study(ledger, job.study, dataset, job.allow)
            control.tell("finished")
        control.tell("idle")
        order = control.orders.get()
    return 0


if __name__ == "__main__":
    sys.exit(main())
