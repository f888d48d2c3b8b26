"""Study files: what they say, every problem at once, and the way there and back."""

from __future__ import annotations

import json
import string
import time
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import get_scorer, get_scorer_names

from sweep.errors import StudyFileError
from sweep.spaces import Choices, FloatRange, IntRange
from sweep.spec import (
    SCORERS,
    TRAINING,
    StudySpec,
    estimator_parameters,
    load_study,
    shipped_studies,
    to_toml,
)
from sweep.spec.toml import line_of, lines
from sweep.support.durations import seconds

NAMES = {
    **TRAINING,
    "filters": 32,
    "kernel_size": 3,
    "dense_width": 128,
    "dense_dropout_rate": 0.5,
    "hidden_size": 32,
}
DESIGN = """\
[study]
name = "design"

[data]
dataset = "mnist"
train_rows = 6000

[model]
factory = "cnn"
batch_size = 64

[search]
method = "tpe"
trials = 60
timeout = "4h"
validation = 0.1
pruner = { name = "median", min_epochs = 1, startup_trials = 3 }

[space]
filters = [16, 32, 64]
kernel_size = { int = [3, 7], step = 2 }
dense_width = { int = [32, 512], log = true }
dense_dropout_rate = { float = [0.0, 0.6] }
learning_rate = { float = [1e-4, 1e-1], log = true }
optimizer = ["sgd", "adam", "rmsprop"]
momentum = { float = [0.0, 0.99], when = { optimizer = "sgd" } }

[report]
pivots = ["filters,kernel_size"]
"""
MODELS = ("all_conv", "cnn", "mlp", "two_stage")


def known(factory):
    return NAMES if factory in MODELS else None


def grid(**sections):
    """A small valid grid, with some keys of some sections changed; None takes a key away."""
    base = {
        "study": {},
        "data": {"dataset": "digits"},
        "model": {},
        "search": {"method": "grid"},
        "space": {"epochs": [1, 2]},
    }
    for name, table in sections.items():
        base[name] = {**base.get(name, {}), **table}
    return base


def tpe(**sections):
    base = grid(**sections)
    base["search"] = {"method": "tpe", "trials": 5, **sections.get("search", {})}
    return base


def problems(study, set_=()):
    with pytest.raises(StudyFileError) as caught:
        load_study(study, set_=set_, parameters=known)
    return caught.value.problems


