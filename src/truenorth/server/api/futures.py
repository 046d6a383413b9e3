"""Future states of a journey: a fate for each of its elements, with a note."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from truenorth.server.api.context import Instant, Name, Served, Text, instant, showing, shown
from truenorth.server.auth import Analyst, Viewer
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.store.futures import Fate, FateRow

ROUTER = APIRouter(tags=["journeys"])
MOST_FATES = 1_000
"""Elements of a future state."""
NOTE_CHARACTERS = 1_000
FATES: tuple[Fate, ...] = ("keep", "remove", "improve", "add")
FATE = {
    "element": "type:Passed on",
    "fate": "remove",
    "note": "whoever takes it finishes it",
    "by": "lea",
    "at": "2026-03-06T10:30:12.000000Z",
}
FUTURE = {
    "future": "one-desk",
    "changed": "2026-03-06T10:30:12.000000Z",
    "fates": {"keep": 4, "remove": 1, "improve": 1, "add": 0},
}

Element = Annotated[
    Text,
    Field(
        pattern=r"^(?:type|promise|rule|handover|new):.",
        description="`type:` and a type of event, `promise:` or `rule:` and its name, `handover:` and both teams, or "
        "`new:` and what is to be added",
        examples=["type:Passed on"],
    ),
]


class FateAsked(BaseModel):
    """What is to become of an element; what is added is called ``new:`` and its name."""

    model_config = showing({name: FATE[name] for name in ("element", "fate", "note")}, extra="forbid")
    element: Element
    fate: Fate
    note: Annotated[Text, Field(max_length=NOTE_CHARACTERS)] = ""


class FateShown(BaseModel):
    """What is to become of an element, why, and who said so."""

    model_config = showing(FATE)
    element: str
    fate: Fate
    note: str
    by: str
    at: Instant


class FutureShown(BaseModel):
    """A future state: how many elements have which fate, and when it was last changed."""

    model_config = showing(FUTURE)
    future: str
    changed: Instant
    fates: dict[str, int]


class FutureWhole(BaseModel):
    """A future state with all fates."""

    model_config = showing({"journey": "support", "future": "one-desk", "fates": [FATE]})
    journey: str
    future: str
    fates: list[FateShown]


class FatesRemoved(BaseModel):
    """How many fates were forgotten."""

    model_config = showing({"removed": 1})
    removed: int


@ROUTER.get("/journeys/{name}/futures")
def list_futures(served: Served, caller: Viewer, name: Text) -> list[FutureShown]:
    """The future states of a journey, by name. Role: viewer."""
    served.journey(name)
    rows = served.store.futures.of(name)
    found: list[FutureShown] = []
    for future in dict.fromkeys(row.future for row in rows):
        own = [row for row in rows if row.future == future]
        counts = Counter(row.fate for row in own)
        changed = instant(max(row.at_us for row in own))
        found.append(FutureShown(future=future, changed=changed, fates={fate: counts[fate] for fate in FATES}))
    return found


@ROUTER.get("/journeys/{name}/futures/{future}")
def read_future(served: Served, caller: Viewer, name: Text, future: Name) -> FutureWhole:
    """A future state with the fate of each element. Role: viewer."""
    served.journey(name)
    rows = served.store.futures.of(name, future)
    if not rows:
        raise _unknown()
    return FutureWhole(journey=name, future=future, fates=[_shown(row) for row in rows])


@ROUTER.put("/journeys/{name}/futures/{future}")
def set_fate(served: Served, caller: Analyst, name: Text, future: Name, asked: FateAsked) -> FateShown:
    """Set the fate of one element; the future state is made with the first. Role: analyst.

    A regulatory rule cannot be removed: change what applies it, and keep the rule.
    """
    rules = parsed(served.journey(name).text).decisions
    if asked.fate == "remove" and any(
        rule.kind == "regulatory" and asked.element == f"rule:{rule.name}" for rule in rules
    ):
        raise Turned(409, "protected", "a regulatory rule cannot be removed; improve how it is applied")
    if (asked.fate == "add") != asked.element.startswith("new:"):
        raise Turned(422, "no_such_fate", "expected 'add' for what is new, and another fate for what is there")
    if len(served.store.futures.of(name, future)) >= MOST_FATES:
        raise Turned(409, "too_many_fates", f"a future state has at most {MOST_FATES} elements")
    row = FateRow(
        journey=name,
        future=future,
        element=asked.element,
        fate=asked.fate,
        note=asked.note,
        by=caller.who,
        at_us=served.now_us(),
    )
    served.store.futures.put(row)
    served.note(caller, f"set a fate in the future state {future}", name)
    return _shown(row)


@ROUTER.delete("/journeys/{name}/futures/{future}")
def remove_fates(
    served: Served,
    caller: Analyst,
    name: Text,
    future: Name,
    element: Annotated[Text | None, Query(description="of this element alone", examples=["type:Passed on"])] = None,
) -> FatesRemoved:
    """Forget the fate of an element, or a whole future state. Role: analyst."""
    served.journey(name)
    removed = served.store.futures.remove(name, future, element)
    if not removed:
        raise _unknown()
    served.note(caller, f"removed from the future state {future}", name)
    return FatesRemoved(removed=removed)


def _unknown() -> Turned:
    return Turned(404, "unknown_future", "there is no such future state or element; see /api/v1/journeys/NAME/futures")


def _shown(row: FateRow) -> FateShown:
    fields = shown(row)
    return FateShown(**{name: fields[name] for name in FateShown.model_fields})
