"""A decision from its inputs: pure, so that the same inputs give the same decision, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from truenorth.action.choice import Option
from truenorth.action.exploring import TRIED, chances_of, choice_of, ways_of
from truenorth.action.funnel import NO_EFFECT, candidates_of, parts_of
from truenorth.action.inputs import Inputs, encode_inputs
from truenorth.action.values import DO_NOTHING, Candidate, Decision, Offer


def decide(inputs: Inputs) -> Decision:
    """What to do for a case, from all that could be done."""
    candidates = candidates_of(inputs)
    by_name = {action.name: action for action in inputs.actions}
    if inputs.only is not None:
        stays = any(one.action == inputs.only and one.stage is None for one in candidates)
        choice = inputs.only if stays else DO_NOTHING
        shares: Mapping[str, float] = {choice: 1.0}
    else:
        ways = ways_of(inputs, candidates, {action.name: _option(inputs, action) for action in inputs.actions})
        choice, shares = choice_of(ways, inputs.coin), chances_of(ways)
    shown = tuple(_with_share(one, shares, choice) for one in candidates)
    action = by_name.get(choice)
    return Decision(
        id=inputs.id,
        journey=inputs.context.journey,
        case=inputs.context.case,
        customer=inputs.context.customer,
        at_us=inputs.context.at_us,
        asker=inputs.asker,
        candidates=shown,
        chosen=choice,
        propensity=next(one.propensity for one in shown if one.action == choice),
        versions=inputs.versions,
        holdout=inputs.is_held_out,
        expires_us=inputs.context.at_us + action.expires_us if action else None,
        inputs=encode_inputs(inputs),
    )


def _option(inputs: Inputs, action: Offer) -> Option:
    """An action as an option; what is the customer's by right is worth a trifle at least."""
    effect = inputs.effects.get(action.name, NO_EFFECT)
    mean = parts_of(action, effect.mean, inputs.at_stake_cents).total_cents
    drawn = parts_of(action, inputs.draws.get(action.name, effect.mean), inputs.at_stake_cents).total_cents
    if action.exempt is not None and mean <= 0:
        return Option(action.name, 1.0, 0.0, 1.0)
    return Option(action.name, mean, effect.sd * abs(inputs.at_stake_cents), drawn)


def _with_share(candidate: Candidate, shares: Mapping[str, float], choice: str) -> Candidate:
    share = shares.get(candidate.action, 0.0)
    stage, words = candidate.stage, candidate.words
    if candidate.action == DO_NOTHING:
        words = "chosen" if choice == DO_NOTHING else "always possible"
    elif candidate.action == choice and stage is not None:
        stage, words = None, TRIED
    return msgspec.structs.replace(candidate, propensity=share, stage=stage, words=words)
