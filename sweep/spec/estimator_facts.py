"""What a study knows of an estimator of the user's own once its code is loaded."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic needs it
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from sweep.spec.parameters import TRAINING

if TYPE_CHECKING:
    from sweep.spaces import Space

ITS_OWN = frozenset(TRAINING) - {"scaling", "image_shape"}
"""Training parameters by which a study plans; the other two concern rows that steps hand on."""


class EstimatorFacts(BaseModel):
    """What the code of ``[model] estimator`` says.

    Attributes
    ----------
    prefix : str or None
        What the names of the last step's parameters begin with (``"clf__"``, or nothing where the
        estimator has no steps), if the last step is a classifier of sweep's; None for any other:
        its fits have no epochs that a study could see.
    defaults : mapping of str to value
        Training parameters of that last step, as the code sets them.
    made : bool
        Whether the reference names a function or class that returns the estimator.
    flat_rows : bool
        Whether its first step takes rows of features and refuses images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str | None = None
    defaults: Mapping[str, Any] = Field(default_factory=dict)
    made: bool = True
    flat_rows: bool = False

    @property
    def budget(self) -> str:
        """The name that plays the role of ``epochs``; empty where none does."""
        return "" if self.prefix is None else f"{self.prefix}epochs"

    def own_name(self, name: str) -> str | None:
        """Return a parameter's name in the last step; None for any that a study does not plan by.

        ``"clf__epochs"`` is ``"epochs"``.
        """
        if self.prefix is None or not name.startswith(self.prefix):
            return None
        own = name.removeprefix(self.prefix)
        return own if own in ITS_OWN else None

    def own_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the training parameters of the last step by their own names."""
        named = {self.own_name(name): value for name, value in params.items()}
        return {name: value for name, value in named.items() if name is not None}

    def own_space(self, space: Space) -> dict[str, Any]:
        """Return the dimensions of the last step's training parameters by their own names.

        Conditions on parameters of other steps are left out: where such a dimension applies is
        then more than where it does.
        """
        return {
            own: replace(dimension, when=self.own_params(dimension.when))
            for name, dimension in space.items()
            if (own := self.own_name(name)) is not None
        }
