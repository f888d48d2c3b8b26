"""How well `sweep check` tells beforehand how long `sweep run` takes, for the shipped studies.

Needs SWEEP_DATA_HOME with mnist.npz and cifar10.npz: python benchmarks/estimates.py [STUDY ...]
Each study is checked, then run on an empty ledger; a quiet machine takes about 20 minutes for all.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass

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


def tell(study: str) -> Told:
    """Check a study and run it, in a folder of its own, as a person would."""
    with tempfile.TemporaryDirectory() as folder:
        sweep = [sys.executable, "-m", "sweep"]
        check, _, out = timed([*sweep, "check", study, "--format", "json"], folder)
        plan = json.loads(out)
        run, cpu, _ = timed([*sweep, "run", study], folder)
    return Told(study, check, plan["minutes"], plan["at_most"], run, cpu)


def main() -> None:
    """Print a line for each study and how many estimates are within the factor."""
    if not os.environ.get("SWEEP_DATA_HOME"):
        sys.exit("SWEEP_DATA_HOME: name the folder that holds mnist.npz and cifar10.npz")
    heading_only("What `sweep check` says against what `sweep run` takes, whole process")
    print("| study | check took s | estimate s | run s | CPU s | estimate / run |")
    print("| --- | --- | --- | --- | --- | --- |")
    within = 0
    studies = sys.argv[1:] or sorted(shipped_studies())
    for study in studies:
        told = tell(study)
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
