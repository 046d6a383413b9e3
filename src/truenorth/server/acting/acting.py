"""Decisions made, reacted to and approved: each in one transaction with what it reserves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np

from truenorth.action.accounts import Account, Whose, accounts_to_read, taken_by
from truenorth.action.choice import POLICY
from truenorth.action.deciding import decide
from truenorth.action.explanation import why_fallen
from truenorth.action.exploring import DOUBTED, EVENLY
from truenorth.action.holdout import is_held_out
from truenorth.action.inputs import Contacts, Inputs, decode_inputs, situations_of
from truenorth.action.permissions import Left, grants_of, hindrance, still_free
from truenorth.action.record import decode_decision, encode_decision
from truenorth.action.values import DO_NOTHING, Decision, EffectModel, Offer, Versions
from truenorth.server.acting.kept_effects import KeptEffects
from truenorth.server.acting.situations import (
    ContactConditions,
    Told,
    at_stake_cents,
    base_risk_of,
    contacts_of,
    context_of,
    longest_window_us,
)
from truenorth.server.receiving import Turned
from truenorth.spec.acting import Grant
from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey
from truenorth.spec.problems import did_you_mean
from truenorth.store.decisions import (
    Approval,
    DecisionRow,
    DecisionState,
    Origin,
    Reaction,
    ReactionKind,
    Reserve,
    Taking,
)
from truenorth.store.opening import Store
from truenorth.store.ports import Stored
from truenorth.store.rows import JourneyText, NewSignal

ID_BYTES = 12
EPISODE = re.compile(r"(.+)#[0-9]+", re.DOTALL)
MAX_NAMED = 60
"""Characters of a wrong name that are told."""
MOST_EVENTS = 1_000
"""Events of a case, and of a customer, in which the contact policy looks."""


class Risk(NamedTuple):
    """The chance that a case fails, and the version of the model that says so."""

    p_failed: float
    model: str


RiskOf = Callable[[str, str], Risk | None]
"""The newest risk of a case of a journey, None where no model says."""


class Knowing(NamedTuple):
    """What decisions know: effects of actions by journey, and risks of cases; None for what the store keeps."""

    effects_of: Callable[[str], EffectModel] | None = None
    risk_of: RiskOf | None = None


class Asker(NamedTuple):
    """Who is to act: a person, or a team whose queue is filled."""

    who: str
    roles: tuple[str, ...]
    levels: tuple[str, ...] = ()
    team: str | None = None


class Made(NamedTuple):
    """A decision as it was made, and what its asker may still spend."""

    decision: Decision
    left: tuple[Left, ...]


class Prepared(NamedTuple):
    """All that can be known of a case before the transaction; ``customers``: the ids of its customer.

    Whoever is in the transaction must not ask the store on another connection: those who wait for their turn may hold
    all of them.
    """

    text: JourneyText
    journey: Journey
    inputs: Inputs
    told: Told
    customers: tuple[str, ...]


@lru_cache(100)
def _parsed(text: str) -> Journey:
    return parse_journey(text)


@lru_cache(100)
def _contact(text: str) -> ContactConditions:
    return ContactConditions(_parsed(text))


class Acting:
    """Decides for whoever asks. Safe to use from any number of threads and processes."""

    def __init__(
        self,
        store: Store,
        *,
        now_us: Callable[[], int],
        new_id: Callable[[], str],
        ids_of: Callable[[str], Sequence[str]],
        outcomes_of: Callable[[str], Mapping[str, int]],
        knowing: Knowing,
    ) -> None:
        """``outcomes_of``: the cases of a journey by outcome."""
        self._store = store
        self._now_us = now_us
        self._new_id = new_id
        self._ids_of = ids_of
        self._outcomes_of = outcomes_of
        self._effects_of = knowing.effects_of or KeptEffects(store.effects)
        self._risk_of = knowing.risk_of or self._kept_risk

    def asker(self, person: str) -> Asker:
        """Somebody with all that they are now; nobody's roles for somebody who is not known."""
        member = self._store.staff.member(person)
        reached = self._store.staff.accreditations(person, at_us=self._now_us())
        return Asker(person, member.roles if member else (), tuple(one.level for one in reached))

    def must_know(self, person: str) -> None:
        """Turn away a name that is nobody's; where no people are kept, everybody is a stranger and may ask."""
        known = [one.id for one in self._store.staff.members()]
        if known and person not in known:
            hint = did_you_mean(person, known) or "see /api/v1/staff, or 'truenorth authority list'"
            raise Turned(404, "unknown_person", f"there is no such person: '{person[:MAX_NAMED]}'; {hint}")

    def decide(self, journey: str, case: str, asker: Asker, origin: Origin = "asked") -> Made:
        """What to do for a case, reserved for its asker."""
        prepared = self._prepare(journey, case, asker)
        with self._store.decisions.taking(prepared.inputs.context.at_us, tells=origin == "proposed") as taking:
            made, _ = self._take(taking, prepared, asker, origin)
            if origin == "proposed" and made.decision.chosen != DO_NOTHING:
                taking.tell(journey, [_signal("proposed", made.decision, team=asker.team)])
        return made

    def react(
        self,
        id: str,  # noqa: A002  # the column's name
        who: str,
        kind: ReactionKind,
        *,
        action: str | None = None,
        reason: str | None = None,
        cost_cents: int | None = None,
    ) -> DecisionRow:
        """Note what somebody does about a decision; the decision that holds from now on (a changed one is another)."""
        with self._store.database.one_look():
            row, asker = self._known(id), self.asker(who)
        other = self._prepare(row.journey, row.case, asker, only=action) if kind == "changed" else None
        with self._store.decisions.taking(self._now_us()) as taking:
            row = self._may_react(taking, id, kind)
            reaction = self._reaction(row, who, kind, action, reason, cost_cents)
            taking.react(reaction, kind)
            if kind == "done":
                taking.settle(id, _settled(row, cost_cents))
            if other is not None:
                made, added = self._take(taking, other, asker, "changed")
                self._must_be(made.decision, action)
                taking.react(self._reaction(added, who, "accepted", action, reason, None), "accepted")
                id = made.decision.id  # noqa: A001
        return self._known(id)

    def ask_approval(self, id: str, action: str, who: str) -> Approval:  # noqa: A002  # the column's name
        """Request an action that fell because it is beyond the asker's limits."""
        row = self._known(id)
        decision = decode_decision(row.record)
        fell = next((one.stage for one in decision.candidates if one.action == action), None)
        if fell not in {"authority", "budget"}:
            raise Turned(409, "no_approval_needed", "this action did not fall for want of authority or budget")
        authority = _parsed(self._live(row.journey).text).authority
        is_large = authority.four_eyes_cents is not None and amount_of(decision, action) > authority.four_eyes_cents
        with self._store.decisions.taking(self._now_us(), tells=True) as taking:
            row = self._may_react(taking, id, "escalated")
            taking.react(self._reaction(row, who, "escalated", action, None, None), "escalated")
            until_us = self._now_us() + authority.approval_us
            asked = taking.ask_approval(row, action, who, until_us, 2 if is_large else 1)
            taking.tell(row.journey, [_signal("approval", decision, approval=asked.number, action=action)])
        return asked

    def used_today(self, journey: str, who: str, grants: Sequence[Grant]) -> dict[str, int]:
        """What somebody has used of their limits over a day, by the account's name."""
        now_us = self._now_us()
        whose = Whose(journey=journey, case="", customer=None, who=who, at_us=now_us)
        keys = {whose.key(one): one.name for one in accounts_to_read((), grants) if one.over == "day"}
        with self._store.decisions.taking(now_us) as taking:
            return {keys[key]: amount for key, amount in taking.used(list(keys)).items()}

    def answer_approval(self, number: int, who: str, *, granted: bool, reason: str | None) -> Approval:
        """Grant or refuse a request; the last one who is needed takes the action, within their own limits."""
        asked = self._waiting(number, who)
        row = self._known(asked.decision)
        journey = _parsed(self._live(row.journey).text)
        asker = self.asker(who)
        if not self._has_authority(journey, asker, _offer(decode_decision(row.record), asked.action)):
            raise Turned(403, "no_authority", "expected somebody who may take this action by themselves")
        prepared = self._prepare(row.journey, row.case, asker, only=asked.action)
        with self._store.decisions.taking(self._now_us(), tells=True) as taking:
            asked = _still_waiting(taking.approval(number), who, self._now_us())
            asked = _answered(asked, who, self._now_us(), granted=granted, reason=reason)
            if asked.state == "granted":
                made, added = self._take(taking, prepared, asker, "approved")
                self._must_be(made.decision, asked.action)
                taking.react(self._reaction(added, who, "accepted", asked.action, reason, None), "accepted")
                asked = msgspec.structs.replace(asked, became=made.decision.id)
            taking.answer(asked)
            told = decode_decision(row.record)
            taking.tell(row.journey, [_signal("approval", told, approval=number, state=asked.state)])
        return asked

    def _has_authority(self, journey: Journey, asker: Asker, offer: Offer) -> bool:
        grants = grants_of(journey.authority, asker.roles, asker.levels)
        found = hindrance(offer, grants, {}, "")
        return found is None

    def _waiting(self, number: int, who: str) -> Approval:
        with self._store.decisions.taking(self._now_us()) as taking:
            return _still_waiting(taking.approval(number), who, self._now_us())

    def _must_be(self, decision: Decision, action: str | None) -> None:
        if decision.chosen != action:
            fell = next((one for one in decision.candidates if one.action == action), None)
            why = f"{fell.stage}: {why_fallen(fell.words)}" if fell else "the journey has no such action"
            raise Turned(409, "not_possible", f"this action cannot be taken now; {why}")

    def _known(self, id: str) -> DecisionRow:  # noqa: A002  # the column's name
        row = self._store.decisions.find(id)
        if row is None:
            raise Turned(404, "unknown_decision", "there is no decision of this id")
        return row

    def _may_react(self, taking: Taking, id: str, kind: ReactionKind) -> DecisionRow:  # noqa: A002
        row = taking.find(id)
        assert row is not None
        allowed = _ALLOWED[kind]
        if row.state not in allowed:
            raise Turned(409, "too_late", f"a decision that is {row.state} cannot be {kind}")
        if row.expires_us is not None and row.expires_us <= self._now_us():
            raise Turned(409, "expired", "the proposal has expired, what it held is free again; decide once more")
        return row

    def _reaction(
        self,
        row: DecisionRow,
        who: str,
        kind: ReactionKind,
        action: str | None,
        reason: str | None,
        cost_cents: int | None,
    ) -> Reaction:
        now_us = self._now_us()
        after_us = max(now_us - row.at_us, 0)
        return Reaction(
            decision=row.id, at_us=now_us, who=who, kind=kind, action=action, reason=reason, cost_cents=cost_cents,
            after_us=after_us,
        )  # fmt: skip

    def _live(self, journey: str) -> JourneyText:
        text = self._store.journeys.newest_live(journey)
        if text is None:
            raise Turned(404, "unknown_journey", "there is no live journey of this name; see /api/v1/journeys")
        return text

    def _kept_risk(self, journey: str, case: str) -> Risk | None:
        """What the live model of a journey says of a case."""
        kept = self._store.risks.of_case(journey, case)
        return Risk(kept.p_failed, kept.model) if kept else None

    def _prepare(self, name: str, case: str, asker: Asker, only: str | None = None) -> Prepared:
        with self._store.database.one_look():
            text = self._live(name)
            found = self._store.results.case(name, case)
            if found is None:
                raise Turned(404, "unknown_case", "there is no such case in this journey")
            risk, known = self._risk_of(name, case), self._effects_of(name)
        journey, base, (row, promises) = _parsed(text.text), base_risk_of(self._outcomes_of(name)), found
        p_failed = risk.p_failed if risk else None
        context = context_of(name, row, promises, at_us=self._now_us(), risk=p_failed, base_risk=base)
        id = self._new_id()  # noqa: A001  # the column's name
        drawn = np.random.default_rng(int(id, 16))
        uniforms = drawn.uniform(1e-9, 1 - 1e-9, len(journey.actions))
        policy = "a person" if only else f"{POLICY} {known.version}"
        inputs = Inputs(
            id=id,
            context=context,
            asker=asker.who,
            currency=journey.currency,
            actions=tuple(action.offer for action in journey.actions),
            situations=situations_of(journey.actions),
            effects=known.effects(context, journey.actions),
            draws=known.draw(context, journey.actions, uniforms),
            at_stake_cents=at_stake_cents(journey),
            frequencies=journey.contact.at_most,
            grants=grants_of(journey.authority, asker.roles, asker.levels),
            budget_cents=journey.budget_cents,
            is_held_out=is_held_out(name, case, journey.holdout),
            only=only,
            explore=journey.explore,
            evenly=EVENLY if journey.explore else 0.0,
            doubted=DOUBTED if journey.explore else 0.0,
            coin=float(drawn.random()),
            versions=Versions(risk.model if risk else None, policy, text.version),
        )
        customers = () if row.customer is None else tuple(self._ids_of(row.customer))
        return Prepared(text, journey, inputs, self._told(text, row.case, customers, row.opened_us), customers)

    def _told(self, text: JourneyText, case: str, customers: Sequence[str], opened_us: int) -> Told:
        conditions = _contact(text.text)
        of_case: Sequence[Stored] = ()
        of_customer: Sequence[Stored] = ()
        if conditions.asks_case:
            of_case = list(self._store.events.at(self._positions(text.name, case, opened_us)))
        if customers and conditions.asks_customer:
            events = self._store.events.of_customers(customers)
            of_customer = sorted(events, key=lambda one: (one.event.time_us, one.position))
        return conditions.told_by(of_case, of_customer)

    def _positions(self, journey: str, case: str, since_us: int) -> list[int]:
        """Where the log has the events of a case: of ``key#2`` those of ``key``, unless a key itself is called so."""
        episode = EPISODE.fullmatch(case)
        for key in (*((episode[1],) if episode else ()), case):
            events_of_key = self._store.pages.events_of_key
            found = events_of_key(journey, key, since_us=since_us, until_us=None, limit=MOST_EVENTS)
            if found:
                return found
        return []

    def _take(self, taking: Taking, prepared: Prepared, asker: Asker, origin: Origin) -> tuple[Made, DecisionRow]:
        inputs, used = self._in_transaction(taking, prepared)
        decision = decide(inputs)
        action = next((one for one in inputs.actions if one.name == decision.chosen), None)
        reserves = _reserves(inputs, action) if action else ()
        row = _row(decision, action, asker, origin)
        taking.add(row, reserves)
        for account, amount in taken_by(action) if action else ():
            used[account.name] = used.get(account.name, 0) + amount
        return Made(decision, tuple(still_free(inputs.grants, used))), row

    def _in_transaction(self, taking: Taking, prepared: Prepared) -> tuple[Inputs, dict[str, int]]:
        """The inputs with what only a transaction can say: what is used, what is under way, what is stopped."""
        inputs, journey = prepared.inputs, prepared.journey
        context, whose = inputs.context, _whose(inputs)
        keys = {whose.key(one): one.name for one in accounts_to_read(inputs.actions, inputs.grants)}
        used = {keys[key]: amount for key, amount in taking.used(list(keys)).items()}
        since_us = context.at_us - longest_window_us(journey)
        had = taking.contacts(prepared.customers, since_us)
        contacts: Contacts = contacts_of(journey, prepared.told, had, context.at_us)
        changes: dict[str, Any] = {
            "used": used,
            "contacts": contacts,
            "stopped": tuple(taking.stopped(journey.name)),
            "under_way": tuple(taking.under_way(journey.name, context.case)),
        }
        return msgspec.structs.replace(inputs, **changes), dict(used)


