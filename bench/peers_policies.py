"""Off-policy estimates of `truenorth.action.off_policy` beside those of other libraries, on one log.

`PEERS_PYTHON=DIR/bin/python python bench/peers_policies.py`; the scratch environment is that of `bench/peers.sh`. The
log is of a simulated company in which a coin decides among what the day allows. Ends with status 1 where an estimate
differs by more than a ten-thousandth of a cent, or a standard error by more than 1 %.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from action_world import ACTIONS, Coin, first, logged
from numpy.typing import NDArray
from peers import said_by

from truenorth.action.nuisance import cross_fitted_rewards, folds
from truenorth.action.off_policy import Estimate, Judge, certain
from truenorth.action.values import Logged
from truenorth.simulate import Company

SAME_CENTS, SAME_SHARE = 1e-4, 0.01
SMALLEST = 1e-9
"""The chance of what is not eligible, where a library needs one above 0."""


def ours(log: Logged) -> list[tuple[Estimate, Estimate]]:
    """SNIPW with customers as clusters, DR without any: as the others have them."""
    judge, alone = Judge(log), Judge(each_alone(log))
    targets = [certain(np.full(len(log.action), action), len(ACTIONS)) for action in range(len(ACTIONS))]
    return [(judge.evaluate(target).snipw, alone.evaluate(target).dr) for target in targets]


def each_alone(log: Logged) -> Logged:
    return log._replace(unit=np.arange(len(log.action)))


def handed_over(log: Logged) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """What the others get: the same rewards, chances and outcome models."""
    reward = log.value_cents - log.cost_cents
    fold = folds(len(reward), unit=each_alone(log).unit)
    chances = np.where(log.eligible, log.propensity[:, None], SMALLEST)
    modelled = cross_fitted_rewards(log.context, log.action, reward, len(ACTIONS), fold)
    names = {"context": log.context, "action": log.action, "unit": log.unit}
    return {**names, "reward": reward, "chances": chances, "modelled": modelled}


def main() -> None:
    log = first(logged(Company(n_customers=8_000, days=66), 77, Coin())[0], 5_000)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.npz"
        np.savez(path, **handed_over(log))  # type: ignore[arg-type]  # arrays by name
        theirs = said_by("peer_policies.py", str(path))
    differs = False
    print("| always | SNIPW | causallib | DR | DoubleML | se SNIPW | statsmodels | se DR | DoubleML |")
    print("|---|---|---|---|---|---|---|---|---|")
    for action, (snipw, dr) in enumerate(ours(log)):
        (their_dr, their_dr_se), (_, their_se) = theirs["dr"][action], theirs["wls"][action]
        their_snipw = theirs["snipw"][action]
        pairs = (snipw.mean_cents, their_snipw), (dr.mean_cents, their_dr)
        errors = (snipw.se_cents, their_se), (dr.se_cents, their_dr_se)
        differs |= any(abs(one - other) > SAME_CENTS for one, other in pairs)
        differs |= any(abs(one / other - 1) > SAME_SHARE for one, other in errors)
        cells = [f"{one:,.4f} | {other:,.4f}" for one, other in pairs] + [f"{o:,.1f} | {t:,.1f}" for o, t in errors]
        print(f"| {ACTIONS[action]} | {' | '.join(cells)} |")
    sys.exit(int(differs))


if __name__ == "__main__":
    main()
