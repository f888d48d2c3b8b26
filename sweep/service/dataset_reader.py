"""Read a dataset in a process of its own: what it holds, and a few of its pictures.

Damaged pictures meet their decoders, and large arrays their memory, away from the server, which
loads no TensorFlow for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 900
"""How long reading one may take."""


@dataclass(frozen=True)
class Reading:
    """What a dataset holds.

    Attributes
    ----------
    facts : mapping
        As ``sweep data NAME --format json`` prints it.
    albums : list of mapping
        Pictures as :class:`sweep.report.pictures.Album` has them.
    """

    facts: Mapping[str, Any]
    albums: list[Mapping[str, Any]]


def read_in_new_process(
    dataset: str, folder: Path | None, data_home: str | None, mapped: Path | None = None
) -> Reading | str:
    """Read a dataset as a study would by default.

    Parameters
    ----------
    dataset : str
        What a study file says.
    folder : Path or None
        Where it lies.
    data_home : str or None
        Folder with ``mnist.npz`` and the like.
    mapped : Path, optional
        Folder for rows that would take more than half of the memory: studies find them there.

    Returns
    -------
    Reading or str
        What it holds, or why it is no dataset.
    """
    asked = [dataset, str(folder or ""), data_home or "", str(mapped or "")]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "sweep.service.dataset_reader"],
            input=json.dumps(asked), capture_output=True, text=True, timeout=SECONDS, check=False,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"reading it took more than {SECONDS} s; hand in fewer or smaller pictures"
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return f"reading it ended with status {done.returncode}; see whether the memory is enough"
    return found if isinstance(found, str) else Reading(**found)


def read_here(
    dataset: str, folder: Path | None, data_home: str | None, mapped: Path | None = None
) -> Reading | str:
    """Do what :func:`read_in_new_process` does, in this process."""
    from sweep.datasets import load_dataset
    from sweep.errors import SweepError
    from sweep.evaluation.pictures import training_pictures
    from sweep.report.pictures import training_albums
    from sweep.study.answers.datasets import dataset_facts

    try:
        found = load_dataset(
            dataset, folder=folder, data_home=data_home or None, mapped_folder=mapped
        )
    except (SweepError, OSError, MemoryError) as error:
        return _without(folder, str(error) or "the memory is not enough")
    shown = training_pictures(found.x_train, found.y_train, 0)
    albums = training_albums(shown, found.class_names)
    return Reading(dataset_facts(found), [asdict(each) for each in albums])


def _without(folder: Path | None, message: str) -> str:
    """Return a message without the server's own folder in it."""
    return message if folder is None else message.replace(f"{folder}{os.sep}", "")


def main() -> None:
    """Answer on standard output what standard input asks."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    dataset, folder, data_home, mapped = json.load(sys.stdin)
    of_study, of_rows = (Path(each) if each else None for each in (folder, mapped))
    found = read_here(dataset, of_study, data_home, of_rows)
    json.dump(found if isinstance(found, str) else asdict(found), answers)


if __name__ == "__main__":
    main()
