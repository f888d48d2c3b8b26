"""Libraries that only a screen needs."""

from __future__ import annotations

from importlib.util import find_spec

from sweep.errors import ResultError


def needed(library: str) -> None:
    """Refuse where a library is missing.

    Raises
    ------
    ResultError
        Naming the extra of the same name, which brings it.
    """
    if find_spec(library) is None:
        raise ResultError(
            f'--to {library} needs an extra: pip install ".[{library}]" in a checkout of sweep'
        )
