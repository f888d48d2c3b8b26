"""Find the source files of the user's own code, compute their digest, notice changes.

A user's module is one that the user allows, or a file beside the study file or beside the module
that a study names. The user's modules that it imports belong to it, whether at its top or inside a
function, by a statement or by a literal name in a call of ``import_module``. So a decorator, a
base class, a constant or the function of a ``functools.partial`` counts wherever it is defined.
The files are read, never run.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import sys
import sysconfig
import time
import tokenize
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.support.module_permission import allowed, parents_of, spec_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

INSTALLED = {Path(sysconfig.get_paths()[key]).resolve() for key in ("stdlib", "purelib", "platlib")}
"""Folders of installed packages: modules side by side there do not belong together."""

PACKAGES = ("site-packages", "dist-packages")
"""Names of such folders, also a user's own and those of another environment on Python's path."""

_known: dict[str, tuple[Path, str]] = {}
"""File and digest of each module when :func:`forget_changed` last checked it."""

_fixed: dict[str, str] | None = None
"""Inside :func:`keep_loaded`: digests of the modules as loaded. None: changed ones are reloaded."""


def sources_of(module: str, allow: Collection[str], folder: Path | None) -> dict[str, Path]:
    """Return the files of a user's module, and of the user's modules that it imports.

    Parameters
    ----------
    module : str
        Its name; imports are looked up as Python does, the folder first.
    allow : collection of str
        Modules and packages that the user allows.
    folder : Path or None
        The study file's folder.

    Returns
    -------
    dict of str to Path
        A file for each module, sorted by name; empty if it has no Python file.
    """
    homes = [] if folder is None else [folder.resolve()]
    top = module.partition(".")[0]
    first = _beside(top, homes) or _on_path(top)
    if first is not None and not _holds_packages(beside := _home(first)):
        homes.append(beside)
    found: dict[str, Path] = {}
    pending = [module]
    while pending:
        name = pending.pop()
        file = None if name in found else _file(name, allow, homes)
        if file is not None:
            found[name] = file
            pending += [*parents_of(name), *_imports(_text(file), _package(name, file))]
    return dict(sorted(found.items()))


def _holds_packages(folder: Path) -> bool:
    return folder in INSTALLED or folder.name in PACKAGES


def digest_of(module: str, allow: Collection[str], folder: Path | None) -> str:
    """Return a digest of a module's sources without comments and blank lines; empty for no file.

    Inside :func:`keep_loaded` it is the digest of the code as first loaded.
    """
    if _fixed is not None and module in _fixed:
        return _fixed[module]
    files = sources_of(module, allow, folder).items()
    text = "\n".join(f"{name} {_digest(file)}" for name, file in files)
    found = hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""
    if _fixed is not None:
        _fixed[module] = found
    return found


def forget_changed(module: str, allow: Collection[str], folder: Path | None) -> None:
    """Make Python reload a module if one of its source files has changed since it was loaded.

    The modules that import a changed one, and the rest of their packages, are reloaded too: they
    refer to its old objects. So is a module of the same name that was loaded from elsewhere. For
    the parameters see :func:`sources_of`.
    """
    if _fixed is not None:
        return
    sources, top = sources_of(module, allow, folder), module.partition(".")[0]
    changed = {name for name, file in sources.items() if _has_changed(name, file, top)}
    holders = [n for n in sources if changed and changed & sources_of(n, allow, folder).keys()]
    tops = {name.partition(".")[0] for name in holders}
    if module in _known and not sources:  # it came from another study's folder
        tops.add(top)
    for name in [n for n in sys.modules if n.partition(".")[0] in tops] if tops else ():
        del sys.modules[name]
    for name in changed:
        # Python compares a bytecode file by size and whole seconds, and could take an outdated one
        with suppress(OSError, NotImplementedError):
            Path(cache_from_source(str(sources[name]))).unlink(missing_ok=True)
    _known.update({name: (file, _digest(file)) for name, file in sources.items()})


@contextmanager
def keep_loaded() -> Iterator[None]:
    """Reload nothing inside: a worker uses the same code from beginning to end."""
    global _fixed  # noqa: PLW0603 - modules are global to the process, and so is this
    before, _fixed = _fixed, {}
    try:
        yield
    finally:
        _fixed = before


def _has_changed(name: str, file: Path, top: str) -> bool:
    module = sys.modules.get(name)
    if module is None:
        return False
    if name in _known:
        return _known[name] != (file, _digest(file))
    loaded = getattr(module, "__file__", None)
    if loaded is None or Path(loaded).resolve() != file:
        return name.partition(".")[0] == top
    return file.stat().st_mtime >= _process_began()


def _file(name: str, allow: Collection[str], homes: list[Path]) -> Path | None:
    """Return the file of a user's module; None for any other."""
    top, *rest = name.split(".")
    if top in ("sweep", "__main__") or top in sys.stdlib_module_names:
        return None
    first = _beside(top, homes) or (_on_path(top) if allowed(name, allow) else None)
    if first is None or not rest:
        return first if first and first.is_file() else None
    inner = first.parent.joinpath(*rest)
    choices = (inner / "__init__.py", inner.with_name(f"{inner.name}.py"))
    return next((file for file in choices if file.is_file()), None)


def _beside(top: str, homes: list[Path]) -> Path | None:
    """Return ``top.py`` or ``top/__init__.py`` in a folder; the latter need not exist."""
    for home in homes:
        if (file := home / f"{top}.py").is_file() and not (home / top / "__init__.py").is_file():
            return file
        if (home / top).is_dir():
            return home / top / "__init__.py"
    return None


def _on_path(top: str) -> Path | None:
    """Return the same on Python's path, as if the module were not loaded yet."""
    spec = spec_of(top)
    if spec is None:
        return None
    inside = next(iter(spec.submodule_search_locations or ()), None)
    file = Path(inside, "__init__.py") if inside else Path(spec.origin or "")
    return file.resolve() if file.suffix == ".py" else None


def _home(first: Path) -> Path:
    return first.parent.parent if first.name == "__init__.py" else first.parent


def _package(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


@lru_cache(maxsize=1024)
def _imports(text: str, package: str) -> tuple[str, ...]:
    """Return the names of modules that a module may import; some may be no modules."""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return tuple(_imported(ast.parse(text), package))
    return ()


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            if base:
                yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "name")]
            for name in (each.value for each in given if isinstance(each, ast.Constant)):
                if isinstance(name, str):
                    bare = name.lstrip(".")
                    yield _absolute(bare, len(name) - len(bare), package)


def _absolute(name: str, dots: int, package: str) -> str:
    """Return the absolute name of a relative import with so many dots in a package."""
    parts = package.split(".")
    above = parts[: len(parts) - dots + 1] if dots else []
    return ".".join(filter(None, [*above, name]))


def _called(call: ast.Call) -> str:
    """Return the last name of a called function."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _text(file: Path) -> str:
    """Return a file's text as Python decodes it; other files as one character per byte."""
    try:
        with tokenize.open(file) as lines:
            return lines.read()
    except (SyntaxError, UnicodeDecodeError):
        return file.read_bytes().decode("latin-1")


def _digest(file: Path) -> str:
    return hashlib.sha256(_without_comments(_text(file)).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _without_comments(text: str) -> str:
    """Return a module's lines without comments and blank lines, the same in every Python."""
    lines = text.split("\n")
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


@lru_cache(maxsize=1)
def _process_began() -> float:
    """Return when this process started; 0 where that is unknown: every file may have changed."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return 0.0
    return time.time() - since_boot + ticks / os.sysconf("SC_CLK_TCK")
