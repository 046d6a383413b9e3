"""Files of KPIs and initiatives: every problem at once, each with its place; what a formula measures."""

from __future__ import annotations

import msgspec
import pytest

from insight.worlds import EXAMPLES
from truenorth.insight.initiative_file import parse_initiatives
from truenorth.insight.kpi_file import parse_kpis
from truenorth.insight.kpi_kind import CATALOGUE, in_catalogue, kind_of
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import TruenorthError

BAD_KPIS = """
truenorth: 1
kpis:
- {name: calls, owner: Ada, better: higher, formula: {count: "type = 'Call'", mean: talk_s}}
- {name: calls, owner: Ada, better: up, formula: {share: "type ="}}
- {name: 7up, better: lower, formula: {mean: talk_s, of: calls}, reward: {weight: -1}}
- {name: calls, owner: Ada, better: lower, formula: {mean: talk_s}, wait: 3}
"""
BAD_INITIATIVES = """
truenorth: 1
initiatives:
- {name: desk, owner: Ada, start: soon}
- {name: desk, owner: Ada, serves: {promise: a, outcome: achieved}}
- {name: desk, owner: Ada, expects: {achieved: 3}}
"""


def problems_of(parse: object, text: str) -> dict[str, tuple[int | None, str]]:
    with pytest.raises(TruenorthError) as caught:
        parse(text)  # type: ignore[operator]
    return {one.path: (one.line, one.expected) for one in caught.value.problems}


def test_every_problem_of_a_kpi_file_at_once() -> None:
    found = problems_of(parse_kpis, BAD_KPIS)
    assert found["$.kpis[0].formula"] == (4, "one of count, share, mean, sum")
    assert found["$.kpis[1].better"] == (5, "higher or lower")
    assert found["$.kpis[1].formula.share"][0] == 5
    assert found["$.kpis[2].name"][0] == 6
    assert found["$.kpis[2].owner"] == (6, "the key 'owner'")
    assert found["$.kpis[2].formula.of"] == (6, "events or cases or promises")
    assert found["$.kpis[2].reward.weight"] == (6, "a number from 0")
    assert found["$.kpis[3].wait"][0] == 7
    assert len(found) == 8


def test_every_problem_of_an_initiative_file_at_once() -> None:
    found = problems_of(parse_initiatives, BAD_INITIATIVES)
    assert found["$.initiatives[0].start"] == (4, "a date such as 2024-05-31")
    assert found["$.initiatives[1].serves"] == (5, "one of outcome, promise and moment")
    assert found["$.initiatives[2].expects.achieved"] == (6, "a share from -1 to 1")
    assert found["$.initiatives[1].name"] == (5, "a name of its own")


@pytest.mark.parametrize(
    "text", ["", "kpis: []", "truenorth: 2\nkpis: []", "truenorth: 1\nkpis: {a: 1}", "- 1", "a: &b"]
)
def test_what_is_no_file_of_kpis(text: str) -> None:
    assert problems_of(parse_kpis, text)


def test_the_examples_can_be_read() -> None:
    kpis = parse_kpis((EXAMPLES / "steering" / "kpis.yaml").read_bytes())
    assert sum(one.reward.weight for one in kpis if one.reward) == 100
    tried = parse_initiatives((EXAMPLES / "steering" / "initiatives.yaml").read_bytes())
    assert [one.name for one in tried if one.serves is None] == ["dashboard_for_the_board"]


KINDS = {
    "handle_time": "output", "answer_rate": "output", "cases_closed": "output", "tested_before_visit": "outcome",
    "tests_made": "output", "phone_share": "output", "called_back_in_time": "outcome", "back_online": "outcome",
}  # fmt: skip


def test_output_or_outcome_by_the_formula_alone() -> None:
    journey = parse_journey((EXAMPLES / "help.yaml").read_bytes())
    declared = parse_kpis((EXAMPLES / "steering" / "kpis.yaml").read_bytes())
    told = {one.name: kind_of(one.formula, journey) for one in declared}
    assert {name: one.kind for name, one in told.items()} == KINDS
    assert "has to hold" in told["cases_closed"].reason


FORMULAS = {
    "{count: type = 'Left'}": "outcome",
    "{count: \"type in ('Left', 'Reopened')\"}": "outcome",
    "{count: \"type in ('Left', 'Answered')\"}": "output",
    "{mean: feeling}": "outcome",
    "{mean: cost, of: cases}": "output",
    "{sum: handovers, of: cases}": "output",
    "{share: reopened = 0, of: cases}": "outcome",
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_more_formulas(formula: str) -> None:
    journey = parse_journey((EXAMPLES / "help.yaml").read_bytes())
    text = f"truenorth: 1\nkpis:\n- name: a\n  owner: b\n  better: lower\n  formula: {formula}"
    assert kind_of(parse_kpis(text)[0].formula, journey).kind == FORMULAS[formula]


def test_seven_measures_are_known_to_harm() -> None:
    names = [
        "service_level", "average_handle_time", "average_queue_time", "abandonment_rate", "first_call_resolution",
        "occupancy", "agent_turnover",
    ]  # fmt: skip
    plain = parse_kpis("truenorth: 1\nkpis: [{name: a, owner: b, better: lower, formula: {mean: talk_s}}]")[0]
    found = [in_catalogue(msgspec.structs.replace(plain, name=name)) for name in names]
    assert [one.name for one in found if one] == [one.name for one in CATALOGUE]
    assert in_catalogue(msgspec.structs.replace(plain, name="problems_solved")) is None
