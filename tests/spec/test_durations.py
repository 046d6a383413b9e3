"""Durations: every form of the language, and what is said about the others."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.spec.durations import MAX_DURATION_US, format_duration, parse_duration, write_duration

SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("4h", 14_400),
        ("3d", 259_200),
        ("2w", 1_209_600),
        ("1d12h", 129_600),
        ("12h1d", 129_600),
        ("1w2d3h4m5s", 788_645),
        ("0d1s", 1),
        ("007s", 7),
        ("36525d", 36_525 * 86_400),
    ],
)
def test_a_duration_in_every_form(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * SECOND_US


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        ("", "number with a unit"),
        ("5", "give the unit"),
        ("d", "whole numbers"),
        ("2 dayz", "whole numbers"),
        ("1d 12h", "without spaces"),
        (" 1d", "without spaces"),
        ("1.5h", "1h30m, not 1.5h"),
        ("1,5h", "1h30m, not 1.5h"),
        ("-3d", "longer than nothing"),
        ("0s", "longer than nothing"),
        ("4H", "lower case"),
        ("3mo", "months and years"),
        ("2y", "months and years"),
        ("1d1d", "more than once"),
        ("36526d", "100 years"),
        ("9" * 30 + "s", "100 years"),
        ("1" * 100, "at most 40 characters"),
        ("٣d", "whole numbers"),
        ("1d\n", "without spaces"),
        ("null", "whole numbers"),
    ],
)
def test_what_is_no_duration_is_explained(text: str, explanation: str) -> None:
    with pytest.raises(ValueError, match=explanation):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.01, "< 0.1 s"),
        (0.5, "0.5 s"),
        (1, "1 s"),
        (45, "45 s"),
        (59.7, "1 min"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3_599.9, "1 h"),
        (11_520, "3 h 12 min"),
        (86_399.9, "1 d"),
        (187_200, "2 d 4 h"),
        (100 * 86_400, "100 d"),
        (-90, "-1 min 30 s"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(round(seconds * SECOND_US)) == text


@given(st.integers(1, MAX_DURATION_US // SECOND_US))
def test_what_is_written_reads_back_the_same(seconds: int) -> None:
    assert parse_duration(write_duration(seconds * SECOND_US)) == seconds * SECOND_US


@given(st.one_of(st.text(), st.from_regex(r"[0-9wdhms .-]{0,50}")))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert 0 < parse_duration(text) <= MAX_DURATION_US


@given(st.integers(-(10**18), 10**18))
def test_every_length_has_a_form_for_people(duration_us: int) -> None:
    assert len(format_duration(duration_us)) < 30
