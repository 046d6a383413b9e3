"""Numbers and instants as their reader writes them: by the browser's language, in the browser's time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError, dates, numbers

from truenorth.figures.theme import Theme
from truenorth.spec.counted import MINUS, priced
from truenorth.spec.instants import instant_at

NOTHING = "–"  # noqa: RUF001  a dash stands for no value
ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")
"""A number that other languages write otherwise."""
SHORT_S = 10.0
MOST_LANGUAGES = 10
"""Languages of a browser that are looked at."""


class Writing(NamedTuple):
    """How a reader writes numbers and instants, and whether they read on dark."""

    locale: Locale = Locale("en")
    zone: ZoneInfo = ZoneInfo("UTC")
    theme: Theme = "light"

    def number(self, value: float | None, decimals: int = 0, *, is_change: bool = False) -> str:
        """A number with its thousands apart; what is written as zero has no sign, a change has one always else.

        >>> Writing(Locale("de")).number(1234.5, 1), Writing().number(-0.01, 1), Writing().number(2, is_change=True)
        ('1.234,5', '0.0', '+2')
        """
        if value is None:
            return NOTHING
        places = f".{'0' * decimals}" if decimals else ""
        rounded = round(value, decimals) + 0
        plus = "+" if is_change and rounded > 0 else ""
        pattern = _pattern(f"#,##0{places}")
        return plus + numbers.format_decimal(rounded, pattern, self.locale).replace("-", MINUS)

    def restated(self, text: str) -> str:
        """The numbers of a text that was written in English, as the reader writes them.

        >>> Writing(Locale("de")).restated("EUR 12,346 in 2.5 h")
        'EUR 12.346 in 2,5 h'
        """
        return ENGLISH.sub(lambda found: self._again(found[0]), text)

    def _again(self, number: str) -> str:
        return self.number(float(number.replace(",", "")), len(number.partition(".")[2]))

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share in [0, 1] as a percentage; never 0 or 100 unless it is exactly that.

        In English with a space, as the sentences have it that stand beside.

        >>> Writing().percent(0.257, 1), Writing().percent(0.9996), Writing(Locale("tr")).percent(0.5)
        ('25.7\xa0%', '> 99\xa0%', '%50')
        """
        if share is None:
            return NOTHING
        step = 10.0 ** -(2 + decimals)
        if 0 < share < step / 2:
            return f"< {self.percent(step, decimals)}"
        if 1 - step / 2 < share < 1:
            return f"> {self.percent(1 - step, decimals)}"
        style = self.locale.percent_formats[None].pattern.replace(
            "#,##0", f"#,##0{'.' + '0' * decimals if decimals else ''}"
        )
        if self.locale.language == "en":
            style = style.replace("%", "\N{NO-BREAK SPACE}%")
        return numbers.format_percent(share, _pattern(style), self.locale).replace("-", MINUS)

    def money(self, amount: float | None, currency: str | None, decimals: int = 0, *, is_change: bool = False) -> str:
        r"""An amount in a currency; a plain number where there is none.

        >>> Writing().money(1234.5, "EUR"), Writing(Locale("de")).money(1234.5, "EUR", 2)
        ('EUR\xa01,234', 'EUR\xa01.234,50')
        """
        number = self.number(amount, decimals, is_change=is_change)
        return number if amount is None else priced(number, currency or "").replace(" ", "\N{NO-BREAK SPACE}")

    def instant(self, at: str | int | None) -> str:
        """An instant, as microseconds since 1970 UTC or as the API writes it, in the reader's zone.

        >>> Writing(Locale("en", "GB"), ZoneInfo("Europe/Rome")).instant("2026-01-05T09:30:00.000000Z")
        '5 Jan 2026, 10:30:00'
        """
        found = _moment(at)
        if found is None:
            return NOTHING if at is None else str(at)
        return dates.format_datetime(found, "medium", tzinfo=self.zone, locale=self.locale)

    def day(self, at: str | int | None) -> str:
        """The day of an instant in the reader's zone."""
        found = _moment(at)
        if found is None:
            return NOTHING if at is None else str(at)
        return dates.format_date(found.astimezone(self.zone), "medium", locale=self.locale)

    def period(self, name: str) -> str:
        """A year, a month or a day, named as ISO 8601 has it.

        >>> Writing(Locale("en", "GB")).period("2026-03"), Writing(Locale("de")).period("2026-03-09")
        ('March 2026', '09.03.2026')
        """
        found = _moment(f"{name}-01" if name.count("-") == 1 else name)
        if found is None:
            return name
        shape = "medium" if name.count("-") == 2 else "LLLL yyyy"
        return dates.format_date(found, shape, locale=self.locale)

    def span(self, seconds: float | None) -> str:
        """A length of time in its largest unit; a short one to a tenth of a second.

        >>> Writing().span(5400), Writing().span(0.25)
        ('2 hours', '0.2 s')
        """
        if seconds is None:
            return NOTHING
        if abs(seconds) < SHORT_S:
            return f"{self.number(seconds, 1)} s"
        return dates.format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=self.locale)


@cache
def _pattern(style: str) -> numbers.NumberPattern:
    """A pattern of Unicode's, such as ``#,##0.00``, read once."""
    return numbers.parse_pattern(style)


def writing_of(headers: Mapping[str, str], cookies: Mapping[str, str]) -> Writing:
    """How whoever sends a request writes; the page itself leaves zone and theme in cookies (`static/console.js`)."""
    theme: Theme = "dark" if cookies.get("truenorth_shade") == "dark" else "light"
    return Writing(_locale(headers.get("accept-language", "")), _zone(cookies.get("truenorth_zone", "")), theme)


def _locale(accepted: str) -> Locale:
    """The first language of a browser that numbers can be written in.

    >>> str(_locale("xx, de-CH;q=0.9, en;q=0.8"))
    'de_CH'
    """
    for part in accepted.split(",")[:MOST_LANGUAGES]:
        try:
            return Locale.parse(part.split(";")[0].strip(), sep="-")
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale("en")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name.replace("%2F", "/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(at: str | int | None) -> datetime | None:
    try:
        if isinstance(at, int):
            return instant_at(at)
        return None if at is None else datetime.fromisoformat(at)
    except (ValueError, OverflowError):
        return None  # a year that the calendar here has not
