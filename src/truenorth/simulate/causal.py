"""The causal model at work: luck, levels of causes, log-odds of outcomes. Compiled; used by the loop and by the truth.

Nothing here is a number of the model: it comes in `Tables`, which `truenorth.simulate.tables` makes of the declaration
in `truenorth.simulate.model`. All chance is a hash of (seed, who, purpose, index), never a stream: two worlds that
differ in one thing share all other luck.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from truenorth.simulate import records as r

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
U30, U27, U31, U11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


BUILT_ON = "2b78e4c7b388"
"""Digest of the files whose code is compiled into this one's: where they change, no cache of this one stays."""

entry = njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]
"""Compile what Python calls. Nothing here allocates."""
compiled = njit(cache=True, nogil=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]
"""Compile what only compiled code calls: no wrappers that take Python's values apart, which is half the work."""

# --- luck -------------------------------------------------------------------------------------------------------------


@compiled
def mixed(x):
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators")."""
    x = (x ^ (x >> U30)) * MIX_1
    x = (x ^ (x >> U27)) * MIX_2
    return x ^ (x >> U31)


@compiled
def uniform(seed, key, purpose, index):
    """Luck in (0, 1): the same for the same four numbers, unrelated for others."""
    x = mixed(np.uint64(seed) * GOLDEN + np.uint64(key))
    x = mixed(x + np.uint64(purpose * 4096 + index + 1) * GOLDEN)
    return (np.float64(x >> U11) + 0.5) * 2.0**-53


@entry
def fill_uniform(seed, keys, purpose, index, out):
    """`uniform` of many keys at once, into ``out``."""
    for i in range(len(keys)):
        out[i] = uniform(seed, keys[i], purpose, index)


@compiled
def normal(seed, key, purpose, index):
    """Luck from the standard normal, by Box and Muller."""
    radius = math.sqrt(-2.0 * math.log(uniform(seed, key, purpose, index)))
    return radius * math.cos(2.0 * math.pi * uniform(seed, key, purpose, index + 2048))


@compiled
def gumbel(seed, key, index):
    """Luck from the standard Gumbel: the largest of log-odds plus this has the chances of a multinomial logit."""
    return -math.log(-math.log(uniform(seed, key, r.P_GUMBEL, index)))


@compiled
def drawn(shares, luck):
    """The position at which cumulative shares pass a number in (0, 1)."""
    at = 0
    while at < len(shares) - 1 and luck > shares[at]:
        at += 1
    return at


# --- the causal model -------------------------------------------------------------------------------------------------


@compiled
def drifted(tables, what, day):
    """The size of a drift on a day, 0 before it."""
    return tables.drift_size[what] if day >= tables.drift_day[what] else 0.0


@compiled
def natural_level(tables, case, c, transfers):
    """The level of a cause as it comes, given the transfers of the case. Not for waits: they come from queues."""
    cause = tables.causes[case.journey, c]
    odds = cause.intercept + cause.severity * case.severity + cause.load * case.load + cause.wiring * case.wiring
    odds += cause.transfers * transfers + (cause.hurry if case.segment == 1 else 0.0)
    if cause.drifts:
        odds += tables.drift_strength[1] * drifted(tables, r.PROCESS, case.day)
    chance = 1.0 / (1.0 + math.exp(-odds))
    level = 0
    while level < cause.max_level and uniform(tables.seed, case.key, r.P_LEVEL, c * 8 + level) < chance:
        level += 1
    return level


@compiled
def settled_level(tables, case, c, transfers):
    """The level of a cause as it is lived: 0 where not at stake, then as set from outside, else as it comes."""
    cause = tables.causes[case.journey, c]
    if not (case.stakes >> c) & 1:
        return 0
    setting = cause.setting
    if setting == r.HALF:
        setting = r.ON if uniform(tables.seed, case.key, r.P_COIN, c) < 0.5 else r.OFF
    if setting == r.ON:
        return np.int64(cause.forced_level)
    if setting == r.OFF:
        return 0
    if c == tables.journeys[case.journey].wait_cause:
        return -1
    return natural_level(tables, case, c, transfers)


@compiled
def set_levels(tables, case, levels):
    """All levels of a case; transfers first, for others depend on them. A wait stays -1 until it is known."""
    journey = tables.journeys[case.journey]
    t = journey.transfer_cause
    levels[t] = settled_level(tables, case, t, r.ZERO)
    for c in range(journey.n_causes):
        if c != t:
            levels[c] = settled_level(tables, case, c, levels[t])


@compiled
def log_odds(tables, case, levels, action, bits, k):
    """The log-odds of failing (k = 0) or being abandoned (k = 1), against achieved."""
    journey = tables.journeys[case.journey]
    odds = journey.failed if k == 0 else journey.abandoned
    odds += tables.category_effects[case.journey, case.category, k] + tables.segment_effects[case.segment, k]
    odds += tables.common[0, k] * case.severity + tables.common[1, k] * case.load + tables.common[2, k] * case.wiring
    for c in range(journey.n_causes):
        cause = tables.causes[case.journey, c]
        odds += (cause.failed if k == 0 else cause.abandoned) * levels[c]
    if k == 1:
        odds += tables.drift_strength[0] * drifted(tables, r.PATIENCE, case.day)
    if action > 0:
        for n in range(len(tables.rules)):
            rule = tables.rules[n]
            if rule.action == action and (rule.bits & bits) == rule.bits:
                odds += rule.failed if k == 0 else rule.abandoned
    return odds


@compiled
def outcome_of(seed, key, failed, abandoned):
    """The outcome of log-odds with a case's own luck."""
    best, outcome = gumbel(seed, key, 0), r.ACHIEVED
    for k in range(2):
        pull = (failed if k == 0 else abandoned) + gumbel(seed, key, k + 1)
        if pull > best:
            best, outcome = pull, r.FAILED if k == 0 else r.ABANDONED
    return outcome


@entry
def potentials(tables, cases, levels, cause, level, action, downstream, scratch, chances, outcomes):
    """What would come of cases with one cause of their journey at a level, or with an action.

    ``cause`` -1 leaves causes as they were lived; ``action`` -1 the action, which only cases with a moment can have.
    Writes ``chances`` (n, 3) and ``outcomes`` (n,). A cause that others depend on takes these with it where
    ``downstream`` is true. ``scratch`` (8,) is room to work.
    """
    for i in range(len(cases)):
        case = cases[i]
        journey = tables.journeys[case.journey]
        for c in range(journey.n_causes):
            scratch[c] = levels[i, c]
        if cause >= 0:
            scratch[cause] = level
            if downstream and cause == journey.transfer_cause:
                for c in range(journey.n_causes):
                    if tables.causes[case.journey, c].transfers != 0.0:
                        scratch[c] = settled_level(tables, case, c, level)
        taken = np.int64(case.action)
        if action >= 0:
            taken = action if case.trigger != r.NO_TRIGGER else r.ZERO
        failed = log_odds(tables, case, scratch, taken, case.bits, 0)
        abandoned = log_odds(tables, case, scratch, taken, case.bits, 1)
        total = 1.0 + math.exp(failed) + math.exp(abandoned)
        chances[i, 0] = 1.0 / total
        chances[i, 1] = math.exp(failed) / total
        chances[i, 2] = math.exp(abandoned) / total
        outcomes[i] = outcome_of(tables.seed, case.key, failed, abandoned)
