"""The way of a case: the steps of its journey, its outcome, and the script that shows it. Compiled."""

from __future__ import annotations

import math

import numpy as np

from truenorth.simulate import records as r
from truenorth.simulate.agenda import at_daytime, push
from truenorth.simulate.causal import compiled, drawn, log_odds, natural_level, normal, outcome_of, uniform
from truenorth.simulate.queues import emit, seek, sentence, show

BUILT_ON = "fae8126ccd14"
"""Digest of the files whose code is compiled into this one's: where they change, no cache of this one stays."""


# --- steps ------------------------------------------------------------------------------------------------------------


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
        if waits or (case.silent and step.kind == r.TRANSFER):
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
    forced = r.NOTHING
    level = state.levels[c, journey.wait_cause]
    if level >= 0:
        split(tables, state, time_us, c)
        luck = uniform(tables.seed, case.key, r.P_WHEN, 80)
        forced = np.int64(journey.late_us * ((1.1 + luck) if level else 0.3 * luck))
    seek(tables, state, time_us, c, journey.first_team, forced)
    return True


@compiled
def split(tables, state, time_us, c):
    """Where a wait or the transfers of a case are set from outside, its silent twin goes on through the queues as the
    case would have done, up to its last talk: so queues are the same in all worlds of a seed."""
    twin = state.n[r.N_CASES]
    state.n[r.N_CASES] += 1
    state.cases[twin] = state.cases[c]
    state.cases[twin].silent = True
    journey = tables.journeys[state.cases[c].journey]
    state.levels[twin, journey.wait_cause] = -1
    state.levels[twin, journey.transfer_cause] = natural_level(tables, state.cases[c], journey.transfer_cause, r.ZERO)
    push(state, time_us, r.STEP, twin, r.ZERO)


@compiled
def transfer(tables, state, time_us, c, cause):
    """Passed on, as often as it comes; each time somebody else answers."""
    case = state.cases[c]
    journey = tables.journeys[case.journey]
    wait_is_set = tables.causes[case.journey, journey.wait_cause].setting != r.AS_IT_COMES
    is_set = not case.silent and (wait_is_set or tables.causes[case.journey, cause].setting != r.AS_IT_COMES)
    if is_set and not wait_is_set and case.phase == r.PENDING:
        case.phase = r.KEEPING
        split(tables, state, time_us, c)
    if case.leg >= state.levels[c, cause]:
        show(tables, state, c, cause)
        return False
    case.leg += 1
    emit(tables, state, time_us, c, r.T_TRANSFERRED, np.int64(case.team))
    forced = r.NOTHING
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
        if uniform(tables.seed, case.key, r.P_CHASES, step.cause) < tables.chases:
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
        if case.action > 0 and not case.acted:
            emit(tables, state, time_us, c, tables.action_types[case.action], np.int64(case.team))
        case.phase = r.OVER
        later(tables, state, time_us, c, case.pc)
        return True
    broken = (case.shown & r.PROMISE_SIGNS) != 0
    if case.phase == r.OVER or case.trigger != r.NO_TRIGGER or not (broken or case.hang_ups > 0):
        return False
    case.trigger = r.PROMISE_BROKEN if broken else r.SECOND_CONTACT
    if broken and uniform(tables.seed, case.key, r.P_COMPLAINS, 0) < tables.complains:
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
    failed = log_odds(tables, case, state.levels[c], np.int64(case.action), case.bits, 0)
    abandoned = log_odds(tables, case, state.levels[c], np.int64(case.action), case.bits, 1)
    case.outcome = outcome_of(tables.seed, case.key, failed, abandoned)
    if time_us + journey.silence_us + 3 * r.DAY_US > case.opened_us + journey.within_us:
        state.n[r.N_OVERRUN] += 1
    case.script = drawn(tables.script_shares[case.outcome], uniform(tables.seed, case.key, r.P_SCRIPT, 0))
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
    case.closed = type_ == r.T_CLOSED
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
        customer.gone = tables.spillover != 0
        return
    for j in range(4):
        chance = tables.spill[case.journey, case.outcome, j]
        if chance > 0.0 and uniform(tables.seed, case.key, r.P_SPILL, j) < chance:
            days = 1.0 + 5.0 * uniform(tables.seed, case.key, r.P_SPILL_WHEN, j)
            luck = uniform(tables.seed, case.key, r.P_SPILL_WHEN, 8 + j)
            when_us = time_us + np.int64(days * r.DAY_US)
            push(state, at_daytime(when_us, luck), r.NEED, np.int64(case.customer) * 4 + j, r.ZERO)
    if tables.surveys and case.closed:
        luck = uniform(tables.seed, case.key, r.P_SURVEY, 0)
        push(state, at_daytime(time_us + np.int64((2.0 + 3.0 * luck) * r.DAY_US), luck), r.SURVEY, c, r.ZERO)


@compiled
def survey(tables, state, time_us, c):
    """How it was, from 0 to 10. Who is very pleased or very cross answers more often; who has left is not asked."""
    case = state.cases[c]
    if state.customers[case.customer].gone:
        return
    score = 8.0 if case.outcome == r.ACHIEVED else 3.0
    for sign in range(8):
        score -= (case.shown >> sign) & 1
    score += 1.7 * normal(tables.seed, case.key, r.P_SURVEY, 1)
    rounded = np.int64(min(10.0, max(0.0, math.floor(score + 0.5))))
    extreme = 0 if rounded <= 2 else 2 if rounded >= 9 else 1
    if uniform(tables.seed, case.key, r.P_SURVEY, 2) < tables.answers[extreme]:
        event = emit(tables, state, time_us, c, r.T_RATED, r.NOTHING)
        event.score = rounded
        event.feeling = (rounded - 5.0) / 5.0
        event.text = sentence(tables, state, state.cases[c], r.T_RATED, event.feeling)
