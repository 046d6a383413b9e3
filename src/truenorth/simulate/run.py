"""The loop driven day by day: room is made before it is needed, progress is told, a policy is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from truenorth.simulate import loop, model
from truenorth.simulate import records as r
from truenorth.simulate.journeys import JOURNEYS

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

Ask = Callable[[r.State, int], None]
"""Called after an hour in which cases came to a moment to decide, with the day; sets their actions."""

Scalar = TypeVar("Scalar", bound=np.generic)

CHUNK = 1 << 18
"""Events are written into pieces of this many."""


class Run(NamedTuple):
    """What was lived: `records.EVENT` in pieces in order of time; cases, levels of causes, customers, counters."""

    chunks: list[NDArray[np.void]]
    cases: NDArray[np.void]
    levels: NDArray[np.int8]
    customers: NDArray[np.void]
    n: NDArray[np.int64]


def fresh_state(customers: NDArray[np.void]) -> r.State:
    """A company on its first morning."""
    n_teams = len(model.QUEUE_TEAMS)
    n_rooms = 1 << 10
    return r.State(
        n=np.zeros(7, np.int64),
        heap=np.zeros(2 * len(customers) + 1024, r.ENTRY),
        events=np.zeros(CHUNK, r.EVENT),
        cases=np.zeros(len(customers) + 256, r.CASE),
        levels=np.zeros((len(customers) + 256, 8), np.int8),
        customers=customers,
        last_day=np.full((len(customers), len(JOURNEYS)), -1, np.int16),
        queue=np.zeros((n_teams, n_rooms), np.int64),
        head=np.zeros(n_teams, np.int64),
        tail=np.zeros(n_teams, np.int64),
        waiting=np.zeros(n_teams, np.int64),
        busy=np.zeros(n_teams, np.int64),
        asked=np.zeros(1 << 12, np.int64),
    )


def live(
    tables: r.Tables,
    customers: NDArray[np.void],
    days: int,
    on_progress: Progress | None = None,
    ask: Ask | None = None,
) -> Run:
    """Live through ``days`` days. What is still under way at the end stays open.

    Without ``ask`` the loop runs a day at a time.
    """
    state = fresh_state(customers)
    chunks: list[NDArray[np.void]] = []
    slices = 24 if tables.asks_policy else 1
    for day in range(days):
        if on_progress is not None:
            on_progress("living", day / days)
        state = with_arrivals(state)
        loop.arrive(tables, state, day)
        for part in range(slices):
            until_us = tables.start_us + day * r.DAY_US + (part + 1) * (r.DAY_US // slices)
            while loop.run(tables, state, until_us) == r.FULL:
                state = with_room(state, chunks)
            if ask is not None and state.n[r.N_ASKED]:
                ask(state, day)
                state.n[r.N_ASKED] = 0
    chunks.append(state.events[: state.n[r.N_EVENTS]].copy())
    n_cases = int(state.n[r.N_CASES])
    run = Run(chunks, state.cases[:n_cases].copy(), state.levels[:n_cases].copy(), state.customers, state.n)
    return _without_twins(run) if run.cases["silent"].any() else run


def _without_twins(run: Run) -> Run:
    """The same without the silent twins, which have no events."""
    real = ~run.cases["silent"]
    row = np.cumsum(real) - 1
    for chunk in run.chunks:
        chunk["case"] = row[chunk["case"]]
    run.n[r.N_CASES] = real.sum()
    return run._replace(cases=run.cases[real], levels=run.levels[real])


def with_arrivals(state: r.State) -> r.State:
    """The same state with room for the needs of a day."""
    return _with_heap(state, int(state.n[r.N_HEAP]) + len(state.customers) + 1024)


def with_room(state: r.State, chunks: list[NDArray[np.void]]) -> r.State:
    """The same state with room in whatever was nearly full; full events go to the chunks."""
    n = state.n
    if len(state.events) - n[r.N_EVENTS] < r.ROOM:
        chunks.append(state.events[: n[r.N_EVENTS]])
        n[r.N_EVENTS] = 0
        state = state._replace(events=np.zeros(CHUNK, r.EVENT))
    if n[r.N_CASES] + 2 > len(state.cases):
        state = state._replace(cases=_doubled(state.cases), levels=_doubled(state.levels))
    if n[r.N_ASKED] == len(state.asked):
        state = state._replace(asked=_doubled(state.asked))
    if (state.tail - state.head + r.ROOM > state.queue.shape[1]).any():
        state = _with_queues(state)
    return _with_heap(state, int(n[r.N_HEAP]) + r.ROOM)


def _doubled(array: NDArray[Scalar]) -> NDArray[Scalar]:
    larger = np.zeros((2 * len(array), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _with_heap(state: r.State, n: int) -> r.State:
    """Room for ``n`` entries and the spare one."""
    if n < len(state.heap):
        return state
    heap = np.zeros(n + n // 2 + 1, r.ENTRY)
    heap[: len(state.heap)] = state.heap
    return state._replace(heap=heap)


def _with_queues(state: r.State) -> r.State:
    """Queues of twice the length, everybody at the place that their number has in it."""
    n_old = state.queue.shape[1]
    queue = np.zeros((len(state.queue), 2 * n_old), np.int64)
    for team, (head, tail) in enumerate(zip(state.head, state.tail, strict=True)):
        places = np.arange(head, tail)
        queue[team, places % (2 * n_old)] = state.queue[team, places % n_old]
    return state._replace(queue=queue)
