"""Decisions and what they reserve: taken in one transaction, so that nothing is ever spent twice.

What is held until an instant counts until then and no longer: nobody has to release it. So a crash loses nothing and
leaves nothing locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, literal, or_, select, update

from truenorth.store.acting_tables import APPROVAL, DECISION, REACTION, RESERVATION, STOPPED
from truenorth.store.database import Database, Turn
from truenorth.store.results import write_signals
from truenorth.store.rows import NewSignal

DecisionState = Literal["nothing", "proposed", "accepted", "changed", "declined", "escalated", "done"]
"""``nothing``: nothing is to be done. A ``proposed`` one whose time is over has expired."""
Origin = Literal["asked", "proposed", "changed", "approved"]
ReactionKind = Literal["accepted", "changed", "declined", "escalated", "done"]
ApprovalState = Literal["waiting", "granted", "refused"]
LIVE: tuple[DecisionState, ...] = ("proposed", "accepted")
"""States in which an action is under way."""
SETTLED: tuple[DecisionState, ...] = ("nothing", "declined", "done")
"""States in which all is done about a case that was to be done, until something else happens to it."""
EVERYWHERE = "*"
"""The journey of a stop that holds for all of them."""


_HOLDS = or_(DECISION.c.expires_us.is_(None), DECISION.c.expires_us > bindparam("now_us"))
"""Whether a decision still holds what it took."""
_USED = (
    select(RESERVATION.c.account, func.sum(RESERVATION.c.amount))
    .where(
        RESERVATION.c.account.in_(bindparam("accounts", expanding=True)),
        or_(RESERVATION.c.until_us.is_(None), RESERVATION.c.until_us > bindparam("now_us")),
    )
    .group_by(RESERVATION.c.account)
)
_CONTACTS = select(DECISION.c.taken, DECISION.c.channel, DECISION.c.at_us).where(
    DECISION.c.customer.in_(bindparam("customers", expanding=True)),
    DECISION.c.at_us >= bindparam("since_us"),
    DECISION.c.taken.is_not(None),
    _HOLDS,
)
_UNDER_WAY = (
    select(DECISION.c.taken)
    .where(
        DECISION.c.journey == bindparam("journey"),
        DECISION.c.case == bindparam("case"),
        or_(*(DECISION.c.state == state for state in LIVE)),
        _HOLDS,
    )
    .order_by(DECISION.c.taken)
)
_STOPPED = (
    select(STOPPED.c.action)
    .where(or_(STOPPED.c.journey == bindparam("journey"), STOPPED.c.journey == EVERYWHERE))
    .order_by(STOPPED.c.action)
)
_THIS = select(DECISION).where(DECISION.c.id == bindparam("id"))
_ADD, _RESERVE, _REACT = insert(DECISION), insert(RESERVATION), insert(REACTION)
_OURS = RESERVATION.c.decision == bindparam("this")
_HOLD, _RELEASE = update(RESERVATION).where(_OURS).values(until_us=None), delete(RESERVATION).where(_OURS)
_CHANGE = update(DECISION).where(DECISION.c.id == bindparam("this"))
_REACTIONS = select(REACTION).order_by(REACTION.c.number).limit(bindparam("limit"))
_REACTIONS_TO = _REACTIONS.where(REACTION.c.decision.in_(bindparam("decisions", expanding=True)))


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it is kept. ``taken``: the action that it holds; ``record``: all of it (`action.record`)."""

    id: str
    journey: str
    case: str
    customer: str | None
    asker: str
    team: str | None
    origin: Origin
    at_us: int
    chosen: str
    taken: str | None
    channel: str | None
    state: DecisionState
    expires_us: int | None
    propensity: float
    holdout: int
    value_cents: int
    cost_cents: int
    actual_cents: int | None = None
    record: bytes

    def state_at(self, now_us: int) -> DecisionState | Literal["expired"]:
        """Its state at an instant: what nobody answered in time has expired."""
        is_over = self.state == "proposed" and self.expires_us is not None and self.expires_us <= now_us
        return "expired" if is_over else self.state


class Reserve(NamedTuple):
    """An amount that a decision takes from an account; ``over`` says what the account counts over."""

    account: str
    over: str
    amount: int


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did about a decision, ``after_us`` it was made."""

    number: int = 0
    decision: str
    at_us: int
    who: str
    kind: ReactionKind
    action: str | None = None
    reason: str | None = None
    cost_cents: int | None = None
    after_us: int


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A request to take an action that is beyond somebody's limits; ``became``: the decision that was made of it."""

    number: int
    decision: str
    action: str
    asked_by: str
    at_us: int
    expires_us: int
    n_needed: int
    state: ApprovalState
    answers: str
    became: str | None


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """An action that is switched off; ``*``: all actions, all journeys."""

    journey: str
    action: str
    since_us: int
    by: str
    reason: str