_ALLOWED: Mapping[ReactionKind, tuple[DecisionState, ...]] = {
    "accepted": ("proposed",),
    "changed": ("proposed", "nothing"),
    "declined": ("proposed", "accepted"),
    "escalated": ("proposed", "nothing"),
    "done": ("accepted",),
}
"""The states of a decision in which it can be reacted to so."""


def _whose(inputs: Inputs) -> Whose:
    context = inputs.context
    return Whose(
        journey=context.journey, case=context.case, customer=context.customer, who=inputs.asker, at_us=context.at_us
    )


def _reserves(inputs: Inputs, offer: Offer) -> list[Reserve]:
    whose = _whose(inputs)
    summed: dict[Account, int] = {}
    for account, amount in taken_by(offer):
        summed[account] = summed.get(account, 0) + amount
    return [Reserve(whose.key(account), account.over, amount) for account, amount in summed.items()]


def _settled(row: DecisionRow, cost_cents: int | None) -> list[Reserve]:
    """What a decision that was carried out has really taken: the actual cost in the place of the expected one."""
    decision = decode_decision(row.record)
    offer = _offer(decision, decision.chosen)
    if cost_cents is not None:
        needs = tuple(
            need if need.amount_cents is None else msgspec.structs.replace(need, amount_cents=cost_cents)
            for need in offer.needs
        )
        offer = msgspec.structs.replace(offer, cost_cents=cost_cents, needs=needs)
    return _reserves(decode_inputs(decision.inputs), offer)


