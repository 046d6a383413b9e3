"""A made-up shop whose cases fail more often when they are passed on and wait, and a store that has learnt from it."""

from __future__ import annotations

from random import Random  # noqa: TID251  # with a seed

from truenorth.events import Event
from truenorth.foresight.backtest import Asked
from truenorth.foresight.train import Effort
from truenorth.server.foreseeing.teaching import Taught, judged_log, taught
from truenorth.server.runner import Runner
from truenorth.store.opening import Store

HOUR_US = 3_600_000_000
START_US = 1_767_225_600_000_000
"""2026-01-01."""
EFFORT = Effort(settings=Effort().settings[:1], n_threads=1)

JOURNEY = """\
truenorth: 1
journey: shop
need: type = 'Asked'
outcome:
  achieved: type = 'Fixed'
  failed: type = 'Left'
  within: 20d
  calendar: office
  abandoned_after: 10d
  value: {achieved: 100, failed: -50}
moments: type in ('Asked', 'Called', 'Fixed')
calendars:
  office: {timezone: Europe/Rome, hours: {mon-sun: "09:00-18:00"}}
promises:
  - {name: called, after: type = 'Asked', expect: type = 'Called', within: 6h, calendar: office}
  - {name: no_ping_pong, at_most: 1, of: handover}
"""


def case_events(number: int, chance: Random) -> list[Event]:
    """What happens to one case: cases begin every two hours."""
    at_us = START_US + 2 * number * HOUR_US + chance.randint(0, 999_999)
    kinds = ["Asked"]
    passed = chance.choice([0, 0, 1, 2])
    waits = [0] + [chance.randint(1, 4) for _ in range(passed)]
    kinds += ["Passed on"] * passed
    if chance.random() < 0.6:
        kinds.append("Called")
        waits.append(chance.randint(1, 9))
    fails = chance.random() < (0.1, 0.35, 0.85)[passed]
    kinds.append("Left" if fails else "Fixed")
    waits.append(chance.randint(2, 30))
    made = []
    for place, (kind, wait) in enumerate(zip(kinds, waits, strict=True)):
        at_us += wait * HOUR_US + chance.randint(0, 999_999)
        topic = chance.choice(["line", "bill"])
        made.append(
            Event(
                source="shop",
                id=f"{number}-{place}",
                type=kind,
                time_us=at_us,
                received_us=at_us,
                customer=f"C{number % 40}",
                case=f"T{number:04}",
                team=chance.choice(["first", "second"]) if kind in ("Passed on", "Called") else None,
                properties=b'{"properties":{"topic":"%s","n":%d}}' % (topic.encode(), chance.randint(1, 5)),
            )
        )
    return made


def story(n_cases: int = 300, seed: int = 1) -> list[Event]:
    """The events of all cases in order of time."""
    chance = Random(seed)
    return sorted((event for n in range(n_cases) for event in case_events(n, chance)), key=lambda event: event.time_us)


class Clock:
    """A clock that shows what it is told."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def __call__(self) -> int:
        return self.at_us


def publish(store: Store, text: str = JOURNEY, name: str = "shop") -> None:
    store.journeys.publish(name, text, now_us=START_US)


def runner_of(store: Store, clock: Clock) -> Runner:
    """A runner whose watermark is its clock."""
    return Runner(store, clock=clock, lateness_us=0)


def settle(runner: Runner) -> None:
    """Judge all that has arrived, and pack it."""
    while runner.step():
        pass
    runner.step()
    runner.finish()


def teach(store: Store, now_us: int, seed: int = 0) -> Taught:
    """Learn from the store and keep the model, as a shadow."""
    found = taught(
        judged_log(store, "shop", lambda _stage, _share: None),
        Asked(),
        EFFORT,
        seed=seed,
        now_us=now_us,
        tell=lambda _stage, _share: None,
    )
    store.models.add(found.row, found.foresight.to_bytes())
    return found
