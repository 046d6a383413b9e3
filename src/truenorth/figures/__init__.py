"""One figure, one function: from a replay to a Plotly figure, for a notebook, the console and the report.

Every figure takes ``theme`` ("light" or "dark") and states its finding in its title; ``figure.layout.meta`` holds
``title``, ``subtitle`` and ``alt`` (a description for those who do not see it) as plain text.
"""

from truenorth.figures.failure import failure_figure
from truenorth.figures.journey_map import journey_map_figure
from truenorth.figures.outcome import outcome_figure, trend_figure
from truenorth.figures.pace import time_to_outcome_figure
from truenorth.figures.promise import breaks_figure, promise_figure
from truenorth.figures.variants import variants_figure

__all__ = [
    "breaks_figure",
    "failure_figure",
    "journey_map_figure",
    "outcome_figure",
    "promise_figure",
    "time_to_outcome_figure",
    "trend_figure",
    "variants_figure",
]
