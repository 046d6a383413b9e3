"""A log played as a live stream: its events, at a chosen speed, through a client that companies really use."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec
import polars as pl

from truenorth.simulate.messages import Message, due, messages
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from segment.analytics import Client

MAX_QUEUE = 1_000
"""Messages that wait in memory while the receiver is slower than the log; then the log waits."""
UPLOAD_SIZE = 100
"""Messages of one request."""
UPLOAD_INTERVAL_S = 0.2
MAX_RETRIES = 10
TIMEOUT_S = 15
CONNECT_TIMEOUT_S = 5
PAUSE_S = 0.02
"""Between two looks at a queue that is full."""
STOP_WITHIN_S = 5
"""After an interruption, what is in the queue has so long to get through."""

SLOWEST = 0.001
"""Of the speeds at which a log can be played."""
MAX_REASONS = 5
"""Different reasons of failures that are kept."""
MAX_REASON_CHARACTERS = 200

Sent = Callable[[int], None]
"""Called with the number of events handed over so far."""


class Clock(Protocol):
    """The present, and waiting for it to pass."""

    def now(self) -> datetime:
        """The present instant, with its time zone."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a stream. ``n_sent = n_delivered + n_failed + n_undelivered``.

    ``n_failed``: refused by the receiver for good; ``reasons`` are the first different ones. ``n_undelivered``: still
    in the queue when the stream was interrupted. ``n_events`` of the log less ``n_sent`` were not reached.
    """

    n_events: int
    n_sent: int
    n_delivered: int
    n_failed: int
    n_undelivered: int
    interrupted: bool
    reasons: tuple[str, ...]


def stream(
    frame: pl.DataFrame,
    url: str,
    write_key: str,
    *,
    clock: Clock,
    speed: float = 1.0,
    as_now: bool = False,
    on_progress: Sent | None = None,
) -> Streamed:
    """Send events in their order of arrival to ``url`` + ``/v1/batch`` by the Segment protocol.

    ``speed`` is log time per time of the clock: 60 plays a minute a second, infinity does not wait. With ``as_now`` all
    instants are shifted by one constant, so that the last event happens when it is sent (at a speed below 1: the
    first); at speed 1 all do but late ones, and none ever lies in the future. The client cuts instants to milliseconds.

    At most 1,000 messages wait in memory; then the log waits. KeyboardInterrupt ends the stream early and is no error.
    TruenorthError where nobody listens, the client is not installed, or not one event is taken.
    """
    if not speed >= SLOWEST:
        raise TruenorthError([Problem(path="speed", expected=f"a number from {SLOWEST:g}", found=f"{speed:g}")])
    check_receiver(url)
    line = _Line(url, write_key, clock)
    start = clock.now()
    arrived = due(frame)
    shift = _to_now(arrived, start, speed) if as_now and len(arrived) else timedelta(0)
    interrupted = False
    try:
        for message in messages(frame, shift=shift):
            until = start + (message.due - arrived[0]) * (1 / speed)
            while (left_s := (until - clock.now()).total_seconds()) > 0:
                clock.sleep(left_s)
            line.send(message)
            if on_progress:
                on_progress(line.n_sent)
        line.finish()
    except KeyboardInterrupt:
        interrupted = True
        line.stop()
    return line.streamed(frame.height, interrupted=interrupted)


def _to_now(arrived: pl.Series, start: datetime, speed: float) -> timedelta:
    """The shift by which the last event happens when its turn comes; played slower than life, the first."""
    lived: timedelta = arrived[-1] - arrived[0]
    last: datetime = arrived[-1]
    return start + min(lived, lived * (1 / speed)) - last


class _Line:
    """The client, the room in its queue, and what it gave up on."""

    def __init__(self, url: str, write_key: str, clock: Clock) -> None:
        self._url, self._clock = url, clock
        self._lock = Lock()
        self._client = _client(url, write_key, self._failed)
        self._proven = False
        self._reasons: dict[str, None] = {}
        self.n_sent = 0
        self.n_failed = 0

    def _failed(self, reason: Exception | str, batch: Sequence[object]) -> None:
        """Called by the client, in a thread of its own, and by `send`."""
        with self._lock:
            self.n_failed += len(batch)
            if len(self._reasons) < MAX_REASONS:
                self._reasons[str(reason)[:MAX_REASON_CHARACTERS]] = None

    def send(self, message: Message) -> None:
        """Hand a message over as soon as there is room."""
        while self._client.queue.qsize() >= MAX_QUEUE:
            self._clock.sleep(PAUSE_S)
        try:
            _call(self._client, message)
        except RuntimeError:
            self._failed(f"event {message.message_id} is larger than the 32 KB that the protocol allows", [message])
        self.n_sent += 1
        if self.n_failed and not self._proven:
            self._prove()

    def _prove(self) -> None:
        """After the first failure: is anything taken at all?"""
        self._client.flush()
        if self.n_failed >= self.n_sent:
            self._client.join()
            raise TruenorthError([_takes_nothing(self._url, next(iter(self._reasons)))])
        self._proven = True

    def finish(self) -> None:
        """Wait until all is delivered or given up on."""
        self._client.flush()
        if self.n_failed and not self._proven:
            self._prove()
        self._client.join()

    def stop(self) -> None:
        """Give what waits a few seconds to get through."""
        try:
            for _ in range(round(STOP_WITHIN_S / PAUSE_S)):
                if self._client.queue.empty():
                    break
                self._clock.sleep(PAUSE_S)
        finally:
            self._client.join()

    def streamed(self, n_events: int, *, interrupted: bool) -> Streamed:
        """What became of the messages, once the line is finished or stopped."""
        n_waiting = self._client.queue.qsize()
        return Streamed(
            n_events=n_events,
            n_sent=self.n_sent,
            n_delivered=self.n_sent - self.n_failed - n_waiting,
            n_failed=self.n_failed,
            n_undelivered=n_waiting,
            interrupted=interrupted,
            reasons=tuple(self._reasons),
        )


def _takes_nothing(url: str, reason: str) -> Problem:
    hint = "check the address and the write key"
    return Problem(path=url, expected="a receiver that takes events", found=reason, hint=hint)


def _call(client: Client, message: Message) -> None:
    who = {"user_id": message.user_id, "anonymous_id": message.anonymous_id}
    when = {"timestamp": message.timestamp, "message_id": message.message_id}
    if message.identifies:
        client.identify(**who, traits=dict(message.properties), **when)
    else:
        client.track(**who, event=message.event, properties=dict(message.properties), **when)


def _client(url: str, write_key: str, on_error: Callable[[Exception, Sequence[object]], None]) -> Client:
    from segment.analytics import Client  # noqa: PLC0415 (an extra)

    return Client(
        write_key,
        host=url,
        gzip=True,
        on_error=on_error,
        max_queue_size=MAX_QUEUE + UPLOAD_SIZE,  # a batch that the receiver puts off always finds its place again
        max_retries=MAX_RETRIES,
        timeout=TIMEOUT_S,
        upload_size=UPLOAD_SIZE,
        upload_interval=UPLOAD_INTERVAL_S,
        log_handler=logging.NullHandler(),  # reasons are counted, not printed among the progress bars
    )


def check_receiver(url: str) -> None:
    """`TruenorthError` unless the client is installed and somebody listens at the address."""
    if find_spec("segment") is None:
        found, hint = "it is not installed", "pip install 'truenorth[simulate]'"
        raise TruenorthError(
            [Problem(path="segment-analytics-python", expected="the client that sends", found=found, hint=hint)]
        )
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S):
            return
    except (ValueError, KeyError):
        found = "no such address"
    except OSError as error:
        found = error.strerror or str(error)
    hint = "give the address as http://host:port; is the receiver running?"
    raise TruenorthError([Problem(path=url, expected="a receiver that listens", found=found, hint=hint)])
