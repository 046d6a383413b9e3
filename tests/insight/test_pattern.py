"""Patterns: kept and read the same, applied without a loss, and honest where names clash."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.insight.pattern import (
    Pattern,
    apply_pattern,
    compare,
    content_of,
    difference,
    parse_pattern,
    write_pattern,
)
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import TruenorthError
from truenorth.wiring.pattern import Source, applied

EXAMPLES = Path(__file__).parents[2] / "examples"
HELP = (EXAMPLES / "company" / "help.yaml").read_text()
BILL = (EXAMPLES / "company" / "bill.yaml").read_text()
HELPDESK = (EXAMPLES / "helpdesk.yaml").read_text()
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def of(text: str, kind: str, name: str = "mine") -> Pattern:
    return Pattern(name=name, kind=kind, saved=date(2026, 11, 1), content=content_of(text, kind))  # type: ignore[arg-type]


@given(st.dictionaries(WORDS, PLAIN, max_size=4))
def test_what_is_saved_is_what_is_read(content: dict) -> None:
    kept = Pattern(name="n", kind="insight", about="é \u202e", saved=date(2026, 1, 1), content=content)
    assert parse_pattern(write_pattern(kept), "n.yaml") == kept


def test_promises_go_to_another_journey_and_all_else_stays() -> None:
    text = apply_pattern(of(HELPDESK, "promises"), "# my journey\n" + BILL, replace=True)
    before, after = parse_journey(BILL), parse_journey(text)
    names = [one.name for one in before.promises]
    assert [one.name for one in after.promises][: len(names)] == names
    assert {one.name for one in parse_journey(HELPDESK).promises} <= {one.name for one in after.promises}
    assert (after.outcome, after.need, after.decisions) == (before.outcome, before.need, before.decisions)
    assert text.startswith("# my journey")


def test_applying_twice_changes_nothing_more() -> None:
    once = apply_pattern(of(HELPDESK, "promises"), BILL, replace=True)
    assert apply_pattern(of(HELPDESK, "promises"), once) == once


def test_same_name_with_another_meaning_is_a_problem_for_each() -> None:
    clashing = HELP.replace("within: 24h", "within: 30h").replace("at_most: 1", "at_most: 2")
    with pytest.raises(TruenorthError) as caught:
        apply_pattern(of(clashing, "promises"), HELP)
    assert len(caught.value.problems) == 2
    assert all("--replace" in one.hint for one in caught.value.problems)
    replaced = parse_journey(apply_pattern(of(clashing, "promises"), HELP, replace=True))
    assert replaced.promises == parse_journey(clashing).promises


def test_calendars_travel_with_the_promises_that_use_them() -> None:
    content = content_of(HELPDESK, "promises")
    used = {one["calendar"] for one in content["promises"] if "calendar" in one}
    assert set(content.get("calendars", {})) == used


def test_only_what_can_be_applied_is() -> None:
    with pytest.raises(TruenorthError, match="can be applied"):
        apply_pattern(Pattern(name="k", kind="kpis", saved=date(2026, 1, 1), content={}), HELP)
    with pytest.raises(TruenorthError, match="actions"):
        content_of(HELPDESK, "actions")


@pytest.mark.parametrize(
    "text", ["", "pattern: 1", "a: [", "{pattern: 2, name: x, kind: kpis, saved: 2026-01-01, content: 1}"]
)
def test_a_file_that_is_no_pattern_says_so(text: str) -> None:
    with pytest.raises(TruenorthError, match=r"x\.yaml"):
        parse_pattern(text, "x.yaml")


def test_comparison_shows_what_only_one_says() -> None:
    lines = compare(of(HELP, "promises", "help"), of(BILL, "promises", "bill"))
    assert any(line.startswith("-") and "visit_kept" in line for line in lines)
    assert compare(of(HELP, "promises"), of(HELP, "promises")) == []


def test_difference_of_verdicts_holds_only_what_differs() -> None:
    before = {"outcome": {"achieved": 3, "failed": 1}, "promises": {"a": {"kept": 1, "broken": 0}}}
    after = {"outcome": {"achieved": 2, "failed": 2}, "promises": {"a": {"kept": 1, "broken": 0}, "b": {"kept": 4}}}
    assert difference(before, after) == [
        ("outcome", "achieved", 3, 2),
        ("outcome", "failed", 1, 2),
        ("b", "kept", 0, 4),
    ]
    assert difference(after, after) == []


def test_what_does_not_fit_names_the_journey_file_and_the_pattern(tmp_path: Path) -> None:
    journey = tmp_path / "bill.yaml"
    journey.write_text(BILL)
    other = Pattern(
        name="mine",
        kind="promises",
        saved=date(2026, 11, 1),
        content={"promises": [{"name": "late", "never": "type ="}]},
    )
    with pytest.raises(TruenorthError) as caught:
        applied(other, Source(journey))
    assert str(caught.value).startswith(f"{journey} with the pattern mine, line ")
    journey.write_text("truenorth: 1\njourney: [")
    with pytest.raises(TruenorthError) as caught:
        applied(other, Source(journey))
    assert str(caught.value).startswith(f"{journey}, line ")
