"""Where files of a run land by default."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from sweep import __distribution__
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Iterable


def report_path(study: str, start: Path | None = None) -> Path:
    """Return ``reports/<study>.html``, in sweep's own checkout ``reports/local/<study>.html``.

    The checkout's ``reports/`` holds the committed gallery; people's own reports must not mix.
    """
    here = start or Path.cwd()
    folder = here / "reports" / "local" if _is_own_checkout(here) else here / "reports"
    return folder / f"{slug(study)}.html"


def comparison_path(studies: Iterable[str]) -> Path:
    """Return where studies are compared: no study's report, for names have no tabs."""
    return report_path("\tvs\t".join(studies))


def _is_own_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return (
        project.get("project", {}).get("name") == __distribution__ and (folder / "studies").is_dir()
    )
