"""Valid studies, and rules that break them: each takes the sections and what draws, and may change.

Text that begins with ``RAW`` is written without quotes: values that the writer does not know.
"""

from __future__ import annotations

import copy
import re
import tomllib

from sweep.spec import SCORERS, shipped_studies, to_toml

RAW = "@raw@"
RULES = {}
SECTIONS = ("study", "data", "model", "search", "space", "report")
VARIANTS = """
[study]
name = "digits-hyperband"
seed = 7
description = "all that hyperband has"
[data]
dataset = "digits"
train_rows = 300
sample = "stratified"
scaling = "standardize"
[model]
factory = "cnn"
epochs = 9
[search]
method = "tpe"
trials = 9
validation = 0.2
pruner = { name = "hyperband", min_epochs = 1, max_epochs = 9, reduction_factor = 3 }
timeout = "1h30m"
max_parameters = 100000
max_fit_seconds = 60.0
start = [{ filters = 8, optimizer = "sgd" }, { filters = 16 }]
[space]
filters = [8, 16]
optimizer = ["sgd", "adam"]
momentum = { float = [0.0, 0.9], when = { optimizer = "sgd" } }
nesterov = { choices = [true, false], when = { optimizer = ["sgd"], filters = 8 } }
[report]
title = "Digits"
pivots = ["filters,optimizer"]
sections = ["leaderboard", "curves"]
---
[study]
name = "digits-pareto"
[data]
dataset = "digits"
one_vs_rest = 6
rest_rows = 300
positive = "6"
[search]
method = "nsga2"
trials = 40
cv = 3
scoring = "roc_auc"
objectives = ["score", "parameters"]
curves = false
[space]
hidden_size = { int = [8, 64], log = true }
hidden_layers = { int = [1, 3] }
dropout_rate = { float = [0.0, 0.5], step = 0.1 }
---
[study]
name = "digits-splits"
[data]
dataset = "digits"
train_rows = 400
[model]
factory = "mlp"
class_weight = "balanced"
callbacks = ["TerminateOnNaN", { name = "ReduceLROnPlateau", patience = 2 }]
[search]
method = "qmc"
trials = 12
cv = 5
repeats = 2
seeds = 2
choose = "one_standard_error"
split_pruner = { p = 0.1, min_splits = 3, test = "wilcoxon" }
trial_timeout = 90
patience = 6
refit_precision = "float32"
refit_epochs = 20
[space]
learning_rate = { float = [1e-4, 1e-1], log = true }
batch_size = { int = [16, 64], step = 16 }
---
[study]
name = "digits-nested"
[data]
dataset = "digits"
[model]
hidden_layers = 2
[search]
method = "random"
trials = 8
validation = 0.2
nested = 3
pruner = { name = "patient", patience = 2, wrapped = { name = "percentile", percentile = 30.0 } }
[space]
hidden_size = [[16, 8], [32, 16]]
epochs = { int = [1, 6] }
"""


def _small(text):
    """A study that the small data of these tests are enough for."""
    study = tomllib.loads(text)
    if study["data"]["dataset"] != "digits":
        study["data"].pop("train_rows", None)
        study["data"].pop("test_rows", None)
        study["data"].pop("rest_rows", None)
    return study


STUDIES = [_small(file.read_text(encoding="utf-8")) for file in shipped_studies().values()]
STUDIES += [_small(text) for text in VARIANTS.split("---")]


def written(study):
    """The study file, as bytes."""
    text = re.sub(rf'"{RAW}([^"]*)"', r"\1", to_toml(study))
    return text.encode("utf-8", "surrogatepass")


def mutated(name, rng):
    """Return a study with one rule applied, now and then two more beside it."""
    study = copy.deepcopy(rng.choice(STUDIES))
    others = [rng.choice(sorted(RULES)) for _ in range(2)] if rng.random() < 0.2 else []
    for each in (name, *others):
        RULES[each](study, rng)
    return written(study)


def rule(function):
    """Keep a rule under its own name."""
    RULES[function.__name__] = function
    return function


