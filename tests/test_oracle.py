"""The oracle against rows worked out by hand: every rule of section 3, every numbered point of docs/semantics.md.

Times are in hours since an arbitrary beginning; events are numbered from 1 in order of arrival.
"""

from __future__ import annotations

from typing import Any

from oracle import Verdicts, evaluate

HOUR_US = 3_600_000_000
EPSILON = 1 / HOUR_US  # a microsecond, in hours
COLUMNS = {"id", "time", "case", "customer", "type", "actor", "team", "cost", "revenue", "feeling", "channel"}


def run(journey: dict[str, Any], *events: tuple[Any, ...], now: float | None = None, without: str = "") -> Verdicts:
    """Evaluate events given as (hour, type) or (hour, type, other fields); the case is `a` unless they say so."""
    rows = [
        {"id": str(at), "time": round(hour * HOUR_US), "case": "a", "type": kind, **(more[0] if more else {})}
        for at, (hour, kind, *more) in enumerate(events, 1)
    ]
    now_us = None if now is None else round(now * HOUR_US)
    return evaluate({"truenorth": 1, "journey": "j", **journey}, rows, columns=COLUMNS - {without}, now=now_us)


def in_hours(value: Any, key: str) -> Any:
    is_time = key in ("opened", "resolved", "closed", "outcome_time") and value is not None
    return value / HOUR_US if is_time else value


def case(verdicts: Verdicts, at: int = 0, **expected: Any) -> None:
    """The row of one case has these values."""
    row = verdicts.cases[at]
    assert {key: in_hours(row[key], key) for key in expected} == expected


def promises(verdicts: Verdicts, *expected: tuple[Any, ...]) -> None:
    """All rows of promises, as (promise, instance, started, due, verdict, decided, started_by, decided_by)."""
    rows = []
    for row in verdicts.promises:
        started, due, decided = (
            None if row[name] is None else row[name] / HOUR_US for name in ("started", "due", "decided")
        )
        ends = (row["started_by"], row["decided_by"])
        rows.append((row["promise"], row["instance"], started, due, row["verdict"], decided, *ends))
    assert rows == list(expected)


def outcome(**keys: Any) -> dict[str, Any]:
    return {"outcome": {"achieved": "type = 'done'", **keys}}


def promise(**keys: Any) -> dict[str, Any]:
    return {"promises": [{"name": "p", **keys}]}


RESPONSE = promise(after="type = 'ask'", expect="type = 'reply'", within="4h")
RHYTHM = promise(expect="type = 'note'", at_least_every="2h")
HOLD = {"holds_for": "5h", "reopened": "type = 'back'"}


class TestOrderAndOpening:
    def test_events_are_ordered_by_time_then_arrival(self) -> None:
        """Arrived first, the reply at 2 comes after the request at 1; at one time arrival decides."""
        promises(run(RESPONSE, (2, "reply"), (1, "ask")), ("p", 1, 1, 5, "kept", 2, "2", "1"))
        promises(run(RESPONSE, (1, "reply"), (1, "ask")), ("p", 1, 1, 5, "open", None, "2", None))

    def test_need_opens_and_earlier_events_count_as_before_need(self) -> None:
        verdicts = run({"need": "type = 'ask'"}, (0, "note"), (1, "note"), (2, "ask"), (3, "note"))
        case(verdicts, case="a", opened=2, events=2, outcome="open", closed=None)
        assert verdicts.summary["before_need"] == 2

    def test_without_a_case_column_the_customer_is_the_key(self) -> None:
        events = [(0, "ask", {"customer": "ann"}), (1, "ask", {"customer": "bob"}), (2, "ask", {"customer": "ann"})]
        verdicts = run({}, *events, without="case")
        assert [(row["case"], row["events"]) for row in verdicts.cases] == [("ann", 2), ("bob", 1)]

    def test_moments_and_decisions_default_to_false(self) -> None:
        case(run({}, (0, "ask"), (1, "done")), moments=0, decisions=0, internal=2)

    def test_no_outcome_never_closes(self) -> None:
        case(run({}, (0, "ask"), (1, "done"), now=10**6), outcome="open", closed=None, events=2)


