"""What people do about proposals, by action and never by person: whether they look at them at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

QUICK_US = 2_000_000
"""Who accepts sooner than this has not read it."""
MOST_ACCEPTED = 0.95
MOST_QUICK = 0.5
FEWEST = 30
"""With fewer reactions nothing is said."""


class Reacted(NamedTuple):
    """A reaction to a proposal of an action, so long after it."""

    action: str
    kind: str
    after_us: int


class Stamping(msgspec.Struct, frozen=True):
    """How proposals of an action are taken. ``is_suspect``: nearly all accepted, mostly unread."""

    action: str
    n: int
    accepted: float
    quick: float
    is_suspect: bool


def stamping(reactions: Iterable[Reacted]) -> Sequence[Stamping]:
    """For each action: the shares of its proposals that were accepted, and of these that were accepted at once.

    >>> stamping([Reacted("call", "accepted", 500_000)] * 40)[0].is_suspect
    True
    """
    by_action: dict[str, list[Reacted]] = {}
    for one in reactions:
        if one.kind in {"accepted", "changed", "declined", "escalated"}:
            by_action.setdefault(one.action, []).append(one)
    return [_stamping(action, found) for action, found in sorted(by_action.items())]


def _stamping(action: str, found: Sequence[Reacted]) -> Stamping:
    taken = [one for one in found if one.kind == "accepted"]
    accepted = len(taken) / len(found)
    quick = sum(one.after_us < QUICK_US for one in taken) / len(taken) if taken else 0.0
    is_suspect = len(found) >= FEWEST and accepted >= MOST_ACCEPTED and quick >= MOST_QUICK
    return Stamping(action, len(found), accepted, quick, is_suspect)
