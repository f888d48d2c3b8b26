"""Wheel and sdist hold what they need, and work where nothing else of ours is."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FIELDS = "Metadata-Version: 2.1\nName: sweep\nVersion: 2.1.3.0\nSummary: biological sequences\n"


def ran(*words, **options):
    """Run a command; return how it ended."""
    line = [str(word) for word in words]
    return subprocess.run(line, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the sdist, and from it the wheel; skip where the build backend cannot be had."""
    pytest.importorskip("build", reason="build is not installed")
    folder = tmp_path_factory.mktemp("dist")
    done = ran(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    said = done.stdout + done.stderr
    if done.returncode and "hatchling" in said and "No matching distribution" in said:
        pytest.skip("the build backend cannot be downloaded")
    assert done.returncode == 0, said
    return folder


@pytest.fixture
def wheel(built):
    """Return the wheel."""
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture
def sdist(built):
    """Return the source distribution."""
    (found,) = built.glob("*.tar.gz")
    return found


def environment(folder):
    """Return variables of a person who has nothing of ours."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "SWEEP", "VIRTUAL"))}
    return {**kept, "HOME": str(folder)}


def test_the_wheel_holds_studies_types_and_the_report(wheel):
    """What is no Python file travels too; nothing else lands in site-packages."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"keras_sweep.py", "sweep/py.typed", "sweep/_studies/digits-grid.toml"} <= set(names)
    assert {Path(n).suffix for n in names if n.startswith("sweep/report/")} >= {
        ".css",
        ".js",
        ".j2",
    }
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keras_sweep.py", "sweep"}


def test_the_sdist_holds_every_file_of_the_package(sdist):
    """And what its own `make test` needs, but nothing that a run has left."""
    with tarfile.open(sdist) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    package = {str(p.relative_to(ROOT)) for p in (ROOT / "sweep").rglob("*.py")}
    assert package <= names
    assert {"Makefile", "constraints.txt", "tests/conftest.py", "studies/digits-grid.toml"} <= names
    assert not [name for name in names if name.startswith((".venv", ".sweep", "reports/local"))]


def test_the_package_index_would_take_both(built):
    """`twine check --strict`: the README is shown as it is."""
    pytest.importorskip("twine", reason="twine is not installed: the extra release")
    done = ran(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())
    assert done.returncode == 0, done.stdout


def test_an_installed_wheel_works_in_an_empty_folder(wheel, tmp_path):
    """The command is there, shipped studies are found by name; dependencies come from here."""
    python = tmp_path / "venv" / "bin" / "python"
    assert ran(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv").returncode == 0
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps")
    assert ran(*pip, wheel).returncode == 0
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    here = [p for p in sys.path if p.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here))
    empty = tmp_path / "empty"
    empty.mkdir()
    given = {"cwd": empty, "env": environment(tmp_path)}
    done = ran(python.parent / "sweep", "check", "digits-grid", "--no-probe", **given)
    assert done.returncode == 0, done.stderr
    assert "9 candidates in 3 cells" in done.stdout
    where = ran(python, "-c", "import sweep; print(sweep.__file__)", **given)
    assert str(site) in where.stdout


@pytest.mark.tensorflow
@pytest.mark.timeout(1800)  # three gigabytes are installed
def test_wheel_and_sdist_run_in_an_environment_of_their_own(wheel, sdist, tmp_path):
    """Nothing is borrowed: pip brings what the metadata name, and a study runs."""
    assert ran(sys.executable, "-m", "venv", tmp_path / "venv").returncode == 0
    scripts, given = tmp_path / "venv" / "bin", {"cwd": tmp_path, "env": environment(tmp_path)}
    for each in (wheel, sdist):
        pip = (scripts / "pip", "install", "-q", "--constraint", ROOT / "constraints.txt")
        again = ("--force-reinstall", "--no-deps") if each is sdist else ()
        installed = ran(*pip, *again, each)
        assert installed.returncode == 0, installed.stderr
        done = ran(scripts / "sweep", "run", "digits-grid", "--name", each.suffix[1:], **given)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def site(tmp_path):
    """Return a site-packages folder with our package in it, and what runs its command."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "keras_sweep.py").symlink_to(ROOT / "keras_sweep.py")
    (folder / "sweep").symlink_to(ROOT / "sweep")
    line = [sys.executable, "-P", "-c", "from keras_sweep import main; main()", "--version"]
    path = os.pathsep.join([str(folder), sysconfig.get_path("purelib"), *sys.path[1:]])
    return folder, lambda: ran(*line, env={**os.environ, "PYTHONPATH": path})


def test_alone_nothing_is_said(site):
    """Our own metadata under the earlier name are no stranger's."""
    folder, command = site
    ours = folder / "sweep-0.1.0.dist-info"
    ours.mkdir()
    text = f"Name: sweep\nSummary: {PROJECT['description']}\n"
    (ours / "METADATA").write_text(text)
    done = command()
    assert (done.returncode, done.stderr) == (0, "")


def test_another_distribution_of_the_package_s_name_is_told(site):
    """Ours was installed over it: the command works, and says what uninstalling would break."""
    folder, command = site
    (folder / "sweep-2.1.3.0.dist-info").mkdir()
    (folder / "sweep-2.1.3.0.dist-info" / "METADATA").write_text(FIELDS)
    done = command()
    assert done.returncode == 0
    assert done.stdout.startswith("sweep, version")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"note: {folder / 'sweep-2.1.3.0.dist-info'} is another project")
    assert "pip uninstall sweep keras-sweep" in line


@pytest.mark.parametrize("state", ["theirs", "without its first file", "gone"])
def test_a_package_that_is_not_ours_is_refused(site, state):
    """Theirs was installed over ours, or uninstalled with our files: one line, status 2."""
    folder, _ = site
    (folder / "sweep").unlink()
    if state != "gone":
        (folder / "sweep" / "cli").mkdir(parents=True)
    if state == "theirs":
        (folder / "sweep" / "__init__.py").write_text("raise SystemExit('theirs was run')\n")
    line = [sys.executable, "-S", "-P", "-c", "from keras_sweep import main; main()"]
    done = ran(*line, env={"PYTHONPATH": str(folder)})
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith("error: `import sweep` ")
    assert "pip uninstall sweep keras-sweep" in said


def test_the_version_and_the_name_are_said_once():
    """The build reads the package's own version; the package knows its distribution's name."""
    import sweep

    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT
    assert PROJECT["name"] == sweep.__distribution__


def test_constraints_hold_names_and_versions_only():
    """And every direct dependency is among them, within its bounds."""
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text("utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    pinned = dict(line.lower().replace("_", "-").split("==") for line in lines)
    extras = PROJECT["optional-dependencies"].values()
    every = chain(PROJECT["dependencies"], *extras)
    for requirement in map(Requirement, every):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_the_readme_lists_every_extra():
    """Each with what it brings."""
    text = (ROOT / "README.md").read_text("utf-8").partition("| extra | for |")[2]
    rows = text.strip().partition("\n\n")[0].splitlines()
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(PROJECT["optional-dependencies"])
