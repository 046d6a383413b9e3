"""Direct-follows counts beside pm4py's: `python bench/peers_dfg.py [XES ...]`; ends with 1 if anything differs.

Equal terms: both count every pair of consecutive events of a case, and the first and last event of each case. pm4py
reads the file with its own importer. Its order within a case is that of the file, ours is (time, arrival), so the
events pm4py read are brought into the same order before they are counted; the number of events out of order in the
file is printed. The seconds are those of counting, of ours with ordering and judging, of neither with reading.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from peers import ask, paths, replayed
from tables import best, show

from truenorth.engine.replay import Replay
from truenorth.insight.flow import direct_follows, starts_and_ends
from truenorth.logs import read_log


def ours(replay: Replay) -> dict[str, dict[tuple[str, ...], int]]:
    pairs = direct_follows(replay).select("source", "target", "n").rows()
    borders = starts_and_ends(replay)
    starts = borders.filter(pl.col("end") == "need").select("type", "n").rows()
    ends = borders.filter(pl.col("end") != "need").select("type", "n").rows()
    return {
        "pairs": {(source, target): n for source, target, n in pairs},
        "starts": {(name,): n for name, n in starts},
        "ends": {(name,): n for name, n in ends},
    }


def theirs(path: Path) -> tuple[dict[str, dict[tuple[str, ...], int]], float]:
    """Counts, and the seconds they took."""
    found = ask("dfg", str(path))
    counts = {
        "pairs": {(source, target): n for source, target, n in found["pairs"]},
        "starts": {(name,): n for name, n in found["starts"].items()},
        "ends": {(name,): n for name, n in found["ends"].items()},
    }
    return counts, found["seconds"]


def out_of_order(replay: Replay) -> int:
    """Events that come before an earlier one of their case in the file."""
    by_arrival = replay.events.sort("case", pl.col("id").cast(pl.Int64))
    earlier = pl.col("time") < pl.col("time").shift(1).over("case")
    return int(by_arrival.select(earlier.sum()).item())


def compare(path: Path) -> tuple[int, list[str]]:
    """How many counts differ, and a row of the table of seconds."""
    events = read_log(path).events
    ours_s = best(lambda: ours(replayed(events, [])))
    replay = replayed(events, [])
    mine, (peer, peer_s) = ours(replay), theirs(path)
    n_differ = 0
    print(f"\n{path.name}: {replay.events.height:,} events, {out_of_order(replay):,} out of order in the file")
    for what in mine:
        keys = mine[what].keys() | peer[what].keys()
        differ = [key for key in sorted(keys) if mine[what].get(key, 0) != peer[what].get(key, 0)]
        sums = sum(mine[what].values()), sum(peer[what].values())
        print(
            f"  {what:7} ours {len(mine[what]):4} of sum {sums[0]:8,}   pm4py {len(peer[what]):4} of sum {sums[1]:8,}",
            end="",
        )
        print(f"   {len(differ)} differ")
        for key in differ[:20]:
            print(f"    {' -> '.join(key)}: ours {mine[what].get(key, 0)}, pm4py {peer[what].get(key, 0)}")
        n_differ += len(differ)
    row = [path.name, f"{events.height:,}", f"{ours_s:.2f}", f"{peer_s:.2f}", f"{peer_s / ours_s:.1f}", str(n_differ)]
    return n_differ, row


if __name__ == "__main__":
    print("pm4py", ask("versions")["pm4py"])
    compared = [compare(path) for path in paths(sys.argv[1:])]
    print()
    show(["direct follows", "events", "ours, s", "pm4py, s", "pm4py : ours", "differ"], [row for _, row in compared])
    sys.exit(int(any(n_differ for n_differ, _ in compared)))
