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
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from tables import show

from truenorth.events import Event
from truenorth.foresight.backtest import Asked
from truenorth.foresight.train import Effort
from truenorth.server.foreseeing.foreseer import Foreseer
from truenorth.server.foreseeing.teaching import judged_log, taught
from truenorth.server.runner import Runner
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
  - {name: called, after: type = 'Asked', expect: type = 'Called', within: 6h}
  - {name: no_ping_pong, at_most: 1, of: handover}
  - {name: informed, expect: moment, at_least_every: 90d}
  - {name: worked_on, after: type = 'Passed on', expect: type = 'Worked on', within: 2d}
"""


class Clock:
    at_us = START_US

    def __call__(self) -> int:
        return self.at_us


def case_events(number: int, at_us: int, chance: np.random.Generator, *, ends: bool) -> list[Event]:
    n_steps = int(chance.integers(3, 9)) if ends else len(STEPS)
    passed = STEPS[:n_steps].count("Passed on")
    last = ("Left" if chance.random() < 0.1 + 0.3 * passed else "Fixed",) if ends else ()
    made = []
    for place, kind in enumerate((*STEPS[:n_steps], *last)):
        at_us += int(chance.integers(1, 3 * HOUR_US))
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
        properties=b'{"properties":{"topic":"%d","n":%d}}' % (chance.integers(0, 6), chance.integers(0, 100)),
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


def measure(store: Store, n_cases: int) -> dict[str, object]:
    chance, clock = np.random.default_rng(0), Clock()
    store.journeys.publish("shop", JOURNEY, now_us=START_US)
    append(store, [one for n in range(N_TAUGHT) for one in case_events(n, START_US + n * HOUR_US, chance, ends=True)])
    clock.at_us = START_US + N_TAUGHT * HOUR_US + 30 * 24 * HOUR_US
    runner = Runner(store, clock=clock, lateness_us=0)
    settle(runner.step)
    judged = judged_log(store, "shop", lambda _stage, _share: None)
    learnt = taught(judged, Asked(), Effort(), seed=0, now_us=0, tell=lambda _stage, _share: None)
    store.models.add(learnt.row, learnt.foresight.to_bytes())
    store.models.promote("shop", learnt.row.version, now_us=1)
    begun_us = clock.at_us
    append(store, [one for n in range(n_cases) for one in case_events(N_TAUGHT + n, begun_us, chance, ends=False)])
    clock.at_us += 24 * HOUR_US
    settle(runner.step)
    runner.finish()
    foreseer = Foreseer(store, clock=clock, lateness_us=0)
    begun = perf_counter()
    foreseer.step()
    figures: dict[str, object] = {"begins with all open cases, s": round(perf_counter() - begun, 1)}
    figures["first risks of all, s"] = round(settle(foreseer.step), 1)
    foreseer._followers["shop"].again()
    clock.at_us += HOUR_US // 4
    begun = process_time()
    figures["all open cases looked at again, s"] = round(settle(foreseer.step), 1)
    figures["of these, s of this process"] = round(process_time() - begun, 1)
    seconds = []
    for n in range(N_SINGLE):
        clock.at_us += 1_000
        number = N_TAUGHT + int(chance.integers(0, n_cases))
        store.events.append([event(number, f"single {n}", "Called", clock.at_us, chance)])
        runner.step()
        begun = perf_counter()
        foreseer.step()
        seconds.append(perf_counter() - begun)
    figures["one event to its risk on disk, median ms"] = round(1e3 * float(np.median(seconds)), 1)
    figures["one event to its risk on disk, p99 ms"] = round(1e3 * float(np.quantile(seconds, 0.99)), 1)
    numbers = N_TAUGHT + chance.integers(0, n_cases, N_FOLLOWED)
    more = [event(int(n), f"more {at}", "Waited", clock.at_us + at, chance) for at, n in enumerate(numbers)]
    append(store, more)
    clock.at_us += HOUR_US // 6
    settle(runner.step)
    begun = perf_counter()
    while store.results.progress("shop").position > foreseer._followers["shop"].position:
        foreseer.step()
    figures["events followed a second"] = round(N_FOLLOWED / (perf_counter() - begun))
    figures["memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    n_cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{Path(folder, 'truenorth.db')}") as store:
        figures = measure(store, n_cases)
    load = os.getloadavg()[0]
    print(f"{n_cases:,} open cases, SQLite; load average {load:.1f}\n")
    show(["what", "found"], [[name, str(value)] for name, value in figures.items()])


if __name__ == "__main__":
    main()
