"""``"module:function"`` references, and the permission they need.

A study file that names code *is* code. So a module is loaded only if the user allows it, on the
command line or in the project's ``pyproject.toml``, never in the study file itself.
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
    """Return whether a text has the form ``"package.module:function"``.

    Parameters
    ----------
    text : str
        Any text; a built-in name such as ``"cnn"`` is not a reference.
    """
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and is_module(module)


def resolve(reference: str, *, allow: Collection[str], folder: Path | None = None) -> object:
    """Return the callable that a ``"package.module:function"`` reference names.

    Parameters
    ----------
    reference : str
        Module, colon, name.
    allow : collection of str
        Modules and packages that the user allows; a package allows the modules in it. See
        :mod:`sweep.support.module_permission`.
    folder : Path, optional
        The study file's folder, searched before Python's own path. It is on that path only while a
        module from there loads; later imports by its functions are found by a finder of sweep.

    Returns
    -------
    object
        A callable.

    Raises
    ------
    ReferenceError_
        If it is malformed, not allowed, not found, not callable, or its import raises an error.
    """
    found = resolve_object(reference, allow=allow, folder=folder)
    if not callable(found):
        kind = type(found).__name__
        error = ReferenceError_(f'"{reference}" must be a function or class, got {kind}')
        error.reference = reference
        raise error
    return found


def resolve_object(reference: str, *, allow: Collection[str], folder: Path | None = None) -> object:
    """Return what a ``"package.module:name"`` reference names: as :func:`resolve`, any object."""
    if not is_reference(reference):
        raise ReferenceError_(
            f'a reference must be "module:function" (say "mine:build"), got "{reference}"'
        )
    name, _, attribute = reference.partition(":")
    try:
        check_permission(name, allow, folder)
        return _attribute(_module(name, allow, folder), attribute)
    except ReferenceError_ as error:
        error.reference = reference
        raise


def source_digest(reference: str, *, allow: Collection[str], folder: Path | None) -> str:
    """Return a digest of the user's code of a reference; empty where it has no source file."""
    module = reference.partition(":")[0]
    home = searched_first(module, folder)
    with searching(home):
        return digest_of(module, allow, home)


def project_allow(start: Path) -> frozenset[str]:
    """Return the modules that ``[tool.sweep] allow`` of the project permits, with its folder.

    Parameters
    ----------
    start : Path
        The user's current folder; the nearest ``pyproject.toml`` at or above it is read. Never
        the folder of a study file: a study file from somebody else could then allow itself.

    Raises
    ------
    ReferenceError_
        If the ``pyproject.toml`` cannot be read, or ``allow`` is not a list of module names.
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
            sources = sources_of(name, allow, home)
        BESIDE.register(home, sources)
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
    """Return ``file:line`` of an error, in the user's own code if the traceback has some."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    trace = traceback.extract_tb(error.__traceback__)
    frames = [f for f in trace if not f.filename.startswith("<frozen")]
    here = [f for f in frames if folder and Path(f.filename).is_relative_to(folder.resolve())]
    frame = (here or frames)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _attribute(module: ModuleType, attribute: str) -> object:
    name = module.__name__
    try:
        found: object = getattr(module, attribute)
    except AttributeError as error:
        public = [n for n in dir(module) if not n.startswith("_")]
        hint = _hint(attribute, public)
        raise ReferenceError_(f'module "{name}" has no "{attribute}"{hint}') from error
    return found


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f', did you mean "{close[0]}"?' if close else ""
