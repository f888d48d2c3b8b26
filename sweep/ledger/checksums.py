"""Digests of recorded results, which show that a score was changed later.

They detect damage and edits by hand, not somebody who also computes a new digest.
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
    """Return whether every finished trial of a study must have a digest."""
    return bool(header["format"] >= WITH_DIGESTS)


def digest_of(*values: Any) -> str:
    """Return the first 32 characters of the SHA-256 of JSON-able values."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def trial_digest(
    state: str,
    values: Sequence[float] | None,
    params: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> str:
    """Return the digest of a finished trial."""
    covered = {key: attributes[key] for key in COVERED if key in attributes}
    return digest_of(state, [float(v) for v in values or ()], dict(params), covered)


def is_whole(trial: FrozenTrial, *, strict: bool = False) -> bool:
    """Return whether a trial is unchanged since it was recorded.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial
        A trial in any state.
    strict : bool
        Whether a trial with a result or a reason must have a digest; in ledgers of older versions
        it has none.
    """
    recorded = trial.user_attrs.get(DIGEST)
    if recorded is None:
        ended = trial.state.name in ("COMPLETE", "PRUNED") or REASON in trial.user_attrs
        return not (strict and ended and trial.state.is_finished())
    return bool(
        recorded == trial_digest(trial.state.name, trial.values, trial.params, trial.user_attrs)
    )


def with_digest(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with its digest added."""
    return {**plain, DIGEST: digest_of(plain)}


def without_digest(stored: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, bool]:
    """Return a stored record without its digest, and whether the record is unchanged."""
    if stored is None:
        return None, True
    plain = {key: value for key, value in stored.items() if key != DIGEST}
    return plain, DIGEST not in stored or stored[DIGEST] == digest_of(plain)


class OutcomeChecksums:
    """Check the outcomes of a study (winner, nested estimate, openings) against their digests.

    Parameters
    ----------
    attributes : mapping of str to value
        The study's user attributes.

    Attributes
    ----------
    damage : list of str
        A message for each outcome that was changed.
    """

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.damage: list[str] = []

    def checked(self, key: str) -> dict[str, Any] | None:
        """Return an outcome; None where there is none, or where it was changed."""
        plain, unchanged = without_digest(self._attributes.get(key))
        if not unchanged:
            self.damage.append(f"the {key.removeprefix('sweep:')} recorded here was changed since")
        return plain if unchanged else None

    def openings(self) -> list[dict[str, Any]]:
        """Return each opening of the test set; without the scores where it was changed."""
        found = []
        for key, stored in self._attributes.items():
            if key.startswith(OPENING):
                plain, unchanged = without_digest(stored)
                told: dict[str, Any] = {} if unchanged else {"score": None, "other_scores": {}}
                found.append({**(plain or {}), **told})
                if not unchanged:
                    self.damage.append("an opening of the test set recorded here was changed since")
        return found
