"""The rights of people: everything is found, everything goes, nothing comes back, and nobody else loses anything."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.making import BATCHES, HOUR_US, empty, event, first_arrivals, on_one_database, read_all
from store.test_archive import dies, n_in_table
from store.test_decisions import row as decided
from truenorth.events import Event, Refused
from truenorth.spec.problems import TruenorthError
from truenorth.store import archive as archive_module
from truenorth.store.decisions import Reserve
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import Appended
from truenorth.store.rows import CaseEvent, CaseRow, Judged, NewSignal, Progress, PromiseRow

MARK = "Marker-7f3a"


def results_of(customer: str, case: str, position: int) -> Judged:
    """What a runner might have concluded about a case."""
    return Judged(
        progress=Progress(position, 7),
        cases=[CaseRow(case=case, customer=customer, opened_us=1, closed_us=5)],
        promises=[PromiseRow(case=case, promise="fast", instance=1, started_us=1)],
        case_events=[CaseEvent(case, 1, position)],
        signals=[
            NewSignal(kind="broken", time_us=2, body=b'{"who": "%b"}' % customer.encode(), case=case, customer=customer)
        ],
        chunks={position: customer.encode()},
    )


def decided_about(store: Store, customer: str, case: str) -> None:
    """A decision about a case, that has reserved something of the case's own and of the day's."""
    inputs = msgspec.json.encode({"context": {"case": case, "customer": customer}})
    record = msgspec.json.encode({"case": case, "customer": customer, "inputs": inputs})
    id = f"d-{case[:3]}"  # noqa: A001  # the column's name
    reserves = [Reserve(f"spent on {case}", "case", 5), Reserve("spent today", "day", 5)]
    with store.decisions.taking(10) as taking:
        taking.add(msgspec.structs.replace(decided(id), case=case, customer=customer, record=record), reserves)


def fill(store: Store, folder: Path) -> None:
    """Events, results and notes of ann (whose id is `MARK`) and bob, one half of the events archived."""
    store.outbox.add_webhook("https://example.org/hook", "secret", now_us=0)
    for n in range(20):
        name, case = (MARK, f"{MARK}-case") if n % 2 else ("bob", "bob-case")
        store.events.append(
            [
                event(f"{name}-{n}", name, case=case, text=f"{name} says", time_us=n * HOUR_US),
                event(f"unnamed-{name}-{n}", None, case=case, text=f"about {name}", time_us=n * HOUR_US),
            ]
        )
    store.events.append([event("shared", "bob", other_id=MARK, other_kind="anonymous", time_us=9 * HOUR_US)])
    for name, case in (("bob", "bob-case"), (MARK, f"{MARK}-case")):
        position = next(one.position for one in store.events.of_customers([name]) if one.event.case == case)
        store.results.write("help", results_of(name, case, position), n_erasures=0)
        store.events.append(
            [], [Refused(source="s", received_us=1, reason="odd", raw=b'{"userId": "%b"' % name.encode())]
        )
        store.audit.note("admin", "looked at", about=name, now_us=3)
        decided_about(store, name, case)
    store.archive.move(10 * HOUR_US, folder)


def test_everything_about_a_person_is_found(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path)
    found = store.people.everything_about([MARK])
    assert {table: len(rows) for table, rows in found.items()} == {
        "event": 21, "refused": 1, "case_row": 1, "promise_row": 1, "risk": 0, "risk_past": 0, "signal": 1,
        "audit": 1, "decision": 1,
    }  # fmt: skip
    assert [row["position"] for row in found["event"]] == sorted(row["position"] for row in found["event"])
    assert found["event"][0]["properties"] == {}
    assert found["signal"][0]["body"] == {"who": MARK}
    assert b"bob says" not in msgspec.json.encode(found)


def test_erasing_a_person_leaves_the_others_as_they_were(store: Store, tmp_path: Path) -> None:
    fill(store, tmp_path)
    others = [one for one in read_all(store) if MARK not in one.id]
    before = store.people.everything_about(["bob"])
    receipt = store.people.erase([MARK], asked_by="admin", now_us=77)
    assert receipt.counts == {
        "event": 10, "archived_event": 10, "statements": 1, "refused": 1, "outbox": 1, "signal": 1, "promise_row": 1,
        "risk": 0, "risk_past": 0, "case_row": 1, "snapshot": 2, "audit": 1, "decision": 1,
    }  # fmt: skip
    assert (receipt.n_ids, receipt.asked_by, receipt.erased_us, receipt.scrubbed_us) == (1, "admin", 77, 77)
    assert list(store.people.receipts()) == [receipt]
    silenced = [msgspec.structs.replace(one, other_id=None, other_kind=None) for one in others]
    assert read_all(store) == silenced
    after = store.people.everything_about(["bob"])
    assert {table: len(rows) for table, rows in after.items()} == {table: len(rows) for table, rows in before.items()}
    assert not any(store.people.everything_about([MARK]).values())
    with store.decisions.taking(10) as taking:  # what was spent today was spent, whoever it was spent on
        assert taking.used([f"spent on {MARK}-case", "spent today"]) == {"spent today": 10}
    assert store.results.state("help") == (Progress(0, 7), {}, receipt.number)
    assert store.results.history("help", ["bob-case", f"{MARK}-case"]) == [
        CaseEvent("bob-case", 1, store.events.read()[0].position)
    ]


EXAMPLES = count()


def renamed(one: Event, suffix: str) -> Event:
    people = {name: getattr(one, name) for name in ("customer", "other_id")}
    return msgspec.structs.replace(one, **{name: id and id + suffix for name, id in people.items()})  # noqa: A001


@given(
    batches=BATCHES,
    ids=st.sets(st.sampled_from(["a", "ann"]), min_size=1),
    cut=st.sampled_from([-(2**63), 0, 2**63 - 1]),
)
@on_one_database
def test_replaying_the_log_does_not_bring_a_person_back(
    store: Store, batches: list[list[Event]], ids: set[str], cut: int
) -> None:
    empty(store)
    suffix = f"-{next(EXAMPLES)}"  # who was erased in an example before stays so
    ids = {one + suffix for one in ids}
    batches = [[renamed(one, suffix) for one in batch] for batch in batches]
    with TemporaryDirectory() as name:
        for batch in batches:
            store.events.append(batch)
        store.archive.move(cut, Path(name))
        store.people.erase(ids, asked_by="admin", now_us=1, scrub=False)
        left = read_all(store)
        events = list(chain.from_iterable(batches))
        again = store.events.append(events)
        assert read_all(store) == left
        assert again.n_suppressed == sum(one.customer in ids for one in events)
        assert again.n_new == 0
        assert not any(one.customer in ids or one.other_id in ids for one in left)
        distinct = first_arrivals(events)
        cases_of = {
            case: {one.customer for one in distinct if one.case == case} - {None}
            for case in {one.case for one in distinct}
        }
        theirs = {case for case, customers in cases_of.items() if case is not None and customers and customers <= ids}
        kept = [
            one for one in distinct if one.customer not in ids and not (one.customer is None and one.case in theirs)
        ]
        assert [(one.source, one.id) for one in left] == [(one.source, one.id) for one in kept]


def test_a_late_event_of_an_erased_person_is_dropped_by_every_process(url: str) -> None:
    with open_store(url) as store, open_store(url) as other:
        other.events.append([event(1, "ann"), event(2, "bob")])
        store.people.erase(["ann"], asked_by="admin", now_us=1)
        mention = event(4, "bob", other_id="ann", other_kind="alias")
        assert other.events.append([event(3, "ann"), mention]) == Appended(1, 0, 1)
        assert read_all(other) == [event(2, "bob"), event(4, "bob")]
    with open_store(url) as store:
        assert store.events.append([event(5, "ann")]) == Appended(0, 0, 1)


@pytest.mark.parametrize("raw", [b'{"u":"\\u00e4nn\\""}', '["änn\\""]'.encode(), b'\xff "\\u00e4nn\\"" cut o'])
def test_what_was_refused_is_theirs_if_it_names_them_in_quotes(store: Store, raw: bytes) -> None:
    mine = Refused(source="s", received_us=1, reason="odd", raw=raw)
    others = [Refused(source="s", received_us=1, reason="odd", raw=text) for text in (b"", b'{"u":"nn"}', b"\xff")]
    store.events.append([], [mine, *others])
    assert [row["source"] for row in store.people.everything_about(['änn"'])["refused"]] == ["s"]
    assert store.people.erase(['änn"'], asked_by="admin", now_us=1).counts["refused"] == 1
    assert [one for _, one in store.events.refused()] == others


def test_a_person_of_many_cases_and_ids_is_no_trouble(store: Store, tmp_path: Path) -> None:
    ids = [f"cookie-{n}" for n in range(1_200)]
    store.events.append([event(f"{n}", one, case=f"case-{n}") for n, one in enumerate(ids)])
    store.events.append([event(f"unnamed-{n}", None, case=f"case-{n}") for n in range(1_200)])
    rows = [CaseRow(case=f"case-{n}", customer=one, opened_us=1) for n, one in enumerate(ids)]
    signals = [NewSignal(kind="k", time_us=1, body=b"{}", case=row.case) for row in rows]
    events = [CaseEvent(row.case, 1, n) for n, row in enumerate(rows, start=1)]
    judged = Judged(progress=Progress(1), cases=rows, signals=signals, case_events=events)
    store.results.write("help", judged, n_erasures=0)
    store.archive.move(600 * HOUR_US, tmp_path)
    assert len(store.people.everything_about(ids)["event"]) == 2_400
    counts = store.people.erase(ids, asked_by="admin", now_us=1).counts
    assert (counts["event"] + counts["archived_event"], counts["signal"], counts["case_row"]) == (2_400, 1_200, 1_200)
    assert store.events.read() == []
    assert store.results.history("help", [row.case for row in rows]) == []


@pytest.mark.parametrize("ids", [[], "ann", [str(n) for n in range(10_001)]])
def test_ids_that_are_none_or_too_many_are_an_error(store: Store, ids: list[str]) -> None:
    with pytest.raises(TruenorthError, match="from one to 10,000 ids"):
        store.people.erase(ids, asked_by="admin", now_us=1)
    with pytest.raises(TruenorthError, match="from one to 10,000 ids"):
        store.people.everything_about(ids)


def traces(folder: Path) -> list[str]:
    """Files that hold the marker, as they lie there or unpacked."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    packed = [path for path in files if path.suffix == ".parquet"]
    plain = [str(path) for path in files if MARK.encode() in path.read_bytes()]
    return plain + [str(path) for path in packed if MARK in str(pl.read_parquet(path).rows())]


