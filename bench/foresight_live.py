"""Risks kept up to date: open cases looked at again, one event to its risk, events followed.

`python bench/foresight_live.py [--cases 100000]`: a made-up shop (8 events a case, four promises) teaches a model; then
so many cases are open in a SQLite store. The foreseer begins, looks at all of them again, follows events one at a time
(from what the runner has written to the risk on disk; the runner's own time is not in it), and events by the thousand.
Memory is the largest resident set of the process; it includes learning.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import msgspec
import numpy as np
from tables import show

from truenorth.events import Event
from truenorth.foresight.features import encode, table_of_replay, vocabulary_of_replay
from truenorth.foresight.learnt import foresight_of, learn
from truenorth.foresight.model import Foresight, Scorer, Verdict
from truenorth.foresight.predictors import Boosted, Mean
from truenorth.foresight.split import all_known
from truenorth.foresight.train import Effort
from truenorth.server.foreseeing.follower import Follower
from truenorth.server.foreseeing.foreseer import Foreseer
from truenorth.server.foreseeing.levelling import learnt_since
from truenorth.server.foreseeing.teaching import Judged, judged_log, row_of
from truenorth.server.runner import Runner
from truenorth.store.foresight_rows import ModelRow
from truenorth.store.opening import Store, open_store

HOUR_US = 3_600_000_000
START_US = 1_767_225_600_000_000
N_TAUGHT = 1_500
N_SINGLE = 400
N_FOLLOWED = 20_000
BATCH = 10_000
STEPS = ("Asked", "Called", "Passed on", "Worked on", "Passed on", "Waited", "Worked on", "Called")
JOURNEY = """\
truenorth: 1
journey: shop
need: type = 'Asked'
outcome:
  achieved: type = 'Fixed'
  failed: type = 'Left'
  abandoned_after: 300d
  value: {achieved: 100, failed: -50}
moments: type in ('Asked', 'Called', 'Fixed')
promises:
  - {name: called, after: type = 'Asked', expect: type = 'Called', within: 2h}
  - {name: no_ping_pong, at_most: 1, of: handover}
  - {name: informed, expect: moment, at_least_every: 90d}
  - {name: worked_on, after: type = 'Passed on', expect: type = 'Worked on', within: 2h}
