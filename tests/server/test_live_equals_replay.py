"""Live equals replay: a store and its runner against `truenorth.replay` of the same events, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

import truenorth as tn
from strategies import PROPERTY_TYPES, random_pack
from truenorth.engine import live
from truenorth.events import Event
from truenorth.identity import Identities
from truenorth.server import runner as running
from truenorth.server import tracker
from truenorth.server.exports.file import export_file
from truenorth.server.runner import Runner
from truenorth.server.same_person import Joined
from truenorth.spec.model import CANONICAL_TYPES, Journey
from truenorth.store.opening import Store

N_SAMPLES = {"sqlite": 12, "postgres": 4}
HOUR_US = 3_600_000_000


def event_of(made: Mapping[str, Any], position: int) -> Event:
    """An event of the made-up logs as ingest would have it; it arrives at its place in the list."""
    canonical = {name: value for name, value in made.items() if name in CANONICAL_TYPES and name != "time"}
    rest = {name: value for name, value in made.items() if name in PROPERTY_TYPES and value is not None}
    properties = msgspec.json.encode({"properties": rest})
    return Event(
        source="made up",
        time_us=made["time"],
        received_us=position,
        properties=properties,
        **{"type": "nothing", **{name: value for name, value in canonical.items() if value is not None}},
    )


def persons(events: Iterable[Event]) -> Identities:
    people = Identities()
    for event in events:
        if event.customer and event.other_id and event.other_kind:
            people.state(event.customer, event.other_id, event.other_kind, event.time_us, event.source, event.id)
    return people


def exported(events: list[Event], path: Path) -> Path:
    """The events as a file of JSON Lines, customers as the persons they are."""
    people = persons(events)
    lines = []
    for event in events:
        line = {name: getattr(event, name) for name in CANONICAL_TYPES if name not in ("time", "received")}
        line["customer"] = event.customer and people.person(event.customer)
        moments = pl.Series([event.time_us]).cast(pl.Datetime("us", "UTC")).dt.to_string("iso:strict")
        line |= {"time": moments[0], **msgspec.json.decode(event.properties)}
        lines.append(json.dumps({name: value for name, value in line.items() if value is not None}))
    path.write_text("\n".join(lines) + "\n")
    return path


def plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a replay as the store has them: instants end in _us."""
    instants = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime("us", "UTC")]
    return (
        frame.with_columns(pl.col(instants).to_physical()).rename({name: f"{name}_us" for name in instants}).to_dicts()
    )


def stored_rows(store: Store, journey: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    cases = store.results.cases(journey, limit=1_000_000)
    _, promises = store.results.rows_of(journey, [case.case for case in cases])
    return [msgspec.structs.asdict(row) for row in cases], [msgspec.structs.asdict(row) for row in promises]


def by_case(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["case"], row.get("promise", ""), row.get("instance", 0)))


def assert_equals_replay(store: Store, text: str, tmp_path: Path, watermark_us: int) -> None:
    """Every row of cases and promises, and the counts of the summary, are those of a replay."""
    events = [found.event for found in store.events.read(limit=1_000_000)]
    journey = tn.load_journey(_written(tmp_path / "journey.yaml", text))
    progress = store.results.progress(journey.name)
    now = pl.Series([watermark_us]).cast(pl.Datetime("us", "UTC"))[0]
    whole = tn.replay(journey, tn.read_log(exported(events, tmp_path / "log.jsonl"), fields=journey.fields), now=now)
    cases, promises = stored_rows(store, journey.name)
    assert by_case(cases) == by_case(plain(whole.cases))
    assert by_case(promises) == by_case(plain(whole.promises))
    assert_product_exports_the_same(
        store, journey, tmp_path / f"own.{'jsonl' if len(events) % 2 else 'parquet'}", whole
    )
    counted = {name: getattr(progress, f"n_{name}") for name in ("events", "filtered", "no_key")}
    counted |= {name: getattr(progress, f"n_{name}") for name in ("before_need", "after_close")}
    assert counted == {name: whole.summary[name] for name in counted}


