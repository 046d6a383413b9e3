"""Lists in pages: a page says with an opaque cursor where the next one begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from truenorth.server.api.bounds import DEFAULT_PAGE, MAX_PAGE
from truenorth.server.receiving import Turned
from truenorth.store.event_rows import clean
from truenorth.store.pages import Place

Item = TypeVar("Item", bound=BaseModel)
BIGGEST = 2**63 - 1
CURSOR = r"^[A-Za-z0-9_-]{0,8000}$"
"""Room for the longest names that an event can have, written as JSON."""


class Listed(BaseModel, Generic[Item]):
    """A page of a list. ``next``: the cursor of the next page, or null at the end; a page may be short before it."""

    items: list[Item]
    next: str | None = Field(default=None, examples=["WyJUMDAyMCJd"])


class Asked(NamedTuple):
    """Which page is asked for."""

    after: str | None
    limit: int

    def place(self, *kinds: type) -> Place | None:
        """Where it begins, as values of these kinds; a cursor that is none is turned away."""
        if self.after is None:
            return None
        place = _read(self.after)
        if len(place) != len(kinds) or not all(map(_fits, place, kinds)):
            raise Turned(422, "bad_cursor", "expected 'after' to be the 'next' of a page of this very list")
        return tuple(clean(value) if isinstance(value, str) else value for value in place)

    def number(self) -> int:
        """The number after which it begins."""
        place = self.place(int)
        return int(place[0]) if place else 0


def _asked(
    after: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="most rows of the page")] = DEFAULT_PAGE,
) -> Asked:
    return Asked(after, limit)


PageAsked = Annotated[Asked, Depends(_asked)]


def cursor(place: Place | None) -> str | None:
    """A place as text that nobody should read.

    >>> cursor(("T0020",)), Asked("WyJUMDAyMCJd", 10).place(str)
    ('WyJUMDAyMCJd', ('T0020',))
    """
    return None if place is None else urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def listed(rows: Sequence[Any], limit: int, key: Callable[[Any], int]) -> tuple[Sequence[Any], str | None]:
    """Of one row more than asked for: the page, and the cursor of the next; ``key`` is a row's number."""
    more = len(rows) > limit
    return rows[:limit], cursor((key(rows[limit - 1]),)) if more else None


def _read(text: str) -> tuple[Any, ...]:
    try:
        place = msgspec.json.decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, RecursionError):  # also what is no base64, no UTF-8 and no JSON
        return ()
    return tuple(place) if isinstance(place, list) else ()


def _fits(value: Any, kind: type) -> bool:
    return type(value) is kind and (not isinstance(value, int) or 0 <= value <= BIGGEST)
