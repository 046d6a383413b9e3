"""What a replay tells: pure functions from a replay to Polars frames, counting rules in their docstrings."""

from truenorth.insight.causes import Causes, causes_of_failure
from truenorth.insight.failure import points_of_failure
from truenorth.insight.flow import direct_follows, event_types, starts_and_ends
from truenorth.insight.gap import Gap, gap
from truenorth.insight.moments import Moments, moments
from truenorth.insight.overview import Overview, overview
from truenorth.insight.pace import cumulative_incidence, time_to_outcome
from truenorth.insight.promises import promise_breaks, promise_verdicts
from truenorth.insight.replayed import Replayed
from truenorth.insight.rules import Register, decision_register
from truenorth.insight.trend import outcome_trend
from truenorth.insight.variants import n_variants, variants

__all__ = [
    "Causes",
    "Gap",
    "Moments",
    "Overview",
    "Register",
    "Replayed",
    "causes_of_failure",
    "cumulative_incidence",
    "decision_register",
    "direct_follows",
    "event_types",
    "gap",
    "moments",
    "n_variants",
    "outcome_trend",
    "overview",
    "points_of_failure",
    "promise_breaks",
    "promise_verdicts",
    "starts_and_ends",
    "time_to_outcome",
    "variants",
]
