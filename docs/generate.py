"""Write the two references that the code itself knows: docs/study-file.md, docs/model-parameters.md.

python docs/generate.py; a test fails where a committed page is not what this writes.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

from sweep.models import FACTORIES, factory_parameters, one_line
from sweep.search.plan import estimator_defaults
from sweep.spec import TRAINING
from sweep.spec.pruning import PRUNERS, SplitPrunerSection
from sweep.spec.sections import DataSection, ReportSection, SearchSection, StudySection

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code: change that, not this page. -->"

INTRODUCTION = """\
# The study file

{note}

A study file is TOML with six sections. `[study]`, `[data]`, `[search]` and `[space]` or `[model]` say
what is asked; every mistake is told at once, with its line, before anything trains
(`sweep check FILE`). A key that is left out has the default given here; "-" means that nothing is set.
"""

MODEL = """\
## `[model]`

`factory` is a built-in model's name or `"module:function"`; default `"mlp"`. Every other key is a
parameter of the model or of its training, fixed for the whole study: [model-parameters.md](model-parameters.md)
lists them. A list is one value for each layer.

`estimator = "module:name"` in place of `factory` is a scikit-learn estimator, or a function or class that
returns one: a pipeline, or any classifier. The other keys are then names of its `get_params()`, and
`[data] scaling` is `"none"`: [own-estimators.md](own-estimators.md).
"""

SPACE = """\
## `[space]`

Every key is a parameter that could stand in `[model]`, and is searched instead.

| it says | it is |
| --- | --- |
| `[16, 32, 64]` | choices; a nested list is one choice (`[[32], [64, 32]]`) |
| `{ int = [8, 64] }` | whole numbers, both ends included; `step = 8` or `log = true` |
| `{ float = [0.0, 0.6] }` | numbers; `step = 0.1` or `log = true` |
| `{ float = [0.0, 0.99], when = { optimizer = "sgd" } }` | only where another parameter has that value, or one of a list |
| `{ choices = ["a", "b"], when = { ... } }` | choices under a condition |

A grid takes choices, and ranges that have a `step`.
"""


def table(rows: list[tuple[str, ...]], *titles: str) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])


def written(value: Any) -> str:
    """Write a default as a study file would."""
    if value is None or value == ():
        return "-"
    plain = list(value) if isinstance(value, tuple) else value
    return f"`{json.dumps(plain)}`"


def keys(section: Any) -> str:
    """Return a table of every key of a section: what it says, its rule, its default."""
    rows = [
        (
            f"`{name}`",
            WORDS[section][name],
            field.description or "",
            "required" if field.is_required() else written(field.default),
        )
        for name, field in section.model_fields.items()
    ]
    return table(rows, "key", "says", "must be", "default")


def study_file() -> str:
    """Return the reference of the study file."""
    parts = [INTRODUCTION.format(note=NOTE)]
    for name, section in (("study", StudySection), ("data", DataSection)):
        parts.append(f"## `[{name}]`\n\n{keys(section)}\n")
    parts += [MODEL, f"## `[search]`\n\n{keys(SearchSection)}\n", pruners(), SPACE]
    parts.append(f"## `[report]`\n\n{keys(ReportSection)}\n")
    return "\n".join(parts)


def pruners() -> str:
    """Return what each pruner takes."""
    rows = [
        (f"`{name}`", ", ".join(f"`{key}` ({written(held)})" for key, held in takes.items()))
        for name, takes in PRUNERS.items()
    ]
    lines = [table(rows, "`pruner`", "takes (default)")]
    split = keys(SplitPrunerSection)
    return "\n".join(
        [
            *lines,
            "",
            "A table `split_pruner` takes:",
            "",
            split,
            "",
            "[pruning.md](pruning.md) says what they do.",
            "",
        ]
    )


def model_parameters() -> str:
    """Return the reference of the models' parameters."""
    parts = [
        f"# The models and their parameters\n\n{NOTE}\n",
        "Each may stand in `[model]`, fixed, or in `[space]`, searched; in scikit-learn code each is\n"
        "a parameter of the estimator. [models.md](models.md) says how to add one of your own.\n",
    ]
    for name in FACTORIES:
        defaults = {**factory_parameters(name), **estimator_defaults(name)}
        said = described(FACTORIES[name])
        rows = [(f"`{key}`", said[key], written(held)) for key, held in defaults.items()]
        title = one_line(name).partition(":")
        parts.append(
            f"## `{name}`\n\n{title[0]}:{title[2]}\n\n{table(rows, 'parameter', 'what it is', 'default')}\n"
        )
    rows = [(f"`{key}`", TRAINING_WORDS[key], written(held)) for key, held in TRAINING.items()]
    parts.append(
        f"## Training, of every model\n\n{table(rows, 'parameter', 'what it is', 'default')}\n"
    )
    return "\n".join(parts)


def described(function: Any) -> dict[str, str]:
    """Return what a numpydoc docstring says of each parameter."""
    text = inspect.getdoc(function) or ""
    part = text.partition("Parameters\n----------\n")[2].partition("\n\nReturns")[0]
    found = re.findall(r"^(\w+) : (.*)\n((?:    .*\n?)+)", part, re.MULTILINE)
    return {name: _with_choices(kind, " ".join(body.split())) for name, kind, body in found}


def _with_choices(kind: str, words: str) -> str:
    choices = re.match(r"\{(.*?)\}", kind)
    return f"{words} One of {choices[1]}." if choices else words