@pytest.fixture
def design(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(DESIGN, encoding="utf-8")
    return file


def test_reads_the_design_example(design):
    """Each section arrives typed, durations in seconds, the space in dimensions."""
    spec = load_study(design, parameters=known)
    assert spec.study.name == "design"
    assert (spec.search.timeout, spec.search.validation, spec.search.cv) == (14400.0, 0.1, None)
    assert spec.search.pruner is not None
    assert spec.search.pruner.startup_trials == 3
    assert (spec.model.factory, spec.model.params) == ("cnn", {"batch_size": 64})
    assert spec.space.dimensions["filters"] == Choices((16, 32, 64))
    assert spec.space.dimensions["kernel_size"] == IntRange(3, 7, 2)
    assert spec.space.dimensions["momentum"] == FloatRange(0.0, 0.99, when={"optimizer": ("sgd",)})
    assert (spec.source, spec.folder) == (DESIGN, design.parent)


def test_defaults():
    """What is left out depends on the method where the field's habits do."""
    one, other = load_study(grid(), parameters=known), load_study(tpe(), parameters=known)
    assert (one.search.cv, one.search.validation, one.search.train_scores) == (5, None, True)
    assert (other.search.cv, other.search.validation, other.search.train_scores) == (
        None,
        0.1,
        False,
    )
    assert (one.study.name, one.study.seed, one.data.scaling) == ("study", 0, "unit")
    assert (one.model.factory, one.search.scoring, one.search.refit) == ("mlp", "accuracy", True)


def test_name_is_the_files(tmp_path):
    """A study without a name is called like its file."""
    file = tmp_path / "my study.toml"
    file.write_text(to_toml(grid()))
    assert load_study(file, parameters=known).study.name == "my study"


@pytest.mark.parametrize(
    ("model", "space", "fixed", "searched"),
    [
        ({}, {"epochs": [1, 2]}, 10, True),
        ({"epochs": 3}, {"epochs": None, "filters": [1]}, 3, False),
    ],
)
def test_epochs(model, space, fixed, searched):
    """Fixed epochs come from [model], or are the estimator's default."""
    study = grid(model=model, space=space)
    study["space"] = {k: v for k, v in study["space"].items() if v is not None}
    spec = load_study(study, parameters=known)
    assert (spec.fixed_epochs, spec.searched_epochs) == (fixed, searched)


WRONG = [
    ({"study": {"seed": -1}}, "study.seed: must be a whole number from 0 to 4294967295, got -1"),
    (
        {"study": {"seed": True}},
        "study.seed: must be a whole number from 0 to 4294967295, got true",
    ),
    ({"study": {"seed": 1.0}}, "study.seed: must be a whole number from 0 to 4294967295, got 1.0"),
    (
        {"study": {"name": "a\nb"}},
        'study.name: must be 1 to 100 printable characters without blanks around them, got "a\\nb"',
    ),
    ({"data": {"train_rows": 0}}, "data.train_rows: must be a whole number from 1, got 0"),
    ({"data": {"train_rows": "6"}}, 'data.train_rows: must be a whole number from 1, got "6"'),
    (
        {"data": {"test_fraction": 1.0}},
        "data.test_fraction: must be a number between 0 and 1, both excluded, got 1.0",
    ),
    (
        {"data": {"image_size": [28]}},
        "data.image_size: must be [height, width] in pixels, whole numbers from 1, got [28]",
    ),
    (
        {"data": {"rest_rows": 5}},
        "data.rest_rows: needs one_vs_rest (the class to tell from the rest), got 5",
    ),
    ({"data": {"datset": "x"}}, "data.datset: unknown key, did you mean dataset?"),
    ({"search": {"trails": 3}}, "search.trails: unknown key, did you mean trials?"),
    (
        {"search": {"method": "gird"}},
        ('search.method: must be one of: grid, random, qmc, tpe, nsga2, cmaes, gp, got "gird"'),
    ),
    (
        {"search": {"method": "random"}},
        'search.trials: method = "random" needs how many: say trials = 60',
    ),
    (
        {"search": {"cv": 3, "validation": 0.1}},
        (
            "search.validation: cv and validation exclude each other, got cv = 3 and "
            "validation = 0.1; leave one out"
        ),
    ),
    (
        {"search": {"trials": 3}},
        (
            "search.trials: a grid tries every combination, so trials must be left out, got 3; "
            'or take method = "random" or "tpe"'
        ),
    ),
    (
        {"search": {"seeds": 0}},
        "search.seeds: must be a whole number from 1 to 100 (fits of each split), got 0",
    ),
    (
        {"search": {"choose": "first"}},
        'search.choose: must be "best", "one_standard_error" or "cheapest", got "first"',
    ),
    (
        {"search": {"choose": "cheapest", "validation": 0.2, "scoring": "f1_macro"}},
        (
            "search.choose: needs several splits, or accuracy, to tell candidates apart, got "
            '"cheapest" with one split scored by "f1_macro"; say cv = 5 in place of validation'
        ),
    ),
    (
        {"search": {"pruner": "median"}},
        (
            "search.pruner: a grid finishes the epochs of every candidate, so pruner must be left "
            'out, got "median"; or take method = "random" or "tpe", or split_pruner = true'
        ),
    ),
    (
        {"search": {"timeout": "4x"}},
        'search.timeout: must be a duration ("4h", "90m", "30s", or a number of seconds), got "4x"',
    ),
    (
        {"model": {"factory": "cnm"}},
        'model.factory: no model named "cnm"; there are: all_conv, cnn, mlp, two_stage',
    ),
    (
        {"model": {"factory": "mine:"}},
        'model.factory: must be "module:function" or a name, got "mine:"',
    ),
    (
        {"model": {"batchsize": 3}},
        (
            'model.batchsize: unknown parameter of model "mlp", did you mean batch_size? (a '
            'factory of your own may have it: factory = "mine:build", and in mine.py '
            "def build(input_shape, n_classes, batchsize))"
        ),
    ),
    ({"model": {"batch_size": 0}}, "model.batch_size: must be a whole number from 1, got 0"),
    ({"model": {"learning_rate": 0}}, "model.learning_rate: must be a number above 0, got 0"),
    (
        {"model": {"label_smoothing": 1}},
        "model.label_smoothing: must be a number from 0 to below 1, got 1",
    ),
    ({"model": {"momentum": 1.0}}, "model.momentum: must be a number from 0 to below 1, got 1.0"),
    (
        {"model": {"epochs": 3}},
        "space.epochs: is fixed in [model] too; leave it out there, or here",
    ),
    (
        {"space": {"optimizer": ["sgd", "adm"]}},
        (
            "space.optimizer: must be one of: sgd, adam, adamw, rmsprop, adagrad, adadelta, "
            'adamax, nadam, ftrl, lion, got "adm"'
        ),
    ),
    ({"space": {"epochs": [1, 2.5]}}, "space.epochs: must be a whole number from 1, got 2.5"),
    (
        {"space": {"epochs": 3}},
        (
            "space.epochs: must be [16, 32], { int = [3, 7] }, "
            "{ float = [0.0, 0.5] } or { choices = [16, 32] }, got 3"
        ),
    ),
    ({"space": {"epochs": []}}, "space.epochs: a list of choices must hold at least one, got []"),
    ({"space": {"epochs": [2, 1, 2]}}, "space.epochs: choices must differ, got 2 twice"),
    (
        {"space": {"filters": {"int": [64, 8]}}},
        "space.filters: low must be below high, got [64, 8]",
    ),
    (
        {"space": {"filters": {"int": [0, 8], "log": True}}},
        "space.filters: log needs low above 0, got 0",
    ),
    (
        {"space": {"filters": {"int": [1, 8], "log": True, "step": 2}}},
        (
            "space.filters: log and step exclude each other, "
            'got {"int": [1, 8], "log": true, "step": 2}'
        ),
    ),
    (
        {"space": {"filters": {"int": [1, 8], "stp": 2}}},
        'space.filters: unknown key "stp", did you mean step?',
    ),
    (
        {"space": {"filters": {"int": [1.5, 8]}}},
        "space.filters: int must be [low, high], two whole numbers, got [1.5, 8]",
    ),
    (
        {"space": {"filters": {"int": [1, 8], "step": 9}}},
        "space.filters: step must fit between low and high, 1 to 1000000 times, got 9",
    ),
    (
        {"space": {"filters": {"int": [1, 8], "float": [1, 8]}}},
        'space.filters: must have one of choices, int, float, got {"int": [1, 8], "float": [1, 8]}',
    ),
    (
        {"space": {"filters": {"choices": [1], "step": 1}}},
        'space.filters: choices take no step, got {"choices": [1], "step": 1}',
    ),
    (
        {"space": {"dense_dropout_rate": {"float": [0.0, 0.6]}}},
        (
            "space.dense_dropout_rate: a grid needs a list or a step, got {float = [0.0, 0.6]}; "
            'or take method = "tpe", which searches ranges'
        ),
    ),
    (
        {"space": {"momentum": {"choices": [0.5], "when": {"optimiser": "sgd"}}}},
        'space.momentum.when.optimiser: no parameter "optimiser" in [space]; there are: epochs',
    ),
    (
        {
            "model": {"optimizer": "sgd"},
            "space": {"momentum": {"choices": [0.5], "when": {"optimizer": "sgd"}}},
        },
        (
            'space.momentum.when.optimizer: no parameter "optimizer" in [space], it is fixed in '
            "[model]; leave the condition out"
        ),
    ),
    (
        {"space": {"momentum": {"choices": [0.5], "when": {"epochs": 9}}}},
        "space.momentum.when.epochs: must be a value of [1, 2], got 9",
    ),
    (
        {"space": {"momentum": {"choices": [0.5], "when": {"momentum": 0.5}}}},
        "space.momentum: conditions must not form a circle",
    ),
    (
        {"space": {"filters": date(2020, 1, 1)}},
        'space.filters: must be text, a number, true or false, a list or a table, got "date"',
    ),
    (
        {"model": {"learning_rate": float("inf")}},
        "model.learning_rate: must be a finite number, got Infinity",
    ),
    (
        {"model": {"filters": 2**63}},
        "model.filters: must fit into 64 bits, got 9223372036854775808",
    ),
    (
        {"data": {"scaling": "unit"}, "space": {"scaling": ["unit", "none"]}},
        "space.scaling: stands in [data] too; leave it out there, or here",
    ),
    (
        {"report": {"pivots": ["epochs,width"]}},
        'report.pivots: a pivot must name parameters of [space], got "width"; there are: epochs',
    ),
    (
        {"report": {"pivots": ["epochs"]}},
        'report.pivots: a pivot must name two parameters ("epochs,width"), got "epochs"',
    ),
    ({"serach": {}}, "serach: unknown section, did you mean search?"),
]


@pytest.mark.parametrize(
    ("sections", "expected"), WRONG, ids=lambda v: v[:40] if isinstance(v, str) else ""
)
def test_one_problem(sections, expected):
    """One mistake is one line: place, rule, value received, remedy."""
    assert problems(grid(**sections)) == [expected]


PRUNERS = "one of: median, percentile, hyperband, successive_halving, patient, threshold"


@pytest.mark.parametrize(
    ("pruner", "expected"),
    [
        (
            "halving",
            'search.pruner: "halving" is no pruner by epoch; take "successive_halving"',
        ),
        (
            {"name": "wilcoxon"},
            (
                'search.pruner.name: "wilcoxon" is no pruner by epoch; it compares splits, not '
                "epochs: leave pruner out and say split_pruner = true"
            ),
        ),
        ("medain", f'search.pruner: must be {PRUNERS}, got "medain"'),
        (
            {"name": "median", "min_epoch": 1},
            "search.pruner.min_epoch: unknown key, did you mean min_epochs?",
        ),
        (
            {"name": "median", "min_epochs": 0},
            "search.pruner.min_epochs: must be a whole number from 1, got 0",
        ),
        ({}, f"search.pruner.name: is required: {PRUNERS}"),
        (
            3,
            (
                'search.pruner: must be a pruner\'s name ("hyperband") or a table '
                '({ name = "median", min_epochs = 2 }), got 3'
            ),
        ),
        (
            {"name": "median", "percentile": 10.0},
            (
                'search.pruner.percentile: "median" takes min_epochs, startup_trials; percentile '
                "is for percentile"
            ),
        ),
        (
            {"name": "percentile", "percentile": 101},
            "search.pruner.percentile: must be a number from 0 to 100, got 101",
        ),
        (
            {"name": "hyperband", "min_epochs": 9, "max_epochs": 3},
            "search.pruner.min_epochs: must not be above max_epochs, got 9 and 3",
        ),
        (
            {"name": "hyperband", "reduction_factor": 1},
            "search.pruner.reduction_factor: must be a whole number from 2, got 1",
        ),
        (
            {"name": "patient", "wrapped": "hyperband"},
            (
                'search.pruner.wrapped: "hyperband" lets trials pause and go on, so it cannot be '
                'wrapped; wrap "median", "percentile" or "threshold"'
            ),
        ),
        (
            "threshold",
            'search.pruner: "threshold" needs a bound: say { name = "threshold", lower = 0.5 }',
        ),
        (
            {"name": "threshold", "lower": 0.9, "upper": 0.1},
            "search.pruner.lower: must not be above upper, got 0.9 and 0.1",
        ),
        (
            {"name": "patient", "patience": -1},
            "search.pruner.patience: must be a whole number from 0, got -1",
        ),
        (
            {"name": "patient", "wrapped": {"name": "median", "min_epochs": 0}},
            "search.pruner.wrapped.min_epochs: must be a whole number from 1, got 0",
        ),
        (
            {"name": "patient", "wrapped": "medain"},
            f'search.pruner.wrapped: must be {PRUNERS}, got "medain"',
        ),
    ],
)
def test_pruner_problem(pruner, expected):
    """A wrong pruner is named by the key that is wrong."""
    assert problems(tpe(search={"pruner": pruner})) == [expected]


def test_every_problem_of_a_pruner_is_told_at_once():
    """Each wrong key has its line, inside the wrapped pruner too."""
    wrapped = {"name": "median", "min_epochs": 0, "lower": 1}
    pruner = {"name": "patient", "patience": "x", "max_epochs": 3, "wrapped": wrapped}
    places = [line.partition(":")[0] for line in problems(tpe(search={"pruner": pruner}))]
    inner = ["search.pruner.wrapped.lower", "search.pruner.wrapped.min_epochs"]
    assert sorted(places) == ["search.pruner.max_epochs", "search.pruner.patience", *inner]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (
            {"split_pruner": {"p": 1}},
            "search.split_pruner.p: must be a number between 0 and 1, both excluded, got 1",
        ),
        (
            {"split_pruner": {"min_split": 3}},
            "search.split_pruner.min_split: unknown key, did you mean min_splits?",
        ),
        (
            {"split_pruner": {"min_splits": 5}},
            (
                "search.split_pruner.min_splits: must be below the number of splits (5), or "
                "nothing is saved, got 5"
            ),
        ),
        (
            {"split_pruner": "yes"},
            (
                "search.split_pruner: must be true, false, or a table ({ p = 0.1, min_splits = 2 "
                '}), got "yes"'
            ),
        ),
    ],
)
def test_split_pruner_problem(search, expected):
    """A wrong split pruner is named by the key that is wrong."""
    assert problems(grid(search={"method": "grid", "cv": 5, **search})) == [expected]


