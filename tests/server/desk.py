"""A service with a small judged store behind it, asked without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random  # noqa: TID251  # with a seed
from typing import Any

import httpx
from fastapi import FastAPI

from truenorth.events import Event, Refused
from truenorth.server.api.bounds import Bounds
from truenorth.server.app import make_app
from truenorth.server.auth import ROLES
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.limits import Limits
from truenorth.server.metrics import Metrics, measured
from truenorth.server.rate import Rate
from truenorth.server.runner import Runner
from truenorth.server.who import Who
from truenorth.server.writer import LogWriter
from truenorth.store.foresight_rows import Foretold, ModelRow, RiskPoint, RiskRow
from truenorth.store.opening import Store, open_store

NOW_US = 1_767_605_400_000_000
"""2026-01-05 09:30 UTC."""
HOUR_US = 3_600_000_000
N_CASES = 30
N_CUSTOMERS = 12
HOSTILE = "<script>alert(1)</script>'\";--\u2028\r\n${x}"

PATIENT = Bounds(per_token=Rate(1e6, 1_000_000), per_address=Rate(1e6, 1_000_000), heartbeat_seconds=0.2)
"""As many requests as a test likes."""

JOURNEY = """\
truenorth: 1
journey: support
currency: EUR
need: type = 'Contact'
outcome:
  achieved: type = 'Fixed'
  failed: type = 'Left'
  abandoned_after: 20d
  value: {achieved: 90, failed: -240}
moments: type in ('Contact', 'Fixed')
promises:
  - {name: taken_up, after: type = 'Contact', expect: type = 'Taken up', within: 4h}
  - {name: no_ping_pong, at_most: 1, of: handover}
"""


def story() -> list[Event]:
    """Thirty cases of twelve customers, some unfinished; the last customer's words are hostile."""
    chance, number = Random(7), count(1)
    events = []
    for case in range(N_CASES):
        at_us = NOW_US - (200 - case) * HOUR_US
        begun = ["Contact", "Taken up", "Passed on"][: chance.randint(1, 3)]
        for kind in begun + chance.choice([[], ["Fixed"], ["Fixed"], ["Left"], ["Fixed", "Note"]]):
            at_us += chance.randint(1, 8) * HOUR_US
            events.append(
                Event(
                    source="shop",
                    id=f"e{next(number)}",
                    type=kind,
                    time_us=at_us,
                    received_us=at_us + 1,
                    customer=f"C{case % N_CUSTOMERS}",
                    case=f"T{case:03}",
                    team=chance.choice([None, "first", "second"]),
                    cost=chance.choice([None, 2.5]),
                    text=HOSTILE if case % N_CUSTOMERS == 11 else None,
                    properties=b'{"properties":{"topic":"line","n":1}}',
                )
            )
    events.append(
        Event(
            source="web",
            id="alias-1",
            type="alias",
            time_us=NOW_US - HOUR_US,
            received_us=NOW_US - HOUR_US,
            customer="C1",
            other_id="browser-1",
            other_kind="alias",
        )
    )
    return sorted(events, key=lambda event: event.received_us)


