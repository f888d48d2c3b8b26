"""Passwords, hostile names, formulas: what must not get out, or through."""

from __future__ import annotations

import json
import math
import os
import traceback
from pathlib import Path

import commands
import pytest
from commands import process, read, sweep
from ledgers import build

import sweep as sweep_package
from sweep.cli.text import clean
from sweep.errors import LedgerError
from sweep.support.redaction import mistyped, redacted, secrets
from sweep.support.spreadsheet import csv_text, guarded, json_value

HEAVY = ("numpy", "pandas", "optuna", "sklearn", "tensorflow", "keras", "scipy", "matplotlib")

here = commands.here


ADDRESSES = [
    "mysql://me:s3cret@db/sweep",
    "mysql://me:p%40s3cret@db/sweep",
    "mysql://me:p@s3cret@db/sweep",
    "postgresql://me:s3cret?x@db/sweep",
    "postgresql://me:s3cret/x@db/sweep",
    "postgresql://db/sweep?user=me&password=s3cret",
    "postgresql://db/sweep?sslpassword=s3%20cret",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_password_on_the_command_line_is_refused(here, address):
    """An address with a password is refused with the remedy, and not repeated."""
    result = sweep("list", "--storage", address)
    assert result.exit_code == 2
    assert "SWEEP_STORAGE" in result.stderr
    assert "s3" not in result.stderr


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("verbose", [(), ("-v", "--log-file", "log")])
def test_password_appears_nowhere(here, monkeypatch, address, verbose):
    """The password of SWEEP_STORAGE is in no message, traceback or log."""
    monkeypatch.setenv("SWEEP_STORAGE", address)
    result = sweep(*verbose, "list")
    log = Path("log").read_text() if Path("log").exists() else ""
    assert result.exit_code == 2
    assert "s3" not in result.output + log


def test_refused_password_is_not_logged(here):
    """The log holds the command without the password that made it refused."""
    sweep("--log-file", "log", "list", "--storage", ADDRESSES[0])
    text = Path("log").read_text()
    assert "mysql://me:***@db/sweep" in text
    assert "s3" not in text


def test_addresses_without_password():
    """Files and addresses without password hold no secret."""
    addresses = [
        "",
        "./a:b@c.db",
        "sqlite:////tmp/a:b@c.db",
        "mysql://me@db/x",
        "mysql://db:3306/x",
    ]
    assert [secrets(address) for address in addresses] == [set()] * 5


MISTYPED = [
    "postgresql:/me:s3cret@db/sweep",
    "postgresql:me:s3cret@db/sweep",
    "postgresql//me:s3cret@db/sweep",
    "postgresql+psycopg2//me:s3cret@db/sweep",
    "postgres:me:s3cret@db",
    "POSTGRESQL://me:s3cret@db/sweep",
    "PostgreSQL:/me:s3cret@db/sweep",
    "me:s3cret@db/sweep",
    "//me:s3cret@db/sweep",
    "host=db user=me password=s3cret dbname=sweep",
    "password='s3 cret' host=db",
    "PGPASSWORD=s3cret",
    "Server=db;Password=s3cret",
    "db/sweep?password=s3cret",
    "/db/sweep?user=me&password=s3cret",
    "postgresql%3A%2F%2Fme%3As3cret%40db%2Fsweep",
    "'postgresql://me:s3cret@db/sweep'",
    '"postgresql://me:s3cret@db/sweep"',
    " postgresql://me:s3cret@db/sweep",
    "postgresql://me:s3cret@db/sweep password=s3cret",
    "postgresql ://me:s3cret@db/sweep",
    "sqlite+pysqlcipher:/:s3cret@/sweep.db",
    "postgresql://me:s3cret",
    "postgresql://me:s3cret/db/sweep",
    "/me:s3cret@db/sweep",
    "me:s3cret@/sweep",
    "~me:s3cret@db/sweep",
    "db/sweep?pass=s3cret",
    "host=db passphrase=s3cret",
]


@pytest.mark.parametrize("address", MISTYPED)
@pytest.mark.parametrize("way", ["option", "equals", "environment", "file", "python"])
def test_a_mistyped_address_is_refused_and_never_shown(here, monkeypatch, way, address):
    """No file of that name is made; what an address looks like is said, and no part of it."""
    words = ["-v", "--log-file", "log", "list"]
    if way == "python":
        with pytest.raises(LedgerError) as caught:
            sweep_package.open_study("a", address)
        said, status = "".join(traceback.format_exception(caught.value)), 2
    else:
        if way == "environment":
            monkeypatch.setenv("SWEEP_STORAGE", address)
        if way == "file":
            (here / "address").write_text(f"{address}\n")
            monkeypatch.setenv("SWEEP_STORAGE_FILE", "address")
        given = {"option": ["--storage", address], "equals": [f"--storage={address}"]}
        result = sweep(*words, *given.get(way, []))
        said, status = result.output + Path("log").read_text(), result.exit_code
    if way == "file" and address[0] == " ":
        return  # spaces around a line of a file are no part of it
    assert status == 2
    assert "postgresql://USER:PASSWORD@HOST:5432/DATABASE" in said
    assert "s3" not in said
    assert {each.name for each in here.iterdir()} <= {"log", "address"}


@pytest.mark.parametrize(
    "word", ["ledger.db", "./a:b@c.db", "/srv/postgresql/l.db", "postgres/l.db", "~/user=x/l.db",
             "sqlite:////tmp/a:b@c.db", "sqlite:///my ledger.db", "runs/2024-01-01T10:00.db",
             "postgresql://db/sweep", "postgresql+psycopg://me@db:5432/sweep?sslmode=require"]
)  # fmt: skip
def test_a_file_or_an_address_is_not_called_mistyped(word):
    """Plain paths, addresses of files and of servers are taken as they stand."""
    assert not mistyped(word)


@pytest.mark.parametrize(
    "text",
    [
        'connection to "postgresql://me:s3cret@db/x" failed',
        "could not connect to postgresql:/me:s3cret@db/x",
        "(psycopg.OperationalError) host=db password=s3cret dbname=x",
        "connect(password='s3 cret', user='me')",
        "PGPASSWORD=s3cret psql",
        "no study named postgresql%3A%2F%2Fme%3As3cret%40db",
        '{"said": "password=\\"s3cret\\" and so on", "more": 1}',
    ],
)
def test_an_address_in_any_text_is_shown_without_its_password(text):
    """Also one that is no ledger's: of a driver's error, of code of one's own."""
    assert "s3" not in redacted(text)
    assert redacted(redacted(text)) == redacted(text)
    assert text[0] != "{" or json.loads(redacted(text))["more"] == 1


@pytest.mark.parametrize("address", [MISTYPED[0], "postgresql://me:s3cret@db/x", MISTYPED[9]])
@pytest.mark.parametrize("command", ["check", "show", "data", "models", "export", "dashboard"])
def test_an_address_in_the_wrong_place_is_not_shown(here, command, address):
    """As a study, a file, a dataset, a model: refused, and its password is in no message."""
    result = sweep("-v", "--log-file", "log", command, address)
    assert result.exit_code == 2
    assert "s3" not in result.output + Path("log").read_text()


def test_a_study_with_a_password_in_it_is_refused(here):
    """In a value or a comment: the ledger would keep it, and a report show it."""
    for line in ('description = "mysql://me:s3cret@db"', "# host=db password=s3cret"):
        (here / "a.toml").write_text(f'[study]\n{line}\n[data]\ndataset = "digits"\n')
        result = sweep("check", "a.toml")
        assert result.exit_code == 2
        assert "line 2: looks like an address with a password" in result.stderr
        assert "s3" not in result.output


def test_redacted(monkeypatch):
    """A password is taken out in each form in which it may turn up."""
    monkeypatch.setenv("SWEEP_STORAGE", "mysql://me:p%40q@db/x")
    assert redacted("raw p%40q, plain p@q") == "raw ***, plain ***"


HOSTILE = "[red]=1+1[/red] :smile: <b>"


def test_hostile_names_stay_text(here):
    """Markup, emoji codes and brackets in a name are printed as they are."""
    build(here / "l.db", HOSTILE)
    for command in (["list"], ["show", HOSTILE], ["best", HOSTILE]):
        assert HOSTILE in read(*command, "--storage", "l.db")


def test_control_characters_are_taken_out():
    """Nothing that a terminal would obey gets through."""
    assert clean("a\x1b[31mb\u202ec\nd\x07") == "a?[31mb?c?d?"


def test_csv_guards_formulas():
    """Cells that a spreadsheet would calculate get an apostrophe; numbers do not."""
    formulas = ["=1+1", "+x", "-x", "@a", "\tx", "\rx"]
    harmless = {"-1.5": "-1.5", "+3e-4": "+3e-4", -2: "-2", 0.5: "0.5", "plain": "plain", None: ""}
    assert [guarded(cell) for cell in formulas] == [f"'{cell}" for cell in formulas]
    assert {cell: guarded(cell) for cell in harmless} == harmless


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t=1+1", "a\t'=1+1"),
        ("a\n@x", "a\n'@x"),
        ("a\r-x", "a\r'-x"),
        ("a; =1;b;+2;-x", "a;' =1;b;+2;'-x"),
        ('a;"=1"', 'a;\'"=1"'),
        ("=1;=2", "'=1;'=2"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0bx;\uff0dx;\uff20x", "'\uff0bx;'\uff0dx;'\uff20x"),
        (" =1", "' =1"),
        ("\u3000\xa0\ufeff=1", "'\u3000\xa0\ufeff=1"),
        ("\n=1", "'\n'=1"),
        (["a;=1"], '["a;\'=1"]'),
        ("a;b -1; c=2", "a;b -1; c=2"),
        ("1;-2;+3e4", "1;-2;+3e4"),
    ],
)
def test_csv_guards_what_another_separator_makes_a_cell(cell, expected):
    """After ``;``, a tab or a line's end, after spaces, in full width; nothing else changes."""
    assert guarded(cell) == expected


def test_csv_guards_headers():
    """The names of columns are guarded like cells."""
    assert csv_text([{"=cmd": 1}]) == "'=cmd\n1\n"


def test_json_has_no_nan():
    """NaN and infinity become null."""
    plain = json_value({"a": math.nan, "b": [math.inf, 1], "c": (True, "x")})
    assert plain == {"a": None, "b": [None, 1], "c": [True, "x"]}


def test_a_file_name_that_is_no_text_can_be_logged(here):
    """The log holds the message, and no traceback of Python's own logging comes out."""
    for name in ("a", "b"):
        (here / "pictures" / name).mkdir(parents=True)
    try:
        (here / "pictures" / os.fsdecode(b"\xe9.png")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    (here / "odd.toml").write_text(
        '[data]\ndataset = "pictures"\n[search]\nmethod = "grid"\n[space]\nepochs = [1, 2]\n'
    )
    result = process("--log-file", "log", "check", "odd.toml", "--no-probe", cwd=here)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert "must lie in the folder of its class" in (here / "log").read_text()
