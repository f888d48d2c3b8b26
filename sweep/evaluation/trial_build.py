"""Call a user's factory once before the first fit: whether it compiles, and fits the data."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ModelMisfitError, NoModelError
from sweep.evaluation.estimator import make_estimator
from sweep.search.plan import row_shape
from sweep.spec import StudySpec
from sweep.spec.parameters import OF_THE_COMPILATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class TrialBuild:
    """What to build.

    Attributes
    ----------
    study : mapping
        The study, as :meth:`StudySpec.plain` writes it.
    candidates : list of mapping
        Searched parameters of a few candidates, tried in this order until one can be built.
    shape : tuple of int
        Shape of one row of the data.
    labels : list
        The classes.
    """

    study: Mapping[str, Any]
    candidates: list[dict[str, Any]]
    shape: tuple[int, ...]
    labels: list[Any]

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> TrialBuild:
        """Read what :meth:`text` wrote."""
        plain = json.loads(text)
        return cls(**{**plain, "shape": tuple(plain["shape"])})


def factory_problems(asked: TrialBuild, allow: Collection[str]) -> list[str]:
    """Return what is wrong with a factory: one line for each problem.

    Candidates that raise anything else than a misfit are left to their fits.

    Parameters
    ----------
    asked : TrialBuild
        What to build.
    allow : collection of str
        Modules that the study may load code from.
    """
    spec = StudySpec.from_plain(asked.study)
    misfits: list[str] = []
    for params in asked.candidates:
        try:
            known = partial(_known, spec, allow)
            fixed = spec.model.model_copy(update={"params": known(spec.model.params)})
            return _idle(spec.model_copy(update={"model": fixed}), known(params), asked, allow)
        except (ModelMisfitError, NoModelError) as error:
            misfits.append(str(error))
        except Exception as error:  # noqa: BLE001 - a user's factory may raise anything
            misfits += _lacks_channels(str(error), asked.shape)
    return misfits[:1]


def _lacks_channels(error: str, shape: tuple[int, ...]) -> list[str]:
    """Say what to write where Keras says that a layer takes images with channels."""
    if len(shape) != 2 or not re.search(r"expected (min_)?ndim=4, found ndim=3", error):
        return []
    height, width = shape
    return [
        (
            f"model.factory: a layer takes images with channels, and rows of the data have shape "
            f"{shape}; say image_shape = [{height}, {width}, 1] in [model]"
        )
    ]


def _known(spec: StudySpec, allow: Collection[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out parameters that the factory does not take: they are told beside what is found."""
    from sweep.models.signature import read_signature
    from sweep.spec import TRAINING
    from sweep.support.code_references import resolve

    factory: Any = resolve(spec.model.factory, allow=allow, folder=spec.folder)
    signature = read_signature(factory)
    named = {*signature.own, *TRAINING}
    return {n: v for n, v in params.items() if n in named or signature.takes_any}


def _idle(
    spec: StudySpec, params: Mapping[str, Any], asked: TrialBuild, allow: Collection[str]
) -> list[str]:
    """Build a candidate's model; return the parameters of the optimizer that reach none."""
    from sweep.models.signature import make_meta
    from sweep.training.architecture import Architecture, seeded_build
    from sweep.training.blueprint import idle_names, why_idle
    from sweep.training.optimizers import OptimizerSettings

    estimator = make_estimator(spec, params, allow)
    taken = estimator._taken_by_factory()
    shape = row_shape(spec, params, asked.shape)
    settings = OptimizerSettings.from_params(estimator.get_params(deep=False), taken)
    labels = np.asarray(asked.labels)
    meta = make_meta((1, *shape), len(labels), labels)
    own = estimator._model_params()
    architecture = Architecture(
        estimator._factory(), shape, len(labels), own, estimator.precision, meta, settings
    )
    if architecture.is_built_in:
        return []
    model = seeded_build(architecture, spec.study.seed)
    compiled = bool(getattr(model, "compiled", False))
    as_told = compiled and architecture.compiles_as_told(model)
    given = [
        name for name in OF_THE_COMPILATION if _is_set(spec, name) and (name in taken) != compiled
    ]
    return [
        f"{'space' if name in spec.space.dimensions else 'model'}.{name}: "
        + why_idle([name], name, compiled=compiled)
        for name in idle_names(given, compiled=compiled, as_told=as_told)
    ]


def _is_set(spec: StudySpec, name: str) -> bool:
    """Return whether a study searches a parameter, or fixes it to a value that would act."""
    if name in spec.space.dimensions:
        return True
    from sweep.training.optimizers import IDLE

    value = spec.model.params.get(name)
    return value is not None and (name, value) not in IDLE