"""


class Clock:
    at_us = START_US

    def __call__(self) -> int:
        return self.at_us


def case_events(number: int, at_us: int, chance: np.random.Generator, *, ends: bool) -> list[Event]:
    """One case. It fails the more often the longer it waits for its end, by its topic, and where it was passed on."""
    n_steps = int(chance.integers(3, 9)) if ends else len(STEPS)
    kinds = list(STEPS[:n_steps])
    waited_h = chance.integers(0, 3, n_steps) + chance.random(n_steps)
    if ends:
        last_h = float(chance.exponential(20.0))
        odds = -2.5 + 0.8 * kinds.count("Passed on") + 0.08 * last_h + (1.5 if number % 6 < 2 else 0.0)
        kinds.append("Left" if chance.random() < 1 / (1 + np.exp(-odds)) else "Fixed")
        waited_h = np.append(waited_h, last_h)
    made = []
    for place, (kind, hours) in enumerate(zip(kinds, waited_h, strict=True)):
        at_us += 1 + int(hours * HOUR_US)
        made.append(event(number, f"{number}-{place}", kind, at_us, chance))
    return made


def event(number: int, id: str, kind: str, at_us: int, chance: np.random.Generator) -> Event:  # noqa: A002
    return Event(
        source="bench",
        id=id,
        type=kind,
        time_us=at_us,
        received_us=at_us,
        customer=f"customer {number % 20_000}",
        case=f"case {number}",
        team=f"team {chance.integers(0, 9)}",
        properties=b'{"properties":{"topic":"%d","n":%d}}' % (number % 6, chance.integers(0, 100)),
    )


def append(store: Store, events: list[Event]) -> None:
    events.sort(key=lambda one: one.time_us)
    for start in range(0, len(events), BATCH):
        store.events.append(events[start : start + BATCH])


def settle(step: object) -> float:
    begun = perf_counter()
    while step():  # type: ignore[operator]
        pass
    return perf_counter() - begun


class Shop(NamedTuple):
    """A store with a learnt model and many open cases, judged and ready to be followed."""

    store: Store
    clock: Clock
    runner: Runner
    foreseer: Foreseer
    chance: np.random.Generator
    n_cases: int

    @property
    def follower(self) -> Follower:
        return self.foreseer._followers["shop"]


def opened(store: Store, n_cases: int) -> Shop:
    chance, clock = np.random.default_rng(0), Clock()
    store.journeys.publish("shop", JOURNEY, now_us=START_US)
    append(store, [one for n in range(N_TAUGHT) for one in case_events(n, START_US + n * HOUR_US, chance, ends=True)])
    clock.at_us = START_US + N_TAUGHT * HOUR_US + 30 * 24 * HOUR_US
    runner = Runner(store, clock=clock, lateness_us=0)
    settle(runner.step)
    judged = judged_log(store, "shop", lambda _stage, _share: None)
    row, model = trees(judged)
    store.models.add(row, model.to_bytes())
    store.models.promote("shop", row.version, now_us=1)
    begun_us = clock.at_us
    append(store, [one for n in range(n_cases) for one in case_events(N_TAUGHT + n, begun_us, chance, ends=False)])
    clock.at_us += 24 * HOUR_US
    settle(runner.step)
    runner.finish()
    return Shop(store, clock, runner, Foreseer(store, clock=clock, lateness_us=0), chance, n_cases)


def trees(judged: Judged) -> tuple[ModelRow, Foresight]:
    """Trees for everything, whether they are better than the baselines or not: they are what takes longest to ask."""
    vocabulary = vocabulary_of_replay(judged.journey, judged.replay)
    table = table_of_replay(judged.journey, judged.replay, vocabulary)
    learnt = learn(table, all_known(table.cases, table.rows), 0, Effort(), lambda _stage, _share: None)
    model = foresight_of(
        learnt,
        Verdict("trees", True, "to measure its speed"),
        0.5,
        {name.removeprefix("promise:"): "trees" for name in learnt.promises},
    )
    known = {"journey": "shop", "vocabulary": msgspec.msgpack.encode(vocabulary)}
    model = msgspec.structs.replace(model, **known)
    n_trees = sum(isinstance(head.predictor, Boosted | Mean) for head in model.heads.values())
    print(
        f"{n_trees} of {len(model.heads)} models beside the time remaining are trees, of {len(model.columns)} columns"
    )
    assert isinstance(model.heads["outcome"].predictor, Boosted | Mean)
    return row_of(model, vocabulary, judged.attributes, 0), model


def measure(shop: Shop) -> Iterator[tuple[str, object]]:
    begun = perf_counter()
    shop.foreseer.step()
    yield "begins with all open cases, s", round(perf_counter() - begun, 1)
    used = process_time()
    yield "first risks of all, with reasons, s", round(settle(shop.foreseer.step), 1)
    yield "of these, s of this process", round(process_time() - used, 1)
    yield from levelled(shop)
    yield from looked_again(shop, HOUR_US // 4, "all open cases looked at again after 15 minutes")
    yield from looked_again(shop, HOUR_US, "the same after an hour")
    yield from one_at_a_time(shop)
    yield from encode_and_score(shop)
    yield from followed(shop)
    yield "memory, MB", round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def levelled(shop: Shop) -> Iterator[tuple[str, object]]:
    """The level and the ends of intervals, by all cases that have been spoken of."""
    (asked,) = shop.follower._asked
    used = process_time()
    learnt_since(
        shop.store,
        "shop",
        asked.known.version,
        asked.known.foresight.remaining,
        since_us=0,
        seen_us=shop.follower.at_us,
    )
    yield "level and intervals learnt anew, s of this process", round(process_time() - used, 1)


def looked_again(shop: Shop, later_us: int, what: str) -> Iterator[tuple[str, object]]:
    shop.clock.at_us += later_us
    shop.follower.again()
    used = process_time()
    yield f"{what}, s", round(settle(shop.foreseer.step), 1)
    yield "of these, s of this process on one core", round(process_time() - used, 1)
    rows = shop.store.risks.all("shop", shop.follower.models[0][0])
    yield "risks that had changed and were written", sum(row.at_us == shop.clock.at_us for row in rows)


def one_at_a_time(shop: Shop) -> Iterator[tuple[str, object]]:
    """From what the runner has written to the risk on disk."""
    seconds, used = [], []
    for n in range(N_SINGLE):
        shop.clock.at_us += 1_000
        number = N_TAUGHT + int(shop.chance.integers(0, shop.n_cases))
        shop.store.events.append([event(number, f"single {n}", "Called", shop.clock.at_us, shop.chance)])
        shop.runner.step()
        begun, at = perf_counter(), process_time()
        shop.foreseer.step()
        seconds.append(perf_counter() - begun)
        used.append(process_time() - at)
    yield from shown("one event to its risk on disk", seconds)
    yield from shown("of these of this process", used)


def encode_and_score(shop: Shop) -> Iterator[tuple[str, object]]:
    """The part of it that is the model's: from the history of one case to what all its models say."""
    follower = shop.follower
    (asked,) = follower._asked
    scorer, vocabulary, loads = Scorer(asked.known.foresight), asked.known.vocabulary, asked.company.loads
    keys = list(follower._held.keys)[: N_SINGLE + 1]
    known = [follower._known(asked, follower._judge([key], follower.at_us))[0] for key in keys]
    seconds = []
    for one in known:
        begun = perf_counter()
        scorer.one(encode(vocabulary, one, follower.at_us, loads).x[0])
        seconds.append(perf_counter() - begun)
    yield from shown("encode and score one case", seconds[1:])


def followed(shop: Shop) -> Iterator[tuple[str, object]]:
    """Events a second, where they come by the thousand."""
    numbers = N_TAUGHT + shop.chance.integers(0, shop.n_cases, N_FOLLOWED)
    at_us = shop.clock.at_us
    append(shop.store, [event(int(n), f"more {at}", "Waited", at_us + at, shop.chance) for at, n in enumerate(numbers)])
    shop.clock.at_us += HOUR_US // 6
    settle(shop.runner.step)
    begun, used = perf_counter(), process_time()
    while shop.store.results.progress("shop").position > shop.follower.position:
        shop.foreseer.step()
    yield "events followed a second", round(N_FOLLOWED / (perf_counter() - begun))
    yield "the same, ms of this process an event", round(1e3 * (process_time() - used) / N_FOLLOWED, 2)


def shown(what: str, seconds: list[float]) -> Iterator[tuple[str, object]]:
    yield f"{what}, median ms", round(1e3 * float(np.median(seconds)), 2)
    yield f"{what}, p99 ms", round(1e3 * float(np.quantile(seconds, 0.99)), 2)


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    n_cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{Path(folder, 'truenorth.db')}") as store:
        figures = list(measure(opened(store, n_cases)))
    load = os.getloadavg()[0]
    print(f"{n_cases:,} open cases, SQLite; load average {load:.1f}\n")
    show(["what", "found"], [[name, str(value)] for name, value in figures])


if __name__ == "__main__":
    main()
