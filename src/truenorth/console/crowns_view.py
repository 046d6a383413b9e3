"""The triple crown of what acting brought: service, cost and revenue side by side, each with its interval."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from truenorth.console.naming import Names
from truenorth.console.words import Words, muted, tag
from truenorth.console.writing import Writing
from truenorth.server.api.books import CrownShown, IncrementShown, LineShown
from truenorth.spec.durations import HOUR_US

UNTOLD = "Too few cases to compare with: what acting changed cannot be told yet."
"""Said of a line, once, where it is so of every figure; else a figure that is not told stands without a change."""


class Figure(NamedTuple):
    """One figure of a line: its name, what it is called, and how a value of it is written (``change``: a mean's)."""

    name: str
    words: str
    value: Callable[[float], str]
    change: Callable[[float], str]
    after: str


class CrownsView:
    """Lines of the ledger as one reader sees them."""

    def __init__(self, writing: Writing, names: Names) -> None:
        self._writing = writing
        n, money = writing.number, names.currency
        self._crowns = (
            (
                "Service",
                (
                    Figure("achieved", "Outcomes achieved", n, self._points, "points"),
                    Figure("kept", "Promises kept", n, self._more, "a case"),
                    Figure("broken", "Promises broken", n, self._more, "a case"),
                    Figure("customer_us", "Customers' time", self._hours, self._more_hours, "a case"),
                ),
            ),
            ("Cost", (Figure("cost", "Spent", *self._money(money), "a case"),)),
            ("Revenue", (Figure("revenue", "Earned", *self._money(money), "a case"),)),
        )

    def show(self, line: LineShown) -> None:
        """Draw one action in one period into the element that is open."""
        n, period = self._writing.number, self._writing.period(line.period)
        with Words("section", "", "tn-card", aria_label=period):
            with Words("div", "", "tn-heading"):
                Words("h3", period)
                Words("span", f"{n(line.n_acted)} acted upon, {n(line.n_holdout)} held out", "tn-muted")
                if line.note:
                    tag(line.note, "warn")
            if not any(getattr(line, one.name).increment for _, figures in self._crowns for one in figures):
                muted(UNTOLD)
            with Words("div", "", "tn-crowns"):
                for title, figures in self._crowns:
                    with Words("div", "", "tn-crown"):
                        Words("h4", title)
                        with Words("dl", ""):
                            for figure in figures:
                                self._figure(figure, getattr(line, figure.name))

    def _figure(self, figure: Figure, crown: CrownShown) -> None:
        with Words("div", ""):
            Words("dt", figure.words)
            with Words("dd", ""):
                if crown.increment is not None:
                    Words("strong", f"{figure.change(crown.increment.mean)} {figure.after}")
                    Words("span", self._interval(figure, crown.increment), "tn-interval tn-muted")
                muted(self._actual(figure, crown))

    def _interval(self, figure: Figure, found: IncrementShown) -> str:
        return f"{figure.change(found.low)} to {figure.change(found.high)} (95 %)"

    def _actual(self, figure: Figure, crown: CrownShown) -> str:
        said = f"{figure.value(crown.actual)} in all"
        return said if crown.expected is None else f"{said}; {figure.value(crown.expected)} expected"

    def _points(self, share: float) -> str:
        return self._writing.number(100 * share, 1, is_change=True)

    def _more(self, value: float) -> str:
        return self._writing.number(value, 2, is_change=True)

    def _hours(self, us: float) -> str:
        return f"{self._writing.number(us / HOUR_US, 1)} h"

    def _more_hours(self, us: float) -> str:
        return f"{self._writing.number(us / HOUR_US, 1, is_change=True)} h"

    def _money(self, currency: str | None) -> tuple[Callable[[float], str], Callable[[float], str]]:
        def written(cents: float, *, is_change: bool = False) -> str:
            return self._writing.money(cents / 100, currency, 2, is_change=is_change)

        return written, partial(written, is_change=True)
