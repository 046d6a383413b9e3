"""Direct-follows counts beside pm4py's: `python bench/peers_dfg.py [XES ...]`; ends with 1 if anything differs.

Equal terms: both count every pair of consecutive events of a case, and the first and last event of each case. pm4py
reads the file with its own importer. Its order within a case is that of the file, ours is (time, arrival), so the
events pm4py read are brought into the same order before they are counted; the number of events out of order in the
file is printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from peers import ask, paths, replayed

from truenorth.engine.replay import Replay
from truenorth.insight.flow import direct_follows, starts_and_ends


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


def theirs(path: Path) -> dict[str, dict[tuple[str, ...], int]]:
    found = ask("dfg", str(path))
    return {
        "pairs": {(source, target): n for source, target, n in found["pairs"]},
        "starts": {(name,): n for name, n in found["starts"].items()},
        "ends": {(name,): n for name, n in found["ends"].items()},
    }


def out_of_order(replay: Replay) -> int:
    """Events that come before an earlier one of their case in the file."""
    by_arrival = replay.events.sort("case", pl.col("id").cast(pl.Int64))
    earlier = pl.col("time") < pl.col("time").shift(1).over("case")
    return int(by_arrival.select(earlier.sum()).item())


def compare(path: Path) -> int:
    replay = replayed(path, [])
    mine, peer = ours(replay), theirs(path)
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
    return n_differ


if __name__ == "__main__":
    print("pm4py", ask("versions")["pm4py"])
    sys.exit(1 if sum([compare(path) for path in paths(sys.argv[1:])]) else 0)
