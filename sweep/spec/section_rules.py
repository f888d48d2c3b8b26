"""Rules that no single key can break alone: between keys of a section, and between sections."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.spaces import Space, grid_problems
from sweep.spaces.combinations import ends
from sweep.spec.choice_rules import choice_problems
from sweep.spec.methods import IMPORTED, find_method, is_grid
from sweep.spec.model_words import unknown_parameter
from sweep.spec.parameters import (
    ParametersOf,
    factory_names,
    is_own,
    outward_callback,
    refusal,
    value_problem,
)
from sweep.spec.problems import Problem, did_you_mean, shown
from sweep.spec.pruning import pruning_problems
from sweep.spec.report_sections import REPORT_SECTIONS
from sweep.support.code_references import is_reference
from sweep.support.file_names import is_part_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

DEFAULT_CV = 5
DEFAULT_VALIDATION = 0.1


def search_defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what ``[search]`` leaves to its method."""
    grid = is_grid(raw.get("method"))
    filled = {"train_scores": grid, **raw}
    if raw.get("method") == IMPORTED.name:  # its splits are known, or nobody knows them
        return filled
    if filled.get("cv") is None and filled.get("validation") is None:
        filled.update({"cv": DEFAULT_CV} if grid else {"validation": DEFAULT_VALIDATION})
    return filled


def search_problems(raw: Mapping[str, Any], space: Mapping[str, Any]) -> Iterator[Problem]:
    """Find contradictions in ``[search]``."""
    method = find_method(raw.get("method"))
    filled = search_defaults(raw)
    yield from pruning_problems(filled)
    yield from choice_problems(filled)
    if raw.get("cv") is not None and raw.get("validation") is not None:
        yield Problem(
            ("search", "validation"),
            f"cv and validation exclude each other, got cv = {shown(raw['cv'])} and "
            f"validation = {shown(raw['validation'])}; leave one out",
        )
    for name in ("refit_precision", "refit_epochs"):
        if raw.get(name) is not None and not filled.get("refit", True):
            yield Problem(
                ("search", name),
                "says how the winner is refitted, got refit = false; leave one out",
            )
    if raw.get("nested") is not None and raw.get("start_from"):
        yield Problem(
            ("search", "nested"),
            "an outer fold must not know its held-out rows, which the studies of start_from have "
            "seen; leave out nested or start_from",
        )
    if method is None:
        return
    if method.is_grid:
        yield from _grid_problems(raw)
    else:
        if raw.get("trials") is None:
            yield Problem(
                ("search", "trials"), f'method = "{method.name}" needs how many: say trials = 60'
            )
        if not space:
            yield Problem(
                ("space",), f'method = "{method.name}" needs a parameter to search, got none'
            )


def _grid_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for key, why in {
        "trials": "a grid tries every combination",
        "patience": "a grid tries every combination",
        "start": "a grid tries every combination",
        "start_from": "a grid learns from no trial",
    }.items():
        if raw.get(key) not in (None, []):
            yield Problem(
                ("search", key),
                f"{why}, so {key} must be left out, got {shown(raw[key])}; "
                'or take method = "random" or "tpe"',
            )


