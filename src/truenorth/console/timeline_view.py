"""A customer's time line: what is ahead first, then what happened, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truenorth.console.fields import button
from truenorth.console.naming import in_words
from truenorth.console.sight import Sight
from truenorth.console.words import Tone, Words, muted, tag
from truenorth.server.api.cases import CaseEvent
from truenorth.server.api.timeline import Entry, Pin, PinKind, Timeline
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
    with Words("ol", "", "tn-times", aria_label=label):
        for entry in entries:
            _entry(sight, entry, here)


def _entry(sight: Sight, entry: Entry, here: tuple[str, str] | None) -> None:
    is_here = here is None or any((one.journey, one.case) == here for one in entry.cases)
    with Words("li", "", "" if is_here else "tn-elsewhere"):
        Words("time", sight.writing.instant(entry.at), "tn-at", datetime=entry.at)
        with Words("div", "", "tn-what"):
            if entry.event is not None:
                Words("bdi", entry.event.type, "tn-type")
                for beside in (entry.event.channel, entry.event.team or entry.event.actor):
                    if beside:
                        Words("bdi", beside, "tn-beside")
                if entry.event.feeling is not None:
                    Words("span", f"feeling {sight.writing.number(entry.event.feeling, 2)}", "tn-beside")
                if what := _given(entry.event):
                    Words("bdi", what, "tn-beside")
                if entry.event.text:
                    Words("bdi", entry.event.text, "tn-words")
            with Words("div", "", "tn-pins"):
                for pin in entry.pins:
                    _pin(sight, pin)


def _given(event: CaseEvent) -> str:
    """What was promised, where the event is a promise in one line."""
    told = event.properties.get("properties")
    what = told.get("what") if event.source == SOURCE and isinstance(told, dict) else None
    return what if isinstance(what, str) else ""


def _pin(sight: Sight, pin: Pin) -> None:
    if pin.kind == "made" and pin.due is None:
        return  # a rule that holds from the beginning is no news
    said, tone = SAID[pin.kind]
    by = f" by {sight.writing.instant(pin.due)}" if pin.kind == "made" and pin.due else ""
    tag(f"{in_words(pin.promise)} {said}{by}", tone)
