"""The ledger of promises by name, team or channel, and one case explained in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl
from fastapi import APIRouter, Query
from pydantic import BaseModel

from truenorth.explanation import explain
from truenorth.insight.promises import counted, summed
from truenorth.server.api.cases import CasePromise, events_of_case, keys_of
from truenorth.server.api.context import Context, Instant, Served, Text, instant, showing, shown
from truenorth.server.api.flags import replayed_case
from truenorth.server.api.period import LastDays, Since, Until, period_us
from truenorth.server.auth import Agent
from truenorth.server.published import parsed
from truenorth.server.receiving import Turned
from truenorth.store.opening import Store
from truenorth.store.rows import PromiseRow, Verdict

ROUTER = APIRouter(tags=["promises"])
By = Literal["promise", "team", "channel"]
MOST_PROMISES = 50_000
"""Promises that a ledger counts: the newest of its period."""
MADE = {"case": pl.String, "promise": pl.String, "started": pl.Int64, "decided": pl.Int64, "verdict": pl.String}
NOBODY = 2**62
MOST_BROKEN = 20
"""Broken promises that are named: the last ones."""
BROKEN = {
    "case": "T0020",
    "promise": "taken_up",
    "made": "2026-03-06T10:30:12.000000Z",
    "decided": "2026-03-06T12:30:12.000000Z",
}
GROUP = {
    "group": "taken_up",
    "made": 345,
    "kept": 303,
    "broken": 42,
    "lapsed": 0,
    "open": 0,
    "broken_share": 0.1217,
    "low": 0.0913,
    "high": 0.1606,
}


class Group(BaseModel):
    """Promises of one name, team or channel; of ``kept`` and ``broken`` the share broken, with its 95 % interval."""

    model_config = showing(GROUP)
    group: str | None
    made: int
    kept: int
    broken: int
    lapsed: int
    open: int
    broken_share: float | None
    low: float | None
    high: float | None


class Broken(BaseModel):
    """A promise that was broken; `GET /api/v1/explanation` of its case says why."""

    model_config = showing(BROKEN)
    case: str
    promise: str
    made: Instant
    decided: Instant


class Ledger(BaseModel):
    """Promises made in a period. ``more``: only the newest of them are counted. ``broken``: the last 20 that were."""

    model_config = showing(
        {
            "journey": "support",
            "by": "promise",
            "since": "2026-02-06T00:00:00.000000Z",
            "until": "2026-03-06T00:00:00.000000Z",
            "groups": [GROUP],
            "broken": [BROKEN],
            "more": False,
        }
    )
    journey: str
    by: By
    since: Instant
    until: Instant
    groups: list[Group]
    broken: list[Broken]
    more: bool


class AskedLedger(NamedTuple):
    """Which ledger: of a journey, by what, from when until when, or of so many last days."""

    journey: str
    by: By
    since: datetime | None
    until: datetime | None
    days: int | None


class PromiseTold(CasePromise):
    """A promise with the sentence that explains its verdict."""

    sentence: str | None


class CaseTold(BaseModel):
    """A case in plain words; sentences are null where its events alone do not show what the journey's columns hold."""

    model_config = showing({"case": "T0020", "outcome": "Abandoned: nothing happened for 5 d.", "promises": []})
    case: str
    outcome: str | None
    promises: list[PromiseTold]


@ROUTER.get("/promises/ledger")
def read_promise_ledger(
    served: Served,
    caller: Agent,
    journey: Annotated[Text, Query(examples=["support"])],
    by: By = "promise",
    since: Since = None,
    until: Until = None,
    days: LastDays = None,
) -> Ledger:
    """Made, kept, broken by name, team or channel, of the promises made in a period. Role: agent.

    *Team*: the last one that the case's events name up to the verdict, or up to now: whoever had the case. *Channel*:
    the last one that they name up to the instant the promise was made. Never by person.
    """
    served.journey(journey)
    found: Ledger = served.promise_ledgers.of(AskedLedger(journey, by, since, until, days))
    return found


@ROUTER.get("/explanation")
def explain_case(
    served: Served,
    caller: Agent,
    journey: Annotated[Text, Query(examples=["support"])],
    case: Annotated[Text, Query(examples=["T0020"])],
    timezone: Annotated[Text, Query(description="of the times in sentences", examples=["Europe/Rome"])] = "UTC",
) -> CaseTold:
    """Why a case and each of its promises are what they are. Role: agent; it is noted in the audit."""
    told = case_told(served, journey, case, timezone)
    if told is None:
        raise Turned(404, "unknown_case", "there is no case of this id in this journey; see /api/v1/cases")
    row, _ = served.store.results.case(journey, case) or (None, None)
    served.note_person(caller, f"read a case of {journey}", row.customer if row else None)
    return told


def explain_broken(
    served: Served, caller: Agent, journey: Text, broken: Sequence[Broken], timezone: Text = "UTC"
) -> list[str | None]:
    """Why some promises were broken, a sentence each; it is noted in the audit once. For pages that show many.

    A sentence is kept in mind: that of a broken promise changes only when its verdict does.
    """
    served.note(caller, "read why promises were broken", journey)
    version = served.journey(journey).version
    return [served.broken_told.of((journey, version, timezone, one.case, one.promise, one.decided)) for one in broken]


