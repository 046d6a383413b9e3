"""Whether somebody may take an action now, and what they may still spend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from truenorth.action.accounts import Account, Used
from truenorth.spec.acting import Authority, Grant, Limit, Need, Offer, Unit
from truenorth.spec.counted import MINUS, priced

OVER_WORDS: Mapping[str, str] = {"action": "each time", "case": "a case", "customer": "a customer", "day": "a day"}


class Hindrance(msgspec.Struct, frozen=True):
    """Why somebody may not: they never might (``authority``), or what they may is used up (``budget``)."""

    stage: Literal["authority", "budget"]
    words: str


class Left(msgspec.Struct, frozen=True):
    """What is left of a limit: cents, or a number of times."""

    permission: str
    unit: Unit
    per: str
    amount: int
    left: int


def grants_of(authority: Authority, roles: Sequence[str], levels: Sequence[str]) -> tuple[Grant, ...]:
    """Everything that some roles and accreditations allow, those that the file does not know left out.

    >>> grants_of(Authority(roles={"agent": (Grant("call_back"),)}), ["agent", "stranger"], ["master"])
    (Grant(permission='call_back', limits=()),)
    """
    by_role = [grant for role in roles for grant in authority.roles.get(role, ())]
    return (*by_role, *(grant for level in levels for grant in authority.accredited.get(level, ())))


def hindrance(action: Offer, grants: Sequence[Grant], used: Used, currency: str) -> Hindrance | None:
    """What keeps somebody with some grants from an action; None where nothing does."""
    for need in action.needs:
        found = _of_need(need, [grant for grant in grants if grant.permission == need.permission], used, currency)
        if found is not None:
            return found
    return None


def _of_need(need: Need, grants: Sequence[Grant], used: Used, currency: str) -> Hindrance | None:
    if not grants:
        return Hindrance("authority", f"the permission '{need.permission}' is not theirs")
    failures = [_first_failure(need, grant, used, currency) for grant in grants]
    if None in failures:
        return None
    by_use = [failure for failure in failures if failure is not None and failure.stage == "budget"]
    return by_use[0] if by_use else failures[-1]


def _first_failure(need: Need, grant: Grant, used: Used, currency: str) -> Hindrance | None:
    """The first limit of a grant that a need does not fit into."""
    for limit in grant.limits:
        asked = _asked(need, limit)
        if asked > limit.amount:
            words = f"{amount_words(asked, limit.unit, currency)} is more than "
            return Hindrance("authority", words + f"the {limit_words(limit, currency)} that they may")
        left = _left(grant.permission, limit, used)
        if asked > left:
            words = f"{amount_words(left, limit.unit, currency)} is left of the {limit_words(limit, currency)}"
            return Hindrance("budget", f"{words} that they may, {amount_words(asked, limit.unit, currency)} is needed")
    return None


def still_free(grants: Sequence[Grant], used: Used) -> Iterator[Left]:
    """What is left of every limit of somebody's grants."""
    for grant in grants:
        for limit in grant.limits:
            left = _left(grant.permission, limit, used)
            yield Left(grant.permission, limit.unit, limit.per, limit.amount, max(left, 0))


def _asked(need: Need, limit: Limit) -> int:
    return 1 if limit.unit == "times" else need.amount_cents or 0


def _left(permission: str, limit: Limit, used: Used) -> int:
    if limit.per == "action":
        return limit.amount
    return limit.amount - used.get(Account("person", permission, limit.unit, limit.per).name, 0)


def limit_words(limit: Limit, currency: str) -> str:
    """A limit in words.

    >>> limit_words(Limit(2000, "money", "case"), "EUR"), limit_words(Limit(3, "times", "day"), "")
    ('EUR 20.00 a case', '3 times a day')
    """
    return f"{amount_words(limit.amount, limit.unit, currency)} {OVER_WORDS[limit.per]}"


def amount_words(amount: int, unit: Unit, currency: str) -> str:
    """An amount in words.

    >>> amount_words(2050, "money", "EUR"), amount_words(1, "times", "EUR")
    ('EUR 20.50', '1 time')
    """
    if unit == "times":
        return f"{amount:,} time{'s' * (amount != 1)}"
    return money(amount, currency)


def money(cents: int, currency: str = "") -> str:
    """Cents as money.

    >>> money(123456, "EUR"), money(5)
    ('EUR 1,234.56', '0.05')
    >>> money(-5) == f"{MINUS}0.05"
    True
    """
    whole, part = divmod(abs(cents), 100)
    return priced(f"{MINUS * (cents < 0)}{whole:,}.{part:02}", currency)
