"""Permission belongs to a place: what an allowed name loads, and from where."""

from __future__ import annotations

import sys

import pytest
from commands import sweep

from sweep.errors import ReferenceError_
from sweep.support import code_digests, module_permission
from sweep.support.code_references import project_allow, resolve, source_digest
from sweep.support.module_permission import check_permission, searched_first

STUDY = """
[data]
dataset = "digits"
[model]
factory = "mypackage:build"
[search]
method = "grid"
cv = 2
[space]
width = [1, 2]
"""
OURS = "def build(input_shape, n_classes, width):\n    return 'ours'\n"
THEIRS = "open('ran', 'w').close()\n" + OURS.replace("ours", "theirs")
HELPED = "from helpers_p import WIDTH\n\ndef build(*_):\n    return WIDTH\n"
MODULES = ("mypackage", "helpers_p", "late", "late_two")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The person's project, which allows ``mypackage``; they stand in it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(code_digests, "_known", {})
    monkeypatch.setattr(module_permission.BESIDE, "folder", None)
    found = tmp_path / "project"
    found.mkdir()
    (found / "pyproject.toml").write_text('[tool.sweep]\nallow = ["mypackage"]\n')
    monkeypatch.chdir(found)
    yield found
    for name in [n for n in sys.modules if n.partition(".")[0] in MODULES]:
        del sys.modules[name]


@pytest.fixture
def elsewhere(project):
    """A folder of somebody else, with a study and a module of the allowed name."""
    folder = project.parent / "elsewhere"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    (folder / "mypackage.py").write_text(THEIRS)
    return folder


def built(project, folder, name="mypackage", more=()):
    return resolve(f"{name}:build", allow={*project_allow(project), *more}, folder=folder)(1, 2, 3)


def refusal(project, folder, name="mypackage"):
    with pytest.raises(ReferenceError_) as caught:
        built(project, folder, name)
    assert name not in sys.modules
    return str(caught.value)


@pytest.mark.parametrize("command", [["check", "--no-probe"], ["submit"]])
def test_a_file_elsewhere_cannot_bring_an_allowed_name(command, project, elsewhere):
    """Its module does not run; the message names the file, the rule, and what to type."""
    result = sweep(command[0], str(elsewhere / "study.toml"), *command[1:], "--storage", "l.db")
    assert result.exit_code == 2
    for said in (f"{elsewhere / 'mypackage.py'}", "pyproject.toml allows it", "--allow mypackage"):
        assert said in " ".join(result.stderr.split())
    assert not (project / "ran").exists()


def test_allow_on_the_command_line_takes_it(project, elsewhere):
    """``--allow`` means the module that the study has."""
    assert built(project, elsewhere, more=["mypackage"]) == "theirs"


def test_an_entry_with_a_place_is_none_of_the_command_line(project, elsewhere):
    """``--allow`` takes a module's name and nothing else."""
    result = sweep("check", str(elsewhere / "study.toml"), "--allow", f"mypackage@{elsewhere}")
    assert result.exit_code == 2
    assert "must be a module's name" in result.stderr


def test_the_project_s_own_studies_bring_theirs(project):
    """Beside a study file of the project, in whatever folder of it, the name is enough."""
    inner = project / "studies"
    inner.mkdir()
    (inner / "mypackage.py").write_text(OURS)
    assert built(project, inner) == "ours"


@pytest.mark.parametrize("way", ["nested project", "link"])
def test_a_folder_inside_that_is_another_s(way, project, elsewhere):
    """A project within the project, and a link out of it, are places of their own."""
    inner = project / "vendor"
    if way == "link":
        inner.symlink_to(elsewhere, target_is_directory=True)
    else:
        inner.mkdir()
        (inner / "pyproject.toml").write_text('[tool.sweep]\nallow = ["mypackage"]\n')
        (inner / "mypackage.py").write_text(THEIRS)
    assert "may not be loaded from" in refusal(project, inner)


def test_a_module_on_python_s_path_serves_studies_anywhere(project, elsewhere, monkeypatch):
    """PYTHONPATH and installed packages are the person's, and nothing beside the study joins in."""
    monkeypatch.syspath_prepend(project)
    (elsewhere / "mypackage.py").unlink()
    (elsewhere / "helpers_p.py").write_text("WIDTH = 'theirs'\n")
    (project / "helpers_p.py").write_text("WIDTH = 'ours'\n")
    (project / "mypackage.py").write_text(HELPED)
    assert built(project, elsewhere) == "ours"
    first = source_digest("mypackage:build", allow=["mypackage"], folder=elsewhere)
    (elsewhere / "helpers_p.py").write_text("WIDTH = 'other'\n")
    assert source_digest("mypackage:build", allow=["mypackage"], folder=elsewhere) == first


def test_a_refusal_names_the_one_on_the_path(project, elsewhere, monkeypatch):
    """Where both are there, neither is taken in silence."""
    monkeypatch.syspath_prepend(project)
    (project / "mypackage.py").write_text(OURS)
    said = refusal(project, elsewhere)
    assert f"or rename it, and {project / 'mypackage.py'} is loaded" in said


