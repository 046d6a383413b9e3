"""A store opened by its URL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType

from truenorth.store.access import Access
from truenorth.store.accounts import Accounts
from truenorth.store.archive import Archive
from truenorth.store.database import Database
from truenorth.store.decisions import Decisions
from truenorth.store.effects import EffectVersions
from truenorth.store.event_log import SqlEventLog
from truenorth.store.forget import Retention
from truenorth.store.futures import Futures
from truenorth.store.given import Given
from truenorth.store.gone import GoneKeys
from truenorth.store.migrate import migrate
from truenorth.store.models import Models
from truenorth.store.pages import Pages
from truenorth.store.people import People
from truenorth.store.periods import Periods
from truenorth.store.ports import EventLog
from truenorth.store.registry import Audit, Journeys, Links
from truenorth.store.results import Results
from truenorth.store.risks import Risks
from truenorth.store.settings import Entropy, settings_of
from truenorth.store.signals import Outbox, Signals
from truenorth.store.staff import Staff
from truenorth.store.steering import SteeringFiles
from truenorth.store.suppression import Suppression


@dataclass(frozen=True, kw_only=True)
class Store:
    """Everything that the live service keeps, by purpose. Safe to use from any number of threads."""

    database: Database
    events: EventLog
    archive: Archive
    people: People
    retention: Retention
    results: Results
    periods: Periods
    pages: Pages
    signals: Signals
    outbox: Outbox
    access: Access
    accounts: Accounts
    journeys: Journeys
    links: Links
    audit: Audit
    decisions: Decisions
    staff: Staff
    models: Models
    risks: Risks
    effects: EffectVersions
    given: Given
    futures: Futures
    steering: SteeringFiles

    def close(self) -> None:
        """Close its connections."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(url: str, *, entropy: Entropy = os.urandom, is_durable: bool = True) -> Store:
    """The store of a URL: ``sqlite:///truenorth.db`` or ``postgresql://user@host/database``.

    ``is_durable``: false only for what can be made again, see `Database`.

    Its tables are made, or brought to the state that this program expects; what a crash has left of an archive is
    tidied. Raises `TruenorthError` for a URL that names no store or a database of a newer program, StoreUnavailable
    where there is no answer, StoreFull where nothing can be written.

    >>> from tempfile import TemporaryDirectory
    >>> from truenorth.events import Event
    >>> with TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/truenorth.db") as store:
    ...     ordered = Event(source="shop", id="1", type="ordered", time_us=0, received_us=5, customer="ann")
    ...     store.events.append([ordered, ordered])
    ...     [(found.position, found.event.type) for found in store.events.read()]
    Appended(n_new=1, n_duplicates=1, n_suppressed=0)
    [(1, 'ordered')]
    """
    database = Database(url, is_durable=is_durable)
    try:
        return _opened(database, entropy)
    except BaseException:
        database.close()
        raise


def _opened(database: Database, entropy: Entropy) -> Store:
    database.make_file()
    migrate(database)
    salt, name = settings_of(database, entropy)
    gone, suppression = GoneKeys(database, salt), Suppression(database, salt)
    archive = Archive(database, gone, name)
    archive.remove_doomed()
    return Store(
        database=database,
        events=SqlEventLog(database, suppression, gone),
        archive=archive,
        people=People(database, archive, gone, suppression),
        retention=Retention(database, archive, gone),
        results=Results(database),
        periods=Periods(database),
        pages=Pages(database),
        signals=Signals(database),
        outbox=Outbox(database),
        access=Access(database, entropy),
        accounts=Accounts(database, entropy),
        journeys=Journeys(database),
        links=Links(database),
        audit=Audit(database),
        decisions=Decisions(database),
        staff=Staff(database),
        models=Models(database),
        risks=Risks(database),
        effects=EffectVersions(database),
        given=Given(database),
        futures=Futures(database),
        steering=SteeringFiles(database),
    )
