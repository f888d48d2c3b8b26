"""``sweep init``: a study file to begin with."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from sweep.cli.options import PathOfPerson
from sweep.cli.text import clean
from sweep.errors import StudyFileError
from sweep.support.file_writing import make_file

if TYPE_CHECKING:
    from pathlib import Path

NAME = "study.toml"
STARTER = """\
# A study: which settings does this model need on this data?
#   sweep check study.toml     what it would do, and how long that takes
#   sweep run study.toml       do it; the same command continues after a stop

[study]
name = "my-study"              # its name in the ledger
seed = 0                       # the same seed, the same table

[data]
dataset = "digits"             # see: sweep data; or a file.npz, or a folder of class folders
scaling = "unit"               # "none", "unit" (divide by 255) or "standardize"
# train_rows = 1000            # fewer rows for a first look

[model]
factory = "mlp"                # see: sweep models
optimizer = "adam"
batch_size = 32

[search]
method = "grid"                # "grid", "random" or "tpe"
cv = 3                         # splits of the cross-validation; or: validation = 0.2
scoring = "accuracy"           # any scikit-learn scorer for classes, or several
refit = true                   # at the end: refit the best, open the test set once
# trials = 20                  # for "random" and "tpe"
# timeout = "30m"              # begin no new trials after that

[space]                        # every combination is tried; a list is a list of choices
epochs = [2, 5, 10]            # one fit of 10 epochs answers all three
hidden_size = [16, 32, 64]
# learning_rate = { float = [1e-4, 1e-1], log = true }    # a range, for "random" and "tpe"
# optimizer = ["adam", "sgd"]  # in place of the line in [model]; then this too:
# momentum = { float = [0.0, 0.99], when = { optimizer = "sgd" } }

[report]
pivots = ["epochs,hidden_size"]
"""


@click.command(short_help="Write a study file to begin with.")
@click.argument("directory", metavar="[DIR]", default=".", type=PathOfPerson())
def init(*, directory: Path) -> None:
    """Write a study file to begin with, study.toml, into DIR.

    It runs as it is, on the digits that come with scikit-learn, and each line says what it does.

    \b
    Example:
      sweep init
    """
    target = directory / NAME
    try:
        make_file(target, STARTER)
    except FileExistsError as error:
        problem = "is there already and was left as it is; name another folder: sweep init DIR"
        raise StudyFileError(clean(target), [problem]) from error
    except OSError as error:
        raise StudyFileError(clean(target), [f"cannot be written: {error.strerror}"]) from error
    click.echo(f"wrote {clean(target)}")
    click.echo(f"next: sweep check {shlex.quote(str(target))}")
    click.echo(f"then: sweep run {shlex.quote(str(target))}")
