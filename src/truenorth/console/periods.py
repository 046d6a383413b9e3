"""The last so many days, as filters offer them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from truenorth.console.sight import Sight

Days = Literal["7", "28", "90", "365"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since(sight: Sight, days: Days) -> datetime:
    """The instant so many days ago."""
    return EPOCH + timedelta(microseconds=sight.reader.served.now_us()) - timedelta(days=int(days))