class TestOutcome:
    def test_achieved_closes_at_once_without_holds_for(self) -> None:
        verdicts = run(outcome(value={"achieved": 100}), (0, "ask"), (3, "done"))
        case(verdicts, outcome="achieved", reason=None, resolved=3, outcome_time=3, closed=3, value=100)

    def test_the_opening_event_can_achieve(self) -> None:
        case(run(outcome(), (3, "done")), opened=3, resolved=3, closed=3, outcome="achieved", events=1)

    def test_failed_closes_and_wins_over_achieved(self) -> None:
        verdicts = run(outcome(failed="type in ('left', 'done')"), (0, "ask"), (3, "done"))
        case(verdicts, outcome="failed", reason="event", resolved=None, outcome_time=3, closed=3)

    def test_hold_is_achieved_at_the_achieving_event_and_closed_when_it_ends(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), now=6)
        case(verdicts, outcome="achieved", resolved=1, outcome_time=1, closed=6, reopened=0)

    def test_hold_is_open_before_its_end(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), now=6 - EPSILON)
        case(verdicts, outcome="open", reason=None, resolved=1, outcome_time=None, closed=None)

    def test_reopened_at_the_last_instant_of_the_hold(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), (6, "back"), now=100)
        case(verdicts, outcome="open", resolved=None, reopened=1, closed=None)

    def test_a_microsecond_after_the_hold_it_is_after_close(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), (6 + EPSILON, "back"))
        case(verdicts, outcome="achieved", reopened=0, closed=6, events=2)
        assert verdicts.summary["after_close"] == 1

    def test_a_later_achieved_event_while_resolved_changes_nothing(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), (4, "done"), now=6)
        case(verdicts, outcome="achieved", resolved=1, outcome_time=1, closed=6, events=3)

    def test_resolved_reopened_and_resolved_again(self) -> None:
        verdicts = run(outcome(**HOLD), (0, "ask"), (1, "done"), (2, "back"), (4, "done"), now=9)
        case(verdicts, outcome="achieved", resolved=4, outcome_time=4, closed=9, reopened=1, events=4)

    def test_holds_for_without_reopened_only_waits(self) -> None:
        verdicts = run(outcome(holds_for="5h"), (0, "ask"), (1, "done"), (2, "back"), now=6)
        case(verdicts, outcome="achieved", closed=6, reopened=0, events=3)

    def test_within_at_the_last_instant(self) -> None:
        case(run(outcome(within="3h"), (0, "ask"), (3, "done")), outcome="achieved", outcome_time=3)

    def test_within_missed_stays_failed_and_closes_at_the_achieving_event_without_a_hold(self) -> None:
        verdicts = run(outcome(within="3h", **HOLD), (0, "ask"), (3 + EPSILON, "note"), (7, "done"))
        case(verdicts, outcome="failed", reason="late", outcome_time=3, resolved=7, closed=7, events=3)

    def test_within_missed_at_the_end_of_data(self) -> None:
        journey = outcome(within="3h")
        case(run(journey, (0, "ask"), now=3), outcome="failed", reason="late", outcome_time=3, closed=None)
        case(run(journey, (0, "ask"), now=3 - EPSILON), outcome="open", outcome_time=None)

    def test_late_stays_late_at_a_failing_event(self) -> None:
        verdicts = run(outcome(within="3h", failed="type = 'left'"), (0, "ask"), (8, "left"))
        case(verdicts, outcome="failed", reason="late", outcome_time=3, closed=8, resolved=None)

    def test_within_passed_while_resolved_is_no_failure(self) -> None:
        verdicts = run(outcome(within="3h", **HOLD), (0, "ask"), (2, "done"), now=7)
        case(verdicts, outcome="achieved", outcome_time=2, closed=7)

    def test_silence_abandons(self) -> None:
        journey = outcome(abandoned_after="4h", value={"abandoned": -40})
        verdicts = run(journey, (0, "ask"), (2, "note"), now=6)
        case(verdicts, outcome="abandoned", reason="silence", outcome_time=6, closed=6, value=-40)
        case(run(journey, (0, "ask"), (2, "note"), now=6 - EPSILON), outcome="open", value=0)

    def test_an_event_at_the_end_of_the_silence_breaks_it(self) -> None:
        verdicts = run(outcome(abandoned_after="4h"), (0, "ask"), (4, "note"), (9, "note"))
        case(verdicts, outcome="abandoned", outcome_time=8, events=2)
        assert verdicts.summary["after_close"] == 1

    def test_a_resolved_case_is_not_silent(self) -> None:
        verdicts = run(outcome(abandoned_after="2h", **HOLD), (0, "ask"), (1, "done"), now=6)
        case(verdicts, outcome="achieved", closed=6)


EPISODES = {"need": "type = 'ask'", **outcome()}