def data_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Find contradictions in ``[data]``."""
    if raw.get("rest_rows") is not None and raw.get("one_vs_rest") is None:
        yield Problem(
            ("data", "rest_rows"),
            f"needs one_vs_rest (the class to tell from the rest), got {shown(raw['rest_rows'])}",
        )


def grid_space_problems(space: Space) -> Iterator[Problem]:
    """Find what cannot be expanded into a grid."""
    for name, message in grid_problems(space).items():
        yield Problem(("space", name), message)


def value_problems(
    params: Mapping[str, Any], space: Space, own: Collection[str] = ()
) -> Iterator[Problem]:
    """Find training parameters whose value is out of bounds.

    Parameters
    ----------
    params : mapping of str to value
        The parameters of ``[model]``.
    space : mapping of str to dimension
        The search space.
    own : collection of str
        Those that are the factory's own: it alone knows what they may be.
    """
    for name, value in params.items():
        if name not in own and (rule := value_problem(name, value)):
            yield Problem(("model", name), f"{rule}, got {shown(value)}")
    for name, dimension in space.items():
        if name in own:
            continue
        wrong = next((v for v in ends(dimension) if value_problem(name, v)), None)
        if wrong is not None:
            yield Problem(("space", name), f"{value_problem(name, wrong)}, got {shown(wrong)}")


def callback_problems(params: Mapping[str, Any], space: Space) -> Iterator[Problem]:
    """Find callbacks that act outside the fit."""
    given = [("model", name, value) for name, value in params.items()]
    given += [("space", name, v) for name, dimension in space.items() for v in ends(dimension)]
    for section, name, value in given:
        if why := outward_callback(name, value):
            yield Problem((section, name), why)


def model_value_problems(
    factory: str, params: Mapping[str, Any], space: Space
) -> Iterator[Problem]:
    """Find values that a built-in model refuses, each tried alone beside the defaults.

    Lists are left to the plan: how long they must be depends on other parameters.
    """
    if factory not in factory_names():
        return
    given = [("model", name, value) for name, value in params.items()]
    given += [("space", name, v) for name, dimension in space.items() for v in ends(dimension)]
    for section, name, value in given:
        if isinstance(value, bool | int | float | str) and (why := refusal(factory, name, value)):
            yield Problem((section, name), why)


def dataset_problems(raw: Mapping[str, Any], folder: Path | None) -> Iterator[Problem]:
    """Find a dataset that is a plain word, and neither known nor a folder.

    Folders are looked for where the study file is, then in the current folder.
    """
    name = raw.get("dataset")
    if isinstance(name, str) and name.isidentifier() and not _exists(name, folder):
        from sweep.datasets import DATASETS

        if name not in DATASETS:
            hint = did_you_mean(name, DATASETS)
            text = f"no dataset or folder named {shown(name)}{hint}"
            yield Problem(("data", "dataset"), text)


def _exists(name: str, folder: Path | None) -> bool:
    return any(Path(place, name).exists() for place in (folder or ".", "."))


def twice_problems(params: Mapping[str, Any], space: Mapping[str, Any]) -> Iterator[Problem]:
    """Find parameters that are fixed and searched."""
    for name in params:
        if name in space:
            place = ("space", name)
            yield Problem(place, "is fixed in [model] too; leave it out there, or here")


def name_problems(
    factory: str,
    params: Mapping[str, Any],
    space: Mapping[str, Any],
    parameters: ParametersOf,
) -> Iterator[Problem]:
    """Find names in ``[model]`` and ``[space]`` that the model's factory does not have."""
    known = parameters(factory)
    if known is None:
        yield from _factory_problems(factory)
        return
    for section, names in (("model", params), ("space", space)):
        for name in names:
            if name not in known:
                yield Problem((section, name), unknown_parameter(name, factory, known))


def _factory_problems(factory: str) -> Iterator[Problem]:
    if ":" not in factory:
        there = f"there are: {', '.join(factory_names())}"
        own = f'; a function of your own is named with its module: "mine:{_example(factory)}"'
        close = difflib.get_close_matches(factory, factory_names(), n=1)
        text = f"no model named {shown(factory)}; {there}{'' if close else own}"
        yield Problem(("model", "factory"), text)
    elif (module := factory.partition(":")[0]).endswith(".py"):
        right = factory.replace(module, module.removesuffix(".py"), 1)
        text = f'must name a module and not its file, got {shown(factory)}; write "{right}"'
        yield Problem(("model", "factory"), text)
    elif not is_own(factory):
        yield Problem(
            ("model", "factory"), f'must be "module:function" or a name, got {shown(factory)}'
        )


def _example(factory: str) -> str:
    return factory if factory.isidentifier() else "build"


def study_name_problems(name: Any) -> Iterator[Problem]:
    """Find a name that an outer fold or a further repeat of another study may need."""
    if isinstance(name, str) and is_part_name(name):
        yield Problem(
            ("study", "name"),
            'must not end in "/ outer N of M" or "/ repeat N", for the ledger names parts of '
            f"studies so, got {shown(name)}; take another name",
        )


def scaling_problems(
    data: Mapping[str, Any], params: Mapping[str, Any], space: Mapping[str, Any]
) -> Iterator[Problem]:
    """Find a scaling that is said twice."""
    for section, names in (("model", params), ("space", space)):
        if "scaling" in names and "scaling" in data:
            yield Problem((section, "scaling"), "stands in [data] too; leave it out there, or here")


def report_problems(raw: Mapping[str, Any], space: Mapping[str, Any]) -> Iterator[Problem]:
    """Find pivots that are no two parameters of the search space, and sections that are none."""
    pivots = raw.get("pivots", [])
    for pivot in pivots if isinstance(pivots, list) else []:
        if isinstance(pivot, str) and (problem := _pivot_problem(pivot, space)):
            yield Problem(("report", "pivots"), problem)
    sections = raw.get("sections", [])
    for name in sections if isinstance(sections, list) else []:
        if isinstance(name, str) and name not in REPORT_SECTIONS and not is_reference(name):
            hint = did_you_mean(name, REPORT_SECTIONS)
            text = f"no section named {shown(name)}{hint}"
            yield Problem(("report", "sections"), f'{text} (your own: "module:function")')


def _pivot_problem(pivot: str, space: Mapping[str, Any]) -> str | None:
    names = [name.strip() for name in pivot.split(",")]
    if len(names) != 2 or names[0] == names[1]:
        return f'a pivot must name two parameters ("epochs,width"), got {shown(pivot)}'
    wrong = next((name for name in names if name not in space), None)
    if wrong is None:
        return None
    return (
        f"a pivot must name parameters of [space], got {shown(wrong)}{did_you_mean(wrong, space)}"
    )
