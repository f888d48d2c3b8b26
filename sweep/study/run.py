"""Run a study: plan, ledger, workers, winner."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sweep.analysis.settling import unsettled
from sweep.evaluation.estimator import user_code_text
from sweep.evaluation.own_estimator import with_facts
from sweep.ledger.reading import latest_by_key, read_study
from sweep.ledger.remaining import choice_rule
from sweep.runner.dask_pool import DaskPool
from sweep.runner.forkserver import SharedData, forkserver_started
from sweep.runner.gpus import Gpus, cores, find_gpus
from sweep.runner.local_pool import LocalPool
from sweep.runner.notebook_display import notebook_watcher
from sweep.runner.progress import Watcher
from sweep.search.outer_folds import OuterFold, outer_fold_spec, outer_folds
from sweep.search.plan import Plan, make_plan
from sweep.search.study_data import load_data
from sweep.spec import StudySpec, load_study
from sweep.spec.study_file import told_at_lines
from sweep.storage.locations import ledger_folder, storage_url
from sweep.storage.waiting_messages import waits_shown_by
from sweep.study.check import cells_left, takes_up_again
from sweep.study.ending import add_idle, add_importances, add_own_sections, leave_stopped
from sweep.study.first_checks import check_before_first_cell
from sweep.study.initial_progress import count_finished_cells, planned_progress
from sweep.study.nested import record_nested
from sweep.study.preflight import check_code, check_ledger, check_settings, open_to_write
from sweep.study.preparation import check_finished, prepare_study, update
from sweep.study.result import StudyResult
from sweep.study.settling import Settling
from sweep.support.file_names import slug
from sweep.support.module_permission import names_of
from sweep.workers.job import Job
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.runner.dask_cluster import DaskCluster
    from sweep.runner.forkserver import ForkServer
    from sweep.runner.progress import Progress
    from sweep.search.repeats import Repeat


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
    share: Callable[[], int] | None = None,
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
        Receives the progress; by default a notebook shows it.
    forkserver : ForkServer, optional
        The process that workers are forked from, if it was started before; by default one is
        started.
    helping : bool, default=False
        Help with a study that is in the ledger: leave its settings unchanged, and return when no
        cell waits, though other workers may still run the last ones. Where ``search.timeout`` ends
        it, the study is stopped: more time is a person's decision.
    gpus : str, optional
        The GPUs that workers take turns on, such as ``"0,2"``, or ``"none"``; by default all that
        ``CUDA_VISIBLE_DEVICES`` shows.
    cluster : Cluster, optional
        Where workers are started; by default on this machine.
    share : callable, optional
        Returns how many workers this run may have now, where several runs share a machine's; at 0
        it returns and leaves the study to others.

    Returns
    -------
    StudyResult

    Raises
    ------
    StudyFileError
        If the study file has problems, or a model of a grid cannot be built.
    StudyChangedError
        If the ledger holds another question or other data under that name.
    DataError, LedgerError, ClusterError
        If the data, the ledger or the cluster fail.
    DeviceError
        If a GPU that is asked for cannot be used.
    InterruptedRunError
        On SIGINT or SIGTERM; what is finished is kept.
    """
    watcher = watcher or notebook_watcher()
    spec = _named(study if isinstance(study, StudySpec) else load_study(study), name)
    url = storage_url(storage)
    home = None if data_home is None else os.fspath(data_home)
    job = Job(url, spec.study.name, home, names_of(allow))
    devices = None if gpus is None else find_gpus(gpus)
    with ExitStack() as stack:
        stack.enter_context(told_at_lines(spec))
        check_settings(spec, job.allow)
        spec = with_facts(spec, job.allow)
        folds = outer_folds(spec)
        progress = planned_progress(spec, 1 + len(folds))
        if cluster:
            cluster.check_ledger(url)
        if watcher:
            stack.enter_context(waits_shown_by(watcher.say))
        ledger = stack.enter_context(closing(open_to_write(url)))
        stop_request = ledger.stopped(job.study) if ledger.has(job.study) else None
        run = _Run(
            ledger, job, n_jobs, watcher or Watcher(), progress, retry_failed, forkserver, stack,
            helping, devices, cluster, stop_request, share,
        )  # fmt: skip
        stack.callback(run.data.close)
        run.see_study_through(spec)
        if folds:
            searched = outer_fold_spec(spec)
            found = [run.see_through(searched, fold) for fold in folds if not run.stopped]
            if not run.stopped and (note := record_nested(ledger, job.study, found)):
                run.watcher.say(note)
        record = add_importances(ledger, read_study(ledger, job.study))
        record = add_idle(ledger, record)
        record = add_own_sections(ledger, spec, record, job, run.watcher)
        if helping and run.timed_out:
            leave_stopped(ledger, record)
    return StudyResult(record, url, job.allow)


