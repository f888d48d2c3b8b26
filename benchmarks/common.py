"""Run our side and a peer's, time both, compare their scores."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

import tasks  # noqa: E402

AGREE = 0.015


@dataclass
class Timing:
    """One run: seconds of the whole process, of the search alone, of CPU; the scores."""

    whole: float
    search: float
    cpu: float
    scores: dict[str, float] = field(default_factory=dict)
    imports: float = 0.0


def ours(study: str, *changes: str, n_jobs: int | None = None, allow: str = "") -> Timing:
    """Run ``sweep run STUDY`` on an empty ledger, report written, as a person would."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "sweep", "run", study]
        line += [word for change in changes for word in ("--set", change)]
        line += ["--n-jobs", str(n_jobs)] if n_jobs else []
        line += ["--allow", allow] if allow else []
        whole, cpu, _ = timed(line, folder)
        from sweep import open_study

        name = Path(study).stem
        result = open_study(name, f"{folder}/.sweep/ledger.db")
        trials = result.record.trials
        first = min(trial.started for trial in trials if trial.started)
        last = max(trial.finished for trial in trials if trial.finished)
        scores = {
            tasks.key(dict(row.params)): statistics.fmean(
                s.test[row.epoch] for s in row.trial.splits
            )
            for row in result.record.candidates
        }
    return Timing(whole, (last - first).total_seconds(), cpu, scores)


def peer(python: str, script: str, task: str, n_jobs: int) -> Timing:
    """Run a peer's script in its own environment."""
    line = [python, str(HERE / "peers" / script), task, str(n_jobs)]
    whole, cpu, out = timed(line, str(HERE / "peers"))
    said = json.loads(out.splitlines()[-1])
    return Timing(whole, said["search"], cpu, said["scores"], said["import"])


def timed(line: list[str], folder: str) -> tuple[float, float, str]:
    """Return wall seconds, CPU seconds (children included) and what a command prints."""
    before, began = used(), time.perf_counter()
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(line)} failed:\n{done.stderr[-2000:]}")
    return wall, used() - before, done.stdout


def used() -> float:
    """Return the CPU seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def disagreement(a: Timing, b: Timing) -> float:
    """Return the largest difference between two sides' mean scores."""
    if set(a.scores) != set(b.scores):
        sys.exit(f"the sides ran other candidates: {sorted(set(a.scores) ^ set(b.scores))}")
    return max(abs(a.scores[key] - b.scores[key]) for key in a.scores)


def median(runs: list[Timing]) -> Timing:
    """Return the medians of several runs; the scores are the first's."""
    middle = {n: statistics.median(getattr(r, n) for r in runs) for n in ("whole", "search", "cpu")}
    imports = statistics.median(run.imports for run in runs)
    return Timing(**middle, scores=runs[0].scores, imports=imports)


def show(name: str, run: Timing) -> None:
    """Print one line of a table."""
    print(
        f"{name:32s} {run.whole:8.1f} {run.search:8.1f} {run.cpu:8.1f} {run.imports:8.1f}",
        flush=True,
    )


def heading(title: str) -> None:
    """Print when, where and what, and the columns of timings."""
    heading_only(title)
    print(f"{'':32s} {'whole s':>8s} {'search s':>8s} {'CPU s':>8s} {'import s':>8s}")


def heading_only(title: str) -> None:
    """Print when, where and what."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{title}\n{datetime.now().astimezone():%Y-%m-%d %H:%M}, {cores} cores, {processor()}")


def processor() -> str:
    """Return the processor's name."""
    from sweep.study.versions import versions

    return versions()["processor"]


def verdict(name: str, ratio: float, least: float, aim: float) -> bool:
    """Print a ratio beside what is asked of it; return whether that is reached."""
    reached = "reached" if ratio >= aim else "at least" if ratio >= least else "MISSED"
    print(f"{name:48s} {ratio:6.2f}x  (at least {least}x, aim {aim}x: {reached})", flush=True)
    return ratio >= least
