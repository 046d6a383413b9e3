"""What the step wrote, as the tables a reader gets: cases, promises and their summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.engine import kernel
from truenorth.spec.model import Journey

OUTCOMES = ("open", "achieved", "failed", "abandoned")
"""Names of the kernel's outcomes, by number."""
REASONS = (None, "event", "late", "silence")
VERDICTS = ("open", "kept", "broken", "lapsed")
"""Names of the kernel's verdicts, by number."""
SHOWN_OUTCOMES = ("achieved", "failed", "abandoned", "open")
SHOWN_VERDICTS = ("kept", "broken", "lapsed", "open")

INSTANT = pl.Datetime("us", "UTC")
_TOTALS = ("moments", "decisions", "handovers", "internal")
_COUNTS = ("reopened", "events", *_TOTALS)


def instants(values: NDArray[np.int64]) -> pl.Series:
    """Microseconds as instants, NEVER as null."""
    series, never = pl.Series(np.ascontiguousarray(values)), values == kernel.NEVER
    return (series.set(pl.Series(never), None) if never.any() else series).cast(INSTANT)


def named(numbers: NDArray[np.integer], names: Sequence[str | None]) -> pl.Series:
    """Numbers as the names they stand for."""
    return pl.Series(names, dtype=pl.String)[np.ascontiguousarray(numbers)]


def case_ids(keys: pl.Series, key: NDArray[np.int64], episode: NDArray[np.int32]) -> pl.Series:
    """The id of each case: its key, with ``#2``, ``#3`` ... from the second episode on."""
    ids = keys[np.ascontiguousarray(key)].alias("case")
    if not (episode > 1).any():
        return ids
    number = pl.Series("episode", np.ascontiguousarray(episode))
    suffix = pl.when(pl.col("episode") > 1).then(pl.format("#{}", "episode")).otherwise(pl.lit(""))
    return pl.DataFrame([ids, number]).select((pl.col("case") + suffix).alias("case")).to_series()


def texts(values: pl.Series, codes: NDArray[np.integer]) -> pl.Series:
    """Codes as the texts they stand for; a negative code is null."""
    index = pl.Series(np.ascontiguousarray(codes)).cast(pl.get_index_type(), strict=False)
    return values[index].cast(pl.String)


def case_table(journey: Journey, rows: NDArray[np.void], keys: pl.Series, customers: pl.Series) -> pl.DataFrame:
    """The table of cases; ``keys`` and ``customers`` are the texts by code."""
    value = np.array([journey.outcome.value.get(name, 0.0) for name in OUTCOMES], np.float64)  # type: ignore[call-overload]
    columns: dict[str, Any] = {
        "case": case_ids(keys, rows["key"], rows["episode"]),
        "customer": texts(customers, rows["customer"]),
        **{name: instants(rows[name]) for name in ("opened", "resolved", "closed")},
        "outcome": named(rows["outcome"], OUTCOMES),
        "reason": named(rows["reason"], REASONS),
        "outcome_time": instants(rows["outcome_time"]),
        **{name: np.ascontiguousarray(rows[name]) for name in (*_COUNTS, "cost", "revenue")},
        "value": value[rows["outcome"]],
        **{name: np.ascontiguousarray(rows[name]) for name in SHOWN_VERDICTS},
    }
    return pl.DataFrame(columns)


def promise_table(journey: Journey, rows: NDArray[np.void], keys: pl.Series, ids: pl.Series) -> pl.DataFrame:
    """The table of promise instances; ``ids`` are the event ids by position in the log."""
    return pl.DataFrame(
        {
            "case": case_ids(keys, rows["key"], rows["episode"]),
            "promise": named(rows["promise"], [promise.name for promise in journey.promises]),
            "instance": np.ascontiguousarray(rows["instance"]),
            "started": instants(rows["started"]),
            "due": instants(rows["due"]),
            "verdict": named(rows["verdict"], VERDICTS),
            "decided": instants(rows["decided"]),
            "started_by": texts(ids, rows["started_by"]),
            "decided_by": texts(ids, rows["decided_by"]),
        }
    )


class Tally(NamedTuple):
    """What some cases add to a summary."""

    outcomes: NDArray[np.int64]  # by the kernel's outcomes
    verdicts: NDArray[np.int64]  # (n_promises, 4), by the kernel's verdicts
    counts: NDArray[np.int64]  # moments, decisions, handovers, internal
    money: NDArray[np.float64]  # cost, revenue
    ignored: NDArray[np.int64]  # filtered, before_need, after_close


def tally(journey: Journey, cases: NDArray[np.void], promises: NDArray[np.void], ignored: NDArray[np.int64]) -> Tally:
    """Add up some cases."""
    n_promises = len(journey.promises)
    of_promise = np.bincount(promises["promise"] * 4 + promises["verdict"], minlength=4 * n_promises)
    counts = [int(cases[name].sum()) for name in _TOTALS]
    money = [float(cases[name].sum()) for name in ("cost", "revenue")]
    outcomes = np.bincount(cases["outcome"], minlength=4)
    return Tally(outcomes, of_promise.reshape(n_promises, 4), np.array(counts), np.array(money), ignored)


def summarise(journey: Journey, tallies: Sequence[Tally], counts: Mapping[str, int], n_no_key: int) -> dict[str, Any]:
    """The summary of a replay without its seconds; ``counts`` are those of the rows read."""
    outcomes, of_promise, totals, money, ignored = (sum(part) for part in zip(*tallies, strict=True))
    value = sum(outcomes[OUTCOMES.index(name)] * worth for name, worth in journey.outcome.value.items())
    filtered, before_need, after_close = ignored.tolist()
    return {
        **counts,
        "filtered": filtered,
        "no_key": n_no_key,
        "before_need": before_need,
        "after_close": after_close,
        "cases": int(outcomes.sum()),
        "outcome": {name: int(outcomes[OUTCOMES.index(name)]) for name in SHOWN_OUTCOMES},
        "promises": {
            promise.name: {name: int(n[VERDICTS.index(name)]) for name in SHOWN_VERDICTS}
            for promise, n in zip(journey.promises, of_promise, strict=True)
        },
        **{name: int(n) for name, n in zip(_TOTALS, totals, strict=True)},
        **{name: float(n) for name, n in zip(("cost", "revenue"), money, strict=True)},
        "value": float(value),
    }
