"""Group commit: an answer means that it is on disk, whatever happens at the same time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.memory_log import MemoryLog, Service, talk
from truenorth.events import Event
from truenorth.server.ingest.parsed import Parsed
from truenorth.server.limits import Limits
from truenorth.server.writer import LogWriter, NotKept, QueueFull
from truenorth.store.ports import StoreFull


def parsed(*ids: str) -> Parsed:
    return Parsed(tuple(Event(source="s", id=one, type="t", time_us=0, received_us=0) for one in ids))


def body(*ids: str) -> str:
    batch = [{"type": "track", "event": "e", "messageId": one} for one in ids]
    return json.dumps({"batch": batch, "writeKey": "WRITEKEY"})


@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=30), commit_events=st.integers(1, 9))
@settings(max_examples=30)
def test_whoever_has_an_answer_is_in_the_log(sizes: list[int], commit_events: int) -> None:
    async def conversation(service: Service) -> None:
        async def send(number: int, size: int) -> None:
            ids = [f"{number}/{index}" for index in range(size)]
            await service.writer.append(parsed(*ids))
            assert set(ids) <= {event.id for event in service.log.events}

        await asyncio.gather(*(send(number, size) for number, size in enumerate(sizes)))
        assert [event.id for event in service.log.events] == [
            f"{number}/{index}" for number, size in enumerate(sizes) for index in range(size)
        ]

    talk(conversation, limits=Limits(commit_events=commit_events))


def test_what_comes_during_a_commit_is_one_commit() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def conversation(service: Service) -> None:
        sent = [asyncio.create_task(service.writer.append(parsed(str(number)))) for number in range(50)]
        while service.writer.n_waiting < 50:
            await asyncio.sleep(0)
        log.gate.set()
        await asyncio.gather(*sent)
        assert (len(log.events), log.n_commits) == (50, 1)

    talk(conversation, log=log)

    async def one_after_the_other(service: Service) -> None:
        for number in range(5):
            await service.writer.append(parsed(str(number)))
        assert service.log.n_commits == 5

    talk(one_after_the_other)


def test_a_full_queue_is_a_429_and_nothing_of_it_is_kept() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def conversation(service: Service) -> None:
        first = asyncio.create_task(service.client.post("/v1/batch", content=body("a", "b")))
        while not service.writer.n_waiting:
            await asyncio.sleep(0)
        over = await service.client.post("/v1/batch", content=body("c", "d"))
        assert (over.status_code, over.headers["retry-after"], over.json()["code"]) == (429, "7", "busy")
        fits = asyncio.create_task(service.client.post("/v1/batch", content=body("e")))
        while service.writer.n_waiting < 3:
            await asyncio.sleep(0)
        assert service.writer.is_full
        assert (await service.client.post("/v1/batch", content=body("f"))).status_code == 429
        log.gate.set()
        assert [(await task).status_code for task in (first, fits)] == [200, 200]
        assert {event.id for event in log.events} == {"a", "b", "e"}
        assert service.writer.n_waiting == 0

    talk(conversation, log=log, limits=Limits(waiting_events=3, retry_after_seconds=7))


def test_a_request_larger_than_the_queue_is_taken_when_the_queue_is_empty() -> None:
    async def conversation(service: Service) -> None:
        assert (await service.client.post("/v1/batch", content=body("a", "b", "c"))).status_code == 200

    talk(conversation, limits=Limits(waiting_events=2))


def test_a_full_store_is_a_503_for_all_who_wait_until_there_is_room() -> None:
    log = MemoryLog()
    log.is_full = True

    async def conversation(service: Service) -> None:
        answers = await asyncio.gather(
            *(service.client.post("/v1/batch", content=body(str(number))) for number in range(5))
        )
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "store_full")}
        assert all("retry-after" in answer.headers for answer in answers)
        log.is_full = False
        assert (await service.client.post("/v1/batch", content=body("0"))).status_code == 200
        assert [event.id for event in log.events] == ["0"]

    talk(conversation, log=log)


def test_one_request_that_the_store_cannot_take_spoils_no_other(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog()
    log.fails_for = lambda event: event.id == "bad"
    log.gate.clear()

    async def conversation(service: Service) -> None:
        sent = [
            asyncio.create_task(service.client.post("/v1/batch", content=body(one))) for one in ("a", "b", "bad", "c")
        ]
        while service.writer.n_waiting < 4:
            await asyncio.sleep(0)
        log.gate.set()
        assert [(await task).status_code for task in sent] == [200, 200, 503, 200]
        assert {event.id for event in log.events} == {"a", "b", "c"}

    talk(conversation, log=log)
    assert "RuntimeError" in caplog.text
    assert "secret words" not in caplog.text


def test_stopping_writes_what_waits_and_takes_no_more() -> None:
    async def scenario() -> None:
        log = MemoryLog()
        log.gate.clear()
        writer = LogWriter(log, Limits(commit_events=2))
        await writer.start()
        sent = [asyncio.create_task(writer.append(parsed(str(number)))) for number in range(9)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(writer.stop())
        await asyncio.sleep(0)
        with pytest.raises(NotKept):
            await writer.append(parsed("late"))
        log.gate.set()
        await asyncio.gather(stopping, *sent)
        assert [event.id for event in log.events] == [str(number) for number in range(9)]

    asyncio.run(scenario())


def test_a_sender_who_goes_away_disturbs_nobody() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def conversation(service: Service) -> None:
        gone = asyncio.create_task(service.writer.append(parsed("gone")))
        stays = asyncio.create_task(service.writer.append(parsed("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        log.gate.set()
        await stays
        assert {event.id for event in log.events} == {"gone", "stays"}

    talk(conversation, log=log)


def test_who_wants_to_know_of_commits_is_told() -> None:
    told: list[Any] = []

    async def scenario() -> None:
        writer = LogWriter(MemoryLog(), Limits(), on_commit=told.append)
        await writer.start()
        await writer.append(parsed("a", "b"))
        await writer.append(parsed("b", "c"))
        await writer.stop()

    asyncio.run(scenario())
    assert [(one.appended.n_new, one.appended.n_duplicates, one.n_refused, one.n_requests) for one in told] == [
        (2, 0, 0, 1),
        (1, 1, 0, 1),
    ]


def test_who_listens_cannot_stop_who_writes(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        log = MemoryLog()
        writer = LogWriter(log, Limits(), on_commit=lambda appended: 1 / 0)
        await writer.start()
        for one in "ab":
            await writer.append(parsed(one))
        await writer.stop()
        assert len(log.events) == 2

    asyncio.run(scenario())
    assert "ZeroDivisionError" in caplog.text


def test_the_errors_of_the_writer_itself() -> None:
    async def scenario() -> None:
        log = MemoryLog()
        log.is_full = True
        writer = LogWriter(log, Limits(waiting_events=1))
        await writer.start()
        first = asyncio.create_task(writer.append(parsed("a")))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await writer.append(parsed("b"))
        with pytest.raises(StoreFull):
            await first
        await writer.append(Parsed())
        await writer.stop()

    asyncio.run(scenario())
