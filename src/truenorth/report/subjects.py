"""The registry of insights: one entry a subject, in the order in which the report shows them."""

from __future__ import annotations

from importlib.util import find_spec

from truenorth.insight.replayed import Replayed
from truenorth.report.causes import causes_section
from truenorth.report.concentration import concentration_section
from truenorth.report.cx_six import feel_section
from truenorth.report.foresight import foresight_section
from truenorth.report.gap import gap_section
from truenorth.report.initiatives import initiatives_section
from truenorth.report.kpis import kpis_section
from truenorth.report.maturity import maturity_section
from truenorth.report.moments import moments_section
from truenorth.report.pace import pace_section
from truenorth.report.rules import decisions_section
from truenorth.report.section import Inputs, Section, Subject
from truenorth.report.voice import voice_section

SUBJECTS: tuple[Subject, ...] = (
    Subject(name="gap", title="The gap", make=gap_section, learns=True),
    Subject(name="moments", title="Moments, hand-overs and decisions", make=moments_section, learns=True),
    Subject(name="failure", title="Points of failure, adjusted", make=causes_section, learns=True),
    Subject(name="decisions", title="Decision register", make=decisions_section, learns=True),
    Subject(name="kpis", title="KPI audit", make=kpis_section, learns=True, can=lambda inputs: bool(inputs.kpis)),
    Subject(
        name="foresight",
        title="Foresight, and how far to trust it",
        make=foresight_section,
        can=lambda inputs: inputs.backtest is not None,
    ),
    Subject(name="initiatives", title="True north: initiatives", make=initiatives_section, learns=True),
    Subject(name="pace", title="Pace of change", make=pace_section, learns=True),
    Subject(name="feel", title="How it feels, and what an outcome costs", make=feel_section),
    Subject(name="concentration", title="How much comes from how few", make=concentration_section),
    Subject(name="voice", title="What customers say", make=voice_section, learns=True),
    Subject(name="maturity", title="Does the customer come first?", make=maturity_section),
)
"""All subjects. To add one: write its section in a file of its own here, and its entry above."""


def subject(name: str) -> Subject:
    """The subject of a name; KeyError for an unknown one.

    >>> subject("moments").title
    'Moments, hand-overs and decisions'
    """
    return {one.name: one for one in SUBJECTS}[name]


def sections(replay: Replayed, inputs: Inputs) -> list[tuple[Subject, Section]]:
    """The sections of all subjects that can be answered here: those that learn only where the extra is installed."""
    can_learn = find_spec("sklearn") is not None and find_spec("scipy") is not None
    told = [one for one in SUBJECTS if (can_learn or not one.learns) and one.can(inputs)]
    return [(one, one.make(replay, inputs)) for one in told]
