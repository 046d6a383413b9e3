"""Amounts as a journey file writes them: money in the journey's currency, numbers of times, each over something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from truenorth.spec.acting import Frequency, Limit, Per, Unit
from truenorth.spec.document import Element, Listing, Scalar
from truenorth.spec.durations import parse_duration
from truenorth.spec.readers import Reading

MAX_CENTS = 10**14
"""Largest amount of money: a million million."""

LIMIT_FORM = "a limit such as 20/case, 200/day, 50/action, 100/customer or '3 times/day'"

_MONEY = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,2})?")
_LIMIT = re.compile(r"([0-9]{1,13}(?:\.[0-9]{1,2})?)( times)?/(\w+)")
_PER: Mapping[str, Per] = {"action": "action", "case": "case", "customer": "customer", "day": "day"}


def read_money(reading: Reading, element: Element, path: str) -> int | None:
    """An amount of money, 0 or more, in cents."""
    text = element.text if isinstance(element, Scalar) and element.plain else ""
    if not _MONEY.fullmatch(text):
        hint = "no currency, no sign, at most two decimals"
        reading.report(path, element, "an amount of money such as 12 or 0.50", hint=hint)
        return None
    return _cents(text)


def read_a_day(reading: Reading, element: Element, path: str) -> int | None:
    """A whole number of times a day."""
    text = element.text if isinstance(element, Scalar) else ""
    found = re.fullmatch(r"([0-9]{1,9})/day", text)
    if not found:
        hint = f"write {text}/day" if text.isdecimal() else ""
        reading.report(path, element, "a number of times a day, such as 40/day", hint=hint)
        return None
    return int(found[1])


def read_money_a_day(reading: Reading, element: Element, path: str) -> int | None:
    """An amount of money a day, in cents."""
    amount, _, day = element.text.partition("/") if isinstance(element, Scalar) else ("", "", "")
    if not _MONEY.fullmatch(amount) or day != "day":
        hint = f"write {amount}/day" if _MONEY.fullmatch(amount) and not day else ""
        reading.report(path, element, "an amount of money a day, such as 2000/day", hint=hint)
        return None
    return _cents(amount)


def read_share(reading: Reading, element: Element, path: str) -> float | None:
    """A share, written in percent."""
    text = element.text if isinstance(element, Scalar) else ""
    found = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,4})?) ?%", text)
    if not found:
        hint = f"write {float(text) * 100:g}%" if re.fullmatch(r"0?\.[0-9]{1,4}", text) else "0% up to 99.9999%"
        reading.report(path, element, "a share such as 10%", hint=hint)
        return None
    return float(Decimal(found[1]) / 100)


def read_limits(reading: Reading, element: Element, path: str) -> tuple[Limit, ...] | None:
    """One limit or a list of them, all of which hold; `true` is none: without limit."""
    if isinstance(element, Scalar) and element.text == "true":
        return ()
    if not isinstance(element, Listing):
        limit = _limit(reading, element, path)
        return None if limit is None else (limit,)
    limits = [_limit(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
    if not limits:
        reading.report(path, element, LIMIT_FORM, hint="an empty list would be without limit; write true if it is")
    return tuple(one for one in limits if one is not None) if limits and None not in limits else None


def _limit(reading: Reading, element: Element, path: str) -> Limit | None:
    text = element.text if isinstance(element, Scalar) else ""
    found = _LIMIT.fullmatch(text)
    unit: Unit = "times" if found and found[2] else "money"
    if found and found[3] in _PER and not (unit == "times" and "." in found[1]):
        amount = int(found[1]) if unit == "times" else _cents(found[1])
        return Limit(amount, unit, _PER[found[3]])
    hint = "give what it is counted over: /action (each time), /case, /customer or /day"
    if text == "false":
        hint = "leave the permission out: what is not granted is not allowed"
    reading.report(path, element, f"{LIMIT_FORM}, or true where no amount is asked for", hint=hint)
    return None


def read_frequency(reading: Reading, element: Element, path: str, channel: str | None) -> Frequency | None:
    """So many times in a stretch of time."""
    n, _, window = element.text.partition("/") if isinstance(element, Scalar) else ("", "", "")
    hint = ""
    if re.fullmatch(r"[0-9]{1,6}", n):
        try:
            return Frequency(int(n), parse_duration(window), channel)
        except ValueError as error:
            hint = str(error)
    reading.report(path, element, "a number of contacts in a time, such as 3/7d", hint=hint)
    return None


def _cents(text: str) -> int:
    return min(int(Decimal(text) * 100), MAX_CENTS)
