"""``"module:function"`` strings: what loads, what may not, and what is said then."""

from __future__ import annotations

import contextlib
import sys

import pytest

from sweep.errors import ReferenceError_
from sweep.support.code_references import is_reference, project_allow, resolve, source_digest
from sweep.support.module_permission import allowed


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study's folder; what it loads is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def message(reference, allow=(), folder=None):
    with pytest.raises(ReferenceError_) as caught:
        resolve(reference, allow=allow, folder=folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mine:build", True),
        ("pack.age:build", True),
        ("cnn", False),
        ("", False),
        (":build", False),
        ("mine:", False),
        ("mine:a.b", False),
        ("a..b:c", False),
        ("../mine:build", False),
        ("C:\\data.npz", False),
        ("mine:build:more", False),
    ],
)
def test_form(text, expected):
    """A reference is identifiers with dots, one colon, one identifier."""
    assert is_reference(text) is expected


def test_loads_beside_the_study_file(folder):
    """An allowed module in the study file's folder gives its function."""
    (folder / "mine_a.py").write_text("def build():\n    return 7\n")
    assert resolve("mine_a:build", allow=["mine_a"], folder=folder)() == 7


def test_loads_from_the_normal_path():
    """Without a folder the normal path is searched."""
    assert resolve("json:dumps", allow={"json"})([1]) == "[1]"


def test_folder_comes_first(folder, tmp_path_factory, monkeypatch):
    """Of two modules of one name the one beside the study file loads."""
    other = tmp_path_factory.mktemp("other")
    (other / "mine_b.py").write_text("def build():\n    return 'path'\n")
    (folder / "mine_b.py").write_text("def build():\n    return 'folder'\n")
    monkeypatch.syspath_prepend(other)
    assert resolve("mine_b:build", allow=["mine_b"], folder=folder)() == "folder"


def test_two_studies_with_a_module_of_one_name(folder, tmp_path_factory):
    """Each study gets its own ``mine_c``, whichever loaded first."""
    other = tmp_path_factory.mktemp("other")
    for place, value in ((folder, 1), (other, 2)):
        (place / "mine_c.py").write_text(f"def build():\n    return {value}\n")
    found = [resolve("mine_c:build", allow=["mine_c"], folder=f)() for f in (folder, other)]
    assert found == [1, 2]


def test_same_module_loads_once(folder):
    """A second look at the same module gives the same function."""
    (folder / "mine_d.py").write_text("def build():\n    pass\n")
    first = resolve("mine_d:build", allow=["mine_d"], folder=folder)
    assert resolve("mine_d:build", allow=["mine_d"], folder=folder) is first


@pytest.mark.parametrize("text", ["def build():\n    pass\n", "1 / 0\n"])
def test_path_is_left_as_it_was(folder, text):
    """``sys.path`` is the same afterwards, also when the import fails."""
    (folder / "mine_e.py").write_text(text)
    before = list(sys.path)
    with contextlib.suppress(ReferenceError_):
        resolve("mine_e:build", allow=["mine_e"], folder=folder)
    assert sys.path == before


def test_not_allowed(folder):
    """A module that nobody allowed is not imported, and the message says how to allow it."""
    (folder / "mine_f.py").write_text("raise SystemExit('ran')\n")
    assert message("mine_f:build", folder=folder) == (
        'module "mine_f" may not be loaded: a study file that names code is code; allow it with '
        '--allow mine_f, or allow = ["mine_f"] under [tool.sweep] in pyproject.toml'
    )
    assert "mine_f" not in sys.modules


@pytest.mark.parametrize(
    ("module", "allow", "expected"),
    [
        ("a.b.c", {"a"}, True),
        ("a.b.c", {"a.b"}, True),
        ("a.b.c", {"a.b.c"}, True),
        ("a.b", {"a.b.c"}, False),
        ("ab", {"a"}, False),
        ("a", {""}, False),
        ("a.b", "a", True),
        ("a", "abc", False),
    ],
)
def test_a_package_allows_its_modules(module, allow, expected):
    """Permission reaches downward, and never by a common beginning of a name."""
    assert allowed(module, allow) is expected


def test_malformed():
    """A text of another form is refused with an example."""
    assert message("mine", {"mine"}) == (
        'a reference must be "module:function" (say "mine:build"), got "mine"'
    )


def test_missing_module(folder):
    """A missing module is named with a close file beside the study file."""
    (folder / "mine_models.py").write_text("")
    said = message("mine_model:build", {"mine_model"}, folder)
    assert said.startswith('no module named "mine_model" beside the study file')
    assert said.endswith('did you mean "mine_models"?')


def test_missing_submodule():
    """A package without that module is a missing module."""
    assert message("json.nothing:build", {"json"}).startswith('no module named "json.nothing"')


def test_missing_attribute(folder):
    """A missing function is named with a close one."""
    (folder / "mine_g.py").write_text("def build_model():\n    pass\n")
    assert message("mine_g:build_modl", {"mine_g"}, folder) == (
        'module "mine_g" has no "build_modl", did you mean "build_model"?'
    )


def test_not_callable(folder):
    """A value that cannot be called is refused."""
    (folder / "mine_h.py").write_text("build = 3\n")
    assert message("mine_h:build", {"mine_h"}, folder) == (
        '"mine_h:build" must be a function or class, got int'
    )


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("\n1 / 0\n", "ZeroDivisionError: division by zero", 2),
        ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named", 1),
        ("\n\nraise SystemExit(3)\n", "SystemExit: 3", 3),
        ("def f(:\n", "SyntaxError", 1),
        ("import json\n\njson.loads('{')\n", "JSONDecodeError", 3),
    ],
)
def test_import_that_raises(folder, text, kind, line):
    """The message holds the exception and the line of the person's own file."""
    (folder / "mine_i.py").write_text(text)
    said = message("mine_i:build", {"mine_i"}, folder)
    assert said.startswith(f'module "mine_i" cannot be imported: {kind}')
    assert f"mine_i.py:{line})" in said


def test_project_allow_reads_the_nearest(tmp_path):
    """The nearest ``pyproject.toml`` at or above the start counts, and only that."""
    (tmp_path / "pyproject.toml").write_text('[tool.sweep]\nallow = ["mine", "b.c"]\n')
    inner = tmp_path / "inner" / "most"
    inner.mkdir(parents=True)
    assert project_allow(inner) == {f"mine@{tmp_path}", f"b.c@{tmp_path}"}
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert project_allow(inner) == frozenset()


@pytest.mark.parametrize("text", ["[tool.sweep]\nallow = 'mine'\n", "[tool", "\xff"])
def test_project_allow_broken(tmp_path, text):
    """A ``pyproject.toml`` that cannot be read, or allows no list, is a clear error."""
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ReferenceError_, match=r"pyproject\.toml: "):
        project_allow(tmp_path)


def test_code_has_a_digest_that_follows_its_file(tmp_path):
    """Another text, another digest: fits of the one are not gone on with by the other."""
    held = {}
    for number, name in enumerate(("first_code", "second_code")):
        (tmp_path / f"{name}.py").write_text(f"def build():\n    return {number}\n")
        held[name] = source_digest(f"{name}:build", allow=[name], folder=tmp_path)
    assert len(set(held.values())) == 2
    again = source_digest("first_code:build", allow=["first_code"], folder=tmp_path)
    assert again == held["first_code"]
