"""The direction of imports, and what reading commands may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sweep"
ORDER = (
    "errors", "section", "support", "spaces", "spec", "datasets", "models", "training",
    "estimators", "search_cv", "testing", "storage", "ledger", "analysis", "tables", "figures",
    "search", "evaluation", "workers", "runner", "report", "study", "export", "dashboard",
    "service", "cli",
)  # fmt: skip
FIGURES_AND_REPORT_READ_ONLY = {"figures", "report", "tables", "analysis", "ledger", "storage"}
WRITE_ARM = {
    "datasets",
    "models",
    "training",
    "estimators",
    "search",
    "evaluation",
    "workers",
    "runner",
}


def imports_at_top(path):
    """Return the rooms of sweep that a file imports when it is loaded."""
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("sweep.")}
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("sweep.")}
    return {name for name in found if name in ORDER}


def rooms():
    """Return every file with the room it stands in."""
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room in ORDER:
            yield room, path


@pytest.mark.parametrize(
    ("room", "path"), list(rooms()), ids=lambda x: str(x).rpartition("sweep/")[2]
)
def test_imports_run_downward(room, path):
    """A file imports only rooms that come before its own."""
    upward = {name for name in imports_at_top(path) if ORDER.index(name) > ORDER.index(room)}
    assert upward == set()


@pytest.mark.parametrize("room", sorted(FIGURES_AND_REPORT_READ_ONLY))
def test_the_read_arm_does_not_import_the_write_arm(room):
    """Tables, figures and reports know records, never models or data."""
    found = {name for r, path in rooms() if r == room for name in imports_at_top(path)}
    assert found & WRITE_ARM == set()


def test_every_room_is_in_the_order():
    """A new room must be given its place here."""
    names = {p.relative_to(ROOT).parts[0].removesuffix(".py") for p in ROOT.rglob("*.py")}
    assert names - set(ORDER) == {"__init__", "__main__"}


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("sweep", {"numpy", "tensorflow", "sklearn", "optuna", "pandas"}),
        ("sweep.cli.main", {"numpy", "tensorflow", "sklearn", "optuna", "pandas"}),
        ("sweep.spec", {"tensorflow", "sklearn", "optuna", "pandas"}),
        ("sweep.study", {"tensorflow", "keras", "sklearn"}),
        ("sweep.report", {"tensorflow", "keras", "sklearn"}),
        ("sweep.dashboard.app", {"tensorflow", "keras", "sklearn"}),
    ],
)
def test_importing_a_room_loads_no_heavy_library(module, forbidden):
    """Start-up stays cheap, and reading never loads TensorFlow."""
    code = f"import sys, {module}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in out.stdout.split()} & forbidden == set()
