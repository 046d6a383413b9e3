"""Outcomes foretold beside a plain XGBoost: `python bench/foresight_peers.py [--data DIR] [--only TASK ...]`.

By the protocol of Teinemaa et al. (ACM TKDD 13(2), 2019): the latest 20 % of the cases by their start are foretold
after each of their events; the area under the ROC curve at each number of events is averaged by the number of cases
that get so far. *As published* learns from all other cases, *known in time* only from those that had ended when the
first of the foretold ones began. XGBoost gets the survey's features, aggregation encoding: counts of the values so far,
and sums, means, extremes and deviations of the numbers so far, of the clock and of the calendar. The seconds are those
of one core for learning, ours with the choice of settings, calibration and the logistic regression beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
import polars as pl
from foresight_features import Task, area, longest
from numpy.typing import NDArray
from peers import LOGS, said_by
from tables import show

from foresight import EFFORT, HELD_OUT, LABELLED, area_of, by_start, labelled_table, quiet, trees_of
from truenorth.foresight.rows import Table
from truenorth.foresight.split import Split, temporal_split
from truenorth.foresight.tables import in_order
from truenorth.foresight.train import learn_outcome
from truenorth.logs import read_log

TASKS = ("traffic fines", "bpic2012 accepted", "bpic2012 declined", "bpic2012 cancelled")
MOST_VALUES = 60
"""Values of a column that are counted; a column with more is left out."""
CLOCK = ("month", "weekday", "hour", "minutes", "minutes_since")


def encoded(task: Task, folder: Path, table: Table) -> NDArray[np.float32]:
    """What a case shows so far, for each row of the table: (n, n_features)."""
    events = in_order(task.prepare(read_log(folder / task.file, fields=task.fields, on_progress=quiet).events))
    left_out = {"case", "id", "time", task.label.column, *task.without}
    names = [name for name in events.columns if name not in left_out]
    values = {name: events[name].cast(pl.String).drop_nulls().unique() for name in names}
    numbers = [name for name in names if events[name].dtype.is_numeric()]
    counted = [name for name in names if name not in numbers and 1 < len(values[name]) <= MOST_VALUES]
    time, opened = pl.col("time"), pl.col("time").first().over("case")
    events = events.with_columns(
        time.dt.month().alias("month"),
        time.dt.weekday().alias("weekday"),
        time.dt.hour().alias("hour"),
        (time - opened).dt.total_minutes().alias("minutes"),
        (time - time.shift(1).over("case")).dt.total_minutes().fill_null(0).alias("minutes_since"),
        (pl.int_range(pl.len()).over("case") + 1).alias("prefix"),
        *(pl.col(name).forward_fill().over("case").cast(pl.Float64).fill_null(0.0) for name in numbers),
    )
    so_far = [
        (pl.col(name).cast(pl.String) == value).fill_null(False).cast(pl.Int32).cum_sum().over("case")
        for name in counted
        for value in values[name].sort()
    ]
    so_far += [one for name in (*numbers, *CLOCK) for one in summed(pl.col(name).cast(pl.Float64))]
    seen = events.select("case", "prefix", *(one.alias(f"x{n}") for n, one in enumerate(so_far)))
    rows = pl.DataFrame({"case": table.cases.id.gather(table.rows.case), "prefix": table.rows.prefix})
    rows = rows.join(seen.with_columns(pl.col("prefix").cast(rows.schema["prefix"])), on=["case", "prefix"], how="left")
    return rows.drop("case", "prefix").to_numpy().astype(np.float32)


def summed(value: pl.Expr) -> Iterator[pl.Expr]:
    """Sum, mean, extremes and deviation of a number so far."""
    n, total, squares = pl.col("prefix"), value.cum_sum().over("case"), (value**2).cum_sum().over("case")
    yield from (total, total / n, value.cum_max().over("case"), value.cum_min().over("case"))
    yield (squares / n - (total / n) ** 2).clip(lower_bound=0.0).sqrt()


def theirs(x: NDArray[np.float32], table: Table, split: Split, task: Task) -> tuple[float, float]:
    """The area of a plain XGBoost, and the seconds that it took to learn."""
    n_events, held = longest(table, task.most), np.zeros(len(table.cases.outcome), bool)
    held[table.rows.case[split.test]] = True
    short, outcome = table.rows.prefix <= n_events, table.cases.outcome[table.rows.case]
    teaches = short & (split.fit | split.valid) & (outcome >= 0)
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "rows.npz"
        np.savez(file, x=x[teaches], y=outcome[teaches] == 1, asked=x[short & held[table.rows.case]])
        said = said_by("peer_xgboost.py", str(file))
    return area(table, held, n_events, np.array(said["p"])), said["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=LOGS)
    parser.add_argument("--only", nargs="*", choices=list(LABELLED), default=list(TASKS))
    options = parser.parse_args()
    rows = []
    for name in options.only:
        task = LABELLED[name]
        table = labelled_table(task, options.data)
        x = encoded(task, options.data, table)
        splits = {"as published": by_start(table), "known in time": temporal_split(table.cases, table.rows, HELD_OUT)}
        for how, split in splits.items():
            began_s = process_time()
            heads = learn_outcome(table, split, 0, EFFORT)
            ours_s = process_time() - began_s
            ours, (peer, peer_s) = area_of(table, split, trees_of(heads), task), theirs(x, table, split, task)
            areas = f"{ours:.3f}", f"{peer:.3f}", f"{ours / peer:.3f}"
            rows.append([f"{name}, {how}", *areas, f"{ours_s:.0f}", f"{peer_s:.0f}", f"{peer_s / ours_s:.1f}"])
    areas_, seconds = ("ours, AUC", "XGBoost, AUC", "ours : XGBoost"), ("ours, s", "XGBoost, s", "XGBoost : ours")
    show(["task", *areas_, *seconds], rows)


if __name__ == "__main__":
    main()
