"""What a journey file says about acting: actions, who may take them, how often a customer may be reached; as values.

Money is in cents, durations in microseconds, days are those of UTC. `truenorth.spec.actions` and
`truenorth.spec.authority` read these values from a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from truenorth.spec.durations import DAY_US, UNITS_US
from truenorth.spec.expressions import Condition
from truenorth.spec.wording import name_in_words

Per = Literal["action", "case", "customer", "day"]
"""Over what a limit is counted: each time, a case, a customer, or a person's day."""

Unit = Literal["money", "times"]

PRIOR_STRENGTH = 10.0
"""How many cases a belief weighs as much as, where the file does not say."""

LEAST_DOUBT = 0.05
"""A belief nearer to 0 or 1 is held as loosely as one here: nobody knows for certain before there are data."""

EXPLORE = 0.02
"""The share of decisions in which something is tried, where the file does not say."""

EXPIRES_US = DAY_US
"""How long a proposal holds what it reserved, where the file does not say."""

APPROVAL_US = UNITS_US["h"]
"""How long a request for approval waits, where the file does not say."""


class Prior(msgspec.Struct, frozen=True):
    """A belief before data: the share of failing cases that an action turns, as a beta distribution.

    ``recovers`` is its mean, in [0, 1]; ``strength`` the number of cases that it weighs as much as.
    """

    recovers: float = 0.0
    strength: float = PRIOR_STRENGTH

    @property
    def sd(self) -> float:
        """The standard deviation of the share; of a belief near 0 or 1 that of one `LEAST_DOUBT` away from it.

        >>> round(Prior(0.25, 10.0).sd, 4), round(Prior(0.0, 10.0).sd, 4)
        (0.1306, 0.0657)
        """
        mean = min(max(self.recovers, LEAST_DOUBT), 1 - LEAST_DOUBT)
        return math.sqrt(mean * (1 - mean) / (self.strength + 1))


class Need(msgspec.Struct, frozen=True):
    """A permission that an action asks for; with an amount where it spends one."""

    permission: str
    amount_cents: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be done for a case, and on which terms.

    ``cost_cents`` and ``revenue_cents`` are expected each time. ``capacity`` is a number of times a day,
    ``cooldown_us`` counts between two of the same customer. ``channel`` reaches the customer; an action without one is
    not felt as a contact. ``exempt`` actions are the customer's by right: no holdout keeps them back. ``expires_us``:
    how long a proposal of it holds.
    """

    name: str
    title: str = ""
    cost_cents: int = 0
    revenue_cents: int = 0
    needs: tuple[Need, ...] = ()
    prior: Prior = Prior()
    cooldown_us: int | None = None
    capacity: int | None = None
    channel: str | None = None
    exempt: Literal["legal", "safety"] | None = None
    expires_us: int = EXPIRES_US

    @property
    def words(self) -> str:
        """What to call it when speaking to people.

        >>> Offer(name="call_back_now").words
        'call back now'
        """
        return self.title or name_in_words(self.name)


class Action(Offer, frozen=True, kw_only=True):
    """An offer with the situations in which it may help; always, where there is no ``when``."""

    when: Condition | None = None

    @property
    def offer(self) -> Offer:
        """The offer alone.

        >>> Action(name="call").offer == Offer(name="call")
        True
        """
        return Offer(**{name: getattr(self, name) for name in Offer.__struct_fields__})


class Limit(msgspec.Struct, frozen=True):
    """At most an amount (cents, or a number of times) over something."""

    amount: int
    unit: Unit
    per: Per


class Grant(msgspec.Struct, frozen=True):
    """A permission, within all of its limits; without limits where there are none."""

    permission: str
    limits: tuple[Limit, ...] = ()


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """What roles and accreditations may do. Who has several may what any one of them allows.

    A request beyond a limit waits ``approval_us``; one of more than ``four_eyes_cents`` needs two who approve.
    """

    roles: Mapping[str, tuple[Grant, ...]] = {}
    accredited: Mapping[str, tuple[Grant, ...]] = {}
    approval_us: int = APPROVAL_US
    four_eyes_cents: int | None = None

    @property
    def permissions(self) -> frozenset[str]:
        """Every permission that somebody has.

        >>> sorted(Authority(roles={"agent": (Grant("call_back"),)}).permissions)
        ['call_back']
        """
        return frozenset(
            grant.permission for grants in (*self.roles.values(), *self.accredited.values()) for grant in grants
        )


class Frequency(msgspec.Struct, frozen=True):
    """At most so many contacts of a customer in any stretch of time; through one channel, or in all."""

    n: int
    window_us: int
    channel: str | None = None


class ContactPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a customer is left alone.

    ``at_most``: how often; ``calendar``: the name of the hours in which customers may be reached; ``never_after``: no
    contact once the case has such an event. ``consent`` and ``refusal``: events that allow contact, and that end it;
    the last one counts, and with ``consent`` a customer without any is not contacted.
    """

    at_most: tuple[Frequency, ...] = ()
    calendar: str | None = None
    never_after: Condition | None = None
    consent: Condition | None = None
    refusal: Condition | None = None
