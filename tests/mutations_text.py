"""Rules that break the text of a study file: each takes bytes and what draws, and returns bytes."""

from __future__ import annotations

import string

TEXT_RULES = {}
PIECES = (
    "[", "]", "{", "}", '"', "'", "=", "\n", "#", ",", ".", "-1", "nan", "inf", '"""', "'''",
    "\0", "\x1b", "\u202e", "[[", "]]", "\\", "\\u0000", "[study]", "x = 1\n", "\r", "é",
    "\U0001f9ea",
)  # fmt: skip


def rule(function):
    """Keep a rule under its own name."""
    TEXT_RULES[function.__name__] = function
    return function


def _place(raw, rng, longest=8):
    start = rng.randrange(len(raw) + 1)
    return start, min(len(raw), start + rng.randrange(1, longest))


def _lines(raw, rng):
    lines = raw.split(b"\n")
    return lines, rng.randrange(len(lines))


@rule
def dropped_characters(raw, rng):
    start, end = _place(raw, rng)
    return raw[:start] + raw[end:]


@rule
def inserted_characters(raw, rng):
    start, _ = _place(raw, rng)
    return raw[:start] + rng.choice(PIECES).encode() + raw[start:]


@rule
def overwritten_characters(raw, rng):
    start, end = _place(raw, rng)
    letters = "".join(rng.choice(string.printable) for _ in range(end - start))
    return raw[:start] + letters.encode() + raw[end:]


@rule
def flipped_bit(raw, rng):
    at = rng.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << rng.randrange(8))]) + raw[at + 1 :]


@rule
def file_cut_short(raw, rng):
    return raw[: rng.randrange(len(raw))]


@rule
def lost_line(raw, rng):
    lines, at = _lines(raw, rng)
    return b"\n".join(lines[:at] + lines[at + 1 :])


@rule
def repeated_line(raw, rng):
    lines, at = _lines(raw, rng)
    return b"\n".join(lines[:at] + [lines[at]] * 2 + lines[at + 1 :])


@rule
def lines_out_of_order(raw, rng):
    lines, at = _lines(raw, rng)
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


@rule
def byte_order_mark(raw, rng):
    return rng.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf" * 2]) + raw


@rule
def nul_bytes(raw, rng):
    start, _ = _place(raw, rng)
    return raw[:start] + b"\0" * rng.randrange(1, 4) + raw[start:]


@rule
def other_encoding(raw, rng):
    text = raw.decode("utf-8", "replace") + rng.choice(["", '# "é"\n', "# \u20ac\n"])
    return text.encode(rng.choice(["utf-16", "utf-32", "latin-1", "utf-7", "cp1252"]), "replace")


@rule
def other_line_ends(raw, rng):
    return raw.replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n", b"\x0b", b"\xe2\x80\xa8"]))


@rule
def very_long_text(raw, rng):
    start = raw.find(b"\n") + 1
    length = rng.choice([200, 10_000, 500_000, 1_100_000])
    long = rng.choice([b"# %s\n", b'long = "%s"\n', b"%s = 1\n", b'[study]\nname = "%s"\n'])
    return raw[:start] + long.replace(b"%s", b"x" * length) + raw[start:]


@rule
def deep_nesting(raw, rng):
    depth = rng.choice([9, 50, 900, 20_000])
    opened, closed = rng.choice([(b"[", b"]"), (b"{ a = ", b" }"), (b"[", b""), (b"{", b"")])
    return raw + b"\n[deep]\nx = " + opened * depth + b"1" + closed * depth + b"\n"


@rule
def deep_keys(raw, rng):
    name = b".".join([b"a"] * rng.choice([3, 9, 900, 5_000]))
    return raw + rng.choice([b"\n[%s]\n" % name, b"\n%s = 1\n" % name, b"\n[[%s]]\nx = 1\n" % name])


@rule
def many_keys(raw, rng):
    header = rng.choice([b"[deep]", b"[search.start]", b"[[search.start]]", b"[space.x]"])
    return raw + b"\n" + header + b"\n" + b"".join(b"k%d = %d\n" % (i, i) for i in range(5_000))


@rule
def random_bytes(raw, rng):
    noise = bytes(rng.randrange(256) for _ in range(rng.randrange(40)))
    return rng.choice([noise, raw + noise, noise + raw])
