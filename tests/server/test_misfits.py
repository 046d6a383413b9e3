"""No event and no journey ends the judging of the others, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.test_live_equals_replay import Clock, assert_equals_replay, publish
from server.test_signals import TEA
from truenorth.engine.live import Live
from truenorth.events import Event
from truenorth.server.columns import Columns, Records, Sight, records
from truenorth.server.runner import Runner
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import InvalidJourney
from truenorth.store.opening import Store
from truenorth.store.ports import Stored

CONDITIONS = ["n > 5", "-n > 1", "n * 2 > m", "n", "n and m", "n > timestamp '2026-01-01'", "n = 'abc'"]
VALUES = [
    7,
    1.5,
    10**30,
    2**63,
    -(10**400),
    1e308,
    "abc",
    "7",
    "",
    True,
    None,
    [1],
    {"a": 1},
    "2026-01-02T00:00:00Z",
    "2026-99-02",
]


def journey(condition: str) -> dict[str, Any]:
    return {**TEA, "promises": [{"name": "fits", "never": condition}]}


def event(number: int, **properties: Any) -> Event:
    text = json.dumps({"properties": properties}).encode()
    case = f"T{number}"
    return Event(
        source="bar", id=case, type="asked", time_us=number, received_us=0, customer="ann", case=case, properties=text
    )


def look(columns: Columns, seen: Records, ends: list[int]) -> Sight:
    """What is seen in some batches, each of which the journey can take."""
    sight = Sight()
    for end in [*ends, len(seen)]:
        sight = columns.look(sight, seen[:end])
        columns.frame(sight, seen[:end])
    return sight


@settings(deadline=None)
@given(
    condition=st.sampled_from(CONDITIONS),
    values=st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), max_size=6),
    data=st.data(),
)
def test_any_values_can_be_judged_in_any_order(condition: str, values: list[Any], data: st.DataObject) -> None:
    loaded = parse_journey(json.dumps(journey(condition)))
    columns = Columns(loaded)
    seen = records((Stored(at, event(at, n=n, m=m)) for at, (n, m) in enumerate(values)), lambda one: one)
    sight = look(columns, seen, sorted(data.draw(st.lists(st.integers(0, len(seen)), max_size=3))))
    other = look(columns, Records(data.draw(st.permutations(seen))), [])
    assert (sight.schema(), sight.misfits()) == (other.schema(), other.misfits())
    live = Live(loaded, sight.schema())
    assert live.take(columns.frame(sight, seen), 100).taken["index"].tolist() == list(range(len(seen)))


def test_what_a_replay_can_read_is_read_as_there() -> None:
    """Only where a replay refuses the columns are they read otherwise."""
    columns = Columns(parse_journey(json.dumps(journey("n > 5"))))
    seen = records([Stored(1, event(1, n=7)), Stored(2, event(2, n="abc"))], lambda one: one)
    sight = columns.look(Sight(), seen)
    assert sight.misfits() == []
    assert columns.frame(sight, seen)["n"].to_list() == ["7", "abc"]


def test_a_value_that_does_not_fit_is_absent_and_ends_nothing(store: Store, tmp_path: Path) -> None:
    text = publish(store, {**journey("n * 2 > 5"), "journey": "sums"})
    publish(store, TEA)
    runner = Runner(store, clock=Clock(100), lateness_us=0)
    store.events.append([event(1, n=7)])
    runner.step()
    store.events.append([event(2, n="abc"), event(3, n=9)])
    for judging in (runner, Runner(store, clock=Clock(100), lateness_us=0)):
        judging.step()
        assert [len(store.results.cases(name)) for name in ("sums", "tea")] == [3, 3]
        _, promises = store.results.rows_of("sums", ["T1", "T2", "T3"])
        assert {row.case: row.verdict for row in promises} == {"T1": "broken", "T2": "open", "T3": "broken"}
    with pytest.raises(InvalidJourney):
        assert_equals_replay(store, text, tmp_path, 100)


def test_a_journey_that_cannot_be_judged_ends_no_other(store: Store) -> None:
    store.journeys.publish("broken", "no journey at all", now_us=0)
    publish(store, TEA)
    runner = Runner(store, clock=Clock(100), lateness_us=0)
    store.events.append([event(1)])
    runner.step()
    assert [len(store.results.cases(name)) for name in ("broken", "tea")] == [0, 1]
    publish(store, {**TEA, "journey": "broken"})
    runner.step()
    assert [len(store.results.cases(name)) for name in ("broken", "tea")] == [1, 1]