def test_pruning_by_split_needs_splits_and_no_other_pruner():
    """One validation split has nothing to compare; epochs and splits are not pruned together."""
    both = {"split_pruner": True, "pruner": "median"}
    assert problems(tpe(search={"split_pruner": True})) == [
        "search.split_pruner: compares splits, so it needs several: say cv = 5"
    ]
    assert problems(tpe(search={"cv": 5, "validation": None, **both})) == [
        (
            "search.split_pruner: pruner trains all splits side by side, split_pruner one after "
            "another; leave one out"
        )
    ]


def test_short_split_pruner():
    """``true`` is the split pruner with its defaults, ``false`` is none."""
    spec = load_study(grid(search={"method": "grid", "split_pruner": True}), parameters=known)
    found = spec.search.split_pruner
    assert found is not None
    assert (found.p, found.min_splits, found.test) == (0.1, 2, None)
    off = load_study(grid(search={"method": "grid", "split_pruner": False}), parameters=known)
    assert off.search.split_pruner is None
    assert StudySpec.from_plain(spec.plain()) == spec


@pytest.mark.parametrize(
    ("pruner", "expected"),
    [
        ("hyperband", {"min_epochs": 1, "reduction_factor": 3}),
        ("successive_halving", {"min_epochs": 1, "reduction_factor": 4}),
        ("percentile", {"percentile": 25.0, "min_epochs": 1, "startup_trials": 5}),
        ("patient", {"patience": 1, "min_delta": 0.0}),
        ({"name": "threshold", "lower": 0.3}, {"lower": 0.3, "min_epochs": 1}),
        (
            {"name": "patient", "wrapped": "median"},
            {
                "patience": 1,
                "min_delta": 0.0,
                "wrapped": {"name": "median", "min_epochs": 1, "startup_trials": 5},
            },
        ),
    ],
)
def test_pruner_defaults(pruner, expected):
    """A study file's pruner stands in the ledger with its defaults, and nothing else's."""
    spec = load_study(tpe(search={"pruner": pruner}), parameters=known)
    name = pruner if isinstance(pruner, str) else pruner["name"]
    assert spec.sections()["search"]["pruner"] == {"name": name, **expected}
    assert StudySpec.from_plain(spec.plain()) == spec


