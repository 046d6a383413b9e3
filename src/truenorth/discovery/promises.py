"""Promises that a log suggests: what mostly happens in time, and what mostly comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truenorth.discovery.emit import identifier, one_of
from truenorth.discovery.event_words import ending_of, hint_of
from truenorth.discovery.milestones import AT_ONCE_US, Milestones, goes_back
from truenorth.discovery.moments import Handovers, Moments, at_least_share
from truenorth.discovery.sequences import Ints, Sequences
from truenorth.discovery.wording import human_us, listed, percent, quantile_us, shown
from truenorth.spec.durations import SECOND_US, format_duration, parse_duration, write_duration

MIN_CASES = 5
"""Fewer cases suggest nothing."""
MIN_SUPPORT = 0.05
"""An event of a smaller share of the cases is not promised about."""
COMPARED = 16
"""Types compared pair by pair; a quarter of that where a log has hundreds of types."""
MANY_TYPES = 500
MIN_ANSWERED = 0.6
ALWAYS_BEFORE = 0.95
IN_NO_TIME_US = 10 * SECOND_US
"""What is that quick is one step, and no answer."""
FORWARD = 0.7
"""One event leads to another if it is the first of the two in this share of the cases that have both."""
NEAR = 3
"""An answer is near if it is among the next three events."""
MOST_PAIRS = 8


@dataclass(frozen=True)
class Proposal:
    """A promise: name, keys as written, the sentences of its comment; ``score`` tells the better of a kind."""

    kind: str
    name: str
    keys: tuple[tuple[str, str | float], ...]
    why: tuple[str, ...]
    score: float = 0.0


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is known about a log when promises are proposed."""

    milestones: Milestones
    moments: Moments
    handovers: Handovers | None

    @property
    def sequences(self) -> Sequences:
        """The episodes."""
        return self.milestones.episodes

    @property
    def compared(self) -> list[int]:
        """Codes of the types that are compared pair by pair."""
        most = COMPARED if len(self.sequences.names) <= MANY_TYPES else COMPARED // 4
        n_least = max(MIN_CASES, MIN_SUPPORT * self.sequences.n_cases)
        return [code for code in self.sequences.frequent[:most] if self.sequences.n_cases_of[code] >= n_least]

    def places(self, code: int) -> Ints:
        """Places of the events of a type."""
        return np.flatnonzero(self.sequences.code == code)

    def is_moment(self, code: int) -> bool:
        """Whether the customer takes part in the events of a type."""
        return not self.moments.everything and self.sequences.names[code] in self.moments.names


def propose(findings: Findings) -> list[Proposal]:
    """Everything that may be promised, best first within each kind; names are distinct."""
    if findings.sequences.n_cases < MIN_CASES:
        return []
    found = [proposal for rule in RULES for proposal in rule(findings)]
    names: set[str] = set()
    distinct = []
    for one in found:
        if not _in_time(one, findings.milestones.abandoned_after_us):
            continue
        name = one.name
        number = 2
        while name in names:
            name, number = f"{one.name}_{number}", number + 1
        names.add(name)
        distinct.append(Proposal(one.kind, name, one.keys, one.why, one.score))
    return distinct


def _in_time(proposal: Proposal, silence_us: int) -> bool:
    """Whether a promise comes due before silence ends the case."""
    waits = [text for key, text in proposal.keys if key in ("within", "at_least_every") and isinstance(text, str)]
    return not silence_us or all(parse_duration(text) <= silence_us for text in waits) or proposal.kind == "absence"


def _type_is(sequences: Sequences, code: int) -> str:
    return one_of("type", [sequences.names[code]])


# --- response ---------------------------------------------------------------------------------------------------------


