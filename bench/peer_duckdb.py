"""Eleven promises of the service journey as SQL windows: `python bench/peer_duckdb.py FILE.parquet` prints seconds.

Run by the Python of the scratch environment. The events are loaded into memory before the clock starts.
"""

from __future__ import annotations

import sys
from time import perf_counter

import duckdb

QUERY = """
with marked as (
  select "case", type, time, cost, team,
    lag(team ignore nulls) over by_case as previous_team,
    min(case when type = 'update' then time end) over later as next_update,
    min(case when type in ('update', 'fixed') then time end) over later as next_use,
    min(case when type in ('update', 'question', 'fixed') then time end) over later as next_news,
    min(case when type = 'taken' then time end) over later as next_taken,
    min(case when type = 'back' then time end) over later as next_back,
    count(*) filter (type = 'taken') over earlier as n_taken,
    count(*) filter (type = 'update') over earlier as n_updates
  from events
  window by_case as (partition by "case" order by time),
    later as (partition by "case" order by time rows between 1 following and unbounded following),
    earlier as (partition by "case" order by time rows between unbounded preceding and 1 preceding)
)
select "case",
  count(*) filter (type = 'chase' and (next_update is null or next_update > time + interval 6 hours)) as chase_answered,
  count(*) filter (type = 'reply' and (next_use is null or next_use > time + interval 1 day)) as reply_used,
  count(*) filter (type in ('update', 'question', 'fixed') and next_news > time + interval 2 days) as kept_informed,
  count(*) filter (type = 'taken' and next_taken > time + interval 3 days) as kept_moving,
  count(*) filter (type = 'fixed' and next_back <= time + interval 3 days) as stays_fixed,
  bool_or(type = 'chase') as no_chasing,
  count(*) filter (type = 'question') > 1 as asked_once,
  count(*) filter (team <> previous_team) > 1 as no_ping_pong,
  sum(cost) > 40 as cheap_enough,
  count(*) filter (type = 'fixed' and n_taken = 0) as taken_first,
  count(*) filter (type = 'transfer' and n_updates = 0) as told_first
from marked group by "case"
"""
N_ROUNDS = 2


def main(path: str) -> None:
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.execute(f"create table events as select * from '{path}'")
    seconds = []
    for _ in range(N_ROUNDS):
        start = perf_counter()
        connection.execute(f"create or replace table verdicts as {QUERY}")
        seconds.append(perf_counter() - start)
    print(min(seconds))


if __name__ == "__main__":
    main(sys.argv[1])
