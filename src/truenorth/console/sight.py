"""What a page is made with: who reads it, its filters, and how to ask, tell and come back to it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import structlog
from nicegui import ui
from pydantic import ValidationError

from truenorth.console.reader import Reader
from truenorth.console.registry import Page
from truenorth.console.words import Tone, Words
from truenorth.console.writing import Writing
from truenorth.server.receiving import Turned
from truenorth.spec.problems import TruenorthError
from truenorth.store.ports import StoreFull

LOG = structlog.get_logger("truenorth.console")
Answer = TypeVar("Answer")
WRONG = (Turned, TruenorthError, StoreFull, ValidationError)
"""What is told to the reader; whatever else goes wrong is a fault of the program, and is in its log."""
TOLD_S = 8.0
"""How long a message stays."""


class Sight:
    """One page as one reader sees it, with its filters."""

    def __init__(self, reader: Reader, page: Page, filters: Any) -> None:
        self.reader = reader
        self.page = page
        self.filters = filters
        self._told: Words | None = None

    @property
    def writing(self) -> Writing:
        """How the reader writes numbers and instants."""
        return self.reader.writing

    def may(self, role: Any) -> bool:
        """Whether the reader's role includes another, to leave out what they cannot do."""
        return self.reader.caller.may(role)

    async def ask(self, answer: Callable[..., Answer], /, **given: Any) -> Answer:
        """What a function of the API answers to the reader (`Reader.ask`)."""
        return await self.reader.ask(answer, **given)

    def address(self, **changed: Any) -> str:
        """The address of this page with some filters changed."""
        return self.page.address(**msgspec.structs.asdict(self.filters) | changed)

    def tells_in(self, place: Words) -> None:
        """Where messages are shown: the shell's."""
        self._told = place

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show a message, and have it read out."""
        if self._told is not None:
            self._told.classes(replace=f"tn-told tn-{tone} tn-shown")
            self._told.set_text(text)
            with self._told:
                ui.timer(TOLD_S, lambda: self._told and self._told.classes(remove="tn-shown"), once=True)

    def doing(self, act: Callable[..., Awaitable[None] | None]) -> Callable[..., Awaitable[None]]:
        """A handler that tells the reader when something is turned away."""
        wants = bool(inspect.signature(act).parameters)

        async def done(*given: Any) -> None:
            try:
                result = act(*given) if wants else act()
                if inspect.isawaitable(result):
                    await result
            except WRONG as error:
                self.tell(words_of(error), "bad")

        return done

    def every(self, seconds: float, refresh: Callable[[], Awaitable[None]]) -> None:
        """Refresh again and again while the page is open; a session that has ended ends it."""

        async def again() -> None:
            try:
                await refresh()
            except WRONG as error:
                if getattr(error, "code", "") == "signed_out":
                    timer.cancel()
                self.tell(words_of(error), "bad")

        timer = ui.timer(seconds, again, immediate=False)


def words_of(error: Exception) -> str:
    """What a reader is told about an error."""
    if isinstance(error, Turned):
        return error.message
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    if isinstance(error, TruenorthError):
        return "; ".join(
            f"{one.path}: expected {one.expected}, found {one.found}. {one.hint}" for one in error.problems
        )
    return "the store does not answer; try again"
