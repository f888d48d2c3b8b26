"""Studies in an Optuna storage: made, described, listed, deleted; errors in plain words."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.errors import LedgerError, StudyNotFoundError
from sweep.ledger.checksums import sealed, unsealed
from sweep.ledger.codec import nested_from_plain
from sweep.ledger.objectives import directions, objectives_of
from sweep.storage.attributes import (
    FORMAT,
    IMPORTANCES,
    NESTED,
    OPENING,
    SECTIONS,
    STOP,
    STUDY,
    WINNER,
)
from sweep.storage.damaged_rows import UNREADABLE, readable_studies, readable_trials
from sweep.storage.database import open_storage
from sweep.storage.error_messages import working_error
from sweep.storage.locations import shown_url
from sweep.storage.queries import Signs, counted, signs
from sweep.storage.retries import is_transient, retry
from sweep.support.redaction import shown_cause

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import optuna
    from sqlalchemy.engine import Connection

    from sweep.ledger.outcomes import ImportanceRecord, NestedRecord, Opening, WinnerRecord
    from sweep.section import SectionRecord

T = TypeVar("T")


class Studies:
    """The studies of a ledger.

    Parameters
    ----------
    url : str
        Address of the database; see :func:`sweep.storage.locations.storage_url`.
    create : bool
        Make the tables where there are none.
    reading : bool
        Nothing will be written.

    Raises
    ------
    LedgerError
        If it cannot be opened.
    """

    def __init__(self, url: str, *, create: bool = True, reading: bool = False) -> None:
        self.url = url
        self.storage = open_storage(url, create=create and not reading, reading=reading)

    def close(self) -> None:
        """Close the connections; the ledger opens new ones if it is used again."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    def names(self) -> list[str]:
        """Return the names of all studies made by sweep, oldest first; no outer folds."""
        return [name for name, header in self.headers() if "part" not in header]

    def parts(self, name: str) -> list[str]:
        """Return the names of the outer folds of a study: studies of their own, hidden."""
        held = [(own, header.get("part")) for own, header in self.headers()]
        return [own for own, part in held if part and part["study"] == name]

    def headers(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and header of each study made by sweep, outer folds too, oldest first."""
        held = self.attributes().items()
        return [(name, attributes[STUDY]) for name, attributes in held if STUDY in attributes]

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Return each study's user attributes by its name, oldest first, so far as readable."""
        try:
            with self.translated():
                studies = self.storage.get_all_studies()
        except (LedgerError, *UNREADABLE):
            if found := readable_studies(self.storage):
                return found
            raise
        return {study.study_name: study.user_attrs for study in studies}

    def study_id(self, name: str) -> int:
        """Return Optuna's identifier of a study.

        Raises
        ------
        StudyNotFoundError
            Naming the studies there are.
        """
        with self.translated():
            try:
                return self.storage.get_study_id_from_name(name)
            except KeyError:
                pass
        raise unknown_study(name, self.url, self.names())

    def has(self, name: str) -> bool:
        """Return whether a study of that name exists.

        One without anything in it is what a process leaves that was killed while making it.
        """
        try:
            study_id = self.study_id(name)
        except StudyNotFoundError:
            return False
        with self.translated():
            if self.storage.get_study_user_attrs(study_id):
                return True
            system = self.storage.get_study_system_attrs(study_id)
            return bool(system) or self.storage.get_n_trials(study_id) > 0

    def create(self, name: str, header: Mapping[str, Any]) -> None:
        """Make a study, or join one that another process made at the same moment."""
        from optuna.study import StudyDirection

        from sweep.storage.transactions import new_study

        aims = [StudyDirection[d.upper()] for d in directions(objectives_of(header["spec"]))]
        held = {STUDY: {"format": FORMAT, **header}}
        with self.translated():
            if retry(lambda: new_study(self.storage, name, aims, held)):
                return
            study_id = self.storage.get_study_id_from_name(name)
            if STUDY not in self.storage.get_study_user_attrs(study_id):
                self.storage.set_study_user_attr(study_id, STUDY, held[STUDY])

    def header(self, name: str) -> dict[str, Any]:
        """Return what :meth:`create` wrote about a study.

        Raises
        ------
        LedgerError
            If the study is not sweep's, or a later version wrote it.
        """
        with self.translated():
            study_id = self.study_id(name)
            attributes = self.storage.get_study_user_attrs(study_id)
        if STUDY not in attributes:
            raise LedgerError(f"study {name!r} was not made by sweep; choose another --name")
        header: dict[str, Any] = attributes[STUDY]
        if not isinstance(header, dict) or not isinstance(header.get("format"), int):
            raise damaged(name)
        if header["format"] > FORMAT:
            raise LedgerError(
                f"study {name!r} was written by a later version of sweep; please upgrade"
            )
        return header

    def update(self, name: str, **changes: Any) -> None:
        """Change entries of a study's header."""
        self._write(name, STUDY, {**self.header(name), **changes})

    def set_winner(self, name: str, winner: WinnerRecord) -> None:
        """Record the chosen configuration and what the test set said."""
        self._write(name, WINNER, sealed(asdict(winner)))

    def set_nested(self, name: str, nested: NestedRecord) -> None:
        """Record what a nested cross-validation found."""
        self._write(name, NESTED, sealed(asdict(nested)))

    def set_importances(self, name: str, importances: ImportanceRecord) -> None:
        """Record how much each parameter mattered."""
        self._write(name, IMPORTANCES, asdict(importances))

    def set_sections(self, name: str, sections: Sequence[SectionRecord]) -> None:
        """Record a person's own sections of the report."""
        self._write(name, SECTIONS, [asdict(section) for section in sections])

    def nested(self, name: str) -> NestedRecord | None:
        """Return what a nested cross-validation found, if one has ended."""
        with self.translated():
            attributes = self.storage.get_study_user_attrs(self.study_id(name))
        plain, whole = unsealed(attributes.get(NESTED))
        return nested_from_plain(plain) if whole else None

    def note_opening(self, name: str, opening: Opening) -> None:
        """Record that the test set was opened; once more for the same moment to add its score."""
        self._write(name, f"{OPENING}{opening.opened_at}", sealed(asdict(opening)))

    def stop(self, name: str, when: str | None) -> None:
        """Ask a study's workers to finish their cells and leave; with None take that back."""
        self._write(name, STOP, when)

    def resume(self, name: str, seen: str | None) -> None:
        """Take back the request to leave that was seen before; a later one holds."""
        if seen is not None and self.stopped(name) == seen:
            self.stop(name, None)

    def stopped(self, name: str) -> str | None:
        """Return since when a study's workers are asked to leave; None where they are not."""
        study_id = self.study_id(name)
        with self.translated():
            when = self.storage.get_study_user_attrs(study_id).get(STOP)
        return None if when is None else str(when)

    def _write(self, name: str, key: str, value: Any) -> None:
        study_id = self.study_id(name)
        with self.translated():
            self.storage.set_study_user_attr(study_id, key, value)

    def delete(self, *names: str) -> bool:
        """Delete studies and their trials together; none, and False, where a trial runs."""
        from sweep.storage.transactions import delete_idle

        study_ids = [self.study_id(name) for name in names]
        with self.translated():
            return retry(lambda: delete_idle(self.storage, study_ids))

    def load(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the study as Optuna's own object."""
        import optuna

        self.study_id(name)
        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.storage, sampler=sampler, pruner=pruner
            )

    def trials(
        self, name: str, state: str | None = None, *, results: bool = True
    ) -> list[optuna.trial.FrozenTrial]:
        """Return the trials of a study, or those in one state, as Optuna holds them.

        One that cannot be read is a failed one.

        Parameters
        ----------
        name : str
            The study.
        state : str or None
            Trials in this state alone.
        results : bool
            With what the fits have measured, nearly all of a trial's size.
        """
        from optuna.trial import TrialState

        from sweep.storage.trial_reader import read_trials

        study_id, states = self.study_id(name), (TrialState[state],) if state else None
        try:
            with self.translated():
                return retry(lambda: read_trials(self.storage, study_id, states, results=results))
        except (LedgerError, *UNREADABLE) as error:
            if is_transient(error):  # nothing is damaged
                raise
            if found := readable_trials(self.storage, study_id):
                return [t for t in found if states is None or t.state in states]
            raise damaged(name) from error

    def lives(self) -> dict[str, Signs]:
        """Return the signs of life of each study's workers; none of a damaged ledger's."""
        found: dict[str, Signs] = {}
        with (
            suppress(LedgerError, *UNREADABLE),
            self.translated(),
            self.storage.engine.connect() as connection,
        ):
            found = signs(connection)
        return found

    def counts(self, name: str) -> Counter[str]:
        """Return how many trials of a study are in each state."""
        return self.ask(name, counted)

    def ask(self, name: str, question: Callable[[Connection, int], T]) -> T:
        """Run one of the small queries of :mod:`sweep.storage.queries` on a study."""
        study_id = self.study_id(name)

        def asked() -> T:
            with self.storage.engine.connect() as connection:
                return question(connection, study_id)

        with self.translated():
            return retry(asked)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the storage's errors into :class:`LedgerError` with a plain message."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (StorageInternalError, SQLAlchemyError) as error:
            raise working_error(error, shown_url(self.url)) from shown_cause(error)


def unknown_study(name: str, url: str, known: Iterable[str]) -> StudyNotFoundError:
    """Return the error for a name that a ledger does not hold."""
    there_are = ", ".join(known) or "none yet"
    return StudyNotFoundError(
        f"no study named {name!r} in {shown_url(url)}; there are: {there_are}"
    )


def damaged(name: str) -> LedgerError:
    """Return the error for a study whose entry cannot be understood."""
    return LedgerError(
        f"study {name!r}: what the ledger holds of it is damaged; it was left as it is; other "
        "studies can be read"
    )
