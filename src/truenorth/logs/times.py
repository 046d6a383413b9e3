"""Instants: from what files hold (text of many formats, epoch numbers, dates) to microseconds in UTC.

One format family is inferred for a whole column from all of its rows. Everything is done column by column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product

import polars as pl

from truenorth.logs.log import INSTANT

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Instants outside [EARLIEST, LATEST) are mistakes; one of them would move the watermark."""

SAMPLE_ROWS = 1_000
PROBES = 12

_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f")
_DOTTED = ("%H.%M", "%H.%M.%S")
_TWELVE = ("%I:%M:%S %p", "%I:%M %p")
_ZONES = ("", "%#z", " UTC")


def _iso() -> tuple[str, ...]:
    formats = [
        f"%Y{dash}%m{dash}%d{join}{clock}{zone}" for dash, join, clock, zone in product("-/.", " T", _CLOCKS, _ZONES)
    ]
    compact = [f"%Y%m%dT%H%M%S{fraction}{zone}" for fraction, zone in product(("", "%.f"), _ZONES[:2])]
    return (*formats, *(f"%Y{dash}%m{dash}%d" for dash in "-/."), *compact)


def _local(order: str, dashes: str) -> tuple[str, ...]:
    dates = [dash.join(f"%{part}" for part in order.replace("Y", year)) for dash in dashes for year in "yY"]
    joins = (" ", ", ", ":")
    timed = product(dates, joins, (*_CLOCKS, *_TWELVE, *_DOTTED), _ZONES[:2])
    return (*(f"{date}{join}{clock}{zone}" for date, join, clock, zone in timed), *dates)


def _mail() -> tuple[str, ...]:
    days, clocks, zones = ("%a, ", ""), ("%H:%M:%S", "%H:%M"), (" %z", " GMT", " UTC")
    return tuple(f"{day}%d %b %Y {clock}{zone}" for day, clock, zone in product(days, clocks, zones))


def _named() -> tuple[str, ...]:
    dates, joins, clocks = ("%d-%B-%Y", "%d %B %Y", "%B %d, %Y"), (" ", ", "), (*_CLOCKS[:2], *_TWELVE)
    return (*(f"{date}{join}{clock}" for date, join, clock in product(dates, joins, clocks)), *dates)


FAMILIES: dict[str, tuple[str, ...]] = {
    "year first": _iso(),
    "day first": _local("dmY", "/.-"),
    "month first": _local("mdY", "/-"),
    "mail": _mail(),
    "month by name": _named(),
    "digits": ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d"),
}
"""Families of formats; the rows of a column may differ in format, but not in family."""

DIGITS = r"^(?:19|2[01])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?$"
"""Year, month, day and clock without anything between: a number that is no date hardly ever looks like this."""

LOOKS: dict[str, str] = {
    "year first": r"^\d{4}(?:[-/.]\d{1,2}[-/.]\d|\d{4}T\d)",
    "day first": r"^\d{1,2}[-/.]\d{1,2}[-/.]\d\d",
    "month first": r"^\d{1,2}[-/]\d{1,2}[-/]\d\d",
    "mail": r"^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} ",
    "month by name": r"^(?:\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})",
    "digits": DIGITS,
}
"""How a value of each family begins: a cheap look before anything is parsed."""

NO_YEAR_PROOF = "%y"
"""A date with a two-digit year and no clock might as well be a version number: never inferred for properties."""

SHAPES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"\d{1,2}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{1,2}",
    "%S": r"\d{1,2}",
    "%.f": r"\.\d+",
    "%b": "[A-Z]{3}",
    "%B": "[A-Z]{3,9}",
    "%a": "[A-Z]{3}",
    "%p": "[AP]M",
    "%#z": r" ?(?:Z|[-+]\d{2}(?::?\d{2})?)",
    "%z": r"[-+]\d{2}:?\d{2}",
}
"""What each part of a format looks like."""

EPOCH_UNITS = (("seconds", 1e11, 1_000_000), ("milliseconds", 1e14, 1_000), ("microseconds", 1e17, 1))
EPOCH_TEXT = r"^[0-9]{9,19}(\.[0-9]+)?$"


