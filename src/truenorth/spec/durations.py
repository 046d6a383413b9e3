"""Durations: the language's own form (``1d12h``) to microseconds and back, and a form for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from truenorth.spec.problems import Problem, TruenorthError

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US

UNITS_US: Mapping[str, int] = {
    "w": 7 * DAY_US,
    "d": DAY_US,
    "h": HOUR_US,
    "m": 60 * SECOND_US,
    "s": SECOND_US,
}
"""The units of the language, longest first, in microseconds."""

MAX_DURATION_US = 36_525 * DAY_US
"""The longest duration: 100 years of 365.25 days."""

DURATION_FORM = "a duration such as '90s', '15m', '4h', '3d', '2w' or '1d12h'"

_PART = re.compile(r"([0-9]+)([wdhms])")
_MAX_CHARACTERS = 40
_PEOPLE = (("d", DAY_US), ("h", HOUR_US), ("min", UNITS_US["m"]), ("s", SECOND_US))


def parse_duration(text: str) -> int:
    """Microseconds of a duration as a journey file writes it; ValueError says what is wrong with it.

    Whole numbers, each with a unit; each unit at most once, in any order; more than nothing, at most 100 years.

    >>> parse_duration("1d12h") == 36 * 3_600_000_000
    True
    >>> parse_duration("2 dayz")
    Traceback (most recent call last):
    ValueError: write whole numbers with the units w, d, h, m and s, without spaces
    """
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"a duration has at most {_MAX_CHARACTERS} characters")
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(_explain(text))
    units = [unit for _, unit in parts]
    twice = next((unit for unit in units if units.count(unit) > 1), None)
    if twice:
        raise ValueError(f"the unit '{twice}' comes more than once; add the numbers up")
    total = sum(int(number) * UNITS_US[unit] for (number, _), unit in zip(parts, units, strict=True))
    if total == 0:
        raise ValueError("a duration must be longer than nothing")
    if total > MAX_DURATION_US:
        raise ValueError("a duration is at most 100 years (5217w)")
    return total


def duration_of_option(option: str, text: str) -> int:
    """Microseconds of a duration that an option of the command line gives; `TruenorthError` names the option.

    >>> duration_of_option("--lateness", "5s")
    5000000
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise TruenorthError(
            [Problem(path=option, expected=DURATION_FORM, found=repr(text), hint=str(error))]
        ) from None


def _explain(text: str) -> str:
    if not text.strip():
        return "write a number with a unit, such as 4h"
    if text.strip().isascii() and text.strip().isdigit():
        return f"give the unit: {text.strip()}h or {text.strip()}d?"
    if text.strip().startswith("-"):
        return "a duration must be longer than nothing"
    if text != text.lower():
        return "write the units w, d, h, m and s in lower case"
    if re.fullmatch(r"[0-9]*[.,][0-9]+[wdhms]", text.strip()):
        return "write whole numbers in a smaller unit: 1h30m, not 1.5h"
    if re.search(r"[0-9] *(mo|y)", text):
        return "months and years differ in length; write days or weeks"
    return "write whole numbers with the units w, d, h, m and s, without spaces"


def write_duration(duration_us: int) -> str:
    """The language's own form, in whole seconds; parsing it gives the same duration back.

    >>> write_duration(36 * 3_600_000_000)
    '1d12h'
    >>> write_duration(14 * 86_400_000_000)
    '2w'
    """
    if duration_us % (7 * DAY_US) == 0 and duration_us:
        return f"{duration_us // (7 * DAY_US)}w"
    rest, parts = duration_us, []
    for unit, unit_us in list(UNITS_US.items())[1:]:
        number, rest = divmod(rest, unit_us)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def format_duration(duration_us: int) -> str:
    """A duration for people: at most two units, rounded to the smaller one; seconds with a tenth below ten.

    >>> [format_duration(s * 1_000_000) for s in (11_520, 187_200, 45)]
    ['3 h 12 min', '2 d 4 h', '45 s']
    >>> format_duration(500_000), format_duration(0), format_duration(-90_000_000)
    ('0.5 s', '0 s', '-1 min 30 s')
    """
    if duration_us < 0:
        return f"-{format_duration(-duration_us)}"
    if 0 < duration_us < 50_000:
        return "< 0.1 s"
    if duration_us < 9_950_000:
        return f"{round(duration_us / SECOND_US, 1):g} s"
    if duration_us < 59_500_000:
        return f"{_rounded(duration_us, SECOND_US)} s"
    for (big, big_us), (small, small_us) in pairwise(_PEOPLE):
        n_small = _rounded(duration_us, small_us)
        ratio = big_us // small_us
        if n_small >= ratio:
            n_big, n_left = divmod(n_small, ratio)
            return f"{n_big} {big} {n_left} {small}" if n_left else f"{n_big} {big}"
    return f"{_rounded(duration_us, SECOND_US)} s"


def _rounded(duration_us: int, unit_us: int) -> int:
    return (duration_us + unit_us // 2) // unit_us
