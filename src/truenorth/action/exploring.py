"""Trying what is not believed to be worth it: in a small share of decisions, so that a wrong belief is found out.

In the share ``explore`` of decisions the policy takes one of the actions that may be worth it, or nothing, each with
the same chance: whatever came through all stages before the value, and whose 95 % interval of the effect ends where the
action is worth its cost. So none of these has a smaller chance than ``explore`` over their number, and no decision
weighs more than the inverse of that in an estimate. What it may cost is bounded too: other policies of exploring would
either never try what the file believes to be useless (Thompson sampling after the value) or have chances next to 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truenorth.action.choice import rounded
from truenorth.action.funnel import NO_EFFECT, parts_of
from truenorth.action.inputs import Inputs
from truenorth.action.values import DO_NOTHING, Candidate, Offer

TRIED = "tried, to learn what it does"
"""What is said of an action that was taken without being believed to be worth it."""


def may_be_tried(inputs: Inputs, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """What exploring chooses from, doing nothing first; nothing at all where only that is left.

    Where a customer has a right to an action, or a person chose, nothing is tried.
    """
    offers = {action.name: action for action in inputs.actions}
    stayed = [offers[one.action] for one in candidates if one.stage in {None, "value"} and one.action != DO_NOTHING]
    if not inputs.explore or inputs.only is not None or any(offer.exempt is not None for offer in stayed):
        return ()
    names = [offer.name for offer in stayed if _may_be_worth_it(inputs, offer)]
    return (DO_NOTHING, *names) if names else ()


def _may_be_worth_it(inputs: Inputs, offer: Offer) -> bool:
    high = inputs.effects.get(offer.name, NO_EFFECT).high
    return parts_of(offer, high, inputs.at_stake_cents).total_cents > 0


def tried(names: Sequence[str], explore: float, coin: float) -> str | None:
    """Which of some names is tried, by a number ``coin`` in [0, 1); None where nothing is.

    >>> tried(("do_nothing", "call"), 0.1, 0.07), tried(("do_nothing", "call"), 0.1, 0.2)
    ('call', None)
    """
    return names[min(int(coin / explore * len(names)), len(names) - 1)] if names and coin < explore else None


def with_trials(shares: Mapping[str, float], names: Sequence[str], explore: float) -> Mapping[str, float]:
    """The chances of each choice, where some names are tried in the share ``explore`` of decisions.

    >>> with_trials({"do_nothing": 1.0}, ("do_nothing", "call"), 0.1)
    {'do_nothing': 0.95, 'call': 0.05}
    """
    if not names:
        return shares
    every = {**dict.fromkeys(names, 0.0), **shares}
    return rounded(
        {name: (1 - explore) * share + (explore / len(names)) * (name in names) for name, share in every.items()}
    )