class TestEpisodes:
    def test_after_close_need_opens_a_new_episode_and_the_rest_is_counted(self) -> None:
        verdicts = run(EPISODES, (0, "ask"), (1, "done"), (2, "note"), (3, "ask"), (4, "done"), (5, "ask"))
        assert [row["case"] for row in verdicts.cases] == ["a", "a#2", "a#3"]
        assert [row["outcome"] for row in verdicts.cases] == ["achieved", "achieved", "open"]
        assert verdicts.summary["after_close"] == 1

    def test_an_event_that_finds_its_case_closed_by_a_deadline_can_open_the_next(self) -> None:
        journey = {"need": "type = 'ask'", **outcome(abandoned_after="4h")}
        verdicts = run(journey, (0, "ask"), (5, "ask"), now=5)
        case(verdicts, 0, case="a", outcome="abandoned", closed=4, events=1)
        case(verdicts, 1, case="a#2", outcome="open", opened=5, events=1)

    def test_the_previous_team_starts_anew(self) -> None:
        events = [(0, "ask", {"team": "x"}), (1, "done", {"team": "y"}), (2, "ask", {"team": "x"})]
        verdicts = run(EPISODES, *events)
        assert [row["handovers"] for row in verdicts.cases] == [1, 0]

    def test_promises_start_anew(self) -> None:
        journey = EPISODES | promise(at_most=0, of="type = 'note'")
        verdicts = run(journey, (0, "ask"), (1, "note"), (2, "done"), (3, "ask"), (4, "done"))
        assert [(row["case"], row["instance"], row["verdict"]) for row in verdicts.promises] == [
            ("a", 1, "broken"),
            ("a#2", 1, "kept"),
        ]


class TestResponse:
    def test_kept_at_the_last_instant(self) -> None:
        promises(run(RESPONSE, (0, "ask"), (4, "reply")), ("p", 1, 0, 4, "kept", 4, "1", "2"))

    def test_broken_at_due(self) -> None:
        verdicts = run(RESPONSE, (0, "ask"), (4 + EPSILON, "reply"))
        promises(verdicts, ("p", 1, 0, 4, "broken", 4, "1", None))

    def test_at_the_end_of_data_what_is_due_now_expires(self) -> None:
        promises(run(RESPONSE, (0, "ask"), now=4), ("p", 1, 0, 4, "broken", 4, "1", None))
        promises(run(RESPONSE, (0, "ask"), now=4 - EPSILON), ("p", 1, 0, 4, "open", None, "1", None))

    def test_a_trigger_while_active_is_ignored(self) -> None:
        promises(run(RESPONSE, (0, "ask"), (1, "ask"), now=5), ("p", 1, 0, 4, "broken", 4, "1", None))

    def test_one_event_keeps_and_starts_the_next(self) -> None:
        journey = promise(after="type = 'ask'", expect="type = 'ask'", within="4h")
        rows = [("p", 1, 0, 4, "kept", 3, "1", "2"), ("p", 2, 3, 7, "open", None, "2", None)]
        promises(run(journey, (0, "ask"), (3, "ask")), *rows)

    def test_unless_lapses_but_expect_is_stronger(self) -> None:
        journey = promise(after="type = 'ask'", expect="type = 'reply'", within="4h", unless="type <> 'note'")
        promises(run(journey, (0, "ask"), (1, "note"), (2, "left")), ("p", 1, 0, 4, "lapsed", 2, "1", "3"))
        promises(run(journey, (0, "ask"), (2, "reply")), ("p", 1, 0, 4, "kept", 2, "1", "2"))

    def test_the_resolving_event_keeps_what_expects_it_and_lapses_the_rest(self) -> None:
        both = [
            {"name": "p", "after": "type = 'ask'", "expect": "type = 'done'", "within": "4h"},
            {"name": "q", "after": "type = 'ask'", "expect": "type = 'reply'", "within": "4h"},
        ]
        rows = [("p", 1, 0, 4, "kept", 2, "1", "2"), ("q", 1, 0, 4, "lapsed", 2, "1", "2")]
        promises(run({**outcome(**HOLD), "promises": both}, (0, "ask"), (2, "done"), now=3), *rows)

    def test_none_starts_while_resolved_but_at_the_reopening(self) -> None:
        journey = outcome(**HOLD) | promise(after="type in ('ask', 'back')", expect="type = 'reply'", within="1h")
        events = [(0, "done"), (1, "ask"), (2, "back"), (3, "reply")]
        promises(run(journey, *events), ("p", 1, 2, 3, "kept", 3, "3", "4"))

    def test_it_still_starts_while_late(self) -> None:
        journey = outcome(within="1h") | RESPONSE
        promises(run(journey, (0, "x"), (2, "ask"), (3, "reply")), ("p", 1, 2, 6, "kept", 3, "2", "3"))

    def test_the_closing_event_starts_nothing(self) -> None:
        promises(run(outcome() | promise(after="type = 'done'", expect="type = 'x'", within="1h"), (0, "done")))


