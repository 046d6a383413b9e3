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

    ``severity`` 0, 1, 2; ``load`` as at the opening, people waiting per person at work, at most 3; ``hurry`` 1 in the segment
    ``needs_speed``; ``wiring`` the hidden one, standard normal; ``transfers`` per transfer of the same case.
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
    ``done``, ``missed`` are event types; ``due_h`` hours. A kept promise is done within it, a broken one up to half as long late.
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
OCCUPANCY = 0.98
"""What share of the day shift's time talks take on a usual weekday, by which teams are sized: queues build at peaks."""
CHANNELS = ("phone", "web", "chat", "branch")
CHANNEL_SHARES = {"low": (0.68, 0.10, 0.06, 0.16), "high": (0.38, 0.32, 0.26, 0.04)}
"""By tech-savvy. Only on phone and chat does a customer hang up."""
QUEUE_TEAMS = ("First line", "Technical", "Billing", "Orders", "Back office")
TEAMS = (*QUEUE_TEAMS, "Field service")

_CALM = Effect()
_CONFOUNDED = "no effect: broken under load and severity, which have one themselves"
_NOTHING = "no effect: broken at random"


def _wait(effect: Effect, note: str) -> Cause:
    return Cause("answered_soon", "wait", "late", effect, None, note)


def _transfers(effect: Effect, intercept: float) -> Cause:
    chance = Chance(intercept, severity=0.35, load=0.25)
    return Cause("no_ping_pong", "transfers", "transferred", effect, chance, "per transfer; transfers also make us ask again")


def _confirmed(effect: Effect, note: str) -> Cause:
    return Cause("confirmed", "promise", "promise", effect, Chance(-1.2), note)


def _talk(transfers: bool = True) -> tuple[Step, ...]:
    return (Step("talk"), Step("transfer", cause="no_ping_pong")) if transfers else (Step("talk"),)


_ASK_DETAILS = Step("promise", starts="Asked for details", done="Details sent", due_h=20, applies=(0.62, 1.0))
_DECIDE = Step("decide")
_SETTLE = Step("settle")
_INFORM = Step(
    "promise",
    "kept_informed",
    "Passed to specialists",
    "Told how it stands",
    due_h=48,
    team="Technical",
    applies=(0.35, 0.75),
)


def _confirm(applies: tuple[float, float]) -> Step:
    return Step(
        "promise", "confirmed", "Confirmation promised", "Confirmed in writing", due_h=24, team="Back office", applies=applies
    )


