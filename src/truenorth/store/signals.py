"""Signals in the order in which they were given, and their delivery to webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, update

from truenorth.store.database import Database, Turn
from truenorth.store.rows import Delivery, Signal, Webhook, WebhookState
from truenorth.store.tables import OUTBOX, SIGNAL, WEBHOOK

MAX_ERROR_CHARACTERS = 500
"""So much of an error is kept."""


class Signals:
    """Signals that runners gave. Numbers become visible in rising order: who has read one misses none before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, after: int = 0, *, limit: int = 1_000, journey: str | None = None) -> Sequence[Signal]:
        """The next signals after a number; of one journey if given."""
        asked = select(SIGNAL).where(SIGNAL.c.number > after).order_by(SIGNAL.c.number).limit(limit)
        if journey is not None:
            asked = asked.where(SIGNAL.c.journey == journey)
        with self._database.reading() as connection:
            return [Signal(**row) for row in connection.execute(asked).mappings()]

    def last_number(self) -> int:
        """The number of the newest signal, 0 where there is none."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(SIGNAL.c.number))) or 0


class Outbox:
    """What waits to be sent to webhooks, at least once each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_webhook(self, url: str, secret: str, *, kinds: Sequence[str] = (), now_us: int) -> Webhook:
        """Register a webhook: signals given from now on, of some kinds or of all, wait for it."""
        values = {"url": url, "secret": secret, "state": "active", "created_us": now_us}
        kinds_text = msgspec.json.encode(list(kinds)).decode()
        with self._database.writing(Turn.RESULTS) as connection:
            added = insert(WEBHOOK).values(**values, kinds=kinds_text).returning(*WEBHOOK.c)
            return _webhook(connection.execute(added).mappings().one())

    def webhooks(self) -> Sequence[Webhook]:
        """All webhooks, oldest first."""
        with self._database.reading() as connection:
            return [_webhook(row) for row in connection.execute(select(WEBHOOK).order_by(WEBHOOK.c.number)).mappings()]

    def set_webhook(self, number: int, state: WebhookState) -> bool:
        """Pause a webhook or take it up again; false if there is none. What waits for a paused one goes on waiting."""
        changed = update(WEBHOOK).where(WEBHOOK.c.number == number).values(state=state)
        with self._database.writing(Turn.RESULTS) as connection:
            return connection.execute(changed).rowcount > 0

    def remove_webhook(self, number: int) -> bool:
        """Remove a webhook and what waits for it; false if there is none."""
        with self._database.writing(Turn.RESULTS) as connection:
            connection.execute(delete(OUTBOX).where(OUTBOX.c.webhook == number))
            return connection.execute(delete(WEBHOOK).where(WEBHOOK.c.number == number)).rowcount > 0

    def n_pending(self) -> int:
        """How many deliveries wait, at paused webhooks too."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).where(OUTBOX.c.state == "pending")) or 0

    def claim(self, now_us: int, *, lease_us: int, limit: int = 100) -> Sequence[Delivery]:
        """Deliveries that are due, in the order of signals; nobody else gets them for the time of the lease.

        Then comes `delivered` or `failed` for each; if neither does, it is due again when the lease is over.
        """
        due = (OUTBOX.c.state == "pending") & (OUTBOX.c.next_us <= now_us) & (WEBHOOK.c.state == "active")
        key = (OUTBOX.c.signal, OUTBOX.c.webhook)
        to_active = OUTBOX.join(WEBHOOK, WEBHOOK.c.number == OUTBOX.c.webhook)
        asked = select(*key, OUTBOX.c.attempts).select_from(to_active).where(due).order_by(*key).limit(limit)
        with self._database.writing() as connection:
            rows = connection.execute(asked.with_for_update(of=OUTBOX, skip_locked=True)).all()
            numbers = sorted({row.signal for row in rows})
            signals = connection.execute(select(SIGNAL).where(SIGNAL.c.number.in_(numbers))).mappings().all()
            hooks = connection.execute(select(WEBHOOK)).mappings().all()
            for row in rows:
                lent = update(OUTBOX).where(_this(row.signal, row.webhook))
                connection.execute(lent.values(next_us=now_us + lease_us))
        given = {row["number"]: Signal(**row) for row in signals}
        known = {row["number"]: _webhook(row) for row in hooks}
        return [Delivery(signal=given[row.signal], webhook=known[row.webhook], attempts=row.attempts) for row in rows]

    def delivered(self, signal: int, webhook: int) -> None:
        """It arrived."""
        self._settle(signal, webhook, state="delivered", last_error=None)

    def failed(self, signal: int, webhook: int, error: str, *, next_us: int | None) -> None:
        """It did not arrive: try again at an instant, or never (None)."""
        values = {"state": "dead"} if next_us is None else {"next_us": next_us}
        self._settle(signal, webhook, attempts=OUTBOX.c.attempts + 1, last_error=error[:MAX_ERROR_CHARACTERS], **values)

    def next_due_us(self) -> int | None:
        """When the next delivery is due, or None where nothing waits."""
        active = select(WEBHOOK.c.number).where(WEBHOOK.c.state == "active")
        waiting = (OUTBOX.c.state == "pending") & OUTBOX.c.webhook.in_(active)
        with self._database.reading() as connection:
            return connection.scalar(select(OUTBOX.c.next_us).where(waiting).order_by(OUTBOX.c.next_us).limit(1))

    def _settle(self, signal: int, webhook: int, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(update(OUTBOX).where(_this(signal, webhook)).values(**values))


def _this(signal: int, webhook: int) -> ColumnElement[bool]:
    return (OUTBOX.c.signal == signal) & (OUTBOX.c.webhook == webhook)


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(**{**row, "kinds": tuple(msgspec.json.decode(row["kinds"]))})
