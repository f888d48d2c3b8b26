"""Run a study: plan, ledger, workers, winner."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweep.analysis import importances
from sweep.evaluation.estimator import check_own_code, said_code
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import latest_by_key, read_study, study_spec
from sweep.runner.dask_pool import DaskPool
from sweep.runner.forkserver import forkserver_started
from sweep.runner.gpus import Gpus, cores, find_gpus
from sweep.runner.local_pool import LocalPool
from sweep.runner.progress import Watcher
from sweep.search.outer_folds import OuterFold, outer_fold_spec, outer_folds
from sweep.search.plan import Plan, make_plan
from sweep.search.samplers import check_extra
from sweep.search.study_data import load_data
from sweep.spec import StudySpec, load_study
from sweep.storage.database import check_whole
from sweep.storage.locations import ledger_folder, storage_url
from sweep.storage.locks import one_at_a_time
from sweep.storage.waiting_messages import waits_said_by
from sweep.study.check import cells_left, takes_up_again
from sweep.study.compatibility import check_same
from sweep.study.initial_progress import begun, initial_progress
from sweep.study.nested import check_outer_names, record_nested
from sweep.study.own_sections import check_own_sections, computed, own_sections
from sweep.study.preparation import prepare_study, seen_again, update
from sweep.study.result import StudyResult
from sweep.support.module_permission import names_of
from sweep.workers.job import Job
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from sweep.ledger.records import StudyRecord
    from sweep.runner.dask_cluster import DaskCluster
    from sweep.runner.forkserver import ForkServer
    from sweep.runner.progress import Progress


def run_study(
    study: StudySpec | str | Path | Mapping[str, Any],
    *,
    storage: str | None = None,
    n_jobs: int | None = None,
    data_home: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
    name: str | None = None,
    retry_failed: bool = False,
    watcher: Watcher | None = None,
    forkserver: ForkServer | None = None,
    helping: bool = False,
    gpus: str | None = None,
    cluster: DaskCluster | None = None,
) -> StudyResult:
    """Run a study, or continue it where it stopped; a finished one is only read.

    Parameters
    ----------
    study : StudySpec, str, Path or mapping
        A study, its file, a shipped study's name, or its sections as a mapping.
    storage : str, optional
        The ledger: a path or a database address; by default ``SWEEP_STORAGE``, else
        ``.sweep/ledger.db`` in the current project.
    n_jobs : int, optional
        Worker processes of one thread each; by default one a GPU, without any as many as cores.
        The table does not depend on it (for a sampler that learns, such as TPE, it does).
    data_home : path, optional
        Folder with ``mnist.npz`` and the like; by default ``SWEEP_DATA_HOME``.
    allow : collection of str
        Modules that the study may load code from.
    name : str, optional
        Another name for the study in the ledger.
    retry_failed : bool, default=False
        Evaluate the cells that failed once more.
    watcher : Watcher, optional
        Told of the progress.
    forkserver : ForkServer, optional
        What workers are forked from, where it was started ahead; by default one is started.
    helping : bool, default=False
        Work along on a study that is in the ledger: change nothing of what it asks, and leave
        when no cell waits, though others are at work on the last ones.
    gpus : str, optional
        The GPUs that workers take turns on, such as ``"0,2"``, or ``"none"``; by default all that
        ``CUDA_VISIBLE_DEVICES`` shows.
    cluster : Cluster, optional
        Where workers are started; by default on this machine.

    Returns
    -------
    StudyResult

    Raises
    ------
    StudyFileError
        If the study file does not hold, or a model of a grid cannot be built.
    StudyChangedError
        If the ledger holds another question or other data under that name.
    DataError, LedgerError, ClusterError
        If the data, the ledger or the cluster fail.
    DeviceError
        If a GPU that is asked for cannot be used.
    InterruptedRunError
        On SIGINT or SIGTERM; what is finished is kept.
    """
    spec = _named(study if isinstance(study, StudySpec) else load_study(study), name)
    url = storage_url(storage)
    home = None if data_home is None else os.fspath(data_home)
    job = Job(url, spec.study.name, home, names_of(allow))
    devices = None if gpus is None else find_gpus(gpus)
    check_extra(spec)
    check_own_sections(spec, job.allow)
    parts = outer_folds(spec)
    progress = begun(spec, 1 + len(parts))
    if cluster:
        cluster.check_ledger(url)
    with ExitStack() as stack:
        if watcher:
            stack.enter_context(waits_said_by(watcher.say))
        check_whole(url)
        ledger = stack.enter_context(closing(Ledger(url)))
        check_outer_names(ledger, spec)
        asked = ledger.stopped(spec.study.name) if ledger.has(spec.study.name) else None
        run = _Run(
            ledger, job, n_jobs, watcher or Watcher(), progress, retry_failed, forkserver, stack,
            helping, devices, cluster, asked,
        )  # fmt: skip
        run.see_through(spec, None)
        if parts:
            searched = outer_fold_spec(spec)
            found = [run.see_through(searched, part) for part in parts if not run.stopped]
            if not run.stopped and (note := record_nested(ledger, job.study, found)):
                run.watcher.say(note)
        record = _weighed(ledger, read_study(ledger, job.study))
        record = _with_sections(ledger, spec, record, job, run.watcher)
    return StudyResult(record, url, job.allow)


def _weighed(ledger: Ledger, record: StudyRecord) -> StudyRecord:
    """Have the importances of a study that has come to its end in the ledger."""
    if importances.is_current(record):
        return record
    with one_at_a_time(ledger, record.name, "importances"):
        record = read_study(ledger, record.name)  # who was here first may have done it
        if importances.is_current(record):
            return record
        found = importances.importances(record)
        ledger.set_importances(record.name, found)
    return replace(record, importances=found)


def _with_sections(
    ledger: Ledger, spec: StudySpec, record: StudyRecord, job: Job, watcher: Watcher
) -> StudyRecord:
    """Have a person's own sections of the report computed, if the study names any."""
    if not own_sections(spec):
        return record
    found = computed(spec, record, job.allow)
    for section in found:
        if section.reason:
            watcher.say(f"section {section.reference} is left out: {section.reason}")
    ledger.set_sections(record.name, found)
    return replace(record, sections=found)


