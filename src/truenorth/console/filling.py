"""Parts of a page that may take a while: the page comes at once, they come when they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from truenorth.console.sight import WRONG, Sight, words_of
from truenorth.console.words import Words, notice, paragraph

Answer = TypeVar("Answer")
PATIENCE_S = 0.2
"""What is there after so long is part of the page from the beginning."""


async def fill(sight: Sight, words: str, answer: Awaitable[Answer], show: Callable[[Answer], Any]) -> None:
    """Draw here what ``answer`` gives, with ``show``, or why it was turned away.

    ``words`` say meanwhile what is being done.
    """
    place = Words("div", "", "", aria_live="polite")
    task = asyncio.ensure_future(answer)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # whoever waited may have left
    done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)

    async def drawn(told: tuple[type[Exception], ...]) -> None:
        try:
            found = await task
        except told as error:
            place.clear()
            with place:
                notice(words_of(error), "bad")
            return
        place.clear()
        with place:
            show(found)

    if done:
        await drawn(WRONG)  # a fault of the program is one of the whole page
        return
    with place:
        paragraph(words, "tn-waits")
    sight.after(0.0, partial(drawn, (Exception,)))
