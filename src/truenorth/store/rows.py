"""What the store keeps beside events, as values.

Those that come by the thousand refer to texts and numbers only: the garbage collector need not look at them
(``gc=False``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Outcome = Literal["achieved", "failed", "abandoned", "open"]
Reason = Literal["event", "late", "silence"]
Verdict = Literal["kept", "broken", "lapsed", "open"]
Role = Literal["viewer", "agent", "analyst", "admin"]
JourneyState = Literal["draft", "live", "retired"]
WebhookState = Literal["active", "paused"]
DeliveryState = Literal["pending", "delivered", "dead"]


class CaseRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A judged case: the columns of `cases` in a replay, instants as microseconds since 1970 UTC."""

    case: str
    customer: str | None = None
    opened_us: int
    resolved_us: int | None = None
    closed_us: int | None = None
    outcome: Outcome = "open"
    reason: Reason | None = None
    outcome_time_us: int | None = None
    reopened: int = 0
    events: int = 0
    moments: int = 0
    decisions: int = 0
    handovers: int = 0
    internal: int = 0
    kept: int = 0
    broken: int = 0
    lapsed: int = 0
    open: int = 0
    cost: float = 0.0
    revenue: float = 0.0
    value: float = 0.0


class PromiseRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An instance of a promise: the columns of `promises` in a replay."""

    case: str
    promise: str
    instance: int
    started_us: int
    due_us: int | None = None
    verdict: Verdict = "open"
    decided_us: int | None = None
    started_by: str | None = None
    decided_by: str | None = None


class CaseEvent(msgspec.Struct, frozen=True, gc=False):
    """An event of a case key: with it a late event finds the history of its case."""

    key: str
    time_us: int
    position: int


class NewSignal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something to be told: a broken promise, a correction ... ``body`` is a JSON object."""

    case: str | None = None
    customer: str | None = None
    kind: str
    time_us: int
    body: bytes


class Signal(NewSignal, frozen=True, kw_only=True, gc=False):
    """A signal that was given; ``number`` rises in the order in which signals become visible, with gaps."""

    number: int
    journey: str


class Progress(msgspec.Struct, frozen=True):
    """How far the runner of a journey has come: the last position it took, and its watermark.

    ``told`` is the last position whose signals were given: what is judged once more is not told once more. The counts
    are those of the summary: events taken; of them, ones that the journey's `only` filters, ones without a key, ones
    before the need of their key, ones after the close.
    """

    position: int = 0
    watermark_us: int | None = None
    told: int = 0
    n_events: int = 0
    n_filtered: int = 0
    n_no_key: int = 0
    n_before_need: int = 0
    n_after_close: int = 0


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """All that one step of a journey's runner writes, kept together or not at all.

    ``anew``: cases whose rows go before the new ones are written (a correction may leave fewer); with ``from_scratch``
    all that was kept of the journey goes, but for its signals. ``chunks``: pieces of the runner's state by number,
    replacing those of the same number. ``follows``: the progress that this step goes on from, if that is to be checked.
    """

    progress: Progress
    follows: Progress | None = None
    cases: Sequence[CaseRow] = ()
    promises: Sequence[PromiseRow] = ()
    anew: Sequence[str] = ()
    case_events: Sequence[CaseEvent] = ()
    signals: Sequence[NewSignal] = ()
    chunks: Mapping[int, bytes] = {}
    from_scratch: bool = False


class JourneyText(msgspec.Struct, frozen=True, kw_only=True):
    """One published version of a journey file."""

    name: str
    version: int
    text: str
    state: JourneyState
    published_us: int


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where signals are sent. ``kinds`` empty: all kinds. ``secret`` signs what is sent, so it is kept as it is."""

    number: int
    url: str
    secret: str
    kinds: tuple[str, ...]
    state: WebhookState
    created_us: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that is due at a webhook; ``attempts`` counts the failed ones."""

    signal: Signal
    webhook: Webhook
    attempts: int


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a delivery that was claimed. ``next_us`` counts where it is still pending."""

    signal: int
    webhook: int
    state: DeliveryState
    attempts: int
    next_us: int = 0
    last_error: str | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was given up after its last attempt."""

    signal: int
    webhook: int
    url: str
    journey: str
    kind: str
    case: str | None
    time_us: int
    attempts: int
    last_error: str | None


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for ingest, without its secret; events that come with it have its ``source``."""

    source: str
    created_us: int
    revoked_us: int | None = None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token for everything else, without its secret."""

    label: str
    role: Role
    created_us: int
    revoked_us: int | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A registered address that a campaign's link redirects to."""

    name: str
    url: str
    campaign: str | None = None
    created_us: int


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the audit: who did what, when, about what or whom."""

    number: int
    time_us: int
    who: str
    what: str
    about: str | None = None
