"""Now: what to take up first, for whom, why, and what to do about it; the same for one customer in a help desk."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from nicegui import ui

from truenorth.console.case_view import CaseView, Place
from truenorth.console.following import follow
from truenorth.console.keys import Key, Keys
from truenorth.console.naming import titles_of
from truenorth.console.queue_view import N_PLACES, QueueView
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table
from truenorth.console.words import Words, muted, notice
from truenorth.server.api.cases import read_case
from truenorth.server.api.queue import PlaceShown, QueueShown, list_teams, read_queue, reread_queue
from truenorth.server.api.timeline import read_timeline
from truenorth.server.given.word import JOURNEY as GIVEN
from truenorth.server.receiving import Turned
from truenorth.spec.wording import name_in_words
from truenorth.store.rows import Signal

CSS = '<link rel="stylesheet" href="/_console/acting.css">'
KEYS = '<script src="/_console/keys.js"></script>'
NOTHING_WAITS = "Nothing waits: no open case is in your queue. What comes is shown here at once."
TAKE_ANOTHER = "The queue has what waits."
SOON_S = 0.4
"""After so long a queue that was old is looked at again."""
HOW = (
    "The queue has the open cases of your team's journeys. Priority = avoidable loss / hours left. Avoidable loss = "
    "(risk now - risk after the best action) x value at stake. Hours left: to the next due promise of the case, else "
    "the median time to its end. What is proposed comes first, then what nobody decided about, then what is settled "
    "for now (within a day it was decided to do nothing, or all was done or declined), then what somebody has "
    "accepted. Cases that are held out are not in it.",
    "The risk is that of the live model; without one, the share of decided cases that missed their outcome. Risk after "
    "the best action: by the decision that waits, else by the model, else by what the journey file believes.",
    "A promise in one line is broken at its very instant unless it was answered before; docs/live.md says how.",
)


class Filters(msgspec.Struct, frozen=True):
    """Whose queue, and the case that is taken up."""

    team: str = ""
    journey: str = ""
    case: str = ""


class PanelFilters(msgspec.Struct, frozen=True):
    """The customer whose most urgent case is shown."""

    customer: str = ""


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    ui.add_head_html(CSS + KEYS)

    async def take(place: PlaceShown) -> None:
        no_case.set_visibility(False)
        await case.show(Place(place.journey, place.case, place.customer))
        ui.navigate.history.replace(sight.address(journey=place.journey, case=place.case))

    async def follow_up(signals: Sequence[Signal]) -> None:
        watched = {*journeys, GIVEN, *(case.place[:1] if case.place else ())}
        own = [one for one in signals if one.journey in watched]
        if own:  # others change nothing here
            await refresh(own)

    async def refresh(signals: Sequence[Signal] = ()) -> None:
        since = signals[-1].number if signals else 0
        found = await sight.ask(reread_queue, team=filters.team or None, limit=N_PLACES, since=since)
        journeys.update(found.journeys)
        queue.show(found.items)
        told.set_text(_told(sight, found))
        if signals and found.signal < signals[-1].number:  # what was told is not in it yet
            sight.after(SOON_S, refresh)
        if case.place is not None and any((one.journey, one.case) == case.place[:2] for one in signals):
            await case.refresh()

    journeys: set[str] = set()
    titles = await titles_of(sight)
    with Words("div", "", "tn-now"):
        with Words("section", "", "tn-waiting", aria_label="Queue"):
            told = muted("")
            queue = QueueView(sight, titles, take)
        with Words("div", ""):
            no_case = notice("")
            no_case.set_visibility(False)
            case = CaseView(sight, titles, refresh, queue.go_on)
    await refresh()
    sight.after(SOON_S, refresh)  # what is shown at once may be some seconds old
    try:
        place, why = await _first(sight, filters, queue), NOTHING_WAITS
    except Turned as turned:
        if turned.status != 404:
            raise
        place, why = None, f"There is no case '{filters.case}' here: it may have been erased. {TAKE_ANOTHER}"
    if place is None:
        no_case.set_text(why)
        no_case.set_visibility(True)
    else:
        queue.choose(place.journey, place.case)
        await case.show(place)
    follow(sight, follow_up)
    _keys(sight, case, queue)


async def _first(sight: Sight, filters: Filters, queue: QueueView) -> Place | None:
    """The case of the address, else the first of the queue."""
    if not (filters.journey and filters.case):
        first = queue.places[0] if queue.places else None
        return Place(first.journey, first.case, first.customer) if first else None
    for one in queue.places:
        if (one.journey, one.case) == (filters.journey, filters.case):
            return Place(one.journey, one.case, one.customer)
    whole = await sight.ask(read_case, journey=filters.journey, case=filters.case)
    return Place(filters.journey, filters.case, whole.case.customer)


def _keys(sight: Sight, case: CaseView, queue: QueueView | None) -> None:
    async def down() -> None:
        if queue is not None:
            await queue.step(1)

    async def up() -> None:
        if queue is not None:
            await queue.step(-1)

    moving = [Key("j", "the next case", sight.doing(down)), Key("k", "the case before", sight.doing(up))]
    Keys(
        [
            *(moving if queue is not None else ()),
            Key("a", "accept; where nothing is proposed, ask what to do", sight.doing(case.accept)),
            Key("c", "change to another action: then its digit", sight.doing(case.change)),
            Key("d", "decline: then the digit of a reason", sight.doing(case.decline)),
            Key("r", "ask for approval of what is beyond your limits", sight.doing(case.escalate)),
            Key("f", "what was accepted is done", sight.doing(case.finish)),
            Key("p", "promise something in one line", None),
        ],
        sight.doing(case.digit),
    )


async def _teams(sight: Sight) -> list[Choice]:
    names = await sight.ask(list_teams)
    return [Choice("", "mine"), *(Choice(name, name_in_words(name)) for name in names)]


def _told(sight: Sight, found: QueueShown) -> str:
    n = sight.writing.number
    waiting = found.n - found.n_settled - found.n_under_way
    team = f"of {name_in_words(found.team)}" if found.team else "of all journeys"
    cases = "1 case waits" if waiting == 1 else f"{n(waiting)} cases wait"
    return f"{cases}, {n(found.n_settled)} settled for now, {n(found.n_under_way)} under way; queue {team}."


async def table(sight: Sight, filters: Filters) -> Table:
    """The queue."""
    found = await sight.ask(read_queue, team=filters.team or None, limit=1_000)
    columns = (
        Column("case", "Case"),
        Column("journey", "Journey"),
        Column("customer", "Customer"),
        Column("priority", "Priority", "number", 2),
        Column("avoidable", "Avoidable loss", "number", 2),
        Column("risk", "Risk", "percent"),
        Column("hours_left", "Hours left", "number", 1),
        Column("due", "Due", "instant"),
        Column("promise", "Promise"),
        Column("decision", "Decision"),
    )
    rows = [
        Row(
            (
                one.case, one.journey, one.customer, one.priority, one.avoidable, one.risk, one.hours_left, one.due,
                one.due_promise, one.decision.chosen if one.decision else None,
            ),
        )
        for one in found.items
    ]  # fmt: skip
    return Table(caption="Queue", columns=columns, rows=rows, empty="Nothing waits.")


async def build_panel(sight: Sight, filters: PanelFilters) -> None:
    """One customer, as a help desk shows it in a frame."""
    ui.add_head_html(CSS + KEYS)
    line = await sight.ask(read_timeline, id=filters.customer)
    found = await sight.ask(read_queue, limit=1_000)
    waiting = next((one for one in found.items if one.customer in line.ids), None)
    newest = next(iter(line.cases), None)
    if waiting is not None:
        place = Place(waiting.journey, waiting.case, filters.customer)
    elif newest is not None:
        place = Place(newest.journey, newest.case.case, filters.customer)
    else:
        notice("Nothing is known about this customer.")
        return

    async def stay() -> None:
        return None

    case = CaseView(sight, await titles_of(sight), stay, stay, is_small=True)
    await case.show(place)

    async def refresh(signals: Sequence[Signal]) -> None:
        if any(one.customer in line.ids for one in signals):
            await case.refresh()

    follow(sight, refresh)
    _keys(sight, case, None)


PAGES = (
    Page(
        path="/now",
        title="Now",
        group="Act",
        role="agent",
        filters=Filters,
        choices={"team": _teams},
        silent=("journey", "case"),
        how=HOW,
        twin=lambda filters: address_of("/api/v1/queue", {"team": filters.team}),
        table=table,
        build=build,
    ),
    Page(
        path="/panel/{customer}",
        title="Customer",
        role="agent",
        filters=PanelFilters,
        is_bare=True,
        how=HOW[1:],
        twin=lambda filters: address_of("/api/v1/customers/{customer}/timeline", {"customer": filters.customer}),
        build=build_panel,
    ),
)
