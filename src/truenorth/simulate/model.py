"""The causal model, declared once: `tables` compiles it for the loop, `truth` and docs/company.md are computed from it.

All effects are on the logit scale of a multinomial logistic model with three outcomes: ``failed`` and ``abandoned`` are
log-odds against *achieved*. All chances of causes are logistic too.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

OUTCOMES = ("achieved", "failed", "abandoned")

CauseKind = Literal["wait", "transfers", "promise", "flaw", "omission"]
"""How a cause comes about: a queue, a number of transfers, a promise with a due time, an event, an event left out."""

Sign = Literal["late", "transferred", "asked", "call_back", "visit", "uninformed", "wrong", "promise"]
"""What an action may answer to. Causes of several journeys share a sign."""


class Effect(NamedTuple):
    """Log-odds of failing and of being abandoned, each against *achieved*."""

    failed: float = 0.0
    abandoned: float = 0.0


class Chance(NamedTuple):
    """Log-odds of a cause: intercept, and per unit of each driver.

    ``severity`` 0, 1, 2; ``load`` as at the opening, people waiting per person at work, at most 3; ``hurry`` 1 in the
    segment ``needs_speed``; ``wiring`` the hidden one, standard normal; ``transfers`` per transfer of the same case.
    """

    intercept: float
    severity: float = 0.0
    load: float = 0.0
    hurry: float = 0.0
    wiring: float = 0.0
    transfers: float = 0.0


class Cause(NamedTuple):
    """Something that may go wrong in a case, named as the promise of the journey file that it breaks.

    ``effect`` is per level: 1, but for transfers, of which there may be up to `MAX_TRANSFERS`.
    """

    name: str
    kind: CauseKind
    sign: Sign
    effect: Effect
    chance: Chance | None  # None: it comes from the queue
    note: str


class Step(NamedTuple):
    """One step of a case's way, in order.

    ``cause`` is at stake where the step applies: in cases whose own number in [0, 1) lies in ``applies``. ``starts``,
    ``done``, ``missed`` are event types; ``due_h`` hours. A kept promise is done within it, a broken one up to half as
    long late.
    """

    kind: Literal["talk", "transfer", "promise", "flaw", "omission", "decide", "settle"]
    cause: str = ""
    starts: str = ""
    done: str = ""
    missed: str = ""
    due_h: float = 0.0
    team: str = ""
    applies: tuple[float, float] = (0.0, 1.0)


class Category(NamedTuple):
    """A kind of need within a journey: its share, and what it does to the outcome by itself."""

    name: str
    share: float
    effect: Effect


class JourneyModel(NamedTuple):
    """One journey: how often it is needed, by whom it is handled, what can go wrong, what outcomes are worth (EUR)."""

    name: str
    letter: str
    need: str
    per_day: float  # needs per customer and day
    categories: tuple[Category, ...]
    base: Effect
    first_team: str
    second_team: str
    handle_min: float
    late_after_min: float
    within_d: int
    holds_for_d: int
    abandoned_after_d: int
    value: tuple[float, float, float]
    causes: tuple[Cause, ...]
    steps: tuple[Step, ...]


MAX_TRANSFERS = 3
FORCED_TRANSFERS = 2
"""The level of transfers that forcing them sets; it breaks the promise of at most one."""

SEVERITY_SHARES = (0.5, 0.35, 0.15)
SEVERITY = Effect(0.45, 0.30)
LOAD = Effect(0.30, 0.35)
WIRING = Effect(0.20, 0.0)
"""Old wiring in the house: hidden, weak; it also makes visits miss."""


class Segment(NamedTuple):
    """A kind of customer by need: share, median patience in a queue (minutes), what it does to the outcome."""

    name: str
    share: float
    patience_min: float
    effect: Effect


SEGMENTS = (
    Segment("needs_certainty", 0.40, 25, Effect(0.0, -0.20)),
    Segment("needs_speed", 0.35, 9, Effect(0.25, 0.35)),
    Segment("needs_care", 0.25, 40, Effect(0.10, 0.0)),
)
WEEKDAY_NEEDS = (1.25, 1.1, 1.0, 1.0, 1.0, 0.75, 0.6)
"""How many needs a weekday has, Monday first, times the journey's rate."""
HOUR_NEEDS = (1, 1, 0, 0, 0, 1, 3, 8, 20, 30, 32, 28, 20, 20, 24, 26, 28, 30, 26, 18, 8, 5, 3, 2)
"""Weights of the hours (UTC) at which needs come."""
STAFF_BY_HOUR = {range(8, 12): 1.0, range(12, 14): 0.8, range(14, 18): 1.0, range(18, 20): 0.8}
"""The share of a team that is at work on a weekday."""
WEEKEND_STAFF = 0.75
"""The share of it on Saturday and Sunday, until 19 h."""
OCCUPANCY = 0.92
"""What share of the day shift's time talks take on a usual weekday, by which teams are sized: queues build at peaks."""
CHANNELS = ("phone", "web", "chat", "branch")
CHANNEL_SHARES = {"low": (0.68, 0.10, 0.06, 0.16), "high": (0.38, 0.32, 0.26, 0.04)}
"""By tech-savvy. Only on phone and chat does a customer hang up."""
QUEUE_TEAMS = ("First line", "Technical", "Billing", "Orders", "Back office")
TEAMS = (*QUEUE_TEAMS, "Field service")


class Consequence(NamedTuple):
    """A promise of a journey file that is broken by what happens, and causes nothing itself."""

    journey: str
    name: str
    note: str


