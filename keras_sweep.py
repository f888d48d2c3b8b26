"""The way into the command ``sweep``: it makes sure that ``import sweep`` means this project.

The distribution is ``keras-sweep``, its package ``sweep``. The distribution ``sweep`` of the
package index is another project's, and its package has the same name: in one environment the later
one writes over files of the earlier one, and without a word.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

MARK = b'__distribution__ = "keras-sweep"'
"""A line of our own ``sweep/__init__.py``."""
SUMMARY = "Summary: Hyperparameter sweeps for Keras image models"
"""In checkouts from before the new name our own metadata are called ``sweep`` too."""
REMEDY = (
    "both cannot be in one environment: python -m pip uninstall sweep keras-sweep, "
    "then install keras-sweep again"
)


def main() -> None:
    """Run the command line; refuse where another project has taken the name of the package."""
    if (place := imported()) is None or MARK not in place.read_bytes():
        found = f"is {place}, of another project" if place else "finds no whole package"
        sys.stderr.write(f"error: `import sweep` {found}, not of keras-sweep; {REMEDY}\n")
        sys.exit(2)
    for other in others():
        sys.stderr.write(
            f"note: {other} is another project with a package named sweep; uninstalling it takes "
            f"files of keras-sweep with it; {REMEDY}\n"
        )
    from sweep.cli import main as run

    run()


def imported() -> Path | None:
    """Return the file that ``import sweep`` would run, without running it."""
    spec = find_spec("sweep")
    place = Path(spec.origin) if spec and spec.origin else None
    return place if place and place.is_file() else None


def others() -> list[Path]:
    """Return the metadata of other installed distributions named ``sweep``."""
    sites = [Path(p) for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
    found = [folder for site in sites for folder in site.glob("sweep-*.dist-info")]
    return [folder for folder in found if SUMMARY not in _metadata(folder)]


def _metadata(folder: Path) -> str:
    try:
        return (folder / "METADATA").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
