"""Instants in every format that files hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.logs.times import looks_like_instants, plain, read_instants


def one(value: object) -> datetime:
    read = read_instants(pl.Series([value]))
    assert read is not None
    return read.values[0]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-02-29", at(2016, 2, 29)),
        ("2016-02-29 10:05", at(2016, 2, 29, 10, 5)),
        ("2016-02-29T10:05:07", at(2016, 2, 29, 10, 5, 7)),
        ("2016-02-29T10:05:07Z", at(2016, 2, 29, 10, 5, 7)),
        ("2016-02-29T10:05:07.5+0100", at(2016, 2, 29, 9, 5, 7, 500_000)),
        ("2016-02-29T10:05:07.123456789-08:00", at(2016, 2, 29, 18, 5, 7, 123_456)),
        ("2015-02-24 11:35:52 -0800", at(2015, 2, 24, 19, 35, 52)),
        ("2015-02-24 11:35:52 UTC", at(2015, 2, 24, 11, 35, 52)),
        ("2016/01/02 01:00:01.353", at(2016, 1, 2, 1, 0, 1, 353_000)),
        ("20160102T030405Z", at(2016, 1, 2, 3, 4, 5)),
        ("29/2/2016 01:16", at(2016, 2, 29, 1, 16)),
        ("29-02-2016 01:16:05", at(2016, 2, 29, 1, 16, 5)),
        ("2/29/2016 01:16 PM", at(2016, 2, 29, 13, 16)),
        ("9.3.10 8:05", at(2010, 3, 9, 8, 5)),
        ("30-12-2010:11.02", at(2010, 12, 30, 11, 2)),
        ("30.12.2010 11.02.59", at(2010, 12, 30, 11, 2, 59)),
        ("09.03.2010 8:05:01", at(2010, 3, 9, 8, 5, 1)),
        ("Tue, 01 Jul 2003 10:52:37 +0200", at(2003, 7, 1, 8, 52, 37)),
        ("1 Jul 2003 10:52:37 GMT", at(2003, 7, 1, 10, 52, 37)),
        ("01-Jul-2003 10:52", at(2003, 7, 1, 10, 52)),
        ("1 March 2003 10:52", at(2003, 3, 1, 10, 52)),
        ("Mar 01, 2003 1:05:09 PM", at(2003, 3, 1, 13, 5, 9)),
        ("March 1, 2003, 12:00 AM", at(2003, 3, 1)),
        ("May 1, 2003", at(2003, 5, 1)),
        ("2/29/2016, 1:16:05 PM", at(2016, 2, 29, 13, 16, 5)),
        ("29/02/2016, 13:16:05", at(2016, 2, 29, 13, 16, 5)),
        ("20160229", at(2016, 2, 29)),
        ("201602291005", at(2016, 2, 29, 10, 5)),
        ("20160229100507", at(2016, 2, 29, 10, 5, 7)),
        (20_160_229, at(2016, 2, 29)),
        (20_160_229_100_507, at(2016, 2, 29, 10, 5, 7)),
        ("1424806552", at(2015, 2, 24, 19, 35, 52)),
        (1_424_806_552, at(2015, 2, 24, 19, 35, 52)),
        (1_424_806_552_250, at(2015, 2, 24, 19, 35, 52, 250_000)),
        (1_424_806_552_250_001, at(2015, 2, 24, 19, 35, 52, 250_001)),
        (1_424_806_552_250_001_999, at(2015, 2, 24, 19, 35, 52, 250_001)),
        (1_424_806_552.25, at(2015, 2, 24, 19, 35, 52, 250_000)),
    ],
)
def test_formats(text: object, expected: datetime) -> None:
    assert one(text) == expected


@pytest.mark.parametrize("value", ["", "soon", "2016-02-30", "25:00", "9999-12-31", "1899-12-31", "12", 12, 1.5, True])
def test_what_is_no_instant(value: object) -> None:
    assert read_instants(pl.Series([value])) is None


def test_values_above_twelve_decide_wherever_they_stand() -> None:
    ambiguous = ["1/2/2016 10:00"] * 5_000
    day_first = read_instants(pl.Series([*ambiguous, "13/2/2016 10:00", *ambiguous]))
    month_first = read_instants(pl.Series([*ambiguous, "2/13/2016 10:00", *ambiguous]))
    assert day_first is not None
    assert month_first is not None
    assert (day_first.values[0], month_first.values[0]) == (at(2016, 2, 1, 10), at(2016, 1, 2, 10))
    assert (day_first.n_ambiguous, month_first.n_ambiguous) == (0, 0)


def test_the_day_comes_first_if_nothing_decides() -> None:
    read = read_instants(pl.Series(["1/2/2016", "3/3/2016", "4/5/2016"]))
    assert read is not None
    assert read.values.to_list() == [at(2016, 2, 1), at(2016, 3, 3), at(2016, 5, 4)]
    assert read.n_ambiguous == 2


def test_one_family_may_mix_its_formats() -> None:
    read = read_instants(
        pl.Series(["2016-01-02", "2016-01-02T03:04:05.6+01:00", None, "2016-01-02 03:04", "02.01.2016"])
    )
    assert read is not None
    assert read.values.to_list() == [at(2016, 1, 2), at(2016, 1, 2, 2, 4, 5, 600_000), None, at(2016, 1, 2, 3, 4), None]


@pytest.mark.parametrize(
    ("values", "is_time"),
    [
        (["2016-01-02", None, "2017-01-01"], True),
        (["2016-01-02", "unknown"], False),
        (["1.2.03", "4.5.06"], False),
        (["1.2.03 10:00"], True),
        ([None], False),
        (["20160102"], False),
        (["20160102030405"], False),
        (["Jan 2, 2016"], True),
        (["Section 12, 2016"], False),
        (["12-34-56"], False),
    ],
)
def test_properties_are_instants_only_if_all_values_are(values: list[str | None], is_time: bool) -> None:
    assert (looks_like_instants(pl.Series(values, dtype=pl.String)) is not None) == is_time


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Rome"])
def test_typed_instants(unit: str, zone: str | None) -> None:
    given_ = pl.Series([at(2024, 7, 1, 12)]).dt.convert_time_zone(zone or "UTC").cast(pl.Datetime(unit, zone or "UTC"))
    assert one(given_.dt.replace_time_zone(None)[0] if zone is None else given_[0]) == at(2024, 7, 1, 12)


def test_dates_are_midnights() -> None:
    assert one(datetime(2024, 7, 1).date()) == at(2024, 7, 1)


@settings(max_examples=150, deadline=None)
@given(
    instants=st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), min_size=1, max_size=5),
    written=st.sampled_from(
        [
            *("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
            *("%Y%m%d%H%M%S", "%d %B %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p"),
        ]
    ),
)
def test_what_was_written_is_read(instants: list[datetime], written: str) -> None:
    exact = timedelta(0) if "%f" in written else timedelta(seconds=1)
    read = read_instants(pl.Series([instant.strftime(written) for instant in instants]))
    assert read is not None
    for instant, found in zip(instants, read.values, strict=True):
        assert timedelta(0) <= instant.replace(tzinfo=UTC) - found <= exact


def test_formats_are_named_for_people() -> None:
    assert plain("%Y-%m-%dT%H:%M:%S%.f%#z") == "Y-m-dTH:M:S.f with zone"
