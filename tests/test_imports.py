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
    "search", "evaluation", "workers", "runner", "report", "study", "importing", "export",
    "screens", "dashboard", "service", "client", "cli",
)  # fmt: skip
FIGURES_AND_REPORT_READ_ONLY = {"figures", "report", "tables", "analysis", "ledger", "storage"}
RECORDS_AND_PLACES = {
    "sweep.ledger.counts",
    "sweep.ledger.outcomes",
    "sweep.ledger.overview",
    "sweep.ledger.records",
    "sweep.storage.locations",
}
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


def imported_anywhere(path):
    """Return the modules that a file imports, in functions and for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def called(path):
    """Return the names of what a file calls."""
    calls = (
        n.func for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)
    )
    return {getattr(func, "id", getattr(func, "attr", "")) for func in calls}


@pytest.mark.parametrize("path", sorted((ROOT / "cli").glob("*.py")), ids=lambda path: path.stem)
def test_no_command_opens_a_ledger(path):
    """A command draws what `sweep.study` answers; of the ledger it knows records and places."""
    found = {".".join(name.split(".")[:3]) for name in imported_anywhere(path)}
    held = {name for name in found if name.startswith(("sweep.ledger", "sweep.storage"))}
    assert held - {"sweep.ledger", "sweep.storage"} <= RECORDS_AND_PLACES
    assert "Ledger" not in called(path)


@pytest.mark.parametrize("path", sorted((ROOT / "study").rglob("*.py")), ids=lambda path: path.stem)
def test_no_answer_is_drawn(path):
    """What a service asks for knows nothing of a terminal."""
    found = {name.partition(".")[0] for name in imported_anywhere(path)}
    assert found & {"rich", "click"} == set()


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
        ("sweep.study.answers.studies", {"numpy", "tensorflow", "sklearn", "optuna", "pandas"}),
        ("sweep.study.answers.best", {"tensorflow", "keras", "sklearn"}),
        ("sweep.study.check, sweep.study.run", {"tensorflow", "keras", "sklearn"}),
        ("sweep.report", {"tensorflow", "keras", "sklearn"}),
        ("sweep.dashboard.app", {"tensorflow", "keras", "sklearn"}),
        ("sweep.client.server, sweep.client.watching", {"numpy", "tensorflow", "optuna", "pandas"}),
    ],
)
def test_importing_a_room_loads_no_heavy_library(module, forbidden):
    """Start-up stays cheap, and reading never loads TensorFlow."""
    code = f"import sys, {module}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in out.stdout.split()} & forbidden == set()
