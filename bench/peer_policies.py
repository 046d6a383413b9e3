"""What other libraries estimate from a log of decisions: `python bench/peer_policies.py FILE.npz` prints JSON.

Run by the Python of the scratch environment. Of each action the mean net value of always taking it: causallib's IPW
(weights normalised), DoubleML's average potential outcome with the propensities and outcome models of the file, and
statsmodels' weighted least squares for a standard error with customers as clusters.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import numpy as np

warnings.simplefilter("ignore")


class Known:
    """A learner that knows the propensities: they are its columns."""

    def __init__(self, n_actions: int) -> None:
        self.classes_ = np.arange(n_actions)

    def fit(self, _context: Any, _action: Any) -> Known:
        return self

    def predict_proba(self, context: Any) -> Any:
        return context.to_numpy()


def normalised(found: dict[str, Any]) -> list[float]:
    import pandas as pd  # noqa: PLC0415 (only there)
    from causallib.estimation import IPW  # noqa: PLC0415

    chances, action = pd.DataFrame(found["chances"]), pd.Series(found["action"])
    ipw = IPW(Known(found["chances"].shape[1])).fit(chances, action)
    return [float(one) for one in ipw.estimate_population_outcome(chances, action, pd.Series(found["reward"]))]


def doubly_robust(found: dict[str, Any], action: int) -> tuple[float, float]:
    import pandas as pd  # noqa: PLC0415
    from doubleml import DoubleMLAPO, DoubleMLData  # noqa: PLC0415
    from sklearn.dummy import DummyClassifier, DummyRegressor  # noqa: PLC0415

    frame = pd.DataFrame(found["context"]).add_prefix("x")
    columns = list(frame.columns)
    frame["y"], frame["d"] = found["reward"], found["action"]
    model = DoubleMLAPO(
        DoubleMLData(frame, "y", "d", columns), DummyRegressor(), DummyClassifier(strategy="prior"), action
    )
    outcome = found["modelled"][:, [action]]
    given = {"ml_g_d_lvl0": outcome, "ml_g_d_lvl1": outcome, "ml_m": found["chances"][:, [action]]}
    model.fit(external_predictions={"d": given})
    return float(model.coef[0]), float(model.se[0])


def clustered(found: dict[str, Any], action: int) -> tuple[float, float]:
    import statsmodels.api as sm  # noqa: PLC0415

    rows = found["action"] == action
    weight = 1 / found["chances"][rows, action]
    fit = sm.WLS(found["reward"][rows], np.ones(rows.sum()), weight).fit(
        cov_type="cluster", cov_kwds={"groups": found["unit"][rows], "use_correction": False}
    )
    return float(fit.params[0]), float(fit.bse[0])


def main(path: str) -> None:
    found = dict(np.load(path))
    n_actions = found["chances"].shape[1]
    said = {
        "snipw": normalised(found),
        "dr": [doubly_robust(found, action) for action in range(n_actions)],
        "wls": [clustered(found, action) for action in range(n_actions)],
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
