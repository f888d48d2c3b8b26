"""Run the shipped studies, write their reports and the table of reports/README.md.

make gallery, or python reports/gallery.py [STUDY ...]: with names only those are run, and the table is
of what the ledger holds. Data are downloaded through Keras or found by SWEEP_DATA_HOME. A study that
is in the ledger already (.sweep/gallery.db) is not run again; delete that file to begin anew.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep import StudyResult, SweepError, open_study, run_study
from sweep.analysis import mean_score
from sweep.report import write_comparison
from sweep.spec import shipped_studies

if TYPE_CHECKING:
    from sweep.ledger.records import Candidate

HERE = Path(__file__).parent
TABLE = HERE / "experiments.toml"
LEDGER = str(HERE.parent / ".sweep" / "gallery.db")
ALLOWED = 0.02

COMPARISONS = (
    ("dropout-mlp", "small-cnn"),
    ("mnist-pooled", "mnist-strided"),
    ("batch-norm-small", "batch-norm-wide"),
)
"""Studies that belong side by side."""


@dataclass(frozen=True)
class Experiment:
    """One line of the table.

    Attributes
    ----------
    name, what : str
        Its number in the material, and what was done.
    study : str
        The shipped study.
    original : float or None
        The accuracy that was printed there, on the test set.
    params : mapping of str to value, or None
        The candidate whose held-out accuracy is ours; None is the winner's test accuracy.
    why : str
        A sentence, where ours is further away than 0.02.
    """

    name: str
    what: str
    study: str
    original: float | None = None
    params: dict[str, Any] | None = None
    why: str = ""


HEAD = """\
# The gallery

One report for each shipped study, as `make gallery` wrote it on {machine}. Open a file in a browser; GitHub shows
only its source. "ours" is the accuracy on held-out rows of the named settings, or, where it says "test", that of
the winner on the test set. The originals are test accuracies on other machines, older libraries and mostly all
60,000 rows. Minutes are those of that run. CIFAR-10 here is a JPEG copy of a part: 20,000 rows to train on and 5,000 to test.

| | experiment | ours | original | rows, epochs | command | minutes | report |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


SIDE_BY_SIDE = """

Side by side, as `sweep compare` writes it:

- [dropout-mlp-vs-small-cnn.html](dropout-mlp-vs-small-cnn.html): thirty times fewer parameters (E7)
- [mnist-pooled-vs-mnist-strided.html](mnist-pooled-vs-mnist-strided.html): pooling, or stride 2 (E5)
- [batch-norm-small-vs-batch-norm-wide.html](batch-norm-small-vs-batch-norm-wide.html): 8 filters, 64 (E8)
"""


def main() -> None:
    """Run, write, tabulate."""
    names = sys.argv[1:] or sorted(shipped_studies())
    for name in names:
        print(name, flush=True)
        result = run_study(name, storage=LEDGER)
        result.report(HERE / f"{name}.html")
    compare()
    (HERE / "README.md").write_text(readme(), encoding="utf-8")


def compare() -> None:
    """Write the comparisons of studies that the ledger holds."""
    for names in COMPARISONS:
        try:
            records = [open_study(name, LEDGER).record for name in names]
        except SweepError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        write_comparison(records, HERE / f"{'-vs-'.join(names)}.html")


def readme() -> str:
    """Return the table, of the studies that the ledger holds."""
    found: dict[str, StudyResult] = {}
    experiments = [Experiment(**each) for each in tomllib.loads(TABLE.read_text())["experiment"]]
    for name in {each.study for each in experiments}:
        try:
            found[name] = open_study(name, LEDGER)
        except SweepError as error:
            print(f"left out: {error}", file=sys.stderr)
    rows = [line(each, found[each.study]) for each in experiments if each.study in found]
    machine = next(iter(found.values())).record.environment.get("processor", "")
    lines = "\n".join(row for row, _ in rows)
    notes = "\n".join(f"- {note}" for _, note in rows if note)
    far = f"\n\nWhere ours is further from the original than {ALLOWED}:\n\n{notes}" if notes else ""
    return HEAD.format(machine=f"two cores of an {machine}") + lines + far + SIDE_BY_SIDE


def line(each: Experiment, result: StudyResult) -> tuple[str, str]:
    """Return an experiment's row, and the sentence that its distance needs."""
    record, candidate = result.record, chosen(each, result)
    winner = record.winner
    by_test = each.params is None and winner is not None
    score = winner.test_score if by_test and winner else mean_score(candidate)
    epochs = len(winner.history["loss"]) if by_test and winner else candidate.epoch
    original = "" if each.original is None else f"{each.original:.4f}"
    spent = [(t.started, t.finished) for t in record.trials if t.started and t.finished]
    seconds = (max(f for _, f in spent) - min(s for s, _ in spent)).total_seconds()
    seconds += winner.refit_seconds if winner else 0
    cells = [
        each.name, each.what, f"{score:.4f}{' test' if by_test else ''}", original,
        f"{record.data.train_rows:,}, {epochs}", f"`sweep run {each.study}`",
        f"{seconds / 60:.1f}", f"[{each.study}.html]({each.study}.html)",
    ]  # fmt: skip
    far = each.original is not None and abs(score - each.original) > ALLOWED
    if far and not each.why:
        sys.exit(f"{each.name} {each.what}: {score:.4f} against {each.original}: say why")
    note = f"{each.name}, {each.what}: {each.why}" if far else ""
    return f"| {' | '.join(cells)} |", note


def chosen(each: Experiment, result: StudyResult) -> Candidate:
    """Return the candidate that an experiment is about."""
    if each.params is None:
        return result.best
    wanted = each.params.items()
    return next(c for c in result.record.candidates if wanted <= c.params.items())


if __name__ == "__main__":
    main()
