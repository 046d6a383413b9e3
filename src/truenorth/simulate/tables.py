"""The declared model and a company, compiled to the tables that the loop reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from truenorth.simulate import model
from truenorth.simulate import records as r
from truenorth.simulate.company import Company, DriftKind
from truenorth.simulate.journeys import JOURNEYS, SPILLOVER
from truenorth.spec.problems import Problem, TruenorthError, closest

Setting = Literal["off", "on", "half"]
"""How a cause or an action is set from outside: never, always, or by the toss of a coin of each case."""

DRIFTS: tuple[DriftKind, ...] = get_args(DriftKind)
STEP_KINDS = ("talk", "transfer", "promise", "flaw", "omission", "decide", "settle")
SIGNS: tuple[model.Sign, ...] = get_args(model.Sign)
SETTINGS: Mapping[str, int] = {"off": int(r.OFF), "on": int(r.ON), "half": int(r.HALF)}
N_SLOTS = 8
"""The most causes that a journey may have."""

LOOP_TYPES = (
    "Hung up",
    "Called again",
    "Answered",
    "Transferred",
    "Closed",
    "Reopened",
    "Complained",
    "Chased",
    "Asked for details",
    "Told how it stands",
    "Left",
    "Rated us",
)
"""Types of events in the order of records.T_HUNG_UP and the rest."""


def event_types() -> tuple[str, ...]:
    """All types of events; the position of a type is its code."""
    declared = [journey.need for journey in JOURNEYS]
    for journey in JOURNEYS:
        declared += [name for step in journey.steps for name in (step.starts, step.done, step.missed)]
    declared += [action.event for action in model.ACTIONS]
    return tuple(dict.fromkeys([*LOOP_TYPES, *filter(None, declared)]))


TYPES = event_types()
CODES = {name: code for code, name in enumerate(TYPES)}
SPEAKING = (
    *(journey.need for journey in JOURNEYS[:1]),
    "Called again",
    "Reopened",
    "Complained",
    "Chased",
    "Left",
    "Rated us",
)
"""Types in which a customer says something; all needs share the first row."""


def names_of_causes() -> tuple[str, ...]:
    """What may be set from outside beside actions: ``journey.cause``."""
    return tuple(f"{journey.name}.{cause.name}" for journey in JOURNEYS for cause in journey.causes)


def check_settings(do: Mapping[str, str]) -> None:
    """Raise `TruenorthError` where a cause or action is unknown, or set to something else than off, on or half."""
    known = (*names_of_causes(), *(action.name for action in model.ACTIONS[1:]))
    problems = []
    for name, setting in do.items():
        if name not in known:
            near = closest(name, known)
            hint = f"did you mean {near}?" if near else "Truth.causes and model.ACTIONS list them"
            problems.append(Problem(path=f"do[{name!r}]", expected="a cause or an action", found=repr(name), hint=hint))
        elif setting not in SETTINGS:
            problems.append(Problem(path=f"do[{name!r}]", expected="'off', 'on' or 'half'", found=repr(setting)))
    if problems:
        raise TruenorthError(problems)


def compile_tables(company: Company, seed: int, do: Mapping[str, str], *, asks_policy: bool = False) -> r.Tables:
    """The tables of a company; ``do`` sets causes and actions, checked by `check_settings`."""
    paid = _incentives(company)
    start = datetime(company.start.year, company.start.month, company.start.day, tzinfo=UTC)
    drifts = {drift.what: drift for drift in company.drifts}
    staff = _staff(company)
    days = [np.cumsum([category.share for category in journey.categories]) for journey in JOURNEYS]
    needs = np.array([journey.per_day for journey in JOURNEYS])
    actions = [0, *(CODES[action.event] for action in model.ACTIONS[1:])]
    speaks = [SPEAKING.index(name) if name in SPEAKING else -1 for name in TYPES]
    for journey in JOURNEYS:
        speaks[CODES[journey.need]] = 0
    return r.Tables(
        seed=np.int64(seed),
        start_us=np.int64(int(start.timestamp()) * 1_000_000),
        first_weekday=np.int64(company.start.weekday()),
        journeys=_journeys(paid),
        steps=_steps(),
        causes=_causes(paid, do),
        category_shares=np.array(days),
        category_effects=np.array([[category.effect for category in journey.categories] for journey in JOURNEYS]),
        segment_effects=np.array([segment.effect for segment in model.SEGMENTS]),
        segment_patience_us=np.array([segment.patience_min * 60e6 for segment in model.SEGMENTS]),
        common=np.array([model.SEVERITY, model.LOAD, model.WIRING]),
        severity_shares=np.cumsum(model.SEVERITY_SHARES),
        channel_shares=np.cumsum([model.CHANNEL_SHARES["low"], model.CHANNEL_SHARES["high"]], axis=1),
        need_shares=np.cumsum(needs) / needs.sum(),
        per_day=needs.sum() * np.array(model.WEEKDAY_NEEDS),
        hour_shares=np.cumsum(model.HOUR_NEEDS) / sum(model.HOUR_NEEDS),
        staff=staff,
        staff_most=np.append(np.maximum(staff.max(axis=1), 1), _at_least_one(company.n_customers / 400)),
        rules=_rules(),
        action_types=np.array(actions),
        action_settings=np.array([SETTINGS.get(do.get(a.name, ""), 0) for a in model.ACTIONS], np.int8),
        scripts=_scripts(),
        script_shares=np.cumsum(
            [[one.share(outcome, paid) for one in model.SCRIPTS] for outcome in model.OUTCOMES], axis=1
        ),
        complains=np.float64(model.COMPLAINS),
        chases=np.float64(model.CHASES),
        answers=np.array(model.SURVEY_ANSWERS),
        spill=_spill(company),
        speaks=np.array(speaks),
        drift_day=np.array([drifts[what].from_day if what in drifts else 10**6 for what in DRIFTS]),
        drift_size=np.array([drifts[what].size if what in drifts else 0.0 for what in DRIFTS]),
        drift_strength=np.array([model.DRIFT_ABANDONED, model.DRIFT_PROCESS]),
        asks_policy=np.int64(asks_policy),
        surveys=np.int64(company.surveys),
        spillover=np.int64(company.spillover),
    )


def _incentives(company: Company) -> model.Incentives:
    """All incentives that are on, as one."""
    paid = model.Incentives()
    for name in company.incentives:
        more = model.INCENTIVES[name]
        paid = model.Incentives(
            handle=paid.handle * more.handle,
            wrong=paid.wrong + more.wrong,
            transfers=paid.transfers + more.transfers,
            failed=paid.failed + more.failed,
            reopened_if_achieved=max(paid.reopened_if_achieved, more.reopened_if_achieved),
        )
    return paid


def _journeys(paid: model.Incentives) -> NDArray[np.void]:
    table = np.zeros(len(JOURNEYS), r.JOURNEY)
    for row, journey in zip(table, JOURNEYS, strict=True):
        row["late_us"] = journey.late_after_min * 60e6
        row["within_us"] = journey.within_d * r.DAY_US
        row["silence_us"] = journey.abandoned_after_d * r.DAY_US
        row["handle_us"] = journey.handle_min * 60e6 * paid.handle
        row["failed"], row["abandoned"] = journey.base.failed + paid.failed, journey.base.abandoned
        row["need"] = CODES[journey.need]
        row["first_team"] = model.TEAMS.index(journey.first_team)
        row["second_team"] = model.TEAMS.index(journey.second_team)
        row["n_causes"] = len(journey.causes)
        kinds = [cause.kind for cause in journey.causes]
        row["wait_cause"], row["transfer_cause"] = kinds.index("wait"), kinds.index("transfers")
    return table


def _steps() -> NDArray[np.void]:
    table = np.zeros((len(JOURNEYS), max(len(journey.steps) for journey in JOURNEYS)), r.STEP_ROW)
    for j, journey in enumerate(JOURNEYS):
        names = [cause.name for cause in journey.causes]
        for s in range(table.shape[1]):
            step = journey.steps[s] if s < len(journey.steps) else model.Step("settle")
            row: Any = table[j, s]
            row["kind"] = STEP_KINDS.index(step.kind)
            row["cause"] = names.index(step.cause) if step.cause else -1
            row["starts"], row["done"], row["missed"] = (
                CODES.get(n, -1) for n in (step.starts, step.done, step.missed)
            )
            row["due_us"] = step.due_h * 3600e6
            row["team"] = model.TEAMS.index(step.team) if step.team else -1
            row["applies_from"], row["applies_to"] = step.applies
    return table


def _causes(paid: model.Incentives, do: Mapping[str, str]) -> NDArray[np.void]:
    table = np.zeros((len(JOURNEYS), N_SLOTS), r.CAUSE)
    for j, journey in enumerate(JOURNEYS):
        for c, cause in enumerate(journey.causes):
            row: Any = table[j, c]
            row["failed"], row["abandoned"] = cause.effect
            for name, number in (cause.chance or model.Chance(0.0))._asdict().items():
                row[name] = number
            row["intercept"] += paid.transfers * (cause.kind == "transfers") + paid.wrong * (cause.sign == "wrong")
            row["max_level"] = model.MAX_TRANSFERS if cause.kind == "transfers" else 1
            row["forced_level"] = model.FORCED_TRANSFERS if cause.kind == "transfers" else 1
            row["sign"] = SIGNS.index(cause.sign)
            row["setting"] = SETTINGS.get(do.get(f"{journey.name}.{cause.name}", ""), 0)
            row["drifts"] = cause.name == "called_back"
    return table


def _staff(company: Company) -> NDArray[np.int64]:
    """People at work by queue team and hour of the week, so many that talks take `model.OCCUPANCY` of a weekday."""
    hours = np.zeros(168)
    for weekday in range(7):
        for span, share in model.STAFF_BY_HOUR.items():
            for hour in span:
                if weekday < 5 or hour < 19:
                    hours[weekday * 24 + hour] = share * (1.0 if weekday < 5 else model.WEEKEND_STAFF)
    work_h = np.zeros(len(model.QUEUE_TEAMS))
    for journey in JOURNEYS:
        talk_h = journey.per_day * company.n_customers * journey.handle_min * np.exp(0.125) / 60
        work_h[model.TEAMS.index(journey.first_team)] += talk_h * 1.1
        work_h[model.TEAMS.index(journey.second_team)] += talk_h * 0.35
    people = work_h / hours[:24].sum() / model.OCCUPANCY * company.staffing
    return np.ceil(np.outer(people, hours)).astype(np.int64)


def _at_least_one(people: float) -> int:
    return max(1, round(people))


def _rules() -> NDArray[np.void]:
    rows = [(number, rule) for number, action in enumerate(model.ACTIONS) for rule in action.rules]
    table = np.zeros(len(rows), r.RULE)
    for row, (number, rule) in zip(table, rows, strict=True):
        row["action"] = number
        row["failed"], row["abandoned"] = rule.effect
        row["bits"] = sum(1 << _bit(word) for word in rule.when)
    return table


def _bit(word: str) -> int:
    kind, _, name = word.partition(":")
    if kind == "journey":
        return 8 + [journey.name for journey in JOURNEYS].index(name)
    if kind == "segment":
        return 13 + [segment.name for segment in model.SEGMENTS].index(name)
    return 12 if kind == "severe" else [str(sign) for sign in SIGNS].index(kind)


def _scripts() -> NDArray[np.void]:
    table = np.zeros((len(model.SCRIPTS), 1 + max(len(script.rows) for script in model.SCRIPTS)), r.SCRIPT_ROW)
    table["type"] = -1
    for number, script in enumerate(model.SCRIPTS):
        for n, row in enumerate(script.rows):
            table[number, n] = (row.from_h, row.to_h, CODES[row.event])
    return table


def _spill(company: Company) -> NDArray[np.float64]:
    names = [journey.name for journey in JOURNEYS]
    table = np.zeros((len(names), len(model.OUTCOMES), len(names)))
    for (journey, outcome), needs in SPILLOVER.items():
        for need, chance in needs.items():
            table[names.index(journey), model.OUTCOMES.index(outcome), names.index(need)] = chance
    return table if company.spillover else table * 0.0
