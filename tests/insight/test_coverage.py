"""Adjusted effects against the truth of many companies."""

from __future__ import annotations

import pytest

import truenorth as tn
from insight.company import ROOT, lived, world
from truenorth.insight.causes import causes_of_failure


@pytest.mark.slow
def test_intervals_hold_the_truth_in_many_companies() -> None:
    """Causes of two journeys in 40 companies, about 480 intervals: 93 to 97 % of them hold the truth.

    `visit_kept` is left out: old wiring, which no event shows, makes visits miss and cases fail. So is
    `no_ping_pong`: the truth is about two transfers against none.
    """
    held = n = 0
    for seed in range(1, 41):
        events, truth = lived(8_000, seed), world(8_000, seed).truth()
        true = {(one.journey, one.name): -one.p_achieved for one in truth.causes}
        for journey in ("help", "bill"):
            replayed = tn.replay(ROOT / f"examples/company/{journey}.yaml", events)
            for row in causes_of_failure(replayed, seed=seed, kinds=("promise",)).points.iter_rows(named=True):
                effect = true.get((journey, row["point"]))
                if effect is not None and row["point"] not in {"visit_kept", "no_ping_pong"}:
                    held += row["adjusted_low"] <= effect <= row["adjusted_high"]
                    n += 1
        lived.cache_clear()
        world.cache_clear()
    assert n > 400
    assert 0.93 <= held / n <= 0.97
