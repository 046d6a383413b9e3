"""Signals reach webhooks at least once each, signed, in order as far as failures allow; whatever receivers do."""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.receiver import HANG_UP, OK, SILENCE, Receiver, Request, answer
from truenorth.server import outbox as sending
from truenorth.server.outbox import Sender
from truenorth.server.retries import MAX_ASKED_S, MAX_REST_S, SCHEDULE_S, Answer, next_move
from truenorth.server.targets import Address, CheckedBackend, TargetRules
from truenorth.server.webhook_message import new_secret, secret_key
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import StoreUnavailable
from truenorth.store.rows import Judged, NewSignal, Progress, Webhook

FOLDER = Path(__file__).parent
SECRET = new_secret(lambda n: bytes(range(n)))
LOOPBACK = TargetRules(loopback=True)
N_ATTEMPTS = len(SCHEDULE_S) + 1
WAIT_S = 20


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_us = 1_767_605_400_000_000

    def __call__(self) -> int:
        return self.now_us

    def move_s(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "POLL_S", 0.002)
    monkeypatch.setattr(sending, "RETRY_S", 0.002)


def signal(store: Store, n: int = 1, kind: str = "broken") -> Sequence[int]:
    given = [NewSignal(kind=kind, time_us=at, body=b'{"promise":"in_time"}', case="T1") for at in range(n)]
    judged = Judged(progress=Progress(position=1), signals=given)
    return store.results.write("support", judged, n_erasures=store.results.n_erasures())


def hook(store: Store, port: int, clock: Clock, path: str = "") -> Webhook:
    return store.outbox.add_webhook(f"http://127.0.0.1:{port}/{path}", SECRET, now_us=clock.now_us)


def states(store: Store) -> dict[int, str]:
    with store.database.reading() as connection:
        rows = connection.exec_driver_sql("select signal, state from outbox order by signal, webhook")
        return dict(tuple(row) for row in rows)


def n_failed(store: Store) -> list[int]:
    with store.database.reading() as connection:
        return [n for (n,) in connection.exec_driver_sql("select attempts from outbox order by signal, webhook")]


@asynccontextmanager
async def running(sender: Sender) -> AsyncIterator[None]:
    stopped = asyncio.Event()
    task = asyncio.create_task(sender.run(stopped))
    try:
        yield
    finally:
        stopped.set()
        await asyncio.wait_for(task, WAIT_S)


async def until(true: Any) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():
            await asyncio.sleep(0.002)


