"""Before the first fit: build one model of a user's factory, to see what it makes of its study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import StudyFileError
from sweep.evaluation.trial_build import TrialBuild, factory_problems
from sweep.runner.trial_build import problems_found_apart
from sweep.study.sampled_cells import with_parameters
from sweep.support.code_references import is_reference
from sweep.training.threads import single_threaded

if TYPE_CHECKING:
    from sweep.datasets import Dataset
    from sweep.ledger.ledger import Ledger
    from sweep.runner.forkserver import ForkServer
    from sweep.search.plan import Plan
    from sweep.spec import StudySpec
    from sweep.workers.job import Job


def check_factory(
    ledger: Ledger | None, spec: StudySpec, plan: Plan, dataset: Dataset, job: Job, *,
    forkserver: ForkServer | None = None, here: bool = False,
) -> None:  # fmt: skip
    """Refuse a factory whose model does not fit the data, or that leaves no use for a parameter.

    A study with results has passed before.

    Parameters
    ----------
    ledger : Ledger or None
        The ledger; None where there is none yet.
    spec : StudySpec
        The study.
    plan : Plan
        Its cells.
    dataset : Dataset
        Its data.
    job : Job
        Where it runs, and the modules that it may load.
    forkserver : ForkServer, optional
        Where the process that builds the model is forked from.
    here : bool, default=False
        Build it in this process, which trains models anyway.

    Raises
    ------
    StudyFileError
        With one line for each problem.
    """
    if not is_reference(spec.model.factory) or not plan.cells:
        return
    if ledger is not None and ledger.has(job.study) and ledger.counts(job.study)["COMPLETE"]:
        return
    places = dict.fromkeys([0, len(plan.cells) // 2, len(plan.cells) - 1])
    cells = [with_parameters(spec, plan.cells[place]) for place in places]
    asked = TrialBuild(
        spec.plain(),
        [dict(cell.params or {}) for cell in cells],
        tuple(dataset.shape),
        np.asarray(dataset.classes).tolist(),
    )
    if here:
        single_threaded()
        problems = factory_problems(asked, job.allow)
    else:
        problems = problems_found_apart(replace(job, build=asked.text()), forkserver)
    if problems:
        raise StudyFileError(spec.study.name, problems)
