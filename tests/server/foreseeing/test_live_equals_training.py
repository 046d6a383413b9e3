"""A row of features is the same live and in training: a simulated day, event by event, on a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from server.foreseeing.shop import HOUR_US, Clock, runner_of, story
from truenorth.foresight.features import Vocabulary, table_of_replay
from truenorth.server.foreseeing.foreseer import Foreseer
from truenorth.server.foreseeing.teaching import judged_log
from truenorth.store.opening import Store, open_store

DAY_US = 24 * HOUR_US
VARIED = {
    "open_hours_to_limit",
    "open_hours_to_due:promise=called",
    "opened_day",
    "events_week",
    "stage_wait",
    "owner_week",
    "open_cases",
    "stage_queue",
    "owner_queue",
}
"""Columns on calendars and on load that must have said something, so that their being equal says something."""


@pytest.fixture
def store(own_file: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{own_file}") as opened:
        yield opened


def test_rows_of_a_day_are_those_of_training(store: Store) -> None:
    events = story()
    begun = store.events.last_position()
    clock = Clock(events[begun - 1].time_us)
    runner = runner_of(store, clock)
    foreseer = Foreseer(store, clock=clock, lateness_us=0)
    foreseer.step()
    (follower,) = foreseer._followers.values()
    seen: list[tuple[str, int, np.ndarray]] = []
    for event in events[begun : begun + 60]:
        store.events.append([event])
        clock.at_us = event.time_us
        runner.step()
        foreseer.step()
        cases, (rows,) = follower.standing([event.case or ""], event.time_us)
        if cases:
            assert rows.at_event.all()
            seen.append((cases[0], event.time_us, rows.x[-1]))
    (model,) = store.models.list()
    blob = store.models.blob("shop", model.version)
    assert blob is not None
    vocabulary = follower._asked[0].known.vocabulary
    whole = judged_log(store, "shop", lambda _stage, _share: None)
    table = table_of_replay(whole.journey, whole.replay, vocabulary)
    ids = table.cases.id.to_list()
    trained = {
        (ids[case], time_us): x
        for case, time_us, at_event, x in zip(
            table.rows.case, table.rows.time_us.tolist(), table.rows.at_event, table.rows.x, strict=True
        )
        if at_event
    }
    assert len(seen) > 30
    names = [column.name for column in table.columns]
    said = np.array([x for _, _, x in seen])
    assert {names[n] for n in range(len(names)) if len(np.unique(said[:, n])) > 1} >= VARIED
    for case, time_us, x in seen:
        same = (x == trained[case, time_us]) | (np.isnan(x) & np.isnan(trained[case, time_us]))
        odd = [(names[n], x[n], trained[case, time_us][n]) for n in np.flatnonzero(~same)]
        assert not odd, (case, time_us)
    assert msgspec.msgpack.decode(follower._asked[0].known.foresight.vocabulary, type=Vocabulary) == vocabulary
