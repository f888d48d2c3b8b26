"""A pruner's settings beside the rest of a study: epochs that disagree, scores that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.spaces import Choices
from sweep.spaces.combinations import combinations, ends
from sweep.spaces.dimensions import top
from sweep.spec.fit_parameters import settled
from sweep.spec.number_types import is_count, is_number
from sweep.spec.parameters import TRAINING
from sweep.spec.problems import Problem
from sweep.spec.pruning import ROWS, pruner_table
from sweep.spec.scorers import first_of, range_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.spaces import Space


def whole_epochs(fixed: Mapping[str, Any], space: Space) -> int:
    """Return the most epochs that a trial may run.

    Parameters
    ----------
    fixed : mapping of str to value
        What is not searched.
    space : mapping of str to dimension
        The search space; under a condition, ``epochs`` may be the fixed ones too.
    """
    given, searched = int(fixed.get("epochs", TRAINING["epochs"])), space.get("epochs")
    if searched is None:
        return given
    most = int(max(searched.values) if isinstance(searched, Choices) else top(searched))
    return max(most, given) if searched.when else most


def epochs_of(pruner: Any) -> dict[str, int]:
    """Return the ``epochs`` that follow from a pruner's ``max_epochs`` where nothing else says."""
    table = pruner_table(pruner)
    most = table.get("max_epochs") if isinstance(table, Mapping) else None
    return {"epochs": most} if is_count(most) else {}


def budget_problems(
    search: Mapping[str, Any], model: Mapping[str, Any], space: Space
) -> Iterator[Problem]:
    """Find a pruner that ends every trial early, or none.

    Parameters
    ----------
    search : mapping
        ``[search]`` with its defaults.
    model : mapping
        The parameters of ``[model]``.
    space : mapping of str to dimension
        The search space.
    """
    place: tuple[str, ...] = ("search", "pruner")
    table, scoring = pruner_table(search.get("pruner")), first_of(search)
    fixed = {**epochs_of(table), **model}
    if not _are_counts(fixed, space):
        return  # told already
    whole = whole_epochs(fixed, space)
    while isinstance(table, Mapping):
        found = (*_epochs(table, whole), *_rows(table, fixed, space), *_scores(table, scoring))
        for key, message in found:
            yield Problem((*place, key), message)
        place, table = (*place, "wrapped"), pruner_table(table.get("wrapped"))


def _are_counts(fixed: Mapping[str, Any], space: Space) -> bool:
    searched = ends(space["epochs"]) if "epochs" in space else ()
    return all(map(is_count, (*searched, fixed.get("epochs", TRAINING["epochs"]))))


def _epochs(table: Mapping[str, Any], whole: int) -> Iterator[tuple[str, str]]:
    most, least = table.get("max_epochs"), table.get("min_epochs")
    longest = f"the epochs of the longest trial, {whole}"
    if is_count(most) and is_count(least) and least > most:
        return  # told already
    if is_count(most) and most != whole:
        remedy = f"leave it out, or let epochs end at {most}"
        yield "max_epochs", f"must be {longest}, got {most}; {remedy}"
    elif is_count(least) and least > whole:
        yield "min_epochs", f"must not be above {longest}, or nothing is given up, got {least}"


def _rows(
    table: Mapping[str, Any], fixed: Mapping[str, Any], space: Space
) -> Iterator[tuple[str, str]]:
    least, possible = table.get("min_samples"), combinations(space, ("batch_size",))
    sizes = (settled(fixed, params)["batch_size"] for params in possible)
    largest = max(filter(is_count, sizes), default=0)
    if table.get("resource") == ROWS and is_count(least) and least < largest:
        text = f"must hold a whole batch of batch_size = {largest}, got {least}"
        yield "min_samples", text


def _scores(table: Mapping[str, Any], scoring: str) -> Iterator[tuple[str, str]]:
    worst, best = range_of(scoring)
    lower, upper = table.get("lower"), table.get("upper")
    if is_number(lower) and lower > best:
        yield "lower", f"must be a score that {scoring} can reach, {best:g} at most, got {lower}"
    if is_number(upper) and upper < worst:
        yield "upper", f"must be a score that {scoring} can have, {worst:g} or more, got {upper}"
