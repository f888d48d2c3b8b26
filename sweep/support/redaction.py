"""Find passwords of database addresses in every form, and remove them from all messages.

A mistyped address would be read as the name of a file and shown with its password. So a text that
looks like an address but is not valid is refused, and no part of it is shown.
"""

from __future__ import annotations

import os
import re
import traceback
from urllib.parse import unquote, unquote_plus

_known: set[str] = set()

REMEDY = (
    "this looks like a database address and is none that can be read (it is not shown, for it may "
    "hold a password); write postgresql://USER:PASSWORD@HOST:5432/DATABASE, in small letters, "
    "without quotes and spaces, in USER and PASSWORD @ as %40, : as %3A, / as %2F, ? as %3F and % "
    "as %25; give it in SWEEP_STORAGE, or in a file that SWEEP_STORAGE_FILE names. A file whose "
    "name looks so is written with ./ before it"
)
"""The message for a mistyped address."""

# Not compiled here: `re` compiles and caches a pattern at its first use; most commands need none.
_ADDRESS = r"[a-z][a-z0-9+]*://[^\s'\"]+"
_DATABASES = "postgres|postgresql|postgre|mysql|mariadb|oracle|mssql|cockroachdb|redshift|sqlite"
_SCHEME = rf"(?i)({_DATABASES})(\+\w+)?\s*(:|//|\\)"
_USER = r"/*[^\s/:@]*:[^\s@]+@"
_PORT = r"[a-z][a-z0-9+]*://(?:[^:/@]*(:[^@]*)?@)?+(\[[^\]]*\]|[^\[/:@?]*):(?!\d*([/?]|$))"
_SETTING = (
    r"(?i)(^|[\s;?&,])(host|hostaddr|server|port|dbname|database|user|username|user id|service|"
    r"sslmode|passfile)\s*="
)
_CREDENTIAL = (
    r"(?i)(^|[\s;?&,'\"])((pg|ssl|db_|database_)?(pass\w*|pwd?|pw)|secret|\w*token|api_?key|credential\w*|auth)\s*="
    r"\s*('[^']*'|\"[^\"]*\"|[^\s;&]*)"
)

_SHOWN_ADDRESS = r"(?i)((?:\b[a-z][a-z0-9+.-]*:/{0,3}|//)[^\s:/@'\"\\]*:)(?!PASSWORD@)[^\s'\"\\]+@"
_SHOWN_USER = r"(?<![\w/])([\w.+-]+:)[^\s:@/'\"\\]+@(?=[\w/\[])"
_SHOWN_CREDENTIAL = (
    r"(?i)((?:password|passwd|passphrase|passwort|pwd)\s*=\s*)"
    r"""(?:'[^'"\\\n]*'|(\\?["']?)[^\s&;,'"\\*]+)"""
)
_SHOWN_ENCODED = rf"(?i)\b({_DATABASES})\w*%3A(%2F)*\S*?%40[^\s'\"]*"


def remember(address: str) -> None:
    """Register the passwords of an address: :func:`redacted` then removes them from any text."""
    _known.update(secrets(address))


def redacted(text: str) -> str:
    """Return text without the passwords of ledgers and of anything that looks like an address."""
    return scrubbed(_without(text, _known | secrets(os.environ.get("SWEEP_STORAGE", ""))))


def masked(word: str) -> str:
    """Return a word of a command line without the passwords in it."""
    option, equals, given = word.partition("=")
    if option.startswith("-") and equals:
        return f"{option}={masked(given)}"
    return scrubbed(_without(word, secrets(word)))


def scrubbed(text: str) -> str:
    """Return text without the passwords of any addresses in it, valid or not."""
    text = re.sub(_SHOWN_ADDRESS, r"\1***@", text)
    text = re.sub(_SHOWN_USER, r"\1***@", text)
    text = re.sub(_SHOWN_CREDENTIAL, r"\1\2***", text)
    return re.sub(_SHOWN_ENCODED, "***", text)


def mistyped(address: str) -> bool:
    """Return whether a text looks like a database address but is not valid, and is not a path."""
    if address.startswith("sqlite:///"):
        return False
    plain = unquote(address).strip(" \t\r\n'\"")
    if re.search(_CREDENTIAL, plain) and not re.fullmatch(_ADDRESS, address):
        return True
    if re.fullmatch(_ADDRESS, address):
        return bool(re.match(_PORT, address))
    if re.match(r"~/|\.{0,2}/(?!/)", address) and not re.match(_USER, plain):
        return False
    return bool(
        "://" in plain
        or re.match(_SCHEME, plain)
        or re.match(_USER, plain)
        or re.search(_SETTING, plain)
    )


def shown_cause(error: BaseException) -> BaseException | None:
    """Return an error as the cause of another; None if its traceback would show a password."""
    text = "".join(traceback.format_exception(error))
    return error if redacted(text) == text else None


def secrets(address: str) -> set[str]:
    """Return every form in which the passwords of a database address may appear in texts."""
    if not address or (address.startswith("sqlite:///") and not mistyped(address)):
        return set()
    if mistyped(address):
        return _parts(address)
    _, _, rest = address.partition("://")
    place, _, query = rest.partition("?")
    found = {_password(rest), _password(place)}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        found |= {value} if _names_secret(key) else set()
    # If a password has an @, SQLAlchemy reads the rest of it as the host.
    found |= {f"{part}@" for each in found for part in each.split("@")[1:]}
    return {form for each in found for form in (each, unquote_plus(each), repr(each)[1:-1]) if form}


def _parts(address: str) -> set[str]:
    """Return the forms in which a mistyped address may appear: whole, and its secret parts."""
    forms = {address, address.strip(), unquote(address), repr(address)[1:-1]}
    forms |= {form.replace("//", "/") for form in forms}  # as a path
    for form in (address, unquote(address)):
        forms |= {found[5].strip("'\"") for found in re.finditer(_CREDENTIAL, form)}
        place, at, _ = form.rpartition("@")
        forms |= {place.rpartition(":")[2]} if at and ":" in place else set()
        forms |= {form.rpartition(":")[2].partition("/")[0]} if re.match(_PORT, form) else set()
    return {form for form in forms if form}


def _without(text: str, found: set[str]) -> str:
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _password(place: str) -> str:
    """Return the text between the first colon and the last @."""
    user, at, _ = place.rpartition("@")
    return user.partition(":")[2] if at else ""


def _names_secret(key: str) -> bool:
    """Return whether a setting is a password; ``passfile`` is only the name of a file with one."""
    words = ("pass", "pwd", "pw", "secret", "token", "apikey", "api_key", "auth", "credential")
    return key.lower() != "passfile" and any(word in key.lower() for word in words)
