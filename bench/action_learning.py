"""What the learnt policy brings in the simulated company, whose potential outcomes are known; writes a page of it.

`python bench/action_learning.py --seeds 20 --keep FILE --out docs/action-benchmarks.md`. Each seed lives two worlds:
one of 30,000 customers in which a coin decides (its first 20,000 settled decisions are the log; the first 1,000 the
small log), and another of 10,000 customers, 40 days, in which policies are compared by true expected values, the
capacity of days included. `--keep` adds a line of JSON for each seed, and a seed that is in it is not lived again.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from action_page import write
from action_world import ACTIONS, COSTS, PRIORS, STAKE, Above, Coin, Following, Rule, Uplift, first, logged

from truenorth.action.decision_table import Table
from truenorth.action.learning import learn
from truenorth.action.learnt_policy import best, net_value, shadow_prices
from truenorth.action.nuisance import OutcomeModel
from truenorth.action.off_policy import Judge, always, certain
from truenorth.action.proof import PROVEN, caution_of
from truenorth.action.values import Logged
from truenorth.simulate import Company, World
from truenorth.simulate.asking import capacities
from truenorth.simulate.policies import Constant, Policy

LARGE, SMALL = 20_000, 1_000
LEARNT_IN = Company(n_customers=30_000, days=66)
JUDGED_IN = Company(n_customers=10_000, days=40)
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6)


def stake_of(log: Logged) -> np.ndarray:
    return STAKE[log.context[:, :4].argmax(1)]


def table_of(log: Logged) -> Table:
    return Table(log, stake_of(log) * 100, COSTS * 100)


def priced(log: Logged) -> Following:
    """The learnt policy with prices for what a day has too little of, from the log's own contexts."""
    learnt, caution = learn(log, PRIORS), caution_of(table_of(log), PRIORS)
    value = net_value(learnt.beliefs(log.context).cautious(caution), stake_of(log), COSTS)
    days = (log.time_us[-1] - log.time_us[0]) / 86_400e6
    room = np.minimum(capacities(LEARNT_IN), 10**9) / (len(log.action) / days)
    return Following(learnt, caution, shadow_prices(value, np.ones_like(value, np.bool_), room))


def threshold(log: Logged) -> Above:
    """The risk, and the action beyond it, that bring most by IPW on the log."""
    risk = OutcomeModel.fit(log.context, log.achieved, np.ones(len(log.action)))
    failing, net = risk.failing(log.context), log.value_cents - log.cost_cents

    def brings(place: tuple[int, float]) -> float:
        wanted = np.where((failing >= place[1]) & log.eligible[:, place[0]], place[0], 0)
        return float(
            ((wanted == log.action) / log.propensity * net).sum() / ((wanted == log.action) / log.propensity).sum()
        )

    return Above(risk, *max(((a, t) for a in range(1, len(ACTIONS)) for t in THRESHOLDS), key=brings))


def placebo(log: Logged, seed: int) -> float:
    """The share of cases acted upon where no action does anything: actions of the log drawn anew."""
    luck = np.random.default_rng(seed).random(len(log.action))
    drawn = [np.flatnonzero(row)[int(u * row.sum())] for row, u in zip(log.eligible, luck, strict=True)]
    action = np.array(drawn)
    dull = log._replace(action=action, cost_cents=COSTS[action] * 100)
    beliefs = learn(dull, PRIORS).beliefs(log.context)
    value = net_value(beliefs.cautious(caution_of(table_of(dull), PRIORS)), stake_of(log), COSTS)
    return float((best(value, log.eligible) > 0).mean())


def gains_of(world: World, policies: dict[str, Policy]) -> dict[str, float]:
    return {name: world.policy_value(policy).gain_eur for name, policy in policies.items()}


def off_policy(log: Logged, gain: np.ndarray) -> dict[str, list[float]]:
    """A policy learnt from the first half, judged on the second by each estimator, and its true gain there, EUR."""
    half = LARGE // 2
    rest = Logged(log.names, log.actions, *(column[half:] for column in log[2:]))
    value = net_value(learn(first(log, half), PRIORS).beliefs(rest.context).cautious(PROVEN), stake_of(rest), COSTS)
    action = best(value, rest.eligible)
    found = Judge(rest).evaluate(certain(action, len(ACTIONS)), always(rest, "do_nothing"))
    true = float(gain[half:][np.arange(len(action)), action].mean())
    return {
        "gain": [found.gain.mean_cents / 100, found.gain.low_cents / 100, found.gain.high_cents / 100, true],
        "se": [found.ipw.se_cents / 100, found.snipw.se_cents / 100, found.dr.se_cents / 100],
        "mean": [found.ipw.mean_cents / 100, found.snipw.mean_cents / 100, found.dr.mean_cents / 100],
        "ess": [found.ess],
    }


def lived(seed: int) -> dict[str, object]:
    """All figures of a seed."""
    whole, gain = logged(LEARNT_IN, seed, Coin())
    log, gain = first(whole, LARGE), gain[:LARGE]
    ruled, _ = logged(LEARNT_IN, seed, Rule())
    world = World(JUDGED_IN, seed + 1_000)
    policies = {
        "oracle": world.oracle_policy(),
        "learnt": priced(log),
        "learnt_small": priced(first(log, SMALL)),
        "threshold": threshold(log),
        "uplift": Uplift(first(ruled, LARGE)),
        **{f"always {name}": Constant(name) for name in ACTIONS[1:]},
    }
    return {
        "seed": seed,
        "nothing": world.policy_value(Constant("do_nothing")).expected_eur,
        "gains": gains_of(world, policies),
        "placebo": placebo(log, seed),
        "off_policy": off_policy(log, gain),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/action-benchmarks.md"))
    options = parser.parse_args()
    kept = [json.loads(line) for line in options.keep.read_text().splitlines()] if options.keep.exists() else []
    done = {row["seed"] for row in kept}
    for seed in range(options.seeds):
        if seed not in done:
            kept.append(lived(seed))
            with options.keep.open("a") as file:
                file.write(json.dumps(kept[-1]) + "\n")
            print(seed, kept[-1]["gains"], flush=True)
    write(options.out, kept)


if __name__ == "__main__":
    main()
