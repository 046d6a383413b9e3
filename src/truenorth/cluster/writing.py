"""What was judged on the cluster, written in the layout of a replay: the tables by the executors, as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from truenorth.cluster.judging import ClusterReplay, without_pandas
from truenorth.logs.whole import whole_file

if TYPE_CHECKING:
    from truenorth.logs.log import Progress


def write_results(replay: ClusterReplay, folder: str, on_progress: Progress | None = None) -> list[str]:
    """Write ``cases.parquet``, ``promises.parquet`` and ``summary.json`` into a folder that all machines reach.

    The tables are folders of Parquet files, which readers take as one; unreadable rows go to ``quarantine.csv``, a
    folder too. An earlier result of the same name is replaced. Returns what was written. The summary of a folder with a
    scheme (``hdfs://``, ``s3a://``) is a folder with one text file.
    """
    tell = on_progress or (lambda _stage, _share: None)
    base = folder.rstrip("/")
    written = []
    with without_pandas():
        for name, frame in (("cases", replay.cases), ("promises", replay.promises)):
            tell(f"writing {name}", 0.0)
            frame.write.mode("overwrite").parquet(f"{base}/{name}.parquet")
            written.append(f"{base}/{name}.parquet")
    if replay.n_quarantined:
        replay.quarantine.write.mode("overwrite").csv(f"{base}/quarantine.csv", header=True, escape='"')
        written.append(f"{base}/quarantine.csv")
    written.append(_write_summary(replay, base))
    return written


def _write_summary(replay: ClusterReplay, base: str) -> str:
    text = msgspec.json.format(msgspec.json.encode(replay.summary), indent=2)
    if "://" in base:
        spark = replay.quarantine.sparkSession
        frame = spark.createDataFrame([(text.decode(),)], "value string").coalesce(1)
        frame.write.mode("overwrite").text(f"{base}/summary.json")
        return f"{base}/summary.json"
    Path(base).mkdir(parents=True, exist_ok=True)
    with whole_file(Path(base, "summary.json")) as unfinished:
        unfinished.write_bytes(text + b"\n")
    return f"{base}/summary.json"
