"""What a replay tells: pure functions from a replay to Polars frames, counting rules in their docstrings."""

from truenorth.insight.failure import points_of_failure
from truenorth.insight.flow import direct_follows, event_types, starts_and_ends
from truenorth.insight.overview import Overview, overview
from truenorth.insight.pace import cumulative_incidence, time_to_outcome
from truenorth.insight.promises import promise_breaks, promise_verdicts
from truenorth.insight.replayed import Replayed
from truenorth.insight.trend import outcome_trend
from truenorth.insight.variants import n_variants, variants

__all__ = [
    "Overview",
    "Replayed",
    "cumulative_incidence",
    "direct_follows",
    "event_types",
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
