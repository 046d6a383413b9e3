"""The one step: events run through a journey's tables over the state of their cases.

Everything that gives a journey its meaning in time happens here, once, for replay, live service and cluster. The rules
are data (`Tables`, made by `truenorth.engine.compile`); the six kinds of promise have become three families, told apart
by two rows of verdicts:

* an *obligation* (response, rhythm) waits for an ``EXPECT`` mark,
* a *prohibition* (absence, limit, total) adds up what its ``HIT`` marks weigh until that exceeds ``at_most``,
* a *precedence* is judged at each ``BEFORE`` mark by whether a ``REQUIRE`` mark came earlier.

The compiled code is cached beside this file and is only made anew when *this* file changes: whatever constant the step
uses is therefore defined here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]

# Numbers are typed: of a plain Python constant Numba would compile every function that takes it once for each value.
NEVER = np.int64(2**63 - 1)
"""The instant of a deadline that never comes."""
NOTHING = np.int64(-1)
"""No event, no team, no customer, no duration, no calendar."""

# What an event is for its case: bits of its row's flags.
ONLY, NEED, ACHIEVED_BY, FAILED_BY, REOPENED_BY, MOMENT, DECISION = 1, 2, 4, 8, 16, 32, 64
# What an event is for one promise. AFTER triggers an instance, the rest judge.
AFTER, EXPECT, UNLESS, HIT, BEFORE, REQUIRE = 1, 2, 4, 8, 16, 32
# Families of promises.
OBLIGATION, PROHIBITION, PRECEDENCE = np.arange(3)
# When an instance starts: at an AFTER mark; or as well just before the opening event, or with it and at reopenings.
BY_TRIGGER, BEFORE_OPENING, AT_OPENING = np.arange(3)
# Verdicts of promises.
OPEN, KEPT, BROKEN, LAPSED = np.arange(4)
# Phases of a case. WAITING: no event has opened it yet.
WAITING, RUNNING, RESOLVED, CLOSED = np.arange(4)
# Outcomes of a case and the reasons for them; UNDECIDED is shown as "open".
UNDECIDED, ACHIEVED, FAILED, ABANDONED = np.arange(4)
BY_NOTHING, BY_EVENT, BY_LATENESS, BY_SILENCE = np.arange(4)
# Deadlines of the outcome, in the order in which they come at the same instant.
WITHIN, HOLD, SILENCE = np.arange(3)
# Counters of events that belong to no case.
FILTERED, BEFORE_NEED, AFTER_CLOSE = np.arange(3)

VERDICT_AT_EXPIRY = (BROKEN, KEPT)
"""By family: what passes its deadline. An obligation has missed it, a prohibition has survived it."""
VERDICT_AT_CLOSE = (LAPSED, KEPT)
"""By family: what is still active when its case ends."""


MARK = np.dtype([("promise", np.int64), ("bits", np.uint8)], align=True)
"""What an event says to one promise: bits EXPECT .. REQUIRE."""

RULE = np.dtype(
    [
        ("duration_us", np.int64),  # until an instance is due, or NOTHING
        ("at_most", np.float64),
        ("calendar", np.int32),  # whose open hours the duration counts, or NOTHING
        ("weight", np.int32),  # row of Events.amounts that a HIT adds, or NOTHING for 1
        ("family", np.uint8),
        ("starts", np.uint8),  # BY_TRIGGER, BEFORE_OPENING or AT_OPENING
    ],
    align=True,
)
"""A promise as the step sees it."""

OUTCOME = np.dtype(
    [
        ("within_us", np.int64),
        ("holds_for_us", np.int64),
        ("abandoned_after_us", np.int64),
        ("within_calendar", np.int32),
        ("cost", np.int32),  # rows of Events.amounts, or NOTHING
        ("revenue", np.int32),
        ("many_episodes", np.bool_),  # whether an event after the close may open another episode
    ],
    align=True,
)
"""The outcome's rules; a duration is NOTHING where the journey has none."""

HOURS = np.dtype([("opens", np.int64), ("closes", np.int64), ("before_us", np.int64)])
"""One interval of a calendar and the open time before it."""

EVENT = np.dtype(
    [
        ("time_us", np.int64),
        ("index", np.int64),  # position in the log
        ("row", np.int32),  # 2 * class
        ("team", np.int32),  # code, or NOTHING
        ("customer", np.int32),  # code, or NOTHING
    ],
    align=True,
)
"""One event as the step sees it."""