class Rule(NamedTuple):
    """What an action changes where all of ``when`` holds; the rules of an action add up.

    ``when``: signs of causes that have shown by then, and ``journey:``, ``segment:`` or ``severe`` (severity 2).
    """

    when: tuple[str, ...]
    effect: Effect


class Action(NamedTuple):
    """What can be done at a moment: its event, cost (EUR), how many a day per 1,000 customers, its effects."""

    name: str
    event: str
    cost_eur: float
    per_day: float
    rules: tuple[Rule, ...]


ACTIONS = (
    Action("do_nothing", "", 0.0, 0.0, ()),
    Action(
        "call_back_now",
        "Called back at once",
        12.0,
        3.0,
        (Rule(("call_back", "journey:help"), Effect(-1.4, -0.9)), Rule(("segment:needs_speed",), Effect(0.25, 0.0))),
    ),
    Action(
        "goodwill_credit",
        "Credit given",
        20.0,
        3.0,
        (Rule(("severe",), Effect(-0.7, -0.3)), Rule(("segment:needs_certainty",), Effect(-0.3, -0.3))),
    ),
    Action("priority_technician", "Technician sent first", 55.0, 1.0, (Rule(("visit",), Effect(-1.6, -0.6)),)),
    Action(
        "explain_by_phone",
        "Bill gone through by phone",
        9.0,
        3.0,
        (
            Rule(("promise", "journey:bill"), Effect(-1.1, -0.8)),
            Rule(("segment:needs_speed",), Effect(0.30, 0.20)),
        ),
    ),
    Action(
        "proactive_message",
        "Message sent ahead",
        0.5,
        20.0,
        (Rule(("uninformed",), Effect(-0.3, -1.0)), Rule(("segment:needs_care",), Effect(0.15, 0.0))),
    ),
    Action("apology_letter", "Apology posted", 2.0, 10.0, ()),
)
"""The first does nothing by definition, the last does nothing in truth."""

TRIGGERS = ("none", "promise_broken", "second_contact", "complaint")
"""What opens a moment to decide. At most one a case, at the first that comes."""


COST_EUR = {
    "Answered": 4.0,
    "Transferred": 1.5,
    "Asked again": 0.5,
    "Asked for details": 0.5,
    "Called back": 4.0,
    "Visit missed": 15.0,
    "Technician came": 48.0,
    "Passed to specialists": 2.0,
    "Told how it stands": 1.5,
    "Answer corrected": 3.0,
    "Line tested": 1.0,
    "Date confirmed": 1.0,
    "Bill explained": 3.0,
    "Bill corrected": 6.0,
    "Confirmed in writing": 1.0,
    "Line switched": 12.0,
    "Complained": 8.0,
    "Closed": 1.0,
}
"""What an event costs us; actions have their own costs."""
REVENUE_EUR = {"Date confirmed": 49.0, "Line switched": 25.0}


class Incentives(NamedTuple):
    """What a team that is paid by an output does: factors and log-odds added to chances and outcomes."""

    handle: float = 1.0
    wrong: float = 0.0
    transfers: float = 0.0
    failed: float = 0.0
    reopened_if_achieved: float = 0.20


INCENTIVES = {
    "handle_time": Incentives(handle=0.7, wrong=0.9, failed=0.35, reopened_if_achieved=0.40),
    "answer_rate": Incentives(handle=0.85, transfers=1.2),
}
DRIFT_ABANDONED = 0.8
"""Log-odds of being abandoned that a drift of patience adds, times its size."""
DRIFT_PROCESS = 2.0
"""Log-odds of breaking ``called_back`` that the worse process adds, times its size."""

COMPLAINS = 0.3
"""The chance that a customer whose promise has just been broken complains."""
CHASES = 0.5
"""The chance that a customer asks for what is overdue."""
SURVEY_ANSWERS = (0.24, 0.07, 0.17)
"""The chance of answering with a score up to 2, in between, from 9."""


class Row(NamedTuple):
    """An event of a script, so many hours after what came before."""

    event: str
    from_h: float
    to_h: float


class Script(NamedTuple):
    """What a settled case shows, and for which share of the cases of its outcome.

    The share of an achieved case that comes back depends on incentives; that of the first script is what is left of it.
    """

    outcome: str
    of_outcome: float
    rows: tuple[Row, ...]

    def share(self, outcome: str, paid: Incentives) -> float:
        """The share of cases of an outcome that follow it.

        >>> SCRIPTS[0].share("achieved", Incentives()), SCRIPTS[0].share("failed", Incentives())
        (0.8, 0.0)
        """
        if self.outcome != outcome:
            return 0.0
        if outcome != "achieved":
            return self.of_outcome
        return paid.reopened_if_achieved if len(self.rows) > 1 else 1 - paid.reopened_if_achieved


_CLOSED = Row("Closed", 0.2, 2)
_BACK = (_CLOSED, Row("Reopened", 10, 40))
SCRIPTS = (
    Script("achieved", 0.8, (_CLOSED,)),
    Script("achieved", 0.2, (*_BACK, Row("Closed", 2, 12))),
    Script("failed", 0.15, (*_BACK, Row("Complained", 1, 10), Row("Left", 10, 40))),
    Script("failed", 0.2, (*_BACK, Row("Left", 10, 40))),
    Script("failed", 0.15, (Row("Complained", 1, 20), Row("Left", 5, 40))),
    Script("failed", 0.5, (Row("Chased", 6, 30), Row("Told how it stands", 10, 30))),
    Script("abandoned", 0.5, (Row("Asked for details", 0.2, 3),)),
    Script("abandoned", 0.5, (*_BACK, Row("Asked for details", 1, 10))),
)
"""The sixth goes round until the time of the journey is over, and is closed then: too late."""
