"""Where a case opens, how it ends, whether it comes back: guessed from the order of events, told apart by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from truenorth.discovery.event_words import ending_of, hint_of, is_technical
from truenorth.discovery.sequences import Bools, Ints, Sequences, cut
from truenorth.discovery.wording import human_us, listed, percent, quantile_us, shown
from truenorth.spec.durations import DAY_US, SECOND_US, format_duration

AT_ONCE_US = 60 * SECOND_US
"""What follows within a minute belongs to the same step."""
STILL = 0.01
"""What follows within this share of a case's time belongs to its end."""
ENDS_IT = {"achieved": 0.5, "failed": 0.75}
"""An event whose name says so ends cases if nothing follows in this share of its cases."""
ENDS_IT_BY_CUSTOMER = 0.25
"""The same where a customer is the key: customers come back."""
ENDS_IT_UNNAMED, ENDS_IT_COVER = 0.6, 0.2
"""An event whose name says nothing is an ending if it is last so often, and if such events end so many cases."""
OPENS = 0.8
"""An event opens cases if it is the first in this share of its cases."""
OPENING_COVER, MAX_LOST, MAX_OPENINGS = 0.9, 0.05, 3
"""Opening events are named if they begin this share of the cases, and at most so many cases have none of them."""
MIN_BACK, MIN_BACK_SHARE = 5, 0.005
"""Reopenings are proposed where so many closed cases, and this share of them, go on."""
MOST_UNSEEN = 0.2
"""An outcome must not hold so long that more than this share of the achieved cases are too young to tell."""
MAX_REOPENING = 6
RARE = 3
"""An event of fewer cases is not looked at by itself."""
VISIT_US = 30 * 60 * SECOND_US
"""Where a customer is the key, what follows later than this belongs to another visit."""


@dataclass
class Milestones:
    """What opens, ends and reopens a case, by names of events; durations in microseconds, 0 for none.

    ``episodes`` are the cases, those of customers cut where they end; ``opened`` is the place of the event that opens
    each of them (the number of events where nothing does). ``why`` holds sentences for comments by key of the file.
    """

    episodes: Sequences
    opened: Ints
    need: tuple[str, ...] = ()
    achieved: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    within_us: int = 0
    holds_for_us: int = 0
    abandoned_after_us: int = 0
    why: dict[str, list[str]] = field(default_factory=dict)

    @property
    def endings(self) -> tuple[str, ...]:
        """Names of the events that end a case."""
        return self.achieved + self.failed

    def say(self, key: str, sentence: str) -> None:
        """Keep a sentence for the comment above a key."""
        self.why.setdefault(key, []).append(sentence)


def find_milestones(sequences: Sequences) -> Milestones:
    """Guess the milestones of a log.

    >>> import polars as pl
    >>> from truenorth.discovery.sequences import arrange
    >>> log = pl.DataFrame({"case": [n // 2 for n in range(40)], "type": ["Ask", "Closed"] * 20,
    ...                     "time": [n * 3_600_000_000 for n in range(40)]})
    >>> log = log.cast({"time": pl.Datetime("us"), "case": pl.String})
    >>> found = find_milestones(arrange(log))
    >>> found.need, found.achieved, format_duration(found.within_us)
    (('Ask',), ('Closed',), '1 h')
    """
    found = Milestones(sequences, sequences.starts[:-1])
    silence_us = _find_silence(found, sequences)
    if sequences.by_customer:
        found.episodes = cut(sequences, np.zeros(sequences.n_events, np.bool_), silence_us or 36_525 * DAY_US)
    else:
        _find_need(found)
    _find_endings(found)
    if sequences.by_customer:
        found.episodes = cut(sequences, sequences.is_one_of(found.endings), silence_us or 36_525 * DAY_US)
        found.say("need", "No column is a case, so each customer is followed: whatever comes first opens an episode, "
                          "and whatever comes next after its end opens another.")  # fmt: skip
    found.opened = _openings(found)
    _find_within(found)
    found.abandoned_after_us = max(silence_us, found.within_us if silence_us else 0)
    return found


def _openings(found: Milestones) -> Ints:
    sequences = found.episodes
    return sequences.first_where(sequences.is_one_of(found.need)) if found.need else sequences.starts[:-1]


def _find_silence(found: Milestones, sequences: Sequences) -> int:
    """A silence that hardly any case breaks; 0 where there is nothing to measure."""
    same = sequences.case[1:] == sequences.case[:-1]
    gaps = np.diff(sequences.time_us)[same]
    typical = quantile_us(gaps, 0.99) if len(gaps) else 0
    if not typical:
        found.say("abandoned_after", "The log has no gaps to measure: after what silence do you give a case up?")
        return 0
    silence_us = human_us(2 * typical)
    n_longer = int((gaps > silence_us).sum())
    found.say(
        "abandoned_after",
        f"99 % of the gaps between two events of a case are at most {format_duration(typical)}; this is twice that. "
        f"{n_longer:,} of {len(gaps):,} gaps are longer: such a case came back after you had given it up.",
    )
    return silence_us