def test_short_pruner():
    """A pruner's name alone is the pruner with its defaults; "none" is no pruner."""
    spec = load_study(tpe(search={"pruner": "median"}), parameters=known)
    assert spec.search.pruner is not None
    assert (spec.search.pruner.min_epochs, spec.search.pruner.startup_trials) == (1, 5)
    assert load_study(tpe(search={"pruner": "none"}), parameters=known).search.pruner is None


def test_sampler_needs_a_space():
    """A sampler with nothing to sample is a problem; a grid of one candidate is none."""
    assert problems({**tpe(), "space": {}}) == [
        'space: method = "tpe" needs a parameter to search, got none'
    ]
    assert load_study({**grid(), "space": {}}, parameters=known).space.dimensions == {}


def test_required():
    """What must be there is asked for, with what it may be."""
    assert problems({}) == [
        (
            'data.dataset: is required: a name ("mnist"), an .npz or .csv file, a folder of '
            'images, or "module:function"'
        ),
        "search.method: is required: one of: grid, random, qmc, tpe, nsga2, cmaes, gp",
    ]


def test_section_that_is_none():
    """A value where a section belongs is one problem."""
    assert problems({**grid(), "report": 3}) == ["report: must be a section ([report]), got 3"]


def test_own_factory_takes_any_name():
    """Names of a factory that cannot be looked into pass; known values are still checked."""
    study = grid(model={"factory": "mine:build", "anything": 3, "batch_size": 0})
    assert problems(study) == ["model.batch_size: must be a whole number from 1, got 0"]


