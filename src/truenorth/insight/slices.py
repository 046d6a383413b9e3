"""The part of a replay that is asked about: whole cases, by need category, channel and when they opened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl

from truenorth.insight.replayed import Replayed
from truenorth.spec.model import Journey

MOST_VALUES = 50
"""Values of a field that are offered to choose from: the most frequent."""


class Slice(NamedTuple):
    """Which cases: those whose first event has this need category and channel, opened in ``[since, until)``.

    ``by``: the field that holds the category. None asks for nothing.
    """

    category: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    by: str = "category"


class Part:
    """Some cases of a replay, with all their events and promises.

    Cases that opened before a time that is asked for are left out, though they may have gone on into it; those that
    opened within it are whole, though they may have ended after it. The watermark is that of the replay: what is open
    is censored there.
    """

    def __init__(self, replay: Replayed, asked: Slice, cases: pl.DataFrame) -> None:
        """``cases``: rows of the replay's cases, in their order: those that were ``asked`` for."""
        self._replay = replay
        self.asked = asked
        self.cases = cases

    @property
    def journey(self) -> Journey:
        """The journey that was replayed."""
        return self._replay.journey

    @property
    def watermark(self) -> datetime | None:
        """Every event up to this instant has been seen."""
        return self._replay.watermark

    @cached_property
    def promises(self) -> pl.DataFrame:
        """One row per promise instance of these cases."""
        return self._of_cases(self._replay.promises)

    @cached_property
    def events(self) -> pl.DataFrame:
        """One row per event of these cases, in the order of the replay."""
        return self._of_cases(self._replay.events)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """Counts of these cases; what belongs to no case is not counted."""
        return {"events": self.events.height, "cases": self.cases.height}

    def _of_cases(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self.cases.select("case"), on="case", how="semi", maintain_order="left")


def sliced(replay: Replayed, asked: Slice) -> Replayed:
    """The replay itself, or the part of it that is asked for; no case where the log has no such field.

    >>> import truenorth as tn
    >>> replayed = tn.replay("examples/support/journey.yaml", "examples/support/log.csv")
    >>> [(one, sliced(replayed, Slice(one, by="type")).cases.height) for one in values_of(replayed, "type")]
    [('Contact', 345)]
    """
    if asked == Slice(by=asked.by):
        return replay
    cases = replay.cases
    opened = pl.col("opened")
    cases = cases if asked.since is None else cases.filter(opened >= asked.since)
    cases = cases if asked.until is None else cases.filter(opened < asked.until)
    for name, value in ((asked.by, asked.category), ("channel", asked.channel)):
        if value is not None:
            of_value = _firsts(replay, name).filter(pl.col("value") == value)
            cases = cases.join(of_value, on="case", how="semi", maintain_order="left")
    return Part(replay, asked, cases)


def opened_between(replay: Replayed, since: datetime | None, until: datetime | None) -> Replayed:
    """The replay itself, or the part of it that opened in ``[since, until)``; None is no bound.

    >>> import truenorth as tn
    >>> replayed = tn.replay("examples/support/journey.yaml", "examples/support/log.csv")
    >>> middle = sorted(replayed.cases["opened"])[100]
    >>> parts = [opened_between(replayed, None, middle), opened_between(replayed, middle, None)]
    >>> [part.cases.height for part in parts], replayed.cases.height
    ([100, 245], 345)
    """
    return sliced(replay, Slice(since=since, until=until))


def bounds_of(replay: Replayed) -> tuple[datetime | None, datetime | None]:
    """The time in which the cases of a replay opened, where it was asked for one."""
    return (replay.asked.since, replay.asked.until) if isinstance(replay, Part) else (None, None)


def values_of(replay: Replayed, name: str) -> list[str]:
    """The values that the first events of cases have in a field, the most frequent first."""
    counted = _firsts(replay, name).drop_nulls("value").group_by("value").len()
    return counted.sort("len", "value", descending=[True, False])["value"].head(MOST_VALUES).to_list()


def _firsts(replay: Replayed, name: str) -> pl.DataFrame:
    """The ``case`` and the ``value`` of a field, as text, of each case's first event."""
    events = replay.events
    if name not in events.columns:
        return pl.DataFrame(schema={"case": events.schema["case"], "value": pl.String})
    is_first = (pl.col("case") != pl.col("case").shift(1)).fill_null(True)
    return events.lazy().filter(is_first).select("case", pl.col(name).cast(pl.String).alias("value")).collect()
