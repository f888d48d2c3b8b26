"""Answers about studies, kept until the study changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sweep.ledger.ledger import Ledger
    from sweep.service.snapshot import Snapshot

T = TypeVar("T")
MOST = 64_000_000
"""Bytes of all answers that a cache keeps."""
LARGEST = 1_000_000
"""Bytes of an answer that is kept."""
OBJECTS = 5
"""So many times the length of its text an answer of objects takes in memory (measured)."""


class Kept:
    """Answers up to so many bytes; of more, those that were asked for last."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Any:
        """Return an answer; None where there is none."""
        if key not in self._answers:
            return None
        self._answers.move_to_end(key)
        return self._answers[key][0]

    def put(self, key: Hashable, answer: Any, size: int) -> None:
        """Keep an answer of so many bytes in place of the one that was there."""
        self._bytes += size - self._answers.pop(key, (None, 0))[1]
        self._answers[key] = answer, size
        while self._bytes > MOST:
            self._bytes -= self._answers.popitem(last=False)[1][1]


def size_of(answer: Any) -> int:
    """Return about how many bytes an answer takes."""
    return len(answer) if isinstance(answer, bytes | str) else OBJECTS * len(repr(answer))


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
        self._kept = Kept()
        self._lock = threading.Lock()

    def get(self, name: str, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question about a study, from before if nothing has changed.

        Raises
        ------
        StudyNotFoundError
            If there is no such study.
        """
        state, key = self._ledger.state(name), (name, question)
        with self._lock:
            before = self._kept.get(key)
        if before is not None and before[0] == state:
            kept: T = before[1]
            return kept
        made = make()  # reads the study later than its state, so it is never older
        if (size := size_of(made)) <= LARGEST:
            with self._lock:
                self._kept.put(key, (state, made), size)
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
        self._kept = Kept()
        self._lock = threading.Lock()

    async def soon(self, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question as :meth:`get`, which makes a new one in a thread."""
        before, _ = self._before(question)
        return await run_sync(self.get, question, make) if before is None else before[0]

    def get(self, question: Hashable, make: Callable[[], T]) -> T:
        """Return the answer to a question, from before if nothing has changed since."""
        before, number = self._before(question)
        if before is not None:
            kept: T = before[0]
            return kept
        made = make()
        size = size_of(made)
        with self._lock:
            if number == self._number:
                self._kept.put(question, (made,), size)
        return made

    def _before(self, question: Hashable) -> tuple[tuple[Any] | None, int]:
        number = self._snapshot.copy.number
        with self._lock:
            if number != self._number:
                self._number, self._kept = number, Kept()
            return self._kept.get(question), number