# --- need -------------------------------------------------------------------------------------------------------------


def _find_need(found: Milestones) -> None:
    """The events that nearly all cases begin with, if they are rarely anything else."""
    sequences = found.episodes
    n_cases, n_types = sequences.n_cases, len(sequences.names)
    codes = sequences.code[sequences.starts[:-1]]
    n_first = np.bincount(codes[codes >= 0], minlength=n_types)
    order = sorted(sequences.frequent, key=lambda code: -n_first[code])[:MAX_OPENINGS]
    opening = [code for code in order if n_first[code] and n_first[code] >= OPENS * sequences.n_cases_of[code]]
    covered = 0
    for used, code in enumerate(opening, start=1):
        covered += int(n_first[code])
        if covered >= OPENING_COVER * n_cases:
            names = [sequences.names[one] for one in opening[:used]]
            _accept_need(found, names, covered)
            return
    if order and n_cases:
        name = sequences.names[order[0]]
        found.say("need", f"Left out, so a case's first event opens it: {percent(n_first[order[0]], n_cases)} of "
                          f"{n_cases:,} cases start with {shown(name)}, the others in other ways.")  # fmt: skip


def _accept_need(found: Milestones, names: Sequence[str], covered: int) -> None:
    sequences = found.episodes
    n_lost = int((sequences.first_where(sequences.is_one_of(names)) == sequences.n_events).sum())
    start = f"{percent(covered, sequences.n_cases)} of {sequences.n_cases:,} cases start with {listed(names)}"
    if n_lost > MAX_LOST * sequences.n_cases:
        found.say(
            "need", f"Left out, so a case's first event opens it: {start}, but {n_lost:,} cases have none of these."
        )
        return
    found.need = tuple(names)
    lost = f"; {n_lost:,} cases never have it and do not open" if n_lost else ""
    found.say("need", f"{start}{lost}. Check this: is it the moment at which the customer first told you?")


# --- endings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ending:
    code: int
    name: str
    share: float
    """Share of its cases in which nothing follows."""
    n_cases: int


def _find_endings(found: Milestones) -> None:
    sequences = found.episodes
    candidates = _candidates(sequences)
    worded = [one for one in candidates if _ends_by_name(one, sequences.by_customer)]
    if len(worded) > 1:
        worded = [one for one in worded if not is_technical(one.name)] or worded
    if worded:
        worded += _rare_kin(sequences, worded)
        found.achieved = tuple(one.name for one in worded if ending_of(one.name) != "failed")
        found.failed = tuple(one.name for one in worded if ending_of(one.name) == "failed")
        for key in ("achieved", "failed"):
            _explain_endings(found, key, [one for one in worded if one.name in getattr(found, key)])
        _find_reopenings(found)
    elif not _one_contact(found):
        _endings_by_place(found, candidates)
    if not found.achieved:
        _no_success(found, candidates)


def _rare_kin(sequences: Sequences, worded: Sequence[_Ending]) -> list[_Ending]:
    """Endings of one or two cases, called by the same word as a frequent one of the same kind."""
    known = {(ending_of(one.name), hint_of(one.name, ending_of(one.name) or "achieved")) for one in worded}
    rare = [one for one in _candidates(sequences, 1) if one.n_cases < RARE and one.share == 1]
    return [
        one for one in rare
        if ending_of(one.name) and (ending_of(one.name), hint_of(one.name, ending_of(one.name))) in known
        and one.code not in {other.code for other in worded}
    ]  # fmt: skip


def _candidates(sequences: Sequences, n_least: int = RARE) -> list[_Ending]:
    places = sequences.last_of_type
    quiet = _nothing_follows(sequences, places)
    n_types = max(1, len(sequences.names))
    n_ends = np.bincount(sequences.code[places][quiet], minlength=n_types)
    n_of = sequences.n_cases_of
    return [
        _Ending(code, sequences.names[code], float(n_ends[code] / n_of[code]), int(n_of[code]))
        for code in sequences.frequent
        if n_of[code] >= min(n_least, sequences.n_cases)
    ]


def _nothing_follows(sequences: Sequences, places: Ints) -> Bools:
    """Whether what follows in the case comes at once, or is nothing; with customers as cases, in the same visit."""
    last = sequences.ends[places] - 1
    if sequences.by_customer:
        after = np.minimum(places + 1, last)
        alone: Bools = (last == places) | (sequences.time_us[after] - sequences.time_us[places] > VISIT_US)
        return alone
    rest_us = sequences.time_us[last] - sequences.time_us[places]
    span_us = sequences.time_us[last] - sequences.time_us[sequences.starts[sequences.case[places]]]
    within_step = np.minimum(np.maximum(AT_ONCE_US, STILL * span_us), np.maximum(SECOND_US, 0.5 * span_us))
    quiet: Bools = rest_us <= within_step
    return quiet


