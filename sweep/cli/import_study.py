"""``sweep import``: another tool's results as a study of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.import_options import reading_options
from sweep.cli.options import storage_option, without_password
from sweep.cli.server_options import ledger_only
from sweep.cli.text import clean, score
from sweep.support.file_names import expanded
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.importing.found import FoundStudy

OPTUNA = "optuna"


@click.command("import", short_help="Import another tool's results, to read them as a study.")
@click.argument("source", metavar="FILE|FOLDER|optuna")
@click.option("--name", metavar="NAME", help="Its name in the ledger.  [default: the file's]")
@reading_options
@click.option(
    "--study", "study_name", metavar="NAME", help="With optuna: the study's name in its database."
)
@storage_option
@click.option(
    "--ledger",
    metavar="URL",
    callback=without_password,
    help="With optuna, where --storage is its database: the ledger to write into.  "
    "[default: SWEEP_STORAGE, else .sweep/ledger.db of the current project]",
)
@ledger_only("import into a ledger, and `sweep serve` it")
def import_study(
    *, source: str, name: str | None, score_name: str | None, scoring: str | None, minimize: bool,
    params: list[str], repeats: int, study_name: str | None, storage: str | None,
    ledger: str | None,
) -> None:  # fmt: skip
    """Import what another tool has found: show, best, pivot, report and compare then read it.

    FILE is `GridSearchCV.cv_results_` or a table of runs (MLflow's, W&B's) as .csv, .json or
    .parquet; FOLDER a project of KerasTuner's. The word optuna stands for a study in a database
    or a journal file of Optuna's, which --storage and --study name. Nothing in it is executed; it
    is imported whole or not at all. No model comes along: nothing can be refitted, continued or
    exported.

    \b
    Example:
      sweep import cv_results.csv --name forest --scoring accuracy
      sweep import runs.csv --score val_loss --minimize
      sweep import optuna --storage sqlite:///optuna.db --study mine
    """
    from sweep.importing.files import read_path
    from sweep.importing.writing import write_import

    said_of_files = {"--score": score_name, "--scoring": scoring, "--minimize": minimize,
                     "--repeats": repeats > 1, "--params": params}  # fmt: skip
    if source == OPTUNA:
        _check_none(said_of_files, "the database says that itself; leave it out")
        found = _from_optuna(storage, study_name, ledger)
        result = write_import(found, name or str(study_name), ledger)
    else:
        _check_none({"--study": study_name, "--ledger": ledger}, f"only with {OPTUNA}")
        path = expanded(source)
        found = read_path(
            path, score=score_name, scoring=scoring, minimize=minimize, repeats=repeats,
            params=params,
        )  # fmt: skip
        result = write_import(found, name or path.stem, storage)
    rows = result.record.tally.rows
    said = ", ".join(f"{count:,} {state.lower()}" for state, count in sorted(rows.items()))
    click.echo(f"{clean(result.name)}: {counted(sum(rows.values()), 'candidate')}, {said}")
    for note in found.notes:
        click.echo(f"note: {clean(note)}")
    if rows.get("COMPLETE"):
        click.echo(f"best {score(result.best_score_)}; sweep report {clean(result.name)}")


def _check_none(options: Mapping[str, object], reason: str) -> None:
    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        raise click.UsageError(f"{given}: {reason}")


def _from_optuna(storage: str | None, study: str | None, ledger: str | None) -> FoundStudy:
    # with --ledger, SWEEP_STORAGE may be the address of Optuna's: one with a password
    if study is None or (storage is None and ledger is None):
        raise click.UsageError(
            "optuna needs --storage, the address of its database (or SWEEP_STORAGE beside "
            "--ledger), and --study, the name in it"
        )
    from sweep.importing.optuna_storage import read_optuna

    return read_optuna(storage, study)