def _section(study, rng):
    """A section with keys that is a table still; others may have been broken before."""
    names = [name for name in study if isinstance(study[name], dict) and study[name]]
    return study[rng.choice(names)] if names else study.setdefault("study", {"name": "x"})


def _named(study, name):
    if not isinstance(study.get(name), dict):
        study[name] = {}
    return study[name]


def _replace_one(study, rng, values):
    """Put one of the values in some place, at times inside a list or table."""
    node = _section(study, rng)
    key = rng.choice(sorted(node))
    while isinstance(node[key], dict | list) and node[key] and rng.random() < 0.6:
        node = node[key]
        key = rng.choice(sorted(node) if isinstance(node, dict) else range(len(node)))
    node[key] = rng.choice(values)


def _replacing(name, *values):
    def apply(study, rng):
        _replace_one(study, rng, values)

    RULES[name] = apply


_replacing("wrong_type", "text", 3, 2.5, True, ["a"], {"a": 1}, [1], [[1]], {"name": 3})
_replacing("not_finite", float("nan"), float("inf"), -float("inf"))
_replacing("huge_number", 2**63, 2**63 - 1, -(2**63), 10**30, 1e308, -1e308, 2**53, 10**9)
_replacing("tiny_number", 5e-324, 1e-300, -0.0, 1e-17)
_replacing("negative", -1, -0.5, -(2**31), -100)
_replacing("zero", 0, 0.0)
_replacing("truth_value", True, False)
_replacing("empty_list", [], [[]], [[], []])
_replacing("empty_table", {}, [{}], {"": {}})
_replacing("empty_text", "", " ", "\n", "\t ")
_replacing("odd_toml_value", *(f"{RAW}{text}" for text in (
    "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5", "0xff", "1_000",
    "[1979-05-27]", "{ day = 1979-05-27 }", "+nan", "1e400", "-1e400", "0o17",
)))  # fmt: skip
_replacing("nested_arrays", [[1, [2, [3]]]], [[[[[[[[[[1]]]]]]]]]], [{"a": [{"b": [1]}]}], [[1], 2])
_replacing("mixed_list", [1, "a"], [True, 1], [1, 1.0], [{}, 1], [1.5, [2]], ["a", ["a"]])
HOSTILE = (
    "../../etc/passwd", "/etc/shadow", "/", ".", "..", "~", "~nobody/x", "a/b", "C:\\x", "con",
    "x" * 101, "x" * 5000, "<script>alert(1)</script>", "'; DROP TABLE studies; --", "{{7*7}}",
    "%s%n", "$(reboot)", "`id`", "\u202e\u2066", "a\0b", "\x1b[31m", "line\nline", "é" * 60,
    "\U0001f9ea", "[bold]", "[/]", "=cmd|' /C calc'!A0", "null", "-rf", "--help", "os:system", "::",
    "a:b:c", "x.npz", "http://example.org/x.npz", "/dev/null", "/dev/zero", "file.toml", "\ufeff",
)  # fmt: skip
_replacing("hostile_text", *HOSTILE)


@rule
def hostile_name(study, rng):
    """The study's name, title or description."""
    section, key = rng.choice([("study", "name"), ("study", "description"), ("report", "title")])
    _named(study, section)[key] = rng.choice(HOSTILE)


@rule
def hostile_key(study, rng):
    _section(study, rng)[rng.choice((*HOSTILE, "", "a.b", '"', "a b"))] = rng.choice([1, [1], "x"])


@rule
def hostile_dataset(study, rng):
    _named(study, "data")["dataset"] = rng.choice(HOSTILE)


@rule
def unknown_key(study, rng):
    _section(study, rng)[rng.choice(["x", "epoch", "n_jobs", "cv_", "seed2"])] = rng.choice([1, []])


@rule
def misspelt_key(study, rng):
    section = _section(study, rng)
    key = rng.choice(sorted(section))
    at = rng.randrange(len(key) + 1)
    section[key[:at] + rng.choice(["", "x", "_", "É"]) + key[at + 1 :]] = section.pop(key)


@rule
def missing_key(study, rng):
    section = _section(study, rng)
    del section[rng.choice(sorted(section))]


