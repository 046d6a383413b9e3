"""What was sent and could not be an event, as text."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from truenorth.server.api.context import Instant, Served, showing, shown
from truenorth.server.api.paging import Listed, PageAsked, listed
from truenorth.server.auth import Analyst

ROUTER = APIRouter(tags=["events"])


class RefusedShown(BaseModel):
    """Something refused, with the reason; ``raw`` is what was sent, bytes that are no UTF-8 replaced."""

    model_config = showing(
        {
            "number": 7,
            "source": "shop",
            "received": "2026-01-05T09:30:00.000000Z",
            "reason": "time 'tomorrow' is no instant",
            "raw": '{"type":"track","event":"Paid","timestamp":"tomorrow"}',
        }
    )
    number: int
    source: str
    received: Instant
    reason: str
    raw: str = Field(description="never markup: show it as text")


@ROUTER.get("/quarantine")
def list_refused(served: Served, caller: Analyst, page: PageAsked) -> Listed[RefusedShown]:
    """What was refused, in the order of arrival. Role: analyst; it is noted in the audit."""
    after = page.number()
    served.note(caller, "read the quarantine")
    found = served.store.events.refused(after, limit=page.limit + 1)
    rows, more = listed(found, page.limit, lambda row: row[0])
    items = [
        RefusedShown(**{**shown(one), "number": number, "raw": one.raw.decode(errors="replace")})
        for number, one in rows
    ]
    return Listed(items=items, next=more)