def tell_broken(served: Context, key: tuple[str, int, str, str, str, str]) -> str | None:
    """The sentence of a broken promise, by journey, its version, time zone, case, promise and when it was broken."""
    journey, _, timezone, case, promise, decided = key
    told = case_told(served, journey, case, timezone)
    same = [one for one in told.promises if (one.promise, one.decided) == (promise, decided)] if told else []
    return next((one.sentence for one in same if one.sentence), None)


def promise_ledger(store: Store, now_us: int, asked: AskedLedger) -> Ledger:
    """The ledger of a live journey in a period."""
    journey, by = asked.journey, asked.by
    live = store.journeys.newest_live(journey)
    names = [promise.name for promise in parsed(live.text).promises] if live else []
    since_us, until_us = period_us(now_us, asked.since, asked.until, asked.days)
    if by == "promise":
        found = store.results.counted_promises(journey, since_us, until_us, limit=MOST_PROMISES, n_broken=MOST_BROKEN)
        groups, broken, more = _by_name(found.counts, names), found.broken, found.more
    else:
        rows = store.results.promises_between(journey, since_us, until_us, limit=MOST_PROMISES + 1)
        made = pl.DataFrame(rows[:MOST_PROMISES], MADE, orient="row")
        groups, broken, more = _by_holder(store, journey, made, by), _last_broken(made), len(rows) > MOST_PROMISES
    return Ledger(
        journey=journey,
        by=by,
        since=instant(since_us),
        until=instant(until_us),
        groups=[Group(**row) for row in groups],
        broken=[
            Broken(case=case, promise=promise, made=instant(started), decided=instant(decided))
            for case, promise, started, decided, _ in broken
        ],
        more=more,
    )


def _by_name(counts: Sequence[tuple[Any, ...]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Verdicts by promise, in the order of the journey file; those that it has no more last."""
    found = summed(pl.DataFrame(counts, {"group": pl.String, "verdict": pl.String, "n": pl.Int64}, orient="row"))
    rank = {name: place for place, name in enumerate(names)}
    return sorted(found.to_dicts(), key=lambda row: rank.get(row["group"], len(rank)))


def _by_holder(store: Store, journey: str, made: pl.DataFrame, by: Literal["team", "channel"]) -> list[dict[str, Any]]:
    """Verdicts by team or channel, those that broke most first."""
    found = counted(_held(store, journey, made, by).select("group", "verdict"))
    return found.sort("broken", "made", "group", descending=[True, True, False], nulls_last=True).to_dicts()


def _last_broken(made: pl.DataFrame) -> list[tuple[Any, ...]]:
    broken = made.filter(pl.col("verdict") == "broken")
    return broken.sort("decided", "case", "promise", descending=[True, False, False]).head(MOST_BROKEN).rows()


def _held(store: Store, journey: str, made: pl.DataFrame, by: Literal["team", "channel"]) -> pl.DataFrame:
    """Promises with the team that had the case, or the channel on which they were made, as ``group``."""
    base = {case: next(keys_of(case)) for case in made["case"].unique()}
    keys = sorted({key for case in base for key in keys_of(case)})
    named = pl.DataFrame(
        store.results.holders(journey, keys, by),
        {"key": pl.String, "at": pl.Int64, "group": pl.String},
        orient="row",
    )
    known = set(named["key"].unique())
    until = pl.col("started") if by == "channel" else pl.col("decided").fill_null(NOBODY)
    asked = made.with_columns(
        pl.Series("key", [base[case] if base[case] in known else case for case in made["case"]], dtype=pl.String),
        until.alias("at"),
    )
    return asked.sort("at").join_asof(named.sort("at"), on="at", by="key", check_sortedness=False)


def case_told(served: Context, journey: str, case: str, timezone: str = "UTC") -> CaseTold | None:
    """A case in plain words, its broken promises first; None where there is no such case."""
    text = served.journey(journey).text
    found = served.store.results.case(journey, case)
    if found is None:
        return None
    row, promises = found
    key, events, more = events_of_case(served, journey, row)
    now_us = served.store.results.progress(journey).watermark_us
    replayed = replayed_case(parsed(text), row.customer, events, now_us) if events and not more else None
    if replayed is None or replayed.cases.filter(pl.col("case") == key).is_empty():
        return CaseTold(case=case, outcome=None, promises=[_told(one, {}) for one in promises])
    told = explain(replayed, key, timezone=timezone)
    sentences = {(one["promise"], one["instance"], one["verdict"]): str(one["sentence"]) for one in told.promises}
    in_words = [_told(one, sentences) for one in promises]
    order: Sequence[Verdict] = ("broken", "open", "lapsed", "kept")
    return CaseTold(
        case=case, outcome=told.outcome, promises=sorted(in_words, key=lambda one: order.index(one.verdict))
    )


def _told(row: PromiseRow, sentences: dict[tuple[str, int, str], str]) -> PromiseTold:
    fields: dict[str, Any] = shown(row)
    return PromiseTold(**fields, sentence=sentences.get((row.promise, row.instance, row.verdict)))
