"""The files that a person's code is made of: their digest, and whether one has changed since.

A module of the person's own is one that they allow, or that lies beside the study file, or beside
the module that a study names. What it imports of those, at its top or inside a function, by a
statement or by a name that stands in a call of ``import_module``, belongs to it: so a decorator, a
base class, a constant or the function behind a ``functools.partial`` counts wherever it stands. The
files are read, never run.
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
"""Folders of installed packages: what lies side by side there does not belong together."""

_known: dict[str, tuple[Path, str]] = {}
"""File and digest of each module as it was when last looked at: loaded then, or later from it."""

_kept: dict[str, str] | None = None
"""Digests of modules that stay as they were loaded; None where they are loaded again."""


def sources_of(module: str, allow: Collection[str], folder: Path | None) -> dict[str, Path]:
    """Find the files of a module of the person's own, and of those that it leads to.

    Parameters
    ----------
    module : str
        Its name; what it imports is looked up as Python does, the folder first.
    allow : collection of str
        Modules and packages that the person allows.
    folder : Path or None
        The study file's.

    Returns
    -------
    dict of str to Path
        A file for each module, sorted by name; empty where there is no file of Python's.
    """
    homes = [] if folder is None else [folder.resolve()]
    top = module.partition(".")[0]
    first = _beside(top, homes) or _on_path(top)
    if first is not None and (beside := _home(first)) not in INSTALLED:
        homes.append(beside)
    found: dict[str, Path] = {}
    ahead = [module]
    while ahead:
        name = ahead.pop()
        file = None if name in found else _file(name, allow, homes)
        if file is not None:
            found[name] = file
            ahead += [*parents_of(name), *_imports(_text(file), _package(name, file))]
    return dict(sorted(found.items()))


def digest_of(module: str, allow: Collection[str], folder: Path | None) -> str:
    """Return a digest of a module's sources, comments and blank lines aside; empty for no file.

    Where what is loaded is kept (:func:`keep_loaded`), it is of what was loaded.
    """
    if _kept is not None and module in _kept:
        return _kept[module]
    files = sources_of(module, allow, folder).items()
    said = "\n".join(f"{name} {_digest(file)}" for name, file in files)
    found = hashlib.sha256(said.encode()).hexdigest()[:12] if said else ""
    if _kept is not None:
        _kept[module] = found
    return found


def forget_changed(module: str, allow: Collection[str], folder: Path | None) -> None:
    """Have Python load a module again, if the file of one of its sources has changed since.

    With a module go those that import it, and the rest of their packages: they hold its old parts.
    One of that name that was loaded from elsewhere is forgotten too. Parameters are those of
    :func:`sources_of`.
    """
    if _kept is not None:
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
        with suppress(OSError, NotImplementedError):  # it is compared by size and whole seconds
            Path(cache_from_source(str(sources[name]))).unlink(missing_ok=True)
    _known.update({name: (file, _digest(file)) for name, file in sources.items()})


@contextmanager
def keep_loaded() -> Iterator[None]:
    """Load nothing again inside: what a worker evaluates is one code from beginning to end."""
    global _kept  # noqa: PLW0603 - the modules of this process, and so is what is known of them
    before, _kept = _kept, {}
    try:
        yield
    finally:
        _kept = before


def _has_changed(name: str, file: Path, top: str) -> bool:
    module = sys.modules.get(name)
    if module is None:
        return False
    if name in _known:
        return _known[name] != (file, _digest(file))
    held = getattr(module, "__file__", None)
    if held is None or Path(held).resolve() != file:
        return name.partition(".")[0] == top
    return file.stat().st_mtime >= _process_began()


def _file(name: str, allow: Collection[str], homes: list[Path]) -> Path | None:
    """Return the file of a module of the person's own; None for any other."""
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
    """Return ``top.py`` or ``top/__init__.py``, which a folder of modules need not have."""
    for home in homes:
        if (file := home / f"{top}.py").is_file() and not (home / top / "__init__.py").is_file():
            return file
        if (home / top).is_dir():
            return home / top / "__init__.py"
    return None


def _on_path(top: str) -> Path | None:
    """Return the same of what Python would load now, were nothing loaded yet."""
    spec = spec_of(top)
    if spec is None:
        return None
    inside = next(iter(spec.submodule_search_locations or ()), None)
    held = Path(inside, "__init__.py") if inside else Path(spec.origin or "")
    return held.resolve() if held.suffix == ".py" else None


def _home(first: Path) -> Path:
    return first.parent.parent if first.name == "__init__.py" else first.parent


def _package(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


@lru_cache(maxsize=1024)
def _imports(text: str, package: str) -> tuple[str, ...]:
    """Return the names that a module's imports may mean: modules, and what may be one in them."""
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
    """Return the full name of what is imported in a package with so many dots before it."""
    parts = package.split(".")
    above = parts[: len(parts) - dots + 1] if dots else []
    return ".".join(filter(None, [*above, name]))


def _called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _text(file: Path) -> str:
    """Return what a file says, as Python reads it; what is no text of Python's, byte by byte."""
    try:
        with tokenize.open(file) as lines:
            return lines.read()
    except (SyntaxError, UnicodeDecodeError):
        return file.read_bytes().decode("latin-1")


def _digest(file: Path) -> str:
    return hashlib.sha256(_bare(_text(file)).encode()).hexdigest()


@lru_cache(maxsize=1024)
def _bare(text: str) -> str:
    """Return a module's lines without comments and blank ones, alike in every Python."""
    lines = text.split("\n")
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


@lru_cache(maxsize=1)
def _process_began() -> float:
    """Return when this process began; where the system does not say, all may have changed since."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return 0.0
    return time.time() - since_boot + ticks / os.sysconf("SC_CLK_TCK")