@dataclass(frozen=True, eq=False)
class Instants:
    """A column read as instants: null where the text is no instant of ``format`` or lies outside the limits.

    ``n_ambiguous`` counts the rows that can be read day first and month first where no row of the column decides.
    """

    values: pl.Series
    format: str
    n_ambiguous: int = 0


def read_instants(column: pl.Series, order: str | None = None) -> Instants | None:
    """Read a column as instants; None if nothing in it is one.

    ``order``: 'day first' or 'month first' where somebody knows; else values tell, and if none does, the day is first.

    >>> read_instants(pl.Series(["9.3.10 8:05"])).values.to_list()
    [datetime.datetime(2010, 3, 9, 8, 5, tzinfo=zoneinfo.ZoneInfo(key='UTC'))]
    >>> read_instants(pl.Series([1_424_806_552])).format
    'epoch seconds'
    >>> read_instants(pl.Series(["soon"])) is None
    True
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        return Instants(within_limits(_to_utc_us(column)), "instant")
    if dtype == pl.Date:
        return Instants(within_limits(_to_utc_us(column.cast(pl.Datetime("us")))), "date")
    if dtype.is_integer() and _all_match(_sample(column).cast(pl.String), DIGITS):
        return _from_text(column.cast(pl.String))
    if dtype.is_integer() or dtype.is_float() or dtype.is_decimal():
        return _from_epoch(column)
    if dtype != pl.String:
        return None
    if _all_match(_sample(column), DIGITS):
        return _from_text(column)
    if _all_match(_sample(column), EPOCH_TEXT):
        return _from_epoch(
            column.cast(pl.Float64 if column.str.contains(".", literal=True).any() else pl.Int64, strict=False)
        )
    return _from_text(column, order)


def within_limits(column: pl.Series) -> pl.Series:
    """Instants outside [1900, 2200) become null."""
    low, high = column.min(), column.max()
    if low is None or (low >= EARLIEST and high < LATEST):  # type: ignore[operator]
        return column
    name = column.name
    kept = pl.when(pl.col(name).is_between(EARLIEST, LATEST, closed="left")).then(pl.col(name))
    return column.to_frame().select(kept).to_series()


def looks_like_instants(column: pl.Series) -> pl.Series | None:
    """A text column as instants if every non-null value of it is one, else None."""
    sample = _sample(column)
    if not any(_all_match(sample, look) for family, look in LOOKS.items() if family != "digits"):
        return None  # of digits alone nobody knows whether they are a date, unless the column is said to be one
    read = _from_text(column)
    if read is None or read.values.null_count() != column.null_count():
        return None
    return None if NO_YEAR_PROOF in read.format and "H" not in read.format else read.values


def plain(format: str) -> str:  # noqa: A002 - it is one
    """A format as people write it.

    >>> plain("%d/%m/%Y %H:%M:%S%.f%#z")
    'd/m/Y H:M:S.f with zone'
    """
    return format.replace("%#z", " with zone").replace("%.f", ".f").replace("%", "")


def _to_utc_us(column: pl.Series) -> pl.Series:
    if column.dtype == INSTANT:
        return column
    zone = getattr(column.dtype, "time_zone", None)
    aware = column.dt.convert_time_zone("UTC") if zone else column.dt.replace_time_zone("UTC")
    return aware.dt.cast_time_unit("us")


def _sample(column: pl.Series) -> pl.Series:
    """Up to SAMPLE_ROWS values that are not null, from all over the column."""
    known = column.drop_nulls() if column.null_count() else column
    return known.gather_every(max(1, len(known) // SAMPLE_ROWS))


def _all_match(sample: pl.Series, pattern: str) -> bool:
    return len(sample) > 0 and bool(sample.str.contains(pattern).all())


def _from_epoch(column: pl.Series) -> Instants | None:
    typical = column.abs().median() if len(column) > column.null_count() else None
    if not isinstance(typical, int | float) or not typical >= 1e8:
        return None
    unit, factor = "nanoseconds", 0.001
    for name, limit, us in EPOCH_UNITS:
        if typical < limit:
            unit, factor = name, us
            break
    if column.dtype.is_integer():
        us_values = column.cast(pl.Int64, strict=False)
        us_values = us_values // 1_000 if unit == "nanoseconds" else _times(us_values, int(factor))
    else:
        us_values = (column.cast(pl.Float64) * factor).round().cast(pl.Int64, strict=False)
    return Instants(within_limits(us_values.cast(INSTANT)), f"epoch {unit}")


def _times(column: pl.Series, factor: int) -> pl.Series:
    """Multiply; what would overflow becomes null."""
    if factor == 1:
        return column
    limit = 2**62 // factor
    name = column.name
    kept = pl.when(pl.col(name).is_between(-limit, limit)).then(pl.col(name) * factor)
    return column.to_frame().select(kept).to_series()


def _from_text(column: pl.Series, order: str | None = None) -> Instants | None:
    sample = _sample(column)
    counts = {family: _n_read(sample, family) for family in FAMILIES}
    best = max(counts, key=lambda family: counts[family])
    if not counts[best]:
        return None
    if best in ("day first", "month first"):
        return _parse(column, order) if order else _day_or_month_first(column)
    read = _parse(column, best)
    n_failed = read.values.null_count() - column.null_count()
    if n_failed * 10 > len(column):
        others = [_parse(column, family) for family in FAMILIES if family != best and counts[family]]
        read = min((read, *others), key=lambda one: one.values.null_count())
    return read


def _n_read(sample: pl.Series, family: str) -> int:
    if not sample.str.contains(LOOKS[family]).any():
        return 0
    values = _parse(sample, family).values
    return len(values) - values.null_count()


def _day_or_month_first(column: pl.Series) -> Instants:
    """Values above 12 decide; where they do not, the day comes first."""
    day, month = _parse(column, "day first"), _parse(column, "month first")
    if month.values.null_count() < day.values.null_count():
        return month
    if month.values.null_count() > day.values.null_count():
        return day
    n_ambiguous = int((day.values.is_not_null() & (day.values != month.values)).sum())
    return Instants(day.values, day.format, n_ambiguous)


def _parse(column: pl.Series, family: str) -> Instants:
    """Read with the formats of one family, those of the first unread values first."""
    formats = list(FAMILIES[family])
    values, used = pl.repeat(None, len(column), dtype=INSTANT, eager=True), ""
    unread = column.is_not_null()
    while formats and unread.any():
        chosen = _fitting(column.filter(unread), formats)
        if chosen is None:
            break
        formats.remove(chosen)
        read = within_limits(_with_format(column if not used else column.set(~unread, None), chosen))
        values = read if not used else values.zip_with(read.is_null(), read)
        used = used or chosen
        unread = column.is_not_null() & values.is_null()
    return Instants(values, used or formats[0])


def _fitting(unread: pl.Series, formats: list[str]) -> str | None:
    """A format that reads some of the values still unread: looked for among a few of them, then among many."""
    probes = unread.gather_every(max(1, len(unread) // PROBES)).head(PROBES)
    for values in (probes, _sample(unread)) if len(unread) > PROBES else (probes,):
        texts = values.unique(maintain_order=True).to_list()
        for one in formats:
            if any(map(_shape(one).fullmatch, texts)) and _with_format(values, one).null_count() < len(values):
                return one
    return None


@cache
def _shape(format: str) -> re.Pattern[str]:  # noqa: A002 - it is one
    """How a text of a format looks: a look at it costs less than an attempt to read it."""
    pattern = re.escape(format)
    for part, look in SHAPES.items():
        pattern = pattern.replace(re.escape(part), look)
    return re.compile(pattern, re.IGNORECASE)


def _with_format(values: pl.Series, format: str) -> pl.Series:  # noqa: A002 - it is one
    read = values.str.to_datetime(format, time_unit="us", strict=False, ambiguous="earliest")
    return _to_utc_us(read)