def test_all_at_once_with_lines(tmp_path):
    """All problems come together, in the order of the file, each with its line."""
    file = tmp_path / "mine.toml"
    file.write_text(
        '[data]\ndataset = "mnist"\n\n[search]  # how\nmethod = "grid"\ntrails = 3\n'
        "[space]\nepochs = [\n  1,\n  2.5,\n]\nlr = { float = [0.1, 0.0001] }\n"
    )
    with pytest.raises(StudyFileError) as caught:
        load_study(file, parameters=known)
    assert str(caught.value).splitlines() == [
        f"{file}: 3 problems",
        "  search.trails (line 6): unknown key, did you mean trials?",
        "  space.epochs (line 8): must be a whole number from 1, got 2.5",
        "  space.lr (line 12): low must be below high, got [0.1, 0.0001]",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[data\n", "must be TOML, but: "),
        (b"[data]\na = \xff\n", "must be UTF-8 text, got byte 0xff at position 11; save it"),
        (b"# " + b"x" * 1_000_000, "a study file must have at most 1000000 bytes, got 1000002"),
        (b"a = " + b"[" * 5000, "must be TOML, but: "),
        (b"a = " + b"1" * 5000, "must be TOML, but: "),
    ],
)
def test_unreadable(tmp_path, content, expected):
    """A file that is no study text is one clear problem."""
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    (said,) = problems(file)
    assert said.startswith(expected)


def test_syntax_error_has_line_and_column(tmp_path):
    """A TOML mistake is told with line and column."""
    file = tmp_path / "mine.toml"
    file.write_text("[data]\ndataset = \n")
    assert "(at line 2, column 11)" in problems(file)[0]