class TestRhythm:
    def test_starts_at_the_opening_and_at_each_expected_event(self) -> None:
        rows = [("p", 1, 0, 2, "kept", 2, "1", "2"), ("p", 2, 2, 4, "kept", 3, "2", "3")]
        promises(
            run(RHYTHM, (0, "ask"), (2, "note"), (3, "note")),
            *rows,
            ("p", 3, 3, 5, "open", None, "3", None),
        )

    def test_the_expected_event_at_the_opening_starts_only_one(self) -> None:
        promises(run(RHYTHM, (0, "note")), ("p", 1, 0, 2, "open", None, "1", None))

    def test_after_a_break_nothing_until_the_next_expected_event(self) -> None:
        rows = [("p", 1, 0, 2, "broken", 2, "1", None), ("p", 2, 9, 11, "open", None, "3", None)]
        promises(run(RHYTHM, (0, "ask"), (8, "x"), (9, "note")), *rows)

    def test_lapses_when_resolved_and_starts_at_the_reopening(self) -> None:
        events = [(0, "ask"), (1, "done"), (1.5, "note"), (2, "back")]
        rows = [("p", 1, 0, 2, "lapsed", 1, "1", "2"), ("p", 2, 2, 4, "open", None, "4", None)]
        promises(run(outcome(**HOLD) | RHYTHM, *events), *rows)


class TestProhibitions:
    def test_absence_without_after_counts_the_opening_event_and_is_judged_once(self) -> None:
        journey = promise(never="type = 'bad'")
        promises(run(journey, (0, "bad"), (1, "bad")), ("p", 1, 0, None, "broken", 0, "1", "1"))

    def test_absence_with_after_does_not_count_its_trigger(self) -> None:
        journey = promise(after="type = 'bad'", never="type = 'bad'")
        rows = [("p", 1, 0, None, "broken", 1, "1", "2"), ("p", 2, 1, None, "open", None, "2", None)]
        promises(run(journey, (0, "bad"), (1, "bad")), *rows)

    def test_absence_is_kept_when_within_expires(self) -> None:
        journey = promise(after="type = 'ask'", never="type = 'bad'", within="3h")
        promises(run(journey, (0, "ask"), (3, "bad")), ("p", 1, 0, 3, "broken", 3, "1", "2"))
        promises(run(journey, (0, "ask"), (3 + EPSILON, "bad")), ("p", 1, 0, 3, "kept", 3, "1", None))

    def test_absence_with_within_from_the_opening_is_not_started_again(self) -> None:
        journey = promise(never="type = 'bad'", within="3h")
        promises(run(journey, (0, "ask"), (5, "bad")), ("p", 1, 0, 3, "kept", 3, "1", None))

    def test_absence_ended_by_expiry_starts_again_at_a_later_trigger(self) -> None:
        journey = promise(after="type = 'ask'", never="type = 'bad'", within="3h")
        rows = [("p", 1, 0, 3, "kept", 3, "1", None), ("p", 2, 4, 7, "broken", 5, "2", "3")]
        promises(run(journey, (0, "ask"), (4, "ask"), (5, "bad")), *rows)

    def test_prohibitions_go_on_while_resolved_and_can_start_then(self) -> None:
        """As `stays_fixed` of the reference: the resolving event starts it, the reopening breaks it."""
        journey = outcome(**HOLD) | promise(after="type = 'done'", never="type = 'back'", within="2h")
        rows = [("p", 1, 1, 3, "broken", 2, "2", "3"), ("p", 2, 4, 6, "open", None, "4", None)]
        promises(run(journey, (0, "ask"), (1, "done"), (2, "back"), (4, "done")), *rows)

    def test_limit_is_broken_when_exceeded(self) -> None:
        journey = promise(at_most=1, of="type = 'x'")
        promises(run(journey, (0, "x"), (1, "y")), ("p", 1, 0, None, "open", None, "1", None))
        promises(run(journey, (0, "x"), (1, "y"), (2, "x")), ("p", 1, 0, None, "broken", 2, "1", "3"))

    def test_limit_of_handovers(self) -> None:
        journey = promise(at_most=1, of="handover")
        teams = ["x", None, "y", "y", "x"]
        verdicts = run(journey, *((at, "e", {"team": team}) for at, team in enumerate(teams)))
        promises(verdicts, ("p", 1, 0, None, "broken", 4, "1", "5"))
        case(verdicts, handovers=2)

    def test_limit_with_after_counts_anew(self) -> None:
        journey = promise(at_most=0, of="type = 'x'", after="type = 'x'")
        rows = [("p", 1, 0, None, "broken", 1, "1", "2"), ("p", 2, 1, None, "open", None, "2", None)]
        promises(run(journey, (0, "x"), (1, "x"), (2, "y")), *rows)

    def test_total_is_broken_when_the_running_sum_exceeds(self) -> None:
        journey = promise(at_most=2, total="cost")
        costs = [2.0, None, -1.0, 0.75, 0.5]
        verdicts = run(journey, *((at, "e", {"cost": cost}) for at, cost in enumerate(costs)))
        promises(verdicts, ("p", 1, 0, None, "broken", 4, "1", "5"))
        case(verdicts, cost=2.25)

    def test_total_where(self) -> None:
        journey = promise(at_most=2, total="cost", where="type = 'x'")
        events = [(0, "y", {"cost": 9.0}), (1, "x", {"cost": 2.0}), (2, "x", {"cost": 0.25})]
        promises(run(journey, *events), ("p", 1, 0, None, "broken", 2, "1", "3"))

    def test_total_with_after_does_not_count_the_trigger(self) -> None:
        journey = promise(at_most=2, total="cost", after="type = 'x'")
        events = [(0, "x", {"cost": 9.0}), (1, "y", {"cost": 2.0})]
        promises(run(outcome() | journey, *events, (3, "done")), ("p", 1, 0, None, "kept", 3, "1", "3"))