@dataclass
class _Run:
    """Run a study and each of its parts with the same workers' settings."""

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
    stop_request: str | None = None
    """The request to stop that this run takes back; a later one stops it."""
    share: Callable[[], int] | None = None
    data: SharedData = field(default_factory=SharedData)
    stopped: bool = False
    timed_out: bool = False
    """Whether ``search.timeout`` has ended the study's own search."""
    refits: bool = True
    """Whether the winner is refitted at the end of a search: not before it is settled."""
    counted: bool = False
    """Whether the cells of the search stand in the progress, and only the refit is left."""
    said: str = ""

    def see_study_through(self, spec: StudySpec) -> None:
        """Run the study itself: its search, its further repeats, the refit of its winner."""
        settle, name = spec.search.settle, spec.study.name
        self.refits = settle is None
        self.see_through(spec, None)
        if settle is None or self.stopped or self._others_at_work(name):
            return
        workers = _workers(self.n_jobs, None, self._devices_found())
        Settling(self.ledger, spec, self._see_repeat, self.watcher.say, lambda: self.stopped).run(
            settle, workers
        )
        if self.stopped or unsettled(read_study(self.ledger, name)):
            return
        self.refits = True
        self.counted = True
        self.see_through(spec, None)

    def _see_repeat(self, spec: StudySpec, repeat: Repeat, plan: Plan) -> None:
        self.progress.planned += len(plan.cells)
        self.progress.splits = (spec.search.cv or 1) * spec.search.seeds
        self.see_through(spec, repeat, plan)

    def _others_at_work(self, name: str) -> bool:
        return self.helping and self.ledger.counts(name)["RUNNING"] > 0

    def see_through(
        self, spec: StudySpec, outer_fold: OuterFold | Repeat | None, plan: Plan | None = None
    ) -> StudyRecord:
        """Run a study or a part of it, or only read it where it is finished."""
        job = self.job if outer_fold is None else replace(self.job, study=outer_fold.name)
        ledger, plan = self.ledger, plan or make_plan(spec)
        refit = spec.search.refit and (self.refits or outer_fold is not None)
        check_ledger(ledger, spec, job.study)
        known = ledger.has(job.study)
        complete = ledger.counts(job.study)["COMPLETE"] if known else 0
        record = read_study(ledger, job.study) if known else None
        ended = partial(_is_finished, refit=refit, retry_failed=self.retry_failed)
        if record is None or not ended(record, spec, plan):
            self._run(spec, plan, job, outer_fold, refit=refit)
            return read_study(ledger, job.study)
        if outer_fold is None:
            self._say_once(check_finished(spec, record, job))
        if not self.helping:
            update(ledger, spec, plan, job.study)
        if record.winner is not None and refit:
            rule = choice_rule(spec.search.choose, record.race.ended_at if record.race else None)
            ledger.settle(job.study, complete, rule, again=True)
        if outer_fold is not None or not self.counted:
            self.progress.done += len(plan.cells)
            self.progress.began_done += len(plan.cells)
        return record

    def _run(
        self, spec: StudySpec, plan: Plan, job: Job, outer_fold: OuterFold | Repeat | None,
        *, refit: bool,
    ) -> None:  # fmt: skip
        began, ledger, progress = time.monotonic(), self.ledger, self.progress
        progress.turn_to(job.study, outer=outer_fold is not None)
        logs = ledger_folder(job.storage) / "logs"
        if self.share:  # other runs of this machine have workers of the same numbers
            logs /= slug(self.job.study)
        self.watcher.begin(progress)
        try:
            with closing(self._pool(plan, logs)) as pool:
                data_of = partial(load_data, spec, job.data_home, job.allow, job.storage)
                passed = None
                if outer_fold is None:
                    dataset, passed = check_before_first_cell(
                        ledger, spec, plan, job, data_of,
                        helping=self.helping, forkserver=self.forkserver,
                    )  # fmt: skip
                else:
                    check_code(ledger, spec, job.allow, job.study, helping=self.helping)
                    dataset = data_of()
                if not self.job.code:  # the outer folds run on the code of their study
                    self.job = replace(self.job, code=user_code_text(spec, job.allow))
                job = replace(job, code=self.job.code)
                if self.forkserver:
                    self.data.put(dataset)
                    job = replace(job, data=self.data.path)
                ordered = prepare_study(
                    ledger, spec, plan, job, self.watcher, dataset, outer_fold,
                    helping=self.helping, passed=passed,
                )  # fmt: skip
                del dataset
                if not self.helping:
                    ledger.resume(self.job.study, self.stop_request)
                fail_orphaned_trials(ledger, job.study)
                enqueue_missing(ledger, job.study, ordered, retry_failed=self.retry_failed)
                if outer_fold is not None or not self.counted:
                    count_finished_cells(ledger, progress)
                deadline = began + spec.search.timeout if spec.search.timeout else None
                pool.run(job, ledger, ordered, progress, refit=refit, deadline=deadline)
                self.stopped = pool.stopped
                if outer_fold is None and deadline:
                    self.timed_out = time.monotonic() >= deadline
        finally:
            self.watcher.end(progress)

    def _devices_found(self) -> Gpus:
        self.devices = self.devices or find_gpus()
        return self.devices

    def _say_once(self, line: str) -> None:
        if line and line != self.said:  # each outer fold would repeat the same line
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
            share=self.share,
        )  # fmt: skip


def _named(spec: StudySpec, name: str | None) -> StudySpec:
    if name is None:
        return spec
    return load_study(
        {**spec.sections(), "study": {**spec.sections()["study"], "name": name}}
    ).model_copy(update={"folder": spec.folder, "file": spec.file})


def _is_finished(
    record: StudyRecord, spec: StudySpec, plan: Plan, *, refit: bool, retry_failed: bool
) -> bool:
    from sweep import analysis

    under_way = any(trial.state in ("WAITING", "RUNNING") for trial in record.trials)
    if under_way or cells_left(plan, record) or (retry_failed and _failed(record)):
        return False
    if takes_up_again(plan, record):
        return False
    chosen = analysis.chosen(record, spec.search.choose)
    if not refit or chosen is None:
        return True
    return analysis.is_current(record, chosen)


def _failed(record: StudyRecord) -> bool:
    return any(trial.state == "FAIL" for trial in latest_by_key(record.trials).values())


def _workers(n_jobs: int | None, plan: Plan | None, devices: Gpus) -> int:
    workers = n_jobs or devices.default_workers()
    if workers < 0:
        workers = cores()
    return max(1, min(workers, len(plan.cells)) if plan else workers)
