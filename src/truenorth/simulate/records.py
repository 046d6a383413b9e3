"""What the loop reads and writes: numbers that stand for names, and the records of its tables and state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

MINUTE_US = np.int64(60_000_000)
HOUR_US = np.int64(3_600_000_000)
DAY_US = np.int64(86_400_000_000)

# Kinds of entries of the heap. WHO is a case, but for NEED (customer * 4 + journey) and FREE, SERVE (a team).
NEED, STEP, ANSWER, HANG_UP, FREE, SERVE, SCRIPT, SURVEY = np.arange(8)
# Kinds of steps, in the order of tables.STEP_KINDS.
TALK, TRANSFER, PROMISE, FLAW, OMISSION, DECIDE, SETTLE = np.arange(7)
# Phases of a promise step that is under way.
PENDING, KEEPING, MISSING, WAITED_FOR, OVER = np.arange(5)
# Outcomes of a case.
ACHIEVED, FAILED, ABANDONED, UNSETTLED = np.arange(4)
# What has opened the moment to decide, in the order of model.TRIGGERS.
NO_TRIGGER, PROMISE_BROKEN, SECOND_CONTACT, COMPLAINT = np.arange(4)
# How a cause or an action is set: as it comes, never, always, for a random half.
AS_IT_COMES, OFF, ON, HALF = np.arange(4)
# Drifts, in the order of tables.DRIFTS.
NEED_MIX, CHANNEL, PATIENCE, PROCESS, STAFFING = np.arange(5)
# Purposes of luck. MANY and more: one a cause, step or row.
P_ANY, P_JOURNEY, P_HOUR, P_CATEGORY, P_SEVERITY, P_CHANNEL, P_STAKE, P_PATIENCE, P_HANDLE, P_ACTOR = np.arange(10)
P_GUMBEL, P_SCRIPT, P_WHEN, P_FEELING, P_TEXT, P_SPILL, P_SURVEY, P_COMPLAINS, P_COIN, P_ACT = np.arange(10, 20)
P_LEVEL, P_DELAY, P_SPILL_WHEN, P_CHASES = np.arange(20, 24)
# Types of events that the loop itself knows; all others come from tables.
T_HUNG_UP, T_CALLED_AGAIN, T_ANSWERED, T_TRANSFERRED, T_CLOSED, T_REOPENED = np.arange(6)
T_COMPLAINED, T_CHASED, T_ASKED_DETAILS, T_TOLD, T_LEFT, T_RATED = np.arange(6, 12)
# Channels, in the order of model.CHANNELS.
PHONE, WEB, CHAT, BRANCH = np.arange(4)
# Counters of the state; DONE and FULL are what `run` answers.
N_HEAP, N_SEQUENCE, N_CASES, N_EVENTS, N_ASKED, N_OVERRUN, N_SKIPPED = np.arange(7)
DONE, FULL = np.arange(2)
S_LATE = np.int64(5)
"""The one script, in the order of tables.SCRIPTS, that goes on until the time is over."""
ROOM = 16
"""What one entry may add at most to events and heap."""
PROMISE_SIGNS = 0b10111000
"""Signs of broken promises that open a moment to decide: call_back, visit, uninformed, promise."""
OVERFLOW_US = 14 * HOUR_US
"""A partner answers whoever has waited this long."""
NOTHING = np.int64(-1)
ZERO = np.int64(0)
ENTRY = np.dtype([("time_us", "i8"), ("sequence", "i8"), ("who", "i4"), ("argument", "i2"), ("kind", "i2")])
"""Something that happens next."""

EVENT = np.dtype(
    [
        ("time_us", "i8"),
        ("case", "i4"),
        ("text", "i4"),  # code of a sentence, -1 for none
        ("wait_s", "f4"),  # in the queue, NaN for none
        ("talk_s", "f4"),  # how long the talk takes, NaN for none
        ("feeling", "f4"),  # NaN for none
        ("actor", "i2"),  # number within the team, -1 for none
        ("type", "u1"),
        ("team", "i1"),  # -1: the customer acted
        ("score", "i1"),  # of a survey, -1 for none
    ],
    align=True,
)
"""One event as it is written."""

CUSTOMER = np.dtype(
    [
        ("wiring", "f4"),
        ("month_eur", "f4"),
        ("patience", "f4"),  # times that of the segment
        ("tenure_months", "i2"),
        ("segment", "i1"),
        ("language", "i1"),
        ("plan", "i1"),
        ("region", "i1"),
        ("savvy", "i1"),
        ("campaign", "i1"),
        ("busy", "u1"),  # bit per journey in which a case is open
        ("gone", "?"),
    ],
    align=True,
)
"""A customer. ``wiring`` is hidden: no event shows it."""

CASE = np.dtype(
    [
        ("key", "i8"),  # (customer * 4 + journey) * 1024 + day, the identity of its luck
        ("opened_us", "i8"),
        ("asked_us", "i8"),  # since when it waits
        ("decided_us", "i8"),  # of the moment to decide
        ("started_us", "i8"),  # of the promise step under way
        ("customer", "i4"),
        ("load", "f4"),
        ("wiring", "f4"),
        ("bits", "u4"),  # what actions may answer to, at the moment to decide
        ("day", "i2"),
        ("stakes", "u2"),  # bit per cause of the journey that is at stake
        ("shown", "u2"),  # bit per sign that has shown
        ("journey", "i1"),
        ("category", "i1"),
        ("severity", "i1"),
        ("segment", "i1"),
        ("channel", "i1"),
        ("team", "i1"),
        ("pc", "i1"),
        ("phase", "i1"),
        ("leg", "i1"),
        ("attempt", "i1"),
        ("waiting", "i1"),  # 1 in a queue, 2 waiting without a place in it
        ("trigger", "i1"),
        ("action", "i1"),
        ("outcome", "i1"),
        ("script", "i1"),
        ("hang_ups", "i1"),
        ("answered", "?"),
        ("silent", "?"),  # a twin that only keeps queues as they come
        ("closed", "?"),  # by the last event of its script
        ("left", "?"),
        ("acted", "?"),  # its action was done already, by somebody outside
    ],
    align=True,
)
"""A case."""

CAUSE = np.dtype(
    [
        ("failed", "f8"),
        ("abandoned", "f8"),
        ("intercept", "f8"),
        ("severity", "f8"),
        ("load", "f8"),
        ("hurry", "f8"),
        ("wiring", "f8"),
        ("transfers", "f8"),
        ("max_level", "i8"),
        ("forced_level", "i8"),
        ("sign", "i8"),
        ("setting", "i8"),  # AS_IT_COMES, OFF, ON, HALF
        ("drifts", "?"),
    ],
    align=True,
)
"""`model.Cause`."""

STEP_ROW = np.dtype(
    [
        ("due_us", "i8"),
        ("applies_from", "f8"),
        ("applies_to", "f8"),
        ("kind", "i8"),
        ("cause", "i8"),  # within the journey, -1 for none
        ("starts", "i8"),
        ("done", "i8"),
        ("missed", "i8"),
        ("team", "i8"),  # -1: that of the case
    ],
    align=True,
)
"""`model.Step`."""

JOURNEY = np.dtype(
    [
        ("late_us", "i8"),
        ("within_us", "i8"),
        ("silence_us", "i8"),
        ("handle_us", "f8"),
        ("failed", "f8"),
        ("abandoned", "f8"),
        ("need", "i8"),
        ("first_team", "i8"),
        ("second_team", "i8"),
        ("n_causes", "i8"),
        ("wait_cause", "i8"),
        ("transfer_cause", "i8"),
    ],
    align=True,
)
"""`model.JourneyModel`."""

RULE = np.dtype([("failed", "f8"), ("abandoned", "f8"), ("bits", "u4"), ("action", "i8")], align=True)
"""`model.Rule`; holds where all its bits are set."""

SCRIPT_ROW = np.dtype([("from_h", "f8"), ("to_h", "f8"), ("type", "i8")], align=True)


class Tables(NamedTuple):
    """The model and the company as the loop reads them; j a journey, c a cause within it."""

    seed: np.int64
    start_us: np.int64
    first_weekday: np.int64
    journeys: NDArray[np.void]  # JOURNEY (4,)
    steps: NDArray[np.void]  # STEP_ROW (4, n)
    causes: NDArray[np.void]  # CAUSE (4, 8)
    category_shares: F64  # cumulative (4, 3)
    category_effects: F64  # (4, 3, 2)
    segment_effects: F64  # (3, 2)
    segment_patience_us: F64  # (3,)
    common: F64  # severity, load, wiring: failed, abandoned (3, 2)
    severity_shares: F64  # cumulative (3,)
    channel_shares: F64  # cumulative (savvy 2, 4)
    need_shares: F64  # cumulative (4,)
    per_day: F64  # needs of a customer by weekday (7,)
    hour_shares: F64  # cumulative (24,)
    staff: I64  # (5, 168) by hour of the week
    staff_most: I64  # (6,)
    rules: NDArray[np.void]  # RULE
    action_types: I64  # event type by action
    action_settings: I8
    scripts: NDArray[np.void]  # SCRIPT_ROW (8, 4), type -1 past the end
    script_shares: F64  # cumulative, by outcome (3, 8)
    spill: F64  # (4, 3, 4)
    complains: np.float64
    chases: np.float64
    answers: F64  # of surveys with a score to 2, between, from 9 (3,)
    speaks: I64  # by event type: its row of sentences, or -1
    drift_day: I64  # (5,)
    drift_size: F64  # (5,)
    drift_strength: F64  # log-odds: of PATIENCE on abandoned, of PROCESS on call-backs (2,)
    asks_policy: np.int64
    surveys: np.int64
    spillover: np.int64  # whether a case touches other cases of its customer


class State(NamedTuple):
    """What changes."""

    n: I64
    heap: NDArray[np.void]  # ENTRY
    events: NDArray[np.void]  # EVENT
    cases: NDArray[np.void]  # CASE
    levels: I8  # (n_cases, 8); -1 not known yet
    customers: NDArray[np.void]  # CUSTOMER
    last_day: NDArray[np.int16]  # (n_customers, 4) of the last need
    queue: I64  # (5, n), n a power of two: case * 256 + attempt
    head: I64
    tail: I64
    waiting: I64
    busy: I64
    asked: I64  # cases at a moment to decide
