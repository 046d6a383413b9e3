"""Output or outcome: what a KPI measures, told from its formula alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from truenorth.insight.kpi_file import Formula, Kpi
from truenorth.insight.matching import types_named
from truenorth.spec.conditions import fields_of
from truenorth.spec.expressions import Condition
from truenorth.spec.model import Journey

Kind = Literal["output", "outcome"]

OUTCOME_FIELDS = {
    "outcome": "the verdict on the case",
    "reason": "the verdict on the case",
    "value": "what the verdict is worth",
    "reopened": "whether the outcome held",
    "verdict": "whether a promise was kept",
    "kept": "promises kept",
    "broken": "promises broken",
    "feeling": "how the customer felt",
    "score": "what the customer said of it",
}
"""Fields that tell what happened for the customer."""


class Told(NamedTuple):
    """What a formula measures, and why it is taken for that."""

    kind: Kind
    reason: str


def kind_of(formula: Formula, journey: Journey) -> Told:
    """Whether a formula counts the company's own work or what happened for the customer.

    *Rule*: it is an *outcome* if it reads a field of `OUTCOME_FIELDS`, or counts only event types by which the
    journey's outcome fails or is reopened. Everything else is an *output*; so is the event that achieves the outcome
    where that has to hold, for the event alone does not say that it did.

    >>> from truenorth.spec.conditions import parse_condition
    >>> achieved = parse_condition("outcome = 'achieved'")
    >>> kind_of(Formula(aggregate="share", condition=achieved, of="cases"), Journey(name="help")).kind
    'outcome'
    """
    told = [OUTCOME_FIELDS[name] for name in _fields(formula) if name in OUTCOME_FIELDS]
    if told:
        return Told("outcome", f"it reads {' and '.join(dict.fromkeys(told))}")
    types = frozenset().union(*(types_named(one.tree) for one in _conditions(formula)))
    outcome = journey.outcome
    bad = frozenset().union(*(types_named(one.tree) for one in (outcome.failed, outcome.reopened) if one))
    if types and types <= bad:
        return Told("outcome", f"it counts {_listed(types)}, by which the outcome fails or does not hold")
    good = types_named(outcome.achieved.tree) if outcome.achieved else frozenset()
    if types & good:
        holds = " and it has to hold, which the event does not say" if outcome.holds_for_us else ""
        return Told("output", f"it counts {_listed(types & good)}, which we record ourselves{holds}")
    if types:
        return Told("output", f"it measures {_listed(types)}: work done, whatever came of it")
    read = ", ".join(_fields(formula)) or "no field"
    return Told("output", f"it reads {read}: nothing of what happened for the customer")


def _fields(formula: Formula) -> tuple[str, ...]:
    names = dict.fromkeys(name for one in _conditions(formula) for name in fields_of(one.tree))
    return tuple(names | ({formula.field: None} if formula.field else {}))


def _conditions(formula: Formula) -> Iterator[Condition]:
    yield from (one for one in (formula.condition, formula.where) if one)


def _listed(types: frozenset[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(types))


class Harmful(NamedTuple):
    """A measure that is known to do harm as a target: its usual names, and how the harm comes about."""

    name: str
    pattern: re.Pattern[str]
    why: str


def _harmful(name: str, pattern: str, why: str) -> Harmful:
    return Harmful(name, re.compile(pattern, re.IGNORECASE), why)


CATALOGUE = (
    _harmful(
        "service level",
        r"service.?level|answer(ed)?.?(rate|share|within|soon)|pick.?up",
        "Who is paid for picking up in time picks up and passes on: the clock stops, the problem travels.",
    ),
    _harmful(
        "average handle time",
        r"handl(e|ing).?time|\baht\b|talk.?time",
        "Short talks are had by ending them before the problem is solved; nobody counts that the customer calls again.",
    ),
    _harmful(
        "average queue time",
        r"queue.?time|wait(ing)?.?time|speed.?of.?answer|\basa\b",
        "A short queue can be had by turning customers away or hurrying those in front; to be answered is not to be "
        "helped.",
    ),
    _harmful(
        "abandonment",
        r"abandon",
        "It falls when customers are kept from hanging up, or from calling at all; why they had to call stays.",
    ),
    _harmful(
        "first-call resolution",
        r"first.?(call|contact).?resol|\bfcr\b",
        "Who says that a case was resolved is who is measured; and it rewards easy calls that should not have been "
        "needed.",
    ),
    _harmful(
        "occupancy",
        r"occupan|utili[sz]ation",
        "Everybody busy means everybody waits: what is not yet asked for has no room, and customers pay with time.",
    ),
    _harmful(
        "agent turnover",
        r"turnover|attrition|retention.?of.?staff",
        "It tells how people fare under all the other targets; as a target it hides why they leave.",
    ),
)  # fmt: skip
"""The seven call-centre measures that the field calls harmful when they are targets, with why in our own words."""


def in_catalogue(kpi: Kpi) -> Harmful | None:
    """The entry of the catalogue that a KPI is called like, if there is one.

    >>> from truenorth.insight.kpi_file import Formula
    >>> in_catalogue(Kpi(name="aht", formula=Formula(aggregate="mean", field="talk_s"))).name
    'average handle time'
    """
    words = f"{kpi.name.replace('_', ' ')} {kpi.title}"
    return next((one for one in CATALOGUE if one.pattern.search(words)), None)