def _ends_by_name(one: _Ending, by_customer: bool) -> bool:
    kind = "achieved" if is_technical(one.name) else ending_of(one.name)
    needed = ENDS_IT.get(kind, 2.0)
    return one.share >= (min(needed, ENDS_IT_BY_CUSTOMER) if by_customer and kind == "achieved" else needed)


def _explain_endings(found: Milestones, key: str, endings: Sequence[_Ending]) -> None:
    for one in endings[:6]:
        word = hint_of(one.name, key) or "end"
        visit = " in that visit" if found.episodes.by_customer else ""
        found.say(key, f"After {shown(one.name)} nothing more comes{visit} in {percent(one.share)} of its "
                       f"{one.n_cases:,} cases; it counts as {key} for the word '{word}'.")  # fmt: skip
    if len(endings) > 6:
        found.say(key, f"So it is with {len(endings) - 6} more.")
    if endings:
        question = "does the customer have what they came for then?" if key == "achieved" else "is all lost then?"
        found.say(key, f"Check this: {question}")


def _endings_by_place(found: Milestones, candidates: Sequence[_Ending]) -> None:
    """Where no name tells an ending: events that are mostly the last, if they end enough of the cases."""
    sequences = found.episodes
    if sequences.by_customer or sequences.n_cases < 2:
        return
    first = np.bincount(np.maximum(sequences.code[sequences.starts[:-1]], 0), minlength=max(1, len(sequences.names)))
    last = [
        one
        for one in candidates
        if one.share >= ENDS_IT_UNNAMED and first[one.code] < one.n_cases / 2
        and not hint_of(one.name, "unsettled") and not hint_of(one.name, "reopened")
        and one.n_cases >= 0.01 * sequences.n_cases
    ]  # fmt: skip
    codes = sequences.code[sequences.starts[1:] - 1]
    covered = int(np.isin(codes, [one.code for one in last]).sum())
    if covered < ENDS_IT_COVER * sequences.n_cases:
        return
    found.achieved = tuple(one.name for one in last)
    for one in last[:6]:
        found.say("achieved", f"{shown(one.name)} ends {percent(one.share)} of its {one.n_cases:,} cases; its name "
                              "does not say whether that is a success.")  # fmt: skip
    found.say("achieved", "Check this: does the customer have what they came for then?")


def _no_success(found: Milestones, candidates: Sequence[_Ending]) -> None:
    most = sorted(candidates, key=lambda one: -one.share)[:3]
    seen = "; ".join(f"{shown(one.name)} {percent(one.share)}" for one in most if one.share)
    often = f" Most often the last of its cases: {seen}." if seen else ""
    found.say("achieved", f"No event of this log says that the customer has what they came for.{often} "
                          "Which event does? Until you name it, no case can succeed.")  # fmt: skip


# --- after the end ----------------------------------------------------------------------------------------------------


def _one_contact(found: Milestones) -> bool:
    """No ending, and most cases are one event: then one contact is enough unless the customer comes back."""
    sequences = found.episodes
    n_events = np.diff(sequences.starts)
    if not found.need or not sequences.n_cases or np.median(n_events) > 1 or n_events.max() < 2:
        return False
    again = sequences.is_one_of(found.need)
    opened = _openings(found)
    opened = opened[opened < sequences.n_events]
    back = sequences.next_where(again)[opened]
    came = back < sequences.n_events
    if came.sum() < MIN_BACK:
        return False
    found.achieved, found.reopened = found.need, found.need
    found.say(
        "achieved",
        f"No event ends a case, but {percent(float((n_events == 1).mean()))} of the cases are one event. So one "
        "contact counts as enough, unless the customer comes back in time. Check this.",
    )
    _hold(found, sequences.time_us[back[came]] - sequences.time_us[opened[came]], opened, found.need)
    return True


