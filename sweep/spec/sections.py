"""The sections of a study file, as frozen models; each field's description completes "must be"."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, InstanceOf
from pydantic_core import PydanticCustomError

from sweep.spaces import Choices, FloatRange, IntRange  # noqa: TC001 - pydantic needs them
from sweep.spec.base import COUNT, SHARE, Count, Section, Share, Text
from sweep.spec.memory_sizes import size
from sweep.spec.methods import IMPORTED, METHODS, SearchMethod, find_method
from sweep.spec.pruning import PRUNER, SPLIT_PRUNER, Pruner, SplitPruner
from sweep.spec.scorers import SCORERS, column_of, is_own_scorer, is_scorer, listed
from sweep.spec.settling import SETTLE, Settle
from sweep.support.durations import seconds

OBJECTIVES = ("score", "parameters", "fit_seconds", "inference_ms")
NAME_LENGTH = 100
TRIALS_LIMIT = 100_000
SEED_LIMIT = 2**32 - 1
SEEDS_LIMIT = 100
LEAST_MEMORY = 2**30
"""Bytes; TensorFlow alone takes half of that."""
ROUNDS_LIMIT = 100
"""Repeats of a cross-validation, and its outer folds: a check lists them one by one."""


def _duration(value: Any) -> Any:
    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "no duration") from error


def _memory(value: Any) -> Any:
    try:
        found = None if value is None else size(value)
    except ValueError as error:
        raise PydanticCustomError("size", "no size") from error
    if found is not None and found < LEAST_MEMORY:
        raise PydanticCustomError("size", "too small")
    return found


def _name(value: Any) -> Any:
    if isinstance(value, str) and value.isprintable() and value == value.strip():
        return value
    raise PydanticCustomError("name", "no name")


def _method(value: Any) -> Any:
    if find_method(value) is not None:
        return value
    raise PydanticCustomError("method", "no method")


def _scoring(value: Any) -> Any:
    """Return one scorer or several; a list of one is that scorer, for the study is the same."""
    names = listed(value)
    columns = {column_of(name) for name in names if is_scorer(name)}
    if names and len(columns) == len(names):
        return names[0] if len(names) == 1 else names
    raise PydanticCustomError("scorer", "no scorer")


def _objectives(value: Any) -> Any:
    """``"score"`` stands first, for Optuna's values are read by their place; each stands once.

    An imported study may have further scores for objectives.
    """
    names = tuple(value) if isinstance(value, list | tuple) else ()
    known = all(name in OBJECTIVES or is_own_scorer(str(name)) for name in names)
    if names[:1] == ("score",) and known and len(set(names)) == len(names):
        return names
    raise PydanticCustomError("objectives", "no objectives")


Duration = Annotated[float | None, BeforeValidator(_duration)]
Memory = Annotated[int | None, BeforeValidator(_memory)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Objectives = Annotated[tuple[Text, ...], BeforeValidator(_objectives)]
Tables = Annotated[tuple[dict[str, Any], ...], Field(strict=False)]
DURATION = 'a duration ("4h", "90m", "30s", or a number of seconds)'


class StudySection(Section):
    """``[study]``: what it is called."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), BeforeValidator(_name)] = (
        Field(description="1 to 100 printable characters without blanks around them")
    )
    seed: int = Field(0, ge=0, le=SEED_LIMIT, description="a whole number from 0 to 4294967295")
    description: str = Field("", description="text")


class DataSection(Section):
    """``[data]``: which rows, and how they are prepared."""

    dataset: Text = Field(
        description='a name ("mnist"), an .npz or .csv file, a folder of images, or '
        '"module:function"'
    )
    train_rows: Count | None = Field(None, description=COUNT)
    test_rows: Count | None = Field(None, description=COUNT)
    sample: Literal["first", "stratified"] = Field("first", description='"first" or "stratified"')
    scaling: Literal["none", "unit", "standardize"] = Field(
        "unit", description='"none", "unit" or "standardize"'
    )
    one_vs_rest: int | Text | None = Field(None, description="a class: its number or its name")
    rest_rows: Count | None = Field(None, description=COUNT)
    positive: int | Text | None = Field(None, description="a class: its number or its name")
    groups: Text | None = Field(None, description="the name of the array that holds the groups")
    path: Text | None = Field(None, description="the name of a column")
    label: Text | None = Field(None, description="the name of a column")
    split: Text | None = Field(None, description="the name of a column")
    group: Text | None = Field(None, description="the name of a column")
    image_size: Annotated[tuple[Count, Count], Field(strict=False)] | None = Field(
        None, description="[height, width] in pixels, whole numbers from 1"
    )
    color: Literal["rgb", "grayscale"] = Field("rgb", description='"rgb" or "grayscale"')
    resize: Literal["squash", "crop", "pad"] | None = Field(
        None, description='"squash", "crop" or "pad"'
    )
    memory: Literal["mapped", "ram"] | None = Field(None, description='"mapped" or "ram"')
    test_fraction: Share = Field(0.2, description=SHARE)
    flat: bool = Field(default=False, description="true or false")