@rule
def missing_section(study, rng):
    study.pop(rng.choice(sorted(study)), None)


@rule
def misspelt_section(study, rng):
    name = rng.choice(sorted(study))
    study[name + rng.choice(["s", "_", " ", "."])] = study.pop(name)


@rule
def section_is_a_value(study, rng):
    study[rng.choice(SECTIONS)] = rng.choice([1, "x", [], [1], [{}], True, 0.5])


@rule
def swapped_sections(study, rng):
    one, other = rng.choice(SECTIONS), rng.choice(SECTIONS)
    study[one], study[other] = study.get(other, {}), study.get(one, {})


@rule
def key_in_another_section(study, rng):
    section = _section(study, rng)
    key = rng.choice(sorted(section))
    _named(study, rng.choice(SECTIONS))[key] = section.pop(key)


@rule
def out_of_range(study, rng):
    section, key, values = rng.choice([
        ("search", "cv", (1, 0, 10**6, 2**40)), ("search", "validation", (0.0, 1.0, 1e-9, 0.9999)),
        ("search", "trials", (0, 100_001)), ("search", "seeds", (0, 101)),
        ("search", "repeats", (0, 10**9)), ("search", "nested", (1, 10**6)),
        ("search", "max_parameters", (0, 1)), ("search", "refit_epochs", (0, 2**62)),
        ("search", "timeout", ("0s", "4d", "-1h", "999999999h", 0, 1e300)),
        ("study", "seed", (-1, 2**32)), ("data", "test_fraction", (0.0, 1.0)),
        ("model", "learning_rate", (0.0, -1.0)), ("model", "batch_size", (0, 2**62)),
    ])  # fmt: skip
    _named(study, section)[key] = rng.choice(values)


@rule
def enormous_model(study, rng):
    key = rng.choice([
        "hidden_layers", "hidden_size", "filters", "kernel_size", "blocks", "convolutions",
        "dense_width", "dense_layers", "pool_size", "strides", "epochs", "batch_size",
    ])  # fmt: skip
    size = rng.choice([10**5, 10**7, 10**9, 2**40, 2**62])
    if rng.random() < 0.3:
        _named(study, "space")[key] = rng.choice([[1, size], {"int": [1, size]}])
    else:
        _named(study, "model")[key] = size


@rule
def layers_that_do_not_agree(study, rng):
    key = rng.choice(["hidden_size", "filters", "dropout_rate", "kernel_size", "hidden_layers"])
    section = _named(study, rng.choice(["model", "space"]))
    section[key] = rng.choice([[8, 8, 8, 8], [[8, 8], [8]], [[8, "a"]], [[0.5, 0.5]], [["a"]]])


@rule
def unknown_word(study, rng):
    section, key = rng.choice([
        ("model", "factory"), ("data", "dataset"), ("search", "method"), ("search", "scoring"),
        ("search", "pruner"), ("search", "choose"), ("data", "sample"), ("data", "scaling"),
        ("data", "color"), ("model", "optimizer"), ("model", "activation"), ("model", "precision"),
    ])  # fmt: skip
    words = ["mnisst", "cn", "grids", "acuracy", "hyperban", "RANDOM", "asha", "", "a b", "x.y"]
    _named(study, section)[key] = rng.choice(words)


@rule
def other_method(study, rng):
    method = rng.choice(["grid", "random", "qmc", "tpe", "nsga2", "cmaes", "gp"])
    _named(study, "search")["method"] = method


@rule
def other_scoring(study, rng):
    _named(study, "search")["scoring"] = rng.choice(SCORERS)


@rule
def duplicate_choice(study, rng):
    _named(study, "space")["hidden_size"] = rng.choice(
        [[8, 8], [[8], [8]], [8, 8.0], ["8", 8], [1, True], [[1], "[1]"]]
    )


def _range(name, *tables):
    def apply(study, rng):
        where = _named(study, "space")
        known = [key for key in where if isinstance(where[key], dict)]
        where[rng.choice([*sorted(known), "learning_rate", "hidden_size"])] = rng.choice(tables)

    RULES[name] = apply


