"""Files that no study of a ledger needs any more: find them, remove them."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.ledger.ledger import Ledger
from sweep.ledger.storage import artifacts_root, storage_url
from sweep.names import slug
from sweep.selection.outlines import all_outlines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 24 * 3600.0
PASSING = ("checkpoints", "unfinished", "refit")
"""What fits leave while a study runs; a finished one does not need it."""


@dataclass(frozen=True)
class Leftover:
    """A folder that no study needs.

    Attributes
    ----------
    path : Path
        It.
    why : str
        Why not.
    size : int
        Bytes in it.
    """

    path: Path
    why: str
    size: int


def leftovers(storage: str | None = None, days: float = 30) -> list[Leftover]:
    """Return the folders of a ledger's artifacts that nobody needs and nobody touched lately.

    Parameters
    ----------
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    days : float
        Folders touched since are left alone.

    Raises
    ------
    LedgerError
        If the ledger cannot be read: nothing is known to be a leftover then.
    """
    url = storage_url(storage)
    with closing(Ledger(url, reading=True)) as ledger:
        headers = {name: ledger.header(name) for name in ledger.names()}
        headers |= {n: ledger.header(n) for name in [*headers] for n in ledger.parts(name)}
        finished = {each.name for each in all_outlines(ledger) if each.status == "finished"}
    root, before = artifacts_root(url), time.time() - days * DAY
    owners = {root / slug(n) / str(h.get("uid", "")): n for n, h in headers.items()}
    found = (_judged(folder, owners, finished) for folder in _folders(root))
    flat = [each for many in found for each in many]
    return [each for each in flat if _touched(each.path) < before]


def prune(found: list[Leftover]) -> int:
    """Remove leftovers; return the bytes that are free now."""
    for each in found:
        shutil.rmtree(each.path, ignore_errors=True)
    return sum(each.size for each in found if not each.path.exists())


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folder of each study: named by its uid, below its name."""
    for named in sorted(root.glob("*")):
        if named.is_dir():
            yield from (each for each in sorted(named.glob("*")) if each.is_dir())


def _judged(folder: Path, owners: dict[Path, str], finished: set[str]) -> Iterator[Leftover]:
    name = owners.get(folder)
    if name is None and folder.parent in owners:  # an older version's: without a uid
        return
    if name is None:
        yield Leftover(folder, "its study is not in the ledger", _size(folder))
    elif name in finished:
        for each in PASSING:
            if (folder / each).is_dir():
                yield Leftover(folder / each, f"{name} is finished", _size(folder / each))


def _touched(folder: Path) -> float:
    return max((f.stat().st_mtime for f in (folder, *folder.rglob("*")) if f.exists()), default=0.0)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
