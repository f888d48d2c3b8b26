"""``search.pruner`` and ``search.split_pruner``: when a trial is given up early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from sweep.spec.base import COUNT, SHARE, Count, Section, Share
from sweep.spec.methods import is_grid
from sweep.spec.number_types import is_number
from sweep.spec.problems import Problem, shown, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

PRUNERS: dict[str, dict[str, Any]] = {
    "median": {"min_epochs": 1, "startup_trials": 5},
    "percentile": {"percentile": 25.0, "min_epochs": 1, "startup_trials": 5},
    "hyperband": {
        "min_epochs": 1,
        "max_epochs": None,
        "reduction_factor": 3,
        "resource": None,
        "min_samples": None,
    },
    "successive_halving": {
        "min_epochs": 1,
        "max_epochs": None,
        "reduction_factor": 4,
        "resource": None,
        "min_samples": None,
    },
    "patient": {"patience": 1, "min_delta": 0.0, "wrapped": None},
    "threshold": {"lower": None, "upper": None, "min_epochs": 1},
}
"""What each pruner takes, with the defaults; None is left to the study or left out."""

BY_RUNGS = ("hyperband", "successive_halving")
"""Pruners whose trials pause at rungs, from which the best go on."""

ROWS = "n_samples"
"""The ``resource`` of rungs that are counted in training rows; otherwise they are in epochs."""

LEAST_ROWS = 1024
"""Training rows of the first rung where ``min_samples`` is not given."""

NAMES = f"one of: {', '.join(PRUNERS)}"
INSTEAD = {
    "halving": 'take "successive_halving"',
    "asha": 'take "successive_halving", which lets trials go on as ASHA does',
    "wilcoxon": "it compares splits, not epochs: leave pruner out and say split_pruner = true",
}
FROM_ZERO = "a whole number from 0"
PRUNER = 'a pruner\'s name ("hyperband") or a table ({ name = "median", min_epochs = 2 })'
SPLIT_PRUNER = "true, false, or a table ({ p = 0.1, min_splits = 2 })"


def pruner_table(value: Any) -> Any:
    """``"median"`` is short for ``{ name = "median" }``, ``"none"`` for leaving it out."""
    if value == "none":
        return None
    table = {"name": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        return table
    defaults = {k: v for k, v in PRUNERS.get(table["name"], {}).items() if v is not None}
    if table["name"] not in BY_RUNGS:
        return {**defaults, **table}
    if table.get("resource") == ROWS:
        del defaults["min_epochs"]
        defaults["min_samples"] = LEAST_ROWS
    given = {k: v for k, v in table.items() if (k, v) != ("resource", "epochs")}
    return {**defaults, **given}


def split_pruner_table(value: Any) -> Any:
    """Read ``true`` as ``{}``, the defaults, and ``false`` as leaving it out."""
    if value is False or value == "none":
        return None
    return {} if value is True else value


def _known_name(value: Any) -> Any:
    if value in INSTEAD:
        raise ValueError(f'"{value}" is no pruner by epoch; {INSTEAD[value]}')
    return value


class PrunerSection(Section):
    """``search.pruner``: give a trial up after an epoch; a pruner reads only what it takes.

    Attributes
    ----------
    name : str
        One of :data:`PRUNERS`, where the defaults stand.
    min_epochs : int or None
        Epochs that every trial runs; for ``hyperband`` and ``successive_halving`` the epochs of
        the first decision.
    max_epochs : int or None
        Epochs of a whole trial; None takes the largest of the study.
    reduction_factor : int or None
        One trial of so many goes on after each decision.
    resource : str or None
        What rungs count: ``"n_samples"``, training rows; None, epochs.
    min_samples : int or None
        Training rows of the first decision, where rungs count rows.
    percentile : float or None
        The share of trials, in percent, that goes on.
    startup_trials : int or None
        Trials that must be complete before the first is pruned.
    patience : int or None
        Epochs without a better score before the wrapped pruner is asked.
    min_delta : float or None
        How much worse still counts as not worse.
    wrapped : PrunerSection or None
        The pruner that is asked then; None gives the trial up at once.
    lower, upper : float or None
        Scores outside are given up.
    """

    name: Annotated[
        Literal["median", "percentile", "hyperband", "successive_halving", "patient", "threshold"],
        BeforeValidator(_known_name),
    ] = Field(description=NAMES)
    min_epochs: Count | None = Field(None, description=COUNT)
    max_epochs: Count | None = Field(None, description=COUNT)
    reduction_factor: Annotated[int, Field(ge=2)] | None = Field(
        None, description="a whole number from 2"
    )
    resource: Literal["epochs", "n_samples"] | None = Field(
        None, description='"epochs" or "n_samples"'
    )
    min_samples: Count | None = Field(None, description=COUNT)
    percentile: Annotated[float, Field(ge=0, le=100)] | None = Field(
        None, description="a number from 0 to 100"
    )
    startup_trials: Annotated[int, Field(ge=0)] | None = Field(None, description=FROM_ZERO)
    patience: Annotated[int, Field(ge=0)] | None = Field(None, description=FROM_ZERO)
    min_delta: Annotated[float, Field(ge=0)] | None = Field(None, description="a number from 0")
    wrapped: Annotated[PrunerSection | None, BeforeValidator(pruner_table)] = Field(
        None, description=PRUNER
    )
    lower: float | None = Field(None, description="a number")
    upper: float | None = Field(None, description="a number")


class SplitPrunerSection(Section):
    """``search.split_pruner``: give a candidate up after a split, compared with the best so far.

    Attributes
    ----------
    p : float
        Largest probability of being wrong at which a candidate is given up.
    min_splits : int
        Splits that every candidate is measured on.
    test : str or None
        ``"paired"`` or ``"wilcoxon"``; None chooses by the number of splits.
    """

    p: Share = Field(0.1, description=SHARE)
    min_splits: Annotated[int, Field(ge=2)] = Field(2, description="a whole number from 2")
    test: Literal["paired", "wilcoxon"] | None = Field(None, description='"paired" or "wilcoxon"')


Pruner = Annotated[PrunerSection | None, BeforeValidator(pruner_table)]
SplitPruner = Annotated[SplitPrunerSection | None, BeforeValidator(split_pruner_table)]


def inside_problems(search: Mapping[str, Any]) -> list[Problem]:
    """Name the keys inside ``pruner`` and ``split_pruner`` that are wrong, not only the whole."""
    pruner, split = search.get("pruner"), split_pruner_table(search.get("split_pruner"))
    return [
        *_pruner_inside(pruner, ("pruner",)),
        *_inside(SplitPrunerSection, split, ("split_pruner",)),
    ]


def _pruner_inside(value: Any, place: tuple[str, ...]) -> list[Problem]:
    table = pruner_table(value)
    if not isinstance(table, Mapping):
        return []
    found = [*_pruner_inside(table.get("wrapped"), (*place, "wrapped"))]
    plain = {key: each for key, each in table.items() if key != "wrapped" or not found}
    found += _inside(PrunerSection, plain, place)
    found += [Problem(("search", *place, *at), text) for at, text in _contradictions(table)]
    if isinstance(value, str):
        return [Problem(("search", *place), problem.message) for problem in found][:1]
    return found


def _inside(kind: type[Section], table: Any, place: tuple[str, ...]) -> list[Problem]:
    if not isinstance(table, Mapping):
        return []
    try:
        kind.model_validate(dict(table))
    except ValidationError as error:
        return translated("search", kind.model_fields, error, table, place)
    return []


def _contradictions(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find keys that this pruner does not take, and pairs of values that exclude each other."""
    name = table.get("name")
    takes = PRUNERS.get(name) if isinstance(name, str) else None
    if takes is None:
        return
    for key in PrunerSection.model_fields:
        if key in table and key not in ("name", *takes):
            takers = ", ".join(each for each, keys in PRUNERS.items() if key in keys)
            yield (key,), f'"{name}" takes {", ".join(takes)}; {key} is for {takers}'
    wrapped = pruner_table(table.get("wrapped"))
    if isinstance(wrapped, Mapping) and wrapped.get("name") in BY_RUNGS:
        text = f'"{wrapped["name"]}" lets trials pause and go on, so it cannot be wrapped; '
        yield ("wrapped",), f'{text}wrap "median", "percentile" or "threshold"'
    if name in BY_RUNGS:
        yield from _resources(table)
    if name == "threshold" and table.get("lower") is None and table.get("upper") is None:
        yield (), '"threshold" needs a bound: say { name = "threshold", lower = 0.5 }'
    for low, high in (("lower", "upper"), ("min_epochs", "max_epochs")):
        if is_number(table.get(low)) and is_number(table.get(high)) and table[low] > table[high]:
            text = f"must not be above {high}, got {shown(table[low])} and {shown(table[high])}"
            yield (low,), text