_range("reversed_range", {"int": [9, 1]}, {"float": [0.9, 0.1]}, {"int": [3, 3]}, {"float": [1, 1]})
_range(
    "log_range_through_zero", {"int": [0, 9], "log": True}, {"float": [0.0, 1.0], "log": True},
    {"float": [-1.0, 1.0], "log": True}, {"float": [5e-324, 1e300], "log": True},
)  # fmt: skip
_range(
    "odd_step", {"int": [1, 9], "step": 0}, {"int": [1, 9], "step": 1.5},
    {"float": [0.0, 1.0], "step": 1e-300}, {"float": [0.0, 1.0], "step": 2.0},
    {"int": [1, 9], "step": 2, "log": True}, {"float": [0.0, 1e15], "step": 1e-9},
    {"float": [0.0, 1.0], "step": 1e-6}, {"int": [1, 1_000_001], "step": 1},
)  # fmt: skip
_range(
    "odd_range", {"int": [1]}, {"int": [1, 2, 3]}, {"int": 3}, {"int": [1, 2], "float": [0, 1]},
    {"int": [1.0, 2.0]}, {"low": 1, "high": 2}, {"choices": []}, {"choices": {}}, {"when": {}},
    {"int": [True, 4]}, {"float": ["a", "b"]}, {"int": [1, 2], "log": "yes"}, {"choices": [1] * 2},
    {"float": [-1e308, 1e308]}, {"int": [-(2**63), 2**63 - 1]}, {"float": [1e-320, 2e-320]},
)  # fmt: skip


@rule
def grid_too_large(study, rng):
    _named(study, "search")["method"] = "grid"
    for key in ("hidden_size", "batch_size", "epochs", "n_iter_no_change")[: rng.randrange(1, 5)]:
        _named(study, "space")[key] = list(range(1, 1 + rng.choice([20, 200, 3000])))


@rule
def condition_on_no_parent(study, rng):
    parent = rng.choice(["nothing", "factory", "momentum", "epochs", "", "a.b", "__class__"])
    _named(study, "space")["momentum"] = {"float": [0.0, 0.9], "when": {parent: "sgd"}}


@rule
def conditions_in_a_circle(study, rng):
    names = ["momentum", "nesterov", "weight_decay"][: rng.randrange(1, 4)]
    for name, parent in zip(names, [*names[1:], names[0]], strict=True):
        _named(study, "space")[name] = {"choices": [0.1, 0.2], "when": {parent: 0.1}}


@rule
def odd_condition(study, rng):
    when = rng.choice([[], {}, "sgd", {"optimizer": []}, {"optimizer": {}}, {"optimizer": 3},
                       {"optimizer": [["sgd"]]}, {"optimizer": ["sgd", "lion", 1]}, 1,
                       None])  # fmt: skip
    space = _named(study, "space")
    space["optimizer"] = ["sgd", "adam"]
    space["momentum"] = {"float": [0.0, 0.9], "when": when}


@rule
def odd_start(study, rng):
    _named(study, "search")["start"] = rng.choice([
        {}, [{}], [1], "x", [{"filters": 9}], [{"nothing": 1}], [{"momentum": 0.5}] * 9, [[]],
        [{"optimizer": "sgd", "momentum": "x"}], [{"hidden_size": {"int": [1, 2]}}], [{"": None}],
        [{"epochs": 0}], [{"hidden_size": [16]}], [{"hidden_size": True}],
    ])  # fmt: skip


@rule
def odd_start_from(study, rng):
    _named(study, "search")["start_from"] = rng.choice([
        "other", [1], [""], [[]], ["tiny", "tiny"], [study.get("study", {})], ["../x"],
        ["x" * 9000],
        ["tiny"], ["\0"],
    ])  # fmt: skip


