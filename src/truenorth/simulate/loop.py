"""The loop: a heap of what happens next over the state of cases, queues and customers. Compiled.

A case walks through the steps of its journey, waits in queues where a step says so, is settled by the causal model, and
then follows a script that shows its outcome in events. Events are written when they happen, so they come in order of time.
Numba caches compiled code beside this file and looks at nothing but this file to see whether it is old: ``BUILT_ON``
changes with the files that it takes code and constants from.
"""

from __future__ import annotations

import math

import numpy as np

from truenorth.simulate import records as r
from truenorth.simulate.causal import (
    compiled,
    drawn,
    drifted,
    entry,
    log_odds,
    natural_level,
    normal,
    outcome_of,
    set_levels,
    uniform,
)

BUILT_ON = ""
"""Digest of causal.py and records.py; a test says what it must be."""

# --- the heap ---------------------------------------------------------------------------------------------------------


@compiled
def before(a, b):
    """Whether an entry comes before another: by time, then as they were pushed."""
    return a.time_us < b.time_us or (a.time_us == b.time_us and a.sequence < b.sequence)


@compiled
def push(state, time_us, kind, who, argument):
    """Let something happen at an instant."""
    heap, at = state.heap, state.n[r.N_HEAP]
    state.n[r.N_HEAP] += 1
    state.n[r.N_SEQUENCE] += 1
    new = heap[len(heap) - 1]  # a spare place
    new.time_us, new.sequence, new.kind, new.who, new.argument = time_us, state.n[r.N_SEQUENCE], kind, who, argument
    while at > 0 and before(new, heap[(at - 1) // 2]):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = new


@compiled
def pop(state):
    """Take the first entry off."""
    heap = state.heap
    state.n[r.N_HEAP] -= 1
    n = state.n[r.N_HEAP]
    last, at, child = heap[n], 0, 1
    while child < n:
        if child + 1 < n and before(heap[child + 1], heap[child]):
            child += 1
        if not before(heap[child], last):
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = last


@compiled
def at_daytime(time_us, luck):
    """The instant itself from 8 to 20 h; else in the hour after 8 that comes next."""
    of_day_us = time_us % r.DAY_US
    if of_day_us < 8 * r.HOUR_US:
        return time_us - of_day_us + np.int64((8.0 + luck) * r.HOUR_US)
    if of_day_us >= 20 * r.HOUR_US:
        return time_us - of_day_us + r.DAY_US + np.int64((8.0 + luck) * r.HOUR_US)
    return time_us


# --- events -----------------------------------------------------------------------------------------------------------


@compiled
def emit(tables, state, time_us, c, type_, team):
    """Write an event; team -1: the customer acts, and says something where the type has sentences."""
    case = state.cases[c]
    e = state.n[r.N_EVENTS]
    state.n[r.N_EVENTS] += 1
    event = state.events[e]
    event.time_us, event.case, event.type, event.team = time_us, c, type_, team
    event.wait_s, event.feeling, event.text, event.actor, event.score = math.nan, math.nan, -1, -1, -1
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


# --- queues -----------------------------------------------------------------------------------------------------------


@compiled
def staff_at(tables, team, time_us):
    """How many are at work."""
    day = (time_us - tables.start_us) // r.DAY_US
    hour = ((tables.first_weekday + day) % 7) * 24 + (time_us % r.DAY_US) // r.HOUR_US
    share = 1.0 - drifted(tables, r.STAFFING, day)
    return np.int64(math.ceil(tables.staff[team, hour] * share))


@compiled
def enqueue(state, team, c, ghost):
    """Join a queue. A ghost takes a place and an agent's time, and is nobody: it keeps queues as they come where a
    case has been forced from outside."""
    state.queue[team, state.tail[team] & (state.queue.shape[1] - 1)] = c * 512 + state.cases[c].attempt * 2 + ghost
    state.tail[team] += 1
    state.waiting[team] += 1


@compiled
def serve(tables, state, time_us, team):
    """Give free agents to who waits, at most two at once."""
    for _ in range(2):
        if state.waiting[team] == 0 or state.busy[team] >= staff_at(tables, team, time_us):
            return
        job = state.queue[team, state.head[team] & (state.queue.shape[1] - 1)]
        state.head[team] += 1
        c, ghost = job >> 9, job & 1
        case = state.cases[c]
        if not ghost and (case.waiting != 1 or case.attempt != (job >> 1) & 255):
            continue  # gone since: it no longer counts as waiting
        state.waiting[team] -= 1
        state.busy[team] += 1
        end_us = time_us + talk_us(tables, case, ghost)
        push(state, end_us, r.FREE, team, r.ZERO)
        if not ghost:
            answer(tables, state, time_us, c)
            push(state, end_us, r.STEP, c, r.ZERO)
    if state.waiting[team] > 0:
        push(state, time_us, r.SERVE, team, r.ZERO)


@compiled
def talk_us(tables, case, ghost):
    """How long a talk takes, lognormal around the journey's median."""
    luck = normal(tables.seed, case.key, r.P_HANDLE, case.leg + 32 * ghost)
    return np.int64(tables.journeys[case.journey].handle_us * math.exp(0.5 * luck))


@compiled
def seek(tables, state, time_us, c, team, forced):
    """Want to talk to a team: in its queue, or, where forced from outside, answered after a time that comes as given."""
    case = state.cases[c]
    case.team, case.asked_us, case.waiting = team, time_us, 2 if forced >= 0 else 1
    case.attempt += 1
    if forced >= 0:
        push(state, time_us + forced, r.ANSWER, c, np.int64(case.attempt))
        return
    enqueue(state, team, c, 0)
    push(state, time_us + r.OVERFLOW_US, r.ANSWER, c, np.int64(case.attempt))
    if case.leg == 0 and case.attempt <= 2 and case.channel in (r.PHONE, r.CHAT):
        luck = normal(tables.seed, case.key, r.P_PATIENCE, case.attempt)
        patience = tables.segment_patience_us[case.segment] * state.customers[case.customer].patience * math.exp(0.6 * luck)
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
    push(state, time_us + talk_us(tables, case, 0), r.STEP, c, r.ZERO)


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


# --- steps ------------------------------------------------------------------------------------------------------------


@compiled
def show(tables, state, c, cause):
    """A cause shows: the customer feels it, actions may answer to it."""
    case = state.cases[c]
    level = state.levels[c, cause]
    if level >= (2 if cause == tables.journeys[case.journey].transfer_cause else 1):
        case.shown |= np.int64(1) << tables.causes[case.journey, cause].sign


@compiled
def later(tables, state, time_us, c, index):
    """Go on with the case's way some minutes later."""
    case = state.cases[c]
    luck = uniform(tables.seed, case.key, r.P_WHEN, index)
    push(state, time_us + np.int64((1.0 + 9.0 * luck) * r.MINUTE_US), r.STEP, c, r.ZERO)


@compiled
def applies(tables, case, step):
    """Whether a step is part of a case's way."""
    return step.applies_from <= uniform(tables.seed, case.key, r.P_STAKE, 0) < step.applies_to


@compiled
def advance(tables, state, time_us, c):
    """Go on with a case until something has to be waited for."""
    case = state.cases[c]
    while True:
        step = tables.steps[case.journey, case.pc]
        waits = False
        if step.kind == r.TALK:
            waits = talk(tables, state, time_us, c)
        elif step.kind == r.TRANSFER:
            waits = transfer(tables, state, time_us, c, step.cause)
        elif step.kind == r.PROMISE:
            waits = applies(tables, case, step) and promise(tables, state, time_us, c, step)
        elif step.kind in (r.FLAW, r.OMISSION):
            waits = applies(tables, case, step) and mishap(tables, state, time_us, c, step)
        elif step.kind == r.DECIDE:
            waits = decide(tables, state, time_us, c)
        else:
            settle(tables, state, time_us, c)
            return
        if waits:
            return
        case.pc += 1
        case.phase = r.PENDING


@compiled
def talk(tables, state, time_us, c):
    """The first talk; a customer who hung up contacts us again first."""
    case = state.cases[c]
    journey = tables.journeys[case.journey]
    if case.answered:
        return False
    if case.hang_ups > 0:
        emit(tables, state, time_us, c, r.T_CALLED_AGAIN, r.NOTHING)
    forced = np.int64(-1)
    level = state.levels[c, journey.wait_cause]
    if level >= 0:
        luck = uniform(tables.seed, case.key, r.P_WHEN, 80)
        forced = np.int64(journey.late_us * ((1.1 + luck) if level else 0.3 * luck))
        enqueue(state, journey.first_team, c, 1)
        serve(tables, state, time_us, journey.first_team)
    seek(tables, state, time_us, c, journey.first_team, forced)
    return True


@compiled
def transfer(tables, state, time_us, c, cause):
    """Passed on, as often as it comes; each time somebody else answers."""
    case = state.cases[c]
    journey = tables.journeys[case.journey]
    is_set = tables.causes[case.journey, cause].setting != r.AS_IT_COMES
    if is_set and case.phase == r.PENDING:
        case.phase = r.KEEPING
        for _ in range(natural_level(tables, case, cause, 0)):
            enqueue(state, journey.second_team, c, 1)
        serve(tables, state, time_us, journey.second_team)
    if case.leg >= state.levels[c, cause]:
        show(tables, state, c, cause)
        return False
    case.leg += 1
    emit(tables, state, time_us, c, r.T_TRANSFERRED, np.int64(case.team))
    forced = np.int64(-1)
    if is_set:
        forced = np.int64((2.0 + 8.0 * uniform(tables.seed, case.key, r.P_WHEN, 84 + case.leg)) * r.MINUTE_US)
    seek(tables, state, time_us, c, journey.second_team if case.leg % 2 else journey.first_team, forced)
    return True


@compiled
def promise(tables, state, time_us, c, step):
    """Something is promised; it is done in time, or missed, perhaps chased, and done late."""
    case = state.cases[c]
    team = step.team if step.team >= 0 else np.int64(case.team)
    luck = uniform(tables.seed, case.key, r.P_DELAY, case.pc * 8 + case.phase)
    if case.phase == r.OVER:
        return False
    if case.phase == r.PENDING:
        emit(tables, state, time_us, c, step.starts, team)
        case.started_us = time_us
        if step.cause < 0 or state.levels[c, step.cause] == 0:
            case.phase = r.KEEPING
            done_us = at_daytime(time_us + np.int64(step.due_us * (0.1 + 0.75 * luck)), luck)
            push(state, min(done_us, time_us + step.due_us - r.MINUTE_US), r.STEP, c, r.ZERO)
        else:
            case.phase = r.MISSING
            push(state, time_us + np.int64(step.due_us * (0.55 + 0.35 * luck)), r.STEP, c, r.ZERO)
    elif case.phase == r.MISSING:
        if step.missed >= 0:
            emit(tables, state, time_us, c, step.missed, team)
        case.phase = r.WAITED_FOR
        push(state, case.started_us + np.int64(step.due_us * (1.01 + 0.04 * luck)), r.STEP, c, r.ZERO)
    elif case.phase == r.WAITED_FOR:
        show(tables, state, c, step.cause)
        if luck < 0.5:
            emit(tables, state, time_us, c, r.T_CHASED, r.NOTHING)
        case.phase = r.KEEPING
        done_us = case.started_us + np.int64(step.due_us * (1.12 + 0.38 * luck))
        push(state, at_daytime(done_us, luck), r.STEP, c, r.ZERO)
    else:
        emit(tables, state, time_us, c, step.done, r.NOTHING if step.starts == r.T_ASKED_DETAILS else team)
        case.phase = r.OVER
        later(tables, state, time_us, c, case.pc)
    return True


@compiled
def mishap(tables, state, time_us, c, step):
    """An event that should not be there, or one that is left out."""
    case = state.cases[c]
    happens = (state.levels[c, step.cause] > 0) == (step.kind == r.FLAW)
    if case.phase == r.OVER or not happens:
        return False
    if step.kind == r.FLAW:
        show(tables, state, c, step.cause)
    emit(tables, state, time_us, c, step.done, step.team if step.team >= 0 else np.int64(case.team))
    case.phase = r.OVER
    later(tables, state, time_us, c, case.pc)
    return True


@compiled
def decide(tables, state, time_us, c):
    """The moment to decide, where a promise has just been broken or the customer had to call twice; once a case.

    What is decided is done after the next full hour, so that whoever decides sees all cases of an hour at once.
    """
    case = state.cases[c]
    if case.phase == r.KEEPING:
        if case.action > 0:
            emit(tables, state, time_us, c, tables.action_types[case.action], np.int64(case.team))
        case.phase = r.OVER
        later(tables, state, time_us, c, case.pc)
        return True
    broken = (case.shown & r.PROMISE_SIGNS) != 0
    if case.phase == r.OVER or case.trigger != r.NO_TRIGGER or not (broken or case.hang_ups > 0):
        return False
    case.trigger = r.PROMISE_BROKEN if broken else r.SECOND_CONTACT
    if broken and uniform(tables.seed, case.key, r.P_COMPLAINS, 0) < 0.3:
        emit(tables, state, time_us, c, r.T_COMPLAINED, r.NOTHING)
        case.trigger = r.COMPLAINT
    case.decided_us = time_us
    severe = np.int64(4096) if case.severity == 2 else np.int64(0)
    case.bits = case.shown | (np.int64(256) << case.journey) | severe | (np.int64(8192) << case.segment)
    for action in range(1, len(tables.action_settings)):
        setting = tables.action_settings[action]
        heads = uniform(tables.seed, case.key, r.P_COIN, 64 + action) < 0.5
        if setting == r.ON or (setting == r.HALF and heads):
            case.action = action
    if tables.asks_policy:
        state.asked[state.n[r.N_ASKED]] = c
        state.n[r.N_ASKED] += 1
    case.phase = r.KEEPING
    hour_us = time_us - time_us % r.HOUR_US + r.HOUR_US
    push(state, hour_us + np.int64(20.0 * uniform(tables.seed, case.key, r.P_ACT, 0) * r.MINUTE_US), r.STEP, c, r.ZERO)
    return True


# --- outcomes ---------------------------------------------------------------------------------------------------------


@compiled
def settle(tables, state, time_us, c):
    """The outcome, by the causal model, and the script that shows it."""
    case = state.cases[c]
    journey = tables.journeys[case.journey]
    failed = log_odds(tables, case, state.levels[c], case.action, case.bits, 0)
    abandoned = log_odds(tables, case, state.levels[c], case.action, case.bits, 1)
    case.outcome = outcome_of(tables.seed, case.key, failed, abandoned)
    if time_us + journey.silence_us + 3 * r.DAY_US > case.opened_us + journey.within_us:
        state.n[r.N_OVERRUN] += 1
    luck = uniform(tables.seed, case.key, r.P_SCRIPT, 0)
    if case.outcome == r.ACHIEVED:
        case.script = r.S_REOPEN if luck < journey.reopened else r.S_CLOSE
    elif case.outcome == r.FAILED:
        case.script = r.S_ANGRY if luck < 0.25 else r.S_AGAIN if luck < 0.45 else r.S_LEAVE if luck < 0.7 else r.S_LATE
    else:
        case.script = r.S_SILENT if luck < 0.6 else r.S_BACK_SILENT
    case.phase = 0
    follow(tables, state, time_us, c)


@compiled
def follow(tables, state, time_us, c):
    """Let the next row of a case's script happen, or end the case."""
    case = state.cases[c]
    row = tables.scripts[case.script, case.phase % 2 if case.script == r.S_LATE else case.phase]
    if row.type < 0:
        finish(tables, state, time_us, c)
        return
    luck = uniform(tables.seed, case.key, r.P_SCRIPT, 1 + case.phase)
    when_us = time_us + np.int64((row.from_h + (row.to_h - row.from_h) * luck) * r.HOUR_US)
    push(state, at_daytime(when_us, luck), r.SCRIPT, c, row.type)


@compiled
def perform(tables, state, time_us, c, type_):
    """One row of a script happens. Who is late keeps chasing until the time is over, and is closed then."""
    case = state.cases[c]
    over = case.script == r.S_LATE and time_us > case.opened_us + tables.journeys[case.journey].within_us
    if over:
        type_ = r.T_CLOSED
    by_customer = type_ in (r.T_REOPENED, r.T_COMPLAINED, r.T_CHASED, r.T_LEFT)
    emit(tables, state, time_us, c, type_, r.NOTHING if by_customer else np.int64(case.team))
    case.left |= type_ == r.T_LEFT
    case.phase += 1
    if over:
        finish(tables, state, time_us, c)
    else:
        follow(tables, state, time_us, c)


@compiled
def finish(tables, state, time_us, c):
    """The case is over: the customer may leave, need something else, be asked how it was."""
    case = state.cases[c]
    customer = state.customers[case.customer]
    customer.busy &= ~(1 << case.journey)
    if case.left:
        customer.gone = True
        return
    for j in range(4):
        chance = tables.spill[case.journey, case.outcome, j]
        if chance > 0.0 and uniform(tables.seed, case.key, r.P_SPILL, j) < chance:
            days = 1.0 + 5.0 * uniform(tables.seed, case.key, r.P_SPILL_WHEN, j)
            luck = uniform(tables.seed, case.key, r.P_SPILL_WHEN, 8 + j)
            when_us = time_us + np.int64(days * r.DAY_US)
            push(state, at_daytime(when_us, luck), r.NEED, np.int64(case.customer) * 4 + j, r.ZERO)
    closed = case.script in (r.S_CLOSE, r.S_REOPEN, r.S_LATE)
    if tables.surveys and closed:
        luck = uniform(tables.seed, case.key, r.P_SURVEY, 0)
        push(state, at_daytime(time_us + np.int64((2.0 + 3.0 * luck) * r.DAY_US), luck), r.SURVEY, c, r.ZERO)


@compiled
def survey(tables, state, time_us, c):
    """How it was, from 0 to 10. Who is very pleased or very cross answers more often; who has left is not asked."""
    case = state.cases[c]
    score = 8.0 if case.outcome == r.ACHIEVED else 3.0
    for sign in range(8):
        score -= (case.shown >> sign) & 1
    score += 1.7 * normal(tables.seed, case.key, r.P_SURVEY, 1)
    rounded = np.int64(min(10.0, max(0.0, math.floor(score + 0.5))))
    chance = 0.24 if rounded <= 2 else 0.17 if rounded >= 9 else 0.07
    if uniform(tables.seed, case.key, r.P_SURVEY, 2) < chance:
        event = emit(tables, state, time_us, c, r.T_RATED, r.NOTHING)
        event.score = rounded
        event.feeling = (rounded - 5.0) / 5.0


# --- needs ------------------------------------------------------------------------------------------------------------


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
    """A need comes up: it opens a case, unless one of the same journey is open or was opened today."""
    customer, j = state.customers[who >> 2], who & 3
    day = (time_us - tables.start_us) // r.DAY_US
    if customer.gone or (customer.busy >> j) & 1 or state.last_day[who >> 2, j] == day:
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
    case.channel = drawn(tables.channel_shares[state.customers[case.customer].savvy], uniform(seed, key, r.P_CHANNEL, 0))
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


@compiled
def is_full(state):
    """Whether some array may have too little room for what one entry of the heap adds."""
    n = state.n
    for team in range(len(state.waiting)):
        if state.tail[team] - state.head[team] + r.ROOM > state.queue.shape[1]:
            return True
    short = len(state.events) - n[r.N_EVENTS] < r.ROOM or len(state.heap) - n[r.N_HEAP] < r.ROOM
    return short or n[r.N_CASES] == len(state.cases) or n[r.N_ASKED] == len(state.asked)


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
