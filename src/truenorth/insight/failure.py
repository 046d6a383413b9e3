"""Points of failure: moments, hand-overs, steps and broken promises after which cases fail more often."""

from __future__ import annotations

import polars as pl

from truenorth.insight.flow import cases_of, numbered
from truenorth.insight.intervals import Z95, newcombe
from truenorth.insight.replayed import Replayed

POINT_KINDS = ("event", "step", "handover", "promise")
"""An event type, one event directly after another, work passing between two teams, a broken promise."""

MIN_CASES = 30
"""Fewer cases than this on either side of a comparison say too little."""


def points_of_failure(replay: Replayed, min_cases: int = MIN_CASES) -> pl.DataFrame:
    """Points that cases pass, ranked by what goes wrong with those cases compared with all others.

    *Counting rule*: only decided cases count, and of each case only what came before its verdict (the event
    that gives the verdict and everything after it is left out, or it would explain itself). A case passes a
    point once, however often it comes by. ``n`` cases pass, ``n_failed`` of them failed or were abandoned;
    ``n_others`` and ``n_failed_others`` are the decided cases that do not pass. Points with fewer than
    ``min_cases`` on either side are left out.

    Columns: ``kind`` (event, step, handover, promise), ``point`` (text), ``source`` and ``target`` (for a step and a
    hand-over), the four counts, ``rate``, ``rate_others``, ``difference`` with its 95 % Newcombe interval
    ``difference_low, difference_high``; ``excess`` = n x difference (failing cases more than if the point were like the
    rest), ``value_lost`` = n x (mean value of the others - mean value of these), in the journey's currency, with a 95 %
    interval ``value_lost_low, value_lost_high`` (Welch, normal approximation); ``clear``: the whole interval of the
    difference is above zero, less may be chance. Ranked by ``value_lost`` if the journey declares values, else by
    ``excess``.

    This is association, not cause: cases that pass a point may differ in other ways, and among many points some
    differ by chance. Try a change on some cases and measure it before believing it.
    """
    decided = _decided(replay)
    hits = pl.concat([*_passed_events(replay, decided), _broken_promises(replay, decided)])
    totals = decided.select(
        pl.len().cast(pl.Int64).alias("all_n"),
        pl.col("failed").sum().cast(pl.Int64).alias("all_failed"),
        pl.col("value").sum().alias("all_value"),
        pl.col("value").pow(2).sum().alias("all_squares"),
    )
    passed = (
        hits.unique()
        .join(decided.select("number", "failed", "value"), on="number")
        .group_by("kind", "source", "target")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("failed").sum().cast(pl.Int64).alias("n_failed"),
            pl.col("value").sum().alias("sum"),
            pl.col("value").pow(2).sum().alias("squares"),
        )
        .join(totals, how="cross")
        .with_columns((pl.col("all_n") - pl.col("n")).alias("n_others"))
        .filter((pl.col("n") >= min_cases) & (pl.col("n_others") >= max(min_cases, 1)))
    )
    measure = "value_lost" if replay.journey.outcome.value else "excess"
    return _compared(passed).sort(measure, "n", "kind", "point", descending=[True, True, False, False]).collect()


def cases_of_point(replay: Replayed, kind: str, source: str | None, target: str) -> pl.DataFrame:
    """The decided cases that pass a point: ``case``, ``failed``, ``opened``; failing ones first, the newest first.

    ``kind``, ``source`` and ``target`` are those of a row of `points_of_failure`.
    """
    decided = _decided(replay)
    same = (
        (pl.col("kind") == kind)
        & (pl.col("target") == target)
        & (pl.col("source").is_null() if source is None else pl.col("source") == source)
    )
    passed = pl.concat([*_passed_events(replay, decided), _broken_promises(replay, decided)]).filter(same)
    found = decided.join(passed.select("number").unique(), on="number", how="semi")
    opened = replay.cases.lazy().select("case", "opened")
    ordered = found.join(opened, on="case").sort("failed", "opened", "case", descending=[True, True, False])
    return ordered.select("case", "failed", "opened").collect()


def _decided(replay: Replayed) -> pl.LazyFrame:
    """Decided cases: ``number``, ``case``, ``failed``, ``value`` less its mean, and up to when and where they count."""
    by_event = pl.col("reason").fill_null("") == "event"
    return (
        replay.cases.lazy()
        .with_row_index("number")
        .filter(pl.col("outcome") != "open")
        .select(
            "number",
            "case",
            (pl.col("outcome") != "achieved").alias("failed"),
            (pl.col("value") - pl.col("value").mean()).fill_null(0.0).alias("value"),
            pl.col("outcome_time").alias("until"),
            ((pl.col("outcome") == "achieved") | by_event).alias("by_event"),
        )
    )