WORDS: dict[Any, dict[str, str]] = {
    StudySection: {
        "name": "what it is called in the ledger",
        "seed": "decides splits, initial weights, row order, dropout and what is drawn",
        "description": "for people",
    },
    DataSection: {
        "dataset": "what it runs on; [data.md](data.md)",
        "train_rows": "how many training rows are used; all by default",
        "test_rows": "how many test rows are used; all by default",
        "sample": "the first rows in file order, or rows drawn in proportion to the classes",
        "scaling": "what is done to pixels, from each split's own training rows",
        "one_vs_rest": "this class becomes 1, all others 0",
        "rest_rows": "how many random training rows of the others are kept",
        "positive": "the positive class of two, which precision, recall, f1 and the like are of; "
        "the second by default",
        "groups": "rows of one group never stand on both sides of a split",
        "path": "the column of a table with the files of pictures",
        "label": "the column of a table with the classes",
        "split": "the column of a table that says `train` or `test`",
        "group": "the column of a table with the groups",
        "image_size": "the size that pictures of a folder are read in; by default their own where all "
        "have one, of at most 256 pixels a side, else [32, 32]",
        "color": "how pictures of a folder are read",
        "resize": "how pictures of other proportions come to that size: stretched (default), cut off at "
        "the edges, or with black added",
        "memory": "where rows are: in a file beside the ledger, read where they are needed, or in memory; "
        "by default in memory if they take at most half of what is free",
        "test_fraction": "the share that becomes the test set of a folder without one",
        "flat": "hand over rows of features in place of images, as scikit-learn's own steps take them",
    },
    SearchSection: {
        "method": "how candidates are found; [search.md](search.md)",
        "cv": "splits of a cross-validation, stratified; 5 where `validation` is not given either",
        "repeats": "how often the cross-validation is repeated, on other splits",
        "validation": "one split instead, that holds this share of the training rows out",
        "seeds": "fits of each split, under so many seeds",
        "scoring": "scikit-learn's name of the score, or several, of which the first ranks; [scores.md](scores.md)",
        "train_scores": "whether training rows are scored too; in a grid they are unless this says false",
        "refit": "whether the winner is refitted and the test set opened for it",
        "refit_precision": "in which arithmetic the winner is refitted",
        "refit_epochs": "for how long the winner is refitted; as searched by default",
        "choose": "which candidate is taken; [selection.md](selection.md)",
        "nested": "repeats the whole search in so many outer folds; [answer.md](answer.md)",
        "settle": "repeats the cross-validation of what is undecided; [selection.md](selection.md)",
        "trials": "how many trials, of every method but `grid`; with hyperband how many slots",
        "timeout": "after how long no trial is begun and running ones are stopped",
        "pruner": "gives trials up by epoch; [pruning.md](pruning.md)",
        "split_pruner": "gives candidates up between two splits",
        "trial_timeout": "after how long one trial fails",
        "memory_limit": "how much memory each worker may take (Linux); a trial that needs more fails",
        "patience": "ends a search after so many trials without improvement",
        "max_parameters": "models with more weights are not trained",
        "max_fit_seconds": "candidates with a slower fit are not ranked",
        "start": "parameters that are tried first",
        "start_from": "finished studies that a sampler begins with",
        "objectives": "what is optimized; several give a Pareto set",
        "curves": "whether held-out rows are scored after every epoch",
    },
    SplitPrunerSection: {
        "p": "probability of becoming the best below which a candidate is given up",
        "min_splits": "splits that every candidate is measured on",
        "test": "how the probability is found; by default by the number of splits",
    },
    ReportSection: {
        "title": "what stands above the report instead of the study's name",
        "pivots": "pairs of parameters that are shown as heat maps",
        "sections": "which sections a report has, and [your own](report-sections.md)",
    },
}


TRAINING_WORDS = {
    "epochs": "Passes over the training rows.",
    "batch_size": "Rows in a step.",
    "optimizer": "Keras's name: sgd, adam, adamw, rmsprop, adagrad, adadelta, adamax, nadam, ftrl, lion.",
    "learning_rate": "Initial step size, above 0; unset, Keras's default for the optimizer.",
    "learning_rate_decay": "The rate is divided by 1 + this times the number of the step.",
    "momentum": "For sgd and rmsprop, from 0 to below 1.",
    "nesterov": "For sgd: true or false.",
    "weight_decay": "Decoupled weight decay, from 0.",
    "label_smoothing": "Share of each label that the loss spreads over all classes, from 0 to below 1.",
    "class_weight": 'Weights by label, or "balanced".',
    "early_stopping": "Stop by rows held out of the fit's own, keep the best weights.",
    "validation_fraction": "The share held out for that.",
    "n_iter_no_change": "Epochs without a lower loss after which it stops.",
    "callbacks": "Keras callbacks: names or tables with a name and settings.",
    "scaling": 'Of pixels, as in `[data]`: "unit", "standardize" or "none".',
    "image_shape": "[height, width] or [height, width, channels] of flat rows.",
    "precision": '"float32" or "mixed_bfloat16".',
    "jit_compile": 'Compile batches with XLA: true, false, or "auto", on GPUs alone.',
    "fast": "false trains by Keras's own fit: slower, the same numbers.",
}


def main() -> None:
    """Write both pages."""
    (HERE / "study-file.md").write_text(study_file(), encoding="utf-8")
    (HERE / "model-parameters.md").write_text(model_parameters(), encoding="utf-8")


if __name__ == "__main__":
    main()
