"""The log as JSON Lines: it can be taken elsewhere, or replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from truenorth.events import Event
from truenorth.server.api.context import Served, instant
from truenorth.server.api.paging import BIGGEST
from truenorth.server.auth import Analyst
from truenorth.store.ports import EventLog, Stored

ROUTER = APIRouter(tags=["events"])
LINES = "application/x-ndjson"
LINE = (
    '{"position":17,"source":"shop","id":"e-17","type":"Contact","time":"2026-03-06T10:30:12.000000Z",'
    '"received":"2026-03-06T10:30:13.000000Z","customer":"C1001","case":"T0020","properties":{"topic":"line"}}\n'
)


@ROUTER.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {LINES: {"schema": {"type": "string"}, "example": LINE}}}},
)
def export_events(
    served: Served,
    caller: Analyst,
    after: Annotated[int, Query(ge=0, le=BIGGEST, description="`position` of the last line you have")] = 0,
    limit: Annotated[int | None, Query(ge=1, le=BIGGEST, description="most lines; all if not given")] = None,
) -> StreamingResponse:
    """Events in the order of arrival, one a line, as `truenorth replay` reads them. Role: analyst; noted in the audit.

    Customers are as senders called them. If the answer breaks off, go on after the position of its last whole line.
    """
    served.note(caller, "exported events")
    page, events = served.bounds.export_page, served.store.events
    first = events.read(after, limit=min(page, limit or page))
    return StreamingResponse(_lines(events, first, page, limit), media_type=LINES)


def _lines(events: EventLog, page: Sequence[Stored], size: int, limit: int | None) -> Iterator[bytes]:
    left = limit
    while page:
        yield b"".join(line_of(one) for one in page)
        if left is not None:
            left -= len(page)
        if left == 0:
            return
        page = events.read(page[-1].position, limit=size if left is None else min(size, left))


def line_of(stored: Stored) -> bytes:
    """An event as a line: canonical fields that are not null, and what else its sender said under its own names."""
    event = stored.event
    fields: dict[str, Any] = {name: value for name, value in _fields(event).items() if value is not None}
    rest = msgspec.json.decode(event.properties, type=dict[str, msgspec.Raw])
    said = {name: value for name, value in rest.items() if name not in fields}
    return msgspec.json.encode({"position": stored.position, **fields, **said}) + b"\n"


def _fields(event: Event) -> dict[str, Any]:
    fields = msgspec.structs.asdict(event)
    del fields["properties"], fields["time_us"], fields["received_us"]
    return {**fields, "time": instant(event.time_us), "received": instant(event.received_us)}
