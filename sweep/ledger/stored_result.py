"""A trial's result as the text that the ledger holds: decoded when somebody asks for it.

Decoded results of 100,000 trials would fill gigabytes, and most questions need a few numbers of
each: those are taken out once, when the trial is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from sweep.ledger.codec import layers_from_plain, splits_from_plain
from sweep.ledger.fit_columns import columns_from_plain
from sweep.ledger.records import SplitResult
from sweep.storage.json_text import loads
from sweep.support.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")
Part = Literal["splits", "layers"]
KEPT = 2048
"""Decoded results that are kept: those of a study of usual size."""


class _Stored(Sequence[T]):
    """A part of a result; it equals the tuple that it stands for."""

    __slots__ = ("_count", "text")
    part = ""

    def __init__(self, text: str, count: int) -> None:
        self.text, self._count = text, count

    def _decoded(self) -> tuple[T, ...]:
        found: tuple[T, ...] = decoded(self.text)[self.part]
        return found

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self._decoded()[place]

    def __iter__(self) -> Any:
        return iter(self._decoded()) if self._count else iter(())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return repr(self._decoded())


class StoredLayers(_Stored[Layer]):
    """The model's layers."""

    __slots__ = ()
    part = "layers"


class StoredSplits(_Stored[SplitResult]):
    """The results of a trial's fits, and their columns after the epochs that were asked for."""

    __slots__ = ("columns",)
    part = "splits"

    def __init__(
        self, text: str, plain: Sequence[Mapping[str, Any]], epochs: Iterable[int]
    ) -> None:
        super().__init__(text, len(plain))
        self.columns = {epoch: columns_from_plain(plain, epoch) for epoch in epochs}


@lru_cache(maxsize=KEPT)
def decoded(text: str) -> dict[str, tuple[Any, ...]]:
    """Return the splits and the layers of a result."""
    plain = loads(text)
    return {
        "splits": splits_from_plain(plain.get("splits", [])),
        "layers": layers_from_plain(plain.get("layers", [])),
    }


def stored_result(
    text: str, epochs: Iterable[int]
) -> tuple[int | None, Sequence[SplitResult], Sequence[Layer]]:
    """Return a result's weights, splits and layers; it must be what was recorded.

    Parameters
    ----------
    text : str
        What the ledger holds.
    epochs : iterable of int
        The epochs that tables will ask for.
    """
    plain = loads(text)
    splits, layers = plain.get("splits", []), plain.get("layers", [])
    found = StoredSplits(text, splits, epochs), StoredLayers(text, len(layers))
    return (plain.get("parameters"), *found)