CHECKED_FIRST = promise(before="type = 'close'", require="type = 'check'")


class TestPrecedence:
    def test_each_before_event_is_decided_at_once(self) -> None:
        rows = [("p", 1, 0, None, "broken", 0, "1", "1"), ("p", 2, 2, None, "kept", 2, "3", "3")]
        promises(run(CHECKED_FIRST, (0, "close"), (1, "check"), (2, "close")), *rows)

    def test_only_events_of_the_case_count(self) -> None:
        journey = {"need": "type = 'ask'", **CHECKED_FIRST}
        promises(run(journey, (0, "check"), (1, "ask"), (2, "close")), ("p", 1, 2, None, "broken", 2, "3", "3"))


class TestExpiryAndClose:
    def test_deadlines_expire_in_order_before_an_event(self) -> None:
        """The response breaks at 2; silence then closes the case at 3, before the event at 9."""
        journey = outcome(abandoned_after="3h") | promise(after="type = 'ask'", expect="type = 'x'", within="2h")
        verdicts = run(journey, (0, "ask"), (9, "x"))
        promises(verdicts, ("p", 1, 0, 2, "broken", 2, "1", None))
        case(verdicts, closed=3, broken=1)

    def test_at_one_instant_the_outcome_comes_first(self) -> None:
        """Silence ends at 2, when the response is due: the case closes, the response lapses."""
        journey = outcome(abandoned_after="2h") | promise(after="type = 'ask'", expect="type = 'x'", within="2h")
        verdicts = run(journey, (0, "ask"), now=9)
        promises(verdicts, ("p", 1, 0, 2, "lapsed", 2, "1", None))
        case(verdicts, lapsed=1, kept=0, broken=0, open=0)

    def test_closed_by_an_event_prohibitions_are_kept(self) -> None:
        journey = outcome() | promise(never="type = 'bad'")
        promises(run(journey, (0, "ask"), (2, "done")), ("p", 1, 0, None, "kept", 2, "1", "2"))

    def test_failing_lapses_obligations(self) -> None:
        verdicts = run(outcome(failed="type = 'left'") | RESPONSE, (0, "ask"), (2, "left"))
        promises(verdicts, ("p", 1, 0, 4, "lapsed", 2, "1", "2"))

    def test_the_end_of_a_hold_keeps_prohibitions(self) -> None:
        journey = outcome(**HOLD) | promise(never="type = 'bad'")
        promises(run(journey, (0, "ask"), (2, "done"), now=7), ("p", 1, 0, None, "kept", 7, "1", None))


