"""Which modules a study may load, and from which place.

An entry of ``allow`` is the name of a module or package, as ``--allow`` gives it: it holds wherever
the study finds that module. An entry ``"name@folder"`` comes from the ``pyproject.toml`` in that
folder: it holds where Python's own path finds the module, and beside the study files of that
project. A study file elsewhere cannot bring a module of its own under an allowed name.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import ReferenceError_

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from importlib.machinery import ModuleSpec

AT = "@"
"""Between the name of a module and the folder of the project that allows it."""


def names_of(allow: Collection[str]) -> tuple[str, ...]:
    """Return the entries of ``allow``; a text alone is one of them, not its letters."""
    return (allow,) if isinstance(allow, str) else tuple(allow)


def is_module(text: str) -> bool:
    """Whether a text has the form of a module's name: ``mine``, ``package.models``."""
    return all(part.isidentifier() for part in text.split("."))


def allowed(module: str, allow: Collection[str]) -> bool:
    """Whether ``module`` or a package that holds it is in ``allow``, for whatever place."""
    return bool(_entries(module, allow))


def check_permission(module: str, allow: Collection[str], folder: Path | None) -> None:
    """Refuse a module that nobody allows, or that would load from a place where nobody allows it.

    Parameters
    ----------
    module : str
        Its name.
    allow : collection of str
        What the person and their project allow.
    folder : Path or None
        The study file's folder, which is searched before Python's own path.

    Raises
    ------
    ReferenceError_
        With the file that would run, the rule, and what to type.
    """
    entries = _entries(module, allow)
    if not entries:
        raise ReferenceError_(
            f'module "{module}" may not be loaded: a study file that names code is code; '
            f'allow it with --allow {module}, or allow = ["{module}"] under [tool.sweep] '
            "in pyproject.toml"
        )
    if searched_first(module, folder) is None or folder is None:
        return
    projects = {place for _, at, place in (each.partition(AT) for each in entries) if at}
    if len(projects) == len(entries) and str(project_of(folder)) not in projects:
        raise ReferenceError_(
            f'module "{module}" may not be loaded from {_first_file(module, folder)}: '
            f"{Path(min(projects), 'pyproject.toml')} allows it where Python's own path finds it "
            "and beside study files of that project, and this folder is not that project's; if "
            f"you trust this file, allow it with --allow {module}"
            f"{_instead(module)}"
        )


def searched_first(module: str, folder: Path | None) -> Path | None:
    """Return the study file's folder where the module comes from there; None where it does not.

    Only then is the folder on Python's path: nothing in it can run in the place of what a module
    from elsewhere imports.
    """
    if folder is None or _files(module, folder) == _files(module, None):
        return None
    return folder


def project_of(start: Path) -> Path | None:
    """Return the nearest folder at or above ``start`` with a ``pyproject.toml``."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return None


@contextmanager
def searching(folder: Path | None) -> Iterator[None]:
    """Have a folder first on Python's path, and nothing found beside the study before it."""
    importlib.invalidate_caches()
    before, lent = list(sys.path), BESIDE in sys.meta_path
    if lent:
        sys.meta_path.remove(BESIDE)
    if folder is not None:
        sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        if lent:
            sys.meta_path.insert(0, BESIDE)
        if folder is not None and sys.path[:1] == [str(folder.resolve())]:
            sys.path.pop(0)
        elif folder is not None:
            sys.path[:] = before


def spec_of(name: str, path: Any = None) -> ModuleSpec | None:
    """Return what Python would load now under a name, were nothing loaded yet."""
    for finder in sys.meta_path:
        with suppress(Exception):  # a finder is anybody's
            if spec := finder.find_spec(name, path):
                return spec
    return None


class _Beside:
    """A finder of the modules beside a study file that its code leads to.

    The folder is on Python's path only while the code loads. What a function imports when it is
    called is found here: the same files that count as the study's code, and no others.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.tops: set[str] = set()

    def lend(self, folder: Path | None, names: Collection[str]) -> None:
        """Find these modules, of the code that was loaded last, there; None: on Python's path."""
        tops = {name.partition(".")[0] for name in names}
        if folder is None:
            self.tops -= tops
            return
        self.tops = self.tops | tops if folder == self.folder else tops
        self.folder = folder
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Answer Python's import: None for what is not beside the study."""
        del target
        if path is not None or self.folder is None or name not in self.tops:
            return None
        return PathFinder.find_spec(name, [str(self.folder.resolve())])


BESIDE = _Beside()


def parents_of(name: str) -> list[str]:
    """Return the packages that hold a module, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _entries(module: str, allow: Collection[str]) -> list[str]:
    names = {*parents_of(module), module}
    return [each for each in names_of(allow) if each.partition(AT)[0] in names]


def _files(module: str, folder: Path | None) -> list[str]:
    """Return the files that loading a module would run, of its packages and its own."""
    found: list[str] = []
    path: Any = None
    with searching(folder):
        for name in (*parents_of(module), module):
            spec = spec_of(name, path)
            if spec is None:
                break
            if spec.origin:
                found.append(os.path.realpath(spec.origin) if spec.has_location else spec.origin)
            places = spec.submodule_search_locations
            path = getattr(places, "_path", places)  # a package without __init__.py, not loaded
            if path is None:
                break
    return found


def _first_file(module: str, folder: Path) -> str:
    """Return the first file that would run from the study's folder and not from Python's path."""
    elsewhere = _files(module, None)
    return next((file for file in _files(module, folder) if file not in elsewhere), str(folder))


def _instead(module: str) -> str:
    """Say which file loads where the one beside the study file goes."""
    on_path = _files(module, None)
    return f", or rename it, and {on_path[-1]} is loaded" if on_path else ""
