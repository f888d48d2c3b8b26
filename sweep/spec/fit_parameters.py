"""What a candidate may be, and what follows for the way it is trained.

A parameter of a candidate is searched, fixed in ``[model]``, or the default of every study;
:func:`settled` puts them together, and the rules here read nothing else: they hold wherever a
parameter stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.parameters import OPTIMIZERS, TRAINING

if TYPE_CHECKING:
    from collections.abc import Mapping


def settled(fixed: Mapping[str, Any], searched: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a candidate is trained with; its model's own defaults are left out."""
    return {**TRAINING, **fixed, **searched}


def staged(settings: Mapping[str, Any]) -> bool:
    """Whether one fit to the largest ``epochs`` answers the smaller ones too.

    Not with Keras callbacks: what they do may depend on the number of epochs. With early
    stopping it does: the best weights so far are those that a shorter fit would have kept.
    """
    return not settings["callbacks"]


def ends_itself(settings: Mapping[str, Any]) -> str | None:
    """Name the parameter by which a fit decides itself when it ends; None where none does.

    Such a fit cannot be run epoch by epoch, to be given up or gone on with in between.
    """
    return next((name for name in ("early_stopping", "callbacks") if settings[name]), None)


def ignored(settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name a setting that the optimizer does not take, and say so; None where it takes all."""
    optimizer = str(settings["optimizer"]).lower()
    for name in ("momentum", "nesterov"):
        if settings[name] and name not in OPTIMIZERS.get(optimizer, (name,)):
            takers = ", ".join(each for each, takes in OPTIMIZERS.items() if name in takes)
            return name, (
                f"{optimizer} takes no {name}, got {settings[name]!r}; it applies to {takers} "
                '(in a space: when = { optimizer = "sgd" })'
            )
    return None


ACTS = {
    "n_iter_no_change": ("early_stopping",),
    "validation_fraction": ("early_stopping", "callbacks"),
}
"""Parameters that act only where one of these others does."""


def acts(name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a parameter has any effect on this fit."""
    return name not in ACTS or any(settings[other] for other in ACTS[name])
