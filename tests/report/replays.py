"""Replays made by hand and by dice, for tests of insights, figures and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from truenorth.spec.expressions import Condition
from truenorth.spec.expressions import Literal as Constant
from truenorth.spec.model import Journey, Outcome, Promise, PromiseKind

T0 = datetime(2024, 1, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
HOSTILE = "<script>alert(1)</script>"

CASES = {
    "case": pl.String, "customer": pl.String, "opened": INSTANT, "resolved": INSTANT, "closed": INSTANT,
    "outcome": pl.String, "reason": pl.String, "outcome_time": INSTANT, "reopened": pl.Int64, "events": pl.Int64,
    "moments": pl.Int64, "decisions": pl.Int64, "handovers": pl.Int64, "internal": pl.Int64, "cost": pl.Float64,
    "revenue": pl.Float64, "value": pl.Float64, "kept": pl.Int64, "broken": pl.Int64, "lapsed": pl.Int64,
    "open": pl.Int64,
}  # fmt: skip
PROMISES = {
    "case": pl.String, "promise": pl.String, "instance": pl.Int64, "started": INSTANT, "due": INSTANT,
    "verdict": pl.String, "decided": INSTANT, "started_by": pl.String, "decided_by": pl.String,
}  # fmt: skip
EVENTS = {
    "case": pl.String, "id": pl.String, "type": pl.String, "time": INSTANT, "team": pl.String, "channel": pl.String,
    "cost": pl.Float64, "moment": pl.Boolean, "decision": pl.Boolean, "internal": pl.Boolean, "handover": pl.Boolean,
}  # fmt: skip
CANVAS = {
    "customer": "Subscribers of the platform",
    "expects": "Weeks of mails and silence",
    "believes": "Getting back to work",
    "affects": {"helps": ["Known-error search"], "harms": ["Three hand-overs on average"]},
    "outcome": ["Working again within 3 days of first telling us, without telling us twice"],
    "one_liner": "Back to work",
}


def hours(n: float) -> datetime:
    """The instant ``n`` hours after the tests' epoch."""
    return T0 + timedelta(hours=n)


@dataclass(frozen=True, eq=False)
class MadeReplay:
    """The attributes of a replay, filled in by a test."""

    journey: Journey
    cases: pl.DataFrame
    events: pl.DataFrame
    promises: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROMISES))
    summary: Mapping[str, Any] = field(default_factory=dict)
    watermark: datetime | None = T0 + timedelta(days=100)


def journey(promises: Sequence[str] = (), value: Mapping[str, float] | None = None, **more: Any) -> Journey:
    """A journey with promises by name and values by verdict."""
    always = Condition("true", Constant(True))
    made = tuple(Promise(name=name, kind=PromiseKind.ABSENCE, never=always) for name in promises)
    worth: Any = value or {}
    outcome = Outcome(achieved=always, value=worth, holds_for_us=more.pop("holds_for_us", None))
    return Journey(name="support", promises=made, outcome=outcome, **more)


def frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of ``schema`` from rows that leave columns out: null, zero or false."""
    zero = {pl.Int64: 0, pl.Float64: 0.0, pl.Boolean: False}
    columns = {name: [row.get(name, zero.get(kind)) for row in rows] for name, kind in schema.items()}
    return pl.DataFrame(columns, schema=dict(schema))


def tiny(promises: Sequence[Mapping[str, Any]] = (), **more: Any) -> MadeReplay:
    """Four cases: two achieved (10 h, 20 h), one failed (5 h), one open since hour 90 with a watermark of 100 h."""
    steps = [
        ("1", "call", 0, "front"), ("1", "check", 4, "back"), ("1", "done", 10, "back"),
        ("2", "call", 0, "front"), ("2", "check", 1, "back"), ("2", "check", 2, "back"), ("2", "done", 20, "front"),
        ("3", "call", 0, "front"), ("3", "leave", 5, None),
        ("4", "call", 90, "front"),
    ]  # fmt: skip
    events = [
        {
            "case": case, "id": f"e{i}", "type": kind, "time": hours(at), "team": team, "channel": "web",
            "moment": kind in {"call", "done", "leave"}, "decision": kind == "check",
            "handover": (case, kind, at) in {("1", "check", 4), ("2", "check", 1), ("2", "done", 20)},
        }
        for i, (case, kind, at, team) in enumerate(steps)
    ]  # fmt: skip
    cases = [
        {
            "case": "1",
            "opened": hours(0),
            "outcome": "achieved",
            "outcome_time": hours(10),
            "value": 100.0,
            "cost": 5.0,
        },
        {
            "case": "2",
            "opened": hours(0),
            "outcome": "achieved",
            "outcome_time": hours(20),
            "value": 100.0,
            "cost": 7.0,
        },
        {
            "case": "3",
            "opened": hours(0),
            "outcome": "failed",
            "reason": "event",
            "outcome_time": hours(5),
            "value": -40.0,
        },
        {"case": "4", "opened": hours(90), "outcome": "open"},
    ]
    more.setdefault("journey", journey(sorted({row["promise"] for row in promises}), {"achieved": 100, "failed": -40}))
    return MadeReplay(
        cases=frame(cases, CASES), events=frame(events, EVENTS), promises=frame(promises, PROMISES),
        watermark=hours(100), **more,
    )  # fmt: skip


# --- by dice -------------------------------------------------------------------------------------------------------

MOMENTS = ("Ask for help", "Answer a question", "Wait for news", "Hear the solution", "Confirm", "Complain", "Give up")
RULES = ("Assign seriousness", "Approve the change", "Check the contract")
WORK = ("Look into it", "Pass to specialists", "Order a part", "Test the repair", "Write it up", "Close the ticket")
DETOURS = (
    ("Pass to specialists", "Look into it"),
    ("Answer a question", "Look into it"),
    ("Order a part", "Wait for news"),
    ("Check the contract", "Approve the change"),
)
TEAMS = ("front desk", "specialists", "field service", "back office")
PROMISE_NAMES = ("looked_at", "kept_informed", "no_ping_pong", "stays_fixed")


def empty() -> MadeReplay:
    """A replay of an empty log."""
    return MadeReplay(journey=journey(["p"]), cases=frame([], CASES), events=frame([], EVENTS), watermark=None)


def hostile() -> MadeReplay:
    """A replay whose every text tries to be markup."""
    made = diced(120, n_open=5)
    renamed = {
        "Ask for help": HOSTILE,
        "Look into it": "</script><img src=x onerror=alert(1)>",
        "Complain": "<b>&amp;$x$",
    }
    events = made.events.with_columns(
        pl.col("type").replace(renamed),
        pl.col("team").replace({"front desk": HOSTILE}),
        pl.col("channel").replace({"web": "<img src=x onerror=alert(1)>"}),
    )
    canvas = {**CANVAS, "one_liner": HOSTILE, "affects": {HOSTILE: [HOSTILE]}}
    promises = made.promises.with_columns(pl.col("promise").replace({"looked_at": HOSTILE}))
    told = journey([HOSTILE], {"achieved": 1}, title=HOSTILE, currency=HOSTILE, canvas=canvas)
    return MadeReplay(
        journey=told, cases=made.cases, events=events, promises=promises, summary=made.summary, watermark=made.watermark
    )


def diced(n_cases: int = 400, seed: int = 7, n_types: int = 0, n_open: int = 30) -> MadeReplay:
    """``n_cases`` random cases of a service desk; ``n_types`` more rare types of internal work make it a tangle."""
    dice = np.random.default_rng(seed)
    extra = tuple(f"Rare step number {i} of the specialists" for i in range(n_types))
    rows: list[dict[str, Any]] = []
    cases: list[dict[str, Any]] = []
    promises: list[dict[str, Any]] = []
    for number in range(n_cases):
        path = _path(dice, extra)
        opened = T0 + timedelta(hours=float(dice.uniform(0, 24 * 90)))
        is_open = number >= n_cases - n_open
        own = _events(dice, f"c{number}", path[:-1] if is_open else path, opened)
        case = _case(f"c{number}", own, opened, is_open)
        made = _promises(dice, case, own)
        for verdict in ("kept", "broken", "lapsed", "open"):
            case[verdict] = sum(promise["verdict"] == verdict for promise in made)
        rows += own
        cases.append(case)
        promises += made
    table = frame(cases, CASES)
    return MadeReplay(
        journey=journey(
            PROMISE_NAMES, {"achieved": 100, "failed": -40, "abandoned": -40},
            title="Getting help from the service desk", currency="EUR", canvas=CANVAS,
        ),
        cases=table, events=frame(rows, EVENTS), promises=frame(promises, PROMISES),
        summary=_summary(table, len(rows)), watermark=T0 + timedelta(days=125),
    )  # fmt: skip


def _path(dice: np.random.Generator, extra: Sequence[str]) -> list[str]:
    path = ["Ask for help", "Assign seriousness", "Look into it"]
    while dice.random() < 0.45 and len(path) < 20:
        path += DETOURS[int(dice.choice(4, p=[0.5, 0.3, 0.1, 0.1]))]
    for _ in range(int(dice.integers(0, 4)) if extra else 0):
        path.append(extra[int(len(extra) * dice.random() ** 2)])
    gives_up = dice.random() < 0.1 + 0.12 * path.count("Pass to specialists")
    if gives_up:
        return [*path, *(["Complain"] if dice.random() < 0.6 else []), "Give up"]
    path.append("Test the repair")
    if dice.random() < 0.2:
        path += ["Complain", "Look into it", "Test the repair"]
    return [*path, "Hear the solution", "Write it up", "Close the ticket"]


def _events(dice: np.random.Generator, case: str, path: Sequence[str], opened: datetime) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    at, team, previous = opened, "front desk", None
    for number, kind in enumerate(path):
        if kind == "Pass to specialists" or dice.random() < 0.15:
            team = str(dice.choice(TEAMS))
        acts = None if kind in {"Ask for help", "Complain", "Give up", "Confirm"} else team
        rows.append({
            "case": case, "id": f"{case}-{number}", "type": kind, "time": at, "team": acts,
            "channel": str(dice.choice(["phone", "web", "branch"], p=[0.5, 0.35, 0.15])),
            "cost": round(float(dice.gamma(2, 4)), 2) if acts else 0.0,
            "moment": kind in MOMENTS, "decision": kind in RULES, "internal": kind not in MOMENTS + RULES,
            "handover": acts is not None and previous not in (None, acts),
        })  # fmt: skip
        previous = acts or previous
        at += timedelta(seconds=int(dice.gamma(1.2, 9) * 3600))
    return rows


def _case(case: str, own: Sequence[Mapping[str, Any]], opened: datetime, is_open: bool) -> dict[str, Any]:
    last = own[-1]
    outcome = "open" if is_open else "abandoned" if last["type"] == "Give up" and len(own) % 2 else "achieved"
    outcome = "failed" if not is_open and last["type"] == "Give up" and outcome == "achieved" else outcome
    return {
        "case": case, "customer": f"u{case}", "opened": opened, "closed": None if is_open else last["time"],
        "outcome": outcome, "reason": {"failed": "event", "abandoned": "silence"}.get(outcome),
        "outcome_time": None if is_open else last["time"], "events": len(own),
        "moments": sum(row["moment"] for row in own), "decisions": sum(row["decision"] for row in own),
        "handovers": sum(row["handover"] for row in own), "internal": sum(row["internal"] for row in own),
        "cost": sum(row["cost"] for row in own), "revenue": 30.0 if outcome == "achieved" else 0.0,
        "value": {"achieved": 100.0, "open": 0.0}.get(outcome, -40.0),
    }  # fmt: skip


def _promises(
    dice: np.random.Generator, case: Mapping[str, Any], own: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    made = []
    for name, p_broken in zip(PROMISE_NAMES, (0.1, 0.25, 0.15, 0.03), strict=True):
        start = own[min(int(dice.integers(0, 3)), len(own) - 1)]
        verdict = "broken" if dice.random() < p_broken * (2 if case["handovers"] > 2 else 1) else "kept"
        if case["outcome"] == "open" and dice.random() < 0.5:
            verdict = "open"
        elif dice.random() < 0.08:
            verdict = "lapsed"
        made.append({
            "case": case["case"], "promise": name, "instance": 1, "started": start["time"], "verdict": verdict,
            "due": start["time"] + timedelta(hours=4), "started_by": start["id"],
            "decided": None if verdict == "open" else start["time"] + timedelta(hours=3),
        })  # fmt: skip
    return made


def _summary(cases: pl.DataFrame, n_events: int) -> dict[str, Any]:
    counts = dict(cases.group_by("outcome").len().iter_rows())
    return {
        "events": n_events + 60, "quarantined": 12, "duplicates": 31, "filtered": 40, "no_key": 5, "before_need": 8,
        "after_close": 7, "cases": cases.height, "outcome": counts, "seconds": 0.42,
    }  # fmt: skip