def _find_reopenings(found: Milestones) -> None:
    """Closed cases that go back to something that they had before."""
    sequences = found.episodes
    if sequences.by_customer:
        return
    ended = sequences.first_where(sequences.is_one_of(found.achieved))
    ended = ended[ended < sequences.n_events]
    waits = sequences.time_us - sequences.time_us[_own(sequences, ended)]
    later = _after(sequences, ended) & (waits > AT_ONCE_US) & ~sequences.is_one_of(found.endings)
    later &= goes_back(sequences)
    later &= ~np.isin(sequences.code, _finishing(sequences, found.endings))
    back = sequences.next_where(later)[ended]
    came = back < sequences.n_events
    n_back = int(came.sum())
    if n_back < max(MIN_BACK, MIN_BACK_SHARE * len(ended)):
        return
    codes = np.bincount(sequences.code[back[came]] + 1, minlength=len(sequences.names) + 1)[1:]
    allowed = set(sequences.frequent)
    order = [int(code) for code in np.argsort(-codes) if code in allowed and codes[code]]
    chosen = _covering(order, codes, 0.9)
    if chosen:
        found.reopened = tuple(sequences.names[code] for code in chosen)
        again = came & np.isin(sequences.code[np.minimum(back, sequences.n_events - 1)], chosen)
        _hold(found, waits[back[again]], ended, found.reopened)


def _finishing(sequences: Sequences, endings: Sequence[str]) -> list[int]:
    """Types that mostly come within a minute after an ending: what a system writes when it closes a case."""
    ending = np.where(sequences.is_one_of(endings), np.arange(sequences.n_events), -1)
    last = np.maximum.accumulate(ending)
    follows = (last >= sequences.starts[sequences.case]) & (ending < 0)
    at_once = follows & (sequences.time_us - sequences.time_us[np.maximum(last, 0)] <= AT_ONCE_US)
    n_follow, n_at_once = (
        np.bincount(sequences.code[mask] + 1, minlength=len(sequences.names) + 1)[1:] for mask in (follows, at_once)
    )
    return [code for code in range(len(sequences.names)) if n_at_once[code] > 0.5 * n_follow[code]]


def goes_back(sequences: Sequences) -> Bools:
    """Events of a type that their case had before, or whose name says that somebody came back."""
    worded = [name for code, name in enumerate(sequences.names) if hint_of(name, "reopened")]
    again = np.ones(sequences.n_events, np.bool_)
    again[sequences.first_of_type] = False
    return again | sequences.is_one_of(worded)


def _own(sequences: Sequences, places: Ints) -> Ints:
    """For each event the one of some places that lies in its case, else its own place."""
    own = np.full(sequences.n_cases, -1, np.int64)
    own[sequences.case[places]] = places
    found = own[sequences.case]
    return np.where(found < 0, np.arange(sequences.n_events), found)


def _after(sequences: Sequences, places: Ints) -> Bools:
    """Events behind one of some places of their case."""
    return np.arange(sequences.n_events) > _own(sequences, places)


def _covering(order: Sequence[int], counts: Ints, share: float) -> list[int]:
    """The first codes that make up a share of a count."""
    chosen: list[int] = []
    for code in order[:MAX_REOPENING]:
        if chosen and counts[chosen].sum() >= share * counts.sum():
            break
        chosen.append(code)
    return chosen


def _hold(found: Milestones, waits_us: Ints, ended: Ints, names: Sequence[str]) -> None:
    """Propose how long an outcome must hold, from the time until closed cases came back.

    Long enough for most returns, but not so long that many cases of this log are still waiting at its end.
    """
    sequences = found.episodes
    seen_us = sequences.time_us.max() - sequences.time_us[ended]
    for share in (0.95, 0.9, 0.8, 0.5):
        typical = quantile_us(waits_us, share)
        found.holds_for_us = human_us(typical)
        if float((seen_us < found.holds_for_us).mean()) <= MOST_UNSEEN:
            break
    found.say(
        "reopened",
        f"{percent(len(waits_us), len(ended))} of {len(ended):,} achieved cases went back to {listed(names)}; "
        f"{percent(share)} of those came back within {format_duration(typical)}. Check this: is that the same need "
        "again, or only work to be finished?",
    )


def _find_within(found: Milestones) -> None:
    sequences = found.episodes
    opened = found.opened[found.opened < sequences.n_events]
    mask = sequences.is_one_of(found.achieved)
    reached = np.where(mask[opened], opened, sequences.next_where(mask)[opened]) if len(opened) else opened
    done = reached < sequences.n_events
    if not found.achieved or not done.any() or found.achieved == found.need:
        return
    spans = sequences.time_us[reached[done]] - sequences.time_us[opened[done]]
    typical = quantile_us(spans, 0.8)
    if typical < SECOND_US:
        found.say("within", f"{percent(float((spans < SECOND_US).mean()))} of the achieved cases are done at once.")
        return
    found.within_us = human_us(typical)
    found.say(
        "within",
        f"{percent(int(done.sum()), len(opened))} of {len(opened):,} opened cases come to an achieving event, half of "
        f"them within {format_duration(quantile_us(spans, 0.5))}, 80 % within {format_duration(typical)}, 95 % within "
        f"{format_duration(quantile_us(spans, 0.95))}. What did you tell the customer?",
    )