class TestPointsOnCounting:
    def test_01_no_key_then_filtered_then_before_need_then_after_close(self) -> None:
        journey = {"only": "type <> 'noise'", "need": "type = 'ask'", **outcome()}
        events = [
            (0, "noise", {"case": None}),  # no key, though it fails `only` too
            (1, "noise"),  # filtered, though it comes before the need too
            (2, "note"),
            (3, "ask"),
            (4, "noise"),
            (5, "done"),
            (6, "note"),
            (7, None),  # a comparison with null is false: filtered
        ]
        summary = run(journey, *events).summary
        counted = {name: summary[name] for name in ("events", "no_key", "filtered", "before_need", "after_close")}
        assert counted == {"events": 8, "no_key": 1, "filtered": 3, "before_need": 1, "after_close": 1}
        assert summary["cases"] == 1

    def test_02_events_after_now_are_not_read(self) -> None:
        verdicts = run(RESPONSE, (0, "ask"), (3, "reply"), (9, "ask"), now=2)
        assert verdicts.summary["events"] == 1
        promises(verdicts, ("p", 1, 0, 4, "open", None, "1", None))

    def test_02_now_is_the_watermark(self) -> None:
        case(run(outcome(within="5h"), (0, "ask"), (3, "reply"), now=5), outcome="failed")
        case(run(outcome(within="5h"), (0, "ask"), (3, "reply")), outcome="open")

    def test_the_watermark_is_the_last_time_of_any_event(self) -> None:
        verdicts = run(RESPONSE, (0, "ask"), (9, "x", {"case": None}))
        promises(verdicts, ("p", 1, 0, 4, "broken", 4, "1", None))

    def test_03_customer_is_the_first_that_is_known_among_the_case_s_own_events(self) -> None:
        events = [(0, "note", {"customer": "no"}), (1, "ask"), (2, "x", {"customer": "ann"})]
        case(run({"need": "type = 'ask'"}, *events, (3, "x", {"customer": "bob"})), customer="ann")

    def test_04_value_is_0_where_none_is_given(self) -> None:
        case(run(outcome(value={"achieved": 5}), (0, "ask")), value=0)
        case(run(outcome(value={"failed": 5}), (0, "done")), value=0)

    def test_05_null_and_nan_count_0(self) -> None:
        events = [(0, "x", {"cost": None}), (1, "x", {"cost": float("nan")}), (2, "x", {"cost": 1, "revenue": 2.5})]
        case(run({}, *events), cost=1.0, revenue=2.5)

    def test_06_cases_come_by_first_appearance_of_their_key(self) -> None:
        journey = {"need": "type = 'ask'", **outcome()}
        events = [(9, "note", {"case": "b"}), (0, "ask"), (1, "done"), (2, "ask"), (10, "ask", {"case": "b"})]
        assert [row["case"] for row in run(journey, *events).cases] == ["b", "a", "a#2"]

    def test_06_promises_come_by_case_then_file_order_then_instance(self) -> None:
        two = [
            {"name": "z", "before": "type = 'x'", "require": "type = 'y'"},
            {"name": "b", "never": "type = 'y'"},
        ]
        verdicts = run({"promises": two}, (0, "x"), (1, "x", {"case": "0"}), (2, "x"))
        rows = [(row["case"], row["promise"], row["instance"]) for row in verdicts.promises]
        assert rows == [("a", "z", 1), ("a", "z", 2), ("a", "b", 1), ("0", "z", 1), ("0", "b", 1)]

    def test_the_summary_adds_up(self) -> None:
        journey = {"moments": "type = 'ask'", "decisions": "type in ('ask', 'done')"}
        journey |= outcome(value={"achieved": 7}) | promise(never="type = 'x'")
        events = [(0, "ask", {"cost": 1.0}), (1, "note", {"revenue": 2.0}), (2, "done"), (3, "ask", {"case": "b"})]
        assert run(journey, *events).summary == {
            "events": 4,
            "filtered": 0,
            "no_key": 0,
            "before_need": 0,
            "after_close": 0,
            "cases": 2,
            "outcome": {"achieved": 1, "failed": 0, "abandoned": 0, "open": 1},
            "promises": {"p": {"kept": 1, "broken": 0, "lapsed": 0, "open": 1}},
            "moments": 2,
            "decisions": 3,
            "handovers": 0,
            "internal": 1,
            "cost": 1.0,
            "revenue": 2.0,
            "value": 7,
        }

    def test_an_empty_log(self) -> None:
        verdicts = run(RESPONSE)
        assert (verdicts.cases, verdicts.promises, verdicts.summary["cases"]) == ([], [], 0)


