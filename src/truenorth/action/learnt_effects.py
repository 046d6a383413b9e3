"""Learnt effects as what decisions ask, and as bytes that can be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.action.belief import Belief
from truenorth.action.choice import drawn_dp
from truenorth.action.decision_table import Table
from truenorth.action.learning import Basis, Learnt, Posterior, learn
from truenorth.action.learnt_policy import net_value
from truenorth.action.nuisance import OutcomeModel, Trees
from truenorth.action.proof import caution_of
from truenorth.action.values import Context, Effect, Offer, Prior
from truenorth.insight.intervals import Z95

F64 = NDArray[np.float64]

LEAST_TAKEN = 100
"""Until an action was chosen so often, the file's belief in it decides."""

RISK, RISK_KNOWN = "risk", "risk known"


def numbers_of(context: Context) -> dict[str, float]:
    """What is known of a case as numbers by name: its measures, its risk, the verdicts that its promises have had.

    >>> numbers_of(Context(journey="a", case="1", customer=None, at_us=0, risk=0.5, promises={"fast": ("broken",)}))
    {'risk': 0.5, 'risk known': 1.0, 'fast broken': 1.0}
    """
    numbers = dict(context.measures)
    if context.risk is not None:
        numbers |= {RISK: context.risk, RISK_KNOWN: 1.0}
    return numbers | {f"{name} {verdict}": 1.0 for name, found in context.promises.items() for verdict in found}


def row_of(numbers: Mapping[str, float], names: Sequence[str]) -> list[float]:
    """The numbers of some names in their order; 0 for what a case has not."""
    return [numbers.get(name, 0.0) for name in names]


class LearntEffects:
    """An `EffectModel` of what was learnt from logged decisions.

    ``names`` are the columns that it was learnt from (`numbers_of`). An action that was chosen less than `LEAST_TAKEN`
    times has the effect that the journey file believes, and is tried without ``caution`` (`truenorth.action.proof`): or
    nothing would ever be learnt.
    """

    def __init__(self, learnt: Learnt, names: Sequence[str], caution: float, version: str = "learnt") -> None:
        self.learnt = learnt
        self.names = tuple(names)
        self.caution = caution
        self.version = version
        self._codes = {name: code for code, name in enumerate(learnt.actions) if learnt.n[code] >= LEAST_TAKEN}

    def effects(self, context: Context, actions: Sequence[Offer]) -> Mapping[str, Effect]:
        """The effect of each action, by name."""
        effects = dict(Belief().effects(context, actions))
        known = [action.name for action in actions if action.name in self._codes]
        if not known:
            return effects
        beliefs = self.learnt.beliefs(np.array([row_of(numbers_of(context), self.names)]))
        for name in known:
            code = self._codes[name]
            mean, sd = float(np.clip(beliefs.mean[0, code], -1.0, 1.0)), float(beliefs.sd[0, code])
            low, high = max(mean - Z95 * sd, -1.0), min(mean + Z95 * sd, 1.0)
            n, caution = int(self.learnt.n[code]), self.caution
            effects[name] = Effect(mean=mean, low=low, high=high, sd=sd, n=n, source="data", caution=caution)
        return effects

    def draw(self, context: Context, actions: Sequence[Offer], uniforms: NDArray[np.float64]) -> Mapping[str, float]:
        """One plausible effect of each."""
        effects = self.effects(context, actions)
        return {
            action.name: drawn_dp(effects[action.name].mean, effects[action.name].sd, float(uniform))
            for action, uniform in zip(actions, uniforms, strict=True)
        }


class LearntAction(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of an action: how often it was chosen, its effect over the cases of the log on average.

    ``worth_it``: the share of these cases in which its effect is known well enough to be worth its cost. ``decides``:
    whether data or the file's belief decides.
    """

    action: str
    n: int
    mean: float
    worth_it: float
    decides: Literal["prior", "data"]


def learn_effects(table: Table, priors: Mapping[str, Prior]) -> tuple[LearntEffects, list[LearntAction]]:
    """Learn from settled decisions, and say what; `ValueError` where none is settled."""
    log = table.log
    learnt, caution = learn(log, priors), caution_of(table, priors)
    beliefs = learnt.beliefs(log.context)
    worth = net_value(beliefs.cautious(caution), table.stake_cents, table.cost_cents) > 0
    found = [
        LearntAction(
            action=name,
            n=int(learnt.n[code]),
            mean=float(beliefs.mean[:, code].mean()),
            worth_it=float(worth[:, code].mean()),
            decides="data" if learnt.n[code] >= LEAST_TAKEN else "prior",
        )
        for code, name in enumerate(learnt.actions)
        if code
    ]
    return LearntEffects(learnt, log.names, caution), found


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is written; ``covariances``: of each action's own coefficients, row by row."""

    names: tuple[str, ...]
    actions: tuple[str, ...]
    n: tuple[float, ...]
    scale: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    trees: str
    mean: tuple[float, ...]
    covariances: tuple[tuple[float, ...], ...]
    noise: float
    caution: float


_EFFECTS = msgspec.msgpack.Decoder(_Kept)


def encode_effects(effects: LearntEffects) -> bytes:
    """All of it as bytes (MessagePack; nothing in them is ever executed)."""
    learnt, posterior = effects.learnt, effects.learnt.posterior
    kept = _Kept(
        names=effects.names,
        actions=learnt.actions,
        n=tuple(learnt.n.tolist()),
        scale=tuple(learnt.basis.scale.tolist()),
        pairs=tuple((int(one), int(other)) for one, other in learnt.basis.pairs),
        trees=learnt.risk.trees.text,
        mean=tuple(posterior.mean.tolist()),
        covariances=tuple(
            tuple(posterior.covariance[own, own].ravel().tolist())
            for own in _blocks(len(posterior.mean), len(learnt.actions) - 1)
        ),
        noise=posterior.noise,
        caution=effects.caution,
    )
    return msgspec.msgpack.encode(kept)


def decode_effects(raw: bytes, version: str) -> LearntEffects:
    """The effects of some bytes, called by a version; msgspec.ValidationError where they are none."""
    kept = _EFFECTS.decode(raw)
    covariance = np.zeros((len(kept.mean), len(kept.mean)))
    for own, block in zip(_blocks(len(kept.mean), len(kept.actions) - 1), kept.covariances, strict=True):
        size = own.stop - own.start
        covariance[own, own] = np.array(block).reshape(size, size)
    learnt = Learnt(
        kept.actions,
        Basis(np.array(kept.scale), np.array(kept.pairs, np.int64).reshape(-1, 2)),
        OutcomeModel(Trees.read(kept.trees)),
        Posterior(np.array(kept.mean), covariance, kept.noise),
        np.array(kept.n),
    )
    return LearntEffects(learnt, kept.names, kept.caution, version)


def _blocks(n_coefficients: int, n_actions: int) -> list[slice]:
    """Where the coefficients of each action are."""
    size = n_coefficients // n_actions if n_actions else 0
    return [slice(action * size, (action + 1) * size) for action in range(n_actions)]
