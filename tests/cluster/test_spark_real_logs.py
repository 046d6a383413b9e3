"""Published logs, where somebody has put them beside the repository, and a company: Spark agrees row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import truenorth as tn
from test_real_logs import EXAMPLES, LOGS, OBJECT_TYPES, ROOT
from truenorth import cluster
from truenorth.logs import read_log
from truenorth.simulate import Company, World

from .rows import assert_same

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", EXAMPLES)
def test_all_rows_of_a_log(spark: Any, name: str, tmp_path: Path) -> None:
    """The log as it is, dealt out by this machine, and as Parquet that the cluster reads."""
    file = LOGS / EXAMPLES[name][0]
    if not file.exists():
        pytest.skip(f"{file.name} is not in ../shared/data")
    journey = tn.load_journey(ROOT / "examples" / f"{name}.yaml")
    log = read_log(file, fields=journey.fields or None, object_type=OBJECT_TYPES.get(name))
    expected = tn.replay(journey, log)
    found = cluster.replay(spark, cluster.deal(spark, log), journey, n_buckets=5)
    assert_same(found, expected)
    found.release()

    log.events.write_parquet(path := tmp_path / "log.parquet", row_group_size=50_000)
    read = cluster.read_parquet(spark, str(path), fields={name: name for name in journey.fields})
    found = cluster.replay(spark, read, journey, n_buckets=5, keep=tmp_path / "out")
    counted_while_read = {"quarantined": log.quarantine.height, "duplicates": log.n_duplicates}
    found.summary |= counted_while_read
    assert_same(found, expected)


def test_all_rows_of_a_made_up_company(spark: Any, tmp_path: Path) -> None:
    """All that its customers do, judged by each of its journeys."""
    events = World(Company(n_customers=3_000, days=60), seed=3).lived.events()
    events.write_parquet(path := tmp_path / "log.parquet", row_group_size=50_000)
    for file in sorted((ROOT / "examples" / "company").glob("*.yaml")):
        journey = tn.load_journey(file)
        read = cluster.read_parquet(spark, str(path), fields=journey.fields)
        found = cluster.replay(spark, read, journey, n_buckets=5, keep=tmp_path / file.stem)
        assert_same(found, expected := tn.replay(journey, str(path)))
        assert expected.summary["cases"] > 100, file
