"""What a fit has measured, as the ledger holds it: each field is decoded when it is asked for.

A study of 100,000 trials of five splits has half a million of them, and most questions need their
scores alone.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sweep.ledger.records import SplitResult

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_EPOCH = ("test", "train", "seconds", "losses")
"""Fields of a split's result that are mappings by epoch."""

BY_SCORER = ("others", "train_others")
"""Those that are mappings by scorer, then by epoch."""


class StoredSplit(SplitResult):
    """A split's result that is decoded field by field; it equals one that was made at once."""

    @classmethod
    def read(cls, plain: Mapping[str, Any], number: int = 0) -> StoredSplit:
        """Return the result that the ledger holds; ``number`` counts where its split has none."""
        made = cls.__new__(cls)
        held = made.__dict__
        held["_plain"] = plain
        held["score_seconds"] = plain["score_seconds"]
        held["n_test"] = plain["n_test"]
        held["split"] = plain.get("split", number)
        held["seed"] = plain.get("seed", 0)
        held["inference_ms"] = plain.get("inference_ms")
        if "unrepeatable" in plain:
            held["unrepeatable"] = plain["unrepeatable"]
        if "start" in plain:
            held["start"] = plain["start"]
        if "taken" in plain:
            held["taken"] = tuple(plain["taken"])
        return made

    def __getattr__(self, name: str) -> Any:
        """Decode a field that is asked for the first time."""
        found: Any
        if name in BY_EPOCH:
            found = _by_epoch(self._plain.get(name, {}))
        elif name == "history":
            found = history_from_plain(self._plain["history"])
        elif name in BY_SCORER:
            scorers = self._plain.get(name, {}).items()
            found = {scorer: _by_epoch(scores) for scorer, scores in scorers}
        else:
            raise AttributeError(name)
        self.__dict__[name] = found
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SplitResult):
            return NotImplemented
        return values_of(self) == values_of(other)

    __hash__ = None  # type: ignore[assignment]


def values_of(split: SplitResult) -> tuple[Any, ...]:
    """Return all fields of a result, decoded."""
    return tuple(getattr(split, field.name) for field in fields(SplitResult))


def history_from_plain(plain: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """Read a training history."""
    return {name: tuple(values) for name, values in plain.items()}


def _by_epoch(plain: Mapping[str, Any]) -> dict[float, Any]:
    """Read a mapping by epoch, ascending: canonical JSON has 10 before 2.

    A number below 1 is a share of the first epoch.
    """
    found = {int(e) if e.isdecimal() else float(e): value for e, value in plain.items()}
    return found if len(found) < 2 else dict(sorted(found.items()))