CONNECT = JourneyModel(
    name="connect",
    letter="K",
    need="Ordered a line",
    per_day=0.003,
    categories=(
        Category("new_home", 0.5, Effect()),
        Category("switch", 0.35, Effect(0.2, 0.3)),
        Category("fibre", 0.15, Effect(0.7, 0.3)),
    ),
    base=Effect(-2.75, -3.75),
    first_team="Orders",
    second_team="Technical",
    handle_min=28,
    late_after_min=60,
    within_d=21,
    holds_for_d=10,
    abandoned_after_d=6,
    value=(300, -180, -260),
    causes=(
        _wait(Effect(0.25, 0.45), "real here: who waits for an order finds another provider"),
        _transfers(Effect(0.30, 0.15), -1.6),
        Cause("date_confirmed", "promise", "promise", Effect(0.2, 0.7), Chance(-1.5, load=0.3), "until then nobody plans"),
        Cause("visit_kept", "promise", "visit", Effect(1.3, 0.5), Chance(-1.7, severity=0.3, wiring=0.5), "a day off for nothing"),
        Cause("asked_once", "flaw", "asked", _CALM, Chance(-1.7, transfers=0.9), "no effect in this journey: a symptom of transfers"),
        _confirmed(_CALM, _NOTHING),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step("promise", "date_confirmed", "Date promised", "Date confirmed", due_h=24, team="Orders"),
        _DECIDE,
        Step("promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 72, "Field service", (0.0, 0.7)),
        _DECIDE,
        _ASK_DETAILS,
        _confirm((0.3, 0.8)),
        _SETTLE,
    ),
)

HELP = JourneyModel(
    name="help",
    letter="H",
    need="Asked for help",
    per_day=0.014,
    categories=(
        Category("slow_line", 0.45, Effect()),
        Category("no_line", 0.3, Effect(0.35, 0.1)),
        Category("router", 0.25, Effect(0.6, 0.2)),
    ),
    base=Effect(-3.1, -3.4),
    first_team="First line",
    second_team="Technical",
    handle_min=24,
    late_after_min=30,
    within_d=14,
    holds_for_d=7,
    abandoned_after_d=4,
    value=(90, -240, -90),
    causes=(
        _wait(_CALM, _CONFOUNDED),
        _transfers(Effect(0.35, 0.20), -1.4),
        Cause("asked_once", "flaw", "asked", Effect(0.45, 0.25), Chance(-1.6, transfers=0.9), "telling it twice"),
        Cause(
            "called_back", "promise", "call_back", Effect(1.1, 0.5), Chance(-1.1, severity=0.3, load=0.35), "waited for"
        ),
        Cause("tested_first", "omission", "late", _CALM, Chance(-1.4, severity=0.5, load=0.4), _CONFOUNDED),
        Cause("visit_kept", "promise", "visit", Effect(0.9, 0.3), Chance(-1.5, severity=0.2, wiring=0.5), "a day off for nothing"),
        Cause("kept_informed", "promise", "uninformed", Effect(0.3, 0.9), Chance(-0.9, load=0.3, hurry=0.2), "silence"),
        Cause("right_first_time", "flaw", "wrong", Effect(1.2, 0.2), Chance(-1.9, severity=0.3), "a wrong answer acted upon"),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step("omission", "tested_first", done="Line tested", team="Technical", applies=(0.0, 0.35)),
        Step("promise", "called_back", "Call back promised", "Called back", due_h=24, applies=(0.15, 0.75)),
        _DECIDE,
        Step("promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 48, "Field service", (0.0, 0.35)),
        _DECIDE,
        _INFORM,
        _DECIDE,
        Step("flaw", "right_first_time", done="Answer corrected"),
        _ASK_DETAILS,
        _DECIDE,
        _SETTLE,
    ),
)

BILL = JourneyModel(
    name="bill",
    letter="B",
    need="Questioned a bill",
    per_day=0.009,
    categories=(
        Category("too_high", 0.5, Effect()),
        Category("not_mine", 0.2, Effect(0.5, 0.1)),
        Category("unclear", 0.3, Effect(0.1, 0.4)),
    ),
    base=Effect(-2.75, -3.4),
    first_team="Billing",
    second_team="Back office",
    handle_min=18,
    late_after_min=45,
    within_d=21,
    holds_for_d=14,
    abandoned_after_d=5,
    value=(40, -200, -60),
    causes=(
        _wait(Effect(0.0, 0.3), "only the patient stay"),
        _transfers(Effect(0.3, 0.1), -1.5),
        Cause("explained", "promise", "promise", Effect(0.8, 0.4), Chance(-1.2, severity=0.2, load=0.3), "not understood"),
        Cause("called_back", "promise", "call_back", _CALM, Chance(-1.2, severity=0.8, load=0.4), _CONFOUNDED),
        Cause("corrected", "promise", "promise", Effect(1.0, 0.2), Chance(-1.3, severity=0.3), "the error stays"),
        Cause("right_first_time", "flaw", "wrong", Effect(1.0, 0.1), Chance(-1.9, severity=0.2), "a second wrong bill"),
        _confirmed(_CALM, _NOTHING),
    ),
    steps=(
        *_talk(),
        Step("promise", "explained", "Explanation promised", "Bill explained", due_h=24, team="Billing", applies=(0.0, 0.55)),
        _DECIDE,
        Step("promise", "called_back", "Call back promised", "Called back", due_h=24, applies=(0.45, 0.85)),
        _DECIDE,
        Step("promise", "corrected", "Error admitted", "Bill corrected", due_h=48, team="Back office", applies=(0.3, 0.7)),
        _DECIDE,
        Step("flaw", "right_first_time", done="Answer corrected"),
        _ASK_DETAILS,
        _confirm((0.1, 0.6)),
        _DECIDE,
        _SETTLE,
    ),
)

MOVE = JourneyModel(
    name="move",
    letter="M",
    need="Announced a move",
    per_day=0.003,
    categories=(
        Category("same_town", 0.6, Effect()),
        Category("other_town", 0.3, Effect(0.3, 0.2)),
        Category("no_cable_there", 0.1, Effect(1.0, 0.6)),
    ),
    base=Effect(-2.75, -3.75),
    first_team="Orders",
    second_team="Back office",
    handle_min=26,
    late_after_min=60,
    within_d=21,
    holds_for_d=10,
    abandoned_after_d=4,
    value=(160, -220, -180),
    causes=(
        _wait(_CALM, _CONFOUNDED),
        _transfers(Effect(0.4, 0.2), -1.3),
        Cause("switched_in_time", "promise", "promise", Effect(0.9, 0.2), Chance(-1.4, severity=0.3), "no line in the new home"),
        Cause("visit_kept", "promise", "visit", Effect(1.2, 0.4), Chance(-1.6, severity=0.3, wiring=0.5), "a day off for nothing"),
        Cause("kept_informed", "promise", "uninformed", Effect(0.4, 0.8), Chance(-0.9, load=0.3, hurry=0.2), "silence"),
        Cause("asked_once", "flaw", "asked", _CALM, Chance(-1.6, transfers=0.9), "no effect in this journey: a symptom of transfers"),
        _confirmed(Effect(0.25, 0.25), "two households to tell"),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step("promise", "switched_in_time", "Switch-over promised", "Line switched", due_h=48, team="Orders", applies=(0.2, 1.0)),
        _DECIDE,
        Step("promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 48, "Field service", (0.0, 0.35)),
        _DECIDE,
        _INFORM,
        _DECIDE,
        _ASK_DETAILS,
        _confirm((0.5, 1.0)),
        _SETTLE,
    ),
)

JOURNEYS = (CONNECT, HELP, BILL, MOVE)

SPILLOVER: dict[tuple[str, str], dict[str, float]] = {
    ("connect", "achieved"): {"help": 0.05},
    ("connect", "failed"): {"help": 0.35, "bill": 0.10},
    ("help", "failed"): {"bill": 0.10},
    ("bill", "failed"): {"help": 0.05},
    ("move", "achieved"): {"bill": 0.20},
    ("move", "failed"): {"help": 0.25, "bill": 0.30},
}
"""The chance that an outcome brings a need in another journey, some days later."""


class Consequence(NamedTuple):
    """A promise of a journey file that is broken by what happens, and causes nothing itself."""

    journey: str
    name: str
    note: str


CONSEQUENCES = (
    Consequence("connect", "stays_connected", "broken when a case is reopened: follows from the outcome"),
    Consequence("connect", "never_silent", "a rhythm: broken by late steps and by the silence of abandoned cases"),
    Consequence("help", "stays_fixed", "broken when a case is reopened: follows from the outcome"),
    Consequence("help", "no_bad_mood", "the mood follows what went wrong; it does nothing by itself"),
    Consequence("bill", "cheap_enough", "cost adds up in cases that go wrong"),
    Consequence("move", "stays_settled", "broken when a case is reopened: follows from the outcome"),
)


class Rule(NamedTuple):
    """What an action changes where all of ``when`` holds; the rules of an action add up.

    ``when``: signs of causes that have shown by then, and ``journey:``, ``segment:`` or ``severe`` (severity 2).
    """

    when: tuple[str, ...]
    effect: Effect


class Action(NamedTuple):
    """What can be done at a moment: the event it leaves, its cost (EUR), how many a day per 1,000 customers, its effects."""

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
