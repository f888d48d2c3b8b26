"""Rules of ``[model] estimator``: what the file says, then what its code makes of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.spaces.combinations import ends
from sweep.spec.parameter_rules import optimizer_problems, pruner_problems
from sweep.spec.parameters import outward_callback, value_problem
from sweep.spec.problems import Problem, shown
from sweep.spec.pruner_budgets import budget_problems
from sweep.support.code_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.spec.study import StudySpec

PLACE = ("model", "estimator")


def made_by(model: dict[str, Any]) -> dict[str, Any]:
    """Take what makes the model out of ``[model]``: the estimator, else the factory."""
    keys = [key for key in ("factory", "estimator") if key in model]
    found: dict[str, Any] = {key: model.pop(key) for key in keys}
    return found or {"factory": "mlp"}


def data_defaults(estimator: Any) -> dict[str, Any]:
    """Return the defaults of ``[data]`` that an estimator changes: it scales its rows itself."""
    return {} if estimator is None else {"scaling": "none"}


def file_problems(tables: Mapping[str, Any], estimator: str) -> Iterator[Problem]:
    """Find what a study with an estimator cannot say, whatever its code is."""
    model, data, search = (_table(tables, name) for name in ("model", "data", "search"))
    if "factory" in model:
        yield Problem(PLACE, "stands beside factory; leave one out")
    if not is_reference(estimator):
        yield Problem(PLACE, f'must be "module:name", got {shown(estimator)}')
    if data.get("scaling", "none") != "none":
        yield Problem(
            ("data", "scaling"),
            f"an estimator scales its own rows, got {shown(data['scaling'])}; leave it out, and "
            "put a scaler before the classifier, as make_pipeline(StandardScaler(), ...) does, or "
            'give scaling to a classifier of sweep\'s: KerasClassifier(f, scaling="unit")',
        )
    if search.get("max_parameters") is not None:
        yield Problem(
            ("search", "max_parameters"),
            "weights of an estimator's model are known after its fit only; leave it out, and bound "
            "in [space] what makes the model large; or, where the last step is a classifier of "
            'sweep\'s, weigh them: objectives = ["score", "parameters"]',
        )


def code_problems(spec: StudySpec) -> Iterator[Problem]:
    """Find what the code of an estimator makes impossible, once it is loaded."""
    if not spec.budget:
        yield from _without_epochs(spec)
    elif spec.facts is not None:
        fixed = {**spec.facts.defaults, **spec.facts.own_params(spec.model.params)}
        space = spec.facts.own_space(spec.space.dimensions)
        search = spec.search.model_dump()
        yield from _values(spec)
        found = [
            *optimizer_problems(fixed, space),
            *pruner_problems(search, fixed, space),
            *budget_problems(search, fixed, space),
        ]
        prefix = spec.budget.removesuffix("epochs")
        for each in found:
            section, name = each.place[0], each.place[-1]
            own = section in ("model", "space")
            yield Problem((section, f"{prefix}{name}"), each.message) if own else each


def _without_epochs(spec: StudySpec) -> Iterator[Problem]:
    search, why = spec.search, "the last step of the estimator is no classifier of sweep's"
    if search.pruner is not None:
        yield Problem(
            ("search", "pruner"),
            f"decides after each epoch, and {why}; leave it out, or say split_pruner = true",
        )
    for name in ("refit_precision", "refit_epochs"):
        if getattr(search, name) is not None:
            yield Problem(("search", name), f"cannot be set, for {why}; leave it out")
    if "parameters" in search.objectives:
        text = f'"parameters" counts the weights of a Keras model, and {why}; leave it out'
        yield Problem(("search", "objectives"), text)


def _values(spec: StudySpec) -> Iterator[Problem]:
    """Find values that a classifier of sweep's refuses, and callbacks that act outside a fit."""
    facts = spec.facts
    given = [("model", name, value) for name, value in spec.model.params.items()]
    dimensions = spec.space.dimensions.items()
    given += [("space", name, value) for name, each in dimensions for value in ends(each)]
    for section, name, value in given:
        own = facts and facts.own_name(name)
        if not own or value is None:
            continue
        if rule := value_problem(own, value):
            yield Problem((section, name), f"{rule}, got {shown(value)}")
        elif why := outward_callback(own, value):
            yield Problem((section, name), why)


def _table(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = tables.get(name, {})
    return table if isinstance(table, Mapping) else {}
