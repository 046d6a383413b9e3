"""What endpoints work with, and how they show and take values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from truenorth.server.acting.acting import Acting
from truenorth.server.acting.queueing import Queues
from truenorth.server.api.bounds import TEXT_CHARACTERS, Bounds
from truenorth.server.api.totals import Remembered, Reused, Totals
from truenorth.server.auth import Caller
from truenorth.server.broadcast import Broadcast
from truenorth.server.insights import Insights
from truenorth.server.judged_logs import JudgedLogs
from truenorth.server.newest import Newest
from truenorth.server.passwords import Passwords
from truenorth.server.receiving import Turned
from truenorth.server.targets import TargetRules
from truenorth.store.event_rows import clean
from truenorth.store.opening import Store
from truenorth.store.people import ERASED
from truenorth.store.rows import JourneyText
from truenorth.store.settings import Entropy


@dataclass(frozen=True, kw_only=True)
class Context:
    """The store and what else an endpoint needs.

    ``ids_of`` gives all ids of the person of an id; ``targets`` says where webhooks may be sent.
    """

    store: Store
    now_us: Callable[[], int]
    ids_of: Callable[[str], tuple[str, ...]]
    entropy: Entropy
    bounds: Bounds
    broadcast: Broadcast
    totals: Totals
    standings: Reused[tuple[str, int, int], Any]
    ledgers: Reused[tuple[str, Any], Any]
    evaluations: Reused[tuple[str, Any], Any]
    promise_ledgers: Reused[Any, Any]
    broken_told: Remembered[Any, str | None]
    targets: TargetRules
    acting: Acting
    queues: Queues
    judged: JudgedLogs
    insights: Insights
    passwords: Passwords
    newest: Newest

    def note(self, caller: Caller, what: str, about: str | None = None) -> None:
        """Write into the audit who does what to what or whom."""
        self.store.audit.note(caller.who, what, about=about, now_us=self.now_us())

    def note_person(self, caller: Caller, what: str, id: str | None) -> None:  # noqa: A002  # the field's name
        """The same where it is about a customer; the id of somebody who was erased is not written down again."""
        was_erased = id is not None and self.store.people.was_erased(id)
        self.note(caller, what, ERASED if was_erased else id)

    def journey(self, name: str) -> JourneyText:
        """The live version of a journey; else the request is turned away."""
        found = self.store.journeys.newest_live(name)
        if found is None:
            raise Turned(404, "unknown_journey", "there is no live journey of this name; see /api/v1/journeys")
        return found


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Served = Annotated[Context, Depends(_context)]

Text = Annotated[str, Field(max_length=TEXT_CHARACTERS), AfterValidator(clean)]
"""A text as every database can keep it."""

NAME_PATTERN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")
Name = Annotated[str, Field(pattern=NAME_PATTERN.pattern)]
"""A name that people give: letters, digits, dots, dashes and underscores."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""An instant as ISO 8601 text, UTC, with microseconds."""


def instant(us: int) -> str:
    """Microseconds since 1970 UTC as text; of any year.

    >>> instant(1_767_605_400_000_001)
    '2026-01-05T09:30:00.000001Z'
    """
    return f"{np.datetime64(us, 'us')}Z"


def shown(row: msgspec.Struct) -> dict[str, Any]:
    """A row as the API shows it: fields that end in ``_us`` become instants of the name without it."""
    return {
        name.removesuffix("_us"): instant(value) if name.endswith("_us") and value is not None else value
        for name, value in msgspec.structs.asdict(row).items()
    }


def showing(example: dict[str, Any], *, extra: Literal["ignore", "forbid"] = "ignore") -> ConfigDict:
    """The settings of a model with an example for its description."""
    return ConfigDict(json_schema_extra={"examples": [example]}, extra=extra)


class Problem(BaseModel):
    """What is wrong with an input: where, what was expected, what was found, what to do."""

    path: str
    line: int | None = None
    expected: str
    found: str = ""
    hint: str = ""
    severity: str = "error"


class Error(BaseModel):
    """Why a request was turned away. ``request`` is its id in the logs."""

    code: str = Field(examples=["unknown_journey"])
    message: str = Field(examples=["there is no live journey of this name; see /api/v1/journeys"])
    request: str = Field(examples=["5f2b8c0e9d7a4c31"])
    problems: list[Problem] = Field(default=[], examples=[[]])
