"""A person's own code: what its digest covers, and that changed files are loaded again."""

from __future__ import annotations

import os
import sys

import pytest

from sweep.support import code_digests
from sweep.support.code_digests import keep_loaded, sources_of
from sweep.support.code_references import resolve, source_digest

PLAIN = "def build(width=1):\n    return width\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file of the study's folder; what is loaded from there is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(code_digests, "_known", {})

    def written(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)

    yield written
    for name in set(sys.modules) - before:
        del sys.modules[name]


def digest(folder, reference="mine:build", allow=("mine",)):
    return source_digest(reference, allow=allow, folder=folder)


def build(folder, reference="mine:build", allow=("mine",)):
    return resolve(reference, allow=allow, folder=folder)


WAYS = {
    "partial": "from functools import partial\nfrom parts import of\nbuild = partial(of, 1)\n",
    "bare decorator": "from parts import of\n@of\ndef build():\n    return 1\n",
    "closure": "import parts\ndef make():\n    of = parts.of\n    return lambda: of(1)\n"
    "build = make()\n",
    "class": "from parts import Of\nclass build(Of):\n    pass\n",
    "bound method": "import parts\nbuild = parts.Of().make\n",
    "constant": "from parts import WIDTH\ndef build():\n    return WIDTH\n",
    "inside": "def build():\n    from parts import of\n    return of(1)\n",
    "alias": "from parts import of as build\n",
    "two steps": "from middle import of as build\n",
    "by name": "import importlib\nbuild = importlib.import_module('parts').of\n",
    "by word": "from importlib import import_module\n"
    "build = import_module(name='parts').Of().make\n",
    "by built-in": "build = __import__('parts').Of().make\n",
    "star": "from parts import *\nbuild = of\n",
}
PARTS = "WIDTH = {}\ndef of(f):\n    return f\nclass Of:\n    def make(self):\n        return 1\n"


@pytest.mark.parametrize("way", WAYS)
def test_the_digest_covers_what_a_factory_calls(way, write, tmp_path):
    """Through a partial, a decorator, a class, an import of an import: another part, another
    digest; a file that it does not lead to changes nothing.
    """
    write("mine.py", WAYS[way])
    write("middle.py", "from parts import of\n")
    write("parts.py", PARTS.format(1))
    write("other.py", "A = 1\n")
    first = digest(tmp_path)
    write("other.py", "A = 2\n")
    assert digest(tmp_path) == first
    write("parts.py", PARTS.format(2))
    assert digest(tmp_path) != first


def test_comments_and_blank_lines_are_no_other_code(write, tmp_path):
    """Fits of the same code under another comment are gone on with."""
    write("mine.py", PLAIN)
    first = digest(tmp_path)
    write(
        "mine.py", "# narrow\n\n" + PLAIN.replace(":\n", ":  # made so\n\n").replace("\n", "\r\n")
    )
    assert digest(tmp_path) == first
    write("mine.py", PLAIN + "A = '# no comment'\n")
    second = digest(tmp_path)
    write("mine.py", PLAIN + "A = '# no remark'\n")
    assert len({first, second, digest(tmp_path)}) == 3


def test_the_digest_is_the_same_in_every_python(write, tmp_path):
    """Machines with other versions of it work on one study."""
    write("mine.py", "# narrow\ndef build(width=1):\n    return f'{width} {1 + 1}'  # two\n")
    assert digest(tmp_path) == "c18f1b75a036"


def test_the_digest_covers_the_modules_of_a_package(write, tmp_path):
    """Relative imports, their packages' own files, and no installed package."""
    write("pack/__init__.py", "")
    write("pack/models/__init__.py", "from .deep import build\n")
    write("pack/models/deep.py", "import numpy\nfrom .. import parts\nbuild = parts.of\n")
    write("pack/parts.py", PARTS.format(1))
    write("pack/apart.py", "A = 1\n")
    held, word = [], {"reference": "pack.models:build", "allow": ["pack"]}
    for name, text in (
        ("pack/apart.py", "A = 2\n"),
        ("pack/parts.py", PARTS.format(2)),
        ("pack/__init__.py", "B = 1\n"),
        ("pack/models/__init__.py", "from .deep import build as build\n"),
    ):
        held.append(digest(tmp_path, **word))
        write(name, text)
    held.append(digest(tmp_path, **word))
    assert held[0] == held[1]
    assert len(set(held)) == len(held) - 1