def test_byte_order_mark(tmp_path):
    """A file that an editor began with a byte order mark reads all the same."""
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + DESIGN.encode())
    assert load_study(file, parameters=known).study.name == "design"


def test_not_found():
    """A missing study is answered with the close one and the list of those shipped."""
    (said,) = problems("mnist-mlp-gird")
    assert said.startswith("no such file or shipped study, did you mean mnist-mlp-grid?")
    assert all(name in said for name in shipped_studies())


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "", "/dev/null"])
def test_odd_paths(name):
    """A path that no file can have is a problem, and its message stays short."""
    with pytest.raises(StudyFileError) as caught:
        load_study(name, parameters=known)
    assert len(caught.value.problems) == 1
    assert len(str(caught.value)) < 500


def test_folder(tmp_path):
    """A folder is no study file."""
    assert problems(tmp_path) == ["must be a file, got a folder"]


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_shipped_studies_read(name):
    """Each shipped study is valid, is named like its file, and begins with its question."""
    spec = load_study(name)
    assert spec.study.name == name
    assert spec.source.startswith("# ")
    assert "?" in spec.source.splitlines()[0]
    assert "Full size" in spec.source.split("[study]")[0]
    assert load_study(f"{name}.toml") == spec


def test_shipped_names():
    """The studies that the documentation speaks of are shipped."""
    assert {"cifar10-tpe", "digits-grid", "digits-tpe", "mnist-mlp-grid"} <= set(shipped_studies())


def test_e6_is_exact():
    """The grid of the original experiment: settings and search space as written there."""
    spec = load_study("mnist-mlp-grid")
    assert spec.sections() == {
        "study": {"name": "mnist-mlp-grid", "seed": 0, "description": ""},
        "data": {
            "dataset": "mnist",
            "train_rows": 6000,
            "test_rows": 5000,
            "sample": "first",
            "scaling": "unit",
            "color": "rgb",
            "test_fraction": 0.2,
            "flat": False,
        },
        "model": {"factory": "mlp", "optimizer": "adam", "batch_size": 128},
        "search": {
            "method": "grid",
            "cv": 5,
            "repeats": 1,
            "seeds": 1,
            "scoring": "accuracy",
            "train_scores": True,
            "refit": False,
            "objectives": ["score"],
            "choose": "best",
            "curves": True,
        },
        "space": {"epochs": [1, 5, 10], "hidden_size": [32, 64, 256]},
        "report": {"pivots": ["epochs,hidden_size"], "sections": []},
    }


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        ("search.trials=7", "trials", 7),
        ("search.cv=3", "cv", 3),
        ("search.cv=3", "validation", None),
        ("search.timeout=90m", "timeout", 5400.0),
        ("search.pruner=", "pruner", None),
        ("search.scoring = f1_macro", "scoring", "f1_macro"),
        ("search.refit=false", "refit", False),
        ("search.pruner.min_epochs=4", "pruner", 4),
    ],
)
def test_set(design, change, place, expected):
    """``--set`` changes one place; its value is TOML or a bare word, nothing takes it away."""
    spec = load_study(design, set_=[change], parameters=known)
    found = getattr(spec.search, place)
    assert (found.min_epochs if change.startswith("search.pruner.") else found) == expected
    again = load_study(tomllib.loads(spec.source), parameters=known)
    assert again.sections() == spec.sections()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("cv=3", '--set: must be section.key=value (search.cv=3), got "cv=3"'),
        ("search.cv", '--set: must be section.key=value (search.cv=3), got "search.cv"'),
        ("serach.cv=3", "serach (--set): unknown section, did you mean search?"),
        ("search.trails=3", "search.trails (--set): unknown key, did you mean trials?"),
        (
            "search.trials=0",
            "search.trials (--set): must be a whole number from 1 to 100000, got 0",
        ),
        (
            "space.filters=[1",
            '--set: the value must be TOML (3, 0.5, true, adam, [16, 32]), got "space.filters=[1"',
        ),
        (
            "search.trials.a=1",
            '--set: trials holds a value, not keys, got "search.trials.a=1"',
        ),
        (
            "search.scoring=x\n[study]",
            (
                "--set: the value must be TOML (3, 0.5, true, adam, [16, 32]), "
                'got "search.scoring=x\\n[study]"'
            ),
        ),
    ],
)
def test_set_problems(design, change, expected):
    """A change that says nothing known is reported like other problems, as a change."""
    assert problems(design, [change]) == [expected]


def test_mapping_is_left_alone():
    """Changes never touch the mapping that was handed in."""
    study = grid()
    load_study(study, set_=["search.cv=3", "model.batch_size=4"], parameters=known)
    assert study == grid()


