"""Journey files: what loads, and every problem with its path, line, finding and hint."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.spec.conditions import parse_condition
from truenorth.spec.document import MAX_BYTES
from truenorth.spec.load import load_journey, parse_journey
from truenorth.spec.model import Calendar, Decision, Promise, PromiseKind
from truenorth.spec.problems import InvalidJourney

SUPPORT = (Path(__file__).parent / "support.yaml").read_text(encoding="utf-8")
HEAD = "truenorth: 1\njourney: a\n"
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def is_type(name: str) -> object:
    return parse_condition(f"type = '{name}'")


class TestTheSample:
    journey = parse_journey(SUPPORT)

    def test_its_heading(self) -> None:
        assert (self.journey.name, self.journey.currency) == ("support", "EUR")
        assert self.journey.fields["case"] == "case:concept:name"
        assert self.journey.canvas["affects"] == {
            "helps": ("Known-error search",),
            "harms": ("Three hand-overs on average",),
        }

    def test_its_outcome(self) -> None:
        outcome = self.journey.outcome
        assert outcome.achieved == is_type("Closed")
        assert (outcome.within_us, outcome.holds_for_us) == (3 * DAY_US, 7 * DAY_US)
        assert outcome.abandoned_after_us == 60 * DAY_US
        assert outcome.value == {"achieved": 100, "failed": -40, "abandoned": -40}

    def test_its_rules(self) -> None:
        assert self.journey.decisions == (Decision(when=parse_condition("type = 'Assign seriousness'")),)
        assert self.journey.calendars["office"] == Calendar(
            name="office",
            timezone="Europe/Rome",
            hours=(((540, 1080),),) * 5 + ((), ()),
            holidays=frozenset([date(2012, 12, 25)]),
        )

    def test_its_promises(self) -> None:
        assert [(promise.name, promise.kind.value) for promise in self.journey.promises] == [
            ("looked_at", "response"),
            ("no_ping_pong", "limit"),
            ("no_bad_news", "absence"),
            ("stays_fixed", "absence"),
            ("kept_informed", "rhythm"),
            ("checked_first", "precedence"),
            ("cheap_enough", "total"),
        ]
        assert self.journey.promises[0] == Promise(
            name="looked_at",
            kind=PromiseKind.RESPONSE,
            after=parse_condition("type = 'Assign seriousness'"),
            expect=parse_condition("type = 'Take in charge ticket'"),
            within_us=4 * HOUR_US,
            calendar="office",
        )
        assert self.journey.promises[6].total == "cost"

    @pytest.mark.parametrize("source", [SUPPORT.encode(), b"\xef\xbb\xbf" + SUPPORT.encode(), "\ufeff" + SUPPORT])
    def test_bytes_and_byte_order_marks(self, source: str | bytes) -> None:
        assert parse_journey(source) == self.journey

    def test_line_ends_of_any_kind(self) -> None:
        assert parse_journey(SUPPORT.replace("\n", "\r\n")) == self.journey


class TestForms:
    def test_the_least_journey(self) -> None:
        journey = parse_journey(HEAD)
        assert journey.need is None
        assert journey.promises == ()

    @pytest.mark.parametrize("word", ["on", "off", "no", "yes", "y", "1e3", "12:30:00", "0x1F", "2024-05-31", "true"])
    def test_texts_stay_as_they_are_written(self, word: str) -> None:
        assert parse_journey(f"{HEAD}title: {word}").title == word

    def test_a_condition_may_be_folded_quoted_or_a_constant(self) -> None:
        text = HEAD + "need: >\n  type = 'a'\n  or type = 'b'\nmoments: \"type = 'x: #1'\"\nonly: true\n"
        journey = parse_journey(text)
        assert journey.need is not None
        assert journey.need.tree == parse_condition("type = 'a' or type = 'b'").tree
        assert journey.moments == parse_condition("type = 'x: #1'")
        assert journey.only == parse_condition("true")

    def test_a_condition_that_begins_with_a_quoted_name(self) -> None:
        assert parse_journey(HEAD + "need: '\"case:id\" is null'").need == parse_condition('"case:id" is null')

    def test_decisions_as_a_list(self) -> None:
        text = HEAD + (
            "decisions:\n"
            "  - {name: id_check, when: type = 'Check', kind: regulatory, owner: Legal, reason: The law, "
            "reviewed: 2024-05-31}\n"
            "  - when: type = 'Approve'\n"
        )
        assert parse_journey(text).decisions == (
            Decision(
                when=parse_condition("type = 'Check'"), name="id_check", kind="regulatory", owner="Legal",
                reason="The law", reviewed=date(2024, 5, 31),
            ),
            Decision(when=parse_condition("type = 'Approve'")),
        )  # fmt: skip

    def test_a_single_statement_is_a_list_of_one(self) -> None:
        assert parse_journey(HEAD + "canvas: {outcome: Back to work}").canvas == {"outcome": ("Back to work",)}

    def test_parse_raises_every_error(self) -> None:
        with pytest.raises(InvalidJourney) as caught:
            parse_journey(HEAD + "needs: a\nmoments: a =\n")
        assert [problem.path for problem in caught.value.problems] == ["$.needs", "$.moments"]


PROBLEMS = [
    # the file as a whole
    ("", "$", None, "an empty file", ""),
    ("# nothing\n", "$", None, "an empty file", ""),
    ("just text", "$", 1, "'just text'", ""),
    ("- a\n- b", "$", 1, "a list of 2", ""),
    (HEAD + "---\n" + HEAD, "$", 3, "a second document", ""),
    ("a: [1", "$", 1, "expected ',' or ']'", ""),
    ("a: b: c", "$", 1, "mapping values are not allowed here", "quotes"),
    ("a:\n\tb: c", "$", 2, "'\\t'", "spaces"),
    (HEAD + "promises:\n  - {name: x, never: type in ('a', 'b')}\n", "$", 4, "expected ',' or '}'", "double quotes"),
    (HEAD + 'need: "odd name" = 3', "$", 3, "'<scalar>'", "whole condition"),
    ("a: &x 1", "$", 1, "the anchor '&x'", ""),
    ("a: *x", "$", 1, "the alias '*x'", ""),
    ("a: !!str 1", "$", 1, "the tag '!!str'", ""),
    ("a: !x 1", "$", 1, "the tag '!x'", ""),
    ("? [a]\n: b", "$", 1, "a list or mapping as a key", ""),
    ("a: b\x00", "$", 1, "U+0000", ""),
    ("a: b\nc: \x07", "$", 2, "U+0007", ""),
    (HEAD.encode("utf-16"), "$", None, "UTF-16", "UTF-8"),
    (b"a: b\nc: \xff", "$", 2, "the byte 0xff", "UTF-8"),
    ("a" * (MAX_BYTES + 1), "$", None, "a larger file", ""),
    # keys
    ("journey: a", "$.truenorth", 1, "nothing", "add 'truenorth: ...'"),
    ("truenorth: 1", "$.journey", 1, "nothing", "add 'journey: ...'"),
    ("truenorth: 2\njourney: a", "$.truenorth", 1, "'2'", "truenorth: 1"),
    (HEAD + "momments: a", "$.momments", 3, "'momments'", "did you mean 'moments'?"),
    (HEAD + "campaigns: []", "$.campaigns", 3, "'campaigns'", ""),
    (HEAD + "no such key: 1", "$['no such key']", 3, "'no such key'", ""),
    (HEAD + "title: a\ntitle: b", "$.title", 4, "it a second time", "remove one"),
    (HEAD + "title:", "$.title", 3, "nothing", ""),
    (HEAD + "title: [a]", "$.title", 3, "a list of 1", ""),
    (HEAD + "journey2: b", "$.journey2", 3, "'journey2'", "did you mean 'journey'?"),
    ("truenorth: 1\njourney: a/b", "$.journey", 2, "'a/b'", ""),
    ("truenorth: 1\njourney: ''", "$.journey", 2, "''", ""),
    (HEAD + "fields: {typ: x}", "$.fields.typ", 3, "'typ'", "did you mean 'type'?"),
    (HEAD + "fields: {type: [x]}", "$.fields.type", 3, "a list of 1", ""),
    (HEAD + "fields: type", "$.fields", 3, "'type'", ""),
    (HEAD + "canvas: {outcomes: [x]}", "$.canvas.outcomes", 3, "'outcomes'", "did you mean 'outcome'?"),
    (HEAD + "canvas: {affects: {help: [x]}}", "$.canvas.affects.help", 3, "'help'", "did you mean 'helps'?"),
    (HEAD + "canvas:\n  outcome:\n    - a\n    - {b: c}", "$.canvas.outcome[1]", 6, "a mapping (b)", ""),
    # conditions
    (HEAD + "need: type == 'x'", "$.need", 3, "'==' at character 6 of 'type == 'x''", "write = once"),
    (HEAD + "need: type = 'a #b'", "$.need", 3, "a text that does not end", "' #'"),
    (HEAD + "promises: [{name: x, never: a = 'b, c = 'd'}]", "$.promises[0].never", 3, "does not end", "at a comma"),
    (HEAD + "need: [a]", "$.need", 3, "a list of 1", ""),
    (HEAD + "need:", "$.need", 3, "nothing", ""),
    (HEAD + "need: ''", "$.need", 3, "nothing at character 1", ""),
    (HEAD + "moments: decision\ndecisions: moment", "$.moments", 3, "moment and decision", "at most one"),
    (HEAD + "decisions: decision", "$.decisions", 3, "decision and internal", ""),
    # the outcome
    (HEAD + "outcome: {within: 3 dayz}", "$.outcome.within", 3, "'3 dayz'", "without spaces"),
    (HEAD + "outcome: {within: 3}", "$.outcome.within", 3, "'3'", "3h or 3d"),
    (HEAD + "outcome: {within: [3d]}", "$.outcome.within", 3, "a list of 1", ""),
    (HEAD + "outcome: {achieved: a, reopened: b}", "$.outcome.reopened", 3, "reopened without holds_for", "holds_for"),
    (HEAD + "outcome: {holds_for: 3d}", "$.outcome.holds_for", 3, "holds_for without achieved", ""),
    (HEAD + "outcome: {achieved: a, calendar: x}", "$.outcome.calendar", 3, "calendar without within", ""),
    (HEAD + "outcome: {value: {lost: 1}}", "$.outcome.value.lost", 3, "'lost'", ""),
    (HEAD + "outcome: {value: {failed: much}}", "$.outcome.value.failed", 3, "'much'", ""),
    (HEAD + "outcome: {value: {failed: '3'}}", "$.outcome.value.failed", 3, "'3'", "without quotes"),
    (HEAD + "outcome: {value: {failed: .inf}}", "$.outcome.value.failed", 3, "'.inf'", ""),
    (HEAD + "outcome: {value: {failed: 1e999}}", "$.outcome.value.failed", 3, "'1e999'", ""),
    (HEAD + "outcome: {within: 3d, calendar: x}", "$.outcome.calendar", 3, "'x'", "describe it"),
    # decisions
    (HEAD + "decisions: [{name: x}]", "$.decisions[0].when", 3, "nothing", "add 'when: ...'"),
    (HEAD + "decisions: [{when: a, kind: legal}]", "$.decisions[0].kind", 3, "'legal'", ""),
    (HEAD + "decisions: [{when: a, kind: strategical}]", "$.decisions[0].kind", 3, "'strategical'", "'strategic'"),
    (HEAD + "decisions: [{when: a, reviewed: May}]", "$.decisions[0].reviewed", 3, "'May'", ""),
    (HEAD + "decisions: {when: a}", "$.decisions", 3, "a mapping (when)", ""),
    (HEAD + "decisions: [a]", "$.decisions[0]", 3, "'a'", ""),
    # calendars
    (HEAD + "calendars: [a]", "$.calendars", 3, "a list of 1", ""),
    (HEAD + "calendars: {o: {}}", "$.calendars.o.hours", 3, "nothing", ""),
    (HEAD + "calendars: {o: {hours: {mon: 9-5}}}", "$.calendars.o.hours.mon", 3, "'9-5'", "24-hour"),
    (HEAD + "calendars: {o: {hours: {mon: '09:00-10:00'}}, o: {}}", "$.calendars.o", 3, "it a second time", ""),
    # promises
    (HEAD + "promises: {a: b}", "$.promises", 3, "a mapping (a)", ""),
    (HEAD + "promises: [a]", "$.promises[0]", 3, "'a'", ""),
    (HEAD + "promises: [{never: a}]", "$.promises[0].name", 3, "nothing", ""),
    (HEAD + "promises: [{name: 1a, never: a}]", "$.promises[0].name", 3, "'1a'", ""),
    (HEAD + "promises:\n- {name: x, never: a}\n- {name: x, never: b}", "$.promises[1].name", 5, "'x'", "$.promises[0]"),
    (HEAD + "promises: [{name: x}]", "$.promises[0]", 3, "only name", ""),
    (HEAD + "promises: [{name: x, after: a, within: 3d}]", "$.promises[0]", 3, "only name, after, within", ""),
    (HEAD + "promises: [{name: x, expect: a, within: 3d}]", "$.promises[0]", 3, "no after", "add after"),
    (HEAD + "promises: [{name: x, expect: a}]", "$.promises[0]", 3, "no at_least_every", ""),
    (HEAD + "promises: [{name: x, at_most: 1}]", "$.promises[0]", 3, "no of", ""),
    (HEAD + "promises: [{name: x, of: a}]", "$.promises[0]", 3, "no at_most", ""),
    (HEAD + "promises: [{name: x, total: cost}]", "$.promises[0]", 3, "no at_most", ""),
    (HEAD + "promises: [{name: x, before: a}]", "$.promises[0]", 3, "no require", ""),
    (HEAD + "promises: [{name: x, never: a, unless: b}]", "$.promises[0].unless", 3, "'unless' too", "remove unless"),
    (HEAD + "promises: [{name: x, never: a, of: b, at_most: 1}]", "$.promises[0].never", 3, "'never' too", ""),
    (HEAD + "promises: [{name: x, at_most: -1, of: a}]", "$.promises[0].at_most", 3, "'-1'", ""),
    (HEAD + "promises: [{name: x, at_most: 1.5, of: a}]", "$.promises[0].at_most", 3, "'1.5'", ""),
    (HEAD + "promises: [{name: x, at_most: many, of: a}]", "$.promises[0].at_most", 3, "'many'", ""),
    (HEAD + "promises: [{name: x, never: a, calendar: o}]", "$.promises[0].calendar", 3, "'o'", "no duration"),
    (HEAD + "promises: [{name: x, at_most: 1, of: a, calendar: o}]", "$.promises[0].calendar", 3, "", "no duration"),
    (HEAD + "promises: [{name: x, never: a, whithin: 3d}]", "$.promises[0].whithin", 3, "'whithin'", "'within'"),
    (
        HEAD + "calendars: {office: {hours: {mon: '09:00-10:00'}}}\n"
        "promises: [{name: x, never: a, within: 3d, calendar: ofice}]",
        "$.promises[0].calendar", 4, "'ofice'", "did you mean 'office'?",
    ),
]  # fmt: skip


class TestProblems:
    @pytest.mark.parametrize(("source", "path", "line", "found", "hint"), PROBLEMS)
    def test_each_is_told_with_its_place(
        self, source: str | bytes, path: str, line: int | None, found: str, hint: str
    ) -> None:
        loaded = load_journey(source)
        assert loaded.journey is None
        problem = loaded.errors[0]
        assert (problem.path, problem.line) == (path, line)
        assert found in problem.found
        assert hint in problem.hint
        assert problem.expected

    def test_one_mistake_is_one_problem(self) -> None:
        once = [
            HEAD + "momments: a",
            HEAD + "outcome: {within: x}",
            HEAD + "promises: [{name: x, after: a, expect: b, whithin: 3d}]",
            HEAD + "promises: [{name: x, expect: a, at_least_every: soon}]",
        ]
        for text in once:
            assert len(load_journey(text).problems) == 1, text

    def test_all_problems_at_once_sorted_by_line(self) -> None:
        text = (
            SUPPORT.replace("within: 3d ", "within: 3 days ").replace("Europe/Rome", "Rome").replace("need:", "neds:")
        )
        text = text.replace("never: feeling < -0.5", "never: feeling < ").replace("journey: support", "")
        loaded = load_journey(text, name="support.yaml")
        assert [problem.path for problem in loaded.problems] == [
            "$.journey",
            "$.neds",
            "$.outcome.within",
            "$.calendars.office.timezone",
            "$.promises[2].never",
        ]
        assert loaded.name == "support.yaml"
        lines = [problem.line or 0 for problem in loaded.problems]
        assert lines == sorted(lines)

    def test_what_was_found_is_cut(self) -> None:
        loaded = load_journey(HEAD + f"outcome: {{within: {'x' * 500}}}")
        assert len(loaded.problems[0].found) < 90

    @pytest.mark.parametrize(
        "text",
        [
            HEAD + "moments: " + "[" * 200_000,
            "{" * 200_000,
            "- " * 100_000,
            "? " * 100_000,
            "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(100)),
            HEAD + "".join(f"k{n}: 1\n" for n in range(20_000)),
            HEAD + "title: |\n" + " x\n" * 80_000,
            HEAD + "title: >\n" + " x\n\n" * 60_000,
            "# c\n" * 60_000,
            "[" + "a," * 100_000,
            HEAD + "moments: " + " or ".join(["decision"] * 300) + "\ndecisions: " + " or ".join(["a"] * 800),
            HEAD + "calendars: {o: {hours: {mon: '" + ",".join(["00:00-00:01"] * 20_000) + "'}}}",
        ],
    )
    def test_a_bomb_costs_a_moment(self, text: str) -> None:
        started = time.process_time()
        load_journey(text)
        assert time.process_time() - started < 4


LETTERS = st.sampled_from([*"{}[]:,'\"&*!|>%@`#-?\n\t \\0~=()<é\u2028\x85", "\n  ", "- ", ": ", "null", "<<: "])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The sample with a few pieces cut out, put in, or copied elsewhere."""
    text = SUPPORT
    for _ in range(draw(st.integers(1, 4))):
        at, to = draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))
        piece = draw(st.one_of(st.just(""), LETTERS, st.just(text[to : to + 30])))
        text = text[:at] + piece + text[at + draw(st.integers(0, 6)) :]
    return text


class TestFuzz:
    @settings(max_examples=150, deadline=None)
    @given(mutated())
    def test_a_damaged_file_is_a_journey_or_a_list_of_problems(self, text: str) -> None:
        self.check(text)

    @settings(max_examples=100, deadline=None)
    @given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
    def test_anything_is_a_journey_or_a_list_of_problems(self, source: str | bytes) -> None:
        self.check(source)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(LETTERS, max_size=60).map("".join))
    def test_any_yaml_signs(self, text: str) -> None:
        self.check(HEAD + text)

    def check(self, source: str | bytes) -> None:
        loaded = load_journey(source)
        assert (loaded.journey is None) == bool(loaded.errors)
        assert all(str(problem) and len(problem.found) < 400 for problem in loaded.problems)
