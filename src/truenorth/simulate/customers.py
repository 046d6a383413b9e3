"""The customers of a company, drawn from the seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from truenorth.simulate import model
from truenorth.simulate import records as r
from truenorth.simulate.causal import fill_uniform

LANGUAGES = ("en", "de", "fr", "es")
PLANS = ("basic", "family", "fibre")
PLAN_EUR = (25.0, 40.0, 60.0)
REGIONS = ("north", "east", "south", "west")
N_CAMPAIGNS = 40
CAMPAIGN_SKEW = 1.6
"""Orders come from few campaigns: the n-th brings 1 / n ** skew of what the first does."""
_WIRING, _WIRING_TOO, _TENURE, _SEGMENT, _LANGUAGE, _PLAN, _REGION, _SAVVY, _PATIENCE, _VALUE, _CAMPAIGN = range(40, 51)


def _luck(seed: int, purpose: int, n: int) -> NDArray[np.float64]:
    out = np.empty(n)
    fill_uniform(np.int64(seed), np.arange(n), np.int64(purpose), np.int64(0), out)
    return out


def _pick(seed: int, purpose: int, n: int, shares: tuple[float, ...]) -> NDArray[np.int64]:
    """A position for each customer, with the given shares."""
    return np.minimum(np.searchsorted(np.cumsum(shares), _luck(seed, purpose, n)), len(shares) - 1)


def make_customers(n: int, seed: int) -> NDArray[np.void]:
    """``n`` rows of `records.CUSTOMER`; a customer is the same whatever ``n`` is.

    Tenure is exponential with a mean of 48 months. The tech-savvy (half) write rather than call, and the hidden
    wiring of a house is standard normal.
    """
    table = np.zeros(n, r.CUSTOMER)
    radius = np.sqrt(-2 * np.log(_luck(seed, _WIRING, n)))
    table["wiring"] = radius * np.cos(2 * np.pi * _luck(seed, _WIRING_TOO, n))
    table["tenure_months"] = np.minimum(-48 * np.log(_luck(seed, _TENURE, n)), 360)
    table["segment"] = _pick(seed, _SEGMENT, n, tuple(segment.share for segment in model.SEGMENTS))
    table["language"] = _pick(seed, _LANGUAGE, n, (0.55, 0.2, 0.15, 0.1))
    table["plan"] = _pick(seed, _PLAN, n, (0.4, 0.4, 0.2))
    table["region"] = _pick(seed, _REGION, n, (0.3, 0.25, 0.25, 0.2))
    table["savvy"] = _luck(seed, _SAVVY, n) < 0.5
    weights = np.arange(1, N_CAMPAIGNS + 1) ** -CAMPAIGN_SKEW
    table["campaign"] = _pick(seed, _CAMPAIGN, n, tuple(weights / weights.sum()))
    table["patience"] = 0.6 + 0.8 * _luck(seed, _PATIENCE, n)
    table["month_eur"] = np.round(np.array(PLAN_EUR)[table["plan"]] * (0.8 + 0.5 * _luck(seed, _VALUE, n)), 2)
    return table