def _responses(findings: Findings) -> Iterator[Proposal]:
    """For frequent pairs, the time within which most cases get from the one to the other."""
    sequences, milestones = findings.sequences, findings.milestones
    ends = set(milestones.endings)
    firsts = {code: sequences.first_where(sequences.code == code) for code in findings.compared}
    triggers = {
        code: first[first < sequences.n_events] for code, first in firsts.items() if sequences.names[code] not in ends
    }
    pairs: list[tuple[float, int, int, Proposal]] = []
    for answer in findings.compared:
        if sequences.names[answer] in milestones.failed:
            continue
        following = sequences.next_where(sequences.code == answer)
        for trigger, places in triggers.items():
            if trigger == answer or _is_outcome(findings, trigger, answer):
                continue
            if _leads_to(sequences, places, firsts[answer]):
                proposal = _response(findings, trigger, answer, places, following[places])
                if proposal is not None:
                    pairs.append((proposal.score, trigger, answer, proposal))
    used: set[tuple[str, int]] = set()
    chosen = 0
    for _, trigger, answer, proposal in sorted(pairs, key=lambda pair: -pair[0]):
        if chosen < MOST_PAIRS and not used & {("after", trigger), ("expect", answer)}:
            used |= {("after", trigger), ("expect", answer)}
            chosen += 1
            yield proposal


def _leads_to(sequences: Sequences, places: Ints, answers: Ints) -> bool:
    """Whether the first trigger of a case mostly comes before its first answer, where it has both."""
    first = answers[sequences.case[places]]
    both = first < sequences.n_events
    return bool(both.any()) and float((places[both] < first[both]).mean()) >= FORWARD


def _is_outcome(findings: Findings, trigger: int, answer: int) -> bool:
    """From the opening to the achievement: that is the outcome's own ``within``."""
    sequences, milestones = findings.sequences, findings.milestones
    if sequences.names[answer] not in milestones.achieved:
        return False
    n_first = int((sequences.code[sequences.starts[:-1]] == trigger).sum())
    return sequences.names[trigger] in milestones.need or n_first > 0.5 * sequences.n_cases_of[trigger]


def _response(findings: Findings, trigger: int, answer: int, places: Ints, following: Ints) -> Proposal | None:
    sequences = findings.sequences
    answered = following < sequences.n_events
    n, n_answered = len(places), int(answered.sum())
    if n_answered < max(MIN_CASES, MIN_ANSWERED * n):
        return None
    waits = sequences.time_us[following[answered]] - sequences.time_us[places[answered]]
    share = min(0.8, 0.95 * n_answered / n)
    typical = quantile_us(waits, min(1.0, share * n / n_answered))
    within_us = human_us(typical)
    n_kept = int((waits <= within_us).sum())
    if typical < IN_NO_TIME_US or n_kept > 0.97 * n:
        return None
    near = float((following[answered] - places[answered] <= NEAR).mean())
    spread = np.log(max(quantile_us(waits, 0.95), 1) / max(quantile_us(waits, 0.5), SECOND_US)) / np.log(20)
    moment = 1.5 if findings.is_moment(trigger) or findings.is_moment(answer) else 1.0
    haste = 0.5 if within_us < AT_ONCE_US else 1.0
    support = n / sequences.n_cases
    score = support * n_answered / n * (0.3 + 0.7 * near) * min(max(spread, 0.1), 1.0) * moment * haste
    names = sequences.names
    keys = (
        ("after", _type_is(sequences, trigger)),
        ("expect", _type_is(sequences, answer)),
        ("within", write_duration(within_us)),
    )
    name = f"{identifier(names[answer])}_after_{identifier(names[trigger])}"
    why = _response_sentence(names[trigger], names[answer], waits, n, typical, share)
    return Proposal("response", name, keys, (why,), score)


def _response_sentence(trigger: str, answer: str, waits: Ints, n: int, typical: int, share: float) -> str:
    never = n - len(waits)
    tail = f"{percent(never, n)} never get it" if never > 0.05 * n else ""
    slow = f"the slowest 5 % wait more than {format_duration(quantile_us(waits, 0.95))}"
    return (
        f"{percent(share)} of {n:,} cases get {shown(answer)} within {format_duration(typical)} of {shown(trigger)}; "
        f"{tail or slow}."
    )


# --- precedence -------------------------------------------------------------------------------------------------------


