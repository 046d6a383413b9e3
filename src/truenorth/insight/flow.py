"""The flow of cases: which event follows which, how often and how soon."""

from __future__ import annotations

import polars as pl

from truenorth.insight.replayed import NO_TYPE, Replayed, events_of

KINDS = ("moment", "decision", "internal")
"""Kinds of events, in the order that decides a tie."""


def typed(events: pl.DataFrame) -> pl.Series:
    """The type of every event as an enumeration in alphabetical order; an event without one is ``(no type)``.

    >>> typed(pl.DataFrame({"type": ["b", None, "a"]})).to_list()
    ['b', '(no type)', 'a']
    """
    if "type" not in events.columns:
        return pl.Series("type", [NO_TYPE] * events.height, dtype=pl.Enum([NO_TYPE]))
    types = events["type"].cast(pl.String).fill_null(NO_TYPE)
    return types.cast(pl.Enum(types.unique().sort()))


def numbered(events: pl.DataFrame, *columns: str) -> pl.LazyFrame:
    """The events as ``run`` (0, 1, ... case by case), ``type``, ``time`` and those of ``columns`` that they have."""
    more = [name for name in columns if name in events.columns]
    return events.lazy().select(
        pl.col("case").rle_id().alias("run"), pl.lit(typed(events)).alias("type"), "time", *more
    )


def cases_of(events: pl.DataFrame) -> pl.LazyFrame:
    """The ``case`` of every ``run`` that `numbered` gives."""
    runs = events.lazy().select(pl.col("case").rle_id().alias("run"), "case")
    return runs.filter((pl.col("run") != pl.col("run").shift(1)).fill_null(True))


def direct_follows(source: Replayed | pl.DataFrame) -> pl.DataFrame:
    """Which type of event directly follows which, from a replay or from its events sorted by case and order.

    Counts every pair of consecutive events of one case, in the order (time, arrival). One row per pair of
    types, the most frequent first: ``source``, ``target``, ``n`` (pairs), ``n_cases`` (cases with at least
    one), ``median_us`` (median time between the two, microseconds), ``handover_share`` (share of the pairs
    whose second event is a hand-over, in [0, 1]). The sum of ``n`` is events minus cases.

    Source: W. van der Aalst, "Process Mining" (2016), section 6.2, the directly-follows graph.

    >>> from datetime import datetime
    >>> log = pl.DataFrame({"case": ["1", "1", "1", "2"], "type": ["a", "b", "b", "a"],
    ...                     "time": [datetime(2024, 1, day) for day in (1, 2, 4, 1)]})
    >>> direct_follows(log).select("source", "target", "n").rows()
    [('a', 'b', 1), ('b', 'b', 1)]
    """
    events = events_of(source)
    handover = pl.col("handover").shift(-1) if "handover" in events.columns else pl.lit(False)
    pairs = (
        numbered(events, "handover")
        .with_columns(
            pl.col("type").shift(-1).alias("target"),
            (pl.col("run") == pl.col("run").shift(-1)).alias("same"),
            (pl.col("time").shift(-1) - pl.col("time")).dt.total_microseconds().alias("gap"),
            handover.alias("handed"),
        )
        .filter("same")
        .with_columns(_pair_code())
    )
    table = pairs.group_by("pair").agg(
        pl.col("type").first().alias("source"),
        pl.col("target").first(),
        pl.len().cast(pl.Int64).alias("n"),
        # Pairs come in the order of their cases, so the cases of one pair are runs.
        pl.col("run").rle_id().last().cast(pl.Int64).add(1).alias("n_cases"),
        pl.col("gap").median().alias("median_us"),
        pl.col("handed").mean().alias("handover_share"),
    )
    return _by_frequency(table.drop("pair"), "source", "target")


def _pair_code() -> pl.Expr:
    """One integer per pair of types: grouping by it is several times faster than by two columns."""
    first, second = (pl.col(name).to_physical().cast(pl.UInt64) for name in ("type", "target"))
    return (first * 2**32 + second).alias("pair")


def _by_frequency(table: pl.LazyFrame, *names: str) -> pl.DataFrame:
    texts = [pl.col(name).cast(pl.String) for name in names]
    return table.with_columns(texts).sort("n", *names, descending=[True, *[False] * len(names)]).collect()


