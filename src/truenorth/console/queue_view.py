"""The queue as a list of links: places change in place, so that whoever reads or stands on one is not thrown out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from truenorth.console.naming import in_words
from truenorth.console.sight import Sight
from truenorth.console.words import Words
from truenorth.server.api.queue import PlaceShown

N_PLACES = 25
"""Places that are shown: what is behind them is not next."""

Chosen = Callable[[PlaceShown], Awaitable[None]]


class QueueView:
    """The first places of a queue; ``chosen`` is called with the one that is taken up.

    ``titles``: what journeys are called, by name.
    """

    def __init__(self, sight: Sight, titles: Mapping[str, str], chosen: Chosen) -> None:
        self._sight = sight
        self._titles = titles
        self._chosen = chosen
        self._places: Sequence[PlaceShown] = ()
        self._at: tuple[str, str] | None = None
        with Words("ol", "", "tn-queue", aria_label="Queue, the most urgent first"):
            self._slots = [_Slot(self._taker(n)) for n in range(N_PLACES)]

    @property
    def places(self) -> Sequence[PlaceShown]:
        """The places that are shown."""
        return self._places

    def show(self, places: Sequence[PlaceShown]) -> None:
        """Show other places; the one that is taken up stays marked."""
        self._places = places[:N_PLACES]
        for n, slot in enumerate(self._slots):
            slot.show(self._sight, self._titles, self._places[n] if n < len(self._places) else None)
        self._mark()

    def mark(self, journey: str, case: str) -> None:
        """Mark the place that is taken up."""
        self._at = (journey, case)
        self._mark()

    async def move(self, by: int) -> None:
        """Take up a place further down, or up."""
        keys = [(one.journey, one.case) for one in self._places]
        if not keys:
            return
        at = keys.index(self._at) if self._at in keys else (-1 if by > 0 else 0)
        await self._take(min(max(at + by, 0), len(keys) - 1))

    def _taker(self, n: int) -> Callable[[], Awaitable[None]]:
        async def take() -> None:
            await self._take(n)

        return self._sight.doing(take)

    async def _take(self, n: int) -> None:
        if n < len(self._places):
            place = self._places[n]
            self.mark(place.journey, place.case)
            self._slots[n].into_view()
            await self._chosen(place)

    def _mark(self) -> None:
        for n, slot in enumerate(self._slots):
            is_here = n < len(self._places) and (self._places[n].journey, self._places[n].case) == self._at
            slot.mark(is_here=is_here)


class _Slot:
    """A place of the list, or nothing."""

    def __init__(self, take: Callable[[], Awaitable[None]]) -> None:
        with Words("li", "", "tn-gone") as self._around:
            with Words("a", "", "", href="#") as self._link:
                self._who = Words("bdi", "", "tn-who")
                self._loss = Words("span", "", "tn-loss")
                self._what = Words("span", "", "tn-what")
                self._when = Words("span", "", "tn-when")
            self._link.on("click.exact.prevent", take)

    def show(self, sight: Sight, titles: Mapping[str, str], place: PlaceShown | None) -> None:
        self._around.classes(replace="" if place else "tn-gone")
        if place is None:
            return
        self._link.props["href"] = sight.address(journey=place.journey, case=place.case)
        self._who.set_text(place.customer or place.case)
        loss = sight.writing.money(place.avoidable, place.currency)
        self._loss.set_text(loss if place.currency else f"{sight.writing.number(place.avoidable, 2)} failures")
        self._what.set_text(f"{titles.get(place.journey, place.journey)}: {_what(sight, place)}")
        due = f"{in_words(place.due_promise)} due in " if place.due_promise else "about "
        self._when.set_text(f"{due}{sight.writing.span(3600 * place.hours_left)}")

    def mark(self, *, is_here: bool) -> None:
        if is_here:
            self._link.props["aria-current"] = "true"
        else:
            self._link.props.pop("aria-current", None)

    def into_view(self) -> None:
        self._link.run_method("scrollIntoView", {"block": "nearest"})


def _what(sight: Sight, place: PlaceShown) -> str:
    if place.decision is None:
        return f"risk {sight.writing.percent(place.risk)}"
    words = in_words(place.decision.chosen)
    state = " (under way)" if place.decision.state == "accepted" else ""
    return f"{words}{state}"