def test_an_allowed_package_elsewhere_counts_and_another_does_not(
    write, tmp_path, tmp_path_factory, monkeypatch
):
    """Code is the person's own where they allow it."""
    other = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.syspath_prepend(other)
    write("mine.py", "import faraway\nbuild = faraway.of\n")
    (other / "faraway.py").write_text(PARTS.format(1))
    held = [digest(tmp_path), digest(tmp_path, allow=["mine", "faraway"])]
    (other / "faraway.py").write_text(PARTS.format(2))
    again = [digest(tmp_path), digest(tmp_path, allow=["mine", "faraway"])]
    assert (held[0] == again[0], held[1] == again[1]) == (True, False)


def test_the_digest_runs_nothing(write, tmp_path):
    """It needs no permission: files are read."""
    write("mine.py", "raise SystemExit('ran')\n")
    assert digest(tmp_path, allow=())


def test_a_changed_module_is_loaded_again(write, tmp_path):
    """Of the same size, within the same second."""
    write("mine.py", PLAIN)
    assert build(tmp_path)() == 1
    write("mine.py", PLAIN.replace("1", "2"))
    assert build(tmp_path)() == 2
    assert build(tmp_path) is build(tmp_path)


def test_what_imports_a_changed_module_is_loaded_again_too(write, tmp_path):
    """It holds the old one's functions; so does the package around it."""
    write("pack/__init__.py", "from pack.models import build\n")
    write("pack/models.py", "from helpers import WIDTH\ndef build():\n    return WIDTH\n")
    write("helpers.py", "WIDTH = 1\n")
    word = {"reference": "pack:build", "allow": ["pack"]}
    assert build(tmp_path, **word)() == 1
    write("helpers.py", "WIDTH = 2\n")
    assert build(tmp_path, **word)() == 2


def test_a_module_that_a_factory_imports_when_called_is_loaded_again(write, tmp_path):
    """Loaded after the first look, changed before the second."""
    write("pack/__init__.py", "def build():\n    from . import late\n    return late.WIDTH\n")
    write("pack/late.py", "WIDTH = 1\n")
    word = {"reference": "pack:build", "allow": ["pack"]}
    assert build(tmp_path, **word)() == 1
    write("pack/late.py", "WIDTH = 2\n")
    assert build(tmp_path, **word)() == 2


def test_helpers_of_one_name_beside_two_studies(write, tmp_path, tmp_path_factory):
    """Each study gets its own, in whatever order."""
    other = tmp_path_factory.mktemp("other")
    for folder, number in ((tmp_path, 1), (other, 2)):
        (folder / "mine.py").write_text("from helpers import WIDTH\nbuild = lambda: WIDTH\n")
        (folder / "helpers.py").write_text(f"WIDTH = {number}\n")
    assert [build(folder)() for folder in (tmp_path, other, tmp_path)] == [1, 2, 1]


@pytest.mark.parametrize("edited", [True, False])
def test_a_module_that_the_person_has_loaded(edited, write, tmp_path, monkeypatch):
    """It is taken as it is where its file is older than the process, else loaded again."""
    write("mine.py", PLAIN)
    os.utime(tmp_path / "mine.py", (1e9, 1e9))
    monkeypatch.syspath_prepend(tmp_path)
    import mine

    if edited:
        write("mine.py", PLAIN.replace("1", "2"))
    found = build(tmp_path)
    assert (found(), found is mine.build) == ((2, False) if edited else (1, True))


def test_an_installed_module_is_never_forgotten(write, tmp_path):
    """A file beside the study of an installed package's name does not stand in its way."""
    import numpy as np

    write("mine.py", "import numpy\ndef build():\n    return numpy\n")
    write("numpy.py", "")
    assert build(tmp_path)() is np
    assert sys.modules["numpy"] is np


def test_what_is_kept_stays(write, tmp_path):
    """Inside ``keep_loaded`` an edit changes neither the code nor its digest."""
    write("mine.py", PLAIN)
    with keep_loaded():
        first = digest(tmp_path), build(tmp_path)
        write("mine.py", PLAIN.replace("1", "2"))
        assert (digest(tmp_path), build(tmp_path)) == first
    assert digest(tmp_path) != first[0]
    assert build(tmp_path)() == 2


def test_a_file_that_does_not_parse_is_an_import_that_raises(write, tmp_path):
    """After it, the mended file loads."""
    write("mine.py", PLAIN)
    build(tmp_path)
    write("mine.py", "def build(:\n")
    with pytest.raises(ImportError, match="SyntaxError"):
        build(tmp_path)
    write("mine.py", PLAIN)
    assert build(tmp_path)() == 1


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_packages_beside_an_installed_one_are_not_its_own(tmp_path, monkeypatch, folder):
    """In a user's own folder of packages too: what it imports there does not belong to it."""
    packages = tmp_path / "lib" / folder
    for name, text in (("mine", "import theirs\n"), ("theirs", "")):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(str(packages))
    assert list(sources_of("mine", ["mine"], tmp_path)) == ["mine"]
