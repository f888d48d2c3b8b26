"""A long run of one mixed study whose workers are killed, or told to end, at random moments.

    python benchmarks/soak.py --minutes 120

Prints, minute by minute, the memory and open files of the command and of its workers, then what
the ledger holds: every trial that was seen complete is still there with its value, and no cell has
two results.
"""

from __future__ import annotations

import argparse
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

import numpy as np

from sweep.ledger.ledger import Ledger
from sweep.storage.attributes import CELL, LOST, REASON, WORKER

STUDY = """
[study]
name = "soak"
[data]
dataset = "mnist"
train_rows = 2000
test_rows = 500
[model]
factory = "cnn"
[search]
method = "tpe"
trials = 30000
validation = 0.2
pruner = "median"
[space]
epochs = {{ int = [1, 4] }}
filters = [4, 8, 16]
kernel_size = {{ int = [3, 5], step = 2 }}
dense_width = {{ int = [16, 128], log = true }}
dense_dropout_rate = {{ float = [0.0, 0.5] }}
learning_rate = {{ float = [1e-4, 1e-1], log = true }}
optimizer = ["sgd", "adam", "rmsprop"]
activation = ["relu", "tanh"]
""".replace("{{", "{").replace("}}", "}")

SIGNALS = (signal.SIGKILL, signal.SIGTERM)


def memory(pid: int) -> float:
    """Return MB in memory; 0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    except (OSError, IndexError):
        return 0.0


def files(pid: int) -> int:
    """Return the open files of a process."""
    with suppress(OSError):
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return 0


def trials(url: str) -> list:
    with suppress(Exception), closing(Ledger(url, reading=True)) as ledger:
        return ledger.trials("soak")
    return []


def soak(folder: Path, minutes: float, seed: int) -> None:
    (folder / "soak.toml").write_text(STUDY)
    url, chance = f"sqlite:///{folder / 'l.db'}", random.Random(seed)
    command = [sys.executable, "-m", "sweep", "run", "soak.toml", "--storage", "l.db", "-q"]
    run = subprocess.Popen([*command, "--no-report"], cwd=folder)
    end, kills, rows, known = time.monotonic() + 60 * minutes, 0, [], {}
    print("minute  trials  ended  command MB  files  largest worker MB  its files", flush=True)
    began = next_row = time.monotonic()
    next_kill = began + 60
    while time.monotonic() < end:
        time.sleep(1)
        if run.poll() is not None:
            raise SystemExit(f"the run ended with status {run.returncode}")
        now = time.monotonic()
        if now < min(next_row, next_kill):
            continue
        held = trials(url)
        known.update({t.number: t.values for t in held if t.state.name == "COMPLETE"})
        running = [
            int(t.user_attrs[WORKER].split(":")[1]) for t in held if t.state.name == "RUNNING"
        ]
        if now >= next_kill and running:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(running), chance.choice(SIGNALS))
                kills += 1
            next_kill = now + chance.uniform(5, 60)
        worker = max(running, key=memory, default=0)
        if now >= next_row and memory(worker):
            rows.append((memory(run.pid), files(run.pid), memory(worker), files(worker)))
            at, done = (now - began) / 60, sum(t.state.is_finished() for t in held)
            print(
                f"{at:6.0f}  {done:6}  {kills:5}  {rows[-1][0]:10.0f}  {rows[-1][1]:5}  "
                f"{rows[-1][2]:17.0f}  {rows[-1][3]:9}",
                flush=True,
            )
            next_row = now + 60
    run.send_signal(signal.SIGINT)
    run.wait(60)
    report(trials(url), known, kills, np.array(rows), run.returncode)


def report(held: list, known: dict, kills: int, rows: np.ndarray, status: int) -> None:
    after = {t.number: t.values for t in held}
    states = Counter(t.state.name for t in held)
    results = Counter(
        t.user_attrs[CELL]["key"] for t in held if t.state.name in ("COMPLETE", "PRUNED")
    )
    print(f"\nended by SIGINT with status {status}; {kills} kills and orders to end")
    print(f"killed in a cell: {sum('signal 9' in str(t.user_attrs.get(LOST)) for t in held)}")
    print(f"set aside or failed: {sum(REASON in t.user_attrs for t in held)}")
    print(f"states: {dict(states)}; running: {states['RUNNING']}")
    lost = sum(after.get(number) != values for number, values in known.items())
    print(f"seen complete: {len(known)}; lost or changed: {lost}")
    print(f"cells with two results: {sum(count > 1 for count in results.values())}")
    third = max(1, len(rows) // 3)
    names = ("command MB", "command files", "worker MB", "worker files")
    for name, column in zip(names, rows.T, strict=True):
        first, last = np.median(column[:third]), np.median(column[-third:])
        largest = f"at most {column.max():.0f}"
        print(f"{name}: {first:.0f} in the first third, {last:.0f} in the last, {largest}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        soak(Path(made), asked.minutes, asked.seed)
