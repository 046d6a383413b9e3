"""The ledger of promises adds up, whatever it is told by; a broken one explains itself."""

from __future__ import annotations

from collections import Counter

import pytest

from server.desk import NOW_US, Desk, story
from server.test_given import desk as empty_desk
from truenorth.server.api.context import instant

__all__ = ["empty_desk"]


@pytest.mark.parametrize("by", ["promise", "team", "channel"])
def test_it_adds_up_to_all_promises(read_desk: Desk, by: str) -> None:
    said = read_desk.get("/api/v1/promises/ledger", "agent", journey="support", by=by)
    listed = read_desk.all_pages("/api/v1/promises", 100, journey="support")
    verdicts = Counter(one["verdict"] for one in listed)
    assert {name: sum(one[name] for one in said["groups"]) for name in verdicts} == dict(verdicts)
    assert sum(one["made"] for one in said["groups"]) == len(listed)
    assert not said["more"]


def test_by_name_it_is_the_summary(read_desk: Desk) -> None:
    said = read_desk.get("/api/v1/promises/ledger", "agent", journey="support")
    summary = read_desk.get("/api/v1/summary", journey="support")["promises"]
    names = ("kept", "broken", "lapsed", "open")
    assert {one["group"]: {name: one[name] for name in names} for one in said["groups"]} == summary


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_the_database_counts_what_it_would_list(empty_desk: Desk, limit: int) -> None:
    empty_desk.judge(*story())
    results, since_us = empty_desk.store.results, NOW_US - 185 * 3_600_000_000
    listed = results.promises_between("support", since_us, NOW_US, limit=limit)
    found = results.counted_promises("support", since_us, NOW_US, limit=limit, n_broken=3)
    counts = Counter((promise, verdict) for _, promise, _, _, verdict in listed)
    broken = sorted((row for row in listed if row[-1] == "broken"), key=lambda row: (-row[3], row[0], row[1]))
    assert {(promise, verdict): n for promise, verdict, n in found.counts} == counts
    assert found.broken == broken[:3]
    assert found.more == (len(results.promises_between("support", since_us, NOW_US, limit=limit + 1)) > limit)


def test_a_team_is_the_last_one_that_had_the_case_until_the_verdict(read_desk: Desk) -> None:
    held: Counter[str | None] = Counter()
    for one in read_desk.all_pages("/api/v1/promises", 100, journey="support"):
        until = one["decided"] or "9999"
        own = [event for event in story() if event.case == one["case"] and event.team]
        before = [event.team for event in sorted(own, key=lambda e: e.time_us) if instant(event.time_us) <= until]
        held[before[-1] if before else None] += 1
    said = read_desk.get("/api/v1/promises/ledger", "agent", journey="support", by="team")
    assert {one["group"]: one["made"] for one in said["groups"]} == dict(held)


def test_only_promises_of_the_period_count(read_desk: Desk) -> None:
    middle = instant(NOW_US - 185 * 3_600_000_000)
    halves = [
        read_desk.get("/api/v1/promises/ledger", "agent", journey="support", **period)
        for period in ({"until": middle, "since": "2020-01-01"}, {"since": middle})
    ]
    made = [sum(one["made"] for one in half["groups"]) for half in halves]
    assert all(made)
    assert sum(made) == len(read_desk.all_pages("/api/v1/promises", 100, journey="support"))


def test_a_broken_one_explains_itself_in_the_readers_zone(read_desk: Desk) -> None:
    told = read_desk.get("/api/v1/explanation", "agent", journey="support", case="T001", timezone="Europe/Rome")
    assert told["promises"][0]["verdict"] == "broken"
    assert "expected 'Taken up' by 28 Dec 08:30" in told["promises"][0]["sentence"]
    assert all(one["sentence"].startswith(one["verdict"].capitalize()) for one in told["promises"])
    missing = read_desk.ask("GET", "/api/v1/explanation", "agent", params={"journey": "support", "case": "?"})
    assert missing.status_code == 404


def test_every_case_can_be_explained(read_desk: Desk) -> None:
    for row in read_desk.store.results.cases("support"):
        told = read_desk.get("/api/v1/explanation", "agent", journey="support", case=row.case)
        assert told["outcome"].startswith(row.outcome.capitalize())
        assert all(one["sentence"] for one in told["promises"])


def test_on_both_databases(empty_desk: Desk) -> None:
    desk = empty_desk
    desk.judge(*story())
    for by in ("promise", "team", "channel"):
        said = desk.get("/api/v1/promises/ledger", "agent", journey="support", by=by)
        assert sum(one["made"] for one in said["groups"]) == len(
            desk.all_pages("/api/v1/promises", 50, journey="support")
        )
