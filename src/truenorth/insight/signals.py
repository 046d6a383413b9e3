"""What moves outside the company and what moves inside it, as counts by day: the same form for both.

A *signal* asks one question of every case that opens: how often does each answer come? Answers are asked apart in
*strata* where one thing leads to another (what customers do next is asked apart for each thing that came before), so
that a signal of one side does not move merely because the other did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.known_before import NOT_KNOWN
from truenorth.insight.matching import openings
from truenorth.insight.replayed import NO_TYPE, Replayed
from truenorth.spec.model import PromiseKind

Side = Literal["outside", "inside"]

WINDOW_DAYS = 3
"""Of each case only its first days count: those of a young case can be compared with those of an old one."""
MAX_VALUES = 50
"""An attribute with more values than this names things; it is no mix."""
MIN_COUNT = 50
"""Answers that came fewer times than this in all are taken together."""
N_BINS = 8
"""Times are told apart in so many parts, equally many in each over the whole log."""
OTHER = "(other)"
DAY = timedelta(days=1)


class Signal(NamedTuple):
    """``counts`` (n_days, n_answers): how often each answer came in the cases opened on each day since ``first``;
    ``stratum`` (n_answers,): the number of the question that each answers; ``strata``, ``answers``: in words."""

    name: str
    side: Side
    first: datetime
    counts: NDArray[np.float64]
    stratum: NDArray[np.int64]
    strata: tuple[str, ...]
    answers: tuple[str, ...]


QUESTIONS: dict[str, tuple[Side, str]] = {
    "needs": ("outside", "Who comes, and for what: every attribute of the event that opens a case"),
    "channels": ("outside", "By which channel customers act"),
    "paths": ("outside", "What customers do next, by what came before"),
    "patience": ("outside", "How soon those who still wait for the first answer act again, by how long they wait"),
    "speed": ("inside", "How long we take to answer, by what the customer did"),
    "responses": ("inside", "What we do next, by what came before"),
    "teams": ("inside", "Which team does it, by what is done"),
    "promises": ("inside", "Kept or broken, by promise with a due time"),
}
"""All signals: their side and what they ask."""


def signals(replay: Replayed, window_days: int = WINDOW_DAYS, exclude: Collection[str] = ()) -> list[Signal]:
    """The signals that a log can give, over the days on which cases opened.

    *Counting rule*: a case counts on the day on which it opened, with what happened in its first ``window_days``; cases
    opened in the last 2 x ``window_days`` before the watermark are left out, for theirs is not over. Customers' own
    events are those without an actor and a team; where the log names neither, only ``needs`` and ``channels`` are
    known. ``exclude``: columns that tell no need, for they were written later than the opening.
    """
    events = replay.events
    if replay.watermark is None or not events.height:
        return []
    until = replay.watermark - 2 * window_days * DAY
    opened = openings(replay).filter(pl.col("time") <= until)
    if opened.height == 0:
        return []
    first: datetime = opened["time"].min()  # type: ignore[assignment] # not empty
    first = first.replace(hour=0, minute=0, second=0, microsecond=0)
    steps = _steps(events, first, until, window_days)
    makers: dict[str, Callable[[], pl.LazyFrame | None]] = {
        "needs": lambda: _needs(opened.drop(*exclude, strict=False), first),
        "channels": lambda: _channels(steps),
        "paths": lambda: _moves(steps, pl.col("own") & ~pl.col("opens")),
        "patience": lambda: _patience(steps),
        "speed": lambda: _speed(steps),
        "responses": lambda: _moves(steps, ~pl.col("own")),
        "teams": lambda: _teams(steps),
        "promises": lambda: _promises(replay, opened, first, window_days),
    }
    n_days = (until - first).days + 1
    made = [(name, make()) for name, make in makers.items()]
    found = [_signal(name, rows, first, n_days) for name, rows in made if rows is not None]
    return [signal for signal in found if signal is not None]


def _steps(events: pl.DataFrame, first: datetime, until: datetime, window_days: int) -> pl.LazyFrame:
    """Events of the first days of each case: ``day``, ``type``, ``own``, ``opens``, and what came before and comes
    next."""
    owners = [name for name in ("team", "actor") if name in events.columns]
    own = pl.all_horizontal(pl.col(name).is_null() for name in owners) if owners else pl.lit(None, pl.Boolean)
    channel = pl.col("channel").cast(pl.String) if "channel" in events.columns else pl.lit(None, pl.String)
    team = pl.col("team").cast(pl.String) if "team" in events.columns else pl.lit(None, pl.String)
    kind = pl.col("type").cast(pl.String) if "type" in events.columns else pl.lit(None, pl.String)
    opens = (pl.col("case") != pl.col("case").shift(1)).fill_null(True)
    time = pl.col("time")
    last = opens.shift(-1, fill_value=True)
    return (
        events.lazy()
        .select(
            "time",
            opens.alias("opens"),
            kind.fill_null(NO_TYPE).alias("type"),
            own.alias("own"),
            channel.alias("channel"),
            team.alias("team"),
            pl.when(~last).then((time.shift(-1) - time).dt.total_seconds()).alias("gap_s"),
        )
        .with_columns(
            pl.when("opens").then("time").forward_fill().alias("opened"),
            pl.when(~pl.col("opens")).then(pl.col("type").shift(1)).alias("before"),
            pl.when(pl.col("gap_s").is_not_null()).then(pl.col("own").shift(-1)).alias("next_own"),
        )
        .filter((pl.col("opened") <= until) & (time - pl.col("opened") <= window_days * DAY))
        .with_columns((pl.col("opened") - first).dt.total_days().alias("day"))
    )


def _rows(frame: pl.LazyFrame, stratum: pl.Expr, answer: pl.Expr) -> pl.LazyFrame:
    return frame.select("day", stratum.alias("stratum"), answer.alias("answer"))


def _needs(opened: pl.DataFrame, first: datetime) -> pl.LazyFrame | None:
    names = [
        name
        for name in opened.columns
        if name not in NOT_KNOWN | {"actor", "channel", "team"}
        and (opened[name].dtype in (pl.String, pl.Categorical, pl.Boolean) or opened[name].dtype == pl.Enum)
        and 1 < opened[name].n_unique() <= MAX_VALUES
    ]
    if not names:
        return None
    texts = opened.lazy().select(
        (pl.col("time") - first).dt.total_days().alias("day"), *(pl.col(name).cast(pl.String) for name in names)
    )
    return texts.unpivot(index="day", variable_name="stratum", value_name="answer").filter(
        pl.col("answer").is_not_null()
    )


def _channels(steps: pl.LazyFrame) -> pl.LazyFrame:
    own = pl.col("own").fill_null(pl.col("opens"))
    return _rows(steps.filter(own & pl.col("channel").is_not_null()), pl.lit("channel"), pl.col("channel"))


def _moves(steps: pl.LazyFrame, whose: pl.Expr) -> pl.LazyFrame:
    return _rows(steps.filter(whose & pl.col("before").is_not_null()), pl.col("before"), pl.col("type"))


def _patience(steps: pl.LazyFrame) -> pl.LazyFrame:
    """For each part of a wait that a customer came into: whether they acted again within it, or waited through it."""
    waits = steps.filter(pl.col("opens") & pl.col("own") & pl.col("gap_s").is_not_null())
    ends = waits.select("day", "next_own", _part(pl.col("gap_s")).alias("end"))
    parts = pl.LazyFrame({"part": range(N_BINS)}).select(pl.col("part").cast(pl.Int64))
    gave_up = pl.col("next_own") & (pl.col("part") == pl.col("end"))
    asked = ends.join(parts, how="cross").filter((pl.col("part") < pl.col("end")) | gave_up)
    words = pl.concat_str(pl.lit("part "), pl.col("part") + 1, pl.lit(" of the wait"))
    return _rows(asked, words, pl.when(gave_up).then(pl.lit("acts again")).otherwise(pl.lit("waits on")))


def _speed(steps: pl.LazyFrame) -> pl.LazyFrame:
    answered = steps.filter(pl.col("own") & (pl.col("next_own") == False))  # noqa: E712 an expression
    part = pl.concat_str(pl.lit("part "), _part(pl.col("gap_s")) + 1, pl.lit(f" of {N_BINS}, from fast to slow"))
    return _rows(answered, pl.col("type"), part)


def _part(seconds: pl.Expr) -> pl.Expr:
    """The part of the whole log's times that a time falls into, from 0."""
    return ((seconds.rank("average") - 1) * N_BINS / pl.len()).floor().cast(pl.Int64)


