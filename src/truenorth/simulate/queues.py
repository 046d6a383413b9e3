"""Events as they are written, and queues: who waits, who answers, who hangs up. Compiled."""

from __future__ import annotations

import math

import numpy as np

from truenorth.simulate import records as r
from truenorth.simulate.agenda import at_daytime, push
from truenorth.simulate.causal import compiled, drifted, normal, uniform

BUILT_ON = "2153251fbe0e"
"""Digest of the files whose code is compiled into this one's: where they change, no cache of this one stays."""


@compiled
def emit(tables, state, time_us, c, type_, team):
    """Write an event; team -1: the customer acts, and says something where the type has sentences."""
    case = state.cases[c]
    if case.silent:
        return state.events[len(state.events) - 1]  # a spare place that is never read
    event = state.events[state.n[r.N_EVENTS]]
    state.n[r.N_EVENTS] += 1
    event.time_us, event.case, event.type, event.team = time_us, c, type_, team
    event.wait_s, event.talk_s, event.feeling = math.nan, math.nan, math.nan
    event.text, event.actor, event.score = -1, -1, -1
    if team >= 0:
        luck = uniform(tables.seed, case.key, r.P_ACTOR, team * 64 + case.leg)
        event.actor = np.int64(luck * tables.staff_most[team])
    elif tables.speaks[type_] >= 0:
        event.feeling = mood(tables, case, type_)
        event.text = sentence(tables, state, case, type_, event.feeling)
    return event


@compiled
def mood(tables, case, type_):
    """How a customer feels, in [-1, 1]: worse with all that has gone wrong so far."""
    n_wrong = 0
    for sign in range(8):
        n_wrong += (case.shown >> sign) & 1
    low = 0.35 if type_ in (r.T_REOPENED, r.T_COMPLAINED, r.T_LEFT) else 0.0
    luck = normal(tables.seed, case.key, r.P_FEELING, type_)
    return min(1.0, max(-1.0, 0.3 - 0.2 * n_wrong - 0.08 * case.severity - low + 0.22 * luck))


@compiled
def sentence(tables, state, case, type_, feeling):
    """The code of what a customer says: by type, journey and category, mood, language, and one of three wordings."""
    tone = 0 if feeling > 0.15 else 1 if feeling > -0.35 else 2
    wording = np.int64(3 * uniform(tables.seed, case.key, r.P_TEXT, type_))
    theme = (tables.speaks[type_] * 4 + case.journey) * 3 + case.category
    return ((theme * 3 + tone) * 4 + state.customers[case.customer].language) * 3 + wording


@compiled
def show(tables, state, c, cause):
    """A cause shows: the customer feels it, actions may answer to it."""
    case = state.cases[c]
    level = state.levels[c, cause]
    if level >= (2 if cause == tables.journeys[case.journey].transfer_cause else 1):
        case.shown |= np.int64(1) << tables.causes[case.journey, cause].sign


# --- queues -----------------------------------------------------------------------------------------------------------


@compiled
def staff_at(tables, team, time_us):
    """How many are at work."""
    day = (time_us - tables.start_us) // r.DAY_US
    hour = ((tables.first_weekday + day) % 7) * 24 + (time_us % r.DAY_US) // r.HOUR_US
    share = 1.0 - drifted(tables, r.STAFFING, day)
    return np.int64(math.ceil(tables.staff[team, hour] * share))


@compiled
def serve(tables, state, time_us, team):
    """Give free agents to who waits, at most two at once."""
    for _ in range(2):
        if state.waiting[team] == 0 or state.busy[team] >= staff_at(tables, team, time_us):
            return
        job = state.queue[team, state.head[team] & (state.queue.shape[1] - 1)]
        state.head[team] += 1
        c = job >> 8
        case = state.cases[c]
        if case.waiting != 1 or case.attempt != job & 255:
            continue  # gone since: it no longer counts as waiting
        state.waiting[team] -= 1
        state.busy[team] += 1
        end_us = time_us + talk_us(tables, case)
        push(state, end_us, r.FREE, team, r.ZERO)
        answer(tables, state, time_us, c)
        push(state, end_us, r.STEP, c, r.ZERO)
    if state.waiting[team] > 0:
        push(state, time_us, r.SERVE, team, r.ZERO)


@compiled
def talk_us(tables, case):
    """How long a talk takes, lognormal around the journey's median."""
    luck = normal(tables.seed, case.key, r.P_HANDLE, np.int64(case.leg))
    return np.int64(tables.journeys[case.journey].handle_us * math.exp(0.5 * luck))


@compiled
def seek(tables, state, time_us, c, team, forced):
    """Want to talk to a team: in its queue, or, where forced from outside, answered after a given time."""
    case = state.cases[c]
    case.team, case.asked_us, case.waiting = team, time_us, 2 if forced >= 0 else 1
    case.attempt += 1
    if forced >= 0:
        push(state, time_us + forced, r.ANSWER, c, np.int64(case.attempt))
        return
    state.queue[team, state.tail[team] & (state.queue.shape[1] - 1)] = c * 256 + case.attempt
    state.tail[team] += 1
    state.waiting[team] += 1
    push(state, time_us + r.OVERFLOW_US, r.ANSWER, c, np.int64(case.attempt))
    if case.leg == 0 and case.attempt <= 2 and case.channel in (r.PHONE, r.CHAT):
        luck = normal(tables.seed, case.key, r.P_PATIENCE, case.attempt)
        patience = (
            tables.segment_patience_us[case.segment] * state.customers[case.customer].patience * math.exp(0.6 * luck)
        )
        patience *= 1.0 - drifted(tables, r.PATIENCE, case.day)
        push(state, time_us + np.int64(patience), r.HANG_UP, c, np.int64(case.attempt))
    serve(tables, state, time_us, team)


@compiled
def answer(tables, state, time_us, c):
    """Somebody answers. The first answer decides whether the wait was too long, unless that was set from outside."""
    case = state.cases[c]
    journey = tables.journeys[case.journey]
    case.waiting = 0
    event = emit(tables, state, time_us, c, r.T_ANSWERED, np.int64(case.team))
    event.wait_s = (time_us - case.asked_us) / 1e6
    event.talk_s = talk_us(tables, case) / 1e6
    if not case.answered:
        case.answered = True
        if state.levels[c, journey.wait_cause] < 0:
            state.levels[c, journey.wait_cause] = 1 if time_us - case.opened_us > journey.late_us else 0
        show(tables, state, c, journey.wait_cause)


@compiled
def answer_elsewhere(tables, state, time_us, c, attempt):
    """Answered without an agent of the queue: by a partner after a long wait, or as set from outside."""
    case = state.cases[c]
    if case.waiting == 0 or case.attempt != attempt:
        return
    if case.waiting == 1:
        state.waiting[case.team] -= 1
    answer(tables, state, time_us, c)
    push(state, time_us + talk_us(tables, case), r.STEP, c, r.ZERO)


@compiled
def hang_up(tables, state, time_us, c, attempt):
    """Give up waiting, and call again some hours later."""
    case = state.cases[c]
    if case.waiting != 1 or case.attempt != attempt:
        return
    state.waiting[case.team] -= 1
    case.waiting = 0
    case.hang_ups += 1
    emit(tables, state, time_us, c, r.T_HUNG_UP, r.NOTHING)
    luck = uniform(tables.seed, case.key, r.P_WHEN, 64 + attempt)
    push(state, at_daytime(time_us + np.int64((0.3 + 4.0 * luck) * r.HOUR_US), luck), r.STEP, c, r.ZERO)