class ModelSection(Section):
    """``[model]``: the factory or the estimator, and what is fixed for the whole study.

    Attributes
    ----------
    factory : str
        A built-in model's name or ``"module:function"``; empty beside an estimator.
    estimator : str or None
        ``"module:name"`` of a scikit-learn estimator, or of a function or class that returns one.
    params : dict
        Every other key of the section: parameters of the estimator.
    """

    factory: Text = Field("mlp", description='a model\'s name or "module:function"')
    estimator: Text | None = Field(
        None, description='"module:name" of a scikit-learn estimator, or of what returns one'
    )
    params: dict[str, Any] = Field(default_factory=dict, description="parameters of the estimator")

    @property
    def code(self) -> str:
        """What makes the model: the reference of the estimator, else the factory."""
        return self.estimator or self.factory

    @property
    def source(self) -> dict[str, str]:
        """The key of the study file that names it, with its value."""
        key = "factory" if self.estimator is None else "estimator"
        return {key: self.code}


class SearchSection(Section):
    """``[search]``: how candidates are found and judged; durations are in seconds."""

    method: Annotated[str, BeforeValidator(_method)] = Field(
        description=f"one of: {', '.join(METHODS)}"
    )
    cv: Annotated[int, Field(ge=2)] | None = Field(
        None, description="a whole number from 2 (splits of the cross-validation)"
    )
    repeats: Annotated[int, Field(ge=1, le=ROUNDS_LIMIT)] = Field(
        1, description=f"{COUNT} to {ROUNDS_LIMIT}"
    )
    validation: Share | None = Field(None, description=SHARE)
    seeds: Annotated[int, Field(ge=1, le=SEEDS_LIMIT)] = Field(
        1, description=f"a whole number from 1 to {SEEDS_LIMIT} (fits of each split)"
    )
    scoring: Annotated[str | tuple[str, ...], BeforeValidator(_scoring)] = Field(
        "accuracy",
        description='a scorer or a list of scorers, each "module:function" or one of: '
        f"{', '.join(SCORERS)}",
    )
    train_scores: bool = Field(default=False, description="true or false")
    refit: bool = Field(default=True, description="true or false")
    refit_precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] | None = Field(
        None, description='"float32", "mixed_bfloat16" or "mixed_float16" (of the winner)'
    )
    refit_epochs: Count | None = Field(None, description=f"{COUNT} (epochs of the refit)")
    choose: Literal["best", "one_standard_error", "cheapest"] = Field(
        "best", description='"best", "one_standard_error" or "cheapest"'
    )
    nested: Annotated[int, Field(ge=2, le=ROUNDS_LIMIT)] | None = Field(
        None,
        description=f"a whole number from 2 to {ROUNDS_LIMIT} "
        "(outer folds, each repeating the whole search)",
    )
    trials: Annotated[int, Field(ge=1, le=TRIALS_LIMIT)] | None = Field(
        None, description=f"a whole number from 1 to {TRIALS_LIMIT}"
    )
    timeout: Duration = Field(None, description=DURATION)
    pruner: Pruner = Field(None, description=PRUNER)
    split_pruner: SplitPruner = Field(None, description=SPLIT_PRUNER)
    trial_timeout: Duration = Field(None, description=DURATION)
    memory_limit: Memory = Field(
        None, description='a size from "1GB" on ("4GB", "1500MB", or a number of bytes)'
    )
    patience: Count | None = Field(
        None, description=f"{COUNT} (finished trials without improvement)"
    )
    max_parameters: Count | None = Field(None, description=COUNT)
    max_fit_seconds: Annotated[float, Field(gt=0)] | None = Field(
        None, description="a number of seconds above 0"
    )
    start: Tables = Field((), description="tables of parameters, each headed [[search.start]]")
    start_from: Texts = Field((), description='a list of studies of the ledger (["other-study"])')
    objectives: Objectives = Field(
        ("score",), description='"score" first, then any of: parameters, fit_seconds, inference_ms'
    )
    curves: bool = Field(default=True, description="true or false")
    settle: Settle = Field(None, description=SETTLE)

    @property
    def method_row(self) -> SearchMethod:
        """What :mod:`sweep.spec.methods` says of the method."""
        return METHODS.get(self.method, IMPORTED)

    @property
    def scorers(self) -> tuple[str, ...]:
        """All scorers; the first ranks, prunes and chooses."""
        return listed(self.scoring)

    @property
    def scorer(self) -> str:
        """The scorer that ranks, prunes and chooses."""
        return self.scorers[0]


class SpaceSection(Section):
    """``[space]``: what is searched.

    Attributes
    ----------
    dimensions : dict of str to Choices, IntRange or FloatRange
        By parameter, in the order of the study file; what :mod:`sweep.spaces` works on.
    """

    dimensions: dict[str, InstanceOf[Choices] | InstanceOf[IntRange] | InstanceOf[FloatRange]] = (
        Field(default_factory=dict)
    )


class ReportSection(Section):
    """``[report]``: what the report shows beside the usual."""

    title: Text | None = Field(None, description="text")
    pivots: Texts = Field((), description='a list of "index,columns" texts (["epochs,width"])')
    sections: Texts = Field((), description='a list of texts (["leaderboard", "mine:lift"])')
