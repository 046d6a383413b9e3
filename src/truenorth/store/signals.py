"""Signals in the order in which they were given, and their delivery to webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, bindparam, case, delete, func, insert, select, update

from truenorth.store.database import Database, Turn
from truenorth.store.rows import DeadLetter, Delivery, Settled, Signal, Webhook, WebhookState
from truenorth.store.tables import OUTBOX, SIGNAL, WEBHOOK

MAX_ERROR_CHARACTERS = 500
"""So much of an error is kept."""


_NEWER = select(SIGNAL).where(SIGNAL.c.number > bindparam("after")).order_by(SIGNAL.c.number).limit(bindparam("limit"))
_NEWER_OF = _NEWER.where(SIGNAL.c.journey == bindparam("journey"))
_LAST = select(func.max(SIGNAL.c.number))


class Signals:
    """Signals that runners gave. Numbers become visible in rising order: who has read one misses none before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, after: int = 0, *, limit: int = 1_000, journey: str | None = None) -> Sequence[Signal]:
        """The next signals after a number; of one journey if given."""
        asked = _NEWER if journey is None else _NEWER_OF
        with self._database.reading() as connection:
            rows = connection.execute(asked, {"after": after, "limit": limit, "journey": journey}).mappings()
            return [Signal(**row) for row in rows]

    def last_number(self) -> int:
        """The number of the newest signal, 0 where there is none."""
        with self._database.reading() as connection:
            return connection.scalar(_LAST) or 0


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

    def claim(self, now_us: int, *, lease_us: int, limit: int = 100, webhook: int | None = None) -> Sequence[Delivery]:
        """Deliveries that are due, in the order of signals; nobody else gets them for the time of the lease.

        Only those to one webhook if given. Then comes `delivered`, `failed` or `settle` for each; if none does, it is
        due again when the lease is over.
        """
        due = (OUTBOX.c.state == "pending") & (OUTBOX.c.next_us <= now_us) & (WEBHOOK.c.state == "active")
        if webhook is not None:
            due &= OUTBOX.c.webhook == webhook
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

    def is_due(self, webhook: int, now_us: int) -> bool:
        """Whether something waits to be sent to a webhook now."""
        due = (OUTBOX.c.webhook == webhook) & (OUTBOX.c.state == "pending") & (OUTBOX.c.next_us <= now_us)
        with self._database.reading() as connection:
            return connection.execute(select(OUTBOX.c.signal).where(due).limit(1)).first() is not None

    def settle(self, settled: Sequence[Settled]) -> None:
        """Note what has become of some deliveries, all in one transaction.

        Where there is no new error the last one stays, unless it was delivered.
        """
        if not settled:
            return
        this = (OUTBOX.c.signal == bindparam("this_signal")) & (OUTBOX.c.webhook == bindparam("this_webhook"))
        names = ("state", "attempts", "next_us", "last_error")
        rows = [
            {"this_signal": one.signal, "this_webhook": one.webhook, **{name: getattr(one, name) for name in names}}
            for one in settled
        ]
        for row in rows:
            row["last_error"] = row["last_error"] and row["last_error"][:MAX_ERROR_CHARACTERS]
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        kept = func.coalesce(values["last_error"], OUTBOX.c.last_error)
        values["last_error"] = case((values["state"] != "delivered", kept))
        with self._database.writing() as connection:
            connection.execute(update(OUTBOX).where(this).values(values), rows)

    def dead_letters(self, *, webhook: int | None = None, after: int = 0, limit: int = 1_000) -> Sequence[DeadLetter]:
        """Deliveries that were given up, of signals after one, in their order; to one webhook if given."""
        joined = OUTBOX.join(SIGNAL, SIGNAL.c.number == OUTBOX.c.signal).join(
            WEBHOOK, WEBHOOK.c.number == OUTBOX.c.webhook
        )
        of_outbox = (OUTBOX.c.signal, OUTBOX.c.webhook, OUTBOX.c.attempts, OUTBOX.c.last_error)
        of_signal = (SIGNAL.c.journey, SIGNAL.c.kind, SIGNAL.c.case, SIGNAL.c.time_us)
        asked = (
            select(*of_outbox, *of_signal, WEBHOOK.c.url)
            .select_from(joined)
            .where(_dead(webhook), OUTBOX.c.signal > after)
        )
        with self._database.reading() as connection:
            rows = connection.execute(asked.order_by(OUTBOX.c.signal, OUTBOX.c.webhook).limit(limit)).mappings()
            return [DeadLetter(**row) for row in rows]

    def n_dead(self) -> int:
        """How many deliveries were given up."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(OUTBOX).where(_dead(None))) or 0

    def retry_dead(self, now_us: int, *, webhook: int | None = None, signal: int | None = None) -> int:
        """Send dead letters once more, from their first attempt on; those to one webhook or of one signal if given.

        How many there are.
        """
        these = _dead(webhook)
        if signal is not None:
            these &= OUTBOX.c.signal == signal
        with self._database.writing() as connection:
            again = update(OUTBOX).where(these).values(state="pending", attempts=0, next_us=now_us)
            return connection.execute(again).rowcount

    def waiting(self) -> dict[int, tuple[int, int | None]]:
        """By webhook: how many deliveries wait, and since when the first that was tried is due again (or will be)."""
        again_us = func.min(OUTBOX.c.next_us).filter(OUTBOX.c.next_us > 0)
        pending = select(OUTBOX.c.webhook, func.count(), again_us).where(OUTBOX.c.state == "pending")
        with self._database.reading() as connection:
            rows = connection.execute(pending.group_by(OUTBOX.c.webhook)).all()
        return {webhook: (n, again_us) for webhook, n, again_us in rows}

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


def _dead(webhook: int | None) -> ColumnElement[bool]:
    dead = OUTBOX.c.state == "dead"
    return dead if webhook is None else dead & (OUTBOX.c.webhook == webhook)


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(**{**row, "kinds": tuple(msgspec.json.decode(row["kinds"]))})
