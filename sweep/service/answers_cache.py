"""Answers about studies, kept until the study changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sweep.service.snapshot import Snapshot

T = TypeVar("T")
MOST = 512
LARGEST = 1_000_000
"""Bytes of an answer that is kept."""


class AnswersCache:
    """Keep answers by study and question; one that belongs to an older state is made anew.

    Parameters
    ----------
    snapshot : Snapshot
        Says in which state a study is.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._held: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question about a study, from before if nothing has changed."""
        state, key = self._state(name), (name, question)
        with self._lock:
            before = self._held.get(key)
            if before is not None and before[0] == state:
                self._held.move_to_end(key)
                kept: T = before[1]
                return kept
        made = make()
        if state is not None and (not isinstance(made, bytes | str) or len(made) <= LARGEST):
            with self._lock:
                self._held[key] = (state, made)
                while len(self._held) > MOST:
                    self._held.popitem(last=False)
        return made

    def _state(self, name: str) -> Any:
        """Return what a study's answers depend on: its numbers, without the signs of life."""
        found = self._snapshot.copy.by_name.get(name)
        return None if found is None else replace(found, last_sign=None, hosts=())


class MomentCache:
    """Keep what was made of one copy of the studies, as long as that is the newest.

    For lists and pages, which show more than one study, or what runs now.

    Parameters
    ----------
    snapshot : Snapshot
        Has the newest copy.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._number = -1
        self._held: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question, from before if nothing has changed since."""
        number = self._snapshot.copy.number
        with self._lock:
            if number != self._number or len(self._held) > MOST:
                self._number, self._held = number, {}
            if question in self._held:
                kept: T = self._held[question]
                return kept
        made = make()
        with self._lock:
            if number == self._number:
                self._held[question] = made
        return made
