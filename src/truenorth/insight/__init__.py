"""What a replay tells: pure functions from a replay to Polars frames, counting rules in their docstrings."""

from truenorth.insight.causes import Causes, causes_of_failure
from truenorth.insight.concentration import Concentration, concentration
from truenorth.insight.cx_six import CxSix, cx_six
from truenorth.insight.failure import points_of_failure
from truenorth.insight.flow import direct_follows, event_types, starts_and_ends
from truenorth.insight.gap import Gap, gap
from truenorth.insight.initiative_file import parse_initiatives
from truenorth.insight.initiatives import Assessment, assess
from truenorth.insight.kpi_audit import Audit, audit_kpis
from truenorth.insight.kpi_file import parse_kpis
from truenorth.insight.line_of_sight import teams_in_sight, work_in_sight
from truenorth.insight.maturity import Maturity, maturity
from truenorth.insight.moments import Moments, moments
from truenorth.insight.outcome_cost import OutcomeCost, outcome_cost
from truenorth.insight.overview import Overview, overview
from truenorth.insight.pace import cumulative_incidence, time_to_outcome
from truenorth.insight.pace_of_change import Pace, pace_of_change
from truenorth.insight.practitioners import Distilled, distil, parse_questionnaire
from truenorth.insight.promises import promise_breaks, promise_verdicts
from truenorth.insight.replayed import Replayed
from truenorth.insight.rules import Register, decision_register
from truenorth.insight.slices import opened_between
from truenorth.insight.trend import outcome_trend
from truenorth.insight.variants import n_variants, variants
from truenorth.insight.voice import Voice, voice

__all__ = [
    "Assessment",
    "Audit",
    "Causes",
    "Concentration",
    "CxSix",
    "Distilled",
    "Gap",
    "Maturity",
    "Moments",
    "OutcomeCost",
    "Overview",
    "Pace",
    "Register",
    "Replayed",
    "Voice",
    "assess",
    "audit_kpis",
    "causes_of_failure",
    "concentration",
    "cumulative_incidence",
    "cx_six",
    "decision_register",
    "direct_follows",
    "distil",
    "event_types",
    "gap",
    "maturity",
    "moments",
    "n_variants",
    "opened_between",
    "outcome_cost",
    "outcome_trend",
    "overview",
    "pace_of_change",
    "parse_initiatives",
    "parse_kpis",
    "parse_questionnaire",
    "points_of_failure",
    "promise_breaks",
    "promise_verdicts",
    "starts_and_ends",
    "teams_in_sight",
    "time_to_outcome",
    "variants",
    "voice",
    "work_in_sight",
]
