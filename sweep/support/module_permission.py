"""Which modules a study may load, and from where.

An entry of ``allow`` is the name of a module or package, from ``--allow``: it allows the module
wherever the study finds it. An entry ``"name@folder"`` comes from the ``pyproject.toml`` in that
folder: it allows the module on Python's own path, and beside study files of that project. So a
study file elsewhere cannot bring another module with an allowed name.
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
"""Separates the name of a module from the folder of the project that allows it."""


def names_of(allow: Collection[str]) -> tuple[str, ...]:
    """Return the entries of ``allow``; a single text is one entry."""
    return (allow,) if isinstance(allow, str) else tuple(allow)


def is_module(text: str) -> bool:
    """Return whether a text has the form of a module's name: ``mine``, ``package.models``."""
    return all(part.isidentifier() for part in text.split("."))


def allowed(module: str, allow: Collection[str]) -> bool:
    """Return whether ``allow`` has the module or its package, from any place."""
    return bool(_entries(module, allow))


def check_permission(module: str, allow: Collection[str], folder: Path | None) -> None:
    """Refuse a module that is not allowed, or not allowed from where it would be loaded.

    Parameters
    ----------
    module : str
        Its name.
    allow : collection of str
        Entries of the user and of the project.
    folder : Path or None
        The study file's folder, which is searched before Python's own path.

    Raises
    ------
    ReferenceError_
        If it is not allowed; the message has the file that would run, the rule and the remedy.
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
    """Return the study file's folder if the module comes from there, else None.

    Only then the folder is put on Python's path. So no file in it can replace a module that code
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
    """Put a folder first on Python's path, and switch off the finder of the last study's folder."""
    importlib.invalidate_caches()
    before, active = list(sys.path), BESIDE in sys.meta_path
    if active:
        sys.meta_path.remove(BESIDE)
    if folder is not None:
        sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        if active:
            sys.meta_path.insert(0, BESIDE)
        if folder is not None and sys.path[:1] == [str(folder.resolve())]:
            sys.path.pop(0)  # other changes by the loaded code stay
        elif folder is not None:
            sys.path[:] = before


def spec_of(name: str, path: Any = None) -> ModuleSpec | None:
    """Return what Python would load now under a name if it were not loaded yet."""
    for finder in sys.meta_path:
        with suppress(Exception):  # other libraries' finders may raise anything
            if spec := finder.find_spec(name, path):
                return spec
    return None


class _Beside:
    """An import finder for the modules beside a study file that its code imports.

    The folder is on Python's path only while the code loads. For imports inside functions, which
    run later, this finder finds the files that count as the study's code, and no others.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.tops: set[str] = set()

    def register(self, folder: Path | None, names: Collection[str]) -> None:
        """Find these modules in the folder from now on; with None on Python's path."""
        tops = {name.partition(".")[0] for name in names}
        if folder is None:
            self.tops -= tops
            return
        self.tops = self.tops | tops if folder == self.folder else tops
        self.folder = folder
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a registered module; None for any other."""
        del target
        if path is not None or self.folder is None or name not in self.tops:
            return None
        return PathFinder.find_spec(name, [str(self.folder.resolve())])


BESIDE = _Beside()


def parents_of(name: str) -> list[str]:
    """Return the parent packages of a module, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _entries(module: str, allow: Collection[str]) -> list[str]:
    names = {*parents_of(module), module}
    return [each for each in names_of(allow) if each.partition(AT)[0] in names]


def _files(module: str, folder: Path | None) -> list[str]:
    """Return the files that run when a module is loaded: those of its packages and its own."""
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
            path = getattr(places, "_path", places)  # of a namespace package, without loading it
            if path is None:
                break
    return found


def _first_file(module: str, folder: Path) -> str:
    """Return the first file that would run from the study's folder and not from Python's path."""
    elsewhere = _files(module, None)
    return next((file for file in _files(module, folder) if file not in elsewhere), str(folder))


def _instead(module: str) -> str:
    """Return which file would be loaded if the one beside the study file were renamed."""
    on_path = _files(module, None)
    return f", or rename it, and {on_path[-1]} is loaded" if on_path else ""