def event_types(source: Replayed | pl.DataFrame) -> pl.DataFrame:
    """What kinds of events there are, from a replay or from its events sorted by case and order.

    One row per type, the most frequent first: ``type``, ``kind``, ``n`` (events), ``share`` (of all events),
    ``n_cases``, ``case_share`` (cases with at least one, of all), ``moments``, ``decisions``, ``internal``
    (events with that flag), ``handover_share`` (of its events), ``median_next_us`` (median time to the next
    event of the case, null if it is always the last), ``position`` (median of its events' place in their case,
    0 first to 1 last).

    *Counting rule*: a type is of the ``kind`` most of its events have; on a tie moment goes before decision, decision
    before internal. An event that is both a moment and a decision counts under both.

    >>> from datetime import datetime
    >>> log = pl.DataFrame({"case": ["1", "1"], "type": ["call", "note"], "moment": [True, False],
    ...                     "time": [datetime(2024, 1, 1), datetime(2024, 1, 2)]})
    >>> event_types(log).select("type", "kind", "n", "position").rows()
    [('call', 'moment', 1, 0.0), ('note', 'internal', 1, 1.0)]
    """
    events = events_of(source)
    n_cases = max(events["case"].n_unique(), 1)
    by_type = _placed(events).group_by("type")
    counts = by_type.agg(
        pl.len().cast(pl.Int64).alias("n"),
        pl.col("run").rle_id().last().cast(pl.Int64).add(1).alias("n_cases"),
        pl.col("moment", "decision", "internal").sum().cast(pl.Int64).name.suffix("s"),
        pl.col("handover").mean().alias("handover_share"),
    )
    medians = [
        by_type.agg(pl.col(name).median().alias(median)).collect()
        for name, median in (("gap", "median_next_us"), ("place", "position"))
    ]  # one by one, so that not all of millions of events is held at once
    table = (
        counts.join(medians[0].lazy(), on="type")
        .join(medians[1].lazy(), on="type")
        .rename({"internals": "internal"})
        .with_columns(
            _kind().alias("kind"),
            (pl.col("n") / max(events.height, 1)).alias("share"),
            (pl.col("n_cases") / n_cases).alias("case_share"),
        )
    )
    order = ["type", "kind", "n", "share", "n_cases", "case_share", "moments", "decisions", "internal"]
    return _by_frequency(table.select(*order, "handover_share", "median_next_us", "position"), "type")


def _placed(events: pl.DataFrame) -> pl.LazyFrame:
    """Every event with its flags, its ``place`` in its case in [0, 1], the ``gap`` to the next (microseconds)."""
    flags = ("moment", "decision", "handover")
    frame = numbered(events, *flags, "internal")
    frame = frame.with_columns(pl.lit(False).alias(flag) for flag in flags if flag not in events.columns)
    if "internal" not in events.columns:
        frame = frame.with_columns((~pl.col("moment") & ~pl.col("decision")).alias("internal"))
    last = pl.col("run") != pl.col("run").shift(-1)
    index = pl.int_range(pl.len(), dtype=pl.Int32)
    return (
        frame.with_columns(
            pl.when(~last).then((pl.col("time").shift(-1) - pl.col("time")).dt.total_microseconds()).alias("gap"),
            pl.when((pl.col("run") != pl.col("run").shift(1)).fill_null(True))
            .then(index)
            .forward_fill()
            .alias("first"),
            pl.when(last.fill_null(True)).then(index).backward_fill().alias("last"),
            index.alias("index"),
        )
        .with_columns((pl.col("last") - pl.col("first")).alias("span"))
        .with_columns(
            pl.when(pl.col("span") > 0)
            .then((pl.col("index") - pl.col("first")) / pl.col("span"))
            .otherwise(0.0)
            .alias("place")
        )
    )


def _kind() -> pl.Expr:
    most = pl.max_horizontal("moments", "decisions", "internal")
    return (
        pl.when(pl.col("moments") == most)
        .then(pl.lit("moment"))
        .when(pl.col("decisions") == most)
        .then(pl.lit("decision"))
        .otherwise(pl.lit("internal"))
    )


def starts_and_ends(replay: Replayed) -> pl.DataFrame:
    """With which type of event cases begin, and with which they end, by verdict.

    One row per pair: ``end`` (``need`` for the first event of a case, else the case's verdict for its last),
    ``type``, ``n`` (cases). The rows of ``need`` add up to the number of cases, and so do all others together.
    """
    borders = (
        numbered(replay.events)
        .group_by("run", maintain_order=True)
        .agg(pl.col("type").first().alias("first"), pl.col("type").last().alias("last"))
        .join(cases_of(replay.events), on="run")
        .join(replay.cases.lazy().select("case", "outcome"), on="case")
    )
    starts = borders.select(pl.lit("need").alias("end"), pl.col("first").cast(pl.String).alias("type"))
    ends = borders.select(pl.col("outcome").alias("end"), pl.col("last").cast(pl.String).alias("type"))
    counted = pl.concat([starts, ends]).group_by("end", "type").agg(pl.len().cast(pl.Int64).alias("n"))
    return counted.sort("n", "end", "type", descending=[True, False, False]).collect()
