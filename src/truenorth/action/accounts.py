"""Accounts: what is counted so that nothing is spent twice, and what a decision takes from each.

An account is named here without saying whose case or day it is: that is the decision's own. The store adds it
(`truenorth.store.decisions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from truenorth.spec.acting import Grant, Offer, Unit
from truenorth.spec.durations import DAY_US

Over = Literal["case", "customer", "day"]
OVER: tuple[Over, ...] = ("case", "customer", "day")

Used = Mapping[str, int]
"""What is taken already, by the account's name: cents, or a number of times."""


class Account(msgspec.Struct, frozen=True):
    """A count over a case, a customer or a day.

    ``kind``: what a person has spent of a permission, what is left of an action's capacity, or of the budget of all
    actions.
    """

    kind: Literal["person", "capacity", "budget"]
    of: str
    unit: Unit
    over: Over

    @property
    def name(self) -> str:
        """Its name.

        >>> Account("person", "goodwill", "money", "case").name
        'person/goodwill/money/case'
        """
        return f"{self.kind}/{self.of}/{self.unit}/{self.over}"


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose accounts a decision touches. Days are those of UTC."""

    journey: str
    case: str
    customer: str | None
    who: str
    at_us: int

    def key(self, account: Account) -> str:
        """The one account that is meant, as text.

        >>> Whose(journey="help", case="T1", customer="ann", who="anna", at_us=0).key(capacity_of("call"))
        '["capacity","call","times","day","help",0]'
        """
        over: list[str | int] = [self.at_us // DAY_US]
        if account.over != "day":
            is_known = account.over == "customer" and self.customer is not None
            over = ["", self.customer or ""] if is_known else [self.journey, self.case]
        whose = [self.who] if account.kind == "person" else [self.journey]
        return msgspec.json.encode([account.kind, account.of, account.unit, account.over, *whose, *over]).decode()


BUDGET = Account("budget", "", "money", "day")
"""What all actions of a journey may cost a day."""


def capacity_of(action: str) -> Account:
    """The account of an action's times a day.

    >>> capacity_of("call_back_now").name
    'capacity/call_back_now/times/day'
    """
    return Account("capacity", action, "times", "day")


def accounts_to_read(actions: Iterable[Offer], grants: Iterable[Grant]) -> list[Account]:
    """The accounts that decide about some actions for somebody with some grants, each once."""
    found = {BUDGET: None} | {capacity_of(action.name): None for action in actions}
    for grant in grants:
        for limit in grant.limits:
            if limit.per != "action":
                found[Account("person", grant.permission, limit.unit, limit.per)] = None
    return list(found)


def taken_by(action: Offer) -> Iterator[tuple[Account, int]]:
    """What an action takes from each account: whatever the limits are now, they may be others tomorrow."""
    if action.cost_cents:
        yield BUDGET, action.cost_cents
    yield capacity_of(action.name), 1
    for need in action.needs:
        for over in OVER:
            yield Account("person", need.permission, "times", over), 1
            if need.amount_cents:
                yield Account("person", need.permission, "money", over), need.amount_cents
