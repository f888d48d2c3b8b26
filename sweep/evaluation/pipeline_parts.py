"""A pipeline as the steps before its last one, and the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parts:
    """An unfitted estimator, taken apart.

    Attributes
    ----------
    whole : estimator
        As it was given.
    steps : tuple of (str, transformer)
        The steps before the last one that do something; empty for what is no pipeline.
    last : estimator
        The classifier.
    prefix : str
        What the names of its parameters begin with: ``"clf__"``, or nothing.
    """

    whole: Any
    steps: tuple[tuple[str, Any], ...]
    last: Any
    prefix: str = ""

    @property
    def ours(self) -> bool:
        """Whether the last step can be asked for its earlier epochs: a classifier of sweep's."""
        return hasattr(type(self.last), "at_epoch")

    def fitted(self, steps: Any, last: Any) -> Any:
        """Return the estimator with fitted parts in place of its own."""
        if self.whole is self.last:
            return last
        made = dict(steps)
        whole, final = unfitted(self.whole), self.prefix.removesuffix("__")
        held = [
            (name, last if name == final else made.get(name, step)) for name, step in whole.steps
        ]
        whole.steps = held
        return whole


def parts_of(estimator: Any) -> Parts:
    """Take an estimator apart.

    A subclass of scikit-learn's ``Pipeline`` may fit otherwise, and so may a pipeline that hands
    metadata on: these are taken as a whole.
    """
    from sklearn import get_config
    from sklearn.pipeline import Pipeline

    plain = type(estimator) is Pipeline and getattr(estimator, "transform_input", None) is None
    if not plain or get_config()["enable_metadata_routing"]:
        return Parts(estimator, (), estimator)
    *steps, (name, last) = estimator.steps
    acting = tuple((n, step) for n, step in steps if step is not None and step != "passthrough")
    return Parts(estimator, acting, last, f"{name}__")


def unfitted(estimator: Any) -> Any:
    """Return an unfitted copy with all parameters: clones of Keras's wrappers lose some."""
    import copy

    from sklearn.base import clone

    before, made = estimator.get_params(deep=True), clone(estimator)
    after = made.get_params(deep=True)
    lost = {
        name: copy.deepcopy(value)
        for name, value in before.items()
        if value is not None and after.get(name) is None
    }
    return made.set_params(**lost) if lost else made
