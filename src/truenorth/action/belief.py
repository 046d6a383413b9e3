"""What a journey file believes of its actions: the effect model before there are data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from truenorth.action.choice import drawn_dp
from truenorth.action.values import Context, Effect, Offer

Z95 = NormalDist().inv_cdf(0.975)


class Belief:
    """An `EffectModel` of priors alone: ``dp`` is the risk of the case times the share that the action recovers.

    The share is beta-distributed with the prior's mean and strength; of it the mean and the standard deviation are
    used. Where nothing is known of the risk, nothing is claimed.

    >>> from truenorth.spec.acting import Prior
    >>> case = Context(journey="help", case="1", customer=None, at_us=0, risk=0.4)
    >>> effect = Belief().effects(case, [Offer(name="call", prior=Prior(0.25, 20))])["call"]
    >>> round(effect.mean, 3), round(effect.sd, 4)
    (0.1, 0.0378)
    """

    version = "belief/1"

    def effects(self, context: Context, actions: Sequence[Offer]) -> Mapping[str, Effect]:
        """The effect of each action, by name."""
        return {action.name: self._effect(context, action) for action in actions}

    def draw(self, context: Context, actions: Sequence[Offer], uniforms: NDArray[np.float64]) -> Mapping[str, float]:
        """One plausible effect of each."""
        effects = self.effects(context, actions)
        return {
            action.name: drawn_dp(effects[action.name].mean, effects[action.name].sd, float(uniform))
            for action, uniform in zip(actions, uniforms, strict=True)
        }

    def _effect(self, context: Context, action: Offer) -> Effect:
        risk = context.risk if context.risk is not None else context.base_risk
        if risk is None:
            return Effect(mean=0.0, low=0.0, high=0.0, sd=0.0)
        mean, sd = risk * action.prior.recovers, risk * action.prior.sd
        return Effect(mean=mean, low=max(mean - Z95 * sd, 0.0), high=min(mean + Z95 * sd, risk), sd=sd)
