"""What goes wrong around a store: full, locked, away, named wrongly, made by a newer program."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import new_database
from store.making import event, read_all
from truenorth.spec.problems import TruenorthError
from truenorth.store import database as database_module
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import StoreFull, StoreUnavailable

BIG = "x" * 20_000


def fill_up(store: Store) -> list[str]:
    """Append batches of a new event and a big one until the store is full; the ids that were kept."""
    kept: list[str] = []
    with pytest.raises(StoreFull, match="room to write"):  # noqa: PT012  # which of them fails is not known
        for n in range(10_000):
            store.events.append([event(f"{n}-small"), event(f"{n}-big", text=BIG)])
            kept += [f"{n}-small", f"{n}-big"]
    return kept


def test_a_full_database_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truenorth.db"
    with open_store(url) as store:
        store.database.run_alone("pragma max_page_count = 200")  # of the one connection that there is
        kept = fill_up(store)
        assert kept
        assert [one.id for one in read_all(store)] == kept
    with open_store(url) as store:
        assert [one.id for one in read_all(store)] == kept
        assert store.events.append([event("after")]).n_new == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_nothing_of_the_batch(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/truenorth.db"
    with open_store(url) as store:
        kept = fill_up(store)
        assert [one.id for one in read_all(store)] == kept
    with open_store(url) as store:
        assert [one.id for one in read_all(store)] == kept


def test_a_disk_too_full_for_the_archive_changes_nothing(small_disk: Path, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        store.events.append([event(n) for n in range(50)])
        (small_disk / "filler").write_bytes(b"x" * (2 << 20))
        with pytest.raises(TruenorthError, match="a place to write to"):
            store.archive.move(10**15, small_disk)
        assert read_all(store) == [event(n) for n in range(50)]
        (small_disk / "filler").unlink()
        assert store.archive.move(10**15, small_disk) == (50, 1)


def test_a_database_held_by_another_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 50)
    path = tmp_path / "truenorth.db"
    with open_store(f"sqlite:///{path}") as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="its turn to write"):
            store.events.append([event(1)])
        other.execute("rollback")
        other.close()
        assert store.events.append([event(1)]).n_new == 1


def test_reading_goes_on_while_somebody_writes(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        store.events.append([event(1)])
        with store.database.writing() as connection:
            connection.exec_driver_sql("delete from event")
            assert read_all(store) == [event(1)]
        assert read_all(store) == []


def test_a_lost_connection_is_said_and_made_anew(postgres: str) -> None:
    with open_store(new_database(postgres)) as store:
        store.events.append([event(1)])
        with pytest.raises(StoreUnavailable, match="a database that answers"):
            lose_connection(store, postgres)
        assert store.events.append([event(1), event(2)]) == (1, 1, 0)
        with psycopg.connect(f"postgresql://postgres@/postgres?{postgres}", autocommit=True) as administrator:
            administrator.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'truenorth'"
            )
        assert store.events.append([event(3)]) == (1, 0, 0)


def lose_connection(store: Store, postgres: str) -> None:
    """Use a connection that the server ends in the middle of a transaction."""
    with store.database.writing() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        with psycopg.connect(f"postgresql://postgres@/postgres?{postgres}", autocommit=True) as administrator:
            administrator.execute("select pg_terminate_backend(%s, 5000)", [pid])
        connection.exec_driver_sql("select 1")


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        (
            "mysql://root:hunter2@host/db",
            TruenorthError,
            "'postgresql://user@host/database', found one that begins with 'mysql'",
        ),
        ("hunter2", TruenorthError, "found something else"),
        ("sqlite://", TruenorthError, "no path of a file"),
        ("sqlite:///:memory:", TruenorthError, "no path of a file"),
        ("sqlite://file.db", TruenorthError, "no path of a file"),
        ("sqlite:////nowhere/at/all.db", StoreUnavailable, "unable to open database file"),
        (
            "postgresql://ann:hunter2@127.0.0.1:1/db",
            StoreUnavailable,
            r"ann:\*\*\*@127.0.0.1:1/db: expected a database",
        ),
        ("postgres://ann:hunter2@127.0.0.1:1/db", StoreUnavailable, "check that it runs"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained_without_its_password(
    url: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        open_store(url)
    link: BaseException | None = raised.value
    while link is not None:
        assert "hunter2" not in str(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        store.events.append([event(1)])
        store.archive.move(10**15, tmp_path / "archive")
        store.events.append([event(2)])
        private = [path for path in tmp_path.iterdir() if not path.stat().st_mode & 0o077]
    of_sqlite = {"truenorth.db", "truenorth.db-wal", "truenorth.db-shm"}
    assert {path.name for path in private} == {*of_sqlite, "truenorth.db-turn", "archive"}


def test_a_file_that_is_no_database_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear customer, " * 100)
    with pytest.raises(TruenorthError, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/letter.txt")


def test_a_database_of_another_encoding_is_not_taken(postgres: str) -> None:
    with psycopg.connect(f"postgresql://postgres@/postgres?{postgres}", autocommit=True) as connection:
        connection.execute("create database old encoding 'LATIN1' locale 'C' template template0")
    with pytest.raises(TruenorthError, match="encoding UTF8, found LATIN1"):
        open_store(f"postgresql://postgres@/old?{postgres}")


def test_what_a_database_has_as_defaults_does_not_count(postgres: str) -> None:
    url = new_database(postgres)
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("synchronous_commit = off", "default_transaction_isolation = 'serializable'"):
            connection.execute(f"alter database {connection.info.dbname} set {setting}")
    with open_store(url) as store, store.database.writing() as connection:
        assert connection.exec_driver_sql("show synchronous_commit").scalar_one() == "on"
        assert connection.exec_driver_sql("show transaction_isolation").scalar_one() == "read committed"


def test_a_database_of_a_newer_program_is_left_alone(url: str) -> None:
    with open_store(url) as store:
        store.events.append([event(1)])
        with store.database.writing() as connection:
            connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(TruenorthError, match=r"found those of revision 9999, of a newer program\. Hint: upgrade"):
        open_store(url)
