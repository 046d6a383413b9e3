"""What the events of one case are by the journey's conditions: judged anew, as a replay would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from truenorth.engine.live import POSITION
from truenorth.engine.replay import Replay, replay
from truenorth.server.columns import Columns, Sight, records
from truenorth.spec.instants import instant_at
from truenorth.spec.model import Journey
from truenorth.spec.problems import InvalidJourney
from truenorth.store.ports import Stored


class Flags(NamedTuple):
    """The derived flags of an event."""

    moment: bool
    decision: bool
    internal: bool
    handover: bool


def flags_of(journey: Journey, key: str, customer: str | None, events: Sequence[Stored]) -> dict[int, Flags] | None:
    """The flags of the events that belong to the first case of a key, by position, in the order of the case.

    ``events`` begin with the one that opened the case; ``customer`` is the person whose they are. Columns are typed by
    these events alone: None where the journey's conditions do not fit them so.
    """
    replayed = replayed_case(journey, customer, events)
    if replayed is None:
        return None
    frame = replayed.events_of(key).select(POSITION, *Flags._fields)
    return {position: Flags(*flags) for position, *flags in frame.iter_rows()}


def replayed_case(
    journey: Journey, customer: str | None, events: Sequence[Stored], now_us: int | None = None
) -> Replay | None:
    """A replay of some events alone, up to an instant; None where the journey's conditions do not fit them."""
    columns = Columns(journey)
    of_case = records(events, lambda one: customer or one)
    sight = columns.look(Sight(), of_case)
    now = None if now_us is None else instant_at(now_us)
    try:
        return replay(journey, columns.frame(sight, of_case), now=now, n_threads=1)
    except InvalidJourney:
        return None
