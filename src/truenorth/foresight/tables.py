"""Tables to learn from: of a replayed journey, or of a log with a label."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.foresight import targets
from truenorth.foresight.columns import OTHER, columns_of
from truenorth.foresight.encoding import Instants, rows_at
from truenorth.foresight.histories import End, Histories, histories_of, histories_of_log, instants_us
from truenorth.foresight.instants import instants
from truenorth.foresight.labels import Label, columns_that_tell, labelled
from truenorth.foresight.load import Load, load_of, moves_of
from truenorth.foresight.rows import NEVER, Cases, Table
from truenorth.foresight.split import newest_of_each
from truenorth.foresight.vocabulary import Vocabulary, learn
from truenorth.insight.replayed import DECIDED, Replayed
from truenorth.spec.instants import microseconds
from truenorth.spec.model import Journey

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay

I64 = NDArray[np.int64]
END_OF_TIME_US = int(NEVER)
MOST_WATCHED = 200_000
"""Rows of ended cases, silences included, that are made of a labelled log to tell what becomes of open ones."""


def vocabulary_of_replay(
    journey: Journey, replay: Replayed, *, before_us: int = END_OF_TIME_US, without: Collection[str] = ()
) -> Vocabulary:
    """The features of a journey, learnt from events before an instant, and from outcomes that were known before it."""
    known = _ends(replay.cases).filter((pl.col("known_us") < before_us) & (pl.col("outcome") != "open"))
    labels = dict(zip(known["case"], known["outcome"], strict=True))
    return learn(_before(replay.events, before_us), journey=journey, without=without, labels=labels)


def vocabulary_of_log(
    events: pl.DataFrame,
    label: Label,
    *,
    before_us: int = END_OF_TIME_US,
    without: Collection[str] = (),
    zone: str | None = None,
) -> Vocabulary:
    """The features of a log with a label (``case``, ``time``, ``type`` ...), learnt from events before an instant."""
    known = _before(in_order(events), before_us)
    found = labelled(known, label).filter(pl.col("outcome") >= 0)
    labels = dict(zip(found["case"], found["outcome"].cast(pl.String), strict=True))
    return learn(known, without=(*without, *columns_that_tell(label)), zone=zone, labels=labels)


def _before(events: pl.DataFrame, before_us: int) -> pl.DataFrame:
    if before_us == END_OF_TIME_US:
        return events
    return events.filter(pl.col("time").to_physical() < before_us)


def table_of_replay(
    journey: Journey, replay: Replay, vocabulary: Vocabulary | None = None, *, in_silence: bool = True
) -> Table:
    """The table of a replayed journey: its cases at their events and, ``in_silence``, between them.

    A case is looked at until its outcome is known; one that is open at the end of the data is looked at until then and
    its outcome is -1. Without a ``vocabulary`` all events teach it: give one where part of the table is to test with.
    """
    vocabulary = vocabulary or vocabulary_of_replay(journey, replay)
    known = histories_of_replay(replay, vocabulary)
    by_case = _ends_of(known, replay.cases)
    ended_us, outcome_us, closed_us = (by_case[name].to_numpy() for name in ("known_us", "outcome_us", "closed_us"))
    seen_us = microseconds(replay.watermark) if replay.watermark else 0
    until_us = np.minimum(ended_us, seen_us + 1)
    wanted = instants(known, until_us, np.diff(known.starts), in_silence=in_silence)
    outcome = by_case["outcome"].replace_strict(_CODES, return_dtype=pl.Int8).to_numpy()
    cases = Cases(known.id, known.time_us[known.starts[:-1]], ended_us, outcome, by_case["customer"])
    load = _load(vocabulary, known, closed_us)
    return _table(vocabulary, known, load, wanted, cases, DECIDED, outcome_us, closed_us != NEVER)


_CODES = {**{name: code for code, name in enumerate(DECIDED)}, "open": -1}


def histories_of_replay(replay: Replay, vocabulary: Vocabulary) -> Histories:
    """The histories of a replay's cases, from its tables."""
    from truenorth.engine.kernel import VERDICT
    from truenorth.engine.verdicts import VERDICTS

    table, promises = replay.of_promises, np.zeros(replay.promises.height, VERDICT)
    number = {promise.name: number for number, promise in enumerate(replay.journey.promises)}
    verdict = {name: number for number, name in enumerate(VERDICTS)}
    promises["promise"] = table.frame["promise"].replace_strict(number, return_dtype=pl.Int32).to_numpy()
    promises["verdict"] = table.frame["verdict"].replace_strict(verdict, return_dtype=pl.Int8).to_numpy()
    promises["started_by"], promises["decided_by"] = table.started_by, table.decided_by
    for name in ("started", "due", "decided"):
        promises[name] = instants_us(table.frame[name])
    places = pl.DataFrame({"case": replay.events["case"][replay.of_cases.starts[:-1]]}).with_row_index("place")
    case = table.frame.select("case").join(places, on="case", how="left", maintain_order="left")["place"]
    return histories_of(vocabulary, replay, promises, case.to_numpy().astype(np.int64), _ended(replay.cases))


def _ended(cases: pl.DataFrame) -> Iterator[End]:
    """The cases of known customers that have closed."""
    closed = cases.filter(pl.col("customer").is_not_null() & pl.col("closed").is_not_null())
    opened_us, outcome_us, closed_us = (pl.col(name).to_physical() for name in ("opened", "outcome_time", "closed"))
    return closed.select("case", "customer", opened_us, "outcome", outcome_us, closed_us).iter_rows()


