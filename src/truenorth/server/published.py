"""Journeys as they were published: each text is parsed once."""

from __future__ import annotations

from functools import lru_cache

from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey

KNOWN_JOURNEYS = 100
"""Journeys that are kept in mind."""


@lru_cache(KNOWN_JOURNEYS)
def parsed(text: str) -> Journey:
    """The journey of a text that was published."""
    return parse_journey(text)
