"""Which effects decisions ask: the newest that were learnt of a journey, and before that what its file believes."""

from __future__ import annotations

from functools import lru_cache

from truenorth.action.belief import Belief
from truenorth.action.values import EffectModel
from truenorth.store.effects import EffectVersions, version_of

MOST_KEPT = 100
"""Versions that are kept in mind."""


class KeptEffects:
    """Effect models by journey. What is learnt meanwhile, by any process, counts from the next decision on."""

    def __init__(self, versions: EffectVersions) -> None:
        self._versions = versions
        self._read = lru_cache(MOST_KEPT)(self._decoded)

    def __call__(self, journey: str) -> EffectModel:
        """The effects to ask for a journey."""
        number = self._versions.newest_number(journey)
        return Belief() if number is None else self._read(journey, number)

    def _decoded(self, journey: str, number: int) -> EffectModel:
        from truenorth.action.learnt_effects import decode_effects  # noqa: PLC0415  # needs an extra

        return decode_effects(self._versions.read(journey, number), version_of(number))
