"""All pages of a query together are all its rows, however few rows a page looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from store.making import event, on_one_database
from truenorth.events import Refused
from truenorth.store.opening import Store
from truenorth.store.pages import Pages
from truenorth.store.ports import Arrived
from truenorth.store.rows import CaseEvent, CaseRow, Judged, NewSignal, Progress, PromiseRow

CASES = st.lists(
    st.builds(
        CaseRow,
        case=st.text("ab#\u00e4", min_size=1, max_size=3),
        customer=st.sampled_from([None, "ann", "bob"]),
        opened_us=st.just(0),
        outcome=st.sampled_from(["achieved", "failed", "open"]),
    ),
    unique_by=lambda row: row.case,
    max_size=15,
)
PROMISES = st.lists(
    st.builds(
        PromiseRow,
        case=st.sampled_from("abc"),
        promise=st.sampled_from(["p", "q"]),
        instance=st.integers(1, 3),
        started_us=st.just(0),
        verdict=st.sampled_from(["kept", "broken", "open"]),
    ),
    unique_by=lambda row: (row.case, row.promise, row.instance),
    max_size=18,
)
SIGNALS = st.lists(
    st.builds(NewSignal, kind=st.sampled_from(["kept", "broken"]), time_us=st.integers(0, 9), body=st.just(b"{}")),
    max_size=15,
)


def all_rows(page: Callable[..., Any], limit: int, **wanted: Any) -> list[Any]:
    rows: list[Any] = []
    after = None
    for _ in range(1_000):
        found = page(after=after, limit=limit, **wanted)
        assert len(found.rows) <= limit
        rows += found.rows
        after = found.next
        if after is None:
            return rows
    raise AssertionError("pages without end")


@given(cases=CASES, promises=PROMISES, signals=SIGNALS, limit=st.integers(1, 7), looked_at=st.integers(1, 9))
@on_one_database
def test_all_pages_are_all_rows(
    store: Store, cases: list[Any], promises: list[Any], signals: list[Any], limit: int, looked_at: int
) -> None:
    before = store.signals.last_number()
    judged = Judged(progress=Progress(), cases=cases, promises=promises, signals=signals, from_scratch=True)
    store.results.write("j", judged, n_erasures=0)
    store.results.write("other", judged, n_erasures=0)
    pages = Pages(store.database, looked_at)

    def of_cases(**wanted: Any) -> Any:
        return pages.cases("j", **wanted)

    def of_promises(**wanted: Any) -> Any:
        return pages.promises("j", **wanted)

    def of_signals(**wanted: Any) -> Any:
        return pages.signals(**{**wanted, "after": wanted["after"] or (before,)})

    found = all_rows(of_cases, limit)
    assert by(found) == by(cases)
    for outcome in ("achieved", "failed", "abandoned"):
        assert all_rows(of_cases, limit, outcome=outcome) == [row for row in found if row.outcome == outcome]
    for customers in (["ann"], ["ann", "bob"], ["nobody"], []):
        theirs = [row for row in found if row.customer in customers]
        assert all_rows(of_cases, limit, customers=customers) == theirs
    found = all_rows(of_promises, limit)
    assert by(found) == by(promises)
    for verdict in ("kept", "lapsed"):
        wanted = [row for row in found if row.verdict == verdict and row.promise == "q"]
        assert all_rows(of_promises, limit, verdict=verdict, promise="q") == wanted
    found = all_rows(of_signals, limit)
    assert [row.number for row in found] == sorted(row.number for row in found)
    for kind in ("kept", "broken"):
        told = [row for row in found if (row.kind, row.journey) == (kind, "j")]
        assert all_rows(of_signals, limit, kind=kind, journey="j") == told
        assert [row.time_us for row in told] == [one.time_us for one in signals if one.kind == kind]


def by(rows: list[Any]) -> set[Any]:
    return {repr(row) for row in rows}


def test_events_of_a_key(store: Store) -> None:
    events = [CaseEvent(key, time_us, 10 * time_us + n) for key in "kl" for time_us in range(5) for n in (1, 2)]
    store.results.write("j", Judged(progress=Progress(), case_events=events), n_erasures=0)
    pages = Pages(store.database)
    assert pages.events_of_key("j", "k", since_us=1, until_us=2, limit=9) == [11, 12, 21, 22]
    assert pages.events_of_key("j", "k", since_us=3, until_us=None, limit=3) == [31, 32, 41]
    assert pages.events_of_key("j", "m", since_us=0, until_us=None, limit=3) == []


def test_what_has_arrived_is_counted_for_good(store: Store) -> None:
    refused = Refused(source="s", received_us=0, reason="r", raw=b"{}")
    assert store.events.arrived() == Arrived(0, 0, 0)
    store.events.append([event(1), event(1), event(2)], [refused])
    store.events.append([event(1)], [refused, refused])
    assert store.events.arrived() == Arrived(2, 0, 3)
    store.people.erase(["ann"], asked_by="x", now_us=0, scrub=False)
    store.events.append([event(3)])
    assert store.events.arrived() == Arrived(2, 1, 3)
