"""What alarms cost on made-up logs whose truth is known, and moves: `python bench/foresight_moved.py`.

Each log has cases of 200 days, of thirty values of one attribute, every second of which fails more often; the last
quarter is held out. A line is a mean over `SEEDS`. The rule by which a threshold gives way to a constant was chosen on
the seeds 0 to 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.foresight import features
from truenorth.foresight.backtest import Asked, judge
from truenorth.foresight.labels import Label, opened_with_label
from truenorth.foresight.learnt import Learnt
from truenorth.foresight.split import temporal_split, test_instant
from truenorth.foresight.train import Effort, learn_outcome

SEEDS = (10, 11, 12, 13)
START = datetime(2026, 1, 1, tzinfo=UTC)
N_DAYS = 200
HELD_OUT = 0.25
LABEL = Label(positive=("Cancelled",), take="any", until=("Cancelled", "Closed"))

F64 = NDArray[np.float64]


class Kind(NamedTuple):
    """A log: the chance to fail of the values that fail less and more often, before the split and from it on.

    ``from_share``: from which share of the cases on they go from the first to the second, if not at the split;
    ``fails_d``, ``ends_d``: mean days from the last step to the end of a case that fails, and of another; ``least_d``:
    days that every case takes at least; ``n_values``: of the attribute; ``steps``: the types of events between the
    first and the last, of which there are ``n_steps``, from the first number to before the second, ``step_d`` days
    apart.
    """

    words: str
    before: tuple[float, float]
    after: tuple[float, float]
    n_cases: int = 3_000
    from_share: float | None = None
    fails_d: float = 4.0
    ends_d: float = 4.0
    least_d: float = 0.0
    n_values: int = 30
    steps: tuple[str, ...] = ("Asked", "Worked")
    n_steps: tuple[int, int] = (1, 4)
    step_d: float = 0.5


KINDS = (
    Kind("nothing moves", (0.12, 0.55), (0.12, 0.55)),
    Kind("nothing moves, what fails is known late", (0.12, 0.55), (0.12, 0.55), fails_d=20.0),
    Kind("nothing moves, outcomes come after 70 days", (0.12, 0.55), (0.12, 0.55), least_d=70.0),
    Kind("who fails is chance", (0.3, 0.3), (0.3, 0.3)),
    Kind("hardly anything can be foreseen", (0.22, 0.3), (0.22, 0.3)),
    Kind("the values say nothing any more", (0.12, 0.55), (0.33, 0.33)),
    Kind("the values that fail change places", (0.05, 0.7), (0.7, 0.05)),
    Kind("the same, 12,000 cases", (0.05, 0.7), (0.7, 0.05), n_cases=12_000),
    Kind("the base rate rises", (0.08, 0.12), (0.31, 0.47)),
    Kind("the same, 12,000 cases", (0.08, 0.12), (0.31, 0.47), n_cases=12_000),
    Kind("the base rate rises bit by bit", (0.07, 0.13), (0.28, 0.52), from_share=0.6),
    Kind("the base rate falls", (0.16, 0.64), (0.03, 0.09)),
    Kind("the same, 12,000 cases", (0.16, 0.64), (0.03, 0.09), n_cases=12_000),
)


def log_of(kind: Kind, seed: int) -> pl.DataFrame:
    """Its events."""
    chance, n = np.random.default_rng(seed), kind.n_cases
    opened_d = np.sort(chance.random(n)) * N_DAYS
    value, amount = chance.integers(0, kind.n_values, n), chance.lognormal(size=n)
    fails = chance.random(n) < _chances(kind, value % 2)
    events = []
    for number in range(n):
        at_d = opened_d[number]
        steps = ["Opened", *chance.choice(kind.steps, chance.integers(*kind.n_steps))]
        for step in [*steps, "Cancelled" if fails[number] else "Closed"]:
            if step in ("Cancelled", "Closed"):
                at_d += chance.exponential(kind.fails_d if fails[number] else kind.ends_d)
                at_d = max(at_d, opened_d[number] + kind.least_d * chance.uniform(1.0, 1.4))
            time = START + timedelta(days=float(at_d))
            events.append((f"c{number}", str(step), time, f"v{value[number]}", float(amount[number])))
            at_d += chance.exponential(kind.step_d)
    return pl.DataFrame(events, ["case", "type", "time", "topic", "amount"], orient="row")


def _chances(kind: Kind, often: NDArray[np.int64]) -> F64:
    """Of each case, in the order in which they are opened."""
    share = np.arange(kind.n_cases) / kind.n_cases
    begins = kind.from_share
    moved = share >= 1.0 - HELD_OUT if begins is None else np.clip((share - begins) / (1.0 - begins), 0.0, 1.0)
    return (1.0 - moved) * np.array(kind.before)[often] + moved * np.array(kind.after)[often]


def costs_of(kind: Kind, seed: int) -> F64:
    """By ratio: as chosen, followed, the better constant."""
    events = log_of(kind, seed)
    before_us = test_instant(opened_with_label(events, LABEL), HELD_OUT)
    vocabulary = features.vocabulary_of_log(events, LABEL, before_us=before_us)
    table = features.table_of_log(events, LABEL, vocabulary, split_us=before_us)
    table, split = table._replace(targets={}), temporal_split(table.cases, table.rows, HELD_OUT)
    learnt = Learnt(table, split, learn_outcome(table, split, 0, Effort(n_threads=1)), {}, None, None)
    found, _ = judge(learnt, seed=0, asked=Asked(HELD_OUT))
    return np.array([(one.cost, one.followed, min(one.always, one.never)) for one in found.costs])


def lines() -> Iterator[str]:
    """The table."""
    ratios = Asked().ratios
    yield "| log | " + " | ".join(f"{ratio:g} actions" for ratio in ratios) + " |"
    yield "|---|" + "---|" * len(ratios)
    for kind in KINDS:
        costs = np.mean([costs_of(kind, seed) for seed in SEEDS], axis=0)
        shown = " | ".join(f"{chosen:.3f} → {followed:.3f} ({constant:.3f})" for chosen, followed, constant in costs)
        yield f"| {kind.words} | {shown} |"


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)
