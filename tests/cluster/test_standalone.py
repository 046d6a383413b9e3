"""A cluster of one master and two workers, started as Spark's scripts do: same rows, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

import polars as pl
import pytest

import truenorth as tn
from truenorth import cluster
from truenorth.cluster.session import open_session, require_java
from truenorth.spec.problems import TruenorthError

from .rows import assert_same
from .test_spark_replay import DAY0, JOURNEY

pytestmark = pytest.mark.slow
N_BUCKETS = 24
ANYWHERE = ("--host", "127.0.0.1", "--webui-port", "0")
PATIENCE_S = 60


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Machines:
    """Processes of a cluster, each the head of a group of its own, with what it starts."""

    def __init__(self, folder: Path) -> None:
        self._starter = Path(pytest.importorskip("pyspark").__file__).parent / "bin" / "spark-class"
        self._folder = folder
        self._all: list[subprocess.Popen[bytes]] = []
        self.url = f"spark://127.0.0.1:{free_port()}"

    def start(self, what: str, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        folder = self._folder / name
        folder.mkdir()
        small = {"SPARK_DAEMON_MEMORY": "200m", "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder)}
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(
                [str(self._starter), f"org.apache.spark.deploy.{what}", *ANYWHERE, *arguments],
                env={**os.environ, **small},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._all.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """With all that it started, at once."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_S)

    def stop(self) -> None:
        for process in self._all:
            self.kill(process)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    try:
        require_java()
    except TruenorthError as error:
        pytest.skip(str(error))
    started = Machines(tmp_path_factory.mktemp("machines"))
    try:
        started.start("master.Master", "master", "--port", started.url.rpartition(":")[2])
        yield started
    finally:
        started.stop()


def worker(machines: Machines, name: str) -> subprocess.Popen[bytes]:
    return machines.start("worker.Worker", name, "--cores", "1", "--memory", "600m", machines.url)


@pytest.fixture(scope="module")
def session(machines: Machines) -> Iterator[Any]:
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "600m",
        "spark.executor.memory": "500m",
        "spark.python.worker.faulthandler.enabled": "true",
        "spark.sql.shuffle.partitions": "2",
    }
    with open_session(master=machines.url, settings=settings) as spark:
        yield spark


def when(happens: Callable[[], bool], then: Callable[[], None], done: Event) -> Thread:
    """Do something once something happens."""

    def wait() -> None:
        while not done.is_set():
            if happens():
                then()
                done.set()
            sleep(0.02)

    thread = Thread(target=wait)
    thread.start()
    return thread


def some_log(n: int, n_cases: int) -> pl.DataFrame:
    types = pl.Series(["ask", "work", "work", "back", "done", "note"])
    return pl.DataFrame({"row": range(n)}).select(
        time=pl.lit(DAY0) + pl.duration(minutes=pl.col("row")),
        type=types.sample(n, with_replacement=True, seed=1),
        case=pl.int_range(n_cases, eager=True).sample(n, with_replacement=True, seed=2),
        cost=pl.Series([0.25, 3.5, None, 9.0]).sample(n, with_replacement=True, seed=3),
    )


def test_a_worker_killed_in_the_middle(machines: Machines, session: Any, tmp_path: Path) -> None:
    log, out = tmp_path / "log.parquet", tmp_path / "out"
    some_log(60_000, 5_000).write_parquet(log, row_group_size=10_000)
    expected = tn.replay(JOURNEY, log)
    first, _second = worker(machines, "one"), worker(machines, "two")
    found = cluster.replay(session, str(log), JOURNEY, n_buckets=3)
    assert_same(found, expected)
    found.release()

    unfinished, seen, done = out / ".cases.parquet.part", [], Event()

    def some_are_there() -> bool:
        return unfinished.is_dir() and len(list(unfinished.glob("*.parquet"))) >= 2

    def kill_one() -> None:
        seen.append(len(list(unfinished.glob("*.parquet"))))
        machines.kill(first)

    thread = when(some_are_there, kill_one, done)
    try:
        found = cluster.replay(session, str(log), JOURNEY, n_buckets=N_BUCKETS, keep=out)
    finally:
        done.set()
        thread.join()
    assert seen
    assert seen[0] < N_BUCKETS
    assert first.poll() is not None
    assert_same(found, expected)
    names = [path.name.split("-") for path in (out / "cases.parquet").glob("*.parquet")]
    assert len({bucket for _, bucket, _ in names}) == len(names) == N_BUCKETS
