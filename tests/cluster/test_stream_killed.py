"""Killed at random instants, a stream goes on where it was: files, store and signals are those of a replay."""

from __future__ import annotations

import os
import random  # noqa: TID251 (seeded)
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from conftest import new_database
from truenorth.cluster.session import require_java
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import open_store

from .test_stream import EXAMPLE, arrive, assert_is_a_replay, example

pytestmark = pytest.mark.slow
PATIENCE_S = 240
SMALL = (
    "spark.driver.memory=1g",
    "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1",
    "spark.sql.codegen.wholeStage=false",
)


class Streaming:
    """The command in a process group of its own: the driver, its JVM and the Python workers."""

    def __init__(self, folder: Path, db: str) -> None:
        self._folder = folder
        self._command = [
            sys.executable, "-c", "from truenorth.cli.app import main; main()",
            "stream", str(folder / "in"), "-j", str(EXAMPLE / "journey.yaml"), "--checkpoint", str(folder / "cp"),
            "--out", str(folder / "out"), "--db", db, "--lateness", "0s", "--buckets", "2",
            "--master", "local[2,4]", *(word for one in SMALL for word in ("--conf", one)),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Streaming:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self, *more: str) -> None:
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [*self._command, *more], stdout=said, stderr=subprocess.STDOUT, start_new_session=True
            )

    def kill(self) -> None:
        """SIGKILL to all of them."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)

    def kill_workers(self) -> int:
        """SIGKILL to the Python workers; how many there were."""
        n_killed = 0
        for child in psutil.Process(self._running.pid).children(recursive=True):
            with suppress(psutil.Error):  # one that has ended meanwhile
                if "pyspark.daemon" in " ".join(child.cmdline()):
                    child.kill()
                    n_killed += 1
        return n_killed

    def ends(self) -> None:
        assert self._running.wait(PATIENCE_S) == 0, (self._folder / "said").read_text()[-3_000:]

    def batches(self) -> int:
        return len(list((self._folder / "out" / "batches").glob("*.msgpack")))

    def waits_for(self, n_batches: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.batches() < n_batches:
            assert self._running.poll() is None, (self._folder / "said").read_text()[-3_000:]
            assert time.monotonic() < until, "no batch came"
            time.sleep(0.05)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_killed_while_files_arrive(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    try:
        require_java()
    except TruenorthError as error:
        pytest.skip(str(error))
    db = new_database(request.getfixturevalue("postgres")) if store == "postgres" else f"sqlite:///{tmp_path}/s.db"
    chance, rows = random.Random(8), example(3_382)
    arrive(tmp_path / "in", rows.head(300), chance)
    hurries = Event()

    def rest() -> None:
        """A file a second, and what is left at once in the end."""
        for number, at in enumerate(range(300, rows.height, 20), 1_000):
            arrive(tmp_path / "in", rows.slice(at, 20), chance, number)
            hurries.wait(1)

    arriving = Thread(target=rest)
    with Streaming(tmp_path, db) as streaming:
        arriving.start()
        for n in range(2):
            streaming.start("--every", "1s")
            streaming.waits_for(streaming.batches() + 3)
            time.sleep(chance.uniform(0, 2))
            if n == 1:
                assert streaming.kill_workers()
                time.sleep(chance.uniform(0, 3))
            streaming.kill()
        hurries.set()
        arriving.join()
        streaming.start("--json")
        streaming.ends()
    with open_store(db) as opened:
        assert_is_a_replay(tmp_path / "in", tmp_path / "out", opened)
        assert opened.results.progress("support").n_events == rows.height
    assert not list((tmp_path / "out" / "aside").iterdir())
