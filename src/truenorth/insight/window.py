"""The part of a replay that some time is asked about: whole cases, by when they opened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import polars as pl

from truenorth.insight.replayed import Replayed
from truenorth.spec.model import Journey


class Window:
    """The cases of a replay that opened within a time, with all their events and promises.

    Cases that opened before it are left out, though they may have gone on into it; those that opened within it are
    whole, though they may have ended after it. The watermark is that of the replay: what is open is censored there.
    """

    def __init__(self, replay: Replayed, since: datetime | None, until: datetime | None) -> None:
        """``since <= opened < until``; None is no bound."""
        self._replay = replay
        self.since, self.until = since, until

    @property
    def journey(self) -> Journey:
        """The journey that was replayed."""
        return self._replay.journey

    @property
    def watermark(self) -> datetime | None:
        """Every event up to this instant has been seen."""
        return self._replay.watermark

    @cached_property
    def cases(self) -> pl.DataFrame:
        """One row per case that opened within the time."""
        opened = pl.col("opened")
        asked = [] if self.since is None else [opened >= self.since]
        asked += [] if self.until is None else [opened < self.until]
        return self._replay.cases.filter(*asked)

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
        """Counts of these cases; what belongs to no case has no opening and is not counted."""
        return {"events": self.events.height, "cases": self.cases.height}

    def _of_cases(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.join(self.cases.select("case"), on="case", how="semi", maintain_order="left")


def opened_between(replay: Replayed, since: datetime | None, until: datetime | None) -> Replayed:
    """The replay itself, or the part of it that opened in ``[since, until)``.

    >>> from datetime import UTC
    >>> import truenorth as tn
    >>> replayed = tn.replay("examples/support/journey.yaml", "examples/support/log.csv")
    >>> middle = sorted(replayed.cases["opened"])[100]
    >>> parts = [opened_between(replayed, None, middle), opened_between(replayed, middle, None)]
    >>> [part.cases.height for part in parts], replayed.cases.height
    ([100, 245], 345)
    """
    return replay if since is None and until is None else Window(replay, since, until)


def bounds_of(replay: Replayed) -> tuple[datetime | None, datetime | None]:
    """The time in which the cases of a replay opened, where it was asked for one."""
    return (replay.since, replay.until) if isinstance(replay, Window) else (None, None)
