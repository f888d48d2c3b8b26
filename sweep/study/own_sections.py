"""A person's own sections of a report: computed by the run, stored as text and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.section import SectionRecord, recorded
from sweep.support.code_references import is_reference, resolve
from sweep.support.tensorflow_loading import without_noise

if TYPE_CHECKING:
    from collections.abc import Collection

    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec


def own_sections(spec: StudySpec) -> list[str]:
    """Return the functions that ``[report] sections`` names, in order."""
    return [name for name in spec.report.sections if is_reference(name)]


def check_own_sections(spec: StudySpec, allow: Collection[str]) -> None:
    """Refuse functions that may not or cannot be loaded, before anything trains.

    Raises
    ------
    ReferenceError_
        Naming the first.
    """
    with without_noise():  # a module that holds a model too loads Keras
        for reference in own_sections(spec):
            resolve(reference, allow=allow, folder=spec.folder)


def computed(
    spec: StudySpec, record: StudyRecord, allow: Collection[str]
) -> tuple[SectionRecord, ...]:
    """Call the functions; one that fails leaves its reason, and the report of the others.

    Parameters
    ----------
    spec : StudySpec
        Names them.
    record : StudyRecord
        What they are about.
    allow : collection of str
        Modules that the person allows.
    """
    from sweep import tables

    frames = {"frame": tables.candidates_frame(record), "folds": tables.folds_frame(record)}
    return tuple(_section(name, spec, frames, allow) for name in own_sections(spec))


def _section(
    reference: str, spec: StudySpec, frames: dict[str, Any], allow: Collection[str]
) -> SectionRecord:
    function: Any = resolve(reference, allow=allow, folder=spec.folder)
    copies = {name: frame.copy() for name, frame in frames.items()}
    try:
        return recorded(reference, function(**copies))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - own code may raise anything
        return SectionRecord(reference, reason=f"{type(error).__name__}: {error}")
