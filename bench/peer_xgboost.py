"""A plain XGBoost, run by the Python of the scratch environment: `python bench/peer_xgboost.py FILE.npz`.

The file has ``x``, ``y`` (what teaches) and ``asked``. 500 trees of depth 5, nothing tuned. Prints JSON: chances, and
the seconds of one core that learning took.
"""

from __future__ import annotations

import json
import sys
from time import process_time

import numpy as np
import xgboost

PLAIN = {"objective": "binary:logistic", "max_depth": 5, "nthread": 1, "seed": 0}
N_TREES = 500


def main(path: str) -> None:
    given = np.load(path)
    began_s = process_time()
    model = xgboost.train(PLAIN, xgboost.DMatrix(given["x"], given["y"]), N_TREES)
    seconds = process_time() - began_s
    json.dump({"p": model.predict(xgboost.DMatrix(given["asked"])).tolist(), "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
