"""Which cases are held out: never acted upon, so that what actions bring can be measured."""

from __future__ import annotations

from hashlib import blake2b


def is_held_out(journey: str, case: str, share: float) -> bool:
    """Whether a case is among the share that is held out; the same for ever, whoever asks.

    The unit is the case. Half of 64 bits of a hash of its journey and id is a number in [0, 1).

    >>> sum(is_held_out("help", f"T{n}", 0.1) for n in range(10_000))
    994
    """
    name = len(journey).to_bytes(4, "big") + journey.encode() + case.encode()
    return int.from_bytes(blake2b(name, digest_size=8, person=b"holdout").digest(), "big") / 2**64 < share