ROW = np.dtype(
    [
        ("judged_from", np.int32),  # its marks in Tables.judged
        ("judged_end", np.int32),
        ("triggered_from", np.int32),  # the promises it triggers in Tables.triggered
        ("triggered_end", np.int32),
        ("flags", np.uint8),  # bits ONLY .. DECISION
    ],
    align=True,
)
"""What is known of an event by its class and by whether it is a hand-over."""


class Tables(NamedTuple):
    """A journey compiled for one batch of events.

    A *class* is a set of events that satisfy the same conditions; ``row = 2 * class + handover``.
    """

    rows: NDArray[np.void]  # ROW
    judged: NDArray[np.void]  # MARK, what an event says to active instances, in file order within a row
    triggered: I64  # promises that an event triggers, in file order within a row
    rules: NDArray[np.void]  # RULE, one a promise
    outcome: NDArray[np.void]  # OUTCOME, one
    hours: NDArray[np.void]  # HOURS of all calendars, in time order within each
    hours_from: I32  # (n_calendars + 1,)


class Events(NamedTuple):
    """Events sorted by case, then in a case's order."""

    log: NDArray[np.void]  # EVENT
    amounts: F64  # (n_amounts, n_events), no NaN


CASE = np.dtype(
    [
        ("key", np.int32),
        ("opened", np.int64),
        ("resolved", np.int64),
        ("closed", np.int64),
        ("outcome_time", np.int64),
        ("last", np.int64),
        ("within_due", np.int64),
        ("hold_due", np.int64),
        ("next_due", np.int64),  # no deadline but silence comes before this instant
        ("cost", np.float64),
        ("revenue", np.float64),
        ("episode", np.int32),
        ("customer", np.int32),
        ("team", np.int32),
        ("reopened", np.int32),
        ("events", np.int32),
        ("moments", np.int32),
        ("decisions", np.int32),
        ("handovers", np.int32),
        ("internal", np.int32),
        ("kept", np.int32),
        ("broken", np.int32),
        ("lapsed", np.int32),
        ("open", np.int32),
        ("phase", np.int8),
        ("outcome", np.int8),
        ("reason", np.int8),
    ],
    align=True,
)
"""State of one case, and the row that is written when it ends. Instants are microseconds, NEVER for none."""

PROMISE = np.dtype(
    [
        ("started", np.int64),
        ("due", np.int64),
        ("started_by", np.int64),
        ("amount", np.float64),
        ("instance", np.int32),
        ("active", np.bool_),
        ("required", np.bool_),  # precedence: a REQUIRE mark has been seen
    ],
    align=True,
)
"""State of one promise in one case."""

VERDICT = np.dtype(
    [
        ("key", np.int32),
        ("started", np.int64),
        ("due", np.int64),
        ("decided", np.int64),
        ("started_by", np.int64),
        ("decided_by", np.int64),
        ("episode", np.int32),
        ("instance", np.int32),
        ("promise", np.int32),
        ("verdict", np.int8),
    ],
    align=True,
)
"""One instance of a promise, written when it is decided or, open, at the end of the data."""


class Written(NamedTuple):
    """What a step writes; ``n[0]`` cases and ``n[1]`` verdicts are filled."""

    cases: NDArray[np.void]
    verdicts: NDArray[np.void]
    n: I64
    ignored: I64  # (3,) how many events were FILTERED, BEFORE_NEED, AFTER_CLOSE
    episodes: I32  # per event: 2 * episode + handover, 0 if ignored; empty if nobody asks


compiled = njit(cache=True, nogil=True, _nrt=False, forceinline=True)  # type: ignore[call-overload]
"""Compile a part of the step. Nothing here allocates, so reference counting, ten times the work, is off."""


