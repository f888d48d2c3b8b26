"""How long reading takes: sweep --help, sweep list on 100 studies, a report of 1,000 trials.

python benchmarks/startup.py [--repeats 5]; medians, whole process from the shell. Exits with 1
above 0.3 s, 1.5 s, 10 s.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from bookkeeping import study
from common import processor, timed

from sweep.ledger.ledger import Ledger
from sweep.ledger.records import PlannedCell, SplitResult
from sweep.search.plan import make_plan
from sweep.support.layer import Layer
from sweep.workers.recovery import enqueue_missing

LIMITS = {"--help": 0.3, "list": 1.5, "report": 10.0}


def main() -> None:
    """Make the ledger, time the commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    sweep = str(Path(sys.executable).parent / "sweep")
    late = 0
    with tempfile.TemporaryDirectory() as folder:
        storage = f"{folder}/l.db"
        fill(f"sqlite:///{storage}")
        commands = {
            "--help": [sweep, "--help"],
            "list": [sweep, "list", "--storage", storage],
            "report": [sweep, "report", "big", "--storage", storage],
        }
        print(f"{processor()}: medians of {repeats}")
        for name, line in commands.items():
            seconds = statistics.median(timed(line, folder)[0] for _ in range(repeats))
            late += seconds > LIMITS[name]
            print(f"sweep {name:10s} {seconds:6.2f} s (allowed {LIMITS[name]} s)", flush=True)
        size = max(path.stat().st_size for path in Path(folder).rglob("*.html"))
        print(f"the report of 1,000 trials is {size / 1e3:.0f} kB")
    sys.exit(int(late > 0))


def fill(url: str) -> None:
    """Write a study of 1,000 trials and 99 small ones."""
    ledger = Ledger(url)
    for number in range(99):
        create(ledger, f"small-{number}", 2)
        ledger.enqueue(f"small-{number}", [PlannedCell("slot:0", {}, (1,))], {})
    create(ledger, "big", 1000)
    enqueue_missing(ledger, "big", make_plan(study(1000)))
    place = 0
    while claim := ledger.claim("big", "bench"):
        place += 1
        base = 0.5 + 0.4 * (place * 37 % 1000) / 1000
        scores = {epoch: base + epoch / 100 for epoch in range(1, 10)}
        split = SplitResult(
            scores, {}, {e: 0.1 * e for e in scores}, 0.01, {"loss": tuple(scores.values())}, 100
        )
        ledger.complete(claim, scores[9], (split,), (Layer("output", "Dense", "(2,)", place),))
    ledger.close()


def create(ledger: Ledger, name: str, trials: int) -> None:
    """Write a study's header."""
    spec = study(trials)
    spec = spec.model_copy(update={"study": spec.study.model_copy(update={"name": name})})
    data = {"name": "d", "fingerprint": "", "train_rows": 1000, "test_rows": 1, "shape": [8, 8],
            "classes": ["0", "1"], "class_counts": [1, 1]}  # fmt: skip
    head = {"spec": spec.plain(), "source": "", "data": data, "environment": {},
            "created": "2026-01-01T00:00:00+00:00", "planned": trials}  # fmt: skip
    ledger.create(name, head)


if __name__ == "__main__":
    main()
