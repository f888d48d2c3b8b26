"""What reading commands cost as a ledger grows: wall and CPU seconds at several numbers of trials.

    python benchmarks/scaling.py 1000 10000 100000 [--storage postgresql://...]

The trials are written as a worker writes them (results of five splits, a digest), in bulk.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import TrialState
from sqlalchemy import insert

from sweep.ledger.checksums import trial_digest
from sweep.ledger.codec import result_to_plain
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import DataRecord
from sweep.ledger.records import SplitResult
from sweep.ledger.summary import summary_of
from sweep.search.plan import make_plan
from sweep.spec import load_study
from sweep.storage.attributes import CELL, DIGEST, RESULT, SUMMARY, WORKER
from sweep.storage.json_text import stored_text
from sweep.storage.locations import storage_url
from sweep.support.layer import Layer

COMMANDS = (
    "list",
    "show big --top 20",
    "best big",
    "pivot big --index hidden_size --columns dropout_rate",
    "compare big small",
    "report big",
)
SMALL = 100  # trials of the study that the large one is compared with
DATA = DataRecord("digits", "f" * 64, 1437, 360, (8, 8), tuple("0123456789"), (144,) * 10)
LAYERS = (Layer("dense_1", "Dense", "(32,)", 2080), Layer("output", "Dense", "(10,)", 330))


def study(name: str, trials: int):
    return load_study(
        {
            "study": {"name": name},
            "data": {"dataset": "digits"},
            "model": {"factory": "mlp", "epochs": 3},
            "search": {"method": "random", "trials": trials, "cv": 5, "refit": False},
            "space": {"hidden_size": {"int": [8, 512]}, "dropout_rate": {"float": [0.0, 0.6]}},
        }
    )


def fill(url: str, name: str, trials: int) -> None:
    """Make the study, and end all its trials."""
    spec = study(name, trials)
    plan = make_plan(spec)
    with closing(Ledger(url)) as ledger:
        header = {
            "spec": spec.plain(), "source": spec.source, "data": asdict(DATA), "environment": {},
            "created": "2026-01-01T00:00:00+00:00", "planned": len(plan.cells),
            "uid": (name * 12)[:12],
        }  # fmt: skip
        ledger.create(name, header)
        ledger.enqueue(name, plan.cells, plan.distributions)
        _end_all(ledger, name)


def _end_all(ledger: Ledger, name: str) -> None:
    chance, now = np.random.default_rng(0), datetime.now(UTC).replace(tzinfo=None)
    held = ledger.trials(name)
    for first in range(0, len(held), 1000):
        attributes, values = [], []
        for trial in held[first : first + 1000]:
            base = chance.uniform(0.5, 0.95)
            splits = [_split(base + chance.normal(0, 0.01), number) for number in range(5)]
            value = float(np.mean([split.test[3] for split in splits]))
            result = result_to_plain(splits, LAYERS)
            whole = {CELL: trial.user_attrs[CELL], RESULT: result}
            digest = trial_digest("COMPLETE", [value], trial.params, whole)
            summary = summary_of("COMPLETE", [value], whole, digest)
            rows = {RESULT: result, DIGEST: digest, SUMMARY: summary, WORKER: "node:1:1:1"}
            attributes += [
                {"trial_id": trial._trial_id, "key": k, "value_json": stored_text(k, v)}
                for k, v in rows.items()
            ]
            kind = models.TrialValueModel.TrialValueType.FINITE
            row = {"trial_id": trial._trial_id, "objective": 0}
            values.append({**row, "value": value, "value_type": kind})
        ids = [trial._trial_id for trial in held[first : first + 1000]]
        with _create_scoped_session(ledger.storage.scoped_session) as session:
            session.execute(insert(models.TrialUserAttributeModel), attributes)
            session.execute(insert(models.TrialValueModel), values)
            session.query(models.TrialModel).filter(models.TrialModel.trial_id.in_(ids)).update(
                {
                    models.TrialModel.state: TrialState.COMPLETE,
                    models.TrialModel._datetime_start_utc: now,
                    models.TrialModel._datetime_complete_utc: now,
                }
            )


def _split(score: float, number: int) -> SplitResult:
    test = {epoch: round(score - 0.05 * (3 - epoch), 4) for epoch in (1, 2, 3)}
    history = {"loss": (1.2, 0.6, 0.4), "accuracy": (0.6, 0.8, 0.9)}
    losses = {epoch: 1 - value for epoch, value in test.items()}
    seconds = {epoch: 0.1 * epoch for epoch in (1, 2, 3)}
    return SplitResult(test, {}, seconds, 0.01, history, 288, number, losses=losses)


def timed(command: str, url: str, folder: str) -> tuple[float, float]:
    """Return wall and CPU seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "sweep", *command.split()], cwd=folder, check=True,
        stdout=subprocess.DEVNULL, env={**os.environ, "SWEEP_STORAGE": url},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def cpu(act) -> float:
    """Return the CPU seconds of a call."""
    began = time.process_time()
    act()
    return time.process_time() - began


def reading(url: str) -> None:
    """Print what reading all trials costs, ours and Optuna's own."""
    with closing(Ledger(url, reading=True)) as ledger:
        study_id = ledger.study_id("big")
        ours = cpu(lambda: ledger.trials("big"))
        light = cpu(lambda: ledger.trials("big", results=False))
        theirs = cpu(lambda: ledger.storage.get_all_trials(study_id, deepcopy=False))
    print(
        f"  all trials: {ours:.2f} s CPU, without results {light:.2f}, by Optuna {theirs:.2f}: "
        f"{theirs / ours:.1f} times ours"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trials", type=int, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--storage", help="a server's ledger without studies `big` and `small`, in place of files"
    )
    parser.add_argument("--skip", nargs="*", default=(), help="commands left out: their first word")
    asked = parser.parse_args()
    for trials in asked.trials:
        with tempfile.TemporaryDirectory() as folder:
            url = storage_url(asked.storage or str(Path(folder) / "l.db"))
            fill(url, "big", trials)
            fill(url, "small", SMALL)
            print(f"{trials:,} trials", flush=True)
            if not asked.storage:
                print(f"  {(Path(folder) / 'l.db').stat().st_size / 2**20:,.0f} MB")
            reading(url)
            for command in COMMANDS:
                if command.split()[0] in asked.skip:
                    continue
                spent = [timed(command, url, folder) for _ in range(asked.rounds)]
                wall, used = (statistics.median(column) for column in zip(*spent, strict=True))
                print(
                    f"  sweep {command.split()[0]:<8} {wall:7.2f} s wall  {used:7.2f} s CPU",
                    flush=True,
                )
            if asked.storage:
                with closing(Ledger(url)) as ledger:
                    for name in ("big", "small"):
                        ledger.delete(name)


if __name__ == "__main__":
    main()
