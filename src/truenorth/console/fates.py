"""A future state beside the current one: a fate for each element, with a note."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import get_args

from truenorth.console.fields import Field, Select, button
from truenorth.console.registry import Choice
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.words import Tone, Words, link, muted, paragraph, subheading
from truenorth.server.api.futures import FateAsked, FateShown, list_futures, read_future, remove_fates, set_fate
from truenorth.store.futures import Fate

SIGNS: Mapping[Fate, tuple[str, Tone]] = {
    "keep": ("= keep", "plain"),
    "remove": ("✗ remove", "bad"),
    "improve": ("↑ improve", "warn"),
    "add": ("+ add", "good"),
}
"""A sign stands beside the colour of each fate."""
NOT_SAID = "not decided yet"


async def show_future(sight: Sight, journey: str, future: str, elements: list[str]) -> None:
    """The elements of the map with their fates in a future state; analysts set them."""
    muted(f"Future state '{future}': what is to become of each element of today's journey, and what is added.")
    others = [one.future for one in await sight.ask(list_futures, name=journey) if one.future != future]
    if others:
        with Words("p", "", "tn-links"):
            Words("span", "Others:")
            for name in others:
                link(name, sight.address(future=name))
    decided = await _fates(sight, journey, future)
    with Words("details", "", "tn-card", **({"open": True} if decided or sight.filters.future else {})):
        Words("summary", f"{len(elements)} elements today, fates of {len(decided)} are set")
        table = TableElement(_table(future, elements, decided), sight.writing)

        async def redraw() -> None:
            table.show(_table(future, elements, await _fates(sight, journey, future)))

        if sight.may("analyst"):
            _form(sight, journey, future, elements, redraw)
        else:
            paragraph("An analyst sets fates.", "tn-muted")


async def _fates(sight: Sight, journey: str, future: str) -> dict[str, FateShown]:
    known = {one.future for one in await sight.ask(list_futures, name=journey)}
    if future not in known:
        return {}
    whole = await sight.ask(read_future, name=journey, future=future)
    return {one.element: one for one in whole.fates}


def _table(future: str, elements: list[str], fates: Mapping[str, FateShown]) -> Table:
    columns = (
        Column("now", "Now"),
        Column("fate", "Fate"),
        Column("then", "Then"),
        Column("note", "Why, and how"),
        Column("by", "Said by"),
    )
    rows = []
    for element in [*elements, *(name for name in fates if name not in elements)]:
        one, name = fates.get(element), element.partition(":")[2]
        words, tone = SIGNS[one.fate] if one else (NOT_SAID, "plain")
        now = "" if element.startswith("new:") else name
        then = "" if one and one.fate == "remove" else name
        rows.append(Row((now, words, then, one.note if one else "", one.by if one else ""), tones={"fate": tone}))
    return Table(caption=f"Now, and {future}", columns=columns, rows=rows)


def _form(sight: Sight, journey: str, future: str, elements: list[str], redraw: Callable[[], Awaitable[None]]) -> None:
    subheading("Set a fate")
    with Words("div", "", "tn-form"):
        choices = [Choice(one, one.partition(":")[2]) for one in elements]
        element = Select("Element", [*choices, Choice("new:", "something new")])
        fate = Select("Fate", [Choice(one, one) for one in get_args(Fate) if one != "add"])
        added = Field("Name of what is new")
        note = Field("Why, and how", wide=True)

        async def keep() -> None:
            is_new = element.value == "new:"
            asked = FateAsked(
                element=f"new:{added.value}" if is_new else element.value,
                fate="add" if is_new else fate.value,
                note=note.value,
            )
            await sight.ask(set_fate, name=journey, future=future, asked=asked)
            note.value = added.value = ""
            await redraw()
            sight.tell("Kept.", "good")

        async def forget() -> None:
            name = f"new:{added.value}" if element.value == "new:" else element.value
            await sight.ask(remove_fates, name=journey, future=future, element=name)
            await redraw()
            sight.tell("Forgotten.", "good")

        button("Keep", sight.doing(keep), is_main=True)
        button("Forget its fate", sight.doing(forget))
