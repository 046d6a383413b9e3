"""The simulated company as a place to learn to act in: what is seen as columns, logs, policies that have learnt."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from truenorth.action.learning import Learnt
from truenorth.action.nuisance import OutcomeModel
from truenorth.action.values import Logged, Prior
from truenorth.simulate import Company, World, model
from truenorth.simulate import records as r
from truenorth.simulate.causal import fill_uniform
from truenorth.simulate.effects import COSTS, VALUES, ask_model
from truenorth.simulate.lived import Lived
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
        self.seen: list[tuple[Moments, F64]] = []

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
        chances = eligible / eligible.sum(1, keepdims=True)
        self.seen.append((moments, chances))
        return Choices(action, chances[np.arange(n), action])


class Remembering(Protocol):
    """A policy that remembers the moments that it saw, and the chances (n, n_actions) with which it chose."""

    seen: list[tuple[Moments, F64]]

    @property
    def knows_truth(self) -> bool: ...

    def __call__(self, moments: Moments) -> Choices: ...


def logged(company: Company, seed: int, coin: Remembering) -> tuple[Logged, F64]:
    """What was decided in a world, in order of time, of settled cases; and each action's true gain there, EUR."""
    lived = World(company, seed).run(policy=coin)
    luck = np.concatenate([moments.luck for moments, _ in coin.seen])
    cases = lived.run.cases
    own = np.empty(len(cases))
    fill_uniform(lived.tables.seed, cases["key"], np.int64(r.P_ACT), np.int64(1), own)
    rows = np.flatnonzero(cases["trigger"] != r.NO_TRIGGER)
    rows = rows[np.argsort(own[rows])][np.argsort(np.argsort(luck))]
    order = np.flatnonzero(cases["outcome"][rows] != r.UNSETTLED)
    rows = rows[order]
    journey, outcome = cases["journey"][rows].astype(np.int64), cases["outcome"][rows].astype(np.int64)
    value, action = VALUES[journey, outcome], cases["action"][rows].astype(np.int64)
    chances = np.concatenate([chances for _, chances in coin.seen])[order]
    log = Logged(
        names=COLUMNS,
        actions=ACTIONS,
        context=np.concatenate([context_of(moments) for moments, _ in coin.seen])[order],
        action=action,
        propensity=chances[np.arange(len(rows)), action],
        eligible=(chances > 0) | (np.arange(len(ACTIONS)) == 0),
        chances=chances,
        achieved=(value - WORST[journey]) / STAKE[journey],
        value_cents=value * 100,
        cost_cents=COSTS[action] * 100,
        time_us=cases["decided_us"][rows].copy(),
        holdout=np.zeros(len(rows), np.bool_),
        unit=cases["customer"][rows].astype(np.int64),
    )
    return log, gains(lived, rows)


def gains(lived: Lived, rows: NDArray[np.int64]) -> F64:
    cases, levels = lived.run.cases[rows], lived.run.levels[rows]
    value = VALUES[cases["journey"]]
    expected = [
        (ask_model(lived.tables, cases, levels, action=action).chances * value).sum(1) - COSTS[action]
        for action in range(len(ACTIONS))
    ]
    return np.column_stack(expected) - expected[0][:, None]


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

    def __init__(self, learnt: Learnt, caution: float, price: F64) -> None:
        self.learnt, self.caution, self.price = learnt, caution, price

    def gain(self, context: F64, journey: NDArray[np.int64]) -> F64:
        gain = self.learnt.beliefs(context).cautious(self.caution) * STAKE[journey][:, None] - COSTS
        return gain - self.price

    def __call__(self, moments: Moments) -> Choices:
        gain = self.gain(context_of(moments), moments.journey)
        return Choices(serve(gain, moments.remaining), np.ones(len(gain)))


class Above:
    """One action wherever the risk is at least a threshold, the riskiest first."""

    knows_truth = False

    def __init__(self, risk: OutcomeModel, action: int, threshold: float) -> None:
        self.risk, self.action, self.threshold = risk, action, threshold

    def __call__(self, moments: Moments) -> Choices:
        gain = np.zeros((len(moments.luck), len(ACTIONS)))
        if len(gain):
            gain[:, self.action] = self.risk.failing(context_of(moments)) - self.threshold
        return Choices(serve(gain, moments.remaining), np.ones(len(gain)))


class Rule:
    """What a company without a coin does: one action for each journey, for whom it is severe enough."""

    knows_truth = False

    def __init__(self) -> None:
        self.seen: list[tuple[Moments, F64]] = []

    def __call__(self, moments: Moments) -> Choices:
        usual = np.array([ACTIONS.index(name) for name in USUAL])
        wanted = np.zeros((len(moments.luck), len(ACTIONS)))
        wanted[np.arange(len(wanted)), usual[moments.journey]] = moments.severity
        action = serve(wanted, moments.remaining)
        self.seen.append((moments, np.eye(len(ACTIONS))[action]))
        return Choices(action, np.ones(len(action)))


class Uplift:
    """The action with the largest predicted value by boosted trees on context and action; nothing else is asked."""

    knows_truth = False

    def __init__(self, log: Logged) -> None:
        chosen = np.column_stack([log.context, np.eye(len(ACTIONS))[log.action]])
        net = (log.value_cents - log.cost_cents) / 100
        self.trees = HistGradientBoostingRegressor(max_iter=150, early_stopping=False).fit(chosen, net)

    def __call__(self, moments: Moments) -> Choices:
        context = context_of(moments)
        tried = [np.column_stack([context, np.tile(row, (len(context), 1))]) for row in np.eye(len(ACTIONS))]
        value = np.column_stack([self.trees.predict(one) for one in tried])
        return Choices(serve(value - value[:, :1], moments.remaining), np.ones(len(context)))


USUAL = ("priority_technician", "call_back_now", "explain_by_phone", "proactive_message")
PRIORS = {name: Prior(recovers=0.0, strength=10.0) for name in ACTIONS[1:]}
