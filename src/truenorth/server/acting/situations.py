"""A case as the store has it, as what decisions look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec
import polars as pl

from truenorth.action.inputs import Contacts
from truenorth.action.values import Context, Verdict
from truenorth.engine.compile import kinds_of
from truenorth.engine.marks import Translation
from truenorth.server.columns import Columns, Records, Sight, records
from truenorth.spec.conditions import bind, define_flags, expand_flags
from truenorth.spec.durations import UNITS_US
from truenorth.spec.expressions import Condition
from truenorth.spec.model import Decision, Journey
from truenorth.spec.openings import open_intervals
from truenorth.store.decisions import Contact
from truenorth.store.ports import Stored
from truenorth.store.rows import CaseRow, PromiseRow

AHEAD_US = 14 * 24 * UNITS_US["h"]
"""How far one looks for the next hour in which customers may be reached."""
MOST_SCHEMAS = 100
"""Forms of events whose translation of a condition is kept."""
COUNTED = ("reopened", "events", "moments", "decisions", "internal", "handovers", "kept", "broken", "lapsed", "open")


def context_of(
    journey: str,
    row: CaseRow,
    promises: Sequence[PromiseRow],
    *,
    at_us: int,
    risk: float | None,
    base_risk: float | None,
) -> Context:
    """The case at an instant."""
    verdicts: dict[str, set[Verdict]] = {}
    for one in promises:
        verdicts.setdefault(one.promise, set()).add(one.verdict)
    measures = {name: float(getattr(row, name)) for name in COUNTED}
    measures |= {"cost": row.cost, "revenue": row.revenue, "resolved": float(row.resolved_us is not None)}
    measures["age_hours"] = (at_us - row.opened_us) / UNITS_US["h"]
    closed = {} if row.closed_us is None else {"closed": "yes"}
    return Context(
        journey=journey,
        case=row.case,
        customer=row.customer,
        at_us=at_us,
        risk=risk,
        base_risk=base_risk,
        measures=measures,
        marks={"outcome": row.outcome, **closed},
        promises={name: tuple(sorted(found)) for name, found in sorted(verdicts.items())},
    )


def base_risk_of(outcomes: Mapping[str, int]) -> float | None:
    """The share of decided cases that did not reach their outcome; None where none is decided.

    >>> base_risk_of({"achieved": 3, "failed": 1, "open": 9}), base_risk_of({"open": 9})
    (0.25, None)
    """
    lost = outcomes.get("failed", 0) + outcomes.get("abandoned", 0)
    decided = lost + outcomes.get("achieved", 0)
    return lost / decided if decided else None


def at_stake_cents(journey: Journey) -> int:
    """What reaching the outcome is worth against missing it.

    >>> from truenorth.spec.model import Outcome
    >>> at_stake_cents(Journey(name="a", outcome=Outcome(value={"achieved": 90, "failed": -240})))
    33000
    """
    value = journey.outcome.value
    lost = value.get("failed", value.get("abandoned", 0.0))
    return round(100 * (value.get("achieved", 0.0) - lost))


class Told(msgspec.Struct, frozen=True):
    """What a customer's events say about contacting them."""

    is_over: bool = False
    consent: bool | None = None


class _Finder:
    """Finds the events that satisfy a condition; one that cannot read what they hold is satisfied by none."""

    def __init__(self, journey: Journey, condition: Condition) -> None:
        self._tree = expand_flags(condition.tree, define_flags(journey.moments, journey.decisions))
        alone = Decision(when=Condition(condition.text, self._tree))
        self._columns = Columns(Journey(name=journey.name, fields=journey.fields, decisions=(alone,)))
        self._translated = lru_cache(MOST_SCHEMAS)(self._translate)

    def hits(self, some: Records) -> list[bool]:
        """Whether each of some events satisfies it."""
        if not some:
            return []
        frame = self._columns.frame(self._columns.look(Sight(), some), some)
        satisfied = self._translated(tuple(frame.schema.items()))
        if satisfied is None:
            return [False] * len(some)
        return list(frame.select_seq(pl.lit(True).alias("all"), satisfied.alias("hit"))["hit"])

    def _translate(self, columns: tuple[tuple[str, pl.DataType], ...]) -> pl.Expr | None:
        schema = pl.Schema(columns)
        tree, problems = bind(self._tree, kinds_of(schema))
        return None if problems else Translation(schema).truth(tree)


class ContactConditions:
    """The conditions of a journey's contact policy, made once. Safe to use from any number of threads."""

    def __init__(self, journey: Journey) -> None:
        policy = journey.contact
        self.asks_case = policy.never_after is not None
        """Whether the events of the case are looked at."""
        self.asks_customer = policy.consent is not None or policy.refusal is not None
        """Whether those of its customer are."""
        self._over, self._given, self._ended = (
            None if one is None else _Finder(journey, one)
            for one in (policy.never_after, policy.consent, policy.refusal)
        )

    def told_by(self, of_case: Sequence[Stored], of_customer: Sequence[Stored]) -> Told:
        """What the conditions find among the events of a case and of its customer, in order of time."""
        is_over = self._over is not None and any(self._over.hits(records(of_case, str)))
        consent = None if self._given is None else False
        some = records(of_customer, str)
        given, ended = ([False] * len(some) if one is None else one.hits(some) for one in (self._given, self._ended))
        for yes, no in zip(given, ended, strict=True):
            consent = False if no else True if yes else consent
        return Told(is_over, consent)


def longest_window_us(journey: Journey) -> int:
    """How far back contacts count: the longest window and cooldown of a journey."""
    windows = [one.window_us for one in journey.contact.at_most]
    return max([0, *windows, *(action.cooldown_us or 0 for action in journey.actions)])


def contacts_of(journey: Journey, told: Told, had: Sequence[Contact], at_us: int) -> Contacts:
    """What the contact policy looks at. ``had``: what the customer got in `longest_window_us`."""
    counts = tuple(
        sum(
            one.channel is not None
            and one.channel == (frequency.channel or one.channel)
            and one.at_us > at_us - frequency.window_us
            for one in had
        )
        for frequency in journey.contact.at_most
    )
    last_us: dict[str, int] = {}
    for one in sorted(had, key=lambda contact: contact.at_us):
        last_us[one.action] = one.at_us
    is_open, opens_us = _hours(journey, at_us)
    return Contacts(
        counts=counts, last_us=last_us, is_open=is_open, opens_us=opens_us, is_over=told.is_over, consent=told.consent
    )


def _hours(journey: Journey, at_us: int) -> tuple[bool, int | None]:
    """Whether customers may be reached now; if not, from when on."""
    name = journey.contact.calendar
    if name is None:
        return True, None
    ahead = open_intervals(journey.calendars[name], at_us, at_us + AHEAD_US)
    if ahead and ahead[0][0] == at_us:
        return True, None
    return False, ahead[0][0] if ahead else None
