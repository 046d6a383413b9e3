"""A customer's time line: what is ahead first, then what happened, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element as Node

from truenorth.console.fields import button
from truenorth.console.first_look import node
from truenorth.console.sight import Sight
from truenorth.console.still import Still, tagged
from truenorth.console.words import Tone, Words, muted
from truenorth.server.api.cases import CaseEvent
from truenorth.server.api.timeline import Entry, Pin, PinKind, Timeline
from truenorth.spec.wording import name_in_words
from truenorth.store.given import SOURCE

N_FIRST, N_ENTRIES = 15, 60
"""Entries that are shown at once, and at most."""
SAID: Mapping[PinKind, tuple[str, Tone]] = {
    "made": ("promised", "plain"),
    "due": ("due", "warn"),
    "kept": ("✓ kept", "good"),
    "broken": ("✗ broken", "bad"),
    "lapsed": ("owed no more", "plain"),
}
"""What a pin says; a sign stands beside the colour."""


def show_timeline(sight: Sight, line: Timeline, here: tuple[str, str] | None = None) -> None:
    """Draw it into the element that is open; ``here``: the case that is looked at, the others are told apart."""
    entries = line.entries[::-1]
    _entries(sight, entries[:N_FIRST], here, "Time line, the newest first")
    if not entries:
        muted("Nothing has happened yet.")
    if len(entries) <= N_FIRST:
        return

    def show_earlier() -> None:
        place.clear()
        with place:
            _entries(sight, entries[N_FIRST:N_ENTRIES], here, "What was earlier")
            if len(entries) > N_ENTRIES or line.more_events:
                also = " and more" if line.more_events else ""
                muted(f"The newest {N_ENTRIES} of {len(entries)}{also} are shown.")

    with Words("div", "") as place:
        button(f"Show what was earlier ({len(entries) - N_FIRST})", show_earlier)


def _entries(sight: Sight, entries: Sequence[Entry], here: tuple[str, str] | None, label: str) -> None:
    Still(node("ol", *(_entry(sight, entry, here) for entry in entries), class_="tn-times", aria_label=label))


def _entry(sight: Sight, entry: Entry, here: tuple[str, str] | None) -> Node:
    is_here = here is None or any((one.journey, one.case) == here for one in entry.cases)
    pins = node("div", *(tag for pin in entry.pins for tag in _pin(sight, pin)), class_="tn-pins")
    what = node("div", *(_event(sight, entry.event) if entry.event else ()), pins, class_="tn-what")
    at = node("time", sight.writing.instant(entry.at), class_="tn-at", datetime=entry.at)
    return node("li", at, what, class_=None if is_here else "tn-elsewhere")


def _event(sight: Sight, event: CaseEvent) -> Iterator[Node]:
    yield node("bdi", event.type, class_="tn-type")
    feeling = "" if event.feeling is None else f"feeling {sight.writing.number(event.feeling, 2)}"
    for beside in (event.channel, event.team or event.actor, feeling, _given(event)):
        if beside:
            yield node("bdi", beside, class_="tn-beside")
    if event.text:
        yield node("bdi", event.text, class_="tn-words")


def _given(event: CaseEvent) -> str:
    """What was promised, where the event is a promise in one line."""
    told = event.properties.get("properties")
    what = told.get("what") if event.source == SOURCE and isinstance(told, dict) else None
    return what if isinstance(what, str) else ""


def _pin(sight: Sight, pin: Pin) -> Iterator[Node]:
    if pin.kind == "made" and pin.due is None:
        return  # a rule that holds from the beginning is no news
    said, tone = SAID[pin.kind]
    by = f" by {sight.writing.instant(pin.due)}" if pin.kind == "made" and pin.due else ""
    yield tagged(f"{name_in_words(pin.promise)} {said}{by}", tone)
