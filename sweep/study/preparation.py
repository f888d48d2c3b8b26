"""Before the first cell: check data and models, make the study, write what may have grown."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweep.datasets import DATASETS
from sweep.errors import StudyChangedError
from sweep.evaluation.estimator import own_code, said_code
from sweep.evaluation.pictures import training_pictures
from sweep.evaluation.split_checks import unseen_classes
from sweep.ledger.limits import since_growth
from sweep.ledger.pictures import data_pictures_path, save_pictures
from sweep.ledger.reading import study_spec
from sweep.ledger.study_folders import ledger_id, own_folder
from sweep.search.outer_folds import OuterFold, outer_fold_data
from sweep.search.plan import Plan, cell_cost, make_plan
from sweep.search.study_data import load_data
from sweep.storage.attributes import BY_DRAW, SINCE
from sweep.storage.locations import make_artifacts_root
from sweep.study.compatibility import check_same, check_same_data
from sweep.study.preflight import preflight
from sweep.study.versions import changed, versions
from sweep.study.warm_start import sources, warm_start
from sweep.support.code_references import is_reference
from sweep.workers.recovery import own_trials

if TYPE_CHECKING:
    from sweep.datasets import Dataset
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.runner.progress import Watcher
    from sweep.spec import StudySpec
    from sweep.workers.job import Job


def prepare_study(
    ledger: Ledger, spec: StudySpec, plan: Plan, job: Job, watcher: Watcher, dataset: Dataset,
    part: OuterFold | None, *, helping: bool = False,
) -> Plan:  # fmt: skip
    """Check the data and every model, make the study; return the plan, dearest cells first."""
    make_artifacts_root(job.storage)
    dataset = outer_fold_data(dataset, part)
    now = {**versions(), **own_code(spec, job.allow)}
    known = preflight(spec, plan, dataset)
    data, splits = known.data, known.splits
    records = sources(ledger, spec, data)
    if ledger.has(job.study):
        header = ledger.header(job.study)
        check_same_data(job.study, header["data"], data.fingerprint)
        _take_code(ledger, job, header.get("code"), said_code(spec, job.allow), helping=helping)
        update(ledger, spec, plan, job.study)
        if differences := changed(header["environment"], now):
            watcher.say(f"note: versions have changed since: {', '.join(differences)}")
    else:
        header = _header(spec, plan, asdict(data), now)
        header |= {"code": said_code(spec, job.allow), "ledger": ledger_id(ledger)}
        ledger.create(job.study, header if part is None else {**header, "part": part.plain()})
        _check_ours(ledger, spec, job.study, header)
    if part is None:
        for note in (*dataset.notes, *unseen_classes(dataset, splits)):
            watcher.say(f"data: {note}")
        shown = training_pictures(dataset.x_train, dataset.y_train, spec.study.seed)
        own_folder(ledger, job.study)
        save_pictures(data_pictures_path(job.storage, job.study, uid_of(ledger, job.study)), shown)
    for line in warm_start(ledger, spec, records):
        watcher.say(line)
    if spec.search.start or plan.patience:  # trials have an order
        return plan
    costs = {c.key: cell_cost(spec, c, data.shape, len(data.classes)) for c in plan.cells}
    cells = sorted(plan.cells, key=lambda cell: -costs[cell.key])
    return replace(plan, cells=tuple(cells))


def _take_code(ledger: Ledger, job: Job, before: str | None, now: str, *, helping: bool) -> None:
    """Refuse to go on with other code than results are of; without results, take it as it is."""
    if before == now:
        return
    if before is not None and not helping and ledger.counts(job.study)["COMPLETE"]:
        raise StudyChangedError(
            f"study {job.study!r} has results of other code: {before}, now {now}; bring the code "
            f"back to go on, or keep both: --name {job.study}-2"
        )
    if helping and before is not None:
        raise StudyChangedError(
            f"study {job.study!r} runs on other code: {before}, here {now}; give this machine the "
            "same code, with what it imports beside it, and allow the same modules"
        )
    ledger.update(job.study, code=now)


def _check_ours(ledger: Ledger, spec: StudySpec, name: str, ours: dict[str, Any]) -> None:
    """Refuse to work on a study that another process made at the same moment otherwise."""
    held = ledger.header(name)
    if held.get("uid") != ours["uid"]:
        check_same(study_spec(name, held), spec)
        check_same_data(name, held["data"], ours["data"]["fingerprint"])
        update(ledger, spec, make_plan(spec), name)


def owner() -> str:
    """Return who makes a study here: ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def seen_again(spec: StudySpec, record: StudyRecord, job: Job) -> str:
    """Refuse a finished study whose data file has changed; return a note where its code has.

    Built-in datasets do not change, and those of a function are taken as they were.
    """
    if spec.data.dataset not in DATASETS and not is_reference(spec.data.dataset):
        now = load_data(spec, job.data_home, job.allow).fingerprint
        check_same_data(job.study, asdict(record.data), now)
    differences = changed(dict(record.environment), own_code(spec, job.allow))
    if not differences:
        return ""
    return (
        f"note: code has changed since this study was run: {', '.join(differences)}; "
        "what is recorded is of the code as it was"
    )


def uid_of(ledger: Ledger, name: str) -> str:
    """Return what tells a study's files from another's."""
    return str(ledger.header(name).get("uid", ""))


def _header(
    spec: StudySpec, plan: Plan, data: dict[str, Any], now: dict[str, str]
) -> dict[str, Any]:
    return {
        "spec": spec.plain(),
        "source": spec.source,
        "data": data,
        "environment": now,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "planned": len(plan.cells),
        "uid": uuid4().hex[:12],
        "owner": owner(),
        BY_DRAW: not plan.sampled,
    }


def update(ledger: Ledger, spec: StudySpec, plan: Plan, name: str) -> None:
    """Write what has grown, or may change freely, into the ledger."""
    header = ledger.header(name)
    changes = {"spec": spec.plain(), "source": spec.source, "planned": len(plan.cells)}
    if plan.patience and len(plan.cells) > header["planned"]:
        changes[SINCE] = since_growth(own_trials(ledger, name), header)
    if any(header.get(key) != value for key, value in changes.items()):
        ledger.update(name, **changes)