class Desk:
    """Asks a service as whoever has a role."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store = store
        self.now_us = NOW_US
        self.tokens = {role: store.access.add_token(f"{role}'s", role, now_us=NOW_US) for role in ROLES}
        self.write_key = store.access.add_write_key("shop", now_us=NOW_US)
        self.metrics = Metrics()
        self.writer = LogWriter(measured(store.events, self.metrics, lambda: 0.0), Limits())
        ingest = ingest_routes(self.writer, store.access, lambda: self.now_us, Limits(), links=store.links)
        self.app: FastAPI = make_app(
            store,
            ingest,
            now_us=lambda: self.now_us,
            metrics=self.metrics,
            **{"bounds": PATIENT, "ids_of": Who(store).ids_of, **settings},
        )

    def judge(self, *events: Event) -> None:
        """Let events arrive at running journeys, and the journeys come up to the clock."""
        runner = Runner(self.store, clock=lambda: self.now_us, lateness_us=0)
        runner.step()
        if events:
            self.store.events.append(events)
        while runner.step():
            pass
        runner.step()
        runner.finish()

    def ask(self, method: str, path: str, role: str | None = "admin", **options: Any) -> httpx.Response:
        """One request; ``role`` None: without a token."""

        async def asked(client: httpx.AsyncClient) -> httpx.Response:
            return await client.request(method, path, **options)

        return self.talk(asked, role)

    def talk(self, conversation: Callable[[httpx.AsyncClient], Any], role: str | None = "admin") -> Any:
        """Any number of requests in one loop."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}

        async def held() -> Any:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                return await conversation(client)

        return asyncio.run(held())

    def get(self, path: str, role: str | None = "admin", **query: Any) -> Any:
        """The JSON of a page that is there."""
        answer = self.ask("GET", path, role, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_pages(self, path: str, limit: int, **query: Any) -> list[Any]:
        """The items of all pages of a list."""
        items: list[Any] = []
        more: dict[str, str] = {}
        for _ in range(10_000):
            page = self.get(path, limit=limit, **query, **more)
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next"] is None:
                return items
            more = {"after": page["next"]}
        raise AssertionError("pages without end")


def _refused(number: int) -> Refused:
    raw = f'{{"event":"{HOSTILE}","n":{number}}}'.encode() + b"\xff"
    return Refused(source="shop", received_us=NOW_US + number, reason=f"time '{HOSTILE}' is no instant", raw=raw)


def foresee(store: Store) -> None:
    """A live model and a shadow, and what the live one says of the open cases."""
    for version in ("m0", "m1"):
        row = ModelRow(
            journey="support",
            version=version,
            made_us=NOW_US,
            data_from_us=NOW_US - 200 * HOUR_US,
            data_to_us=NOW_US,
            n_cases=25,
            beats=True,
            why="better than the base rate",
            threshold=0.5,
        )
        store.models.add(row, b"")
    store.models.promote("support", "m0", now_us=NOW_US)
    shown = store.results.cases("support", outcome="open")
    risks = [
        RiskRow(
            model="m0",
            case=case.case,
            customer=case.customer,
            at_us=NOW_US,
            position=1,
            p_failed=n / 10,
            avoidable=33.0 * n,
            alarmed=n >= 5,
            p=b'{"achieved":%.1f,"failed":%.1f,"abandoned":0.0}' % (1 - n / 10, n / 10),
            remaining_days=b"[0.4,2.1,null]" if n == 1 else b"[0.4,2.1,6.3]",
            next=b'{"Fixed":0.6,"Passed on":0.3}',
            why=b'[{"column":"hours_silent","words":"8 days since the last event","added":0.9}]',
            lowers=b'[{"words":"be in touch with the customer now","risk":%.1f,"risk_after":0.05}]' % (n / 10),
            n_past=1,
            p_past=n / 10,
        )
        for n, case in enumerate(shown, start=1)
    ]
    points = [
        RiskPoint(
            model="m0",
            case=row.case,
            number=1,
            customer=row.customer,
            at_us=NOW_US,
            position=1,
            p_failed=row.p_failed,
        )
        for row in risks
    ]
    store.risks.write("support", Foretold(risks=risks, points=points), n_erasures=0)


@contextmanager
def desk_in(folder: Path, **settings: Any) -> Iterator[Desk]:
    """A desk with the story in its store, judged as it came; three duplicates and five refused items as well."""
    with open_store(f"sqlite:///{folder}/truenorth.db") as store:
        desk = Desk(store, **settings)
        store.journeys.publish("support", JOURNEY, now_us=NOW_US)
        desk.judge(*story())
        store.events.append(story()[:3], [_refused(n) for n in range(5)])
        desk.judge()
        foresee(store)
        yield desk
