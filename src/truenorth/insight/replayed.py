"""What the insights read: the outcome of a replay, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from truenorth.spec.model import Journey

OUTCOMES = ("achieved", "failed", "abandoned", "open")
"""Verdicts on a case, in the order in which they are shown."""

DECIDED = ("achieved", "failed", "abandoned")
"""Verdicts that are final; an open case is censored: it counts neither as good nor as bad."""

VERDICTS = ("kept", "broken", "lapsed", "open")
"""Verdicts on a promise, in the order in which they are shown."""

NO_TYPE = "(no type)"
"""Stands for the type of an event that has none."""


class Replayed(Protocol):
    """A journey together with what its log came to: the frames of `truenorth.engine.replay.Replay`.

    ``events`` holds the events that belong to cases, sorted by case and, within a case, in their order.
    """

    @property
    def journey(self) -> Journey:
        """The journey that was replayed."""

    @property
    def cases(self) -> pl.DataFrame:
        """One row per case."""

    @property
    def promises(self) -> pl.DataFrame:
        """One row per promise instance."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """Counts of the whole replay."""

    @property
    def events(self) -> pl.DataFrame:
        """One row per event of a case."""

    @property
    def watermark(self) -> datetime | None:
        """Every event up to this instant has been seen; None for an empty log."""


def events_of(source: Replayed | pl.DataFrame) -> pl.DataFrame:
    """The events of a replay, or the frame itself."""
    return source if isinstance(source, pl.DataFrame) else source.events
