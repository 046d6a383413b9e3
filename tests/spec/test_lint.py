"""What `check` warns about, and what it leaves alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.spec.conditions import parse_condition
from truenorth.spec.expressions import Kind
from truenorth.spec.lint import check_journey, years_before
from truenorth.spec.proofs import always_true, implies, never_true

SUPPORT = (Path(__file__).parent / "support.yaml").read_text(encoding="utf-8")
HEAD = "truenorth: 1\njourney: a\ncanvas: {outcome: [Back within 3 days]}\n"
SOUND = HEAD + "outcome: {achieved: type = 'done'}\n"
TODAY = date(2024, 5, 31)


def warnings(text: str) -> dict[str, str]:
    """What was found, by path."""
    loaded = check_journey(text, today=TODAY)
    assert not loaded.errors, loaded.errors
    return {problem.path: problem.found for problem in loaded.warnings}


def promised(promise: str, outcome: str = "achieved: type = 'done', failed: type = 'left'") -> str:
    return f"{HEAD}outcome: {{{outcome}}}\npromises: [{{name: p, {promise}}}]\n"


class TestByItself:
    def test_the_sample_deserves_one_warning(self) -> None:
        assert warnings(SUPPORT) == {"$.decisions": "no reason and no review date"}

    def test_a_sound_journey_deserves_none(self) -> None:
        assert warnings(SOUND) == {}

    def test_no_outcome_and_no_canvas(self) -> None:
        assert list(warnings("truenorth: 1\njourney: a")) == ["$.canvas.outcome", "$.outcome.achieved"]

    def test_a_line_even_for_what_is_missing(self) -> None:
        loaded = check_journey("truenorth: 1\njourney: a\ncanvas:\n  customer: b\n", today=TODAY)
        assert [problem.line for problem in loaded.warnings] == [None, 4]

    @pytest.mark.parametrize(
        ("statement", "found"),
        [
            ("A fast answer", "the vague word 'fast' in 'A fast answer'"),
            ("FAST and Quick", "the vague words 'FAST', 'Quick' in 'FAST and Quick'"),
            ("a world-class service", "the vague word 'world-class' in 'a world-class service'"),
            ("a world class service", "the vague word 'world class' in 'a world class service'"),
            ("Seamless, timely.", "the vague words 'Seamless', 'timely' in 'Seamless, timely.'"),
            ("an efficient and effective one", None),
            ("breakfast within 2 h", None),
            ("fasting, quickly, effectively", None),
        ],
    )
    def test_vague_words(self, statement: str, found: str | None) -> None:
        text = f"truenorth: 1\njourney: a\ncanvas: {{outcome: ['{statement}']}}\noutcome: {{achieved: b}}\n"
        if statement.startswith("an efficient"):
            found = f"the vague words 'efficient', 'effective' in '{statement}'"
        assert warnings(text).get("$.canvas.outcome[0]") == found

    @pytest.mark.parametrize(
        ("promise", "key"),
        [
            ("never: false", "never"),
            ("never: type = 'a' and type = 'b'", "never"),
            ("never: a > 5 and a < 3", "never"),
            ("never: a is null and a = 1", "never"),
            ("never: moment", "never"),
            ("at_most: 3, of: false", "of"),
            ("at_most: 3, total: cost, where: false", "where"),
            ("at_most: 3, total: channel", "total"),
            ("after: false, expect: b, within: 3d", "after"),
            ("after: a, expect: false, within: 3d", "expect"),
            ("expect: moment, at_least_every: 2d", "expect"),
            ("before: false, require: a", "before"),
            ("before: a, require: false", "require"),
            ("after: type = 'done', expect: b, within: 3d", "after"),
            ("after: type = 'done' and a, expect: b, within: 3d", "after"),
            ("after: type = 'left', expect: b, within: 3d", "after"),
            ("after: type = 'done', never: a", "after"),
            ("after: type = 'done', at_most: 1, of: a", "after"),
        ],
    )
    def test_promises_that_decide_nothing(self, promise: str, key: str) -> None:
        assert list(warnings(promised(promise))) == [f"$.promises[0].{key}"]

    @pytest.mark.parametrize(
        "promise",
        [
            "never: a = 1",
            "never: type = 'a' or type = 'b'",
            "never: \"type in ('a', 'b') and type in ('b', 'c')\"",
            "never: a = '1' and a = 1",
            "never: a = '2024-01-01' and a = '2024-01-01 00:00'",
            "never: not moment",
            "never: internal",
            "never: a between 3 and 5",
            "never: a = 'nan' and a = 'nan'",
            "after: \"type in ('done', 'other')\", never: b",
            "after: a, expect: type = 'done', within: 3d",
            "at_most: 3, total: fee",
            "before: type = 'done', require: a",
        ],
    )
    def test_promises_that_may_decide_something(self, promise: str) -> None:
        assert warnings(promised(promise)) == {}

    def test_with_holds_for_only_a_response_cannot_start_at_success(self) -> None:
        outcome = "achieved: type = 'done', holds_for: 7d, reopened: type = 'again'"
        assert warnings(promised("after: type = 'done', never: a, within: 7d", outcome)) == {}
        assert "$.promises[0].after" in warnings(promised("after: type = 'done', expect: a, within: 7d", outcome))
        overlapping = outcome.replace("'again'", "'done'")
        assert warnings(promised("after: type = 'done', expect: a, within: 7d", overlapping)) == {}

    def test_only_counts_in(self) -> None:
        text = SOUND + "only: channel = 'web'\npromises: [{name: p, never: channel = 'phone'}]\n"
        assert list(warnings(text)) == ["$.promises[0].never"]

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("need: false\noutcome: {achieved: a}", "$.need"),
            ("outcome: {achieved: 1 = 2}", "$.outcome.achieved"),
            ("outcome: {achieved: a, failed: a <> a}", "$.outcome.failed"),
            ("outcome: {achieved: a}\nmoments: b between 5 and 3", "$.moments"),
            ("outcome: {achieved: a, holds_for: 3d}", "$.outcome.holds_for"),
        ],
    )
    def test_rules_that_decide_nothing(self, text: str, path: str) -> None:
        assert list(warnings(HEAD + text)) == [path]

    def test_a_deadline_may_be_longer_than_the_silence_that_ends_a_case(self) -> None:
        outcome = "achieved: type = 'done', within: 3w, abandoned_after: 2d"
        assert warnings(promised("after: a, expect: b, within: 3d", outcome)) == {}
        assert warnings(promised("expect: b, at_least_every: 3d", outcome)) == {}

    @pytest.mark.parametrize(
        ("decision", "expected"),
        [
            ("{when: a, reason: law, reviewed: 2022-05-31}", {}),
            ("{when: a, reason: law, reviewed: 2022-05-30}", {"$.decisions[0].reviewed": "2022-05-30"}),
            ("{when: a, reason: law}", {"$.decisions[0]": "no review date"}),
            ("{when: a, reviewed: 2024-01-01}", {"$.decisions[0]": "no reason"}),
            ("{when: false, reason: law, reviewed: 2024-01-01}", {"$.decisions[0].when": "'false'"}),
        ],
    )
    def test_decisions(self, decision: str, expected: dict[str, str]) -> None:
        assert warnings(f"{SOUND}decisions: [{decision}]") == expected

    def test_years_before(self) -> None:
        assert years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)
        assert years_before(date(1, 1, 1), 2) == date(1, 1, 1)

    def test_warnings_come_with_the_errors_but_not_where_an_error_is(self) -> None:
        text = "truenorth: 1\njourney: a\ncanvas: {outcome: [fast]}\noutcome: {achieved: type = }\nneed: false\n"
        loaded = check_journey(text, today=TODAY)
        assert loaded.journey is None
        assert [problem.path for problem in loaded.problems] == ["$.canvas.outcome[0]", "$.outcome.achieved", "$.need"]

    def test_paths_count_promises_that_could_not_be_read(self) -> None:
        loaded = check_journey(SOUND + "promises:\n  - {name: x}\n  - {name: y, never: false}\n", today=TODAY)
        assert [problem.path for problem in loaded.problems] == ["$.promises[0]", "$.promises[1].never"]
        assert [problem.line for problem in loaded.problems] == [6, 7]

    def test_a_large_journey_takes_a_moment(self) -> None:
        moments = " or ".join(f"type = '{number}'" for number in range(200))
        promises = "".join(f"  - {{name: p{number}, never: moment and internal}}\n" for number in range(500))
        started = time.process_time()
        check_journey(f"{SOUND}moments: {moments}\npromises:\n{promises}", today=TODAY)
        assert time.process_time() - started < 5


COLUMNS: Mapping[str, Kind] = {
    "case": "text",
    "type": "text",
    "time": "instant",
    "amount": "integer",
    "channel": "text",
    "cost": "number",
}
VALUES = {"type": {"Open", "Closed", "done"}}


class TestWithALog:
    @pytest.mark.parametrize(
        ("text", "severity", "path", "found", "hint"),
        [
            ("need: typ = 'Open'", "warning", "$.need", "'typ'", "did you mean 'type'?"),
            ("need: chanel = 'x'", "warning", "$.need", "'chanel'", "did you mean 'channel'?"),
            ("need: revnue > 1", "warning", "$.need", "'revnue'", "did you mean 'revenue'?"),
            ("need: team = 'x'", "warning", "$.need", "'team', which is null everywhere", ""),
            ("need: type = \"Closed\"", "warning", "$.need", "'Closed'", "single quotes: 'Closed'"),
            ("need: type = 'Closd'", "warning", "$.need", "'Closd'", "did you mean 'Closed'?"),
            ("need: type in ('Open', 'closed')", "warning", "$.need", "'closed'", "did you mean 'Closed'?"),
            ("need: type <> 'zzz'", "warning", "$.need", "'zzz'", ""),
            ("need: amount = 'ten'", "error", "$.need", "the text 'ten'", ""),
            ("need: time > 'soon'", "error", "$.need", "the text 'soon'", ""),
            ("need: channel", "error", "$.need", "channel, which is a text", ""),
            ("decisions: [{when: typ, reason: b, reviewed: 2024-01-01}]", "warning", "$.decisions[0].when", "", ""),
            ("promises: [{name: p, never: typ = 'a'}]", "warning", "$.promises[0].never", "'typ'", ""),
            ("promises: [{name: p, at_most: 1, total: amont}]", "warning", "$.promises[0].total", "", "'amount'"),
            ("promises: [{name: p, at_most: 1, total: revnue}]", "warning", "$.promises[0].total", "", "'revenue'"),
            ("need: handover or amount = 1", "warning", "$.need", "'handover', which is false everywhere", "map one"),
            ("fields: {case: cas}", "error", "$.fields.case", "'cas'", "did you mean 'case'?"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit(self, text: str, severity: str, path: str, found: str, hint: str) -> None:
        loaded = check_journey(SOUND + text, today=TODAY, columns=COLUMNS, values=VALUES, file_columns=["case", "Act"])
        assert [(problem.severity, problem.path) for problem in loaded.problems] == [(severity, path)]
        assert found in loaded.problems[0].found
        assert hint in loaded.problems[0].hint
        assert loaded.problems[0].line == 5

    def test_a_total_of_a_text_property_is_an_error(self) -> None:
        text = SOUND + "promises: [{name: p, at_most: 1, total: colour}]"
        loaded = check_journey(text, today=TODAY, columns={**COLUMNS, "colour": "text"})
        assert [problem.path for problem in loaded.errors] == ["$.promises[0].total"]

    @pytest.mark.parametrize(
        "text",
        [
            "moments: type = 'Open'\nneed: not moment and not internal",
            "need: amount = '10' and cost > 5 and time > '2024-01-01'",
            "need: source = 'x' and id = 'y' and received > time",
            "need: channel = 'anything'",
            "need: type like 'zzz%'",
        ],
    )
    def test_what_fits(self, text: str) -> None:
        loaded = check_journey(SOUND + text, today=TODAY, columns=COLUMNS, values=VALUES)
        assert loaded.problems == ()

    def test_without_a_log_nothing_is_said_about_fields(self) -> None:
        assert warnings(SOUND + "need: typ = 'Open'") == {}


ATOMS = st.sampled_from(
    [
        "a = 'x'",
        "a = 'y'",
        "a in ('x', 'y')",
        "a is null",
        "b > 1",
        "b < 3",
        "b = 2",
        "not a = 'x'",
        "b between 2 and 3",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=6,
)
ROWS = [{"a": a, "b": b} for a in (None, "x", "y", "z") for b in (None, 0, 1, 2, 2.5, 3, 4)]


def holds(text: str, row: Mapping[str, object]) -> bool:
    """The condition on a row, by Python: a comparison with null is false."""
    code = text.replace(" is null", " is None").replace("b between 2 and 3", "low(b) and high(b)")
    for sign in (" > ", " < "):
        code = code.replace(f"b{sign}", f"num(b){sign}")
    code = code.replace(" = ", " == ")
    names = {
        **row,
        "num": lambda value: float("nan") if value is None else value,
        "low": lambda value: value is not None and value >= 2,
        "high": lambda value: value is not None and value <= 3,
    }
    return bool(eval(code, {}, names))


class TestProofs:
    @settings(max_examples=300, deadline=None)
    @given(CONDITIONS, CONDITIONS)
    def test_what_is_proved_holds_on_every_row(self, one: str, other: str) -> None:
        a, b = parse_condition(one).tree, parse_condition(other).tree
        if never_true(a):
            assert not any(holds(one, row) for row in ROWS)
        if always_true(a):
            assert all(holds(one, row) for row in ROWS)
        if implies(a, b):
            assert all(holds(other, row) for row in ROWS if holds(one, row))

    @pytest.mark.parametrize(
        ("premise", "conclusion"),
        [
            ("a = 'x'", "a = 'x' or b"),
            ("a = 'x' and b", "b"),
            ("a = 'x'", "a in ('y', 'x')"),
            ("a in ('x', 'y')", "a = 'x' or a = 'y' or a in ('x', 'y')"),
            ("a = 'x' or a = 'y'", "a in ('y', 'x')"),
            ("b and a = 'x' and c", "a in ('x', 'z') and c"),
        ],
    )
    def test_what_can_be_proved(self, premise: str, conclusion: str) -> None:
        assert implies(parse_condition(premise).tree, parse_condition(conclusion).tree)
