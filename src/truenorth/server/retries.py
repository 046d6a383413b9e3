"""What follows from a receiver's answer: delivered, tried again and when, given up, or the webhook is paused."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from truenorth.store.rows import DeliveryState

SCHEDULE_S = (5, 30, 120, 600, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400)
"""The waits after the first failed attempt, the second ... After the last wait comes the last attempt.

About 51 hours in all: longer than a weekend's outage.
"""
MAX_REST_S = 300
"""The longest time for which one signal that failed holds up those behind it."""
REFUSED_REST_S = 5
"""The same where the receiver is there but does not want this signal."""
MAX_ASKED_S = 3_600
"""The longest wait that a receiver can ask for."""
GONE = 410
TOO_BUSY = (408, 425, 429)
"""Refusals that are about the receiver's state, not about the signal."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: a status, or none where nobody answered; what there is to tell about it."""

    status: int | None = None
    told: str = ""
    retry_after: str | None = None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a delivery, and of its webhook.

    ``next_us``: the next attempt, where there is one. ``rest_us``: until then nothing else goes to the webhook.
    ``pauses``: nothing goes to it until somebody takes it up again.
    """

    state: DeliveryState
    error: str | None = None
    next_us: int = 0
    rest_us: int = 0
    pauses: bool = False


def next_move(answer: Answer, n_failed: int, now_us: int) -> Move:
    """What follows from an answer to a delivery that had failed ``n_failed`` times before.

    >>> next_move(Answer(status=204), 3, 0)
    Move(state='delivered', error=None, next_us=0, rest_us=0, pauses=False)
    >>> move = next_move(Answer(status=503, told="busy"), 0, 0)
    >>> move.state, move.error, move.next_us // 1_000_000
    ('pending', '503: busy', 5)
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Move(state="delivered")
    error = f"{status or 'no answer'}: {answer.told}".removesuffix(": ")
    if status == GONE:
        return Move(state="pending", error=error, next_us=now_us, pauses=True)
    is_refusal = status is not None and 300 <= status < 500 and status not in TOO_BUSY
    most_s = REFUSED_REST_S if is_refusal else MAX_REST_S
    if n_failed >= len(SCHEDULE_S):
        return Move(state="dead", error=error, rest_us=now_us + most_s * 1_000_000)
    wait_s = max(SCHEDULE_S[n_failed], min(asked_s(answer.retry_after, now_us), MAX_ASKED_S))
    rest_s = min(wait_s, most_s)
    return Move(state="pending", error=error, next_us=now_us + wait_s * 1_000_000, rest_us=now_us + rest_s * 1_000_000)


def asked_s(retry_after: str | None, now_us: int) -> int:
    """The seconds that a header `Retry-After` asks for, as a number or a date; 0 where it asks for nothing.

    >>> asked_s("120", 0), asked_s("Thu, 01 Jan 1970 00:01:00 GMT", 0), asked_s("soon", 0)
    (120, 60, 0)
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, int((at - datetime.fromtimestamp(now_us / 1e6, UTC)).total_seconds()))
