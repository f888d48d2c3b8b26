"""From what an importer found to a study of the ledger, written whole or not at all."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sweep.analysis.importances import importances
from sweep.errors import LedgerError
from sweep.importing.problems import refused
from sweep.ledger.imported import add_imported
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import DataRecord, ImportRecord
from sweep.ledger.reading import read_study
from sweep.spec.dimensions import plain_dimension
from sweep.spec.study import read
from sweep.storage.locations import storage_url
from sweep.study.preparation import owner
from sweep.study.result import StudyResult
from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from sweep.importing.found import FoundStudy
    from sweep.spec import StudySpec

UNKNOWN = DataRecord("not known", "", 0, 0, (), ())


def write_import(found: FoundStudy, name: str, storage: str | None = None) -> StudyResult:
    """Write a study that another tool ran into the ledger.

    Parameters
    ----------
    found : FoundStudy
        What the importer read.
    name : str
        The study's name in the ledger.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.

    Returns
    -------
    StudyResult

    Raises
    ------
    ImportFileError
        If it makes no study.
    LedgerError
        If the ledger has a study of that name.
    """
    spec = _spec(found, name)
    with closing(Ledger(storage_url(storage))) as ledger:
        if not ledger.has(name) and add_imported(ledger, name, _header(found, spec), found.trials):
            record = read_study(ledger, name)
            ledger.set_importances(name, importances(record))
            return StudyResult(read_study(ledger, name), ledger.url)
    raise LedgerError(
        f"a study named {name!r} is in the ledger; name this one otherwise with --name, or take "
        f"the other away: sweep delete {name!r}"
    )


def _spec(found: FoundStudy, name: str) -> StudySpec:
    splits: dict[str, Any] = {}
    if found.folds is not None:
        splits = {"cv": found.folds, "repeats": found.repeats}
    raw = {
        "study": {"name": name},
        "data": {
            "dataset": "not known" if found.data is None else found.data.name,
            "scaling": "none",
            **({"groups": "groups"} if found.grouped else {}),
        },
        "model": {"estimator": "imported:model"},
        "search": {
            "method": "imported",
            "trials": len(found.trials),
            "scoring": list(found.scores),
            "refit": False,
            "train_scores": any(s.train for t in found.trials for s in t.splits),
            "objectives": ["score", *found.objectives],
            **splits,
        },
        "space": {key: plain_dimension(each) for key, each in found.space.items()},
    }
    spec, problems = read(raw, name=name, parameters=None)
    if spec is None:
        lines = [f"{'.'.join(each.place)}: {each.message}" for each in problems]
        raise refused(found.source, "; ".join(lines))
    return spec


def _header(found: FoundStudy, spec: StudySpec) -> dict[str, Any]:
    origin = ImportRecord(found.tool, found.version, redacted(found.source), found.notes)
    return {
        "spec": spec.plain(),
        "source": f"# imported: {found.tool}; no study file runs it\n",
        "data": asdict(found.data or UNKNOWN),
        "environment": {found.tool: found.version} if found.version else {},
        "created": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        "planned": len(found.trials),
        "uid": uuid4().hex[:12],
        "owner": owner(),
        "imported": asdict(origin),
    }
