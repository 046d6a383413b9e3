"""What a page is made with: who reads it, its filters, and how to ask, tell and come back to it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import structlog
from nicegui import ui
from pydantic import ValidationError

from truenorth.console.reader import Ask, Reader
from truenorth.console.registry import Page
from truenorth.console.words import Tone, Words
from truenorth.console.writing import Writing
from truenorth.server.envelope import places_of
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.ports import StoreFull

LOG = structlog.get_logger("truenorth.console")
Answer = TypeVar("Answer")
WRONG = (Turned, TruenorthError, StoreFull, ValidationError)
"""What is told to the reader; whatever else goes wrong is a fault of the program, and is in its log."""
FOR_PROGRAMS = re.compile(r"; see /api/\S+$")
"""What a message adds for those who ask the API."""
TOLD_S = 8.0
"""How long a message stays."""


class Sight:
    """One page as one reader sees it, with its filters."""

    def __init__(self, reader: Reader, page: Page, filters: Any) -> None:
        self.reader = reader
        self.page = page
        self.filters = filters
        self._told: Words | None = None
        self._hides: ui.timer | None = None
        self._begins: list[Callable[[], None]] | None = []

    @property
    def writing(self) -> Writing:
        """How the reader writes numbers and instants."""
        return self.reader.writing

    @property
    def service(self) -> str:
        """The address of the service, as the reader's browser calls it."""
        return str(ui.context.client.request.base_url).rstrip("/")

    def may(self, role: Any) -> bool:
        """Whether the reader's role includes another, to leave out what they cannot do."""
        return self.reader.caller.may(role)

    async def ask(self, answer: Callable[..., Answer], /, **given: Any) -> Answer:
        """What a function of the API answers to the reader (`Reader.ask`)."""
        return await self.reader.ask(answer, **given)

    async def ask_together(self, read: Callable[[Ask], Answer]) -> Answer:
        """What ``read`` makes of several answers in one thread (`Reader.ask_together`)."""
        return await self.reader.ask_together(read)

    def address(self, **changed: Any) -> str:
        """The address of this page with some filters changed."""
        return self.page.address(**msgspec.structs.asdict(self.filters) | changed)

    def tells_in(self, place: Words) -> None:
        """Where messages are shown: the shell's."""
        self._told = place

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show a message, and have it read out."""
        if self._told is not None:
            if self._hides is not None:
                self._hides.cancel()  # what was told before must not take this away
            self._told.classes(replace=f"tn-told tn-{tone} tn-shown")
            self._told.set_text(text)
            with self._told:
                self._hides = ui.timer(TOLD_S, lambda: self._told and self._told.classes(remove="tn-shown"), once=True)

    def doing(self, act: Callable[..., Awaitable[None] | None]) -> Callable[..., Awaitable[None]]:
        """A handler that tells the reader when something is turned away, or fails by a fault of the program."""
        wants = bool(inspect.signature(act).parameters)

        async def done(*given: Any) -> None:
            try:
                result = act(*given) if wants else act()
                if inspect.isawaitable(result):
                    await result
            except Exception as error:  # whatever it is: nobody is to wait for what does not come
                self.tell(words_of(error), "bad")

        return done

    def every(self, seconds: float, refresh: Callable[[], Awaitable[None]]) -> None:
        """Refresh again and again while the page is open; a session that has ended ends it."""

        timers: list[ui.timer] = []

        async def again() -> None:
            try:
                await refresh()
            except WRONG as error:
                if getattr(error, "code", "") == "signed_out":
                    timers[0].cancel()
                self.tell(words_of(error), "bad")

        self._once_built(lambda: timers.append(ui.timer(seconds, again, immediate=False)))

    def after(self, seconds: float, act: Callable[[], Awaitable[None] | None]) -> None:
        """Do something once, so long after the page is there, or after now."""
        self._once_built(lambda: ui.timer(seconds, self.doing(act), once=True))

    def built(self) -> None:
        """The page is made: what it goes on to do may begin.

        A timer waits for the browser, and whoever waits for the browser has the page sent as it is then: so none begins
        before all that the page shows at once is on it.
        """
        begins, self._begins = self._begins or [], None
        for begin in begins:
            begin()

    def _once_built(self, begin: Callable[[], Any]) -> None:
        if self._begins is None:
            begin()
        else:
            self._begins.append(begin)


def words_of(error: Exception) -> str:
    """What a reader is told about an error; where a fault of the program was, its log says, and nobody its words."""
    if isinstance(error, Turned):
        return FOR_PROGRAMS.sub("", error.message)
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    if isinstance(error, TruenorthError):
        return "; ".join(
            f"{one.path}: expected {one.expected}, found {one.found}" + (f". {one.hint}" if one.hint else "")
            for one in error.problems
        )
    if isinstance(error, StoreFull):
        return "the store does not answer; try again"
    LOG.error("failed", error=type(error).__name__, at=places_of(error))
    return "That is a fault of the program, and nothing that you did. Its log says what it was."
