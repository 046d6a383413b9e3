"""The last so many days, as filters offer them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from truenorth.console.sight import Sight
from truenorth.spec.instants import instant_at

Days = Literal["7", "28", "90", "365"]


def since(sight: Sight, days: Days) -> datetime:
    """The instant so many days ago."""
    return instant_at(sight.reader.served.now_us()) - timedelta(days=int(days))
