"""What is told, with its corrections, is the truth in the end; nothing is told twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from server.test_live_equals_replay import (
    HOUR_US,
    Clock,
    assert_equals_replay,
    event_of,
    live_through,
    publish,
    small_pieces,
    stored_rows,
    with_statements,
)
from strategies import VALUES, random_pack
from truenorth.events import Event
from truenorth.server.runner import PUT_BACK_US, STANDS_US, Runner
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import Signal

VERDICTS = {"kept", "broken", "lapsed"}
OUTCOMES = {"achieved", "failed", "abandoned"}


def primer(time_us: int) -> Event:
    """An event that shows every column, so that none of them is new later on."""
    full = {name: next(value for value in values if value is not None) for name, values in VALUES.items()}
    return event_of({**full, "id": "primer", "time": time_us, "case": "primer", "customer": "primer"}, 0)


def all_signals(store: Store) -> list[Signal]:
    return list(store.signals.read(limit=1_000_000))


def folded(signals: list[Signal]) -> tuple[dict[Any, str], dict[Any, str]]:
    """The verdicts and outcomes that somebody who reads all signals believes in."""
    verdicts: dict[Any, str] = {}
    outcomes: dict[Any, str] = {}
    for signal in signals:
        body = msgspec.json.decode(signal.body)
        about: dict[Any, str] = verdicts if "promise" in body else outcomes
        key = (signal.case, body["promise"], body["instance"]) if "promise" in body else signal.case
        if signal.kind == "corrected":
            about.pop(key, None)
            now = body.get("verdict") or body["outcome"]
            if not body["gone"] and now != "open":
                about[key] = now
        elif signal.kind in VERDICTS | OUTCOMES:
            assert key not in about, f"told twice: {signal}"
            about[key] = signal.kind
    return verdicts, outcomes


@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_is_the_truth_in_the_end(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
    rng = np.random.default_rng(seed)
    kinds: set[str] = set()
    for at, (journey, made, _, _) in enumerate(random_pack(seed, 8)):
        if not made:
            continue
        rng.shuffle(made)  # type: ignore[arg-type]
        first_us = min(event["time"] for event in made)
        events = [primer(first_us - HOUR_US), *(event_of(event, place) for place, event in enumerate(made))]
        last_us = max(event.time_us for event in events)
        with open_store(f"sqlite:///{tmp_path}/{at}.db") as store:
            publish(store, journey)
            live_through(store, with_statements(events, rng), rng, last_us)
            signals = all_signals(store)
            assert "judged_anew" not in {signal.kind for signal in signals}
            verdicts, outcomes = folded(signals)
            cases, promises = stored_rows(store, journey["journey"])
            given = {(row["case"], row["promise"], row["instance"]): row["verdict"] for row in promises}
            assert verdicts == {key: verdict for key, verdict in given.items() if verdict != "open"}
            assert outcomes == {row["case"]: row["outcome"] for row in cases if row["outcome"] != "open"}
            kinds |= {signal.kind for signal in signals}
    assert {"opened", "kept", "broken", "failed", "corrected"} <= kinds


TEA = {
    "truenorth": 1,
    "journey": "tea",
    "need": "type = 'asked'",
    "outcome": {"achieved": "type = 'served'", "abandoned_after": "1d"},
    "promises": [{"name": "soon", "after": "type = 'asked'", "expect": "type = 'served'", "within": "1h"}],
}


def asked(id: str, kind: str, time_us: int) -> Event:  # noqa: A002  # the field's name
    return Event(source="bar", id=id, type=kind, time_us=time_us, received_us=0, customer="ann", case="T1")


def kinds_of(store: Store, after: int = 0) -> list[str]:
    return [signal.kind for signal in store.signals.read(after)]


def test_a_promise_breaks_at_its_due_instant_with_no_event_arriving(store: Store) -> None:
    publish(store, TEA)
    clock = Clock(10)
    runner = Runner(store, clock=clock, lateness_us=0)
    runner.step()
    store.events.append([asked("1", "asked", 10)])
    runner.step()
    assert kinds_of(store) == ["opened"]
    clock.at_us = 10 + HOUR_US - 1
    runner.step()
    assert kinds_of(store) == ["opened"]
    clock.at_us = 10 + HOUR_US
    runner.step()
    assert kinds_of(store) == ["opened", "broken"]
    signal = all_signals(store)[-1]
    assert (signal.time_us, signal.case, signal.customer) == (10 + HOUR_US, "T1", "ann")


def test_a_late_event_corrects_what_was_told(store: Store) -> None:
    publish(store, TEA)
    clock = Clock(2 * HOUR_US)
    runner = Runner(store, clock=clock, lateness_us=0)
    runner.step()
    store.events.append([asked("1", "asked", 10)])
    runner.step()
    assert kinds_of(store) == ["opened", "broken"]
    store.events.append([asked("2", "served", HOUR_US // 2)])
    runner.step()
    assert sorted(kinds_of(store)[2:]) == ["achieved", "corrected"]
    corrected = next(signal for signal in all_signals(store) if signal.kind == "corrected")
    body = msgspec.json.decode(corrected.body)
    assert (body["verdict"], body["was"]["verdict"], body["gone"]) == ("kept", "broken", False)


def test_history_before_a_journey_was_published_is_judged_and_not_told(store: Store) -> None:
    store.events.append([asked("1", "asked", 10), asked("2", "served", 20)])
    publish(store, TEA)
    runner = Runner(store, clock=Clock(100), lateness_us=0)
    runner.step()
    assert kinds_of(store) == []
    assert [row.outcome for row in store.results.cases("tea")] == ["achieved"]


def test_a_new_version_of_a_journey_judges_everything_by_it(store: Store) -> None:
    publish(store, TEA)
    runner = Runner(store, clock=Clock(100), lateness_us=0)
    runner.step()
    store.events.append([asked("1", "asked", 10), asked("2", "served", 20)])
    runner.step()
    publish(store, {**TEA, "outcome": {"achieved": "type = 'drunk'"}})
    runner.step()
    assert [row.outcome for row in store.results.cases("tea")] == ["open"]


def test_after_an_erasure_all_is_judged_anew_with_no_event_arriving(store: Store) -> None:
    publish(store, TEA)
    runner = Runner(store, clock=Clock(10), lateness_us=0)
    bobs = msgspec.structs.replace(asked("2", "asked", 10), customer="bob", case="T2")
    store.events.append([asked("1", "asked", 10), bobs])
    runner.step()
    before = store.results.progress("tea")
    store.people.erase(["bob"], asked_by="admin", now_us=1, scrub=False)
    runner.step()
    runner.step()
    after = store.results.progress("tea")
    assert (before.n_events, after.n_events) == (2, 1)
    assert [row.case for row in store.results.cases("tea")] == ["T1"]


def test_figures_of_a_time_in_which_nothing_happened_are_not_old(store: Store) -> None:
    publish(store, TEA)
    clock = Clock(10)
    runner = Runner(store, clock=clock, lateness_us=0)
    store.events.append([asked("1", "asked", 10), asked("2", "served", 10)])
    runner.step()
    clock.at_us = 9 * STANDS_US
    runner.step()
    clock.at_us += STANDS_US - 1
    runner.step()
    assert store.results.progress("tea").watermark_us == 9 * STANDS_US
    assert store.results.progress("tea").position == store.events.last_position()


def test_what_a_clock_ahead_let_fall_due_is_judged_anew_when_it_is_put_back(store: Store, tmp_path: Path) -> None:
    text = publish(store, TEA)
    clock = Clock(10)
    runner = Runner(store, clock=clock, lateness_us=0)
    store.events.append([asked("1", "asked", 10)])
    runner.step()
    clock.at_us = 2 * HOUR_US
    runner.step()
    assert kinds_of(store) == ["opened", "broken"]
    clock.at_us = 20
    bobs = msgspec.structs.replace(asked("2", "asked", 15), customer="bob", case="T2")
    store.events.append([bobs])
    runner.step()
    assert kinds_of(store) == ["opened", "broken", "judged_anew", "opened"]
    assert_equals_replay(store, text, tmp_path, 20)
    clock.at_us = 3 * HOUR_US
    runner.step()
    clock.at_us -= PUT_BACK_US  # as much as other machines' clocks may be apart
    runner.step()
    assert kinds_of(store) == ["opened", "broken", "judged_anew", "opened", "broken", "broken"]


def test_a_runner_that_was_overtaken_writes_nothing_and_goes_on_from_the_other(store: Store) -> None:
    publish(store, TEA)
    clock = Clock(10)
    first, second = (Runner(store, clock=clock, lateness_us=0) for _ in range(2))
    first.step()
    store.events.append([asked("1", "asked", 10)])
    first.step()
    second.step()
    clock.at_us = 10 + HOUR_US
    second.step()
    first.step()  # its step is refused: it begins anew
    first.step()
    assert kinds_of(store) == ["opened", "broken"]
    store.events.append([asked("2", "served", 20 + HOUR_US)])
    first.step()
    assert kinds_of(store) == ["opened", "broken", "achieved"]


@pytest.mark.parametrize("is_packed", [False, True])
def test_who_is_who_may_turn_out_while_no_runner_is_there(is_packed: bool, store: Store, tmp_path: Path) -> None:
    text = publish(store, TEA)
    runner = Runner(store, clock=Clock(50), lateness_us=0)
    runner.step()
    unknown = msgspec.structs.replace(asked("1", "asked", 10), customer="browser", case=None)
    store.events.append([unknown])
    runner.step()
    if is_packed:
        runner.finish()
    known = msgspec.structs.replace(asked("2", "served", 20), case=None, other_id="browser", other_kind="anonymous")
    store.events.append([known])
    Runner(store, clock=Clock(50), lateness_us=0).step()
    assert [(row.case, row.outcome) for row in store.results.cases("tea")] == [("ann", "achieved")]
    assert_equals_replay(store, text, tmp_path, 50)
