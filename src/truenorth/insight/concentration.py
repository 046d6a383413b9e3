"""How much of something comes from how few: campaigns and clicks, causes and failures, customers and cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.clustered import clustered_ratio
from truenorth.insight.replayed import Replayed
from truenorth.spec.problems import Problem, TruenorthError

Measure = Literal["events", "cases", "customers", "failed", "cost", "revenue"]
"""What is added up for each item."""
MEASURES: tuple[Measure, ...] = get_args(Measure)

BROKEN_PROMISE = "broken promise"
"""An item that is no column: the promises that were broken, as causes of failure."""


class TopShare(msgspec.Struct, frozen=True, kw_only=True):
    """The largest items of one span of time and what they have of the whole.

    ``share`` in [0, 1] with its 95 % interval ``low``, ``high``; None where there is nothing to share or fewer than two
    customers.
    """

    items: tuple[str, ...]
    share: float | None
    low: float | None
    high: float | None


class Concentration(msgspec.Struct, frozen=True, kw_only=True):
    """How unequally a measure is spread over items.

    ``gini`` in [0, 1): 0 where all items have the same. ``last`` and ``before`` compare the last whole period with the
    one before it; ``change`` is the difference of their shares with its 95 % interval.
    """

    of: str
    measure: Measure
    k: int
    n_items: int
    gini: float | None
    top: TopShare
    table: pl.DataFrame
    every: str | None = None
    last: TopShare | None = None
    before: TopShare | None = None
    change: tuple[float, float, float] | None = None

    def to_frame(self) -> pl.DataFrame:
        """One row an item, the largest first: ``item, amount, share, cumulated``."""
        return self.table

    def to_dict(self, max_items: int = 100) -> dict[str, Any]:
        """Everything as plain values; of the items at most ``max_items``, with their number beside them."""
        plain: dict[str, Any] = {
            name: msgspec.to_builtins(getattr(self, name)) for name in self.__struct_fields__ if name != "table"
        }
        return {**plain, "items": self.table.head(max_items).to_dicts()}


def concentration(
    replay: Replayed, of: str, measure: Measure = "events", k: int = 5, every: str | None = None
) -> Concentration:
    """How much of a measure the ``k`` largest items of a column have.

    *Counting rule*: ``of`` is a column of the log (``campaign``, ``channel``, ``customer`` ...) or ``broken promise``.
    Events without a value are left out. ``events`` counts events (instances, for broken promises), ``cases`` and
    ``customers`` count each once an item, ``failed`` counts cases that failed or were abandoned, ``cost`` and
    ``revenue`` add up that field; amounts below 0 count as 0. An item that a case meets twice has it once.

    *Gini*: with amounts in rising order ``x_1 .. x_n``, ``sum((2 i - n - 1) x_i) / (n sum(x))``. Source: C. Dagum
    (1980), "The generation and distribution of income, the Lorenz curve and the Gini ratio", Economie Appliquee 33.

    *Interval*: for the share of these ``k`` items, customers being the sample (`clustered_ratio`); that the items were
    chosen because they are large is not in it.

    ``every`` (a Polars duration such as ``1mo``) compares the last whole period with the one before it; an interval of
    the change takes the two as independent. TruenorthError for an unknown column.
    """
    amounts = amounts_of(replay, of, measure)
    table = by_item(amounts)
    whole = _top_share(amounts, table, k)
    spans = _last_spans(replay, amounts, every) if every else None
    last, before = [_top_share(span, by_item(span), k) for span in spans] if spans else [None, None]
    return Concentration(
        of=of,
        measure=measure,
        k=k,
        n_items=table.height,
        gini=gini(table["amount"]),
        top=whole,
        table=table,
        every=every,
        last=last,
        before=before,
        change=_change(last, before),
    )


def gini(amounts: pl.Series) -> float | None:
    """The Gini coefficient of amounts of at least 0; None where they add up to 0.

    >>> gini(pl.Series([1, 1, 1, 1])), gini(pl.Series([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    rising = np.sort(amounts.to_numpy().astype(np.float64))
    total, n = float(rising.sum()), len(rising)
    if not total > 0:
        return None
    return float(((2 * np.arange(1, n + 1) - n - 1) * rising).sum() / (n * total))


def amounts_of(replay: Replayed, of: str, measure: Measure) -> pl.LazyFrame:
    """What is added up: one row a piece of the measure: ``item``, ``unit`` (the customer), ``amount``, ``time``."""
    rows = _broken_promises(replay) if of == BROKEN_PROMISE else _of_column(replay, of)
    rows = rows.filter(pl.col("item").is_not_null())
    first = pl.col("time").min()
    if measure in ("cost", "revenue"):
        if measure not in rows.collect_schema():
            raise _unknown(f"--measure {measure}", f"a log with a field {measure}", "no such field")
        paid = pl.col(measure).cast(pl.Float64).fill_nan(None).fill_null(0.0).clip(lower_bound=0.0)
        return rows.select("item", "unit", "time", paid.alias("amount"))
    if measure == "events":
        return rows.select("item", "unit", "time", pl.lit(1.0).alias("amount"))
    if measure == "customers":
        return rows.group_by("item", "unit").agg(first, pl.lit(1.0).alias("amount"))
    if measure == "failed":
        bad = replay.cases.lazy().filter(pl.col("outcome").is_in(["failed", "abandoned"])).select("case")
        rows = rows.join(bad, on="case", how="semi")
    return rows.group_by("item", "unit", "case").agg(first, pl.lit(1.0).alias("amount"))


def _of_column(replay: Replayed, of: str) -> pl.LazyFrame:
    events = replay.events
    if of not in events.columns:
        raise _unknown("--of", f"a column of the log or {BROKEN_PROMISE!r}", of, ", ".join(events.columns))
    unit = "customer" if "customer" in events.columns else "case"
    money = [name for name in ("cost", "revenue") if name in events.columns]
    return events.lazy().select(
        pl.col(of).cast(pl.String).alias("item"),
        pl.coalesce(pl.col(unit), pl.col("case")).cast(pl.String).alias("unit"),
        "case",
        "time",
        *money,
    )


def _broken_promises(replay: Replayed) -> pl.LazyFrame:
    broken = replay.promises.lazy().filter(pl.col("verdict") == "broken")
    customers = replay.cases.lazy().select("case", pl.coalesce("customer", "case").alias("unit"))
    return broken.join(customers, on="case").select(
        pl.col("promise").alias("item"), "unit", "case", pl.col("decided").alias("time")
    )


def _unknown(path: str, expected: str, found: str, known: str = "") -> TruenorthError:
    hint = f"columns are {known}" if known else "choose another"
    return TruenorthError([Problem(path=path, expected=expected, found=found, hint=hint)])


def by_item(amounts: pl.LazyFrame) -> pl.DataFrame:
    """The ``table`` of `Concentration`, from frames with ``item`` and ``amount``."""
    total = pl.col("amount").sum()
    return (
        amounts.group_by("item")
        .agg(pl.col("amount").sum())
        .sort(["amount", "item"], descending=[True, False])
        .with_columns(pl.when(total > 0).then(pl.col("amount") / total).alias("share"))
        .with_columns(pl.col("share").cum_sum().alias("cumulated"))
        .collect()
    )


def _top_share(amounts: pl.LazyFrame, table: pl.DataFrame, k: int) -> TopShare:
    items = table["item"].head(k)
    mine = pl.when(pl.col("item").is_in(items.implode())).then("amount").otherwise(0.0).sum()
    units = amounts.group_by("unit").agg(mine.alias("mine"), pl.col("amount").sum().alias("all"))
    found = clustered_ratio(units, "mine", "all")
    if found is None:
        return TopShare(items=tuple(items), share=None, low=None, high=None)
    share, low, high, n = found
    if n < 2:
        return TopShare(items=tuple(items), share=share, low=None, high=None)
    return TopShare(items=tuple(items), share=share, low=max(0.0, low), high=min(1.0, high))


def _last_spans(replay: Replayed, amounts: pl.LazyFrame, every: str) -> list[pl.LazyFrame] | None:
    """The last whole period before the watermark, and the one before it; None where the log is too short."""
    if replay.watermark is None:
        return None
    end = _instant(replay.watermark).dt.truncate(every)
    ends = pl.select(end.alias("end"), end.dt.offset_by(f"-{every}").alias("middle")).with_columns(
        pl.col("middle").dt.offset_by(f"-{every}").alias("start")
    )
    last, middle, start = (ends[name].item() for name in ("end", "middle", "start"))
    began = amounts.select(pl.col("time").min()).collect().item()
    if began is None or began > start:
        return None
    return [
        amounts.filter(pl.col("time").is_between(*span, closed="left")) for span in ((middle, last), (start, middle))
    ]


def _instant(at: datetime) -> pl.Expr:
    return pl.lit(at, dtype=pl.Datetime("us", "UTC"))


def _change(last: TopShare | None, before: TopShare | None) -> tuple[float, float, float] | None:
    if last is None or before is None or None in (last.share, last.low, before.share, before.low):
        return None
    assert last.share is not None
    assert before.share is not None
    assert last.high is not None
    assert before.high is not None
    difference = last.share - before.share
    half = float(np.hypot(last.high - last.share, before.high - before.share))
    return difference, max(-1.0, difference - half), min(1.0, difference + half)
