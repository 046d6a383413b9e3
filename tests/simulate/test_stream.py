"""A log played to a receiver on this machine by the unmodified client: each event once, in order, at its time."""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from simulate.making import frame_of, frames, large
from truenorth.simulate import stream as streaming
from truenorth.simulate.faults import Faults, apply
from truenorth.simulate.messages import messages
from truenorth.simulate.stream import stream
from truenorth.spec.problems import TruenorthError

NOW = datetime(2027, 5, 1, 12, tzinfo=UTC)
KEY = "write-key"


class Present:
    """A clock that jumps: nobody waits for it, but other threads get their turn."""

    def __init__(self) -> None:
        self.at = NOW
        self.n_sleeps = 0

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.n_sleeps += 1
        sleep(0.0005)


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses that are left, then with 200; keeps what it acknowledged."""

    def __init__(self, answers: list[tuple[int, dict[str, str]]]) -> None:
        super().__init__(("127.0.0.1", 0), Recording)
        self.answers = answers
        self.always: int | None = None
        self.requests: list[dict[str, Any]] = []
        self.n_refused = 0
        self.open = threading.Event()
        self.open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def taken(self) -> list[dict[str, Any]]:
        return [message for request in self.requests for message in request["batch"]]


class Recording(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.open.wait()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers = self.server.answers.pop(0) if self.server.answers else (self.server.always or 200, {})
        if status == 200:
            assert self.path == "/v1/batch"
            assert self.headers["Authorization"].startswith("Basic ")
            self.server.requests.append(json.loads(gzip.decompress(body)))
        else:
            self.server.n_refused += 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(*answers: tuple[int, dict[str, str]]) -> Iterator[Receiver]:
    with Receiver(list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.open.set()
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "UPLOAD_INTERVAL_S", 0.02)


def test_each_event_is_delivered_once_and_says_all_it_said() -> None:
    frame = large(350)
    with receiver() as server:
        done = stream(frame, server.url, KEY, clock=Present(), speed=60)
    assert (done.n_events, done.n_sent, done.n_delivered, done.n_failed, done.n_undelivered) == (350, 350, 350, 0, 0)
    assert [message["messageId"] for message in server.taken] == frame["id"].to_list()
    assert {request["writeKey"] for request in server.requests} == {KEY}
    for message, event in zip(server.taken, frame.iter_rows(named=True), strict=True):
        assert (message["type"], message["event"]) == ("track", event["type"])
        assert message["userId"] == event["customer"]
        assert message["anonymousId"] == (event["id"] if event["customer"] is None else None)
        assert datetime.fromisoformat(message["timestamp"]) == event["time"]
        said = ("source", "case", "team", "cost", "severity")
        assert message["properties"] == {name: event[name] for name in said if event[name] is not None}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_receiver_that_is_not_ready_at_first_gets_each_event_once(status: int) -> None:
    frame = large(250)
    answers = [(status, {}), (200, {}), (status, {})]
    with receiver(*answers) as server:
        done = stream(frame, server.url, KEY, clock=Present(), speed=600)
    assert server.n_refused == 2
    assert (done.n_delivered, done.n_failed) == (250, 0)
    assert Counter(message["messageId"] for message in server.taken) == Counter(frame["id"].to_list())


def test_a_batch_put_off_while_the_queue_is_full_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_QUEUE", 20)
    frame = large(200)
    with receiver((429, {"Retry-After": "1"})) as server:
        done = stream(frame, server.url, KEY, clock=Present(), speed=float("inf"))
    assert (done.n_delivered, done.n_failed) == (200, 0)
    assert Counter(message["messageId"] for message in server.taken) == Counter(frame["id"].to_list())


def test_a_slow_receiver_makes_the_log_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_QUEUE", 20)
    monkeypatch.setattr(streaming, "UPLOAD_SIZE", 10)
    waiting: list[int] = []
    n_sent = [0]
    with receiver() as server:
        server.open.clear()
        watch = threading.Timer(0.2, lambda: (waiting.append(n_sent[-1]), server.open.set()))
        watch.start()
        done = stream(large(200), server.url, KEY, clock=Present(), speed=float("inf"), on_progress=n_sent.append)
        watch.join()
    assert waiting[0] <= 30  # those in the queue, and those on their way
    assert done.n_delivered == 200


def test_the_stream_keeps_the_pace_of_the_log() -> None:
    frame = frame_of([0, 60, 600, 3600], seed=1)
    clock = Present()
    seen = []
    with receiver() as server:
        stream(frame, server.url, KEY, clock=clock, speed=60, on_progress=lambda _: seen.append(clock.at - NOW))
    assert [round(at.total_seconds()) for at in seen] == [0, 1, 11, 71]


@pytest.mark.parametrize("lateness", [0.0, 0.5])
@pytest.mark.parametrize("speed", [0.5, 1, 60, float("inf")])
def test_as_now_ends_in_the_present_and_keeps_every_distance(speed: float, lateness: float) -> None:
    frame = apply(frame_of([0, 6, 60, 360, 3600], seed=1), Faults(lateness=lateness), seed=3).arrivals
    clock, sent_at = Present(), []
    note = lambda _: sent_at.append(clock.at)  # noqa: E731
    with receiver() as server:
        stream(frame, server.url, KEY, clock=clock, speed=speed, as_now=True, on_progress=note)
    times = [datetime.fromisoformat(message["timestamp"]) for message in server.taken]
    assert [time - times[0] for time in times] == [time - frame["time"][0] for time in frame["time"]]
    ahead = [time - at for time, at in zip(times, sent_at, strict=True)]
    millisecond = timedelta(milliseconds=1)
    assert max(ahead) <= millisecond  # none lies in the future
    if not lateness:
        assert abs(ahead[-1 if speed >= 1 else 0]) <= millisecond
        assert speed != 1 or all(abs(distance) <= millisecond for distance in ahead)


def test_who_was_anonymous_is_joined_to_who_they_are() -> None:
    arrivals, truth = apply(large(300), Faults(identity=1.0, duplicates=0.2, lateness=0.1), seed=5)
    with receiver() as server:
        done = stream(arrivals, server.url, KEY, clock=Present(), speed=6000)
    assert done.n_delivered == arrivals.height
    assert [message["messageId"] for message in server.taken] == arrivals["id"].to_list()
    rows = zip(server.taken, arrivals.iter_rows(named=True), truth["row"], strict=True)
    for message, event, row in rows:
        anonymous = event["anonymous_id"]
        if row is None:
            assert message["type"] == "identify"
            assert (message["userId"], message["anonymousId"]) == (event["customer"], anonymous)
        elif anonymous is not None:
            assert (message["userId"], message["anonymousId"]) == (None, anonymous)


def test_what_the_receiver_refuses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "UPLOAD_SIZE", 50)
    with receiver((200, {}), (400, {})) as server:
        done = stream(large(150), server.url, KEY, clock=Present(), speed=float("inf"))
    assert done.n_failed > 0
    assert done.n_delivered == len(server.taken) == 150 - done.n_failed
    assert "[Segment]" in done.reasons[0]


def test_a_text_too_long_for_the_protocol_is_counted() -> None:
    frame = large(8).with_columns(pl.when(pl.col("id") == "e1").then(pl.lit("x" * 40_000)).alias("text"))
    with receiver() as server:
        done = stream(frame, server.url, KEY, clock=Present(), speed=float("inf"))
    assert (done.n_sent, done.n_delivered, done.n_failed) == (8, 7, 1)
    assert done.reasons == ("event e1 is larger than the 32 KB that the protocol allows",)


def test_a_receiver_that_takes_nothing_is_an_error() -> None:
    with receiver() as server:
        server.always = 401
        with pytest.raises(TruenorthError, match="check the address and the write key"):
            stream(large(2_000), server.url, KEY, clock=Present(), speed=6000)
    assert server.n_refused < 15  # it did not try all


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://no.such.host.invalid:80",
        "http://127.0.0.1:port",
    ],
)
def test_nobody_there_is_said_at_once(url: str) -> None:
    with pytest.raises(TruenorthError, match="expected a receiver that listens"):
        stream(large(10), url, KEY, clock=Present())


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_is_none(speed: float) -> None:
    with pytest.raises(TruenorthError, match="expected a number from"):
        stream(large(10), "http://127.0.0.1:1", KEY, clock=Present(), speed=speed)


def test_a_client_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "find_spec", lambda _: None)
    with receiver() as server, pytest.raises(TruenorthError, match=r"pip install 'truenorth\[simulate\]'"):
        stream(large(10), server.url, KEY, clock=Present())


def test_an_interruption_stops_and_counts() -> None:
    class Interrupted(Present):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.n_sleeps == 150:
                raise KeyboardInterrupt

    with receiver() as server:
        done = stream(large(350), server.url, KEY, clock=Interrupted(), speed=60)
    assert done.interrupted
    assert 0 < done.n_sent < 350
    assert (done.n_delivered, done.n_undelivered) == (done.n_sent, 0)
    assert len(server.taken) == done.n_sent


def test_what_a_dead_receiver_keeps_waiting_is_undelivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_QUEUE", 20)
    monkeypatch.setattr(streaming, "UPLOAD_SIZE", 10)

    class Interrupted(Present):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.n_sleeps == 150:
                raise KeyboardInterrupt

    with receiver() as server:
        server.always = 503
        done = stream(large(200), server.url, KEY, clock=Interrupted(), speed=float("inf"))
    assert done.interrupted
    assert done.n_delivered == len(server.taken) == 0
    assert done.n_undelivered == done.n_sent > 0


@settings(deadline=None)
@given(frames())
def test_messages_are_due_in_order_and_told_apart(frame: pl.DataFrame) -> None:
    same_ids = frame.with_columns(pl.lit("same").alias("id")).unique("source", maintain_order=True)
    for one in (frame, same_ids):
        told = list(messages(one, shift=timedelta(days=1)))
        assert [message.due for message in told] == sorted(message.due for message in told)
        assert len({message.message_id for message in told}) == one.height
        assert [message.timestamp - timedelta(days=1) for message in told] == one["time"].to_list()
