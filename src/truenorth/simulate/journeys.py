"""The four journeys of the causal model: what can go wrong in each, and what comes of it."""

from __future__ import annotations

from truenorth.simulate.model import Category, Cause, Chance, Consequence, Effect, JourneyModel, Step

_CALM = Effect()
_CONFOUNDED = "no effect: broken under load and severity, which have one themselves"
_NOTHING = "no effect: broken at random"


def _wait(effect: Effect, note: str) -> Cause:
    return Cause("answered_soon", "wait", "late", effect, None, note)


def _transfers(effect: Effect, intercept: float) -> Cause:
    chance = Chance(intercept, severity=0.35, load=0.25)
    return Cause(
        "no_ping_pong", "transfers", "transferred", effect, chance, "per transfer; transfers also make us ask again"
    )


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
        "promise",
        "confirmed",
        "Confirmation promised",
        "Confirmed in writing",
        due_h=24,
        team="Back office",
        applies=applies,
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
        Cause(
            "date_confirmed", "promise", "promise", Effect(0.2, 0.7), Chance(-1.5, load=0.3), "until then nobody plans"
        ),
        Cause(
            "visit_kept",
            "promise",
            "visit",
            Effect(1.3, 0.5),
            Chance(-1.7, severity=0.3, wiring=0.5),
            "a day off for nothing",
        ),
        Cause(
            "asked_once",
            "flaw",
            "asked",
            _CALM,
            Chance(-1.7, transfers=0.9),
            "no effect in this journey: a symptom of transfers",
        ),
        _confirmed(_CALM, _NOTHING),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step("promise", "date_confirmed", "Date promised", "Date confirmed", due_h=24, team="Orders"),
        _DECIDE,
        Step(
            "promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 72, "Field service", (0.0, 0.7)
        ),
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
        Cause("tested_first", "omission", "late", _CALM, Chance(-2.0, severity=1.1, load=0.4), _CONFOUNDED),
        Cause(
            "visit_kept",
            "promise",
            "visit",
            Effect(0.9, 0.3),
            Chance(-1.5, severity=0.2, wiring=0.5),
            "a day off for nothing",
        ),
        Cause("kept_informed", "promise", "uninformed", Effect(0.3, 0.9), Chance(-0.9, load=0.3, hurry=0.2), "silence"),
        Cause(
            "right_first_time",
            "flaw",
            "wrong",
            Effect(1.2, 0.2),
            Chance(-1.9, severity=0.3),
            "a wrong answer acted upon",
        ),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step("omission", "tested_first", done="Line tested", team="Technical", applies=(0.0, 0.35)),
        Step("promise", "called_back", "Call back promised", "Called back", due_h=24, applies=(0.15, 0.75)),
        _DECIDE,
        Step(
            "promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 48, "Field service", (0.0, 0.35)
        ),
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
        Cause(
            "explained", "promise", "promise", Effect(0.8, 0.4), Chance(-1.2, severity=0.2, load=0.3), "not understood"
        ),
        Cause("called_back", "promise", "call_back", _CALM, Chance(-1.2, severity=0.8, load=0.4), _CONFOUNDED),
        Cause("corrected", "promise", "promise", Effect(1.0, 0.2), Chance(-1.3, severity=0.3), "the error stays"),
        Cause("right_first_time", "flaw", "wrong", Effect(1.0, 0.1), Chance(-1.9, severity=0.2), "a second wrong bill"),
        _confirmed(_CALM, _NOTHING),
    ),
    steps=(
        *_talk(),
        Step(
            "promise",
            "explained",
            "Explanation promised",
            "Bill explained",
            due_h=24,
            team="Billing",
            applies=(0.0, 0.55),
        ),
        _DECIDE,
        Step("promise", "called_back", "Call back promised", "Called back", due_h=24, applies=(0.45, 0.85)),
        _DECIDE,
        Step(
            "promise", "corrected", "Error admitted", "Bill corrected", due_h=48, team="Back office", applies=(0.3, 0.7)
        ),
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
        Cause(
            "switched_in_time",
            "promise",
            "promise",
            Effect(0.9, 0.2),
            Chance(-1.4, severity=0.3),
            "no line in the new home",
        ),
        Cause(
            "visit_kept",
            "promise",
            "visit",
            Effect(1.2, 0.4),
            Chance(-1.6, severity=0.3, wiring=0.5),
            "a day off for nothing",
        ),
        Cause("kept_informed", "promise", "uninformed", Effect(0.4, 0.8), Chance(-0.9, load=0.3, hurry=0.2), "silence"),
        Cause(
            "asked_once",
            "flaw",
            "asked",
            _CALM,
            Chance(-1.6, transfers=0.9),
            "no effect in this journey: a symptom of transfers",
        ),
        _confirmed(Effect(0.25, 0.25), "two households to tell"),
    ),
    steps=(
        *_talk(),
        Step("flaw", "asked_once", done="Asked again"),
        Step(
            "promise",
            "switched_in_time",
            "Switch-over promised",
            "Line switched",
            due_h=48,
            team="Orders",
            applies=(0.2, 1.0),
        ),
        _DECIDE,
        Step(
            "promise", "visit_kept", "Visit booked", "Technician came", "Visit missed", 48, "Field service", (0.0, 0.35)
        ),
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

CONSEQUENCES = (
    Consequence("connect", "stays_connected", "broken when a case is reopened: follows from the outcome"),
    Consequence("connect", "never_silent", "a rhythm: broken by late steps and by the silence of abandoned cases"),
    Consequence("help", "no_bad_mood", "the mood follows what went wrong; it does nothing by itself"),
    Consequence("bill", "chase_answered", "customers chase what is late already; broken where it stays late"),
    Consequence("bill", "cheap_enough", "cost adds up in cases that go wrong"),
    Consequence("move", "stays_settled", "broken when a case is reopened: follows from the outcome"),
)