def _resources(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find a first rung in another unit than the rungs have."""
    if table.get("resource") == ROWS and table.get("min_epochs") is not None:
        text = f'rungs count rows with resource = "{ROWS}", so min_epochs must be left out; '
        yield ("min_epochs",), f"{text}say min_samples = {LEAST_ROWS}"
    if table.get("resource") is None and table.get("min_samples") is not None:
        text = f'rungs count epochs unless resource = "{ROWS}"; say that too, or leave it out'
        yield ("min_samples",), text


def pruning_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find contradictions between pruning and the rest of ``[search]``, its defaults filled in."""
    if raw.get("pruner") not in (None, "none") and is_grid(raw.get("method")):
        yield Problem(
            ("search", "pruner"),
            "a grid finishes the epochs of every candidate, so pruner must be left out, got "
            f'{shown(raw["pruner"])}; or take method = "random" or "tpe", or split_pruner = true',
        )
    split = split_pruner_table(raw.get("split_pruner"))
    if split is None:
        return
    place = ("search", "split_pruner")
    if raw.get("pruner") not in (None, "none"):
        yield Problem(
            place,
            "pruner trains all splits side by side, split_pruner one after another; leave one out",
        )
    if raw.get("cv") is None:
        yield Problem(place, "compares splits, so it needs several: say cv = 5")
    elif isinstance(split, Mapping):
        yield from _split_count_problems(raw, split, place)


def _split_count_problems(
    raw: Mapping[str, Any], split: Mapping[str, Any], place: tuple[str, ...]
) -> Iterator[Problem]:
    counts = [raw.get(key, 1) for key in ("cv", "repeats", "seeds")]
    least = split.get("min_splits", 2)
    if not all(type(n) is int and n >= 1 for n in (*counts, least)):
        return
    splits = counts[0] * counts[1] * counts[2]
    if least >= splits:
        text = f"must be below the number of splits ({splits}), or nothing is saved, got {least}"
        yield Problem((*place, "min_splits") if "min_splits" in split else place, text)