def _precedences(findings: Findings) -> Iterator[Proposal]:
    """What nearly always, but not always, comes first."""
    sequences, milestones = findings.sequences, findings.milestones
    n_first = np.bincount(sequences.code[sequences.starts[:-1]] + 1, minlength=len(sequences.names) + 1)[1:]
    required = [
        code for code in findings.compared
        if sequences.names[code] not in (*milestones.endings, *milestones.need)
        and n_first[code] < 0.5 * sequences.n_cases_of[code]
    ]  # fmt: skip
    before = {code: sequences.seen_before(sequences.code == code) for code in required}
    found = []
    for code in findings.compared:
        places = findings.places(code)
        for need, seen in before.items():
            held = float(seen[places].mean())
            if need != code and ALWAYS_BEFORE <= held < 1:
                n_near = _near_before(sequences, places, need)
                ending = 1.5 if sequences.names[code] in milestones.endings else 1.0
                score = len(places) / sequences.n_events * (0.2 + n_near) * ending
                found.append(_precedence(sequences, need, code, held, len(places), score))
    yield from sorted(found, key=lambda one: -one.score)[:3]


def _near_before(sequences: Sequences, places: Ints, code: int) -> float:
    """Share of some events with one of a type among the three before them."""
    near = np.zeros(len(places), np.bool_)
    for step in range(1, NEAR + 1):
        near |= sequences.code[np.maximum(places - step, 0)] == code
    return float(near.mean())


def _precedence(sequences: Sequences, need: int, code: int, held: float, n: int, score: float) -> Proposal:
    names = sequences.names
    why = (
        f"{percent(held)} of {n:,} times, {shown(names[code])} has {shown(names[need])} before it. Check this: should "
        "it always, for the customer's sake?"
    )
    keys = (("before", _type_is(sequences, code)), ("require", _type_is(sequences, need)))
    return Proposal("precedence", f"{identifier(names[need])}_before_{identifier(names[code])}", keys, (why,), score)


# --- one of each ------------------------------------------------------------------------------------------------------


def _ping_pong(findings: Findings) -> Iterator[Proposal]:
    handovers = findings.handovers
    if handovers is None or not handovers.per_case.any():
        return
    counts = handovers.per_case
    most = at_least_share(counts, 0.8)
    if most and not (counts > most).any():
        most -= 1
    why = f"{handovers.sentence()} {percent(float((counts <= most).mean()))} of the cases have at most {most}."
    yield Proposal("limit", "no_ping_pong", (("at_most", most), ("of", "handover")), (why,))


def _stays_fixed(findings: Findings) -> Iterator[Proposal]:
    """No return after a solution: the achieved outcome where that must hold, else what is called a solution."""
    milestones = findings.milestones
    if milestones.reopened and milestones.achieved != milestones.reopened:
        keys = (
            ("after", one_of("type", milestones.achieved)),
            ("never", one_of("type", milestones.reopened)),
            ("within", write_duration(milestones.holds_for_us)),
        )
        yield Proposal("absence", "stays_fixed", keys, tuple(milestones.why.get("reopened", ()))[:1])
        return
    solutions = [code for code in findings.compared if _is_solution(findings, code)]
    for code in solutions[:1]:
        yield from _stays_after(findings, code)


def _is_solution(findings: Findings, code: int) -> bool:
    name = findings.sequences.names[code]
    return ending_of(name) == "achieved" and name not in findings.milestones.endings


