"""What a replay yields, section 4 of the reference: one table of cases, one of promises, a summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oracle.conditions import kinds_of
from oracle.journey import Rules, rules_of
from oracle.stepping import Case, Event, amount, episodes, with_flags

VERDICTS_OF_PROMISES = ("kept", "broken", "lapsed", "open")
VERDICTS_OF_CASES = ("achieved", "failed", "abandoned", "open")
FLAGS = {"moments": "moment", "decisions": "decision", "handovers": "handover", "internal": "internal"}
SUMS = (*FLAGS, "cost", "revenue", "value")


@dataclass(frozen=True)
class Verdicts:
    """Rows with exactly the columns of section 4; times are microseconds or None."""

    cases: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    summary: dict[str, Any]


def evaluate(
    journey: Mapping[str, Any], events: list[dict[str, Any]], *, columns: set[str], now: int | None = None
) -> Verdicts:
    """Judge `events`, in order of arrival and without duplicates, by a journey; see the package for an example.

    `columns` names the fields the log has, whether or not some event holds a value for them. Events later than `now`
    count as not read.
    """
    rules = rules_of(journey, kinds_of(events), columns)
    read = [event for event in events if now is None or event["time"] <= now]
    watermark = now if now is not None else max((event["time"] for event in read), default=0)
    counts = {"filtered": 0, "no_key": 0, "before_need": 0, "after_close": 0}
    cases = [
        case
        for key, history in histories(rules, read, counts).items()
        for case in episodes(rules, key, history, watermark, counts)
    ]
    rows = [case_row(case) for case in cases]
    promises = [row for case in cases for row in promise_rows(case)]
    summary = {"events": len(read), **counts, **summary_of(rules, rows, promises)}
    return Verdicts(rows, promises, summary)


def histories(rules: Rules, read: list[dict[str, Any]], counts: dict[str, int]) -> dict[str, list[Event]]:
    """Events of each key, ordered by (time, arrival); keys in the order of their first event of any sort."""
    found: dict[str, list[Event]] = {}
    for event in read:
        key = event.get(rules.key_field)
        if key is None:
            counts["no_key"] += 1
            continue
        history = found.setdefault(key, [])
        if rules.only is None or rules.only(with_flags(rules, event, handover=False)):
            history.append(event)
        else:
            counts["filtered"] += 1
    return {key: sorted(history, key=lambda event: event["time"]) for key, history in found.items()}


def case_row(case: Case) -> dict[str, Any]:
    """A row of `cases`."""
    verdict = case.verdict or "open"
    verdicts = [instance.verdict for instance in case.instances]
    return {
        "case": case.name,
        "customer": next((row["customer"] for row in case.rows if row.get("customer") is not None), None),
        "opened": case.opened,
        "resolved": case.resolved,
        "closed": case.closed,
        "outcome": verdict,
        "reason": case.reason,
        "outcome_time": case.verdict_time,
        "reopened": case.n_reopened,
        "events": len(case.rows),
        **{column: sum(row[flag] for row in case.rows) for column, flag in FLAGS.items()},
        **{name: sum((amount(row, name) for row in case.rows), 0.0) for name in ("cost", "revenue")},
        "value": case.rules.outcome.value.get(verdict, 0),
        **{verdict: verdicts.count(verdict) for verdict in VERDICTS_OF_PROMISES},
    }


def promise_rows(case: Case) -> list[dict[str, Any]]:
    """Rows of `promises`, in file order, then by instance."""
    return [
        {
            "case": case.name,
            "promise": instance.promise.name,
            "instance": instance.number,
            "started": instance.started,
            "due": instance.due,
            "verdict": instance.verdict,
            "decided": instance.decided,
            "started_by": instance.started_by,
            "decided_by": instance.decided_by,
        }
        for instance in sorted(case.instances, key=lambda found: (found.promise.position, found.number))
    ]


def summary_of(rules: Rules, cases: list[dict[str, Any]], promises: list[dict[str, Any]]) -> dict[str, Any]:
    """The part of the summary that follows from the two tables."""
    outcomes = [row["outcome"] for row in cases]
    verdicts = [(row["promise"], row["verdict"]) for row in promises]
    return {
        "cases": len(cases),
        "outcome": {verdict: outcomes.count(verdict) for verdict in VERDICTS_OF_CASES},
        "promises": {
            promise.name: {verdict: verdicts.count((promise.name, verdict)) for verdict in VERDICTS_OF_PROMISES}
            for promise in rules.promises
        },
        **{name: sum(row[name] for row in cases) for name in SUMS},
    }
