"""The rights of people: everything that is held about somebody, and its erasure."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel

from truenorth.server.api.context import Instant, Served, Text, showing, shown
from truenorth.server.api.paging import Listed, PageAsked, listed
from truenorth.server.auth import Admin
from truenorth.store.people import Receipt
from truenorth.store.ports import StoreFull

ROUTER = APIRouter(tags=["people"])
LOG = structlog.get_logger("truenorth.people")
EXAMPLE = {
    "ids": ["C1001", "browser-7"],
    "held": {
        "event": [{"position": 17, "source": "shop", "id": "e-17", "type": "Contact", "customer": "C1001"}],
        "refused": [],
        "case_row": [],
        "promise_row": [],
        "signal": [],
        "audit": [],
    },
}


class Held(BaseModel):
    """Everything about a person: all ids that are theirs, and every row by table."""

    model_config = showing(EXAMPLE)
    ids: list[str]
    held: dict[str, list[dict[str, Any]]]


class ReceiptShown(BaseModel):
    """An erasure that was done; it names no id. ``scrubbed``: since when no trace is left in the database's files."""

    model_config = showing(
        {
            "number": 3,
            "erased": "2026-01-05T09:30:00.000000Z",
            "asked_by": "privacy desk",
            "n_ids": 2,
            "counts": {"event": 12, "archived_event": 0, "case_row": 1, "promise_row": 9, "signal": 7},
            "scrubbed": "2026-01-05T09:30:00.000000Z",
        }
    )
    number: int
    erased: Instant
    asked_by: str
    n_ids: int
    counts: dict[str, int]
    scrubbed: Instant | None


@ROUTER.get("/customers/{id:path}", response_model=Held)
def read_customer(served: Served, caller: Admin, id: Text) -> Response:  # noqa: A002  # the field's name
    """Everything held about a person, by any of their ids. Role: admin; it is noted in the audit."""
    served.note_person(caller, "read everything about a customer", id)
    ids = served.ids_of(id)
    held = served.store.people.everything_about(ids)
    return Response(msgspec.json.encode({"ids": ids, "held": held}), media_type="application/json")


@ROUTER.delete("/customers/{id:path}")
def erase_customer(served: Served, caller: Admin, id: Text) -> ReceiptShown:  # noqa: A002  # the field's name
    """Erase a person with all their ids, for good. Role: admin; it is noted in the audit, without the id.

    What arrives of these ids later is not taken. On SQLite the file is then written anew, which others wait for; where
    that is not possible at the moment, `scrubbed` stays null until the next erasure.
    """
    served.note_person(caller, "erased a customer", id)
    store, now_us = served.store, served.now_us()
    receipt = store.people.erase(served.ids_of(id), asked_by=caller.who, now_us=now_us, scrub=False)
    try:
        store.people.scrub(now_us)
        receipt = msgspec.structs.replace(receipt, scrubbed_us=now_us)
    except StoreFull as error:
        LOG.warning("erased, but traces may be left in the database's files", error=type(error).__name__)
    return _shown(receipt)


@ROUTER.get("/erasures")
def list_erasures(served: Served, caller: Admin, page: PageAsked) -> Listed[ReceiptShown]:
    """Receipts of all erasures, oldest first. Role: admin."""
    found = served.store.people.receipts(page.number(), limit=page.limit + 1)
    rows, more = listed(found, page.limit, lambda receipt: receipt.number)
    return Listed(items=[_shown(receipt) for receipt in rows], next=more)


def _shown(receipt: Receipt) -> ReceiptShown:
    return ReceiptShown(**shown(receipt))