class Contact(NamedTuple):
    """An action that a customer got, or is to get."""

    action: str
    channel: str | None
    at_us: int


class Taking:
    """One transaction in which a decision is made; no other decision is made meanwhile."""

    def __init__(self, database: Database, connection: Connection, now_us: int) -> None:
        self._database = database
        self._connection = connection
        self._now_us = now_us

    def used(self, accounts: Sequence[str]) -> dict[str, int]:
        """What is taken of some accounts, by account; none where nothing is."""
        found = self._connection.execute(_USED, {"accounts": accounts, "now_us": self._now_us})
        return {account: int(amount) for account, amount in found}

    def contacts(self, customers: Sequence[str], since_us: int) -> list[Contact]:
        """What a customer, by any of their ids, got since an instant and what is on its way."""
        if not customers:
            return []
        asked = {"customers": customers, "since_us": since_us, "now_us": self._now_us}
        return [Contact(*row) for row in self._connection.execute(_CONTACTS, asked)]

    def under_way(self, journey: str, case: str) -> list[str]:
        """The actions that are proposed or accepted in a case and not done."""
        of_case = {"journey": journey, "case": case, "now_us": self._now_us}
        return list(self._connection.scalars(_UNDER_WAY, of_case))

    def stopped(self, journey: str) -> list[str]:
        """The actions of a journey that are switched off."""
        return list(self._connection.scalars(_STOPPED, {"journey": journey}))

    def add(self, row: DecisionRow, reserves: Sequence[Reserve]) -> None:
        """Keep a decision with what it takes, until it expires."""
        self._connection.execute(_ADD, msgspec.structs.asdict(row))
        if reserves:
            held = [{**one._asdict(), "decision": row.id, "until_us": row.expires_us} for one in reserves]
            self._connection.execute(_RESERVE, held)

    def find(self, id: str) -> DecisionRow | None:  # noqa: A002  # the column's name
        """A decision, as it is in this transaction."""
        return _decision(self._connection, id)

    def react(self, reaction: Reaction, state: DecisionState) -> None:
        """Note a reaction and what becomes of its decision: held for good, released, or settled at its cost."""
        values = {name: value for name, value in msgspec.structs.asdict(reaction).items() if name != "number"}
        self._connection.execute(_REACT, values)
        this = {"this": reaction.decision}
        changes: dict[str, object] = {"state": state}
        if state == "accepted":
            changes["expires_us"] = None
            self._connection.execute(_HOLD, this)
        elif state == "done":
            changes["actual_cents"] = reaction.cost_cents
        else:
            changes["taken"] = None
            self._connection.execute(_RELEASE, this)
        self._connection.execute(_CHANGE, {**this, **changes})

    def settle(self, decision: str, reserves: Sequence[Reserve]) -> None:
        """Put what a decision really took in the place of what it reserved."""
        self._connection.execute(_RELEASE, {"this": decision})
        if reserves:
            rows = [{**one._asdict(), "decision": decision, "until_us": None} for one in reserves]
            self._connection.execute(_RESERVE, rows)

    def ask_approval(self, row: DecisionRow, action: str, asked_by: str, expires_us: int, n_needed: int) -> Approval:
        """Request an action beyond somebody's limits."""
        values = {"decision": row.id, "action": action, "asked_by": asked_by, "at_us": self._now_us}
        values |= {"expires_us": expires_us, "n_needed": n_needed, "state": "waiting", "answers": "[]"}
        asked = insert(APPROVAL).values(values).returning(*APPROVAL.c)
        return Approval(**self._connection.execute(asked).mappings().one())

    def approval(self, number: int) -> Approval | None:
        """A request, as it is in this transaction."""
        found = self._connection.execute(select(APPROVAL).where(APPROVAL.c.number == number)).mappings().first()
        return Approval(**found) if found else None

    def answer(self, approval: Approval) -> None:
        """Keep a request as it is now."""
        values = {name: getattr(approval, name) for name in ("state", "answers", "became")}
        self._connection.execute(update(APPROVAL).where(APPROVAL.c.number == approval.number).values(values))

    def tell(self, journey: str, signals: Sequence[NewSignal]) -> None:
        """Give signals, together with the decision; only in a transaction that was begun to tell."""
        write_signals(self._database, self._connection, journey, signals)