def test_no_byte_of_an_erased_person_is_left_in_any_file(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        fill(store, tmp_path / "archive")
        store.archive.move(5 * HOUR_US, tmp_path / "archive")
        assert traces(tmp_path)
        receipt = store.people.erase([MARK], asked_by="admin", now_us=1, scrub=False)
        assert receipt.scrubbed_us is None
        store.people.scrub(5)
        assert traces(tmp_path) == []
        assert store.people.receipts()[0].scrubbed_us == 5
        assert store.events.append([event("late", MARK)]) == Appended(0, 0, 1)
        assert traces(tmp_path) == []
    assert traces(tmp_path) == []


def test_copies_that_sqlite_leaves_in_free_space_go_too(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        for _ in range(60):  # keys in no order: pages are split, and copies of rows stay where they were
            names = [MARK if of < 25 else f"c{of}" for of in random.integers(0, 500, 60).tolist()]
            named = zip(names, random.integers(0, 2**62, 60).tolist(), strict=True)
            store.events.append([event(f"{name}-{n:x}", name, text=name + "x" * (n % 900)) for name, n in named])
        store.people.erase([MARK], asked_by="admin", now_us=1, scrub=False)
        store.database.run_alone("pragma wal_checkpoint(truncate)")
        assert traces(tmp_path)  # overwriting what is deleted is not enough
        store.people.scrub(2)
        assert traces(tmp_path) == []


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "FILE_ROWS", 5)


SOME = [("committed", (0, 1, 2)), ("file", (1, 3))]
ALL = [("statement", tuple(range(0, 90, 3))), ("committed", tuple(range(8))), ("file", tuple(range(12)))]


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(
    ("what", "steps"),
    [*SOME, *(pytest.param(*one, marks=pytest.mark.slow) for one in ALL)],
    ids=lambda value: str(value)[:9],
)
def test_an_erasure_that_crashes_is_whole_or_not_begun(
    url: str, tmp_path: Path, what: str, steps: tuple[int, ...]
) -> None:
    folder = tmp_path / "archive"
    n_died = n_erased = 0
    for number in steps:
        who = f"person-{number}"
        with open_store(url) as store:
            store.events.append([event(f"{who}-{n}", who if n % 2 else "bob") for n in range(20)])
            store.archive.move(10**15, folder)
            store.events.append([event(f"{who}-new-{n}", who if n % 2 else "bob") for n in range(4)])
            before = read_all(store)
        n_died += dies(url, folder, what, number, f"store.people.erase(['{who}'], asked_by='a', now_us=1)")
        with open_store(url) as store:
            left = read_all(store)
            assert left in (before, [one for one in before if one.customer != who])
            listed = set(chain.from_iterable(store.database.run_alone("select count(*) from archive_file")))
            assert {len(list(folder.glob("*.parquet")))} == listed
            n_erased += len(left) < len(before)
            assert len(store.people.receipts()) == n_erased
            assert store.events.append([event(f"{who}-late", who)]).n_suppressed == (len(left) < len(before))
    assert n_died


def test_what_is_too_old_goes_from_table_and_files(store: Store, tmp_path: Path, small_files: None) -> None:
    events = [event(n) for n in range(1, 24)]
    store.events.append(events, [Refused(source="s", received_us=n * HOUR_US, reason="odd", raw=b"") for n in (1, 9)])
    for number, closed_us in enumerate([None, 2 * HOUR_US, 9 * HOUR_US]):
        row = CaseRow(case=f"c{number}", opened_us=1, closed_us=closed_us)
        promise = PromiseRow(case=f"c{number}", promise="fast", instance=1, started_us=1)
        signals = [NewSignal(kind="k", time_us=number * 4 * HOUR_US, body=b"{}")]
        judged = Judged(progress=Progress(1, 1), cases=[row], promises=[promise], signals=signals)
        store.results.write("help", judged, n_erasures=0)
    store.archive.move(12 * HOUR_US, tmp_path)
    assert store.retention.forget(8 * HOUR_US) == (7, 1, 1, 2)
    assert read_all(store) == events[7:]
    assert [row.case for row in store.results.cases("help")] == ["c0", "c2"]
    assert store.results.totals("help")["promises"] == {"fast": {"open": 2}}
    assert store.retention.forget(8 * HOUR_US) == (0, 0, 0, 0)
    assert store.events.append(events) == Appended(0, len(events), 0)
    assert store.retention.forget(20 * HOUR_US).n_events == 12
    assert read_all(store) == events[19:]
    assert n_in_table(store) == 4
    assert list(tmp_path.glob("*.parquet")) == []
