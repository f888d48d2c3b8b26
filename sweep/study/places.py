"""Where files of a run land by default."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sweep.names import slug

NOBODYS = " index"
"""No study may be called this: names have no blanks around them."""


def report_path(study: str, start: Path | None = None) -> Path:
    """Return ``reports/<study>.html``, in sweep's own checkout ``reports/local/<study>.html``.

    A study named ``index`` leaves ``index.html`` to the list of all studies, and takes a name that
    no other study has. The checkout's
    ``reports/`` holds the committed gallery; people's own reports must not mix.
    """
    here = start or Path.cwd()
    folder = here / "reports" / "local" if _is_own_checkout(here) else here / "reports"
    name = slug(study)
    return folder / f"{slug(NOBODYS) if name == 'index' else name}.html"


def _is_own_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return project.get("project", {}).get("name") == "sweep" and (folder / "studies").is_dir()
