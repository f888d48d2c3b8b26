"""Create, describe, list and delete studies in an Optuna storage; translate its errors."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.errors import LedgerError, StudyNotFoundError
from sweep.ledger.checksums import with_digest, without_digest
from sweep.ledger.codec import (
    nested_from_plain,
    nested_to_plain,
    opening_to_plain,
    race_to_plain,
    winner_to_plain,
)
from sweep.ledger.objectives import directions
from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.attributes import (
    FORMAT,
    IDLE,
    IMPORTANCES,
    NESTED,
    NO_NESTED,
    OPENING,
    PRIORITY,
    RACE,
    SECTIONS,
    SETTLED,
    STOP,
    STUDY,
    WINNER,
)
from sweep.storage.damaged_rows import UNREADABLE, readable_studies, readable_trials
from sweep.storage.database import open_storage
from sweep.storage.error_messages import DELETED, working_error
from sweep.storage.locations import shown_url
from sweep.storage.queries import Signs, counted, signs, state_of
from sweep.storage.retries import is_transient, retry
from sweep.support.redaction import shown_cause

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import optuna
    from sqlalchemy.engine import Connection

    from sweep.ledger.outcomes import (
        IdleRecord,
        ImportanceRecord,
        NestedRecord,
        Opening,
        RaceRecord,
        WinnerRecord,
    )
    from sweep.section import SectionRecord
    from sweep.storage.stored_trial import StoredTrial

T = TypeVar("T")


class Studies:
    """The studies of a ledger.

    Parameters
    ----------
    url : str
        Address of the database; see :func:`sweep.storage.locations.storage_url`.
    create : bool
        Create missing tables.
    reading : bool
        Open read-only.

    Raises
    ------
    LedgerError
        If it cannot be opened.
    """

    def __init__(self, url: str, *, create: bool = True, reading: bool = False) -> None:
        self.url = url
        self.storage = open_storage(url, create=create and not reading, reading=reading)

    def close(self) -> None:
        """Close the connections; later calls open new ones."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    def names(self) -> list[str]:
        """Return the names of all studies of sweep except parts of others, oldest first."""
        return [name for name, header in self.headers() if "part" not in header]

    def parts(self, name: str) -> list[str]:
        """Return the names of a study's outer folds and further repeats; lists do not show them."""
        parts = [(own, header.get("part")) for own, header in self.headers()]
        return [own for own, part in parts if part and part["study"] == name]

    def headers(self) -> list[tuple[str, dict[str, Any]]]:
        """Return name and header of each study of sweep and of each part of one, oldest first."""
        studies = self.attributes().items()
        return [(name, attributes[STUDY]) for name, attributes in studies if STUDY in attributes]

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Return each study's readable user attributes by its name, oldest first."""
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
            If there is none; the message names the studies that exist.
        """
        with self.translated():
            try:
                return self.storage.get_study_id_from_name(name)
            except KeyError:
                pass
        raise unknown_study(name, self.url, self.names())

    def has(self, name: str) -> bool:
        """Return whether a study of that name exists and is not empty.

        A process that was killed while it created a study leaves an empty one.
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
        """Create a study; do nothing if another process created it at the same moment."""
        from optuna.study import StudyDirection

        from sweep.storage.transactions import new_study

        aims = [StudyDirection[d.upper()] for d in directions(StoredSearch(header).objectives)]
        attributes = {STUDY: {"format": FORMAT, **header}}
        with self.translated():
            if retry(lambda: new_study(self.storage, name, aims, attributes)):
                return
            study_id = self.storage.get_study_id_from_name(name)
            if STUDY not in self.storage.get_study_user_attrs(study_id):  # an empty one; see `has`
                self.storage.set_study_user_attr(study_id, STUDY, attributes[STUDY])

    def header(self, name: str) -> dict[str, Any]:
        """Return a study's header, as :meth:`create` wrote it.

        Raises
        ------
        LedgerError
            If sweep did not create the study, or a later version did.
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
        """Change keys of a study's header."""
        self._write(name, STUDY, {**self.header(name), **changes})

    def set_winner(self, name: str, winner: WinnerRecord) -> None:
        """Record the winner and its score on the test set."""
        self._write(name, WINNER, with_digest(winner_to_plain(winner)))

    def settle(self, name: str, complete: int, rule: str, *, again: bool = False) -> None:
        """Record that the winner is the choice.

        Parameters
        ----------
        name : str
            The study.
        complete : int
            Of how many complete trials. Count them before the choice is made: one that ends
            meanwhile may be the better one.
        rule : str
            By which rule.
        again : bool
            Only where it was recorded before, of others.
        """
        study_id, settled = self.study_id(name), [complete, rule]
        with self.translated():
            held = self.storage.get_study_user_attrs(study_id)
            if held.get(SETTLED, settled if again else None) != settled:
                self.storage.set_study_user_attr(study_id, SETTLED, settled)

    def set_nested(self, name: str, nested: NestedRecord) -> None:
        """Record the result of a nested cross-validation."""
        self._write(name, NESTED, with_digest(nested_to_plain(nested)))

    def set_no_nested(self, name: str, planned: int) -> None:
        """Record that outer folds of so many cells have ended, one of them without any score."""
        self._write(name, NO_NESTED, planned)

    def set_race(self, name: str, race: RaceRecord) -> None:
        """Record what further repeats of the cross-validation have settled."""
        self._write(name, RACE, with_digest(race_to_plain(race)))

    def set_importances(self, name: str, importances: ImportanceRecord) -> None:
        """Record the importances of the parameters."""
        self._write(name, IMPORTANCES, asdict(importances))

    def set_idle(self, name: str, idle: Sequence[IdleRecord]) -> None:
        """Record which parameters of a user's factory changed nothing."""
        self._write(name, IDLE, [asdict(each) for each in idle])

    def set_sections(self, name: str, sections: Sequence[SectionRecord]) -> None:
        """Record the report sections that the user's own code computed."""
        self._write(name, SECTIONS, [asdict(section) for section in sections])

    def nested(self, name: str) -> NestedRecord | None:
        """Return the result of a nested cross-validation; None if none has ended."""
        with self.translated():
            attributes = self.storage.get_study_user_attrs(self.study_id(name))
        plain, unchanged = without_digest(attributes.get(NESTED))
        return nested_from_plain(plain) if unchanged else None

    def note_opening(self, name: str, opening: Opening) -> None:
        """Record an opening of the test set; call again with the same time to add its scores."""
        self._write(name, f"{OPENING}{opening.opened_at}", with_digest(opening_to_plain(opening)))

    def stop(self, name: str, when: str | None) -> None:
        """Request that a study's workers finish their cells and end; None withdraws the request."""
        self._write(name, STOP, when)

    def resume(self, name: str, seen: str | None) -> None:
        """Withdraw the stop request that was made at ``seen``; a later request stays."""
        if seen is not None and self.stopped(name) == seen:
            self.stop(name, None)

    def stopped(self, name: str) -> str | None:
        """Return when a stop of the study was requested; None where there is no such request."""
        study_id = self.study_id(name)
        with self.translated():
            when = self.storage.get_study_user_attrs(study_id).get(STOP)
        return None if when is None else str(when)

    def set_priority(self, name: str, priority: int) -> None:
        """Say how soon a study's turn comes: those of a higher priority come first; 0 is usual."""
        self._write(name, PRIORITY, priority)

    def _write(self, name: str, key: str, value: Any) -> None:
        study_id = self.study_id(name)
        with self.translated():
            self.storage.set_study_user_attr(study_id, key, value)

    def delete(self, *names: str) -> bool:
        """Delete studies and their trials; none, and return False, while one of the trials runs."""
        from sweep.storage.transactions import delete_idle

        study_ids = [self.study_id(name) for name in names]
        with self.translated():
            return retry(lambda: delete_idle(self.storage, study_ids))

    def load(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the study as an ``optuna.Study``."""
        import optuna

        self.study_id(name)  # its error names the studies that exist
        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.storage, sampler=sampler, pruner=pruner
            )

    def trials(
        self, name: str, state: str | None = None, *, results: bool = True
    ) -> list[optuna.trial.FrozenTrial]:
        """Return the trials of a study as Optuna's objects.

        A trial that cannot be read is returned as a failed one.

        Parameters
        ----------
        name : str
            The study.
        state : str or None
            Only trials in this state.
        results : bool
            Read the results of the fits too, nearly all of a trial's size.
        """
        from optuna.trial import TrialState

        from sweep.storage.trial_reader import read_trials

        study_id, states = self.study_id(name), (TrialState[state],) if state else None
        try:
            with self.translated():
                return retry(lambda: read_trials(self.storage, study_id, states, results=results))
        except (LedgerError, *UNREADABLE) as error:
            if is_transient(error):  # unavailable, not damaged
                raise
            if found := readable_trials(self.storage, study_id):
                return [t for t in found if states is None or t.state in states]
            raise damaged(name) from error

    def stored_trials(self, name: str) -> Sequence[StoredTrial | optuna.trial.FrozenTrial]:
        """Return the trials of a study for its record, with their results as they are stored.

        A trial that cannot be read is returned as a failed one.
        """
        from sweep.storage.stored_trials import read_stored

        study_id = self.study_id(name)
        try:
            with self.translated():
                return retry(lambda: read_stored(self.storage, study_id))
        except (LedgerError, *UNREADABLE) as error:
            if is_transient(error):
                raise
        return self.trials(name)

    def signs_of_life(self) -> dict[str, Signs]:
        """Return the signs of life of each study's workers; empty where the ledger is damaged."""
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
        return self.query(name, counted)

    def state(self, name: str | None = None) -> str:
        """Return what differs whenever a study has changed; without a name, any study.

        Raises
        ------
        StudyNotFoundError
            If there is no study of that name.
        """

        def run() -> str | None:
            with self.storage.engine.connect() as connection:
                return state_of(connection, name)

        with self.translated():
            found = retry(run)
        if found is None and name is not None:
            raise unknown_study(name, self.url, self.names())
        return found or ""

    def query(self, name: str, function: Callable[[Connection, int], T]) -> T:
        """Run one of the query functions of :mod:`sweep.storage.queries` on a study."""
        study_id = self.study_id(name)

        def run() -> T:
            with self.storage.engine.connect() as connection:
                return function(connection, study_id)

        with self.translated():
            return retry(run)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Convert the storage's errors to :class:`LedgerError` with a readable message."""
        from optuna.exceptions import StorageInternalError
        from optuna.storages._rdb.models import NOT_FOUND_MSG
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except KeyError as error:
            if NOT_FOUND_MSG not in str(error):
                raise
            raise StudyNotFoundError(DELETED) from error
        except (StorageInternalError, SQLAlchemyError) as error:
            raise working_error(error, shown_url(self.url)) from shown_cause(error)


def unknown_study(name: str, url: str, known: Iterable[str]) -> StudyNotFoundError:
    """Return the error for a name that a ledger does not hold."""
    there_are = ", ".join(known) or "none yet"
    return StudyNotFoundError(
        f"no study named {name!r} in {shown_url(url)}; there are: {there_are}"
    )


def damaged(name: str) -> LedgerError:
    """Return the error for a study whose attributes or trials are damaged."""
    return LedgerError(
        f"study {name!r}: what the ledger holds of it is damaged; it was left as it is; other "
        "studies can be read"
    )
