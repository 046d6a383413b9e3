"""A policy that learns while it acts, end to end: decisions are those of the service, and so is the learning.

`python bench/action_trying.py --seeds 5 --keep FILE [--tried 0.02]`. Each round is a world of new customers in which
`truenorth.action.deciding` decides on every case with the effects that were learnt from all rounds before; the first
knows what the journey file believes. Writes its part of docs/action-benchmarks.md. Gains are true expected values over
doing nothing, EUR a case.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from action_page import TRYING_MARK, replace_part
from action_world import ACTIONS, COLUMNS, COSTS, STAKE, context_of, logged
from numpy.typing import NDArray

from truenorth.action.belief import Belief
from truenorth.action.deciding import decide
from truenorth.action.decision_table import Table
from truenorth.action.exploring import DOUBTED, EVENLY
from truenorth.action.inputs import Inputs
from truenorth.action.learnt_effects import learn_effects
from truenorth.action.values import Context, EffectModel, Logged, Offer, Versions
from truenorth.simulate import Company, World
from truenorth.simulate.policies import Choices, Moments
from truenorth.spec.acting import Prior

F64 = NDArray[np.float64]
COMPANY = Company(n_customers=6_000, days=66)
N_ROUNDS = 5
BASE_RISK = 0.4
BELIEFS = {"each turns 20 % of failing cases": 0.2, "none turns any": 0.0}
SHARES = (0.0, 0.02, 0.1)
PAGE = Path(__file__).parents[1] / "docs" / "action-benchmarks.md"


class Deciding:
    """Asks `decide` for one case after another, within what the day still allows."""

    knows_truth = False

    def __init__(self, effects: EffectModel, recovers: float, explore: float, luck: np.random.Generator) -> None:
        self.effects, self.explore, self.luck = effects, explore, luck
        self.offers = tuple(
            Offer(name=name, cost_cents=round(cost * 100), prior=Prior(recovers))
            for name, cost in zip(ACTIONS[1:], COSTS[1:], strict=True)
        )
        self.seen: list[tuple[Moments, F64]] = []

    def __call__(self, moments: Moments) -> Choices:
        left, n = moments.remaining.copy(), len(moments.luck)
        contexts, action = context_of(moments), np.zeros(n, np.int64)
        shares = np.zeros((n, len(ACTIONS)))
        for row in range(n):
            full = tuple(name for name, room in zip(ACTIONS, left, strict=True) if room <= 0)
            decision = decide(self._inputs(contexts[row], int(moments.journey[row]), full))
            shares[row] = [one.propensity for one in decision.candidates]
            action[row] = ACTIONS.index(decision.chosen)
            left[action[row]] -= 1
        self.seen.append((moments, shares))
        return Choices(action, shares[np.arange(n), action])

    def _inputs(self, row: F64, journey: int, full: tuple[str, ...]) -> Inputs:
        measures = dict(zip(COLUMNS, row.tolist(), strict=True))
        context = Context(journey="help", case="1", customer=None, at_us=0, base_risk=BASE_RISK, measures=measures)
        uniforms = self.luck.uniform(1e-9, 1 - 1e-9, len(self.offers))
        return Inputs(
            id="1",
            context=context,
            asker="anybody",
            actions=self.offers,
            effects=self.effects.effects(context, self.offers),
            draws=self.effects.draw(context, self.offers, uniforms),
            at_stake_cents=round(float(STAKE[journey]) * 100),
            stopped=full,
            explore=self.explore,
            evenly=EVENLY if self.explore else 0.0,
            doubted=DOUBTED if self.explore else 0.0,
            coin=float(self.luck.random()),
            versions=Versions(None, "bench", 1),
        )


def joined(logs: list[Logged]) -> Logged:
    """One log; customers of different rounds are different."""
    moved = [log._replace(unit=log.unit + 10**7 * place) for place, log in enumerate(logs)]
    columns = zip(*(one[2:] for one in moved), strict=True)
    return Logged(COLUMNS, ACTIONS, *(np.concatenate(column) for column in columns))


def lived(seed: int, recovers: float, explore: float) -> dict[str, list[float]]:
    """By round: the true gain of what was done, the oracle's, the share of cases acted upon, and their number."""
    luck, effects = np.random.default_rng(seed), Belief()
    logs: list[Logged] = []
    found: dict[str, list[float]] = {"gain": [], "oracle": [], "acted": [], "n": []}
    for place in range(N_ROUNDS):
        place_seed = 10_000 + 100 * seed + place
        policy = Deciding(effects, recovers, explore, luck)
        log, gain = logged(COMPANY, place_seed, policy)
        world = World(COMPANY, place_seed)
        oracle = world.policy_value(world.oracle_policy()).gain_eur
        found["gain"].append(float(gain[np.arange(len(gain)), log.action].mean()))
        found["oracle"].append(float(oracle))
        found["acted"].append(float((log.action > 0).mean()))
        found["n"].append(len(gain))
        logs.append(log)
        whole = joined(logs)
        stake = STAKE[whole.context[:, :4].argmax(1)] * 100
        priors = {name: Prior(recovers) for name in ACTIONS[1:]}
        effects, _ = learn_effects(Table(whole, stake, COSTS * 100), priors)
    return found


def section(kept: list[dict[str, Any]]) -> str:
    """A row for each belief and share that was lived: gains by round, and the share of the oracle's in the last."""
    rounds = " | ".join(f"round {n + 1}" for n in range(N_ROUNDS))
    lines = [
        f"| the file believes | tried in | {rounds} | last, of the oracle's | seeds |",
        f"|---|---|{'---|' * (N_ROUNDS + 2)}",
    ]
    for belief in BELIEFS:
        for explore in SHARES:
            rows = [row for row in kept if (row["belief"], row["explore"]) == (belief, explore)]
            if not rows:
                continue
            gain, oracle, acted = (np.mean([row[name] for row in rows], axis=0) for name in ("gain", "oracle", "acted"))
            cells = [f"{one:+.2f} ({share:.0%})" for one, share in zip(gain, acted, strict=True)]
            last = f"{gain[-1] / oracle[-1]:.0%}"
            lines.append(f"| {belief} | {explore:.0%} | {' | '.join(cells)} | {last} | {len(rows)} |")
    oracle = np.mean([row["oracle"] for row in kept], axis=0)
    lines.append(f"| the oracle | | {' | '.join(f'{one:+.2f}' for one in oracle)} | | |")
    return "\n".join(lines) + f"\n\nA round has {round(float(np.mean([row['n'] for row in kept]))):,} decisions.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--tried", type=float, nargs="*", default=SHARES, help="which of the shares to live")
    options = parser.parse_args()
    kept = [json.loads(line) for line in options.keep.read_text().splitlines()] if options.keep.exists() else []
    done = {(row["seed"], row["belief"], row["explore"]) for row in kept}
    for seed in range(options.seeds):
        for belief, recovers in BELIEFS.items():
            for explore in options.tried:
                if (seed, belief, explore) not in done:
                    row = {"seed": seed, "belief": belief, "explore": explore, **lived(seed, recovers, explore)}
                    kept.append(row)
                    with options.keep.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(row, flush=True)
    replace_part(PAGE, TRYING_MARK, section(kept))


if __name__ == "__main__":
    main()
