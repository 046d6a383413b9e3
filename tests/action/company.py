"""A small company of which the truth is known: decisions of the policy, and how each case ended."""

from __future__ import annotations

import numpy as np

from action.making import plain_inputs
from truenorth.action.belief import Belief
from truenorth.action.deciding import decide
from truenorth.action.past import Answer, End, Past, past_of
from truenorth.action.values import Context, Versions
from truenorth.spec.acting import Offer, Prior

HOUR_US = 3_600_000_000
AT_STAKE = 33_000
DOUBT = Prior(recovers=0.06, strength=2.0)
CALL = Offer(name="call", cost_cents=500, prior=DOUBT)
LETTER = Offer(name="letter", cost_cents=400, prior=DOUBT)


def past_decisions(n: int, seed: int, effect: float = 0.5, holdout: float = 0.1) -> list[Past]:
    """One decision for each of n cases: a call helps where there were hand-overs, a letter never does."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(n):
        handovers, is_held_out = float(random.integers(2)), bool(random.random() < holdout)
        context = Context(
            journey="support", case=f"K{number:05}", customer=f"c{number // 2}", at_us=number * HOUR_US,
            base_risk=0.6, measures={"handovers": handovers, "events": 3.0},
        )  # fmt: skip
        offers = (CALL, LETTER)
        inputs = plain_inputs(
            *offers,
            id=f"{number:024x}",
            context=context,
            effects=Belief().effects(context, offers),
            draws=Belief().draw(context, offers, random.uniform(0.001, 0.999, 2)),
            at_stake_cents=AT_STAKE,
            is_held_out=is_held_out,
            versions=Versions(None, "thompson/4 belief/1", 1),
        )
        decision = decide(inputs)
        helped = effect * handovers if decision.chosen == "call" else 0.0
        achieved = bool(random.random() < 0.4 + helped)
        acts = decision.chosen != "do_nothing"
        answer: Answer | None = ("followed" if random.random() < 0.8 else "overridden") if acts else None
        spent = decision.candidate(decision.chosen).parts.cost_cents if answer == "followed" else 0
        end = End(achieved, 9_000 if achieved else -24_000, 0, int(achieved), int(not achieved), HOUR_US)
        found.append(past_of(decision, answer, spent, end))
    return found
