"""Design: a journey written by forms or as text, checked as one types, tried on what has happened, and published."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from nicegui import ui

from truenorth.console.choosing import journeys
from truenorth.console.design_forms import CanvasForm, PromiseForm
from truenorth.console.fields import Field, FileField, button
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Words, heading, muted, notice, paragraph, tag
from truenorth.server.api.context import Problem
from truenorth.server.api.drafts import (
    MOST_LOG_BYTES,
    TrialShown,
    check_draft,
    compare_versions,
    discover_draft,
    lines_that_differ,
    publish_again,
    read_version,
    try_draft,
)
from truenorth.server.api.journeys import JourneyWhole, publish_journey, read_journey
from truenorth.server.receiving import Turned
from truenorth.server.writing_drafts import NEW
from truenorth.spec.counted import counted

PATH = "/design"
TYPED_S = 0.3
"""A text is checked when nobody has typed for so long."""
OUTCOMES = ("achieved", "failed", "abandoned", "open")
VERDICTS = ("kept", "broken", "lapsed", "open")
BACK = Act("back", "Publish again", "Publish this version's text again, as the newest version?")
DIFFER = Act("differ", "What changed")
HOW = (
    "A text is checked as 'truenorth check' does: all errors and warnings at once, each with its place.",
    "Trying a draft judges the log by the live version and by the draft, up to the same instant, and compares the "
    "cases that opened in the last days. Nothing is published and nothing is told.",
    "Publishing makes a new version; the journey is judged by it from the beginning of the log. No version is ever "
    "overwritten: to go back is to publish an older text again.",
)


class Filters(msgspec.Struct, frozen=True):
    """The journey, a new one if none; the version whose text is shown, the newest if none."""

    journey: str = ""
    version: str = ""


async def offered(sight: Sight) -> list[Choice]:
    """The live journeys, and one that is still to be written."""
    return [Choice("", "a new journey"), *await journeys(sight)]


async def versions(sight: Sight) -> list[Choice]:
    """The versions of the journey, the newest if none is named."""
    name = sight.filters.journey
    whole = await sight.ask(read_journey, name=name) if name else None
    shown = [Choice(str(one.version), f"{one.version} ({one.state})") for one in (whole.versions if whole else ())]
    return [Choice("", "the newest"), *shown]


async def table(sight: Sight, filters: Filters) -> Table:
    """The versions of a journey."""
    return _versions(await sight.ask(read_journey, name=filters.journey) if filters.journey else None, sight)


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    whole = await sight.ask(read_journey, name=filters.journey) if filters.journey else None
    text = whole.text if whole else NEW
    if whole and filters.version:
        text = (await sight.ask(read_version, name=filters.journey, version=filters.version)).text
    await _Editor(sight, whole, text).show()


class _Editor:
    """One journey as it is being written: the text is the draft, forms change it, problems follow it."""

    def __init__(self, sight: Sight, whole: JourneyWhole | None, text: str) -> None:
        self._sight, self._whole = sight, whole
        self._published = whole.text if whole else ""
        self._known = {whole.name: whole.version} if whole else {}  # the newest versions that the writer knows of
        self._first = text
        self._typed = 0

    async def show(self) -> None:
        if self._sight.may("analyst"):
            self._discover()
        heading("1. The canvas: six questions, in this order")
        self._canvas = CanvasForm(self._sight, lambda: self._text.value, self._put)
        heading("2. Promises")
        self._promises = PromiseForm(self._sight, lambda: self._text.value, self._put)
        heading("3. The file")
        muted("What the forms say stands here, and can be written here as well. It is checked as you type.")
        keep = f"truenorth-draft:{self._whole.name if self._whole else ''}"
        self._kept = Words("div", "")
        self._text = Field("Journey file (YAML)", self._first, kind="long", wide=True, keep=keep)
        self._text.on_value_change(self._sight.doing(self._changed))
        self._text.on("kept", lambda event: self._offer_kept(str(event.args)))
        self._problems = Words("div", "", "", role="status")
        if self._sight.may("analyst"):
            heading("4. Try it on what has happened")
            self._trial()
        heading("5. Publish")
        self._publishing()
        heading("Versions")
        TableElement(_versions(self._whole, self._sight), self._sight.writing, self._sight.doing(self._act))
        self._shown_difference = Words("div", "")
        await self._look()

    def _discover(self) -> None:
        """A draft from a log, for whoever has none yet."""
        with Words("details", "", "tn-card", **({} if self._whole else {"open": True})):
            Words("summary", "Begin with a log: draft a journey from it")
            muted("CSV, Parquet, JSON Lines, XES or OCEL, up to 20 MB. The log is not kept.")
            FileField(
                "Log file",
                most_bytes=MOST_LOG_BYTES,
                on_file=self._uploaded,
                on_rejected=lambda: self._sight.tell("expected one file of at most 20 MB", "bad"),
            )

    async def _uploaded(self, event: Any) -> None:
        await self._sight.doing(self._drafted)(event)

    async def _drafted(self, event: Any) -> None:
        self._sight.tell("drafting a journey from the log")
        log = await event.file.read()
        drafted = await self._sight.ask(discover_draft, log=log, file=event.file.name)
        await self._put(drafted.text)
        self._sight.tell("the draft is in the file below", "good")

    def _offer_kept(self, text: str) -> None:
        """A draft that this tab had when the page was loaded anew, such as after a restart of the service."""
        self._kept.clear()

        async def take_up() -> None:
            self._kept.clear()
            await self._put(text)

        def forget() -> None:
            self._kept.clear()
            self._text.let_go()

        with self._kept:
            notice("This tab has a draft that was not published.", "warn")
            with Words("p", "", "tn-line"):
                button("Take it up", self._sight.doing(take_up), is_main=True)
                button("Forget it", forget)

    async def _put(self, text: str) -> None:
        """Another text in the file; forms and problems follow."""
        self._text.set_value(text)
        await self._look()

    async def _changed(self) -> None:
        """Look once nobody has typed for a moment."""
        self._typed += 1
        mine = self._typed
        await asyncio.sleep(TYPED_S)
        if mine == self._typed:
            await self._look()

    async def _look(self) -> None:
        text = self._text.value
        checked = await self._sight.ask(check_draft, text=text)
        self._problems.clear()
        with self._problems:
            _told(checked.problems)
        self._canvas.read(text)
        self._promises.read(text)
        self._show_pending(text)

    # --- trying ---

    def _trial(self) -> None:
        with Words("div", "", "tn-form"):
            self._days = Field("Cases that opened in the last ... days", "30", kind="number")
            button("Try it", self._sight.doing(self._try))
        self._tried = Words("div", "", "", aria_live="polite")

    async def _try(self) -> None:
        self._tried.clear()
        with self._tried:
            notice("Judging the log by both texts ...")
        try:
            found = await self._sight.ask(try_draft, text=self._text.value, days=self._days.value)
        except Exception:
            self._tried.clear()
            raise
        self._tried.clear()
        with self._tried:
            _trial_shown(found, self._sight)

    # --- publishing ---

    def _publishing(self) -> None:
        self._pending = Words("div", "")
        with Words("p", "", "tn-line") as self._ask_first:
            self._offer()

    def _offer(self) -> None:
        if self._sight.may("analyst"):
            button("Publish ...", self._confirm, is_main=True)
        else:
            muted("Analysts publish journeys.")

    def _confirm(self) -> None:
        self._ask_first.clear()
        with self._ask_first:
            Words("span", "The journey is judged by this text from the beginning of the log. ")
            button("Publish it", self._sight.doing(self._publish), is_main=True)
            button("Not yet", self._withdraw)

    def _withdraw(self) -> None:
        self._ask_first.clear()
        with self._ask_first:
            self._offer()

    async def _publish(self) -> None:
        checked = await self._sight.ask(check_draft, text=self._text.value)
        name = checked.name or (self._whole.name if self._whole else "new_journey")
        meanwhile = await self._published_meanwhile(name)
        if meanwhile is not None:
            self._ask_again(meanwhile)
            return
        made = await self._sight.ask(publish_journey, name=name, text=self._text.value)
        self._text.let_go()
        ui.navigate.to(address_of(PATH, {"journey": made.name}))

    async def _published_meanwhile(self, name: str) -> JourneyWhole | None:
        """The newest version, where the writer does not know of it."""
        try:
            newest = await self._sight.ask(read_journey, name=name)
        except Turned:
            return None  # it is new
        return newest if newest.version > self._known.get(name, 0) else None

    def _ask_again(self, newest: JourneyWhole) -> None:
        """Somebody else has published: say so, show what, and ask once more."""
        before = self._known.get(newest.name)
        self._known[newest.name] = newest.version
        self._ask_first.clear()
        with self._ask_first:
            since = f"after version {before}, which this page has" if before else "already, by this name"
            Words("strong", f"⚠ Version {newest.version} was published {since}; yours would take its place.")
            button("Publish it all the same", self._sight.doing(self._publish), is_main=True)
            button("Not yet", self._withdraw)
        self._pending.clear()
        with self._pending:
            muted(f"Changes against version {newest.version}:")
            difference(lines_that_differ(newest.text, self._text.value))

    def _show_pending(self, text: str) -> None:
        self._pending.clear()
        with self._pending:
            if not self._whole:
                muted("It has never been published.")
            elif text == self._published:
                muted(f"It is the text of version {self._whole.version}, which was published last.")
            else:
                muted(f"Changes against version {self._whole.version}:")
                difference(lines_that_differ(self._published, text))

    # --- versions ---

    async def _act(self, name: str, number: int) -> None:
        assert self._whole is not None
        version = self._whole.versions[number].version
        if name == BACK.name:
            await self._sight.ask(publish_again, name=self._whole.name, version=version)
            ui.navigate.to(address_of(PATH, {"journey": self._whole.name}))
            return
        found = await self._sight.ask(compare_versions, name=self._whole.name, of=max(1, version - 1), to=version)
        self._shown_difference.clear()
        with self._shown_difference:
            paragraph(f"From version {found.of} to version {found.to}:")
            difference(found.lines)


def difference(lines: Sequence[str]) -> None:
    """Lines of a difference; each begins with what it is."""
    if not lines:
        muted("Nothing differs.")
        return
    with Words("div", "", "tn-code tn-difference", tabindex="0", role="group", aria_label="Lines that differ"):
        for line in lines:
            kind = {"+": "tn-new", "-": "tn-gone", "@": "tn-place"}.get(line[:1], "")
            Words("div", line or " ", kind)


def _told(problems: Sequence[Problem]) -> None:
    if not problems:
        notice("No errors, no warnings.", "good")
        return
    errors = sum(one.severity == "error" for one in problems)
    notice(f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}", "bad" if errors else "warn")
    with Words("ul", "", "tn-problems"):
        for one in problems:
            with Words("li", ""):
                tag(one.severity, "bad" if one.severity == "error" else "warn")
                where = f"line {one.line}, {one.path}" if one.line else one.path
                said = f" {where}: expected {one.expected}, found {one.found}."
                Words("span", said + (f" {one.hint}" if one.hint else ""))


def _trial_shown(found: TrialShown, sight: Sight) -> None:
    number, before, after = sight.writing.number, found.outcome.before, found.outcome.after
    Tiles(
        [
            Tile("Cases", number(found.cases["after"]), f"by the live version {number(found.cases['before'])}"),
            *(
                Tile(one.capitalize(), number(after.get(one, 0)), f"by the live version {number(before.get(one, 0))}")
                for one in OUTCOMES
            ),
            Tile("Other outcome", number(found.differ), "cases", tone="warn" if found.differ else "plain"),
        ]
    )
    columns = (
        Column("promise", "Promise"),
        *(
            Column(f"{one}_{side}", f"{one.capitalize()} {words}", "number")
            for one in VERDICTS
            for side, words in (("before", "now"), ("after", "draft"))
        ),
    )
    rows = [
        Row(
            (name, *(side.get(one, 0) for one in VERDICTS for side in (change.before, change.after))),
            tones={"promise": "warn"} if change.before != change.after else {},
        )
        for name, change in found.promises.items()
    ]
    TableElement(Table(caption="Verdicts by promise, now and by the draft", columns=columns, rows=rows), sight.writing)
    if found.examples:
        muted(f"Cases with another outcome; {len(found.examples)} of {number(found.differ)}.")
        named = (Column("case", "Case"), Column("before", "Live version"), Column("after", "Draft"))
        cases = [Row((one.case, one.before or "no case", one.after or "no case")) for one in found.examples]
        TableElement(Table(caption="Cases with another outcome", columns=named, rows=cases), sight.writing)


def _versions(whole: JourneyWhole | None, sight: Sight) -> Table:
    columns = (
        Column("version", "Version", "number"),
        Column("state", "State"),
        Column("published", "Published", "instant"),
    )
    acts = (DIFFER, BACK) if sight.may("analyst") else (DIFFER,)
    rows = [
        Row(
            (one.version, one.state, one.published),
            address_of(PATH, {"journey": one.name, "version": one.version}),
            acts if one.state != "live" else (DIFFER,),
            {"state": "good" if one.state == "live" else "plain"},
        )
        for one in (whole.versions if whole else ())
    ]
    return Table(caption="Versions, the newest first", columns=columns, rows=rows, empty="It was never published.")


PAGES = (
    Page(
        path=PATH,
        title="Journeys",
        group="Design",
        role="viewer",
        filters=Filters,
        choices={"journey": offered, "version": versions},
        how=HOW,
        twin=lambda filters: f"/api/v1/journeys{f'/{filters.journey}' if filters.journey else ''}",
        table=table,
        build=build,
    ),
)
