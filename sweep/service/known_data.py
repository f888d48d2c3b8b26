"""Which datasets a study can name on this server, and what each holds."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.datasets.sources import path_of
from sweep.service.dataset_reader import Reading, read_in_new_process
from sweep.service.handing_in import uploads_folder
from sweep.service.problems import RefusedError
from sweep.service.uploads import NPZ, About, read_about, read_albums
from sweep.service.zip_entries import TABLE, dataset_of
from sweep.storage.locations import mapped_folder
from sweep.study.answers.datasets import DOWNLOADED, dataset_sources
from sweep.support.file_names import expanded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.service.app import Service
    from sweep.service.settings import Settings

BUILT_IN, HOME, UPLOADED = "built-in", "data home", "uploaded"


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that a study can name.

    Attributes
    ----------
    name : str
        Its address in the service.
    dataset : str
        What a study file says: ``dataset = "..."``.
    source : {"built-in", "data home", "uploaded"}
        Where it is from.
    about : str
        A line about it; empty for others than built-in ones.
    here : bool
        Whether it is on this server already; Keras downloads some at their first use.
    path : Path or None
        Its file or folder, if it has one.
    kept : About
        What is known of an upload.
    """

    name: str
    dataset: str
    source: str
    about: str = ""
    here: bool = True
    path: Path | None = None
    kept: About = field(default_factory=About)

    def plain(self) -> dict[str, Any]:
        """Return it as the API tells it."""
        told: dict[str, Any] = {
            "name": self.name, "dataset": self.dataset, "source": self.source,
            "about": self.about, "here": self.here,
        }  # fmt: skip
        if self.source == UPLOADED:
            told |= {
                "owner": self.kept.owner, "uploaded_at": self.kept.uploaded_at,
                "bytes": self.kept.bytes, "files": self.kept.files,
                "left_out": list(self.kept.left_out),
            }  # fmt: skip
        return told


def known_datasets(settings: Settings) -> list[KnownDataset]:
    """Return all datasets that can be named: built-in, of the data home, uploaded.

    Those read before have their facts in ``kept``; nothing is read here.
    """
    found = {each.name: each for each in (*_in_home(settings), *_uploaded(settings))}
    found |= {each.name: each for each in _built_in(settings)}
    order = (UPLOADED, BUILT_IN, HOME)
    rows = sorted(found.values(), key=lambda each: (order.index(each.source), each.name))
    return [_with_facts(each) for each in rows]


def find_dataset(settings: Settings, name: str) -> KnownDataset:
    """Return the dataset of an address.

    Raises
    ------
    RefusedError
        404, if there is none.
    """
    for each in known_datasets(settings):
        if each.name == name:
            return each
    raise RefusedError(404, f"no dataset is at {name[:80]!r}; the page Data lists those there are")


class Readings:
    """What was read of datasets that nobody uploaded, until their file changes."""

    def __init__(self) -> None:
        self._known: dict[Any, Reading | str] = {}
        self._lock = threading.Lock()

    def kept(self, known: KnownDataset) -> Reading | None:
        """Return what was read before."""
        found = self._known.get(_state(known))
        return found if isinstance(found, Reading) else None

    def read(self, settings: Settings, known: KnownDataset) -> Reading | str:
        """Read a dataset, once; one at a time."""
        if known.source == UPLOADED and known.kept.facts:
            albums = read_albums(settings, known.name)
            return Reading(known.kept.facts, albums or [])
        state = _state(known)
        with self._lock:
            if state not in self._known:
                folder = uploads_folder(settings) if known.source == UPLOADED else None
                self._known[state] = read_in_new_process(
                    known.dataset, folder, settings.data_home, mapped_folder(settings.storage)
                )
            return self._known[state]


READINGS = Readings()


def studies_naming(service: Service, known: KnownDataset) -> list[str]:
    """Return the studies that are not finished and name a dataset, or a folder in it."""
    target = None if known.path is None else known.path.resolve()
    found = []
    for study in service.snapshot.refresh().studies:
        if study.status == "finished" and not study.left:
            continue
        spec = service.reader.header(study.name)["spec"]
        folder = Path(spec["folder"]) if spec.get("folder") else None
        named = path_of(str(spec["data"]["dataset"]), folder).resolve()
        if target in (named, *named.parents) or named in (target.parents if target else ()):
            found.append(study.name)
    return found


def _with_facts(known: KnownDataset) -> KnownDataset:
    held = READINGS.kept(known)
    if known.kept.facts or held is None:
        return known
    return replace(known, kept=replace(known.kept, facts=held.facts))


def _state(known: KnownDataset) -> Any:
    if known.path is None:
        return known.name
    stat = known.path.stat()
    return str(known.path), stat.st_mtime_ns, stat.st_size


def _built_in(settings: Settings) -> Iterator[KnownDataset]:
    for row in dataset_sources(_home(settings)):
        path = Path(row["file"]) if row["file"] else None
        yield KnownDataset(
            row["name"], row["name"], BUILT_IN, row["about"], row["source"] != DOWNLOADED, path
        )


def _in_home(settings: Settings) -> Iterator[KnownDataset]:
    """Yield the other files of the data home, which a study names by their whole path."""
    home = _home(settings)
    if home is None:
        return
    known = {row["file"] for row in dataset_sources(home)}
    for path in _datasets(home):
        if str(path) not in known:
            yield KnownDataset(path.name, str(path.parent / dataset_of(path)), HOME, path=path)


def _uploaded(settings: Settings) -> Iterator[KnownDataset]:
    for path in _datasets(uploads_folder(settings)):
        kept = read_about(settings, path.name)
        yield KnownDataset(path.name, dataset_of(path), UPLOADED, path=path, kept=kept)


def _datasets(folder: Path) -> Iterator[Path]:
    """Yield the ``.npz`` files, the folders of folders and those with a table of labels."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.isprintable():
            continue
        if path.is_dir():
            if (path / TABLE).is_file() or any(each.is_dir() for each in path.iterdir()):
                yield path
        elif path.name.lower().endswith(NPZ) and path.is_file():
            yield path


def _home(settings: Settings) -> Path | None:
    home = settings.data_home or os.environ.get("SWEEP_DATA_HOME")
    folder = expanded(home) if home else None
    return folder if folder is not None and folder.is_dir() else None
