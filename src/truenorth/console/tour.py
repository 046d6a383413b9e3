"""A guided tour: a few steps, each with the page that it opens; on the demo, until somebody closes it for good."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from truenorth.console.registry import Registry
from truenorth.console.words import Words

COOKIE = "truenorth_tour"
CLOSED = "closed"
"""The cookie holds the number of the step, from 0, or this."""
ABOVE = 2
"""Its place in the layout: behind the head and the menu."""


class Step(msgspec.Struct, frozen=True):
    """One step: where it leads, and what is to be seen there."""

    address: str
    title: str
    text: str


STEPS: tuple[Step, ...] = (
    Step(
        "/true-north",
        "Do customers get what they came for?",
        "Four journeys of a made-up company, judged as its events arrive. An hour of the company passes in a minute. "
        "Each figure leads to its cases.",
    ),
    Step(
        "/journey?journey=help",
        "Where do cases start to fail?",
        "Moments, hand-overs and decisions of one journey, each with its waits and its losses. Open a point of failure "
        "to see its cases and what it would bring to do away with it.",
    ),
    Step(
        "/now",
        "What is to be done now?",
        "Proposals for the people of the company, by avoidable loss and time left. Half of them are taken by made-up "
        "colleagues; accept one yourself: it is carried out within seconds, and has the effect that it really has.",
    ),
    Step(
        "/decisions?journey=help",
        "What did it bring?",
        "Every decision with the candidates it was chosen from, what became of it, and the cases that are never acted "
        "upon, to compare with.",
    ),
    Step(
        "/outside-in?subject=kpis&journey=help",
        "Which measures fight the customer?",
        "The KPIs that the company steers and pays by, held against what became of its customers. The other subjects "
        "stand beside it: the gap, rules, initiatives, what customers say.",
    ),
    Step(
        "/design?journey=help",
        "Change a promise",
        "Shorten a time in the file: it is checked as you type, and tried on last month's cases before anybody is "
        "promised anything.",
    ),
)


def steps_of(registry: Registry, steps: Sequence[Step] = STEPS) -> tuple[Step, ...]:
    """The steps whose page there is."""
    return tuple(step for step in steps if registry.has(step.address.partition("?")[0]))


def place_of(cookie: str | None, n_steps: int) -> int | None:
    """The step of a cookie, the first without one; None where the tour was closed or has no step.

    >>> place_of(None, 6), place_of("4", 6), place_of("9", 6), place_of("closed", 6)
    (0, 4, 0, None)
    """
    if cookie == CLOSED or not n_steps:
        return None
    return int(cookie) if cookie and cookie.isdecimal() and int(cookie) < n_steps else 0


def show_tour(steps: Sequence[Step], place: int, here: str) -> None:
    """The panel of a step above the page of a path: what is to be seen, and the ways to the others."""
    step = steps[place]
    with Words("aside", "", "tn-tour", aria_label="Guided tour") as panel:
        panel.move(target_index=ABOVE)
        Words("p", f"Tour, {place + 1} of {len(steps)}", "tn-muted")
        Words("p", step.title, "tn-tour-title")
        Words("p", step.text)
        with Words("p", "", "tn-line"):
            if place:
                _leads("Back", place - 1, steps[place - 1].address)
            if step.address.partition("?")[0] != here:
                _leads("Show me", place, step.address)
            if place + 1 < len(steps):
                _leads("Next", place + 1, steps[place + 1].address, "tn-main")
            Words("button", "Close for good", "tn-quiet", type="button").on(
                "click", js_handler=f"() => window.truenorth.tour('{CLOSED}', '')"
            )


def _leads(words: str, place: int, address: str, classes: str = "") -> None:
    Words("button", words, classes, type="button").on(
        "click", js_handler=f"() => window.truenorth.tour('{place}', '{address}')"
    )
