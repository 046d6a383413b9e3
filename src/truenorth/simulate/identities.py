"""Customers who are anonymous at first, and the events that join who they were to who they are."""

from __future__ import annotations

import numpy as np
import polars as pl

MOST_ANONYMOUS = 5
"""So many events of a customer are anonymous at most."""
IDENTIFY = "identify"
"""The type of the event that states both ids."""


def anonymous_at_first(
    events: pl.DataFrame, truth: pl.DataFrame, rate: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the first 1 to 5 events of some customers an anonymous id; before the next, an identify event joins the two.

    Only customers with two or more events are drawn. ``customer`` of such an event is the anonymous id, which
    ``anonymous_id`` repeats; the identify event has the known id as ``customer`` and the other as ``anonymous_id``.
    ``truth`` is a frame of the same height whose ``row`` is null for the events added.
    """
    events = events.with_columns(pl.col("id", "customer").cast(pl.String))
    seen = _seen(events["customer"], rate, rng)
    is_anonymous = seen["nth"] < seen["n_anonymous"]
    is_next = seen["nth"] == seen["n_anonymous"]
    hidden = pl.when(is_anonymous).then(seen["anonymous_id"])
    disguised = events.with_columns(pl.coalesce(hidden, "customer").alias("customer"), hidden.alias("anonymous_id"))
    joins = _joins(events, seen["anonymous_id"], is_next.fill_null(False), disguised.schema)
    rows = np.arange(events.height)
    order = np.argsort(np.concatenate([rows, rows[is_next.fill_null(False).to_numpy()] - 0.5]), kind="stable")
    added = truth.filter(is_next.fill_null(False)).with_columns(pl.lit(None, pl.Int64).alias("row"))
    return pl.concat([disguised, joins])[order], pl.concat([truth, added])[order]


def _seen(customer: pl.Series, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    """For each event: the how manieth of its customer it is (from 0), and how many are anonymous under which id.

    Null where the customer is not drawn.
    """
    people = customer.drop_nulls().to_frame().group_by("customer", maintain_order=True).len()
    people = people.filter(pl.col("len") > 1)
    people = people.with_columns(
        pl.Series(
            "n_anonymous", rng.integers(1, np.minimum(people["len"].to_numpy() - 1, MOST_ANONYMOUS), endpoint=True)
        ),
        pl.format("anonymous-{}", pl.Series(rng.permutation(people.height))).alias("anonymous_id"),
    ).filter(pl.Series(rng.random(people.height) < rate))
    nth = customer.to_frame().select("customer", pl.int_range(pl.len()).over("customer").alias("nth"))
    return nth.join(people, on="customer", how="left", maintain_order="left")


def _joins(events: pl.DataFrame, anonymous_id: pl.Series, chosen: pl.Series, schema: pl.Schema) -> pl.DataFrame:
    """An identify event at the instant of each chosen one; what belongs to the chosen event alone is null."""
    told = {
        "id": pl.format("identify-{}", "anonymous_id"),
        "type": pl.lit(IDENTIFY),
        "anonymous_id": pl.col("anonymous_id"),
    }
    kept = {name: pl.col(name) for name in ("source", "time", "customer") if name in events.columns}
    chosen_events = events.with_columns(anonymous_id.alias("anonymous_id")).filter(chosen)
    return chosen_events.select(
        (told | kept).get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in schema.items()
    )
