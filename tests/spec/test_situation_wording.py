"""Situations in words: nothing of the code is left, and what differs reads differently."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from truenorth.spec.load import load_journey
from truenorth.spec.situation_wording import COUNTED, situation_in_words
from truenorth.spec.situations import parse_situation

COMPANY = Path(__file__).parents[2] / "examples" / "company"
OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
COUNTS = st.tuples(st.sampled_from(sorted(COUNTED)), OPERATORS, st.integers(0, 20)).map(
    lambda one: f"{one[0]} {one[1]} {one[2]}"
)
RISKS = st.tuples(OPERATORS, st.integers(0, 100)).map(lambda one: f"risk {one[0]} {one[1] / 100}")
PROMISED = st.sampled_from(["promise_broken('a_b')", "promise_kept('a_b')", "promise_active('a_b')", "resolved"])
PARTS = st.one_of(COUNTS, RISKS, PROMISED, PROMISED.map(lambda one: f"not {one}"))


def words(text: str) -> str:
    return situation_in_words(parse_situation(text))


@given(st.lists(PARTS, min_size=1, max_size=4), st.sampled_from([" and ", " or "]))
def test_words_are_no_code(parts: list[str], glue: str) -> None:
    said = words(glue.join(parts))
    assert not set("=<>_()") & set(said)


@given(PARTS, PARTS)
def test_what_is_asked_otherwise_reads_otherwise(one: str, other: str) -> None:
    same = [{">= 1", "> 0", "<> 0"}, {"= 0", "< 1", "<= 0"}]
    assume(not any(one.endswith(a) and other.endswith(b) for pair in same for a in pair for b in pair))
    assert (words(one) == words(other)) == (parse_situation(one).tree == parse_situation(other).tree)


@pytest.mark.parametrize("path", sorted(COMPANY.glob("*.yaml")), ids=lambda path: path.stem)
def test_all_situations_of_the_company_have_words(path: Path) -> None:
    journey = load_journey(path.read_text()).journey
    assert journey is not None
    asked = [action.when for action in journey.actions if action.when is not None]
    assert asked
    for situation in asked:
        assert situation_in_words(situation) != situation.text


def test_what_has_no_words_stays_as_it_is_written() -> None:
    assert words("cost / 2 > revenue") == "cost / 2 > revenue"
    assert words("risk is null") == "the risk is not known"
    assert words("2 <= handovers and handovers between 1 and 3") == (
        "there were at least 2 hand-overs and there were between 1 and 3 hand-overs"
    )
