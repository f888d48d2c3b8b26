"""Our grid against GridSearchCV over SciKeras, and over skorch, in the same run.

python benchmarks/grid.py e6 --peer-python peers/bin/python [--repeats 3] [--skorch]
python benchmarks/grid.py e1d --peer-python peers/bin/python [--repeats 3]

With SWEEP_DATA_HOME naming a folder with mnist.npz. The sides take turns, and the better of
n_jobs 1 and 2 counts for a peer. Exits with 1 unless all scores agree within 0.015.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import AGREE, HERE, Timing, disagreement, heading, median, ours, peer, show, verdict

TARGETS = {
    ("e6", "scikeras"): {"whole": (5, 8), "search": (9, 14)},
    ("e6", "skorch"): {"whole": (1.7, 2.5), "search": (3.5, 5)},
    ("e1d", "scikeras"): {"whole": (1.7, 2.5)},
    ("e1d", "scikeras", "bfloat16"): {"whole": (2.3, 3.5)},
}
STUDIES = {"e6": ("mnist-mlp-grid",), "e1d": (str(HERE / "e1d.toml"),)}
BFLOAT16 = "model.precision=mixed_bfloat16"


def main() -> None:
    """Run the sides in turn, print medians and ratios."""
    asked = arguments()
    sides = {"sweep": lambda: ours(*STUDIES[asked.task])}
    if asked.task == "e1d" and not has_bfloat16():
        print("mixed_bfloat16 is left out: this processor has no units for it")
    elif asked.task == "e1d":
        sides["sweep, mixed_bfloat16"] = lambda: ours(*STUDIES["e1d"], BFLOAT16)
    for jobs in asked.jobs:
        sides[f"scikeras, n_jobs={jobs}"] = lambda jobs=jobs: peer(
            asked.peer_python, "scikeras_grid.py", asked.task, jobs
        )
        if asked.skorch:
            sides[f"skorch, n_jobs={jobs}"] = lambda jobs=jobs: peer(
                asked.peer_python, "skorch_grid.py", asked.task, jobs
            )
    heading(f"{asked.task}: {asked.repeats} rounds, medians")
    runs: dict[str, list[Timing]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as folder:
        if asked.skorch:
            os.environ["INITIAL_WEIGHTS"] = initial_weights(asked.peer_python, folder)
        for _ in range(asked.repeats):
            for name, run in sides.items():
                runs[name].append(run())
                show(f"  {name}", runs[name][-1])
    report(asked.task, {name: median(timings) for name, timings in runs.items()})


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 (x86: AVX512_BF16 or AMX_BF16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return True
    return "avx512_bf16" in flags or "amx_bf16" in flags


def initial_weights(python: str, folder: str) -> str:
    """Write what Keras draws for seed 0, so that skorch begins where the others do."""
    path = f"{folder}/initial.npz"
    subprocess.run([python, str(HERE / "peers" / "initial_weights.py"), path], check=True)
    return path


def report(task: str, medians: dict[str, Timing]) -> None:
    """Print the medians, the ratios and whether the scores agree; exit with 1 if they do not."""
    for name, run in medians.items():
        show(name, run)
    for kind in ("scikeras", "skorch"):
        found = [run for name, run in medians.items() if name.startswith(kind)]
        for our, key in (
            ("sweep", (task, kind)),
            ("sweep, mixed_bfloat16", (task, kind, "bfloat16")),
        ):
            for part, goal in TARGETS.get(key, {}).items() if found and our in medians else ():
                best = min(getattr(run, part) for run in found)
                verdict(f"{our} against {kind}, {part}", best / getattr(medians[our], part), *goal)
    worst = max(disagreement(medians["sweep"], run) for run in medians.values())
    print(f"largest difference between mean scores: {worst:.4f} (allowed {AGREE})")
    sys.exit(int(worst > AGREE))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(STUDIES))
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--skorch", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
