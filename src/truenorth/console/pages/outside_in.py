"""Outside-in: every insight into a journey, from the registry that the command line and the report have, too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl
from nicegui import ui
from pydantic import ValidationError

from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.fields import Field, button
from truenorth.console.first_look import node
from truenorth.console.menu import tabs
from truenorth.console.naming import journey_of
from truenorth.console.plots import Plot
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.spoken import Spoken
from truenorth.console.still import Still
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.words import Words, heading, muted, notice, paragraph
from truenorth.insight.kpi_file import parse_kpis
from truenorth.report.section import Section
from truenorth.report.tables import Table as Told
from truenorth.server.api.insight import STEERED, InsightAsked, InsightSubject, ask_insight, list_subjects
from truenorth.server.api.steering import keep_steering, list_steering
from truenorth.server.insights import Found, Making
from truenorth.server.receiving import Turned
from truenorth.spec.counted import counted
from truenorth.spec.wording import name_in_words

PATH = "/outside-in"
LOOK_S = 1.0
"""Between two looks at how far an answer is."""
CSV_S = 25.0
"""How long a CSV waits for its answer."""
HOW = (
    "Every subject is answered from all events of the journey, judged by its live version; what it counts and how is "
    "said below its tables. Cases are those that opened in the time that the filters name.",
    "An answer is kept until events change it; while events go on coming, for some minutes.",
)
FILES = {
    "kpis": "What is steered by: the file of KPIs",
    "initiatives": "What is tried or proposed: the file of initiatives",
}


class Filters(msgspec.Struct, frozen=True):
    """The subject, the first if none; the journey; the days between which cases opened."""

    subject: str = ""
    journey: str = ""
    opened_from: str = ""
    opened_before: str = ""


async def subjects(sight: Sight) -> list[Choice]:
    """The subjects that can be answered here."""
    return [Choice(one.name, one.title) for one in await _subjects(sight)]


async def table(sight: Sight, filters: Filters) -> Table:
    """The main table of the subject, with all columns."""
    subject, journey = await _asked(sight, filters)
    asked = _question(journey, filters)
    for _ in range(round(CSV_S / LOOK_S)):
        found = await sight.ask(ask_insight, subject=subject.name, asked=asked)
        if isinstance(found, Found):
            return _whole_table(subject.title, found.section.answer.to_frame())
        await asyncio.sleep(LOOK_S)
    raise Turned(503, "being_made", "it is being made; ask again in a moment")


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    if await chosen_journey(sight) is None:
        nothing_live()
        return
    subject, journey = await _asked(sight, filters)
    _tabs(await _subjects(sight), subject.name, sight)
    heading(subject.title)
    muted(f"{subject.about[:1].upper()}{subject.about[1:]}.")
    place = Words("div", "", "", aria_live="polite")
    try:
        await _answer(sight, place, subject, _question(journey, filters), await _spoken(sight, journey))
    except Turned as turned:
        if turned.code != "no_file":
            raise
        with place:
            notice("Nothing is audited yet: say below what this journey is steered by.")
    if subject.name in STEERED:
        await _steering(sight, journey, subject.name)


async def _subjects(sight: Sight) -> list[InsightSubject]:
    """Those that can be answered with what is kept with a journey."""
    listed = await sight.ask(list_subjects)
    return [one for one in listed if one.why_not is None and (one.needs is None or one.name in STEERED)]


async def _asked(sight: Sight, filters: Filters) -> tuple[InsightSubject, str]:
    journey = await chosen_journey(sight)
    if journey is None:
        raise Turned(404, "unknown_journey", "no journey is live yet: publish one first")
    known = await _subjects(sight)
    return next((one for one in known if one.name == filters.subject), known[0]), journey


def _question(journey: str, filters: Filters) -> InsightAsked:
    given = {"journey": journey, "from": filters.opened_from, "to": filters.opened_before}
    try:
        return InsightAsked.model_validate({name: value for name, value in given.items() if value})
    except ValidationError:
        raise Turned(422, "invalid", "expected days such as 2026-03-31") from None


def _tabs(known: Sequence[InsightSubject], chosen: str, sight: Sight) -> None:
    links = (
        node("a", one.title, href=sight.address(subject=one.name), aria_current="page" if one.name == chosen else None)
        for one in known
    )
    Still(tabs("Subjects", links, "tn-tabs tn-many"))


async def _spoken(sight: Sight, journey: str) -> Spoken:
    """Names of the journey in words; KPIs by their titles."""
    kept = await sight.ask(list_steering, name=journey)
    kpis = [kpi for file in kept if file.kind == "kpis" for kpi in parse_kpis(file.text)]
    return Spoken.of(await journey_of(sight, journey), {one.name: one.title or name_in_words(one.name) for one in kpis})


async def _answer(sight: Sight, place: Words, subject: InsightSubject, asked: InsightAsked, spoken: Spoken) -> None:
    """Show the answer, or how far it is, and look again."""
    found = await sight.ask(ask_insight, subject=subject.name, asked=asked)
    place.clear()
    with place:
        if isinstance(found, Making):
            _progress(found)
        else:
            _section(found.section, sight, spoken)
            made = sight.writing.instant(found.made_us)
            muted(f"Made {made} from {sight.writing.number(found.document['cases'])} cases.")
    if isinstance(found, Making):

        async def again() -> None:
            await _answer(sight, place, subject, asked, spoken)

        with place:
            sight.after(LOOK_S, again)


def _progress(found: Making) -> None:
    ahead = f", after {counted(found.ahead, 'other')}" if found.ahead else ""
    notice(f"It is being made: {found.stage} ({found.share:.0%}){ahead}")


def _section(section: Section, sight: Sight, spoken: Spoken) -> None:
    Words("p", spoken.text(section.finding), "tn-finding")
    for name, figure in section.figures.items():
        Plot(spoken.figure(figure, sight.writing.theme))
        if name in section.tables:
            _told(section.tables[name], sight, spoken)
    for name, told in section.tables.items():
        if name not in section.figures:
            _told(told, sight, spoken)
    with Words("details", "", ""):
        Words("summary", "How these figures are counted")
        for text in section.how:
            paragraph(text)


def _told(told: Told, sight: Sight, spoken: Spoken) -> None:
    """A table of the report; a column that says nothing in any row is left out."""
    shown = [place for place in range(len(told.headings)) if any(row[place] for row in told.rows)]
    columns = tuple(
        Column(heading, heading[:1].upper() + heading[1:], "number" if told.numeric[place] else "text")
        for place, heading in ((place, told.headings[place]) for place in shown)
    )
    rows = [
        Row(tuple(_restated(row[place], sight) if told.numeric[place] else spoken.cell(row[place]) for place in shown))
        for row in told.rows
    ]
    muted(spoken.text(told.caption))
    TableElement(Table(caption=told.caption, columns=columns, rows=rows), sight.writing)


def _restated(value: Any, sight: Sight) -> Any:
    """A figure that the report wrote, as the reader writes it."""
    return sight.writing.restated(value) if isinstance(value, str) else value


def _whole_table(caption: str, frame: pl.DataFrame) -> Table:
    """A frame as a table; what is no text, number or truth becomes JSON."""
    columns = tuple(Column(name, name) for name in frame.columns)
    rows = [Row(tuple(_plain(value) for value in row)) for row in frame.iter_rows()]
    return Table(caption=caption, columns=columns, rows=rows)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return msgspec.json.encode(value).decode().strip('"')


async def _steering(sight: Sight, journey: str, kind: str) -> None:
    """The file that the subject looks at, to be changed."""
    kept = next((one for one in await sight.ask(list_steering, name=journey) if one.kind == kind), None)
    with Words("details", "", "tn-card", **({} if kept else {"open": True})):
        Words("summary", FILES[kind])
        if kept:
            muted(f"Kept by {kept.by}, {sight.writing.instant(kept.at)}.")
        text = Field("YAML", kept.text if kept else "", kind="long", wide=True)

        async def keep() -> None:
            await sight.ask(keep_steering, name=journey, kind=kind, text=text.value)
            ui.navigate.to(sight.address(subject=kind))

        button("Keep", sight.doing(keep), is_main=True)


PAGES = (
    Page(
        path=PATH,
        title="Outside-in",
        group="Understand",
        role="analyst",
        filters=Filters,
        choices={"journey": journeys, "subject": subjects},
        days=("opened_from", "opened_before"),
        tabbed="subject",
        how=HOW,
        twin=lambda filters: address_of(
            f"/api/v1/insight/{filters.subject or 'gap'}",
            {"journey": filters.journey, "from": filters.opened_from, "to": filters.opened_before},
        ),
        table=table,
        build=build,
    ),
)
