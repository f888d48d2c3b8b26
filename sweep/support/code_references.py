"""``"module:function"`` strings, and the permission they need.

A study file that names code *is* code. So a named module loads only where the person allows it,
on the command line or in the project's ``pyproject.toml``, never in the study file itself.
"""

from __future__ import annotations

import difflib
import importlib
import tomllib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import ReferenceError_
from sweep.support.code_digests import digest_of, forget_changed, sources_of
from sweep.support.module_permission import (
    AT,
    BESIDE,
    check_permission,
    is_module,
    project_of,
    searched_first,
    searching,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import ModuleType


def is_reference(text: str) -> bool:
    """Whether ``text`` has the form ``"package.module:function"``.

    Parameters
    ----------
    text : str
        Any text; a built-in name such as ``"cnn"`` is no reference.
    """
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and is_module(module)


def resolve(reference: str, *, allow: Collection[str], folder: Path | None = None) -> object:
    """Load the callable that a ``"package.module:function"`` string names.

    Parameters
    ----------
    reference : str
        Module, colon, name.
    allow : collection of str
        Modules and packages that the person allows; a package allows the modules in it. See
        :mod:`sweep.support.module_permission`.
    folder : Path, optional
        The study file's folder, searched before Python's own path. It is on that path only
        while a module from there loads; what its functions import later is found all the same.

    Returns
    -------
    object
        A callable.

    Raises
    ------
    ReferenceError_
        Malformed, not allowed, not found, not callable, or its import raised.
    """
    if not is_reference(reference):
        raise ReferenceError_(
            f'a reference must be "module:function" (say "mine:build"), got "{reference}"'
        )
    name, _, attribute = reference.partition(":")
    check_permission(name, allow, folder)
    return _callable(_module(name, allow, folder), attribute)


def source_digest(reference: str, *, allow: Collection[str], folder: Path | None) -> str:
    """Return a digest of all the person's own code behind a reference; empty where it has none."""
    module = reference.partition(":")[0]
    home = searched_first(module, folder)
    with searching(home):
        return digest_of(module, allow, home)


def project_allow(start: Path) -> frozenset[str]:
    """Read ``allow`` of ``[tool.sweep]``: the modules that the project allows, with its folder.

    Parameters
    ----------
    start : Path
        Where the person stands; the nearest ``pyproject.toml`` at or above it is read. Never
        the folder of a study file that somebody else wrote: it could then allow itself.

    Raises
    ------
    ReferenceError_
        The ``pyproject.toml`` cannot be read, or ``allow`` is no list of module names.
    """
    project = project_of(start)
    if project is None:
        return frozenset()
    return frozenset(f"{name}{AT}{project}" for name in _allow_of(project / "pyproject.toml"))


def _allow_of(file: Path) -> frozenset[str]:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError, RecursionError) as error:
        raise ReferenceError_(f"{file}: must be readable TOML, got: {error}") from error
    section = tool.get("sweep", {}) if isinstance(tool, dict) else {}
    names = section.get("allow", []) if isinstance(section, dict) else []
    if not isinstance(names, list) or not all(isinstance(n, str) and is_module(n) for n in names):
        raise ReferenceError_(
            f'{file}: tool.sweep.allow must be a list of module names (["mine"]), got {names!r}'
        )
    return frozenset(names)


def _module(name: str, allow: Collection[str], folder: Path | None) -> ModuleType:
    home = searched_first(name, folder)
    try:
        with searching(home):
            forget_changed(name, allow, home)
            module = importlib.import_module(name)
            leads_to = sources_of(name, allow, home)
        BESIDE.lend(home, leads_to)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_raised(name, error, folder) from error
        raise ReferenceError_(_not_found(error.name, folder)) from error
    except (Exception, SystemExit) as error:
        raise _import_raised(name, error, folder) from error
    return module


def _not_found(name: str, folder: Path | None) -> str:
    beside = sorted(f.stem for f in folder.glob("*.py")) if folder is not None else []
    where = f"beside the study file ({folder}) or on " if folder is not None else "on "
    return f'no module named "{name}" {where}Python\'s path{_hint(name, beside)}'


def _import_raised(name: str, error: BaseException, folder: Path | None) -> ReferenceError_:
    kind = type(error).__name__
    return ReferenceError_(
        f'module "{name}" cannot be imported: {kind}: {error} ({_place(error, folder)})'
    )


def _place(error: BaseException, folder: Path | None) -> str:
    """``file:line`` of the person's own code where it is in the traceback."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    trace = traceback.extract_tb(error.__traceback__)
    frames = [f for f in trace if not f.filename.startswith("<frozen")]
    here = [f for f in frames if folder and Path(f.filename).is_relative_to(folder.resolve())]
    frame = (here or frames)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _callable(module: ModuleType, attribute: str) -> object:
    name = module.__name__
    try:
        found: object = getattr(module, attribute)
    except AttributeError as error:
        public = [n for n in dir(module) if not n.startswith("_")]
        hint = _hint(attribute, public)
        raise ReferenceError_(f'module "{name}" has no "{attribute}"{hint}') from error
    if not callable(found):
        raise ReferenceError_(
            f'"{name}:{attribute}" must be a function or class, got {type(found).__name__}'
        )
    return found


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f', did you mean "{close[0]}"?' if close else ""
