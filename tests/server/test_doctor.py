"""Every illness is found, under its own name, with something to do about it; a healthy store is left in peace."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from threading import Event as Flag
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.events import Event, Refused
from truenorth.server import doctor
from truenorth.server.doctor import LOOKS, Finding, examine
from truenorth.store.condition import Condition
from truenorth.store.database import Database
from truenorth.store.leadership import leading
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import Judged, NewSignal, Progress, Settled

NOW_US = 1_767_605_400_000_000
HOUR_US = 3_600_000_000
JOURNEY = (Path(__file__).parent.parent.parent / "examples" / "support" / "journey.yaml").read_text()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/truenorth.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store that is well, except that nobody leads."""
    with open_store(url) as opened:
        opened.access.add_write_key("shop", now_us=NOW_US)
        opened.journeys.publish("support", JOURNEY, now_us=NOW_US)
        received = [Event(source="s", id=str(n), type="t", time_us=n, received_us=NOW_US - 9) for n in range(20)]
        opened.events.append(received)
        judged(opened, opened.events.last_position())
        yield opened


def judged(store: Store, position: int, n_signals: int = 0) -> None:
    signals = [NewSignal(kind="broken", time_us=0, body=b"{}") for _ in range(n_signals)]
    store.results.write("support", Judged(progress=Progress(position=position), signals=signals), n_erasures=0)


def of(url: str, name: str, now_us: int = NOW_US) -> list[Finding]:
    return [finding for finding in examine(url, lambda: now_us) if finding.name == name]


def test_a_store_that_is_well(store: Store, url: str) -> None:
    stages: list[tuple[str, float]] = []
    with leading(store.database, Flag()):
        found = examine(url, lambda: NOW_US, lambda stage, share: stages.append((stage, share)))
    assert [finding for finding in found if finding.state != "ok"] == []
    assert all(not finding.hint for finding in found)
    assert {name for name, _ in LOOKS} <= {finding.name for finding in found}
    assert [stage for stage, _ in stages] == ["database", *(name for name, _ in LOOKS)]
    assert all(0 <= share <= 1 for _, share in stages)


def archive_lost(store: Store) -> None:
    folder = Path(store.database.path or "").parent / "archive"
    store.archive.move(NOW_US, folder)
    next(folder.iterdir()).unlink()


def archive_cut(store: Store) -> None:
    folder = Path(store.database.path or "").parent / "archive"
    store.archive.move(NOW_US, folder)
    next(folder.iterdir()).write_bytes(b"PAR1")


def bad_journey(store: Store) -> None:
    store.journeys.publish("support", JOURNEY.replace("outcome:", "outcom:"), now_us=NOW_US)


def no_journey(store: Store) -> None:
    assert store.journeys.set_state("support", 1, "retired")


def delivery(state: str, next_us: int = 0) -> Callable[[Store], None]:
    def make(store: Store) -> None:
        store.outbox.add_webhook("https://a.example/", "s", now_us=0)
        judged(store, store.events.last_position(), 1)
        store.outbox.settle([Settled(signal=1, webhook=1, state=state, attempts=1, next_us=next_us)])  # type: ignore[arg-type]

    return make


def paused(store: Store) -> None:
    store.outbox.set_webhook(store.outbox.add_webhook("https://a.example/", "s", now_us=0).number, "paused")


def refusals(store: Store) -> None:
    store.events.append([], [Refused(source="s", received_us=NOW_US, reason="no", raw=b"")] * 2)


def behind(store: Store) -> None:
    judged(store, 3)


def no_key(store: Store) -> None:
    store.access.revoke_write_keys("shop", now_us=NOW_US)


@pytest.mark.parametrize(
    ("illness", "name", "state", "found"),
    [
        (archive_lost, "archive", "wrong", "1 of 1 file missing"),
        (archive_cut, "archive", "wrong", "of another size"),
        (bad_journey, "journeys", "wrong", "support, version 2: 2 errors"),
        (no_journey, "journeys", "doubtful", "none is live"),
        (delivery("dead"), "webhooks", "wrong", "1 dead letters"),
        (delivery("pending", NOW_US - HOUR_US), "webhooks", "wrong", "nothing is sent to 1"),
        (paused, "webhooks", "doubtful", "paused: 1"),
        (refusals, "quarantine", "doubtful", "2 refused beside the newest 20 events"),
        (behind, "runner", "wrong", "17 events are not judged"),
        (no_key, "keys", "doubtful", "no write key"),
    ],
)
def test_an_illness(
    store: Store, url: str, illness: Callable[[Store], None], name: str, state: str, found: str
) -> None:
    illness(store)
    findings = [one for one in of(url, name) if one.state != "ok"]
    assert [one.state for one in findings] == [state]
    assert found in findings[0].found
    assert findings[0].hint


