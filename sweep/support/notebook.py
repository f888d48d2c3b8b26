"""What is drawn in a notebook: whether there is one, and colours for a page that is not ours."""

from __future__ import annotations

import sys
import warnings

COLOURS = (
    "--fg: currentColor; --muted: #808080; --rule: #80808040; --bg: transparent; "
    "--accent: #3b82c4; --ghost: #9a9a9a; --s2: #c96a2b; --s3: #3f9a6b; --s4: #8a63c9; "
    "--s5: #b5863a; --s1: var(--accent)"
)
"""Colours of figures where no page of ours sets them: readable on light and dark."""


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def ignore_missing_widgets() -> None:
    """Keep out of a notebook what Optuna's progress bar says of widgets that nobody asked for."""
    if in_notebook():
        warnings.filterwarnings("ignore", message="IProgress not found")
