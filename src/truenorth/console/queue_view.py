"""The queue as a list of links, drawn by one element: however many places it has, it costs what one element costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element as Node

from truenorth.console.first_look import DrawnByScript, node
from truenorth.console.sight import Sight
from truenorth.server.api.queue import PlaceShown
from truenorth.spec.wording import name_in_words

N_PLACES = 25
"""Places that are shown: what is behind them is not next."""
LABEL = "Queue, the most urgent first"
LINES = ("who", "loss", "what", "when")

Chosen = Callable[[PlaceShown], Awaitable[None]]


class QueueView(DrawnByScript, component="static/queue.js"):
    """The first places of a queue; ``chosen`` is called with the one that is taken up.

    ``titles``: what journeys are called, by name.
    """

    def __init__(self, sight: Sight, titles: Mapping[str, str], chosen: Chosen) -> None:
        super().__init__()
        self._sight = sight
        self._titles = titles
        self._chosen = chosen
        self._at: tuple[str, str] | None = None
        self._n = 0  # where it was when it was taken up
        self.places: Sequence[PlaceShown] = ()
        """The places that are shown."""
        self.props.update({"label": LABEL, "places": ()})
        take = sight.doing(self._take)
        self.on("take", lambda event: take(int(event.args)))

    def show(self, places: Sequence[PlaceShown]) -> None:
        """Show other places; the one that is taken up stays marked."""
        self.places = places[:N_PLACES]
        self._draw()

    def choose(self, journey: str, case: str) -> None:
        """Mark the place that is taken up."""
        self._at = (journey, case)
        self._n = self._keys().index(self._at) if self._at in self._keys() else 0
        self._draw()

    async def step(self, by: int) -> None:
        """Take up the place below, or above; of a case that has left its place, the one that came there is below."""
        keys = self._keys()
        if not keys:
            return
        at = keys.index(self._at) if self._at in keys else len(keys)
        if at > self._n:
            at = self._n - 1 if by > 0 else self._n
        await self._take(min(max(at + by, 0), len(keys) - 1))

    async def go_on(self) -> None:
        """Take up the first of the other cases that wait; where none does, stay."""
        waiting = (n for n, one in enumerate(self.places) if _waits(one) and (one.journey, one.case) != self._at)
        n = next(waiting, None)
        if n is not None:
            await self._take(n)

    def plain(self) -> Node:
        """What `static/queue.js` draws."""
        rows = [
            node(
                "li",
                node(
                    "a",
                    *(node("bdi" if line == "who" else "span", place[line], class_=f"tn-{line}") for line in LINES),
                    href=place["address"],
                    aria_current="true" if place["here"] else None,
                ),
            )
            for place in self.props["places"]
        ]
        return node("ol", *rows, class_="tn-queue", aria_label=LABEL)

    def _keys(self) -> list[tuple[str, str]]:
        return [(one.journey, one.case) for one in self.places]

    async def _take(self, n: int) -> None:
        if n < len(self.places):
            place = self.places[n]
            self.choose(place.journey, place.case)
            self.run_method("intoView", n)
            await self._chosen(place)

    def _draw(self) -> None:
        places = tuple(self._place(one) for one in self.places)  # a tuple is not watched for changes
        if places != self.props["places"]:
            self.props["places"] = places

    def _place(self, one: PlaceShown) -> dict[str, Any]:
        writing = self._sight.writing
        due = f"{name_in_words(one.due_promise)} due in " if one.due_promise else "about "
        loss = writing.money(one.avoidable, one.currency)
        return {
            "address": self._sight.address(journey=one.journey, case=one.case),
            "here": (one.journey, one.case) == self._at,
            "who": one.customer or one.case,
            "loss": loss if one.currency else f"{writing.number(one.avoidable, 2)} failures",
            "what": f"{self._titles.get(one.journey, one.journey)}: {self._what(one)}",
            "when": f"{due}{writing.span(3600 * one.hours_left)}",
        }

    def _what(self, one: PlaceShown) -> str:
        if one.decision is None:
            risk = "risk not known" if one.risk is None else f"risk {self._sight.writing.percent(one.risk)}"
            return f"settled for now, {risk}" if one.settled else risk
        words = name_in_words(one.decision.chosen)
        return f"{words} (under way)" if one.decision.state == "accepted" else words


def _waits(one: PlaceShown) -> bool:
    """Whether somebody has to say something: it is proposed, or nobody has decided yet."""
    return not one.settled and (one.decision is None or one.decision.state == "proposed")
