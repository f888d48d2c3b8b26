"""Passwords of database addresses: found in every form, and taken out of what is shown."""

from __future__ import annotations

import os
import traceback
from urllib.parse import unquote_plus

_known: set[str] = set()


def remember(address: str) -> None:
    """Take the passwords of an address that this process uses out of all that it shows."""
    _known.update(secrets(address))


def redacted(text: str) -> str:
    """Return text without the passwords of ledgers in use, and of the one in the environment."""
    return _without(text, _known | secrets(os.environ.get("SWEEP_STORAGE", "")))


def masked(word: str) -> str:
    """Return a word of a command line without the passwords it holds itself."""
    return _without(word, secrets(word))


def shown_cause(error: BaseException) -> BaseException | None:
    """Return an error as the cause of another; None where its traceback would show a password."""
    told = "".join(traceback.format_exception(error))
    return error if redacted(told) == told else None


def secrets(address: str) -> set[str]:
    """Return every form in which the passwords of a database address may turn up."""
    scheme, _, rest = address.partition("://")
    if not rest or scheme.startswith("sqlite"):
        return set()
    place, _, query = rest.partition("?")
    found = {_password(rest), _password(place)}
    for pair in query.split("&"):
        key, _, held = pair.partition("=")
        found |= {held} if _names_secret(key) else set()
    # Where a password holds an @, SQLAlchemy takes what follows it for the host.
    found |= {f"{part}@" for each in found for part in each.split("@")[1:]}
    return {form for each in found for form in (each, unquote_plus(each), repr(each)[1:-1]) if form}


def _without(text: str, found: set[str]) -> str:
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _password(place: str) -> str:
    """Return what stands between the first colon and the last @, itself excluded."""
    user, at, _ = place.rpartition("@")
    return user.partition(":")[2] if at else ""


def _names_secret(key: str) -> bool:
    """Whether a setting is a password; ``passfile`` names the file that one is in."""
    words = ("pass", "pwd", "secret", "token")
    return key.lower() != "passfile" and any(word in key.lower() for word in words)