def test_mapping_source_reads_back():
    """The source of a mapping is a study file that says the same."""
    spec = load_study(tpe(data={"image_size": (8, 8)}), parameters=known)
    assert load_study(tomllib.loads(spec.source), parameters=known) == spec


@pytest.mark.parametrize("study", [grid(), tpe(search={"pruner": "median", "timeout": 3})])
def test_plain_there_and_back(study):
    """A study survives JSON, and nothing of it is lost."""
    spec = load_study(study, parameters=known)
    assert StudySpec.from_plain(json.loads(json.dumps(spec.plain()))) == spec


def test_a_folder_of_pictures_beside_the_study_file(tmp_path):
    """It may be named by its name alone, wherever the command is run."""
    source = '[data]\ndataset = "pets"\n[search]\nmethod = "grid"\n[space]\nepochs = [1, 2]\n'
    (tmp_path / "study.toml").write_text(source)
    assert 'no dataset or folder named "pets"' in problems(tmp_path / "study.toml")[0]
    (tmp_path / "pets").mkdir()
    assert load_study(tmp_path / "study.toml").data.dataset == "pets"


def test_plain_keeps_folder_and_source(design):
    """Where a study came from travels along."""
    spec = load_study(design, parameters=known)
    assert StudySpec.from_plain(json.loads(json.dumps(spec.plain()))) == spec
    assert spec.plain()["folder"] == str(design.parent)


def test_from_plain_refuses():
    """Plain values that hold no study are a study file error."""
    with pytest.raises(StudyFileError, match=r"data\.dataset: is required"):
        StudySpec.from_plain({"search": {"method": "grid"}})


def test_built_in_parameters():
    """A built-in model has the training parameters and its own; an own model is not known."""
    found = estimator_parameters("mlp")
    assert found is not None
    assert set(TRAINING) < set(found)
    assert "hidden_size" in found
    assert estimator_parameters("mine:build") is None


def test_scorers_are_scikit_learns():
    """Every listed scorer exists, and none that judges classes is missing."""
    assert set(SCORERS) <= set(get_scorer_names())
    module = {name: get_scorer(name)._score_func.__module__ for name in get_scorer_names()}
    judging = {n for n, m in module.items() if m.endswith("._classification")}
    judging |= {n for n, m in module.items() if m.endswith(("._ranking", "._scorer"))}
    assert {n for n in judging if not n.endswith("_samples")} == set(SCORERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4h", 14400),
        ("90m", 5400),
        ("30s", 30),
        ("1h30m", 5400),
        ("0.5h", 1800),
        (12, 12),
        (1.5, 1.5),
    ],
)
def test_durations(text, expected):
    """Durations read as seconds."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "4", "h", "4d", "-4h", 0, -1, True, None, float("nan"), [], "٤h"]
)
def test_no_durations(text):
    """Anything else is no duration."""
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)


def test_lines_of_odd_toml():
    """Strings, comments and lists over several lines do not lead astray."""
    source = '# [a]\n[ a . "b c" ]\nx = """\n[no]\ny = 1\n"""  # ]\n'
    source += 'z = [\n  "]", # [\n  1]\n"k=1".d = 2\n'
    tomllib.loads(source)
    assert lines(source) == {
        ("a", "b c"): 2,
        ("a", "b c", "x"): 3,
        ("a", "b c", "z"): 7,
        ("a", "b c", "k=1", "d"): 10,
    }
    assert line_of(("a", "b c", "z", "0"), lines(source)) == 7
    assert line_of(("q",), lines(source)) is None


leaves = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), trees, max_size=4))
def test_toml_there_and_back(plain):
    """What the writer writes, Python's own reader reads as the same values and types."""
    assert repr(tomllib.loads(to_toml(plain))) == repr(_loose_first(plain))


def _loose_first(plain):
    """Values come before sections, as TOML demands."""
    loose = {k: v for k, v in plain.items() if not isinstance(v, dict)}
    return {**loose, **{k: v for k, v in plain.items() if isinstance(v, dict)}}


def test_toml_refuses_others():
    """A value that TOML cannot hold is refused, not written as something else."""
    with pytest.raises(TypeError, match="TOML holds"):
        to_toml({"a": object()})


TEXTS = [DESIGN, *(f.read_text(encoding="utf-8") for f in shipped_studies().values())]
pieces = st.text(string.printable, max_size=6) | st.sampled_from(
    ["[", "]", "{", "}", '"', "'", "=", "\n", "-1", "0", "nan", "inf", "1e400", "true", '"""', "\0"]
)


@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_mutated_text(tmp_path, data):
    """A study file with any part overwritten reads, or raises StudyFileError alone."""
    text = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 8, len(text))))
    file = tmp_path / "mutated.toml"
    file.write_text(text[:start] + data.draw(pieces) + text[end:], encoding="utf-8", newline="")
    _reads_or_says(file)


