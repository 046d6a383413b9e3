"""The audit: who did what, when, about what or whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.server.api.context import Instant, Served, showing, shown
from truenorth.server.api.paging import Listed, PageAsked, listed
from truenorth.server.auth import Admin

ROUTER = APIRouter(tags=["access"])


class NotedShown(BaseModel):
    """A line of the audit; ``about`` a person who was erased is ``(erased)``."""

    model_config = showing(
        {
            "number": 9,
            "time": "2026-01-05T09:30:00.000000Z",
            "who": "privacy desk",
            "what": "erased a customer",
            "about": "(erased)",
        }
    )
    number: int
    time: Instant
    who: str
    what: str
    about: str | None


@ROUTER.get("/audit")
def list_audit(
    served: Served,
    caller: Admin,
    page: PageAsked,
    newest: Annotated[bool, Query(description="the newest lines first")] = False,
) -> Listed[NotedShown]:
    """Who read or changed personal data, keys, journeys and the like, oldest first. Role: admin."""
    read = served.store.audit.read_back if newest else served.store.audit.read
    found = read(page.number(), limit=page.limit + 1)
    rows, more = listed(found, page.limit, lambda noted: noted.number)
    return Listed(items=[NotedShown(**shown(noted)) for noted in rows], next=more)
