"""What a journey is steered by: its KPIs and its initiatives, as files that are kept with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from truenorth.server.api.context import Instant, Served, Text, instant, showing
from truenorth.server.auth import Analyst
from truenorth.server.insight_question import Question, inputs_of
from truenorth.server.receiving import Turned
from truenorth.store.steering import SteeringFile, SteeringKind

ROUTER = APIRouter(tags=["insight"])
FILE_CHARACTERS = 200_000
"""Longest file that is kept."""
FILE = "truenorth: 1\nkpis:\n- name: calls\n  owner: Service\n  formula: {count: type = 'Contact'}\n  better: lower\n"
SHOWN = {
    "journey": "support",
    "kind": "kpis",
    "text": FILE,
    "by": "anton",
    "at": "2026-01-05T09:30:00.000000Z",
}


class SteeringShown(BaseModel):
    """A file that was kept, by whom and when."""

    model_config = showing(SHOWN)
    journey: str
    kind: SteeringKind
    text: str
    by: str
    at: Instant


@ROUTER.get("/journeys/{name}/steering")
def list_steering(served: Served, caller: Analyst, name: Text) -> list[SteeringShown]:
    """The files of KPIs and of initiatives that a journey is steered by. Role: analyst."""
    served.journey(name)
    return [_shown(one) for one in served.store.steering.of(name)]


@ROUTER.put("/journeys/{name}/steering/{kind}")
def keep_steering(
    served: Served,
    caller: Analyst,
    name: Text,
    kind: SteeringKind,
    text: Annotated[str, Body(media_type="application/yaml", examples=[FILE])],
) -> SteeringShown:
    """Keep a file in the place of the one that is kept; insights look at it from now on. Role: analyst.

    Where the file has errors nothing is kept, and the answer is 422 with all of them.
    """
    served.journey(name)
    if len(text) > FILE_CHARACTERS:
        raise Turned(413, "too_large", f"expected a file of at most {FILE_CHARACTERS:,} characters")
    inputs_of(Question(subject=kind, journey=name, file=text))
    file = SteeringFile(journey=name, kind=kind, text=text, by=caller.who, at_us=served.now_us())
    served.store.steering.put(file)
    served.note(caller, f"kept a file of {kind}", name)
    return _shown(file)


@ROUTER.delete("/journeys/{name}/steering/{kind}")
def remove_steering(served: Served, caller: Analyst, name: Text, kind: SteeringKind) -> SteeringShown:
    """Forget a file; the answer is what it was. Role: analyst."""
    served.journey(name)
    kept = served.store.steering.find(name, kind)
    if kept is None or not served.store.steering.remove(name, kind):
        raise Turned(404, "no_file", "no file of this kind is kept for this journey")
    served.note(caller, f"removed a file of {kind}", name)
    return _shown(kept)


def _shown(file: SteeringFile) -> SteeringShown:
    return SteeringShown(journey=file.journey, kind=file.kind, text=file.text, by=file.by, at=instant(file.at_us))
