"""``sweep settle``: ask a finished study to go on with repeats, and run them."""

from __future__ import annotations

import tomllib
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError, StudyFileError
from sweep.ledger.imported import check_own
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.spec.settling import SettleSection, settle_problems
from sweep.spec.toml import to_toml
from sweep.storage.locations import storage_url
from sweep.study.run import run_study

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec
    from sweep.study.result import StudyResult


def settle_study(
    name: str,
    storage: str | None = None,
    *,
    margin: float | None = None,
    within: float | None = None,
    **options: Any,
) -> StudyResult:
    """Go on with a finished study until it is clear what to take, as ``search.settle`` asks for.

    Parameters
    ----------
    name : str
        The study.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    margin : float, optional
        Differences up to this one do not matter; by default what the study says, else 0.005.
    within : float, optional
        Seconds: no further repeat is begun that would not end within them.
    **options
        ``n_jobs``, ``data_home``, ``allow``, ``watcher``, ``forkserver``, ``gpus`` of
        :func:`sweep.run_study`.

    Returns
    -------
    StudyResult
        Its ``record.race`` has what is settled.

    Raises
    ------
    LedgerError
        If the study has not ended, was imported, or is a part of another.
    StudyFileError
        If repeats cannot settle it: all reasons.
    SweepError
        As :func:`sweep.run_study`.
    """
    url = storage_url(storage)
    with closing(Ledger(url, create=False)) as ledger:
        header = ledger.header(name)
        check_own(name, header, "settled")
        if "part" in header:
            whole = header["part"]["study"]
            raise LedgerError(f"study {name!r} is a part of {whole!r}; settle that one")
        record = read_study(ledger, name)
    if record.status != "finished":
        raise LedgerError(
            f"study {name!r} has not ended ({record.status}); `sweep run` its study file first"
        )
    return run_study(_asking(record, margin, within), storage=url, **options)


def _asking(record: StudyRecord, margin: float | None, within: float | None) -> StudySpec:
    """Return the study with ``search.settle``."""
    spec = record.settings
    asked = (spec.search.settle or SettleSection()).model_copy(update={"within": within})
    if margin is not None:
        asked = asked.model_copy(update={"margin": margin})
    if asked == spec.search.settle:
        return spec
    sections = spec.sections()
    problems = settle_problems({**sections["search"], "settle": asked}, sections["data"])
    if told := [f"{'.'.join(each.place)}: {each.message}" for each in problems]:
        raise StudyFileError(record.name, told)
    source = tomllib.loads(record.source)
    source.setdefault("search", {})["settle"] = asked.model_dump(exclude_none=True)
    search = spec.search.model_copy(update={"settle": asked})
    return spec.model_copy(update={"search": search, "source": to_toml(source)})
