"""All that is learnt of a table, and the value that goes to work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.abreast import side_by_side
from truenorth.foresight.boosted import OF_PROMISES
from truenorth.foresight.level import window_before
from truenorth.foresight.model import Foresight, Verdict
from truenorth.foresight.predictors import Constant, Head, Linear, calibrated, runner
from truenorth.foresight.remaining import Remaining
from truenorth.foresight.rows import Table
from truenorth.foresight.split import Split, all_known
from truenorth.foresight.train import Effort, Heads, Tell, learn_classes, learn_next, learn_outcome, learn_remaining

F64 = NDArray[np.float64]


class Learnt(NamedTuple):
    """What was learnt of which rows: models by target."""

    table: Table
    split: Split
    outcome: Heads
    promises: dict[str, Heads]
    next: Head | None
    remaining: Remaining | None

    @property
    def taught(self) -> NDArray[np.bool_]:
        """The rows that it was learnt from, those that chose among models included."""
        return self.split.fit | self.split.valid

    @property
    def window_us(self) -> int:
        """How far back the level looks, in microseconds."""
        return window_before(self.table.cases, self.split.test_us)

    @property
    def shares(self) -> tuple[float, ...]:
        """The base rate of each outcome."""
        constant = self.outcome.constant.predictor
        assert isinstance(constant, Constant)
        return constant.p


def learn(
    table: Table, split: Split, seed: int, effort: Effort, tell: Tell, *, only: Collection[str] | None = None
) -> Learnt:
    """Learn the targets of a table on the parts of a split; of the promises ``only`` some, by the target's name."""
    names = [name for name in table.targets if name.startswith("promise:") and (only is None or name in only)]
    n_done = count(1)

    def outcome() -> Heads:
        return learn_outcome(table, split, seed, effort)

    def promise(name: str) -> Heads:
        y = table.targets[name].astype(np.float64)
        return learn_classes(table, split, y, 2, (OF_PROMISES,), effort.n_rows_small, seed, effort)

    def following() -> Head | None:
        return learn_next(table, split, seed, effort)

    def remaining() -> Remaining | None:
        return learn_remaining(table, split, seed, effort)

    work: list[Callable[[], Any]] = [outcome, remaining, following, *(partial(promise, name) for name in names)]

    def told(call: Callable[[], Any]) -> Any:
        answer = call()
        tell("learning", 0.05 + 0.7 * next(n_done) / len(work))
        return answer

    tell("learning", 0.05)
    heads, days, comes, *promises = side_by_side([partial(told, call) for call in work], effort.n_threads)
    return Learnt(table, split, heads, dict(zip(names, promises, strict=True)), comes, days)


def named(heads: Heads) -> dict[str, Head]:
    """The models of a target by the names that verdicts use."""
    found = {"base rate": heads.constant}
    if heads.trees is not None:
        found = {"trees": heads.trees, "logistic": heads.logistic, **found}
    return found


def risks_of(head: Head, x: NDArray[np.float32]) -> F64:
    """The chance (n,) of any class but the first."""
    risk: F64 = 1.0 - calibrated(runner(head.predictor, x.shape[1]).predict(x), head.curves)[:, 0]
    return risk


def foresight_of(learnt: Learnt, verdict: Verdict, threshold: float, promises: Mapping[str, str]) -> Foresight:
    """What goes to work: the model of the verdict, what comes next, the time, and the promises that can be foreseen.

    ``promises`` names the model that won for each of these.
    """
    table, taught = learnt.table, learnt.taught
    times = table.rows.time_us[taught]
    return Foresight(
        columns=table.columns,
        outcomes=table.outcomes,
        next_types=table.next_types,
        heads=_heads(learnt, verdict, promises),
        remaining=learnt.remaining,
        verdict=verdict,
        threshold=threshold,
        data_from_us=int(times.min()) if len(times) else 0,
        data_to_us=learnt.split.test_us,
        n_cases=len(np.unique(table.rows.case[taught])),
        n_rows=int(taught.sum()),
        shares=learnt.shares,
        window_us=learnt.window_us if verdict.live else 0,
    )


def refit(table: Table, foresight: Foresight, *, seed: int, effort: Effort, tell: Tell) -> Foresight:
    """The same models learnt again from every case that has ended, for work from now on.

    What was found on held-out time (verdict, threshold, metrics, which promises) stays: it was found with a model that
    knew less.
    """
    learnt = learn(table, all_known(table.cases, table.rows), seed, effort, tell, only=foresight.heads)
    promises = {
        name.removeprefix("promise:"): "logistic" if isinstance(head.predictor, Linear) else "trees"
        for name, head in foresight.heads.items()
        if name.startswith("promise:")
    }
    again = foresight_of(learnt, foresight.verdict, foresight.threshold, promises)
    return msgspec.structs.replace(
        again, journey=foresight.journey, vocabulary=foresight.vocabulary, metrics=foresight.metrics
    )


def _heads(learnt: Learnt, verdict: Verdict, promises: Mapping[str, str]) -> dict[str, Head]:
    heads = {"outcome": named(learnt.outcome).get(verdict.used, learnt.outcome.constant)}
    for promise, used in promises.items():
        name = f"promise:{promise}"
        if name in learnt.promises:
            heads[name] = named(learnt.promises[name]).get(used, learnt.promises[name].constant)
    if learnt.next is not None:
        heads["next"] = learnt.next
    return heads
