"""Signals: what was told about cases and promises, in the order in which it was told; as a list and as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from truenorth.server.api.bounds import Bounds
from truenorth.server.api.context import Instant, Served, Text, showing, shown
from truenorth.server.api.paging import BIGGEST, Listed, PageAsked, cursor
from truenorth.server.auth import Agent
from truenorth.server.broadcast import Alive, Broadcast
from truenorth.server.receiving import Turned
from truenorth.store.rows import Signal

ROUTER = APIRouter(tags=["signals"])
EVENTS = "text/event-stream"
SIGNAL = {
    "number": 412,
    "journey": "support",
    "kind": "broken",
    "time": "2026-03-06T12:30:12.000000Z",
    "case": "T0020",
    "customer": "C1001",
    "body": {"promise": "taken_up", "instance": 1, "verdict": "broken"},
}
STREAM = (
    'event: broken\ndata: {"number":412,"journey":"support","kind":"broken","time":"2026-03-06T12:30:12.000000Z",'
    '"case":"T0020","customer":"C1001","body":{"promise":"taken_up","instance":1,"verdict":"broken"}}\nid: 412\n\n'
    ": nothing new\nid: 415\n\n"
)


class SignalShown(BaseModel):
    """A signal. ``body`` depends on its kind; numbers rise, with gaps."""

    model_config = showing(SIGNAL)
    number: int
    journey: str
    kind: str
    time: Instant
    case: str | None
    customer: str | None
    body: Any


Journey = Annotated[Text | None, Query(description="only of this journey", examples=["support"])]
Kind = Annotated[Text | None, Query(description="only of this kind", examples=["broken"])]


@ROUTER.get("/signals")
def list_signals(
    served: Served, caller: Agent, page: PageAsked, journey: Journey = None, kind: Kind = None
) -> Listed[SignalShown]:
    """Signals in the order in which they were given. Role: agent."""
    found = served.store.pages.signals(after=page.place(int), limit=page.limit, journey=journey, kind=kind)
    return Listed(items=[_shown(row) for row in found.rows], next=cursor(found.next))


@ROUTER.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}, "example": STREAM}}}},
)
async def stream_signals(
    served: Served,
    caller: Agent,
    journey: Journey = None,
    kind: Kind = None,
    after: Annotated[int | None, Query(ge=0, le=BIGGEST, description="begin after this number")] = None,
    last_event_id: Annotated[str | None, Header(description="as browsers send it when they come back")] = None,
) -> StreamingResponse:
    """Signals as server-sent events, from now on or after a number. Role: agent.

    The name of an event is the signal's kind, its id the signal's number. Whoever comes back with `Last-Event-ID` gets
    what was missed: nothing is lost, nothing comes twice. A comment is sent where there is nothing new for a while.
    The stream ends after some minutes; come back then.
    """
    if served.broadcast.n_streams >= served.bounds.streams:
        raise Turned(503, "too_many_streams", "too many listen; come back later", 10)
    begin = _number(last_event_id) if last_event_id else after
    told = _told(served.broadcast, begin, journey, kind, served.bounds)
    return StreamingResponse(told, media_type=EVENTS, headers={"X-Accel-Buffering": "no"})  # nginx would hold it back


async def _told(
    broadcast: Broadcast, after: int | None, journey: str | None, kind: str | None, bounds: Bounds
) -> AsyncGenerator[bytes, None]:
    """The stream in bytes. Numbers of signals that are not wanted are told too, from time to time."""
    now_s = asyncio.get_running_loop().time
    ends_s, sent_s = now_s() + bounds.stream_seconds, now_s()
    async with aclosing(broadcast.listen(after)) as told:
        async for one in told:
            if isinstance(one, Signal) and journey in {None, one.journey} and kind in {None, one.kind}:
                yield format_sse_event(event=one.kind, data_str=_shown(one).model_dump_json(), id=str(one.number))
                sent_s = now_s()
            elif isinstance(one, Alive) or now_s() >= sent_s + bounds.heartbeat_seconds:
                yield format_sse_event(comment="nothing new", id=str(one.number))
                sent_s = now_s()
            if now_s() > ends_s:
                return


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= BIGGEST:
        return int(text)
    raise Turned(422, "bad_last_event_id", "expected Last-Event-ID to be the id of an event of this stream")


def _shown(signal: Signal) -> SignalShown:
    return SignalShown(**{**shown(signal), "body": msgspec.json.decode(signal.body)})