@dataclass
class _Run:
    """What a study and its outer folds are seen through with."""

    ledger: Ledger
    job: Job
    n_jobs: int | None
    watcher: Watcher
    progress: Progress
    retry_failed: bool
    forkserver: ForkServer | None
    stack: ExitStack
    helping: bool = False
    devices: Gpus | None = None
    cluster: DaskCluster | None = None
    asked: str | None = None
    """The request to stop that this run takes back; one that comes later is heeded."""
    stopped: bool = False
    said: str = ""

    def see_through(self, spec: StudySpec, part: OuterFold | None) -> StudyRecord:
        """Run a study or one of its outer folds, or only read it where it is finished."""
        job = self.job if part is None else replace(self.job, study=part.name)
        ledger, plan = self.ledger, make_plan(spec)
        record = _joined(ledger, spec, job.study) if ledger.has(job.study) else None
        if record is None or not _is_finished(record, spec, plan, retry_failed=self.retry_failed):
            self._run(spec, plan, job, part)
            return read_study(ledger, job.study)
        if part is None:
            self._say_once(seen_again(spec, record, job))
        if not self.helping:
            update(ledger, spec, plan, job.study)
        self.progress.done += len(plan.cells)
        self.progress.began_done += len(plan.cells)
        return record

    def _run(self, spec: StudySpec, plan: Plan, job: Job, part: OuterFold | None) -> None:
        began, ledger, progress = time.monotonic(), self.ledger, self.progress
        progress.turn_to(job.study, outer=part is not None)
        logs = ledger_folder(job.storage) / "logs"
        self.watcher.begin(progress)
        try:
            with closing(self._pool(plan, logs)) as pool:
                check_own_code(spec, job.allow)
                if not self.job.code:  # one code for the outer folds of a study, too
                    self.job = replace(self.job, code=said_code(spec, job.allow))
                job = replace(job, code=self.job.code)
                dataset = load_data(spec, job.data_home, job.allow)
                if self.forkserver:
                    self.forkserver.share(dataset)
                ordered = prepare_study(
                    ledger, spec, plan, job, self.watcher, dataset, part, helping=self.helping
                )
                del dataset
                if not self.helping:
                    ledger.resume(self.job.study, self.asked)
                fail_orphaned_trials(ledger, job.study)
                enqueue_missing(ledger, job.study, ordered, retry_failed=self.retry_failed)
                initial_progress(ledger, progress)
                deadline = began + spec.search.timeout if spec.search.timeout else None
                pool.run(job, ledger, ordered, progress, refit=spec.search.refit, deadline=deadline)
                self.stopped = pool.stopped
        finally:
            self.watcher.end(progress)

    def _devices_found(self) -> Gpus:
        self.devices = self.devices or find_gpus()
        return self.devices

    def _say_once(self, line: str) -> None:
        if line and line != self.said:  # the outer folds of a study use what it uses
            self.watcher.say(line)
        self.said = line

    def _pool(self, plan: Plan, logs: Path) -> LocalPool | DaskPool:
        """Return what evaluates the cells: processes of this machine, or loops on a cluster."""
        if self.cluster:
            self.cluster.open(self.job.storage)
            jobs = self.n_jobs if self.n_jobs and self.n_jobs > 0 else None
            return DaskPool(self.cluster, jobs, logs, self.watcher, self.job.study)
        devices = self._devices_found()
        workers = _workers(self.n_jobs, plan, devices)
        self._say_once(devices.line(workers))
        if self.forkserver is None:
            self.forkserver = self.stack.enter_context(forkserver_started())
        return LocalPool(
            workers, logs, self.watcher, self.forkserver,
            devices=devices, helping=self.helping, stop_name=self.job.study,
        )  # fmt: skip


def _named(spec: StudySpec, name: str | None) -> StudySpec:
    if name is None:
        return spec
    return load_study(
        {**spec.sections(), "study": {**spec.sections()["study"], "name": name}}
    ).model_copy(update={"folder": spec.folder})


def _joined(ledger: Ledger, spec: StudySpec, name: str) -> StudyRecord:
    """Return the study of that name, if it asks the same question; change nothing yet."""
    check_same(study_spec(name, ledger.header(name)), spec)
    return read_study(ledger, name)


def _is_finished(record: StudyRecord, spec: StudySpec, plan: Plan, *, retry_failed: bool) -> bool:
    from sweep import analysis

    under_way = any(trial.state in ("WAITING", "RUNNING") for trial in record.trials)
    if under_way or cells_left(plan, record) or (retry_failed and _failed(record)):
        return False
    if takes_up_again(plan, record):
        return False
    chosen = analysis.chosen(record, spec.search.choose)
    if not spec.search.refit or chosen is None:
        return True
    return analysis.is_current(record, chosen)


def _failed(record: StudyRecord) -> bool:
    return any(trial.state == "FAIL" for trial in latest_by_key(record.trials).values())


def _workers(n_jobs: int | None, plan: Plan, devices: Gpus) -> int:
    asked = n_jobs or devices.default_workers()
    if asked < 0:
        asked = cores()
    return max(1, min(asked, len(plan.cells)))
