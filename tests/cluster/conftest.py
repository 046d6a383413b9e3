"""One small Spark for all tests of the cluster; without Java they are skipped by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from truenorth.cluster.session import open_session, require_java
from truenorth.spec.problems import TruenorthError

SMALL = {
    "spark.default.parallelism": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # small tests end before a better compiler pays
    "spark.driver.memory": "1g",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "1",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    pytest.importorskip("pyspark", reason="PySpark is not installed: pip install 'truenorth[cluster]'")
    try:
        require_java()
    except TruenorthError as error:
        pytest.skip(str(error))
    with open_session(master="local[2]", settings=SMALL) as session:
        yield session
