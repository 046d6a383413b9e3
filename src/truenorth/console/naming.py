"""What a company calls its journeys and actions: names of a journey file as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from truenorth.action.values import DO_NOTHING
from truenorth.console.sight import Sight
from truenorth.server.api.journeys import list_journeys, read_journey
from truenorth.server.published import parsed
from truenorth.spec.model import Journey
from truenorth.spec.wording import name_in_words


class Names(NamedTuple):
    """Of one journey: its currency, and its actions by name with what they are called."""

    currency: str | None = None
    actions: Mapping[str, str] = {}

    def action(self, name: str) -> str:
        """What an action is called; one that the file does not have any more, by its name.

        >>> Names(actions={"credit": "A credit note"}).action("credit"), Names().action("call_back")
        ('A credit note', 'call back')
        """
        return "do nothing" if name == DO_NOTHING else self.actions.get(name, name_in_words(name))


async def journey_of(sight: Sight, name: str) -> Journey:
    """The newest version of a journey."""
    return parsed((await sight.ask(read_journey, name=name)).text)


async def names_of(sight: Sight, journey: str) -> Names:
    """The names of a journey's newest version."""
    found = await journey_of(sight, journey)
    return Names(found.currency or None, {one.name: one.words for one in found.actions})


async def titles_of(sight: Sight) -> Mapping[str, str]:
    """What live journeys are called, by name."""
    return {one.name: one.title for one in await sight.ask(list_journeys)}
