"""The loop: needs come up, and whatever is next on the agenda happens. Compiled.

Events are written when they happen, so they come in order of time. Everything that needs room is made larger by
`truenorth.simulate.run`.
"""

from __future__ import annotations

import math

import numpy as np

from truenorth.simulate import records as r
from truenorth.simulate.agenda import pop, push
from truenorth.simulate.causal import compiled, drawn, drifted, entry, set_levels, uniform
from truenorth.simulate.queues import answer_elsewhere, emit, hang_up, serve, staff_at
from truenorth.simulate.story import advance, applies, perform, survey

BUILT_ON = "78324f382230"
"""Digest of the files whose code is compiled into this one's: where they change, no cache of this one stays."""


@entry
def arrive(tables, state, day):
    """Push the needs of a day that come by themselves, at most one a customer, and the hours at which shifts change."""
    for hour in range(24):
        for team in range(len(state.waiting)):
            push(state, tables.start_us + day * r.DAY_US + hour * r.HOUR_US, r.SERVE, team, r.ZERO)
    for c in range(len(state.customers)):
        if state.customers[c].gone:
            continue
        weekday = (tables.first_weekday + day) % 7
        if uniform(tables.seed, c, r.P_ANY, day) < tables.per_day[weekday]:
            j = drawn(tables.need_shares, uniform(tables.seed, c, r.P_JOURNEY, day))
            luck = uniform(tables.seed, c, r.P_HOUR, day)
            hour = drawn(tables.hour_shares, luck)
            within = uniform(tables.seed, c, r.P_HOUR, day + 1024)
            when_us = tables.start_us + day * r.DAY_US + np.int64((hour + within) * r.HOUR_US)
            push(state, when_us, r.NEED, np.int64(c * 4 + j), r.ZERO)


@compiled
def open_case(tables, state, time_us, who):
    """A need comes up: it opens a case, unless one of the same journey is open or was opened today. Without spillover
    only the latter counts, which no outcome changes."""
    customer, j = state.customers[who >> 2], who & 3
    day = (time_us - tables.start_us) // r.DAY_US
    busy = tables.spillover != 0 and (customer.busy >> j) & 1 == 1
    if customer.gone or busy or state.last_day[who >> 2, j] == day:
        state.n[r.N_SKIPPED] += 1
        return
    customer.busy |= 1 << j
    state.last_day[who >> 2, j] = day
    c = state.n[r.N_CASES]
    state.n[r.N_CASES] += 1
    case = state.cases[c]
    case.key = np.int64(who) * 1024 + day
    case.opened_us, case.customer, case.day, case.journey = time_us, who >> 2, day, j
    case.segment, case.wiring, case.outcome = customer.segment, customer.wiring, r.UNSETTLED
    describe(tables, state, time_us, c)
    set_levels(tables, case, state.levels[c])
    emit(tables, state, time_us, c, tables.journeys[j].need, r.NOTHING)
    push(state, time_us, r.STEP, c, r.ZERO)


@compiled
def describe(tables, state, time_us, c):
    """What the need is like, how it reaches us, how busy we are, and what will be at stake."""
    case = state.cases[c]
    seed, key, j = tables.seed, case.key, case.journey
    case.category = drawn(tables.category_shares[j], uniform(seed, key, r.P_CATEGORY, 0))
    if uniform(seed, key, r.P_CATEGORY, 1) < drifted(tables, r.NEED_MIX, case.day):
        case.category = 2
    case.severity = drawn(tables.severity_shares, uniform(seed, key, r.P_SEVERITY, 0))
    case.channel = drawn(
        tables.channel_shares[state.customers[case.customer].savvy], uniform(seed, key, r.P_CHANNEL, 0)
    )
    if case.channel == r.PHONE and uniform(seed, key, r.P_CHANNEL, 1) < drifted(tables, r.CHANNEL, case.day):
        case.channel = r.CHAT
    team = tables.journeys[j].first_team
    per_head = state.waiting[team] / max(1, staff_at(tables, team, time_us), tables.staff_most[team] // 2)
    case.load = math.floor(min(3.0, per_head) * 100.0 + 0.5) / 100.0
    for s in range(tables.steps.shape[1]):
        step = tables.steps[j, s]
        if step.cause >= 0 and applies(tables, case, step):
            case.stakes |= np.int64(1) << step.cause
    case.stakes |= np.int64(1) << tables.journeys[j].wait_cause


@entry
def run(tables, state, until_us):
    """Let everything happen before an instant; FULL where there is no more room, with nothing lost."""
    n = state.n
    while n[r.N_HEAP] > 0:
        first = state.heap[0]
        if first.time_us >= until_us:
            return r.DONE
        if is_full(state):
            return r.FULL
        time_us, kind, who, argument = first.time_us, first.kind, np.int64(first.who), np.int64(first.argument)
        pop(state)
        happen(tables, state, time_us, kind, who, argument)
    return r.DONE


@entry
def act(tables, state, time_us, c, action):
    """Somebody outside does something for a case; it counts for a case that is not settled and had nothing done yet."""
    case = state.cases[c]
    emit(tables, state, time_us, c, tables.action_types[action], np.int64(case.team))
    if case.outcome == r.UNSETTLED and case.action == 0:
        case.action, case.acted = action, True


@compiled
def is_full(state):
    """Whether some array may have too little room for what one entry of the heap adds."""
    n = state.n
    for team in range(len(state.waiting)):
        if state.tail[team] - state.head[team] + r.ROOM > state.queue.shape[1]:
            return True
    short = len(state.events) - n[r.N_EVENTS] < r.ROOM or len(state.heap) - n[r.N_HEAP] < r.ROOM
    return short or n[r.N_CASES] + 2 > len(state.cases) or n[r.N_ASKED] == len(state.asked)


@compiled
def happen(tables, state, time_us, kind, who, argument):
    """Let one entry of the heap happen."""
    if kind == r.NEED:
        open_case(tables, state, time_us, who)
    elif kind == r.STEP:
        advance(tables, state, time_us, who)
    elif kind == r.ANSWER:
        answer_elsewhere(tables, state, time_us, who, argument)
    elif kind == r.HANG_UP:
        hang_up(tables, state, time_us, who, argument)
    elif kind == r.FREE:
        state.busy[who] -= 1
        serve(tables, state, time_us, who)
    elif kind == r.SERVE:
        serve(tables, state, time_us, who)
    elif kind == r.SCRIPT:
        perform(tables, state, time_us, who, argument)
    else:
        survey(tables, state, time_us, who)
