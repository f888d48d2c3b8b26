"""The wheel works from an empty folder."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel and return it, or skip where the build backend cannot be had."""
    folder = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode and "hatchling" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip("the build backend cannot be downloaded")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_studies_types_and_the_report(wheel):
    """What is no Python file travels too."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"sweep/py.typed", "sweep/_studies/digits-grid.toml"} <= set(names)
    assert {Path(n).suffix for n in names if n.startswith("sweep/report/")} >= {
        ".css",
        ".js",
        ".j2",
    }
    assert not [name for name in names if name.startswith(("tests/", "studies/"))]


def test_an_installed_wheel_works_in_an_empty_folder(wheel, tmp_path):
    """Not only from the checkout: shipped studies are found by name."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    line = [sys.executable, "-P", "-m", "sweep", "check", "digits-grid", "--no-probe"]
    done = subprocess.run(
        line, cwd=empty, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "9 candidates in 3 cells" in done.stdout
    code = "import sweep; print(sweep.__file__)"
    where = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(site) in where.stdout


def test_the_version_is_said_once():
    """pyproject.toml and the package agree."""
    import sweep

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == sweep.__version__


def test_constraints_hold_names_and_versions_only():
    """And every direct dependency is among them, within its bounds."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    pinned = dict(line.lower().replace("_", "-").split("==") for line in lines)
    for requirement in map(Requirement, requires("sweep") or []):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement
