"""The registry of insights: one entry a subject, in the order in which the report shows them."""

from __future__ import annotations

from collections.abc import Collection
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

ADJUSTED = ("exclude", "seed")
"""Options of whatever rests on what was known when a case opened."""

SUBJECTS: tuple[Subject, ...] = (
    Subject(
        name="gap",
        title="The gap",
        about="each statement of the canvas against the events, and which promises close the gap",
        make=gap_section,
        options=ADJUSTED,
        learns=True,
    ),
    Subject(
        name="moments",
        title="Moments, hand-overs and decisions",
        about="how many, whose, what each moment causes and costs, what serves no outcome",
        make=moments_section,
        learns=True,
    ),
    Subject(
        name="failure",
        title="Points of failure, adjusted",
        about="where cases start to fail, what if each were gone, and what to do in which order",
        make=causes_section,
        options=ADJUSTED,
        learns=True,
    ),
    Subject(
        name="decisions",
        title="Decision register",
        about="every business rule: whose, why, how old, how often, what it costs customers",
        make=decisions_section,
        options=("as_of", *ADJUSTED),
        learns=True,
    ),
    Subject(
        name="kpis",
        title="KPI audit",
        about="which measures count our own work, which fight the customer, what people are paid for",
        make=kpis_section,
        options=("file", *ADJUSTED),
        learns=True,
        can=lambda inputs: bool(inputs.kpis),
        needs="a file of KPIs: keep one with the journey, or send it with POST; see docs/insight-kpis.md",
    ),
    Subject(
        name="foresight",
        title="Foresight, and how far to trust it",
        about="how well failures were foreseen, how early, and how far the probabilities hold",
        make=foresight_section,
        can=lambda inputs: inputs.backtest is not None,
        needs="a backtest: truenorth report --backtest FILE; see docs/foresight.md",
    ),
    Subject(
        name="initiatives",
        title="True north: initiatives",
        about="what contributes to the outcome: initiatives before and after, the line of sight of every team",
        make=initiatives_section,
        options=("file", *ADJUSTED),
        learns=True,
    ),
    Subject(
        name="pace",
        title="Pace of change",
        about="how fast customers change and how fast the company does, with the days of the changes",
        make=pace_section,
        options=ADJUSTED,
        learns=True,
    ),
    Subject(
        name="feel",
        title="How it feels, and what an outcome costs",
        about="six figures of how it feels to be a customer, and the cost of an achieved outcome",
        make=feel_section,
    ),
    Subject(
        name="concentration",
        title="How much comes from how few",
        about="the share of the largest campaigns, channels, customers, causes",
        make=concentration_section,
        options=("of", "measure", "top"),
    ),
    Subject(
        name="voice",
        title="What customers say",
        about="what customers say, as themes: how often, and what becomes of those who say it",
        make=voice_section,
        options=("file", "seed"),
        learns=True,
    ),
    Subject(
        name="maturity",
        title="Does the customer come first?",
        about="ten yes-or-no questions with the evidence and the next step",
        make=maturity_section,
        options=("as_of", "answer"),
    ),
)
"""All subjects of a replay. To add one: write its section in a file of its own here, and its entry above."""

ELSEWHERE = {
    "practitioners": "made from a survey, not from events: truenorth insight practitioners QUESTIONS ANSWERS",
    "patterns": "files that travel between companies, not a finding about one: truenorth pattern",
}
"""Subjects that no replay answers, and where they are."""


def subject(name: str) -> Subject:
    """The subject of a name; KeyError for an unknown one.

    >>> subject("moments").title
    'Moments, hand-overs and decisions'
    """
    return {one.name: one for one in SUBJECTS}[name]


def is_installed(subject: Subject) -> bool:
    """Whether the libraries are there that a subject needs."""
    return not subject.learns or (find_spec("sklearn") is not None and find_spec("scipy") is not None)


def sections(replay: Replayed, inputs: Inputs, names: Collection[str]) -> list[tuple[Subject, Section]]:
    """The sections of those subjects of some names that can be answered here, with what is given and installed."""
    told = [one for one in SUBJECTS if one.name in names and is_installed(one) and one.can(inputs)]
    return [(one, one.make(replay, inputs)) for one in told]