class TestPointsOnFlags:
    def test_09_the_opening_event_is_no_handover(self) -> None:
        journey = {"need": "type = 'ask' and not handover"}
        events = [(0, "note", {"team": "x"}), (1, "ask", {"team": "y"}), (2, "note", {"team": "z"})]
        case(run(journey, *events), events=2, handovers=1)

    def test_09_outside_a_case_handover_is_false(self) -> None:
        events = [(0, "ask", {"team": "x"}), (1, "ask", {"team": "y"})]
        assert run({"only": "handover"}, *events).summary["filtered"] == 2
        assert run({"need": "handover"}, *events).summary["before_need"] == 2

    def test_handover_is_of_actors_where_the_log_has_no_team(self) -> None:
        events = [(0, "x", {"actor": "eve"}), (1, "x", {"actor": None}), (2, "x", {"actor": "max"})]
        case(run({}, *events, without="team"), handovers=1)
        case(run({}, *events), handovers=0)

    def test_10_internal_is_neither_and_an_event_may_be_both(self) -> None:
        journey = {"moments": "type in ('m', 'both')", "decisions": "type in ('d', 'both')"}
        verdicts = run(journey, (0, "m"), (1, "d"), (2, "both"), (3, "x"))
        case(verdicts, moments=2, decisions=2, internal=1, events=4)

    def test_moments_may_ask_for_handovers(self) -> None:
        events = [(0, "x", {"team": "x"}), (1, "x", {"team": "y"})]
        case(run({"moments": "handover"}, *events), moments=1, internal=1)


class TestPointsOnOutcome:
    def test_11_one_event_moves_the_outcome_one_step(self) -> None:
        """An event that achieves and reopens resolves an open case, reopens a resolved one, resolves it again."""
        journey = outcome(holds_for="5h", reopened="type = 'done'")
        verdicts = run(journey, (0, "done"), (1, "done"), now=1)
        case(verdicts, reopened=1, resolved=None, outcome="open")
        case(run(journey, (0, "done"), (1, "done"), (2, "done"), now=2), reopened=1, resolved=2)

    def test_11_failed_before_reopened(self) -> None:
        verdicts = run(outcome(failed="type = 'back'", **HOLD), (0, "done"), (1, "back"))
        case(verdicts, outcome="failed", reopened=0, closed=1)

    def test_12_failed_ends_a_resolved_case(self) -> None:
        verdicts = run(outcome(failed="type = 'left'", **HOLD), (0, "ask"), (1, "done"), (2, "left"), now=99)
        case(verdicts, outcome="failed", reason="event", outcome_time=2, resolved=1, closed=2)

    def test_13_late_and_silent_at_one_instant(self) -> None:
        verdicts = run(outcome(within="4h", abandoned_after="4h"), (0, "ask"), now=4)
        case(verdicts, outcome="failed", reason="late", outcome_time=4, closed=4)

    def test_14_reopened_after_the_deadline_is_late_at_the_reopening(self) -> None:
        verdicts = run(outcome(within="3h", **HOLD), (0, "ask"), (2, "done"), (4, "back"))
        case(verdicts, outcome="failed", reason="late", outcome_time=4, closed=None, resolved=None, reopened=1)

    def test_14_reopened_at_the_deadline_leaves_it_pending(self) -> None:
        journey = outcome(within="3h", **HOLD)
        verdicts = run(journey, (0, "ask"), (2, "done"), (3, "back"))
        case(verdicts, outcome="failed", reason="late", outcome_time=3, reopened=1)
        again = run(journey, (0, "ask"), (2, "done"), (3, "back"), (3, "done"), now=8)
        case(again, outcome="achieved", outcome_time=3, closed=8)

    def test_14_reopened_before_the_deadline_fails_at_the_deadline(self) -> None:
        verdicts = run(outcome(within="3h", **HOLD), (0, "ask"), (1, "done"), (2, "back"), (9, "x"))
        case(verdicts, outcome="failed", reason="late", outcome_time=3, closed=None)

    def test_15_reason_and_time_of_each_verdict(self) -> None:
        journey = outcome(failed="type = 'left'", within="3h", abandoned_after="2h")
        rows = [
            run(journey, (0, "ask"), (1, "done")),
            run(journey, (0, "ask"), (1, "left")),
            run(journey, (0, "ask"), (2, "x"), (4, "x")),
            run(journey, (0, "ask"), now=2),
            run(journey, (0, "ask")),
        ]
        found = [(row["outcome"], row["reason"], row["outcome_time"]) for row in (each.cases[0] for each in rows)]
        assert found == [
            ("achieved", None, HOUR_US),
            ("failed", "event", HOUR_US),
            ("failed", "late", 3 * HOUR_US),
            ("abandoned", "silence", 2 * HOUR_US),
            ("open", None, None),
        ]

    def test_16_resolved_is_set_when_late_and_cleared_by_a_reopening(self) -> None:
        case(run(outcome(within="1h"), (0, "ask"), (3, "done")), resolved=3, closed=3, reason="late")
        case(run(outcome(**HOLD), (0, "done"), (3, "back")), resolved=None)

    def test_17_a_late_case_closes_by_silence(self) -> None:
        verdicts = run(outcome(within="3h", abandoned_after="4h"), (0, "ask"), (2, "x"), (5, "y"), now=9)
        case(verdicts, outcome="failed", reason="late", outcome_time=3, closed=9)

    def test_17_silence_starts_anew_with_the_reopening(self) -> None:
        verdicts = run(outcome(abandoned_after="4h", **HOLD), (0, "done"), (3, "back"), now=7)
        case(verdicts, outcome="abandoned", outcome_time=7, reopened=1)


