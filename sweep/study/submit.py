"""Put a study into the ledger and leave the work to workers elsewhere."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sweep.evaluation.estimator import check_own_code
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import study_spec
from sweep.runner.progress import Watcher
from sweep.search.plan import make_plan
from sweep.search.samplers import check_extra
from sweep.search.study_data import load_data
from sweep.spec import StudySpec, load_study
from sweep.storage.database import check_whole
from sweep.storage.locations import storage_url
from sweep.study.compatibility import check_same
from sweep.study.nested import check_outer_names
from sweep.study.own_sections import check_own_sections
from sweep.study.preparation import prepare_study
from sweep.support.module_permission import names_of
from sweep.workers.job import Job
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def submit_study(
    study: StudySpec | str | Path | Mapping[str, Any],
    *,
    storage: str | None = None,
    data_home: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
    retry_failed: bool = False,
    watcher: Watcher | None = None,
) -> int:
    """Check a study, make it in the ledger or let it grow, and enqueue its cells.

    ``sweep worker`` takes them, on this machine or others; the winner is refitted by the worker
    that ends the last cell.

    Parameters
    ----------
    study, storage, data_home, allow, retry_failed, watcher
        As for :func:`sweep.run_study`.

    Returns
    -------
    int
        Cells that were enqueued.

    Raises
    ------
    SweepError
        As :func:`sweep.run_study`.
    """
    spec = study if isinstance(study, StudySpec) else load_study(study)
    url, name = storage_url(storage), spec.study.name
    home = None if data_home is None else os.fspath(data_home)
    job = Job(url, name, home, names_of(allow))
    check_extra(spec)
    check_own_sections(spec, job.allow)
    check_own_code(spec, job.allow)
    check_whole(url)
    with closing(Ledger(url)) as ledger:
        check_outer_names(ledger, spec)
        asked = ledger.stopped(name) if ledger.has(name) else None
        if ledger.has(name):
            check_same(study_spec(name, ledger.header(name)), spec)
        plan = make_plan(spec)
        dataset = load_data(spec, job.data_home, job.allow)
        ordered = prepare_study(ledger, spec, plan, job, watcher or Watcher(), dataset, None)
        ledger.resume(name, asked)
        fail_orphaned_trials(ledger, name)
        return enqueue_missing(ledger, name, ordered, retry_failed=retry_failed)
