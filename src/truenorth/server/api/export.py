"""The log as JSON Lines: it can be taken elsewhere, or replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from truenorth.logs.records import PROPERTIES
from truenorth.server.api.context import Served, instant
from truenorth.server.api.paging import BIGGEST
from truenorth.server.auth import Analyst
from truenorth.store.ports import EventLog, Stored

ROUTER = APIRouter(tags=["events"])
LINES = "application/x-ndjson"
POSITION = "log_position"
LINE = (
    '{"log_position":17,"source":"shop","id":"e-17","type":"Contact","time":"2026-03-06T10:30:12.000000Z",'
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
    after: Annotated[int, Query(ge=0, le=BIGGEST, description="`log_position` of the last line you have")] = 0,
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
    """An event as a line: its fields, and what else its sender said under its own names.

    Fields are there though they are null, so that nothing else is taken for them; what is called like a field and did
    not fit it is called ``properties.<name>``, as `truenorth.logs` does.
    """
    event = stored.event
    fields = msgspec.structs.asdict(event)
    said = msgspec.json.decode(fields.pop("properties"), type=dict[str, msgspec.Raw])
    fields["time"], fields["received"] = instant(fields.pop("time_us")), instant(fields.pop("received_us"))
    if event.other_id is None:
        del fields["other_id"], fields["other_kind"]
    line = {POSITION: stored.position, **fields}
    line |= {f"{PROPERTIES}.{name}" if name in line else name: value for name, value in said.items()}
    return msgspec.json.encode(line) + b"\n"