@compiled
def last_up_to(values, low, high, limit):
    """The position of the last value up to a limit in ``values[low:high]``, which rise; ``low - 1`` if none is."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low - 1


@compiled
def deadline(tables, start_us, duration_us, calendar):
    """The earliest instant by which ``duration_us`` of (open) time has passed; NEVER without one."""
    if duration_us < 0:
        return NEVER
    if calendar < 0:
        return start_us + duration_us
    low, high = tables.hours_from[calendar], tables.hours_from[calendar + 1]
    target_us = duration_us
    at = last_up_to(tables.hours.opens, low, high, start_us)
    if at >= low:
        target_us += tables.hours[at].before_us + min(start_us, tables.hours[at].closes) - tables.hours[at].opens
    hours = tables.hours[last_up_to(tables.hours.before_us, low, high, target_us - 1)]
    due_us = hours.opens + target_us - hours.before_us
    return due_us if due_us <= hours.closes else NEVER


@compiled
def write_verdict(written, case, promise, p, verdict, decided, decided_by):
    """Write one instance of a promise and count it."""
    out = written.verdicts[written.n[1]]
    written.n[1] += 1
    out.key = case.key
    out.episode = case.episode
    out.promise = p
    out.instance = promise.instance
    out.started = promise.started
    out.due = promise.due
    out.verdict = verdict
    out.decided = decided
    out.started_by = promise.started_by
    out.decided_by = decided_by
    case.kept += verdict == KEPT
    case.broken += verdict == BROKEN
    case.lapsed += verdict == LAPSED
    case.open += verdict == OPEN


@compiled
def decide(written, case, promise, p, verdict, decided, decided_by):
    """End an active instance with a verdict."""
    promise.active = False
    write_verdict(written, case, promise, p, verdict, decided, decided_by)


@compiled
def start(tables, case, promise, p, time_us, index):
    """Start an instance."""
    rule = tables.rules[p]
    promise.active = True
    promise.instance += 1
    promise.started = time_us
    promise.started_by = index
    promise.amount = 0.0
    promise.due = deadline(tables, time_us, rule.duration_us, rule.calendar)
    case.next_due = min(case.next_due, promise.due)


@compiled
def end_active(tables, written, case, promises, at, index, last_family):
    """End what is active when a case is resolved (obligations) or closed (prohibitions too)."""
    for p in range(len(promises)):
        family = tables.rules[p].family
        if promises[p].active and family <= last_family:
            decide(written, case, promises[p], p, VERDICT_AT_CLOSE[family], at, index)


@compiled
def close(tables, written, case, promises, at, index):
    """Close a case and write it."""
    end_active(tables, written, case, promises, at, index, PROHIBITION)
    case.phase = CLOSED
    case.closed = at
    written.cases[written.n[0]] = case
    written.n[0] += 1


@compiled
def give(case, outcome, reason, at):
    """Give a case its outcome; it keeps one that it has."""
    if case.outcome == UNDECIDED:
        case.outcome = outcome
        case.reason = reason
        case.outcome_time = at


@compiled
def next_outcome_deadline(tables, case):
    """The next deadline of the outcome and which one it is."""
    if case.phase == RESOLVED:
        return case.hold_due, HOLD
    due = case.within_due if case.outcome == UNDECIDED else NEVER
    silence_us = tables.outcome[0].abandoned_after_us
    if silence_us >= 0 and case.last + silence_us < due:
        return case.last + silence_us, SILENCE
    return due, WITHIN


@compiled
def pass_outcome_deadline(tables, written, case, promises, due, which):
    """A deadline of the outcome passes: the case is late, held, or silent for too long."""
    if which == WITHIN:
        give(case, FAILED, BY_LATENESS, due)
        return
    if which == HOLD:
        give(case, ACHIEVED, BY_NOTHING, case.resolved)
    else:
        give(case, ABANDONED, BY_SILENCE, due)
    close(tables, written, case, promises, due, NOTHING)


@compiled
def expire(tables, written, case, promises, until):
    """Let every deadline up to and including ``until`` pass, in order of time."""
    while case.phase == RUNNING or case.phase == RESOLVED:
        due, which = next_outcome_deadline(tables, case)
        first, first_due = int(NOTHING), NEVER
        for p in range(len(promises)):
            if promises[p].active and promises[p].due < first_due:
                first, first_due = p, promises[p].due
        if min(due, first_due) > until:
            within_due = case.within_due if case.outcome == UNDECIDED else NEVER
            case.next_due = min(first_due, case.hold_due if case.phase == RESOLVED else within_due)
            return
        if due <= first_due:
            pass_outcome_deadline(tables, written, case, promises, due, which)
        else:
            verdict = VERDICT_AT_EXPIRY[tables.rules[first].family]
            decide(written, case, promises[first], first, verdict, first_due, NOTHING)


@compiled
def open_case(tables, case, promises, key, event):
    """Begin an episode."""
    case.key = key
    case.episode += 1
    case.opened = event.time_us
    case.resolved = case.closed = case.outcome_time = case.hold_due = NEVER
    case.within_due = deadline(tables, event.time_us, tables.outcome[0].within_us, tables.outcome[0].within_calendar)
    case.next_due = case.within_due
    case.cost = case.revenue = 0.0
    case.customer = case.team = NOTHING
    case.reopened = case.events = case.moments = case.decisions = case.handovers = case.internal = 0
    case.kept = case.broken = case.lapsed = case.open = 0
    case.phase = RUNNING
    case.outcome = UNDECIDED
    case.reason = BY_NOTHING
    for p in range(len(promises)):
        promises[p].active = promises[p].required = False
        promises[p].instance = 0
        if tables.rules[p].starts == BEFORE_OPENING:
            start(tables, case, promises[p], p, event.time_us, event.index)


@compiled
def count(outcome, case, events, e, flags, handover):
    """Add an event to the figures of its case."""
    event, cost, revenue = events.log[e], outcome.cost, outcome.revenue
    case.last = event.time_us
    case.events += 1
    case.handovers += handover
    case.moments += (flags & MOMENT) != 0
    case.decisions += (flags & DECISION) != 0
    case.internal += (flags & (MOMENT | DECISION)) == 0
    if event.team >= 0:
        case.team = event.team
    if case.customer < 0:
        case.customer = event.customer
    if cost >= 0:
        case.cost += events.amounts[cost, e]
    if revenue >= 0:
        case.revenue += events.amounts[revenue, e]


@compiled
def judge_precedence(written, case, promise, p, event, bits):
    """Decide a precedence on the spot, then remember what it requires."""
    if bits & BEFORE:
        promise.instance += 1
        promise.started, promise.started_by, promise.due = event.time_us, event.index, NEVER
        verdict = KEPT if promise.required else BROKEN
        write_verdict(written, case, promise, p, verdict, event.time_us, event.index)
    if bits & REQUIRE:
        promise.required = True


@compiled
def judge(tables, written, case, promises, events, e, row):
    """Judge every active instance with an event; decide precedence."""
    event = events.log[e]
    for m in range(row.judged_from, row.judged_end):
        p, bits = tables.judged[m].promise, tables.judged[m].bits
        promise, rule = promises[p], tables.rules[p]
        verdict = OPEN
        if rule.family == PRECEDENCE:
            judge_precedence(written, case, promise, p, event, bits)
        elif promise.active and rule.family == OBLIGATION:
            verdict = KEPT if bits & EXPECT else LAPSED if bits & UNLESS else OPEN
        elif promise.active and bits & HIT:
            promise.amount += events.amounts[rule.weight, e] if rule.weight >= 0 else 1.0
            verdict = BROKEN if promise.amount > rule.at_most else OPEN
        if verdict != OPEN:
            decide(written, case, promise, p, verdict, event.time_us, event.index)


@compiled
def move_outcome(tables, written, case, promises, event, flags):
    """Move the outcome by at most one step; true if the case was reopened."""
    time_us, holds_for_us = event.time_us, tables.outcome[0].holds_for_us
    closes = False
    reopens = case.phase == RESOLVED and flags & REOPENED_BY and not flags & FAILED_BY
    if reopens:
        case.phase = RUNNING
        case.reopened += 1
        case.resolved = NEVER
        case.next_due = min(case.next_due, case.within_due)
        if time_us > case.within_due:
            give(case, FAILED, BY_LATENESS, time_us)
    elif flags & FAILED_BY:
        give(case, FAILED, BY_EVENT, time_us)
        closes = True
    elif flags & ACHIEVED_BY and case.phase == RUNNING:
        case.resolved = time_us
        closes = holds_for_us < 0 or case.outcome != UNDECIDED
        if closes:
            give(case, ACHIEVED, BY_NOTHING, time_us)
        else:
            case.phase = RESOLVED
            case.hold_due = time_us + holds_for_us
            case.next_due = min(case.next_due, case.hold_due)
            end_active(tables, written, case, promises, time_us, event.index, OBLIGATION)
    if closes:
        close(tables, written, case, promises, time_us, event.index)
    return reopens


@compiled
def trigger(tables, case, promises, event, row, opening):
    """Start what an event triggers: obligations only while the case is open and not resolved."""
    running = case.phase == RUNNING
    for m in range(row.triggered_from, row.triggered_end):
        p = tables.triggered[m]
        if not promises[p].active and (running or tables.rules[p].family == PROHIBITION):
            start(tables, case, promises[p], p, event.time_us, event.index)
    if opening and running:
        for p in range(len(promises)):
            if tables.rules[p].starts == AT_OPENING and not promises[p].active:
                start(tables, case, promises[p], p, event.time_us, event.index)


@compiled
def catch_up(tables, written, case, promises, time_us):
    """Let pass what is due before an event; true if the case is still there to take it."""
    if case.phase == WAITING or case.phase == CLOSED:
        return False
    silence_us = tables.outcome[0].abandoned_after_us
    silent = silence_us >= 0 and case.phase == RUNNING and case.last + silence_us < time_us
    if silent or case.next_due < time_us:
        expire(tables, written, case, promises, time_us - 1)
    return case.phase != CLOSED


@compiled
def take(tables, written, case, promises, events, e, key):
    """Take one event: expire, judge, outcome, start."""
    event = events.log[e]
    if not tables.rows[event.row].flags & ONLY:
        written.ignored[FILTERED] += 1
        return
    inside = catch_up(tables, written, case, promises, event.time_us)
    handover = inside and event.team >= 0 and case.team >= 0 and event.team != case.team
    row = tables.rows[event.row + handover]
    flags = row.flags
    if not inside:
        if case.phase == CLOSED and not (flags & NEED and tables.outcome[0].many_episodes):
            written.ignored[AFTER_CLOSE] += 1
            return
        if not flags & NEED:
            written.ignored[BEFORE_NEED] += 1
            return
        open_case(tables, case, promises, key, event)
    count(tables.outcome[0], case, events, e, flags, handover)
    if len(written.episodes):
        written.episodes[e] = 2 * case.episode + handover
    judge(tables, written, case, promises, events, e, row)
    reopened = move_outcome(tables, written, case, promises, event, flags)
    if case.phase != CLOSED:
        trigger(tables, case, promises, event, row, reopened or not inside)


@compiled
def settle(tables, written, case, promises, watermark):
    """The end of the data: deadlines up to the watermark pass, what is left is written as open."""
    expire(tables, written, case, promises, watermark)
    if case.phase == RUNNING or case.phase == RESOLVED:
        for p in range(len(promises)):
            if promises[p].active:
                write_verdict(written, case, promises[p], p, OPEN, NEVER, NOTHING)
        written.cases[written.n[0]] = case
        written.n[0] += 1


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]
def step(tables, cases, promises, runs, events, written, at, watermark, final):
    """Run events through the tables, case by case, until done or until ``written`` might overflow.

    Shapes: ``cases`` (n_slots,), ``promises`` (n_slots, n_promises), ``runs`` (n_runs, 4) with the columns slot, key,
    first event, end. ``at`` is ``[run, event]``, where to go on; it is moved. A run with a negative slot uses slot 0
    afresh: its key is seen here from its first to its last event. With ``final`` each run is settled at ``watermark``
    when it ends. Returns true when all is done, false when ``written`` must get more room and the step called again.
    """
    room_for_cases, room_for_verdicts = len(written.cases) - 2, len(written.verdicts) - 2 * promises.shape[1]
    while at[0] < len(runs):
        slot, key, end = max(runs[at[0], 0], 0), runs[at[0], 1], runs[at[0], 3]
        if at[1] < runs[at[0], 2]:
            at[1] = runs[at[0], 2]
            if runs[at[0], 0] < 0:
                cases[0].phase = WAITING
                cases[0].episode = 0
        while at[1] <= end:
            if written.n[0] > room_for_cases or written.n[1] > room_for_verdicts:
                return False
            if at[1] < end:
                take(tables, written, cases[slot], promises[slot], events, at[1], key)
            elif final:
                settle(tables, written, cases[slot], promises[slot], watermark)
            at[1] += 1
        at[0] += 1
        at[1] = NOTHING
    return True
