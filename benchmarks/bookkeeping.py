"""What the ledger costs a trial: claim, heartbeat, an empty result of 6 parameters, record.

python benchmarks/bookkeeping.py [--trials 300] [--loops 8] [--storage URL]. Prints milliseconds a
trial and storage transactions a trial; exits with 1 above 60 ms or 8 transactions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from contextlib import closing

from common import processor
from sqlalchemy import event

from sweep.ledger.ledger import Ledger
from sweep.ledger.records import SplitResult
from sweep.search.plan import make_plan
from sweep.spec import load_study
from sweep.storage.locations import storage_url
from sweep.support.layer import Layer
from sweep.workers.recovery import enqueue_missing

ALLOWED_MS, ALLOWED_CALLS = 60, 8


def study(trials: int):
    """Return a random study of six parameters."""
    space = {
        "filters": {"int": [4, 64], "log": True},
        "kernel_size": [3, 5],
        "dense_width": {"int": [8, 256], "log": True},
        "dense_dropout_rate": {"float": [0.0, 0.9]},
        "learning_rate": {"float": [1e-6, 1e-1], "log": True},
        "optimizer": ["adam", "sgd"],
    }
    return load_study(
        {
            "study": {"name": "empty"},
            "data": {"dataset": "digits"},
            "model": {"factory": "cnn"},
            "search": {"method": "random", "trials": trials},
            "space": space,
        }
    )


def main() -> None:
    """Record empty trials and time them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--storage", help="a database address; SQLite in a folder by default")
    parser.add_argument("--loops", type=int, default=1, help="processes side by side")
    asked = parser.parse_args()
    trials = asked.trials
    spec = study(trials)
    plan = make_plan(spec)
    data = {"name": "digits", "fingerprint": "", "train_rows": 1, "test_rows": 1, "shape": [8, 8],
            "classes": ["0", "1"], "class_counts": [1, 1]}  # fmt: skip
    head = {"spec": spec.plain(), "source": "", "data": data, "environment": {}, "created": "",
            "planned": trials}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        url = storage_url(asked.storage or f"{folder}/l.db")
        with closing(Ledger(url)) as ledger:
            ledger.create("empty", head)
            began = time.perf_counter()
            enqueue_missing(ledger, "empty", plan)
            enqueued = time.perf_counter() - began
        calls, seconds, cpu = loops(url, asked.loops)
        with closing(Ledger(url)) as ledger:
            ledger.delete("empty")
    milliseconds, each = seconds / trials * 1000, calls / trials
    print(f"{processor()}: {trials} empty trials, {asked.loops} loops, {url.partition(':')[0]}")
    print(f"enqueued in {enqueued / trials * 1000:.1f} ms each; recorded in {milliseconds:.1f} ms")
    print(f"{each:.1f} transactions each (allowed {ALLOWED_MS} ms, {ALLOWED_CALLS})")
    print(f"{trials / seconds:.0f} trials a second; {cpu / trials * 1000:.1f} ms of our CPU each")
    sys.exit(int(milliseconds > ALLOWED_MS or each > ALLOWED_CALLS))


def loops(url: str, count: int) -> tuple[int, float, float]:
    """Record all trials by so many processes; return transactions, wall and CPU seconds."""
    if count == 1:
        return loop(url)
    with multiprocessing.Pool(count) as pool:
        found = pool.map(loop, [url] * count)
    calls, seconds, cpu = zip(*found, strict=True)
    return sum(calls), max(seconds), sum(cpu)


def loop(url: str) -> tuple[int, float, float]:
    """Take and record empty trials until none is left."""
    result = (SplitResult({1: 0.5}, seconds={1: 0.0}, history={"loss": (1.0,)}, n_test=1),)
    with closing(Ledger(url)) as ledger:
        calls = count_transactions(ledger)
        began, cpu = time.perf_counter(), time.process_time()
        while claim := ledger.claim("empty", "bench"):
            ledger.complete(claim, 0.5, result, (Layer("output", "Dense", "(2,)", 18),))
        return calls[0], time.perf_counter() - began, time.process_time() - cpu


def count_transactions(ledger: Ledger) -> list[int]:
    """Return a count that rises with every transaction begun."""
    calls = [0]

    def note(_connection) -> None:
        calls[0] += 1

    event.listen(ledger.storage.engine, "begin", note)
    return calls


if __name__ == "__main__":
    main()
