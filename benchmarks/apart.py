"""Four machines of one host name on one PostgreSQL: kills, and a restart of the server.

    python benchmarks/apart.py          # as root; PostgreSQL 15 on 127.0.0.1:5432

Each machine is a set of namespaces: a network, processes, a host name and a boot of its own, a
private /tmp as its working folder, and nothing but the server's address. Twenty workers are killed;
the server is restarted with ``-m immediate``. At the end: complete, none doubled, none missing, and
the table of one local worker.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd
import psycopg

from sweep import run_study
from sweep.ledger.ledger import Ledger
from sweep.storage.attributes import CELL, LOST, WORKER
from sweep.study import open_study
from sweep.study.submit import submit_study

WORKERS, CELLS, KILLS = 4, 200, 20
HOST, PORT, SCHEMA = "10.77.0.1", 5433, "sweep_apart"
OPTIONS = f"?options=-csearch_path%3D{SCHEMA}&application_name={SCHEMA}"
NEAR = f"postgresql+psycopg://postgres@127.0.0.1:5432/test{OPTIONS}"
FAR = f"postgresql://postgres@{HOST}:{PORT}/test{OPTIONS}"
HOME = "/tmp/home"  # noqa: S108 - in a /tmp of its own
BOOT = "8c1a4b1e-0000-4000-8000-00000000000"
ROOT = Path(__file__).resolve().parent.parent
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


def shell(line: str, *, check: bool = True) -> None:
    subprocess.run(line, shell=True, check=check, capture_output=not check)  # noqa: S602


def network() -> None:
    """Lay a bridge, and a namespace for each worker on it."""
    tear_down()
    shell(
        f"ip link add sweepbr type bridge && ip addr add {HOST}/24 dev sweepbr && "
        "ip link set sweepbr up"
    )
    for n in range(WORKERS):
        shell(
            f"ip netns add sweep{n} && ip link add sv{n} type veth peer name se{n} && "
            f"ip link set sv{n} master sweepbr up && ip link set se{n} netns sweep{n} && "
            f"ip netns exec sweep{n} ip addr add 10.77.0.{10 + n}/24 dev se{n} && "
            f"ip netns exec sweep{n} ip link set se{n} up && "
            f"ip netns exec sweep{n} ip link set lo up"
        )


def tear_down() -> None:
    for n in range(WORKERS):
        shell(f"ip netns del sweep{n}", check=False)
    shell("ip link del sweepbr", check=False)


def worker(n: int, boots: Path) -> subprocess.Popen:
    boot = boots / str(n)
    boot.write_text(f"{BOOT}{n}\n")
    inside = (
        f"mount --bind {boot} /proc/sys/kernel/random/boot_id && hostname clone && "
        f"mount -t tmpfs tmpfs /tmp && mkdir {HOME} && cd {HOME} && "
        f"exec {sys.executable} -m sweep worker --study apart -j 1"
    )
    return subprocess.Popen(
        ["ip", "netns", "exec", f"sweep{n}", "unshare", "--mount", "--uts", "--pid", "--fork",
         "--mount-proc", "--kill-child", "sh", "-c", inside],
        env={"PATH": os.environ["PATH"], "HOME": HOME, "SWEEP_STORAGE": FAR,
             "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def pid_here(name: str) -> int | None:
    """Return a worker's number among our processes: its own counts in its machine alone."""
    _host, number, _birth, room, *_ = name.split(":")
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, StopIteration):
            status = (place / "status").read_text().splitlines()
            inside = next(line for line in status if line.startswith("NSpid")).split()[-1]
            if inside == number and room in str((place / "ns" / "pid").readlink()):
                return int(place.name)
    return None


def connections() -> int:
    with suppress(psycopg.Error), psycopg.connect("postgresql://postgres@127.0.0.1/test") as server:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        return server.execute(query, [SCHEMA]).fetchone()[0]
    return 0


def plain(result) -> pd.DataFrame:
    return result.frame.drop(columns=[c for c in result.frame.columns if c.endswith("_time")])


def main() -> None:
    with psycopg.connect("postgresql://postgres@127.0.0.1/test", autocommit=True) as server:
        server.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        server.execute(f"CREATE SCHEMA {SCHEMA}")
    network()
    boots = tempfile.TemporaryDirectory(dir="/var/tmp")
    forward = subprocess.Popen(
        ["socat", f"TCP-LISTEN:{PORT},bind={HOST},fork,reuseaddr", "TCP:127.0.0.1:5432"]
    )
    began, kills, most, restarted, chance = time.monotonic(), 0, 0, False, random.Random(5)
    try:
        print("enqueued:", submit_study(STUDY, storage=NEAR))
        running = {n: worker(n, Path(boots.name)) for n in range(WORKERS)}
        while any(each.poll() is None for each in running.values()):
            time.sleep(chance.uniform(0.3, 1.2))
            most = max(most, connections())
            with suppress(Exception), closing(Ledger(NEAR, reading=True)) as ledger:
                held = ledger.trials("apart", "RUNNING")
                done = ledger.counts("apart")["COMPLETE"]
                if held and kills < KILLS:
                    pid = pid_here(chance.choice(held).user_attrs[WORKER])
                    if pid is not None:
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                if done > CELLS // 2 and not restarted:
                    restarted = True
                    shell("pg_ctlcluster 15 main restart -m immediate")
                    print(f"server restarted with {done} cells done", flush=True)
        print("workers left with", [each.returncode for each in running.values()])
    finally:
        forward.kill()
        boots.cleanup()
        tear_down()
    with closing(Ledger(NEAR, reading=True)) as ledger:
        trials = ledger.trials("apart")
    complete = Counter(t.user_attrs[CELL]["key"] for t in trials if t.state.name == "COMPLETE")
    names = [t.user_attrs[WORKER].split(":") for t in trials if WORKER in t.user_attrs]
    hosts = Counter(f"{host} {boot[-1]}" for host, _, _, _, boot, _ in names)
    print(
        f"{time.monotonic() - began:.0f} s; kills {kills}, in a cell "
        f"{sum(LOST in t.user_attrs for t in trials)}; connections at most {most}; {dict(hosts)}"
    )
    doubled = sum(n > 1 for n in complete.values())
    print(f"cells complete {len(complete)} of {CELLS}; doubled {doubled}")
    with tempfile.TemporaryDirectory() as folder:
        local = run_study(STUDY, storage=f"{folder}/l.db", n_jobs=1)
    pd.testing.assert_frame_equal(plain(open_study("apart", NEAR)), plain(local), check_exact=True)
    print("the table is that of one local worker")


if __name__ == "__main__":
    main()