class Decisions:
    """All decisions, what was done about them, requests for approval, and what is switched off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def taking(self, now_us: int, *, tells: bool = False) -> Iterator[Taking]:
        """A transaction in which decisions are made one at a time; ``tells``: signals are given in it."""
        turns = (Turn.RESULTS, Turn.DECISIONS) if tells else (Turn.DECISIONS,)
        with self._database.writing(*turns) as connection:
            yield Taking(self._database, connection, now_us)

    def find(self, id: str) -> DecisionRow | None:  # noqa: A002  # the column's name
        """A decision, or None."""
        with self._database.reading() as connection:
            return _decision(connection, id)

    def of_case(self, journey: str, case: str, *, limit: int = 100) -> Sequence[DecisionRow]:
        """The decisions about a case, newest first."""
        return self._read(and_(DECISION.c.journey == journey, DECISION.c.case == case), limit)

    def live(
        self, now_us: int, *, customers: Sequence[str] | None = None, limit: int = 10_000
    ) -> Sequence[DecisionRow]:
        """What is proposed or accepted and neither done nor expired, newest first; about some customers if given.

        Their records are left out (empty): they are read one at a time.
        """
        wanted = [DECISION.c.state.in_(LIVE), or_(DECISION.c.expires_us.is_(None), DECISION.c.expires_us > now_us)]
        if customers is not None:
            wanted.append(DECISION.c.customer.in_(customers))
        columns = [literal(b"").label("record") if one is DECISION.c.record else one for one in DECISION.c]
        asked = select(*columns).where(*wanted).order_by(DECISION.c.at_us.desc(), DECISION.c.id).limit(limit)
        with self._database.reading() as connection:
            return [DecisionRow(**row) for row in connection.execute(asked).mappings()]

    def settled(self, since_us: int, *, limit: int = 100_000) -> frozenset[tuple[str, str]]:
        """Journey and case of what was decided since an instant and needs nobody any more, of the newest so many."""
        columns = (DECISION.c.journey, DECISION.c.case)
        wanted = and_(DECISION.c.at_us >= since_us, DECISION.c.state.in_(SETTLED))
        asked = select(*columns).where(wanted).order_by(DECISION.c.at_us.desc()).limit(limit)
        with self._database.reading() as connection:
            return frozenset((row.journey, row.case) for row in connection.execute(asked))

    def since(
        self, at_us: int, *, until_us: int | None = None, journey: str | None = None, limit: int = 100_000
    ) -> Sequence[DecisionRow]:
        """Decisions since an instant, newest first; before another, and of one journey, if given."""
        wanted = [DECISION.c.at_us >= at_us]
        if until_us is not None:
            wanted.append(DECISION.c.at_us < until_us)
        if journey is not None:
            wanted.append(DECISION.c.journey == journey)
        return self._read(and_(*wanted), limit)

    def reactions(self, decisions: Sequence[str] | None = None, *, limit: int = 100_000) -> Sequence[Reaction]:
        """What was done about some decisions, or all, oldest first."""
        asked = _REACTIONS if decisions is None else _REACTIONS_TO
        with self._database.reading() as connection:
            rows = connection.execute(asked, {"decisions": decisions, "limit": limit}).mappings()
            return [Reaction(**row) for row in rows]

    def approvals(
        self, *, state: ApprovalState | None = None, limit: int = 1_000
    ) -> Sequence[tuple[Approval, DecisionRow]]:
        """Requests beyond limits, newest first, each with the decision that it is about."""
        asked = select(APPROVAL).order_by(APPROVAL.c.number.desc()).limit(limit)
        if state is not None:
            asked = asked.where(APPROVAL.c.state == state)
        with self._database.reading() as connection:
            found = [Approval(**row) for row in connection.execute(asked).mappings()]
            about = select(DECISION).where(DECISION.c.id.in_({one.decision for one in found}))
            rows = {row["id"]: DecisionRow(**row) for row in connection.execute(about).mappings()}
        return [(one, rows[one.decision]) for one in found]

    def stop(self, stopped: Stopped) -> None:
        """Switch an action off; decisions that are made from now on know it."""
        with self._database.writing(Turn.DECISIONS) as connection:
            values = msgspec.structs.asdict(stopped)
            new = self._database.insert(STOPPED).values(values)
            connection.execute(new.on_conflict_do_update(index_elements=["journey", "action"], set_=values))

    def resume(self, journey: str, action: str) -> bool:
        """Switch an action on again; false if it was not off."""
        this = and_(STOPPED.c.journey == journey, STOPPED.c.action == action)
        with self._database.writing(Turn.DECISIONS) as connection:
            return connection.execute(delete(STOPPED).where(this)).rowcount > 0

    def all_stopped(self) -> Sequence[Stopped]:
        """What is switched off."""
        asked = select(STOPPED).order_by(STOPPED.c.journey, STOPPED.c.action)
        with self._database.reading() as connection:
            return [Stopped(**row) for row in connection.execute(asked).mappings()]

    def _read(self, wanted: ColumnElement[bool], limit: int) -> Sequence[DecisionRow]:
        asked = select(DECISION).where(wanted).order_by(DECISION.c.at_us.desc(), DECISION.c.id).limit(limit)
        with self._database.reading() as connection:
            return [DecisionRow(**row) for row in connection.execute(asked).mappings()]


def _decision(connection: Connection, id: str) -> DecisionRow | None:  # noqa: A002  # the column's name
    row = connection.execute(_THIS, {"id": id}).mappings().first()
    return DecisionRow(**row) if row else None
