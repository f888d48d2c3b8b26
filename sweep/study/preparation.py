"""Before the first cell: check data and models, create the study or record how it has grown."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweep.datasets import DATASETS
from sweep.evaluation.estimator import user_code, user_code_text
from sweep.evaluation.pictures import training_pictures
from sweep.evaluation.split_checks import unseen_classes
from sweep.ledger.limits import since_growth
from sweep.ledger.pictures import data_pictures_path, save_pictures
from sweep.ledger.reading import study_spec
from sweep.ledger.study_folders import ledger_id, own_folder
from sweep.search.outer_folds import OuterFold, outer_fold_data
from sweep.search.plan import Plan, cell_cost, make_plan
from sweep.search.study_data import load_data
from sweep.storage.attributes import BY_DRAW, PATIENCE_FROM
from sweep.storage.locations import make_artifacts_root
from sweep.study.compatibility import check_same, check_same_data
from sweep.study.preflight import check_data, check_same_code
from sweep.study.versions import changed, versions
from sweep.study.warm_start import warm_start
from sweep.support.code_references import is_reference
from sweep.workers.recovery import own_trials

if TYPE_CHECKING:
    from sweep.datasets import Dataset
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.runner.progress import Watcher
    from sweep.search.repeats import Repeat
    from sweep.spec import StudySpec
    from sweep.study.preflight import Preflight
    from sweep.workers.job import Job


def prepare_study(
    ledger: Ledger, spec: StudySpec, plan: Plan, job: Job, watcher: Watcher, dataset: Dataset,
    outer_fold: OuterFold | Repeat | None, *, helping: bool = False, owned_by: str = "",
    passed: Preflight | None = None,
) -> Plan:  # fmt: skip
    """Check the data and every model, make the study; return the plan, slowest cells first.

    What has ``passed`` is not checked again.
    """
    make_artifacts_root(job.storage)
    dataset = outer_fold_data(dataset, None if outer_fold is None else outer_fold.plain())
    now = {**versions(), **user_code(spec, job.allow)}
    if passed is None:
        passed = check_data(ledger, job.storage, spec, plan, dataset, job.study, job.allow)
    data = passed.data
    if ledger.has(job.study):
        header = ledger.header(job.study)
        _update_code(ledger, job.study, user_code_text(spec, job.allow), helping=helping)
        update(ledger, spec, plan, job.study)
        if differences := changed(header["environment"], now):
            watcher.say(f"note: versions have changed since: {', '.join(differences)}")
    else:
        header = _header(spec, plan, asdict(data), now)
        header |= {"code": user_code_text(spec, job.allow), "ledger": ledger_id(ledger)}
        header["owner"] = owned_by or owner()
        ledger.create(
            job.study, header if outer_fold is None else {**header, "part": outer_fold.plain()}
        )
        _check_created(ledger, spec, job.study, header)
    if outer_fold is None:
        for note in (*dataset.notes, *unseen_classes(dataset, passed.splits)):
            watcher.say(f"data: {note}")
        shown = training_pictures(dataset.x_train, dataset.y_train, spec.study.seed)
        own_folder(ledger, job.study)
        save_pictures(data_pictures_path(job.storage, job.study, uid_of(ledger, job.study)), shown)
    for line in warm_start(ledger, spec, passed.sources):
        watcher.say(line)
    if spec.search.start or plan.patience:  # trials have an order
        return plan
    costs = {c.key: cell_cost(spec, c, data.shape, len(data.classes)) for c in plan.cells}
    cells = sorted(plan.cells, key=lambda cell: -costs[cell.key])
    return replace(plan, cells=tuple(cells))


def _update_code(ledger: Ledger, name: str, code: str, *, helping: bool) -> None:
    """Record the code that a study goes on with."""
    if ledger.header(name).get("code") == code:
        return
    check_same_code(ledger, name, code, helping=helping)  # again: a result may be new by now
    ledger.update(name, code=code)


def _check_created(ledger: Ledger, spec: StudySpec, name: str, ours: dict[str, Any]) -> None:
    """Refuse a study that another process created at the same moment with other settings."""
    header = ledger.header(name)
    if header.get("uid") != ours["uid"]:
        check_same(study_spec(name, header), spec)
        check_same_data(name, header["data"], ours["data"]["fingerprint"])
        update(ledger, spec, make_plan(spec), name)


def owner() -> str:
    """Return who makes a study here: ``user@host``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def check_finished(spec: StudySpec, record: StudyRecord, job: Job) -> str:
    """Refuse a finished study whose data file has changed; return a note if its code has changed.

    Built-in datasets do not change. Data that a function returns are not loaded again.
    """
    if spec.data.dataset not in DATASETS and not is_reference(spec.data.dataset):
        now = load_data(spec, job.data_home, job.allow, job.storage).fingerprint
        check_same_data(job.study, asdict(record.data), now)
    differences = changed(dict(record.environment), user_code(spec, job.allow))
    if not differences:
        return ""
    return (
        f"note: code has changed since this study was run: {', '.join(differences)}; "
        "what is recorded is of the code as it was"
    )


def uid_of(ledger: Ledger, name: str) -> str:
    """Return the identifier of a study; its files carry it."""
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
        BY_DRAW: not plan.sampled,
    }


def update(ledger: Ledger, spec: StudySpec, plan: Plan, name: str) -> None:
    """Record what has grown, or may change freely, in the ledger."""
    header = ledger.header(name)
    changes = {"spec": spec.plain(), "source": spec.source, "planned": len(plan.cells)}
    if plan.patience and len(plan.cells) > header["planned"]:
        changes[PATIENCE_FROM] = since_growth(own_trials(ledger, name), header)
    if any(header.get(key) != value for key, value in changes.items()):
        ledger.update(name, **changes)