def test_what_is_sent_is_signed_and_in_order(store: Store) -> None:
    receiver, clock = Receiver(), Clock()

    async def conversation() -> None:
        made = hook(store, await receiver.start(), clock, "hook?a=1")
        numbers = signal(store, 40)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            await until(lambda: set(states(store).values()) == {"delivered"})
        await receiver.stop()
        assert receiver.numbers == list(numbers)
        ids = [request.headers["webhook-id"] for request in receiver.requests]
        assert len(set(ids)) == 40
        assert all(f"_{made.number}_" in one for one in ids)

    asyncio.run(conversation())
    request = receiver.requests[0]
    assert request.path == "/hook?a=1"
    told = json.loads(request.body)
    assert (told["type"], told["data"]["case"], told["data"]["details"]) == ("broken", "T1", {"promise": "in_time"})
    id_, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    signed = f"{id_}.{timestamp}.".encode() + request.body
    digest = hmac.digest(b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")
    assert request.headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"
    assert int(timestamp) == clock.now_us // 1_000_000


REPLIES = [
    OK,
    OK,
    answer(500, "oops"),
    answer(404),
    HANG_UP,
    answer(301, location="http://10.0.0.1/"),
    b"nonsense\r\n\r\n",
]


@given(st.lists(st.sampled_from(REPLIES), max_size=30), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_every_signal_arrives_or_is_a_dead_letter(replies: list[bytes], n: int) -> None:
    """Whatever a receiver does, and it sees the same id at every attempt. What arrived at once came in order."""
    left, clock = list(replies), Clock()
    accepted: list[int] = []

    def reply(request: Request) -> bytes:
        said = left.pop(0) if left else OK
        if said == OK:
            accepted.append(request.number)
        return said

    async def conversation(store: Store) -> Receiver:
        receiver = Receiver(reply)
        hook(store, await receiver.start(), clock)
        signal(store, n)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            while "pending" in states(store).values():
                await asyncio.sleep(0.003)
                clock.move_s(6 * 3600)
        await receiver.stop()
        return receiver

    with TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/truenorth.db") as store:
        receiver = asyncio.run(conversation(store))
        by_number = {number: receiver.numbers.count(number) for number in receiver.numbers}
        for number, state in states(store).items():
            assert (state == "delivered") == (number in accepted)
            assert state == "delivered" or by_number[number] == N_ATTEMPTS
        assert [one.signal for one in store.outbox.dead_letters()] == sorted(set(by_number) - set(accepted))
    assert len({(one.number, one.headers["webhook-id"]) for one in receiver.requests}) == len(by_number)
    assert accepted == sorted(accepted) or any(one != OK for one in replies)


def test_one_that_fails_holds_up_those_behind_it_for_some_minutes_only(store: Store) -> None:
    receiver, clock = Receiver(), Clock()

    async def conversation() -> None:
        hook(store, await receiver.start(), clock)
        first, second = signal(store, 2)
        receiver.reply = lambda request: answer(500) if request.number == first else OK
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            for n in range(1, 5):
                await until(lambda n=n: receiver.numbers == [first] * n)
                await until(lambda n=n: n_failed(store) == [n, 0])
                clock.move_s(SCHEDULE_S[n - 1] if n < 4 else MAX_REST_S)
            await until(lambda: second in receiver.numbers)
            await until(lambda: states(store) == {first: "pending", second: "delivered"})
        await receiver.stop()

    asyncio.run(conversation())


def test_a_receiver_that_is_gone_gets_nothing_more_until_it_is_taken_up_again(store: Store) -> None:
    receiver, clock = Receiver(lambda _: answer(410, "moved")), Clock()

    async def conversation() -> None:
        made = hook(store, await receiver.start(), clock)
        signal(store, 3)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            await until(lambda: store.outbox.webhooks()[0].state == "paused")
            clock.move_s(1e6)
            assert len(receiver.requests) == 1
            receiver.reply = lambda _: OK
            store.outbox.set_webhook(made.number, "active")
            await until(lambda: set(states(store).values()) == {"delivered"})
        await receiver.stop()

    asyncio.run(conversation())


def test_dead_letters_are_seen_and_sent_again_under_the_same_id(store: Store) -> None:
    receiver, clock = Receiver(lambda _: answer(400, "no\n such \x07 field")), Clock()

    async def conversation() -> None:
        hook(store, await receiver.start(), clock)
        (number,) = signal(store)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            while not store.outbox.dead_letters():
                await asyncio.sleep(0.003)
                clock.move_s(24 * 3600)
            (letter,) = store.outbox.dead_letters()
            assert (letter.attempts, letter.last_error) == (N_ATTEMPTS, "400: no  such   field")
            receiver.reply = lambda _: OK
            assert store.outbox.retry_dead(clock.now_us) == 1
            clock.move_s(MAX_REST_S)
            await until(lambda: states(store) == {number: "delivered"})
        await receiver.stop()

    asyncio.run(conversation())
    assert len(receiver.requests) == N_ATTEMPTS + 1
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert store.outbox.dead_letters() == []


def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash between delivery and noting it."""
    receiver, clock = Receiver(), Clock()
    settle = store.outbox.settle
    lost: list[int] = []

    def forget(settled: Any) -> None:
        if not lost:
            lost.extend(one.signal for one in settled)
            raise StoreUnavailable(Problem(path="store", expected="an answer", found="none"))
        settle(settled)

    monkeypatch.setattr(store.outbox, "settle", forget)

    async def conversation() -> None:
        hook(store, await receiver.start(), clock)
        signal(store, 3)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            await until(lambda: lost)
            clock.move_s(sending.LEASE_S - 1)
            await asyncio.sleep(0.02)
            assert len(receiver.requests) == 3
            clock.move_s(1)
            await until(lambda: set(states(store).values()) == {"delivered"})
        await receiver.stop()

    asyncio.run(conversation())
    assert receiver.numbers == lost * 2
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 3


def test_a_stop_finishes_what_is_under_way_and_leaves_the_rest(store: Store) -> None:
    clock, stopped = Clock(), asyncio.Event()

    def reply(_: Request) -> bytes:
        stopped.set()
        return OK

    async def conversation() -> None:
        receiver = Receiver(reply)
        hook(store, await receiver.start(), clock)
        signal(store, 5)
        await asyncio.wait_for(Sender(store.outbox, clock, LOOPBACK).run(stopped), WAIT_S)
        await receiver.stop()
        n_sent = len(receiver.requests)
        assert list(states(store).values()) == ["delivered"] * n_sent + ["pending"] * (5 - n_sent)
        assert n_sent < 5
        assert len(store.outbox.claim(clock.now_us, lease_us=1)) == 5 - n_sent  # nobody has to wait for a lease

    asyncio.run(conversation())


def test_a_slow_receiver_does_not_hold_up_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(sending, "REQUEST_S", 1)

    async def conversation() -> None:
        slow, good = Receiver(lambda _: SILENCE), Receiver()
        hook(store, await slow.start(), clock)
        hook(store, await good.start(), clock)
        signal(store, 2)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            await until(lambda: len(good.requests) == 2)
            assert len(slow.requests) <= 1
            await until(lambda: n_failed(store) == [1, 0, 0, 0])
        await slow.stop()
        await good.stop()
        with store.database.reading() as connection:
            errors = connection.exec_driver_sql("select last_error from outbox where last_error is not null").all()
        assert errors == [("no answer: nothing whole within 1 s",)]

    asyncio.run(conversation())


def test_not_more_webhooks_are_spoken_to_at_a_time_than_allowed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "N_AT_ONCE", 2)
    clock, under_way, counts = Clock(), set[int](), list[int]()

    class Watched(Sender):
        async def _answer(self, pool: Any, delivery: Any) -> Answer:
            under_way.add(delivery.webhook.number)
            counts.append(len(under_way))
            await asyncio.sleep(0.01)
            under_way.remove(delivery.webhook.number)
            return Answer(status=204)

    async def conversation() -> None:
        for _ in range(5):
            hook(store, 1, clock)
        signal(store, 2)
        async with running(Watched(store.outbox, clock, LOOPBACK)):
            await until(lambda: len(counts) == 10)

    asyncio.run(conversation())
    assert max(counts) == 2


def test_what_nobody_has_foreseen_stops_one_webhook_for_some_minutes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, clock = Receiver(), Clock()
    seen: list[int] = []

    class Surprised(Sender):
        async def _answer(self, pool: Any, delivery: Any) -> Answer:
            if delivery.webhook.number == 1 and not seen:
                seen.append(delivery.signal.number)
                raise ZeroDivisionError
            return await super()._answer(pool, delivery)

    async def conversation() -> None:
        port = await receiver.start()
        hook(store, port, clock)
        hook(store, port, clock)
        signal(store)
        async with running(Surprised(store.outbox, clock, LOOPBACK)):
            await until(lambda: len(receiver.requests) == 1)
            clock.move_s(MAX_REST_S)
            await until(lambda: len(receiver.requests) == 2)
        await receiver.stop()

    asyncio.run(conversation())
    assert [request.headers["webhook-id"].split("_")[2] for request in receiver.requests] == ["2", "1"]


def test_an_endless_answer_is_read_in_part(store: Store) -> None:
    endless = b"HTTP/1.1 500 Said\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 100_000
    receiver, clock = Receiver(lambda _: endless), Clock()

    async def conversation() -> None:
        hook(store, await receiver.start(), clock)
        signal(store)
        async with running(Sender(store.outbox, clock, LOOPBACK)):
            await until(lambda: n_failed(store) == [1])
        await receiver.stop()
        with store.database.reading() as connection:
            (error,) = connection.exec_driver_sql("select last_error from outbox").one()
        assert error == "500: " + "x" * sending.SHOWN_CHARACTERS

    asyncio.run(conversation())


def told_in_place(store: Store, name: str, rules: TargetRules, trusted: bool) -> tuple[Receiver, str]:
    """What becomes of a signal to https://NAME, which stands for this machine, with a certificate for hooks.example."""
    receiver, clock = Receiver(), Clock()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(FOLDER / "hooks.example.pem")
    tls.sni_callback = lambda _socket, said, _context: receiver.server_names.append(said)

    async def here(host: str, port: int) -> Sequence[Address]:
        return [ip_address("127.0.0.1")]

    async def conversation() -> None:
        port = await receiver.start(tls)
        store.outbox.add_webhook(f"https://{name}:{port}/", SECRET, now_us=clock.now_us)
        signal(store)
        trust = ssl.create_default_context(cafile=FOLDER / "hooks.example.pem" if trusted else None)
        network = CheckedBackend(rules, here)
        async with running(Sender(store.outbox, clock, rules, network=network, trust=trust)):
            await until(lambda: states(store)[1] == "delivered" or n_failed(store) == [1])
        await receiver.stop()

    asyncio.run(conversation())
    with store.database.reading() as connection:
        (error,) = connection.exec_driver_sql("select last_error from outbox").one()
    return receiver, error or ""


def test_the_name_is_what_tls_and_host_say_though_the_address_was_chosen_before(store: Store) -> None:
    receiver, error = told_in_place(store, "hooks.example", LOOPBACK, trusted=True)
    assert error == ""
    assert receiver.server_names == ["hooks.example"]
    assert receiver.requests[0].headers["host"].startswith("hooks.example:")


def test_a_certificate_of_another_name_is_not_believed(store: Store) -> None:
    receiver, error = told_in_place(store, "other.example", LOOPBACK, trusted=True)
    assert "certificate" in error
    assert receiver.requests == []


def test_a_certificate_that_nobody_vouches_for_is_not_believed(store: Store) -> None:
    receiver, error = told_in_place(store, "hooks.example", LOOPBACK, trusted=False)
    assert "certificate" in error
    assert receiver.requests == []


def test_a_public_name_that_stands_for_this_machine_gets_nothing(store: Store) -> None:
    receiver, error = told_in_place(store, "hooks.example", TargetRules(), trusted=True)
    assert error == "no answer: hooks.example stands for 127.0.0.1, which is no public address"
    assert receiver.server_names == []


@given(st.integers(100, 599) | st.none(), st.integers(0, N_ATTEMPTS), st.none() | st.text(max_size=5) | st.just("9999"))
def test_the_schedule(status: int | None, failures: int, retry_after: str | None) -> None:
    now_us = 5_000_000
    move = next_move(Answer(status=status, retry_after=retry_after), failures, now_us)
    if status is not None and 200 <= status < 300:
        assert move.state == "delivered"
    elif status == 410:
        assert move.pauses
        assert move.state == "pending"
    elif failures >= len(SCHEDULE_S):
        assert move.state == "dead"
    else:
        wait_s = (move.next_us - now_us) / 1e6
        assert move.state == "pending"
        assert SCHEDULE_S[failures] <= wait_s <= max(SCHEDULE_S[failures], MAX_ASKED_S)
        assert now_us < move.rest_us <= min(move.next_us, now_us + MAX_REST_S * 1_000_000)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "abc", SECRET.removeprefix("whsec_"), "whsec_é"])
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(TruenorthError, match="whsec_"):
        secret_key(secret)
