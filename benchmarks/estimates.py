"""How well `sweep check` tells beforehand how long `sweep run` takes, for the shipped studies.

Needs SWEEP_DATA_HOME with mnist.npz and cifar10.npz:
python benchmarks/estimates.py [STUDY ...] [--ledger FILE]
Each study is checked, then run; on an empty ledger, or on one that does not hold it yet: with
--ledger .sweep/gallery.db in a checkout `make gallery` then writes the reports of these runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from common import heading_only, timed

from sweep.spec import shipped_studies

WITHIN = 1.5


@dataclass(frozen=True)
class Told:
    """What a check said of a study, and what its run then took."""

    study: str
    check: float
    minutes: float
    at_most: bool
    run: float
    cpu: float

    @property
    def ratio(self) -> float:
        """Return the estimate over what it took."""
        return self.minutes * 60 / self.run


def tell(study: str, ledger: Path | None) -> Told:
    """Check a study and run it, in a folder of its own, as a person would."""
    with tempfile.TemporaryDirectory() as folder:
        sweep = [sys.executable, "-m", "sweep"]
        place = [] if ledger is None else ["--storage", str(ledger.resolve())]
        check, _, out = timed([*sweep, "check", study, "--format", "json", *place], folder)
        plan = json.loads(out)
        run, cpu, _ = timed([*sweep, "run", study, *place], folder)
    return Told(study, check, plan["minutes"], plan["at_most"], run, cpu)


def main() -> None:
    """Print a line for each study and how many estimates are within the factor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", metavar="STUDY")
    parser.add_argument("--ledger", type=Path)
    asked = parser.parse_args()
    if not os.environ.get("SWEEP_DATA_HOME"):
        sys.exit("SWEEP_DATA_HOME: name the folder that holds mnist.npz and cifar10.npz")
    heading_only("What `sweep check` says against what `sweep run` takes, whole process")
    print("| study | check took s | estimate s | run s | CPU s | estimate / run |")
    print("| --- | --- | --- | --- | --- | --- |")
    within = 0
    studies = asked.studies or sorted(shipped_studies())
    for study in studies:
        told = tell(study, asked.ledger)
        most = "at most " if told.at_most else ""
        within += told.at_most or 1 / WITHIN <= told.ratio <= WITHIN
        print(
            f"| {told.study} | {told.check:.1f} | {most}{told.minutes * 60:.1f} | {told.run:.1f} "
            f"| {told.cpu:.1f} | {told.ratio:.2f} |",
            flush=True,
        )
    print(f"{within} of {len(studies)} within a factor of {WITHIN}")


if __name__ == "__main__":
    main()
