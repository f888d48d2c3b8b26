"""``sweep models`` and ``sweep data``: what a study file may name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.options import allow_option, allowed, data_home_option, format_option
from sweep.cli.output import emit
from sweep.cli.text import clean
from sweep.study.answers.datasets import DOWNLOADED, dataset_facts, dataset_sources
from sweep.support.text import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.datasets import Dataset

TRAINED = "How it is trained; a dash leaves it to the optimizer."


@click.command(short_help="List the built-in models.")
@format_option
def models(*, form: str) -> None:
    """List the built-in models, their parameters and defaults.

    \b
    Example:
      sweep models
    """
    from sweep.models import FACTORIES, factory_parameters, one_line
    from sweep.search.plan import estimator_defaults
    from sweep.spec import TRAINING

    found = [
        {
            "name": name,
            "summary": one_line(name),
            "parameters": {**factory_parameters(name), **estimator_defaults(name)},
        }
        for name in FACTORIES
    ]
    every = {"name": "(every model)", "summary": TRAINED, "parameters": dict(TRAINING)}
    listed = [*found, every]
    rows = [
        {"model": model["name"], "parameter": name, "default": value}
        for model in listed
        for name, value in _parameters(model).items()
    ]
    emit(form, listed, rows, lambda: [_drawn_model(model) for model in listed])


def _parameters(model: dict[str, Any]) -> dict[str, Any]:
    held: dict[str, Any] = model["parameters"]
    return held


def _drawn_model(model: dict[str, Any]) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_row(Text(model["name"], style="bold", no_wrap=True), Text(model["summary"]))
    words = [f"{name}={_toml(value)}" for name, value in _parameters(model).items()]
    lines = Text("  ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in words))
    return Group(head, Padding(lines, (0, 0, 1, 2)))


def _toml(value: Any) -> str:
    """Write a default as a study file would; a dash for none."""
    import json

    if value is None:
        return "-"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


@click.command(short_help="List the built-in datasets, or look into one.")
@click.argument("name", required=False)
@data_home_option
@allow_option
@format_option
def data(*, name: str | None, data_home: Path | None, allow: tuple[str, ...], form: str) -> None:
    """List the built-in datasets, or say what is in one.

    NAME is one of them, an .npz file, a folder of class folders, or module:function.

    \b
    Example:
      sweep data
      sweep data digits
    """
    if name is None:
        rows = dataset_sources(data_home)
        emit(form, rows, rows, lambda: _drawn_sources(rows))
        return
    from sweep.datasets import load_dataset
    from sweep.storage.locations import mapped_folder, storage_url

    dataset = load_dataset(
        name,
        data_home=data_home,
        allow=allowed(allow),
        folder=Path.cwd(),
        mapped_folder=mapped_folder(storage_url()),
    )
    facts = dataset_facts(dataset)
    counts = [
        {"class": each, "training_rows": count}
        for each, count in zip(dataset.class_names, dataset.class_counts, strict=True)
    ]
    emit(form, facts, counts, lambda: _drawn_dataset(dataset))


def _drawn_sources(rows: list[dict[str, Any]]) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("dataset", "source"):
        table.add_column(name, no_wrap=True)
    table.add_column("about")
    for row in rows:
        about = row["about"].partition(": ")[2] or row["about"]
        table.add_row(Text(row["name"], style="bold"), row["source"], Text(about))
    notes = [f"{row['name']}: {clean(row['file'])}" for row in rows if row["file"]]
    if any(row["source"] == DOWNLOADED for row in rows):
        notes.append("download: Keras fetches it at the first use; or set SWEEP_DATA_HOME")
    return [table, *(Text(note, style="dim") for note in notes)]


def _drawn_dataset(dataset: Dataset) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    shape = " x ".join(str(side) for side in dataset.shape)
    head = (
        f"{clean(dataset.name)}: {counted(len(dataset.y_train), 'training row')}, "
        f"{counted(len(dataset.y_test), 'test row')}, {shape}, {dataset.x_train.dtype}"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("class", overflow="ellipsis", no_wrap=True)
    table.add_column("training rows", justify="right")
    for name, count in zip(dataset.class_names, dataset.class_counts, strict=True):
        table.add_row(Text(clean(name)), f"{count:,}")
    notes = [Text(clean(note), style="dim") for note in dataset.notes]
    return [Text(head), *notes, table, Text(f"fingerprint {dataset.fingerprint}", style="dim")]