def assert_product_exports_the_same(store: Store, journey: Journey, path: Path, whole: tn.Replay) -> None:
    """What `truenorth export --identities joined` writes is judged alike."""
    export_file(Joined(store.events), path)
    again = tn.replay(journey, tn.read_log(path, fields=journey.fields), now=whole.watermark)
    assert plain(again.cases) == plain(whole.cases)
    assert plain(again.promises) == plain(whole.promises)


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


class Clock:
    """A clock that shows what it is told."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def __call__(self) -> int:
        return self.at_us


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and chunks of state so small that a few events need many, and a runner that dies has packed only some.

    Closed cases are let go of soon.
    """
    monkeypatch.setattr(running, "PAGE_EVENTS", 7)
    monkeypatch.setattr(running, "CHUNKS_A_STEP", 1)
    monkeypatch.setattr(live, "CHUNK_SLOTS", 1)
    monkeypatch.setattr(tracker, "STEPS_A_TIDYING", 2)
    monkeypatch.setattr(tracker, "HELD_AFTER_CLOSE_US", HOUR_US)


def live_through(store: Store, events: list[Event], rng: np.random.Generator, last_us: int) -> None:
    """Batches of any size, some of them twice, clocks that run in leaps, and runners that come and go."""
    clock = Clock(min(event.time_us for event in events))
    runner = Runner(store, clock=clock, lateness_us=0)
    runner.step()
    n_sent = 0
    while n_sent < len(events):
        n = int(rng.integers(1, max(2, len(events) // 3), endpoint=True))
        again = rng.integers(0, n_sent + 1)
        store.events.append([*events[again : again + 2], *events[n_sent : n_sent + n]])
        n_sent += n
        clock.at_us = int(rng.integers(clock.at_us, last_us, endpoint=True))
        if rng.random() < 0.8:
            runner.step()
        if rng.random() < 0.3:
            if rng.random() < 0.5:  # otherwise it was killed
                runner.finish()
            runner = Runner(store, clock=clock, lateness_us=0)
    clock.at_us = last_us
    while runner.step():
        pass


def publish(store: Store, journey: Mapping[str, Any]) -> str:
    text = json.dumps(journey, default=str)
    store.journeys.publish(journey["journey"], text, now_us=0)
    return text


def with_statements(events: list[Event], rng: np.random.Generator) -> list[Event]:
    """Some customers under ids from before they were known, some of which events then state."""
    stated = []
    for event in events:
        kind = rng.choice(["plain", "unknown", "anonymous", "alias"], p=[0.5, 0.2, 0.2, 0.1])
        browser = f"browser {rng.integers(0, 3)}"
        if event.customer is None or kind == "plain":
            stated.append(event)
        elif kind == "unknown":
            stated.append(msgspec.structs.replace(event, customer=browser))
        else:
            other_id = browser if kind == "anonymous" else f"old {event.customer}"
            stated.append(msgspec.structs.replace(event, other_id=other_id, other_kind=str(kind)))
    return stated


SEEDS = [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 40))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("states", [False, True], ids=["one id each", "many ids"])
def test_live_equals_replay(
    seed: int, states: bool, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pieces(monkeypatch)
    rng = np.random.default_rng(seed)
    for at, (made_up, made, _, _) in enumerate(random_pack(seed, N_SAMPLES[store_kind(store)])):
        if not made:
            continue
        for other in store.journeys.live():
            store.journeys.set_state(other.name, other.version, "retired")
        text = publish(store, {**made_up, "journey": f"made_up_{at}"})
        rng.shuffle(made)  # type: ignore[arg-type]
        events = [event_of({**event, "id": f"{at}/{event['id']}"}, place) for place, event in enumerate(made)]
        before = [found.event for found in store.events.read(limit=1_000_000)]
        last_us = max(event.time_us for event in [*before, *events])
        live_through(store, with_statements(events, rng) if states else events, rng, last_us)
        assert_equals_replay(store, text, tmp_path, last_us)


def store_kind(store: Store) -> str:
    return "sqlite" if store.database.is_sqlite else "postgres"
