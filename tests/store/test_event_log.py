"""The contract of the event log, on every database."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.making import BATCHES, EVENTS, empty, event, first_arrivals, kept, on_one_database, read_all
from truenorth.events import Event, Refused
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import Appended

REFUSED = st.builds(
    Refused, source=st.text(max_size=3), received_us=st.integers(0, 9), reason=st.just("no"), raw=st.binary()
)


@given(batches=BATCHES, page=st.integers(1, 7))
@on_one_database
def test_the_log_is_the_distinct_events_in_the_order_of_first_arrival(
    store: Store, batches: list[list[Event]], page: int
) -> None:
    empty(store)
    distinct = first_arrivals(chain.from_iterable(batches))
    counts = [store.events.append(batch) for batch in batches]
    assert read_all(store, page) == distinct
    assert sum(count.n_new for count in counts) == len(distinct)
    assert [sum(count) for count in counts] == [len(batch) for batch in batches]


@given(batches=BATCHES, cut=st.integers(0, 30))
@on_one_database
def test_counts_are_those_of_each_batch(store: Store, batches: list[list[Event]], cut: int) -> None:
    empty(store)
    so_far: list[Event] = []
    for batch in batches:
        before = len(first_arrivals(so_far))
        so_far += batch
        n_new = len(first_arrivals(so_far)) - before
        assert store.events.append(batch) == Appended(n_new, len(batch) - n_new, 0)


@given(batches=BATCHES, ids=st.sets(st.sampled_from(["a", "ann", "bob", "\0", "nobody"])))
@on_one_database
def test_events_of_customers_come_in_the_order_of_arrival(
    store: Store, batches: list[list[Event]], ids: set[str]
) -> None:
    empty(store)
    for batch in batches:
        store.events.append(batch)
    wanted = {"\ufffd" if one == "\0" else one for one in ids}
    found = [stored.event for stored in store.events.of_customers(sorted(ids))]
    assert found == [one for one in read_all(store) if one.customer in wanted]


@given(events=st.lists(EVENTS, max_size=20), data=st.data())
@on_one_database
def test_events_are_found_by_position(store: Store, events: list[Event], data: st.DataObject) -> None:
    empty(store)
    store.events.append(events)
    whole = store.events.read()
    wanted = data.draw(st.lists(st.sampled_from([*(one.position for one in whole), 10**15])))
    assert list(store.events.at(wanted)) == [one for one in whole if one.position in wanted]


@given(refused=st.lists(REFUSED, max_size=5))
@on_one_database
def test_what_was_refused_is_kept_in_order_byte_by_byte(store: Store, refused: list[Refused]) -> None:
    empty(store)
    store.events.append([], refused[:2])
    store.events.append([event(1)], refused[2:])
    found = store.events.refused()
    assert [one.raw for _, one in found] == [one.raw for one in refused]
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    if found:
        assert store.events.refused(found[0][0], limit=2) == found[1:3]


def test_many_events_at_once_and_by_position(store: Store) -> None:
    events = [event(n, f"customer-{n % 700}") for n in range(2_500)]
    assert store.events.append([*events, *events]) == Appended(2_500, 2_500, 0)
    assert [one.event for one in store.events.of_customers([f"customer-{n}" for n in range(700)])] == events
    positions = [one.position for one in store.events.read()]
    assert [one.position for one in store.events.at(positions[::-2])] == sorted(positions[::-2])


def test_the_log_outlives_the_process(url: str) -> None:
    events = [event(1, properties=b'{"a": [1, 2.50, "\\u0000"]}'), event(2, "bob", cost=0.1)]
    with open_store(url) as store:
        store.events.append(events)
    with open_store(url) as store:
        assert read_all(store) == events
        assert store.events.append([*events, event(3)]) == Appended(1, 2, 0)
        assert store.events.last_position() == store.events.read()[-1].position


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "ok \udfff!", "ä€😀"])
def test_any_text_is_kept_or_replaced_the_same_everywhere(store: Store, text: str) -> None:
    odd = event("x" + text, customer=text, text=text, other_id=text, other_kind="alias")
    store.events.append([odd])
    assert read_all(store) == [kept(odd)]
    assert store.events.append([odd]) == Appended(0, 1, 0)
    assert [one.event for one in store.events.of_customers([text])] == [kept(odd)]
