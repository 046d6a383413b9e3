"""However many decide at once, no limit is exceeded by a cent; a crash loses nothing and locks nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from hypothesis import given, settings
from hypothesis import strategies as st

from store.making import empty, on_one_database
from truenorth.store.decisions import DecisionRow, Reaction, Reserve
from truenorth.store.opening import Store, open_store

N_ASKERS = 64
LIMIT_CENTS = 1_000


def row(id: str, at_us: int = 10, expires_us: int | None = 100) -> DecisionRow:  # noqa: A002
    return DecisionRow(
        id=id,
        journey="help",
        case="T1",
        customer="ann",
        asker="anna",
        team=None,
        origin="asked",
        at_us=at_us,
        chosen="credit",
        taken="credit",
        channel=None,
        state="proposed",
        expires_us=expires_us,
        propensity=1.0,
        holdout=0,
        value_cents=1,
        cost_cents=1,
        record=b"{}",
    )


def take(store: Store, id: str, amount: int, now_us: int = 10) -> int:  # noqa: A002
    """Take an amount if the limit allows it, as a decision does; what was taken."""
    with store.decisions.taking(now_us) as taking:
        if taking.used(["budget"]).get("budget", 0) + amount > LIMIT_CENTS:
            return 0
        taking.add(row(id, now_us, now_us + 90), [Reserve("budget", "day", amount)])
        return amount


def test_many_who_ask_at_once_never_exceed_a_limit_by_a_cent(url: str) -> None:
    start = Barrier(8)
    with open_store(url) as store:

        def ask(worker: int) -> int:
            start.wait()
            return sum(take(store, f"{worker}-{n}", 37) for n in range(N_ASKERS // 8))

        with ThreadPoolExecutor(8) as pool:
            taken = sum(pool.map(ask, range(8)))
        with store.decisions.taking(10) as taking:
            assert taking.used(["budget"]) == {"budget": taken}
    assert taken == 37 * (LIMIT_CENTS // 37)


@given(
    st.lists(
        st.tuples(st.sampled_from(["take", "decline", "accept", "done", "wait"]), st.integers(1, 400)), max_size=25
    )
)
@settings(parent=on_one_database, max_examples=25)
def test_what_is_used_is_what_live_decisions_hold(store: Store, steps: list[tuple[str, int]]) -> None:
    empty(store)
    now_us, held = 10, dict[str, tuple[int, int | None]]()
    for number, (step, amount) in enumerate(steps):
        alive = {who: one for who, one in held.items() if one[1] is None or one[1] > now_us}
        pending = sorted(who for who, one in alive.items() if one[1] is not None)
        if step == "take":
            expected = sum(one[0] for one in alive.values()) + amount <= LIMIT_CENTS
            assert (take(store, f"d{number}", amount, now_us) > 0) == expected
            if expected:
                held[f"d{number}"] = (amount, now_us + 90)
        elif step == "wait":
            now_us += amount
        elif pending:
            react(store, pending[0], step, now_us)
            if step == "decline":
                del held[pending[0]]
            else:
                held[pending[0]] = (7 if step == "done" else held[pending[0]][0], None)
    alive = {who: one for who, one in held.items() if one[1] is None or one[1] > now_us}
    with store.decisions.taking(now_us) as taking:
        assert taking.used(["budget"]).get("budget", 0) == sum(amount for amount, _ in alive.values())


def react(store: Store, id: str, step: str, now_us: int) -> None:  # noqa: A002
    state = {"decline": "declined", "accept": "accepted", "done": "done"}[step]
    reaction = Reaction(decision=id, at_us=now_us, who="anna", kind=state, cost_cents=7, after_us=1)  # type: ignore[arg-type]
    with store.decisions.taking(now_us) as taking:
        taking.react(reaction, state)  # type: ignore[arg-type]
        if step == "done":
            taking.settle(id, [Reserve("budget", "day", 7)])


DIE = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from store.test_decisions import Reserve, row
from truenorth.store.opening import open_store
with open_store({url!r}) as store:
    with store.decisions.taking(10) as taking:
        taking.add(row("kept"), [Reserve("budget", "day", 300)])
    with store.decisions.taking(10) as taking:
        taking.add(row("lost"), [Reserve("budget", "day", 400)])
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_no_reservation_and_leaves_none_behind(url: str) -> None:
    tests = str(Path(__file__).parent.parent)
    with open_store(url):
        pass
    code = DIE.format(tests=tests, url=url)
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False)
    assert died.returncode == -signal.SIGKILL
    with open_store(url) as store:
        with store.decisions.taking(20) as taking:
            assert taking.used(["budget"]) == {"budget": 300}
        with store.decisions.taking(100) as taking:  # expired: nobody has to release it
            assert taking.used(["budget"]) == {}
        assert store.decisions.find("lost") is None