def _teams(steps: pl.LazyFrame) -> pl.LazyFrame:
    return _rows(steps.filter(pl.col("team").is_not_null()), pl.col("type"), pl.col("team"))


def _promises(replay: Replayed, opened: pl.DataFrame, first: datetime, window_days: int) -> pl.LazyFrame | None:
    dated = [one.name for one in replay.journey.promises if one.kind == PromiseKind.RESPONSE]
    if not dated:
        return None
    days = opened.lazy().select("case", pl.col("time").alias("opened"))
    judged = replay.promises.lazy().filter(
        pl.col("promise").is_in(dated)
        & pl.col("verdict").is_in(["kept", "broken"])
        & (pl.col("due") <= pl.lit(replay.watermark))
    )
    rows = (
        judged.join(days, on="case")
        .filter(pl.col("started") - pl.col("opened") <= window_days * DAY)
        .with_columns((pl.col("opened") - first).dt.total_days().alias("day"))
    )
    return _rows(rows, pl.col("promise"), pl.col("verdict"))


def _signal(name: str, rows: pl.LazyFrame, first: datetime, n_days: int) -> Signal | None:
    """Counts of a signal; rare answers taken together, questions with one answer left out."""
    counted = rows.group_by("day", "stratum", "answer").agg(pl.len().alias("n"))
    total = pl.col("n").sum().over("stratum", "answer")
    lumped = (
        counted.with_columns(pl.when(total < MIN_COUNT).then(pl.lit(OTHER)).otherwise("answer").alias("answer"))
        .group_by("day", "stratum", "answer")
        .agg(pl.col("n").sum())
        .filter(
            (pl.col("answer").n_unique().over("stratum") > 1) & (pl.col("n").sum().over("stratum") >= 2 * MIN_COUNT)
        )
        .collect()
    )
    if not lumped.height:
        return None
    cells = lumped.select("stratum", "answer").unique().sort("stratum", "answer").with_row_index("cell")
    placed = lumped.join(cells, on=["stratum", "answer"])
    counts = np.zeros((n_days, cells.height))
    counts[placed["day"].to_numpy(), placed["cell"].to_numpy()] = placed["n"].to_numpy()
    strata = tuple(cells["stratum"].unique(maintain_order=True))
    numbers = np.array([strata.index(one) for one in cells["stratum"]], dtype=np.int64)
    return Signal(name, QUESTIONS[name][0], first, counts, numbers, strata, tuple(cells["answer"]))