def _stays_after(findings: Findings, code: int) -> Iterator[Proposal]:
    sequences, milestones = findings.sequences, findings.milestones
    first = sequences.first_where(sequences.code == code)
    first = first[first < sequences.n_events]
    waits = sequences.time_us - sequences.time_us[_latest(sequences, first)]
    endings = sequences.is_one_of(milestones.endings)
    other = (sequences.code != code) & ~endings & (waits > AT_ONCE_US) & goes_back(sequences)
    back = sequences.next_where(other)[first]
    done = sequences.next_where(endings)[first]
    came = (back < sequences.n_events) & (back < done)
    if not 0.01 * len(first) <= int(came.sum()) <= 0.4 * len(first) or came.sum() < MIN_CASES:
        return
    counts = np.bincount(sequences.code[back[came]] + 1, minlength=len(sequences.names) + 1)[1:]
    allowed = set(sequences.frequent)
    names = [
        sequences.names[one] for one in np.argsort(-counts)[:4] if one in allowed and counts[one] >= 0.1 * came.sum()
    ]
    if not names:
        return
    typical = quantile_us(waits[back[came]], 0.95)
    why = (
        f"{percent(int(came.sum()), len(first))} of {len(first):,} cases go back to {listed(names)} after "
        f"{shown(sequences.names[code])}, 95 % of them within {format_duration(typical)}: it was not solved then."
    )
    keys = (
        ("after", _type_is(sequences, code)),
        ("never", one_of("type", names)),
        ("within", write_duration(human_us(typical))),
    )
    yield Proposal("absence", "stays_fixed", keys, (why,))


def _latest(sequences: Sequences, first: Ints) -> Ints:
    own = sequences.starts[:-1].copy()
    own[sequences.case[first]] = first
    return own[sequences.case]


def _kept_informed(findings: Findings) -> Iterator[Proposal]:
    """Where cases wait: how long a customer hears nothing."""
    sequences = findings.sequences
    waiting = [code for code in findings.compared if hint_of(sequences.names[code], "waiting")]
    if not waiting or findings.moments.everything or not findings.moments.names:
        return
    heard = sequences.is_one_of(findings.moments.names)
    heard[sequences.starts[:-1]] = True
    following = sequences.next_where(heard)
    places = np.flatnonzero(heard & (following < sequences.n_events))
    gaps = sequences.time_us[following[places]] - sequences.time_us[places]
    longest = np.zeros(sequences.n_cases, np.int64)
    np.maximum.at(longest, sequences.case[places], gaps)
    waits = np.unique(sequences.case[np.isin(sequences.code, waiting)])
    typical = quantile_us(longest[waits], 0.8)
    if typical <= AT_ONCE_US:
        return
    names = [sequences.names[code] for code in waiting]
    why = (
        f"{len(waits):,} cases wait ({listed(names)}). In 80 % of them the customer hears nothing for at most "
        f"{format_duration(typical)} at a stretch, in one of twenty for "
        f"{format_duration(quantile_us(longest[waits], 0.95))} or more."
    )
    keys = (("expect", "moment"), ("at_least_every", write_duration(human_us(typical))))
    yield Proposal("rhythm", "kept_informed", keys, (why,))


def _cheap_enough(findings: Findings) -> Iterator[Proposal]:
    sequences = findings.sequences
    if "cost" not in sequences.columns:
        return
    cost = sequences.columns["cost"].gather(sequences.row).fill_nan(None).fill_null(0.0).to_numpy()
    totals = np.bincount(sequences.case, weights=cost, minlength=sequences.n_cases)
    typical = float(np.sort(totals)[max(0, int(np.ceil(0.8 * len(totals) - 1e-9)) - 1)])
    if not np.isfinite(totals).all() or typical <= 0:
        return
    most = round_up(typical)
    why = (
        f"80 % of {sequences.n_cases:,} cases cost at most {typical:,.2f}, the dearest {totals.max():,.2f}; "
        f"{percent(float((totals > most).mean()))} cost more than {most:,g}."
    )
    yield Proposal("total", "cheap_enough", (("at_most", most), ("total", "cost")), (why,))


def round_up(amount: float) -> float:
    """An amount rounded up to two significant digits.

    >>> round_up(123.4), round_up(0.0711), round_up(50)
    (130.0, 0.072, 50.0)
    """
    unit = 10.0 ** (np.floor(np.log10(amount)) - 1)
    return float(f"{np.ceil(amount / unit - 1e-9) * unit:.2g}")


RULES: Sequence[Callable[[Findings], Iterator[Proposal]]] = (
    _responses,
    _ping_pong,
    _stays_fixed,
    _kept_informed,
    _precedences,
    _cheap_enough,
)
"""What is looked for, in the order of a draft."""
