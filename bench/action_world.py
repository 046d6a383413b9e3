"""The simulated company as a place to learn to act in: what is seen as columns, logs, policies that have learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from truenorth.action.learning import Learnt, learn
from truenorth.action.values import Logged, Prior
from truenorth.simulate import Company, World, model
from truenorth.simulate import records as r
from truenorth.simulate.causal import fill_uniform
from truenorth.simulate.effects import COSTS, VALUES
from truenorth.simulate.policies import Choices, Moments

F64 = NDArray[np.float64]
ACTIONS = tuple(action.name for action in model.ACTIONS)
BEST, WORST = VALUES.max(1), VALUES.min(1)
STAKE = BEST - WORST
N_SIGNS = 8
COLUMNS = (
    *(f"journey_{n}" for n in range(4)),
    *(f"severity_{n}" for n in range(3)),
    *(f"segment_{n}" for n in range(3)),
    *(f"sign_{n}" for n in range(N_SIGNS)),
    "complaint",
    "second_contact",
    "transfers",
    "hang_ups",
    "load",
)


def one_hot(codes: NDArray[np.int64], n: int) -> F64:
    return np.eye(n)[codes]


def context_of(moments: Moments) -> F64:
    """What can be seen at a moment, as columns: sets of categories as 0 and 1, the signs that have shown, numbers."""
    signs = (moments.shown[:, None] >> np.arange(N_SIGNS)) & 1
    return np.column_stack(
        [
            one_hot(moments.journey, 4),
            one_hot(moments.severity, 3),
            one_hot(moments.segment, 3),
            signs,
            moments.trigger == 3,
            moments.trigger == 2,
            moments.transfers,
            moments.hang_ups,
            moments.load,
        ]
    ).astype(np.float64)


class Coin:
    """An even chance for every action that the day still allows, one case after another; remembers what it saw."""

    knows_truth = False

    def __init__(self) -> None:
        self.seen: list[tuple[Moments, F64, NDArray[np.bool_]]] = []

    def __call__(self, moments: Moments) -> Choices:
        left = moments.remaining.copy()
        n = len(moments.luck)
        eligible = np.zeros((n, len(ACTIONS)), np.bool_)
        action = np.zeros(n, np.int64)
        for row, luck in enumerate(moments.luck):
            eligible[row] = left > 0
            open_to = np.flatnonzero(eligible[row])
            action[row] = open_to[int(luck * len(open_to))]
            left[action[row]] -= 1
        propensity = 1 / eligible.sum(1)
        self.seen.append((moments, propensity, eligible))
        return Choices(action, propensity)


def logged(company: Company, seed: int) -> Logged:
    """What a coin decided in a world, in order of time; only settled cases."""
    coin = Coin()
    lived = World(company, seed).run(policy=coin)
    luck = np.concatenate([moments.luck for moments, _, _ in coin.seen])
    cases = lived.run.cases
    own = np.empty(len(cases))
    fill_uniform(lived.tables.seed, cases["key"], np.int64(r.P_ACT), np.int64(1), own)
    rows = np.flatnonzero(cases["trigger"] != r.NO_TRIGGER)
    rows = rows[np.argsort(own[rows])][np.argsort(np.argsort(luck))]
    order = np.flatnonzero(cases["outcome"][rows] != r.UNSETTLED)
    rows = rows[order]
    journey, outcome = cases["journey"][rows].astype(np.int64), cases["outcome"][rows].astype(np.int64)
    value, action = VALUES[journey, outcome], cases["action"][rows].astype(np.int64)
    return (
        Logged(
            names=COLUMNS,
            actions=ACTIONS,
            context=np.concatenate([context_of(moments) for moments, _, _ in coin.seen])[order],
            action=action,
            propensity=np.concatenate([propensity for _, propensity, _ in coin.seen])[order],
            eligible=np.concatenate([eligible for _, _, eligible in coin.seen])[order],
            achieved=(value - WORST[journey]) / STAKE[journey],
            value_cents=value * 100,
            cost_cents=COSTS[action] * 100,
            time_us=cases["decided_us"][rows].copy(),
            holdout=np.zeros(len(rows), np.bool_),
            unit=cases["customer"][rows].astype(np.int64),
        ),
        lived,
        rows,
    )


def first(log: Logged, n: int) -> Logged:
    return Logged(log.names, log.actions, *(column[:n] for column in log[2:]))


def serve(gain: F64, remaining: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest gains first, as far as capacity goes; nobody whose gain is not above 0."""
    left, action = remaining.copy(), np.zeros(len(gain), np.int64)
    taken = np.zeros(len(gain), np.bool_)
    for place in np.argsort(-gain, axis=None, kind="stable"):
        case, best = divmod(int(place), gain.shape[1])
        if gain[case, best] <= 0:
            break
        if not taken[case] and left[best] > 0:
            action[case], taken[case] = best, True
            left[best] -= 1
    return action


class Following:
    """Does what is believed to gain most, less its price where the day's capacity is scarce."""

    knows_truth = False

    def __init__(self, learnt: Learnt, price: F64 | None = None) -> None:
        self.learnt, self.price = learnt, np.zeros(len(ACTIONS)) if price is None else price

    def gain(self, context: F64, journey: NDArray[np.int64]) -> F64:
        gain = self.learnt.beliefs(context).mean * STAKE[journey][:, None] - COSTS
        return gain - self.price

    def __call__(self, moments: Moments) -> Choices:
        gain = self.gain(context_of(moments), moments.journey)
        return Choices(serve(gain, moments.remaining), np.ones(len(gain)))


PRIORS = {name: Prior(recovers=0.0, strength=10.0) for name in ACTIONS[1:]}


def trial(seed: int, n: int, n_customers: int = 30_000, cache: dict = {}) -> dict:
    company = Company(n_customers=n_customers, days=65, spillover=True)
    if seed not in cache:
        cache[seed] = logged(company, seed)[0]
    log = first(cache[seed], n)
    world = World(company, seed + 1000)
    if (seed, "o") not in cache:
        cache[seed, "o"] = world.policy_value(world.oracle_policy())
    oracle = cache[seed, "o"]
    policy = Following(learn(log, PRIORS))
    got = world.policy_value(policy)
    return dict(
        n=len(log.action),
        oracle=round(oracle.gain_eur, 2),
        got=round(got.gain_eur, 2),
        share=round(got.gain_eur / oracle.gain_eur, 3),
        nothing=round(got.nothing_eur, 2),
        cost=round(got.cost_eur, 2),
    )
