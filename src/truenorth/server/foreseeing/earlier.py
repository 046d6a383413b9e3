"""How the cases of customers ended, as the store has it: read for an event, remembered while only time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from truenorth.foresight.histories import End

REMEMBERED_US = 3_600_000_000
"""What is remembered is read anew after an hour: a runner may write the end of a case after it was looked at."""


class Earlier:
    """Ends of cases by customer. ``read`` gives the ends of all cases of some customers."""

    def __init__(self, read: Callable[[Sequence[str]], Iterable[End]]) -> None:
        self._read = read
        self._known: dict[str | None, tuple[int, list[End]]] = {}

    def of(self, customers: Iterable[str], at_us: int, *, anew: bool) -> list[End]:
        """The ends of all cases of some customers; ``anew``: as the store has them now."""
        wanted = sorted(set(customers))
        since_us = at_us - REMEMBERED_US
        unknown = [one for one in wanted if anew or self._known.get(one, (since_us, ()))[0] <= since_us]
        for one in unknown:
            self._known[one] = (at_us, [])
        for end in self._read(unknown) if unknown else ():
            self._known[end[1]][1].append(end)
        return [end for one in wanted for end in self._known[one][1]]

    def forget(self, customers: Iterable[str | None]) -> None:
        """A case of theirs has ended."""
        for one in customers:
            if one is not None:
                self._known.pop(one, None)