class TestPointsOnPromises:
    def test_18_decided_by_is_the_event_or_null_for_a_deadline(self) -> None:
        never = promise(never="type = 'bad'")
        promises(run(outcome() | never, (0, "ask"), (1, "done")), ("p", 1, 0, None, "kept", 1, "1", "2"))
        silent = run(outcome(abandoned_after="1h") | never, (0, "ask"), now=5)
        promises(silent, ("p", 1, 0, None, "kept", 1, "1", None))

    def test_19_started_decided_and_due_of_a_precedence(self) -> None:
        promises(run(CHECKED_FIRST, (3, "close")), ("p", 1, 3, None, "broken", 3, "1", "1"))

    def test_20_precedence_is_judged_while_resolved(self) -> None:
        verdicts = run(outcome(**HOLD) | CHECKED_FIRST, (0, "done"), (1, "check"), (2, "close"))
        promises(verdicts, ("p", 1, 2, None, "kept", 2, "3", "3"))

    def test_20_precedence_is_judged_at_the_event_that_closes(self) -> None:
        journey = outcome() | promise(before="type = 'done'", require="type = 'check'")
        promises(run(journey, (0, "check"), (1, "done")), ("p", 1, 1, None, "kept", 1, "2", "2"))

    def test_21_the_before_event_itself_does_not_count(self) -> None:
        journey = promise(before="type = 'x'", require="type = 'x'")
        rows = [("p", 1, 0, None, "broken", 0, "1", "1"), ("p", 2, 0, None, "kept", 0, "2", "2")]
        promises(run(journey, (0, "x"), (0, "x")), *rows)

    def test_22_a_trigger_counts_towards_an_active_instance(self) -> None:
        journey = promise(at_most=1, of="type = 'x'", after="type = 'x'")
        rows = [("p", 1, 0, None, "broken", 2, "1", "3"), ("p", 2, 2, None, "open", None, "3", None)]
        promises(run(journey, (0, "x"), (1, "x"), (2, "x")), *rows)

    def test_25_without_need_only_the_first_event_of_a_key_opens(self) -> None:
        verdicts = run({"only": "type <> 'noise'", **outcome()}, (0, "noise"), (1, "ask"), (2, "done"), (3, "ask"))
        case(verdicts, case="a", opened=1, events=2)
        assert (len(verdicts.cases), verdicts.summary["after_close"]) == (1, 1)


OFFICE = {"mon-fri": "09:00-18:00"}


class TestCalendarsOfAJourney:
    def test_a_promise_and_the_outcome_count_open_hours(self) -> None:
        """1 January 1970, when hours count from, was a Thursday."""
        journey = {
            "calendars": {"office": {"hours": OFFICE}},
            **outcome(within="10h", calendar="office", abandoned_after="60h"),
            **promise(expect="type = 'x'", at_least_every="9h", calendar="office"),
        }
        verdicts = run(journey, (17, "ask"), now=48)
        promises(verdicts, ("p", 1, 17, 41, "broken", 41, "1", None))
        case(verdicts, outcome="failed", reason="late", outcome_time=42)

    def test_a_promise_without_deadline_waits_for_the_close(self) -> None:
        journey = {
            "calendars": {"never": {"hours": {}}},
            **outcome(),
            **promise(after="type = 'ask'", expect="type = 'x'", within="1h", calendar="never"),
        }
        promises(run(journey, (0, "ask"), (99, "done")), ("p", 1, 0, None, "lapsed", 99, "1", "2"))
