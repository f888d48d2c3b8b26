"""A digest of what was recorded, so that a score changed afterwards is noticed.

It guards against damage and against edits by hand, not against somebody who works it out anew.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import CELL, COPIED, DIGEST, OPENING, REASON, RESULT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

COVERED = (CELL, RESULT, REASON, COPIED)
"""Attributes of a trial that its digest covers, beside its state, values and parameters."""

WITH_DIGESTS = 2
"""The format of studies whose trials all have one."""

CHANGED = "its entry in the ledger is not what was recorded: changed or damaged since"


def has_digests(header: Mapping[str, Any]) -> bool:
    """Return whether every trial of a study that has ended must have a digest."""
    return bool(header["format"] >= WITH_DIGESTS)


def digest_of(*parts: Any) -> str:
    """Return the SHA-256 of JSON-able values, 32 characters of it."""
    said = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def trial_digest(
    state: str,
    values: Sequence[float] | None,
    params: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> str:
    """Return the digest of a trial that has ended."""
    covered = {key: attributes[key] for key in COVERED if key in attributes}
    return digest_of(state, [float(v) for v in values or ()], dict(params), covered)


def is_whole(trial: FrozenTrial, *, strict: bool = False) -> bool:
    """Return whether a trial is what was recorded.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial
        Any.
    strict : bool
        Whether one that has ended with a result or a reason must have a digest; in a ledger of an
        older version it has none.
    """
    recorded = trial.user_attrs.get(DIGEST)
    if recorded is None:
        ended = trial.state.name in ("COMPLETE", "PRUNED") or REASON in trial.user_attrs
        return not (strict and ended and trial.state.is_finished())
    return bool(
        recorded == trial_digest(trial.state.name, trial.values, trial.params, trial.user_attrs)
    )


def sealed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with its digest beside it."""
    return {**plain, DIGEST: digest_of(plain)}


def unsealed(held: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, bool]:
    """Return what :func:`sealed` was given, and whether it is still that."""
    if held is None:
        return None, True
    plain = {key: value for key, value in held.items() if key != DIGEST}
    return plain, DIGEST not in held or held[DIGEST] == digest_of(plain)


class OutcomeChecksums:
    """What a study has come to, each part as it was recorded or not at all.

    Parameters
    ----------
    attributes : mapping of str to value
        The study's.

    Attributes
    ----------
    damage : list of str
        A line for each part that is not what was recorded.
    """

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.damage: list[str] = []

    def whole(self, key: str) -> dict[str, Any] | None:
        """Return a part; None where there is none, or another than was recorded."""
        plain, whole = unsealed(self._attributes.get(key))
        if not whole:
            self.damage.append(f"the {key.removeprefix('sweep:')} recorded here was changed since")
        return plain if whole else None

    def openings(self) -> list[dict[str, Any]]:
        """Return each opening of the test set; one that was changed without its score."""
        found = []
        for key, held in self._attributes.items():
            if key.startswith(OPENING):
                plain, whole = unsealed(held)
                found.append({**(plain or {}), **({} if whole else {"score": None})})
                if not whole:
                    self.damage.append("an opening of the test set recorded here was changed since")
        return found
