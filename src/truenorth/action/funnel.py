"""From all actions to those that could be taken: a funnel whose stages say what each removed, and why.

A stage is a function from the inputs and one action to the reason why it falls there, or None. What survives all but
the last stage is *eligible*; the last asks whether it is worth its cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from truenorth.action.accounts import BUDGET, capacity_of
from truenorth.action.inputs import EVERYTHING, Inputs
from truenorth.action.permissions import hindrance, money
from truenorth.action.situation import holding
from truenorth.action.values import DO_NOTHING, Candidate, Effect, Offer, Parts, Stage
from truenorth.spec.durations import format_duration

NOT_SO = "not a situation for it: "
"""What is said of an action before its situation as the file has it, where that does not hold."""
NO_EFFECT = Effect(mean=0.0, low=0.0, high=0.0, sd=0.0)

Fallen = tuple[Stage, str]


class Sight(msgspec.Struct, frozen=True):
    """The inputs, and which of their situations hold."""

    inputs: Inputs
    holds: Mapping[str, bool]


def candidates_of(inputs: Inputs) -> list[Candidate]:
    """Every action with the stage where it fell or what it is expected to bring; doing nothing first."""
    sight = Sight(inputs, holding(inputs.context, inputs.situations))
    return [Candidate(action=DO_NOTHING, words="always possible"), *(_candidate(sight, one) for one in inputs.actions)]


def _candidate(sight: Sight, action: Offer) -> Candidate:
    effect = sight.inputs.effects.get(action.name, NO_EFFECT)
    parts = parts_of(action, effect.mean, sight.inputs.at_stake_cents)
    stage, words = _fall(sight, action, parts) or (None, "")
    return Candidate(
        action=action.name,
        stage=stage,
        words=words,
        dp=effect.mean,
        dp_low=effect.low,
        dp_high=effect.high,
        value_cents=parts.total_cents,
        parts=parts,
    )


def parts_of(action: Offer, dp: float, at_stake_cents: int) -> Parts:
    """The value of an action where it makes the outcome ``dp`` likelier.

    >>> parts_of(Offer(name="call", cost_cents=1200), 0.1, 33_000)
    Parts(outcome_cents=3300, revenue_cents=0, cost_cents=1200)
    """
    return Parts(round(dp * at_stake_cents), action.revenue_cents, action.cost_cents)


def _fall(sight: Sight, action: Offer, parts: Parts) -> Fallen | None:
    for stage, check in CHECKS:
        words = check(sight, action)
        if words is not None:
            return stage, words
    found = _of_authority(sight, action) or _of_budget(sight, action) or _of_capacity(sight, action)
    if found is not None:
        return found
    if action.exempt is not None or sight.inputs.only == action.name:
        return None
    if parts.total_cents <= 0:
        return "value", _worth(sight.inputs, parts)
    return _unsure(sight, action)


def _unsure(sight: Sight, action: Offer) -> Fallen | None:
    """Whether an effect is not known well enough to act on it."""
    effect = sight.inputs.effects.get(action.name, NO_EFFECT)
    parts = parts_of(action, effect.mean - effect.caution * effect.sd, sight.inputs.at_stake_cents)
    if parts.total_cents > 0:
        return None
    worst = money(parts.total_cents, sight.inputs.currency)
    return "value", f"not surely worth it: {worst} expected where it does less than one believes"


# --- eligibility ------------------------------------------------------------------------------------------------------


def _stopped(sight: Sight, action: Offer) -> str | None:
    if EVERYTHING in sight.inputs.stopped:
        return "all actions are stopped"
    return "this action is stopped" if action.name in sight.inputs.stopped else None


def _case_over(sight: Sight, _action: Offer) -> str | None:
    outcome = sight.inputs.context.marks.get("outcome", "open")
    is_closed = outcome != "open" or "closed" in sight.inputs.context.marks
    return f"the case is over: {outcome}" if is_closed else None


def _held_out(sight: Sight, action: Offer) -> str | None:
    if sight.inputs.is_held_out and action.exempt is None:
        return "the case is held out: never acted upon, so that what actions bring can be measured"
    return None


def _runs_already(sight: Sight, action: Offer) -> str | None:
    return "it is under way in this case" if action.name in sight.inputs.under_way else None


def _situation(sight: Sight, action: Offer) -> str | None:
    if sight.holds.get(action.name, True):
        return None
    return NOT_SO + sight.inputs.situations[action.name]


def _consent(sight: Sight, action: Offer) -> str | None:
    is_refused = action.channel is not None and sight.inputs.contacts.consent is False and action.exempt is None
    return "the customer has not agreed to be contacted" if is_refused else None


# --- contact policy ---------------------------------------------------------------------------------------------------


def _cooldown(sight: Sight, action: Offer) -> str | None:
    last_us = sight.inputs.contacts.last_us.get(action.name)
    if last_us is None or action.cooldown_us is None:
        return None
    ago_us = sight.inputs.context.at_us - last_us
    if ago_us >= action.cooldown_us:
        return None
    return f"the customer had it {format_duration(ago_us)} ago; not again within {format_duration(action.cooldown_us)}"


def _too_often(sight: Sight, action: Offer) -> str | None:
    if action.channel is None or action.exempt is not None:
        return None
    for frequency, n in zip(sight.inputs.frequencies, sight.inputs.contacts.counts, strict=True):
        if frequency.channel in {None, action.channel} and n >= frequency.n:
            through = f" by {frequency.channel}" if frequency.channel else ""
            times = f"{n} contact{'s' * (n != 1)}{through} in {format_duration(frequency.window_us)}"
            return f"{times}; at most {frequency.n}"
    return None


def _quiet(sight: Sight, action: Offer) -> str | None:
    contacts = sight.inputs.contacts
    if action.channel is None or contacts.is_open or action.exempt == "safety":
        return None
    if contacts.opens_us is None:
        return "customers are not reached at this hour"
    wait_us = contacts.opens_us - sight.inputs.context.at_us
    return f"customers are not reached at this hour; again in {format_duration(wait_us)}"


def _never_after(sight: Sight, action: Offer) -> str | None:
    if action.channel is None or not sight.inputs.contacts.is_over or action.exempt is not None:
        return None
    return "an event has come in this case after which customers are left alone"


# --- authority, budget, capacity, value -------------------------------------------------------------------------------


def _of_authority(sight: Sight, action: Offer) -> Fallen | None:
    inputs = sight.inputs
    found = hindrance(action, inputs.grants, inputs.used, inputs.currency)
    return (found.stage, found.words) if found else None


def _of_budget(sight: Sight, action: Offer) -> Fallen | None:
    inputs = sight.inputs
    if inputs.budget_cents is None or not action.cost_cents:
        return None
    left = inputs.budget_cents - inputs.used.get(BUDGET.name, 0)
    if action.cost_cents <= left:
        return None
    words = f"{money(max(left, 0), inputs.currency)} is left of today's budget of"
    return "budget", f"{words} {money(inputs.budget_cents, inputs.currency)}"


def _of_capacity(sight: Sight, action: Offer) -> Fallen | None:
    if action.capacity is None or sight.inputs.used.get(capacity_of(action.name).name, 0) < action.capacity:
        return None
    return "capacity", f"all {action.capacity} of today are taken"


def _worth(inputs: Inputs, parts: Parts) -> str:
    if inputs.context.risk is None and inputs.context.base_risk is None:
        return "how likely the case is to fail is not known, so no benefit is claimed"
    return f"not worth it: {money(parts.total_cents, inputs.currency)} expected after its cost"


CHECKS: Sequence[tuple[Stage, Callable[[Sight, Offer], str | None]]] = (
    ("eligibility", _case_over),
    ("eligibility", _stopped),
    ("eligibility", _held_out),
    ("eligibility", _runs_already),
    ("eligibility", _situation),
    ("eligibility", _consent),
    ("contact", _never_after),
    ("contact", _quiet),
    ("contact", _cooldown),
    ("contact", _too_often),
)
"""The stages before authority, in their order."""
