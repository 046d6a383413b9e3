"""Drafting a journey file from a log that nobody has described."""

from truenorth.discovery.draft import discover
from truenorth.discovery.mapping import Guess, guess_fields

__all__ = ["Guess", "discover", "guess_fields"]
