"""Results of runners: each step is kept whole, once, and can be read as it was written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.making import empty, event, on_one_database
from truenorth.store.opening import Store
from truenorth.store.results import Outdated
from truenorth.store.rows import CaseEvent, CaseRow, Judged, NewSignal, Progress, PromiseRow

CASES = st.sampled_from(["c1", "c2", "c3", "c2#2"])
US = st.integers(-(2**62), 2**62)
CASE_ROWS = st.builds(
    CaseRow,
    case=CASES,
    customer=st.none() | st.sampled_from(["ann", "bob"]),
    opened_us=US,
    closed_us=st.none() | US,
    outcome=st.sampled_from(["achieved", "failed", "abandoned", "open"]),
    reason=st.sampled_from([None, "event", "late"]),
    moments=st.integers(0, 9),
    cost=st.floats(-1e6, 1e6),
)
PROMISE_ROWS = st.builds(
    PromiseRow,
    case=CASES,
    promise=st.sampled_from(["fast", "fair"]),
    instance=st.integers(1, 3),
    started_us=US,
    due_us=st.none() | US,
    verdict=st.sampled_from(["kept", "broken", "lapsed", "open"]),
)


def unique(rows: Sequence[PromiseRow]) -> list[PromiseRow]:
    return list({(row.case, row.promise, row.instance): row for row in rows}.values())


STEPS = st.lists(
    st.builds(
        Judged,
        progress=st.builds(Progress, st.integers(0, 99), st.none() | US),
        cases=st.lists(CASE_ROWS, max_size=4, unique_by=lambda row: row.case),
        promises=st.lists(PROMISE_ROWS, max_size=6).map(unique),
        anew=st.lists(CASES, max_size=2),
        case_events=st.lists(st.builds(CaseEvent, CASES, US, st.integers(1, 99)), max_size=4, unique=True),
        chunks=st.dictionaries(st.integers(0, 3), st.binary(max_size=4), max_size=2),
        from_scratch=st.booleans(),
    ),
    max_size=5,
)


@given(steps=STEPS)
@on_one_database
def test_results_are_those_of_the_last_step_that_wrote_each(store: Store, steps: list[Judged]) -> None:
    empty(store)
    cases: dict[str, CaseRow] = {}
    promises: dict[tuple[str, str, int], PromiseRow] = {}
    chunks: dict[int, bytes] = {}
    history: set[CaseEvent] = set()
    for step in steps:
        store.results.write("help", step, n_erasures=0)
        if step.from_scratch:
            cases, promises, chunks, history = {}, {}, {}, set()
        cases = {case: row for case, row in cases.items() if case not in step.anew}
        promises = {key: row for key, row in promises.items() if key[0] not in step.anew}
        cases |= {row.case: row for row in step.cases}
        promises |= {(row.case, row.promise, row.instance): row for row in step.promises}
        chunks = {**chunks, **step.chunks}
        history |= set(step.case_events)
    progress = steps[-1].progress if steps else None
    assert store.results.state("help") == (progress, chunks, 0)
    assert store.results.cases("help") == [cases[case] for case in sorted(cases)]
    for case, row in cases.items():
        assert store.results.case("help", case) == (row, [promises[key] for key in sorted(promises) if key[0] == case])
    ordered = sorted(history, key=lambda one: (one.key, one.time_us, one.position))
    assert store.results.history("help", ["c1", "c2", "c3", "c2#2"]) == ordered
    totals = store.results.totals("help")
    assert totals["cases"] == len(cases)
    assert totals["moments"] == sum(row.moments for row in cases.values())
    assert totals["cost"] == pytest.approx(sum(row.cost for row in cases.values()))
    assert sum(totals["outcome"].values()) == len(cases)
    assert sum(n for counts in totals["promises"].values() for n in counts.values()) == len(promises)
    assert store.results.state("other") == (None, {}, 0)
    assert store.results.cases("other") == []


def test_cases_are_listed_page_by_page_and_by_what_they_are(store: Store) -> None:
    rows = [
        CaseRow(case=f"c{n}", customer=f"p{n % 2}", opened_us=n, outcome="failed" if n > 3 else "open")
        for n in range(6)
    ]
    store.results.write("help", Judged(progress=Progress(1, 1), cases=rows), n_erasures=0)
    assert store.results.cases("help", after="c1", limit=2) == rows[2:4]
    assert store.results.cases("help", outcome="failed") == rows[4:]
    assert store.results.cases("help", customers=["p1"], outcome="failed") == [rows[5]]
    assert store.results.case("help", "nowhere") is None
    store.results.write("help", Judged(progress=Progress(0, told=1), from_scratch=True), n_erasures=0)
    assert store.results.cases("help") == []
    assert store.results.progress("help") == Progress(0, told=1)


def test_a_step_made_from_what_was_erased_meanwhile_is_not_kept(store: Store) -> None:
    store.events.append([event(1, "ann")])
    seen = store.results.n_erasures()
    store.people.erase(["ann"], asked_by="admin", now_us=1, scrub=False)
    judged = Judged(progress=Progress(1, 1), cases=[CaseRow(case="c", customer="ann", opened_us=1)])
    with pytest.raises(Outdated):
        store.results.write("help", judged, n_erasures=seen)
    assert store.results.cases("help") == []
    store.results.write("help", judged, n_erasures=store.results.n_erasures())
    assert len(store.results.cases("help")) == 1


def test_signals_are_numbered_in_order_and_read_by_journey(store: Store) -> None:
    given_ = [NewSignal(kind=f"k{n}", time_us=n, body=b'{"n": 1}', case="c", customer="ann") for n in range(5)]
    first = store.results.write("help", Judged(progress=Progress(1), signals=given_[:3]), n_erasures=0)
    second = store.results.write("sales", Judged(progress=Progress(1), signals=given_[3:]), n_erasures=0)
    assert [*first, *second] == sorted({*first, *second})
    read = store.signals.read()
    assert [(one.number, one.kind, one.body, one.journey) for one in read] == [
        (number, signal.kind, signal.body, "help" if signal in given_[:3] else "sales")
        for number, signal in zip([*first, *second], given_, strict=True)
    ]
    assert store.signals.read(first[1], limit=2) == read[2:4]
    assert store.signals.read(journey="sales") == read[3:]


def test_who_begins_anew_removes_nothing_that_another_has_written_meanwhile(store: Store) -> None:
    written = Judged(progress=Progress(1, 1, told=1), cases=[CaseRow(case="c", opened_us=1)])
    store.results.write("help", written, n_erasures=0)
    anew = Judged(progress=Progress(told=0), follows=Progress(), from_scratch=True)
    with pytest.raises(Outdated):
        store.results.write("help", anew, n_erasures=0)
    assert store.results.progress("help") == written.progress
    assert len(store.results.cases("help")) == 1