junk = st.recursive(
    st.none() | leaves | st.floats() | st.binary(max_size=2) | st.dates() | st.just(2**70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["int", "float", "choices", "step", "log", "when", "name", "epochs"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_mutated_values(data):
    """A study with any value replaced by anything reads, or raises StudyFileError alone."""
    study = tomllib.loads(data.draw(st.sampled_from(TEXTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        section = data.draw(st.sampled_from(sorted(study)))
        if not isinstance(study[section], dict) or data.draw(st.integers(0, 9)) == 0:
            study[section] = data.draw(junk)
        else:
            keys = st.sampled_from(sorted(study[section]) or ["x"]) | st.text(max_size=3)
            study[section][data.draw(keys)] = data.draw(junk)
    _reads_or_says(study)


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.text(max_size=12) | st.from_regex(r"[a-z]{4,6}\.[a-z]+=.{0,6}"))
def test_mutated_changes(text, change):
    """Any ``--set`` reads, or raises StudyFileError alone."""
    _reads_or_says(tomllib.loads(text), [change])


def _reads_or_says(study, set_=()):
    spec = said = None
    try:
        spec = load_study(study, set_=set_, parameters=known)
    except StudyFileError as error:
        said = error.problems
    if spec is None:
        assert said
        assert all("\n" not in each and "Input should" not in each for each in said)
    else:
        assert StudySpec.from_plain(json.loads(json.dumps(spec.plain()))) == spec
        assert (
            load_study(tomllib.loads(spec.source), parameters=known).sections()["space"]
            == (spec.sections()["space"])
        )


def test_checkout_or_wheel():
    """Shipped studies are files that exist."""
    assert all(isinstance(f, Path) and f.is_file() for f in shipped_studies().values())


def test_broken_value_does_not_hide_the_rest():
    """A value that no study file can hold is one problem, and the others are still found."""
    study = tpe(space={"epochs": [b"", 2], "filters": {"int": [8, 4]}}, data={"seed": None})
    assert problems(study) == [
        'space.epochs: must be text, a number, true or false, a list or a table, got "bytes"',
        "space.filters: low must be below high, got [8, 4]",
    ]


def test_a_misspelt_callback_is_found_before_anything_trains():
    """With the name that was meant."""
    study = {
        "study": {"name": "s"},
        "data": {"dataset": "digits"},
        "model": {"callbacks": ["TerminateOnNaN", {"name": "ReduceLRonPlateau", "patience": 1}]},
        "search": {"method": "grid", "cv": 2},
        "space": {"hidden_size": [8, 16]},
    }
    with pytest.raises(StudyFileError, match="did you mean ReduceLROnPlateau"):
        load_study(study)


def test_objectives_may_hold_anything_and_are_refused():
    """A list or table among the objectives is told like any other wrong value."""
    for odd in (["parameters"], {}):
        with pytest.raises(StudyFileError, match=r'search\.objectives: must be "score" first'):
            load_study(tpe(search={"objectives": ["score", odd]}))


@pytest.mark.parametrize("text", ["[{}]", "{} = 1", "[[{}]]"])
def test_a_dotted_key_without_end(tmp_path, text):
    """Tables nest by dots as deep as the line is long, and are refused like brackets."""
    file = tmp_path / "deep.toml"
    file.write_text(text.format(".".join("a" * 900)), encoding="utf-8")
    with pytest.raises(StudyFileError, match="nest too deep"):
        load_study(file)
    with pytest.raises(StudyFileError, match="must not nest deeper"):
        load_study("digits-grid", set_=[".".join("a" * 5000) + "=1"])


def test_a_section_without_a_header_has_the_line_of_its_first_key(tmp_path):
    """``[a.b]`` makes a section ``a``: where it is unknown, that line is named."""
    file = tmp_path / "implied.toml"
    file.write_text("[study]\n[a.b]\nx = 1\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"a \(line 2\): unknown section"):
        load_study(file)


def test_thousands_of_problems_are_told_soon():
    """The work grows with the number of problems and choices, not with its square."""
    started = time.process_time()
    with pytest.raises(StudyFileError) as said:
        load_study(tpe(search={"start": [{f"k{i}": i for i in range(10_000)}]}))
    assert len(said.value.problems) == 10_000
    load_study(tpe(space={"hidden_size": list(range(1, 5001))}))
    assert time.process_time() - started < 4


@pytest.mark.parametrize("key", ["nested", "repeats"])
def test_rounds_without_end_are_refused(key):
    """A check would list every outer fold and every split."""
    with pytest.raises(StudyFileError, match=rf"search\.{key}: must be a whole number .* to 100"):
        load_study(grid(search={key: 10**9}))
