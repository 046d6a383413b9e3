"""What was sent and could not be an event, as text."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from truenorth.events import Refused
from truenorth.server.api.context import Context, Instant, Served, showing, shown
from truenorth.server.api.paging import BIGGEST, Listed, PageAsked, listed
from truenorth.server.auth import Analyst
from truenorth.server.ingest.again import parse_again
from truenorth.server.ingest.parsed import RAW_KEPT_BYTES, Arrival
from truenorth.server.receiving import Turned

ROUTER = APIRouter(tags=["events"])
Number = Annotated[int, Path(ge=1, le=BIGGEST)]


RETRIED = '{"type":"track","event":"Paid","userId":"C1001","timestamp":"2026-01-05T09:30:00Z"}'


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


class RetryAsked(BaseModel):
    """What to read in its place; without it, what was sent is read once more."""

    model_config = showing({"text": RETRIED}, extra="forbid")
    text: Annotated[str, Field(max_length=RAW_KEPT_BYTES)] | None = None


class Retried(BaseModel):
    """Whether it is an event now, or one that was there already; else why not: it then stays where it is."""

    model_config = showing({"taken": True, "duplicate": False, "reason": None})
    taken: bool
    duplicate: bool
    reason: str | None


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


@ROUTER.post("/quarantine/{number}/retry")
def retry_refused(served: Served, caller: Analyst, number: Number, asked: RetryAsked) -> Retried:
    """Read something refused once more, as it came or put right. Role: analyst; it is noted in the audit.

    What becomes an event leaves the quarantine: it arrives now, from the same source. Its instant is the one it gives.
    """
    one = _refused(served, number)
    raw = one.raw if asked.text is None else asked.text.encode("utf-8", "replace")
    parsed = parse_again(raw, Arrival(source=one.source, received_us=served.now_us()))
    served.note(caller, "retried something refused", f"quarantine {number}")
    if not parsed.events:
        reason = parsed.refused[0].reason if parsed.refused else "there is no event in it"
        return Retried(taken=False, duplicate=False, reason=reason)
    appended = served.store.events.append(parsed.events)
    served.store.events.dismiss(number)
    return Retried(taken=appended.n_new > 0, duplicate=appended.n_duplicates > 0, reason=None)


@ROUTER.delete("/quarantine/{number}", status_code=204)
def dismiss_refused(served: Served, caller: Analyst, number: Number) -> None:
    """Forget something refused that needs to be no event. Role: analyst; it is noted in the audit."""
    if not served.store.events.dismiss(number):
        raise _unknown()
    served.note(caller, "dismissed something refused", f"quarantine {number}")


def _refused(served: Context, number: int) -> Refused:
    found = next(iter(served.store.events.refused(number - 1, limit=1)), None)
    if found is None or found[0] != number:
        raise _unknown()
    return found[1]


def _unknown() -> Turned:
    return Turned(404, "unknown_refusal", "there is nothing of this number in the quarantine; see /api/v1/quarantine")
