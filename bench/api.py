"""What answers of the API cost with a million cases: seconds on one core, best of three.

python bench/api.py [CASES]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter

from truenorth.store.opening import Store, open_store

PROMISES = ("answered", "fixed", "informed", "kept_low")
OUTCOMES = ("achieved", "achieved", "achieved", "failed", "open")
VERDICTS = ("kept", "kept", "kept", "broken", "open")
ROUNDS = 3


def fill(path: str, n_cases: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.executemany(
            'insert into case_row values ("j", ?, ?, 0, null, null, ?, null, null, 0,9,3,2,1,4, 3,1,0,0, 1.5, 2.5, 90)',
            ((f"T{n:08}", f"C{n // 2}", OUTCOMES[n % 5]) for n in range(n_cases)),
        )
        connection.executemany(
            'insert into promise_row values ("j", ?, ?, 1, 0, null, ?, null, "e1", null)',
            ((f"T{n:08}", name, VERDICTS[(n + k) % 5]) for n in range(n_cases) for k, name in enumerate(PROMISES)),
        )
        connection.executemany(
            """insert into signal (journey, "case", customer, kind, time_us, body)
            values ('j', ?, ?, 'broken', 0, '{}')""",
            ((f"T{n:08}", f"C{n // 2}") for n in range(n_cases)),
        )


def measured(store: Store) -> dict[str, Callable[[], object]]:
    pages, middle = store.pages, (f"T{500_000:08}",)
    return {
        "summary": lambda: store.results.totals("j"),
        "a case": lambda: store.results.case("j", middle[0]),
        "100 cases, from the middle": lambda: pages.cases("j", after=middle, limit=100),
        "100 failed cases, from the middle": lambda: pages.cases("j", after=middle, limit=100, outcome="failed"),
        "cases of an outcome that none has": lambda: pages.cases("j", limit=100, outcome="abandoned"),
        "cases of a customer": lambda: pages.cases("j", limit=100, customers=["C77"]),
        "100 broken promises": lambda: pages.promises("j", limit=100, verdict="broken", promise="fixed"),
        "promises of a verdict that none has": lambda: pages.promises("j", limit=100, verdict="lapsed"),
        "signals of a kind that none has": lambda: pages.signals(limit=100, kind="kept"),
        "a token": lambda: store.access.token_of("tnt_unknown"),
    }


def main() -> None:
    n_cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/truenorth.db"
        with open_store(f"sqlite:///{path}") as store:
            fill(path, n_cases)
            for name, ask in measured(store).items():
                best_s = min(_seconds(ask) for _ in range(ROUNDS))
                print(f"{name:38} {1000 * best_s:8.1f} ms")


def _seconds(ask: Callable[[], object]) -> float:
    began_s = perf_counter()
    ask()
    return perf_counter() - began_s


if __name__ == "__main__":
    main()
