"""Loops for a Dask cluster that evaluate nothing: no TensorFlow, cells of a moment each."""

import os
import time
from contextlib import closing
from pathlib import Path

from ledgers import LAYERS, split

from sweep.ledger.ledger import Ledger
from sweep.runner.dask_loop import LoopEnd
from sweep.storage.process_identity import worker_name


def loop(job):
    """Take cells until none waits; a tenth of a second each."""
    with closing(Ledger(job.storage, create=False)) as ledger:
        while claim := ledger.claim(job.study, worker_name()):
            time.sleep(0.1)
            splits = [split(0.5 + claim.number / 100, claim.epochs, i) for i in range(3)]
            value = splits[0].test[claim.epochs[-1]]
            ledger.complete(claim, value, splits, LAYERS)
    return LoopEnd("done")


def stuck(job):
    """Take a cell and never end it, but where another has done so before."""
    taken = Path(job.data_home) / "taken"
    try:
        taken.touch(exist_ok=False)
    except FileExistsError:
        return loop(job)
    with closing(Ledger(job.storage, create=False)) as ledger:
        ledger.claim(job.study, worker_name())
        taken.write_text(str(os.getpid()))
        time.sleep(600)
    return LoopEnd("done")


def broken(job):
    """Be of no use."""
    return LoopEnd("broken", reason="DataError: no data here")


def lost(job):
    """Take a cell and say that its process died of it."""
    with closing(Ledger(job.storage, create=False)) as ledger:
        ledger.claim(job.study, "elsewhere:7:7")
    return LoopEnd("lost", "elsewhere:7:7", "signal 9")