def amount_of(decision: Decision, action: str) -> int:
    """How much an action takes, in cents: its cost, or the largest of the amounts that it needs a permission for."""
    offer = _offer(decision, action)
    return max([offer.cost_cents, *(need.amount_cents or 0 for need in offer.needs)])


def _offer(decision: Decision, action: str) -> Offer:
    return next(one for one in decode_inputs(decision.inputs).actions if one.name == action)


def _row(decision: Decision, action: Offer | None, asker: Asker, origin: Origin) -> DecisionRow:
    chosen = decision.candidate(decision.chosen)
    return DecisionRow(
        id=decision.id,
        journey=decision.journey,
        case=decision.case,
        customer=decision.customer,
        asker=asker.who,
        team=asker.team,
        origin=origin,
        at_us=decision.at_us,
        chosen=decision.chosen,
        taken=action.name if action else None,
        channel=action.channel if action else None,
        state="proposed" if action else "nothing",
        expires_us=decision.expires_us,
        propensity=decision.propensity,
        holdout=int(decision.holdout),
        value_cents=chosen.value_cents,
        cost_cents=chosen.parts.cost_cents,
        record=encode_decision(decision),
    )


def _still_waiting(asked: Approval | None, who: str, now_us: int) -> Approval:
    if asked is None:
        raise Turned(404, "unknown_approval", "there is no request of this number")
    if asked.state != "waiting":
        raise Turned(409, "too_late", f"this request is {asked.state} already")
    if asked.expires_us <= now_us:
        raise Turned(409, "expired", "the request has expired; decide once more")
    if who == asked.asked_by or any(one["who"] == who for one in msgspec.json.decode(asked.answers)):
        raise Turned(403, "other_eyes", "expected somebody who has not asked and not answered yet")
    return asked


def _answered(asked: Approval, who: str, now_us: int, *, granted: bool, reason: str | None) -> Approval:
    answers = [*msgspec.json.decode(asked.answers), {"who": who, "granted": granted, "at_us": now_us, "reason": reason}]
    enough = sum(one["granted"] for one in answers) >= asked.n_needed
    state = "refused" if not granted else "granted" if enough else "waiting"
    return msgspec.structs.replace(asked, state=state, answers=msgspec.json.encode(answers).decode())


def _signal(kind: str, decision: Decision, **more: Any) -> NewSignal:
    body = {"decision": decision.id, "chosen": decision.chosen, "asker": decision.asker, **more}
    return NewSignal(
        kind=kind,
        time_us=decision.at_us,
        case=decision.case,
        customer=decision.customer,
        body=msgspec.json.encode(body),
    )
