"""Answers about studies, kept until the study changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.storage.queries import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sweep.ledger.ledger import Ledger
    from sweep.service.snapshot import Snapshot

T = TypeVar("T")
MOST = 512
LARGEST = 1_000_000
"""Bytes of an answer that is kept."""


class AnswersCache:
    """Keep answers by study and question; one that belongs to an older state is made anew.

    The state is asked of the ledger: a study's numbers in the list stay as they are when its
    importances, its nested estimate or another failure arrive.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._held: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question about a study, from before if nothing has changed.

        Raises
        ------
        StudyNotFoundError
            If there is no such study.
        """
        state, key = self._ledger.query(name, state_of), (name, question)
        with self._lock:
            before = self._held.get(key)
            if before is not None and before[0] == state:
                self._held.move_to_end(key)
                kept: T = before[1]
                return kept
        made = make()  # reads the study later than its state, so it is never older
        if not isinstance(made, bytes | str) or len(made) <= LARGEST:
            with self._lock:
                self._held[key] = (state, made)
                self._held.move_to_end(key)
                while len(self._held) > MOST:
                    self._held.popitem(last=False)
        return made


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
            if number != self._number:
                self._number, self._held = number, {}
            if question in self._held:
                kept: T = self._held[question]
                return kept
        made = make()
        with self._lock:
            if number == self._number:
                if len(self._held) >= MOST:
                    self._held.clear()
                self._held[question] = made
        return made