@pytest.mark.parametrize(
    ("led", "n_behind", "state"), [(True, 0, "ok"), (False, 0, "doubtful"), (True, 17, "doubtful"), (False, 1, "wrong")]
)
def test_the_runner(
    store: Store, url: str, led: bool, n_behind: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BEHIND_DOUBT_EVENTS", 10)
    judged(store, store.events.last_position() - n_behind)
    lead: AbstractContextManager[object] = leading(store.database, Flag()) if led else nullcontext()
    with lead:
        assert [one.state for one in of(url, "runner")] == [state]


@pytest.mark.parametrize(("theirs_s", "state"), [(4, "ok"), (-3, "doubtful"), (13, "doubtful"), (3600, "wrong")])
def test_the_clock_of_a_database_that_takes_its_time_to_answer(
    store: Store, url: str, theirs_s: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Condition, "clock_us", lambda _self: NOW_US + theirs_s * 1_000_000)
    ours = count(NOW_US, 10_000_000)  # ten seconds from one look to the next
    assert [one.state for one in examine(url, lambda: next(ours)) if one.name == "clock"] == [state]


@pytest.mark.parametrize(("ahead_s", "state"), [(0, "ok"), (5, "doubtful"), (3600, "wrong")])
def test_a_clock_that_is_behind_what_has_arrived(store: Store, url: str, ahead_s: int, state: str) -> None:
    assert [one.state for one in of(url, "clock", NOW_US - ahead_s * 1_000_000)] == [state]


@pytest.mark.parametrize(
    ("doubt", "wrong", "state"), [(1, 1, "ok"), (10**18, 1, "doubtful"), (10**18, 10**18, "wrong")]
)
def test_room(store: Store, url: str, doubt: int, wrong: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM_DOUBT_BYTES", doubt)
    monkeypatch.setattr(doctor, "ROOM_WRONG_BYTES", wrong)
    assert [one.state for one in of(url, "disk")] == [state]


def test_a_kernel_that_is_not_compiled(store: Store, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Stats:
        cache_path = str(tmp_path)

    class Step:
        stats = Stats()

    monkeypatch.setattr(doctor.kernel, "step", Step())
    assert [one.state for one in of(url, "kernel")] == ["doubtful"]


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (finding,) = of(f"sqlite:///{tmp_path}/missing.db", "database")
    assert finding.state == "wrong"
    assert "no file" in finding.found
    assert list(tmp_path.iterdir()) == []


def test_tables_that_are_missing_are_not_made(url: str, tmp_path: Path) -> None:
    Database(url).run_alone("create table other (n integer)")
    (finding,) = of(url, "database")
    assert "has no tables" in finding.found
    assert [name for (name,) in Database(url).run_alone("select name from sqlite_master")] == ["other"]


def test_tables_of_a_newer_program(store: Store, url: str) -> None:
    store.database.run_alone("update alembic_version set version_num = '9999'")
    (finding,) = of(url, "database")
    assert "9999" in finding.found
    assert finding.state == "wrong"


@pytest.mark.parametrize("bad", ["mysql://a/b", "postgresql://u@127.0.0.1:1/x", "nonsense"])
def test_a_database_that_cannot_be_used(bad: str) -> None:
    found = examine(bad, lambda: NOW_US)
    assert found[-1].name == "database"
    assert found[-1].state == "wrong"


def test_the_database_is_named_as_it_was_typed(store: Store, url: str) -> None:
    """Every URL of these tests has no password, and shows as it is."""
    (finding,) = of(url, "database")
    assert finding.found.startswith(f"{url} answers")


@given(password=st.text(string.ascii_letters + string.digits + "%:/?#&=.-_~", min_size=8, max_size=20))
@settings(max_examples=30, deadline=None)
def test_no_password_is_shown_and_all_else_is(password: str) -> None:
    written = quote(password, safe="")
    for before, after in (
        ("postgresql://ann:", "@/tn?host=%2Frun%2Fpg"),
        ("postgres://h/tn?sslpassword=", "&sslmode=x"),
    ):
        database = Database(before + written + after)
        database.close()
        assert database.name == f"{before}***{after}"