@rule
def odd_pruner(study, rng):
    key = rng.choice(["pruner", "split_pruner"])
    _named(study, "search")[key] = rng.choice([
        "halving", "median", {"name": "median", "percentile": 3}, {"name": 3}, {}, [], True, False,
        {"name": "threshold"}, {"name": "threshold", "lower": 2, "upper": 1}, {"wrapped": {}},
        {"name": "patient", "wrapped": {"name": "patient", "wrapped": "hyperband"}}, {"p": 2},
        {"name": "hyperband", "min_epochs": 9, "max_epochs": 3}, {"min_splits": 10**9}, "none",
        {"name": "hyperband", "reduction_factor": 1}, {"name": "patient", "wrapped": 3},
        {"test": 1},
        {"name": "hyperband", "min_epochs": 2**62}, {"name": "hyperband", "max_epochs": 2**62},
        {"name": "successive_halving", "reduction_factor": 2**62}, {"name": "none"},
        {"name": "hyperband", "resource": "n_samples", "min_samples": 2**62},
        {"name": "successive_halving", "resource": 7, "min_samples": "x"},
        {"name": "hyperband", "resource": "n_samples", "min_epochs": [1]}, {"resource": "epochs"},
    ])  # fmt: skip


@rule
def odd_objectives(study, rng):
    _named(study, "search")["objectives"] = rng.choice([
        [], ["parameters"], ["score", "score"], ["score", 1], "score", ["score", ["parameters"]],
        ["score", "parameters", "fit_seconds", "inference_ms"], ["score", {}], [True],
    ])  # fmt: skip


@rule
def odd_scoring(study, rng):
    _named(study, "search")["scoring"] = rng.choice([
        [], [[]], {}, [1], ["accuracy", "accuracy"], ["accuracy", None], ["accuracy", "roc_auc"],
        ["f1_macro", "acuracy"], ["accuracy", "os:system"], "os:system", "mine:accuracy", "a:b:c",
        ["a:cost", "b:cost"], ["neg_log_loss", "accuracy", "roc_auc_ovr"], [""], [["accuracy"]],
        ["accuracy", "x\u202ey"], ["accuracy", True],
    ])  # fmt: skip


@rule
def odd_report(study, rng):
    _named(study, "report")[rng.choice(["pivots", "sections"])] = rng.choice([
        [], "x", [1], [""], [","], ["a,b,c"], ["epochs,epochs"], ["nothing,epochs"], ["mine:lift"],
        ["os:system"], ["leaderboard", "leaderboard"], ["<b>"], [["epochs", "filters"]], {},
    ])  # fmt: skip


@rule
def odd_data_settings(study, rng):
    key, values = rng.choice([
        ("train_rows", (10**6, 1, 2)), ("test_rows", (10**6, 1)), ("rest_rows", (10**6, 1)),
        ("one_vs_rest", (11, -1, "6", "nobody", "", 6, "cat")), ("groups", ("nothing", "",
        "x_train")),
        ("positive", (0, "not 6", "6", "nobody", "", -1)),
        ("image_size", ([0, 0], [1], [8, 8], [2**40, 2**40], 8)), ("color", ("grayscale",)),
        ("sample", ("stratified",)),
    ])  # fmt: skip
    _named(study, "data")[key] = rng.choice(values)


@rule
def own_code_that_is_not_allowed(study, rng):
    section, key = rng.choice([("model", "factory"), ("data", "dataset")])
    words = ["os:system", "mine:build", "builtins:exec", "a.b.c:d", "mine:", ":build", "mine:a.b"]
    _named(study, section)[key] = rng.choice(words)


@rule
def odd_training_value(study, rng):
    key, values = rng.choice([
        ("callbacks", (["Nothing"], [{}], [{"name": 1}], [[]], "TerminateOnNaN", [{"name": []}])),
        ("class_weight", ({}, {"0": -1}, {"x": "y"}, "even", {"0": {}}, [])),
        ("image_shape", ([], [8], [8, 8], [3, 3, 3, 3], [8, 9], [0, 8], [2**40, 1], "8x8")),
        ("early_stopping", ("yes", 1)), ("precision", ("float16",)), ("fast", (0,)),
        ("optimizer", (["sgd"], {}, 1)), ("scaling", ("unit", [], {})), ("epochs", ([], [0], [1,
        1])),
    ])  # fmt: skip
    _named(study, rng.choice(["model", "space"]))[key] = rng.choice(values)
