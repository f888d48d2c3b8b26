"""Four machines of one host name on one PostgreSQL: kills, and a restart of the server.

    python benchmarks/apart.py          # as root; PostgreSQL installed

Each machine is a set of namespaces (``benchmarks/machines.py``): a network, processes, a host name
and a boot of its own, a disk of its own as its working folder, and nothing but the server's
address. Twenty workers are killed; the server is restarted with ``-m immediate``. At the end:
complete, none doubled, none missing, and the table of one local worker.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress

import pandas as pd
from machines import laid, pid_here, table

from sweep import run_study
from sweep.ledger.ledger import Ledger
from sweep.storage.attributes import CELL, LOST, WORKER
from sweep.study import open_study
from sweep.study.submit import submit_study

WORKERS, CELLS, KILLS = 4, 200, 20
STUDY = {
    "study": {"name": "apart"},
    "data": {"dataset": "digits", "train_rows": 400, "test_rows": 200},
    "model": {"factory": "mlp", "learning_rate": 0.01},
    "search": {"method": "grid", "cv": 3},
    "space": {
        "epochs": [20],
        "hidden_size": {"int": [4, 53]},
        "dropout_rate": [0, 0.1, 0.2, 0.3],
    },
}


def main() -> None:
    with laid(WORKERS, "apart") as (machines, database):
        url, env = database.url, {"SWEEP_STORAGE": database.url}
        began, kills, most, restarted, chance = time.monotonic(), 0, 0, False, random.Random(5)
        print("enqueued:", submit_study(STUDY, storage=url))
        running = [
            machines.start(n, "worker", "--study", "apart", "-j", "1", env=env)
            for n in range(WORKERS)
        ]
        while any(each.poll() is None for each in running):
            time.sleep(chance.uniform(0.3, 1.2))
            most = max(most, database.connections())
            with suppress(Exception), closing(Ledger(url, reading=True)) as ledger:
                held = ledger.trials("apart", "RUNNING")
                done = ledger.counts("apart")["COMPLETE"]
                if held and kills < KILLS:
                    pid = pid_here(chance.choice(held).user_attrs[WORKER])
                    if pid is not None:
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                if done > CELLS // 2 and not restarted:
                    restarted = True
                    database.restart()
                    print(f"server restarted with {done} cells done", flush=True)
        print("workers left with", [each.returncode for each in running])
        with closing(Ledger(url, reading=True)) as ledger:
            trials = ledger.trials("apart")
        complete = Counter(t.user_attrs[CELL]["key"] for t in trials if t.state.name == "COMPLETE")
        names = [t.user_attrs[WORKER].split(":") for t in trials if WORKER in t.user_attrs]
        hosts = Counter(f"{host} {boot[-1]}" for host, _, _, _, boot, _ in names)
        print(
            f"{time.monotonic() - began:.0f} s; kills {kills}, in a cell "
            f"{sum(LOST in t.user_attrs for t in trials)}; connections at most {most}; "
            f"{dict(hosts)}"
        )
        doubled = sum(n > 1 for n in complete.values())
        print(f"cells complete {len(complete)} of {CELLS}; doubled {doubled}")
        with tempfile.TemporaryDirectory() as folder:
            local = run_study(STUDY, storage=f"{folder}/l.db", n_jobs=1)
        shared = open_study("apart", url)
    pd.testing.assert_frame_equal(table(shared), table(local), check_exact=True)
    print("the table is that of one local worker")


if __name__ == "__main__":
    main()
