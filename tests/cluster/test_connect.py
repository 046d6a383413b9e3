"""The same through a Spark Connect server: nothing here needs a driver in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import truenorth as tn
from truenorth.cluster.session import require_java
from truenorth.spec.problems import TruenorthError

from .test_spark_replay import JOURNEY, JOURNEY_TEXT, messy

pytestmark = pytest.mark.slow

CLIENT = """
import sys
from pathlib import Path
from truenorth import cluster
from truenorth.spec.load import parse_journey
journey = parse_journey(Path(sys.argv[1]).read_text())
with cluster.open_session(remote="local[2]") as spark:
    found = cluster.replay(spark, sys.argv[2], journey, n_buckets=3)
    cluster.write_results(found, sys.argv[3])
    cluster.replay(spark, sys.argv[2], journey, n_buckets=3, keep=Path(sys.argv[4]))
"""


def test_a_server_gives_the_same_rows(tmp_path: Path) -> None:
    try:
        require_java()
    except TruenorthError as error:
        pytest.skip(str(error))
    pytest.importorskip("grpc", reason="Spark Connect needs grpcio: pip install 'truenorth[cluster]'")
    log, text = tmp_path / "log.parquet", tmp_path / "journey.yaml"
    messy().write_parquet(log)
    text.write_text(JOURNEY_TEXT)
    here = {**os.environ, "PYSPARK_PYTHON": sys.executable}  # the server's workers: they need what this process has
    call = [sys.executable, "-c", CLIENT, text, log, tmp_path / "spark", tmp_path / "workers"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, check=False, env=here)
    assert done.returncode == 0, done.stderr
    expected = tn.replay(JOURNEY, log)
    for folder in ("spark", "workers"):
        for name, key in (("cases", ["case"]), ("promises", ["case", "promise", "instance"])):
            rows = pl.read_parquet(tmp_path / folder / f"{name}.parquet/*.parquet")
            assert rows.sort(key).equals(getattr(expected, name).sort(key))