def test_a_loaded_module_of_that_name_changes_nothing(project, elsewhere, monkeypatch):
    """What is imported already does not stand for the file beside the study, nor that for it."""
    monkeypatch.syspath_prepend(project)
    (project / "mypackage.py").write_text(OURS)
    inner = project / "studies"
    inner.mkdir()
    assert built(project, inner) == "ours"
    with pytest.raises(ReferenceError_, match="may not be loaded from"):
        built(project, elsewhere)
    assert built(project, elsewhere, more=["mypackage"]) == "theirs"
    assert built(project, inner) == "ours"


def test_what_came_from_elsewhere_is_not_held_for_the_next(project, elsewhere):
    """A study that lacks the module is told so, whichever was loaded before."""
    assert built(project, elsewhere, more=["mypackage"]) == "theirs"
    with pytest.raises(ReferenceError_, match='no module named "mypackage"'):
        built(project, project)


@pytest.mark.parametrize("kind", ["package", "namespace", "part of a namespace", "bytecode"])
def test_whatever_python_would_load_counts(kind, project, elsewhere, monkeypatch):
    """A package, one without ``__init__.py``, a part of one that lies elsewhere, a .pyc alone."""
    (elsewhere / "mypackage.py").unlink()
    name = "mypackage" if kind in ("package", "bytecode") else "mypackage.models"
    inner = elsewhere / "mypackage"
    inner.mkdir()
    (inner / ("__init__.py" if kind == "package" else "models.py")).write_text(THEIRS)
    if kind == "part of a namespace":
        monkeypatch.syspath_prepend(project)
        (project / "mypackage").mkdir()
        (project / "mypackage" / "other.py").write_text(OURS)
    if kind == "bytecode":
        import py_compile

        (elsewhere / "source").write_text(THEIRS)
        (inner / "models.py").unlink()
        inner.rmdir()
        py_compile.compile(str(elsewhere / "source"), cfile=str(elsewhere / "mypackage.pyc"))
    assert "may not be loaded from" in refusal(project, elsewhere, name)
    assert built(project, elsewhere, name, more=["mypackage"]) == "theirs"


def test_the_part_of_a_namespace_that_is_on_the_path(project, elsewhere, monkeypatch):
    """A study's folder with a part of its own does not stand in the way of the project's."""
    monkeypatch.syspath_prepend(project)
    (elsewhere / "mypackage.py").unlink()
    for place, text in ((project, OURS), (elsewhere, THEIRS)):
        (place / "mypackage").mkdir()
        (place / "mypackage" / f"of_{place.name}.py").write_text(text)
    assert built(project, elsewhere, "mypackage.of_project") == "ours"
    assert "may not be loaded from" in refusal(project, elsewhere, "mypackage.of_elsewhere")


def test_a_folder_with_pictures_is_no_module(project, elsewhere, monkeypatch):
    """A folder of the module's name without code is passed over."""
    monkeypatch.syspath_prepend(project)
    (project / "mypackage.py").write_text(OURS)
    (elsewhere / "mypackage.py").unlink()
    (elsewhere / "mypackage").mkdir()
    assert built(project, elsewhere) == "ours"


def test_a_study_s_folder_that_is_on_python_s_path(project, elsewhere, monkeypatch):
    """PYTHONPATH names it: then Python's own path finds the module, and that is permission."""
    monkeypatch.syspath_prepend(elsewhere)
    check_permission("mypackage", project_allow(project), elsewhere)
    assert searched_first("mypackage", elsewhere) is None


@pytest.mark.parametrize("way", ["module", "package", "namespace"])
def test_a_function_imports_what_lies_beside_the_study_when_called(way, project):
    """The folder is off Python's path by then; what the code leads to is found, nothing else."""
    files = {"module": "late.py", "package": "late/__init__.py", "namespace": "late/parts.py"}
    name = "late.parts" if way == "namespace" else "late"
    (project / files[way]).parent.mkdir(exist_ok=True)
    (project / files[way]).write_text("WIDTH = 7\n")
    (project / "not_led_to.py").write_text("")
    text = f"def build(*_):\n    from {name} import WIDTH\n    return WIDTH\n"
    (project / "mypackage.py").write_text(text)
    assert built(project, project) == 7
    assert str(project) not in sys.path
    with pytest.raises(ModuleNotFoundError):
        __import__("not_led_to")


def test_each_study_finds_its_own_when_called(project, elsewhere):
    """Two studies with a helper of one name, one after the other."""
    text = "def build(*_):\n    import late_two\n    return late_two.WIDTH\n"
    for folder, width in ((project, 1), (elsewhere, 2)):
        (folder / "mypackage.py").write_text(text)
        (folder / "late_two.py").write_text(f"WIDTH = {width}\n")
    order = (project, elsewhere, project)
    assert [built(project, each, more=["mypackage"]) for each in order] == [1, 2, 1]