def _passed_events(replay: Replayed, decided: pl.LazyFrame) -> list[pl.LazyFrame]:
    """What each decided case passed before its verdict: events, steps and hand-overs."""
    events = replay.events
    owner = "team" if "team" in events.columns else "actor"
    limits = cases_of(events).join(decided.select("number", "case", "until", "by_event"), on="case").drop("case")
    frame = numbered(events, "handover", owner).join(limits, on="run", maintain_order="left")
    before = _before_verdict(frame)
    same = pl.col("run") == pl.col("run").shift(1)
    steps = before.with_columns(pl.when(same).then(pl.col("type").shift(1)).alias("source")).filter(
        pl.col("source").is_not_null()
    )
    found = [
        before.select(*_point("event", pl.lit(None, dtype=pl.String), pl.col("type"))),
        steps.select(*_point("step", pl.col("source"), pl.col("type"))),
    ]
    if owner in events.columns and "handover" in events.columns:
        known = pl.col(owner).forward_fill().over("run").shift(1)
        handed = before.with_columns(pl.when(same).then(known).alias("source")).filter("handover")
        found.append(handed.select(*_point("handover", pl.col("source"), pl.col(owner))))
    return found


def _point(kind: str, source: pl.Expr, target: pl.Expr) -> list[pl.Expr]:
    return [
        pl.lit(kind).alias("kind"),
        source.cast(pl.String).alias("source"),
        target.cast(pl.String).alias("target"),
        pl.col("number"),
    ]


def _before_verdict(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Events up to the verdict; where an event gave it, that one (the last at that instant) is left out."""
    upto = frame.filter(pl.col("time") <= pl.col("until"))
    last = (pl.col("run") != pl.col("run").shift(-1)).fill_null(True)
    deciding = last & pl.col("by_event") & (pl.col("time") == pl.col("until"))
    return upto.filter(~deciding)


def _broken_promises(replay: Replayed, decided: pl.LazyFrame) -> pl.LazyFrame:
    broken = replay.promises.lazy().filter(pl.col("verdict") == "broken").select("case", "promise", "decided")
    return (
        broken.join(decided.select("number", "case", "until"), on="case")
        .filter(pl.col("decided") < pl.col("until"))
        .select(*_point("promise", pl.lit(None, dtype=pl.String), pl.col("promise")))
    )


def _compared(passed: pl.LazyFrame) -> pl.LazyFrame:
    k1, n1, n2 = pl.col("n_failed"), pl.col("n"), pl.col("n_others")
    low, high = newcombe(k1, n1, pl.col("n_failed_others"), n2)
    mean, others = pl.col("sum") / n1, (pl.col("all_value") - pl.col("sum")) / n2
    spread = (_square_error("squares", mean, n1) + _square_error("squares_others", others, n2)).sqrt()
    lost = others - mean
    arrow = pl.concat_str("source", pl.lit(" → "), "target")
    return (
        passed.with_columns(
            (pl.col("all_failed") - k1).alias("n_failed_others"),
            (pl.col("all_squares") - pl.col("squares")).alias("squares_others"),
        )
        .with_columns(
            pl.when(pl.col("source").is_null()).then("target").otherwise(arrow).alias("point"),
            (k1 / n1).alias("rate"),
            (pl.col("n_failed_others") / n2).alias("rate_others"),
            low.alias("difference_low"),
            high.alias("difference_high"),
            (n1 * lost).alias("value_lost"),
            (n1 * (lost - Z95 * spread)).alias("value_lost_low"),
            (n1 * (lost + Z95 * spread)).alias("value_lost_high"),
        )
        .with_columns((pl.col("rate") - pl.col("rate_others")).alias("difference"))
        .with_columns((n1 * pl.col("difference")).alias("excess"))
        .select(
            *("kind", "point", "source", "target", "n", "n_failed", "n_others", "n_failed_others"),
            *("rate", "rate_others", "difference", "difference_low", "difference_high", "excess"),
            *("value_lost", "value_lost_low", "value_lost_high"),
            (pl.col("difference_low") > 0).alias("clear"),
        )
    )


def _square_error(squares: str, mean: pl.Expr, n: pl.Expr) -> pl.Expr:
    """The squared standard error of a mean: sample variance / n."""
    variance = (pl.col(squares) - n * mean * mean).clip(lower_bound=0.0) / (n - 1).clip(lower_bound=1)
    return variance / n