def load_of_replay(replay: Replayed, vocabulary: Vocabulary, known: Histories) -> Load:
    """The load that a replay's cases make, whose histories are ``known``."""
    return _load(vocabulary, known, _ends_of(known, replay.cases)["closed_us"].to_numpy())


def _ends(cases: pl.DataFrame) -> pl.DataFrame:
    """When the outcome of each case was reached and known, and when it closed; `NEVER` for not yet.

    An outcome that must hold for some time is known at the end of that time.
    """
    held = (pl.col("outcome") == "achieved") & pl.col("closed").is_not_null()
    known = pl.when(held).then("closed").otherwise("outcome_time")
    named = {"known_us": known, "outcome_us": pl.col("outcome_time"), "closed_us": pl.col("closed")}
    instants_us = [instant.to_physical().fill_null(NEVER).alias(name) for name, instant in named.items()]
    return cases.select("case", "customer", pl.col("outcome").cast(pl.String), *instants_us)


def _ends_of(known: Histories, cases: pl.DataFrame) -> pl.DataFrame:
    """The same for the cases of some histories, in their order."""
    return pl.DataFrame({"case": known.id}).join(_ends(cases), on="case", how="left", maintain_order="left")


def _load(vocabulary: Vocabulary, known: Histories, closed_us: I64 | None) -> Load:
    return load_of(moves_of(known, closed_us), len(vocabulary.types) + 1, len(vocabulary.owners) + 1)


def in_order(events: pl.DataFrame) -> pl.DataFrame:
    """Events with a case, by case in order of first appearance, then time, then arrival."""
    kept = events.filter(pl.col("case").is_not_null() & pl.col("time").is_not_null())
    first = kept.with_row_index("_row").select(pl.col("_row").min().over("case").alias("_first"))
    return kept.hstack(first).sort("_first", "time", maintain_order=True).drop("_first")


def table_of_log(
    events: pl.DataFrame,
    label: Label,
    vocabulary: Vocabulary | None = None,
    *,
    in_silence: bool = False,
    split_us: int = END_OF_TIME_US,
) -> Table:
    """The table of a log (``case``, ``time``, ``type``, attributes) whose cases have a label; no journey is needed.

    By convention a label is known at the last event of its case. Cases without a label have no rows, but count as load
    for the others. Where cases are looked at at their events only, those open at ``split_us`` are *watched*, too: how
    long they have been silent by then tells what becomes of them.
    """
    vocabulary = vocabulary or vocabulary_of_log(events, label)
    events = in_order(events)
    found = labelled(events, label)
    first = events.unique("case", keep="first", maintain_order=True)
    named = first["customer"].cast(pl.String) if "customer" in first.columns else [None] * first.height
    customers = pl.Series("customer", named, pl.String)
    known = histories_of_log(vocabulary, events, _openings(first["case"], customers, first["time"]))
    ended_us = known.time_us[known.starts[1:] - 1]
    outcome, end_event = found["outcome"].to_numpy(), found["end_event"].to_numpy()
    asked = (known, ended_us + 1, np.where(outcome < 0, 0, end_event))
    wanted = instants(*asked, in_silence=in_silence)
    cases = Cases(known.id, known.time_us[known.starts[:-1]], ended_us, outcome.astype(np.int8), customers)
    load, is_over = _load(vocabulary, known, None), np.ones(known.n, np.bool_)
    table = _table(vocabulary, known, load, wanted, cases, label.outcomes, ended_us, is_over)
    if in_silence or not ((cases.opened_us < split_us) & (ended_us >= split_us)).any():
        return table
    watched = _watched(instants(*asked, in_silence=True), cases, split_us)
    return table._replace(watched=rows_at(vocabulary, known, (load,), watched))


def _watched(wanted: Instants, cases: Cases, split_us: int) -> Instants:
    """Of instants before the split: all of some cases that had ended by then, and the newest of each that was open."""
    before, ended = wanted.time_us < split_us, cases.ended_us[wanted.case] < split_us
    kept = _of_some_cases(before & ended, wanted.case, MOST_WATCHED)
    kept[newest_of_each(before & ~ended, wanted.case)] = True
    return Instants._make(column[kept] for column in wanted)


def _of_some_cases(kept: NDArray[np.bool_], case: NDArray[np.int32], n_rows: int) -> NDArray[np.bool_]:
    """About so many of the rows kept (n,) at most: of some cases all, so that it is known how many came before each."""
    n = int(kept.sum())
    return kept if n <= n_rows else kept & (np.random.default_rng(0).random(int(case.max()) + 1) < n_rows / n)[case]


def _openings(ids: pl.Series, customers: pl.Series, opened: pl.Series) -> Iterator[End]:
    """Cases as earlier ones. How they end is not known in time: each counts from its opening."""
    opened_us = opened.to_physical().to_list()
    return zip(ids, customers, opened_us, repeat("open"), repeat(None), opened_us)


def _table(
    vocabulary: Vocabulary,
    known: Histories,
    load: Load,
    wanted: Instants,
    cases: Cases,
    outcomes: tuple[str, ...],
    outcome_us: I64,
    is_over: NDArray[np.bool_],
) -> Table:
    types = (*vocabulary.types, OTHER, targets.END)
    foretold: dict[str, Any] = {
        **targets.breaks(vocabulary, known, wanted),
        "remaining_days": targets.remaining_days(wanted, outcome_us),
        "next": targets.next_type(known, wanted, is_over, len(types) - 1),
    }
    rows = rows_at(vocabulary, known, (load,), wanted)
    return Table(columns_of(vocabulary), rows, cases, outcomes, foretold, types)
