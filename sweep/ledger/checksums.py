"""Digests of recorded results, which show that a score was changed later.

They detect damage and edits by hand, not somebody who also computes a new digest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import CELL, COPIED, DIGEST, OPENING, REASON, RESULT
from sweep.storage.json_text import canonical
from sweep.storage.stored_trial import StoredTrial, result_of

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
    return _digest(canonical(values))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def trial_digest(
    state: str,
    values: Sequence[float] | None,
    params: Mapping[str, Any],
    attributes: Mapping[str, Any],
    result: str | None = None,
) -> str:
    """Return the digest of a finished trial.

    Parameters
    ----------
    state : str
        Its state.
    values : sequence of float or None
        One for each objective.
    params, attributes : mapping of str to value
        Its parameters and user attributes, as Optuna has them.
    result : str, optional
        The canonical JSON of the result, in place of the one among the attributes: encoding it
        takes most of the time.
    """
    left_out = () if result is None else (RESULT,)
    covered = {key: attributes[key] for key in COVERED if key in attributes and key not in left_out}
    text = canonical([state, [float(v) for v in values or ()], dict(params), covered])
    if result is not None:  # the last of the sorted names of COVERED
        text = f'{text[:-2]}{"," if covered else ""}"{RESULT}":{result}}}]'
    return _digest(text)


def is_whole(trial: FrozenTrial | StoredTrial, *, strict: bool = False) -> bool:
    """Return whether a trial is unchanged since it was recorded.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial or StoredTrial
        A trial in any state.
    strict : bool
        Whether a trial with a result or a reason must have a digest; in ledgers of older versions
        it has none.
    """
    recorded = trial.user_attrs.get(DIGEST)
    if recorded is None:
        ended = trial.state.name in ("COMPLETE", "PRUNED") or REASON in trial.user_attrs
        return not (strict and ended and trial.state.is_finished())
    held = trial.state.name, trial.values, trial.params, trial.user_attrs
    if isinstance(trial, StoredTrial) and trial.result is not None:
        if recorded == trial_digest(*held, trial.result):
            return True
        # older versions did not store it in canonical form
        return bool(recorded == trial_digest(*held, canonical(result_of(trial))))
    return bool(recorded == trial_digest(*held))


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
