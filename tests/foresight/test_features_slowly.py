"""The features of cases of made-up logs, worked out one by one in plain Python, beside what the compiled walks say."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.foresight import features
from truenorth.foresight.columns import OTHER
from truenorth.foresight.features import Category, Label, Number, Vocabulary
from truenorth.foresight.rows import Table

ZONE = ZoneInfo("Europe/Rome")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
VOCABULARY = Vocabulary(
    types=("a", "b"),
    owner="team",
    owners=("t0", "t1"),
    categories=(Category("team", ("t1", "t2"), False), Category("kind", ("x", "y"), True)),
    numbers=(Number("amount", False), Number("size", True)),
    zone="Europe/Rome",
)
LABEL = Label(positive=("end",), take="any")


@st.composite
def logs(draw: st.DrawFn) -> pl.DataFrame:
    """Events of a few cases, some at the same instant, over some weeks."""
    n = draw(st.integers(1, 50))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    case = rng.integers(6, size=n)
    step_us = draw(st.sampled_from([HOUR_US, DAY_US, 1_700_000_007]))
    return pl.DataFrame(
        {
            "case": [f"k{one}" for one in case],
            "customer": [f"c{one % 3}" for one in case],
            "type": rng.choice(["a", "b", "c", "end"], n).tolist(),
            "time": (1_680_000_000_000_000 + rng.integers(60, size=n) * step_us).tolist(),
            "team": [None if one > 3 else f"t{one}" for one in rng.integers(6, size=n)],
            "kind": [["x", "y", "z"][one % 3] for one in case],
            "amount": [None if one > 1 else float(one) for one in rng.normal(size=n)],
            "size": [float(one) for one in case],
        },
        schema_overrides={"team": pl.String, "amount": pl.Float64},
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


def pooled(value: Any, kept: tuple[str, ...]) -> str:
    return value if value in kept else OTHER


def slow_row(seen: list[dict[str, Any]], others: list[dict[str, Any]], at_us: int) -> dict[str, Any]:
    """Some columns of a case of which ``seen`` is known at an instant, among ``others``; None is not known."""
    times = [one["us"] for one in seen]
    gaps = [(after - before) / HOUR_US for before, after in pairwise(times)]
    kinds = [pooled(one["type"], VOCABULARY.types) for one in seen]
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).astimezone(ZONE)
    row: dict[str, Any] = {
        "n_events": len(seen),
        "n_types": len(set(kinds)),
        "hours_open": (at_us - times[0]) / HOUR_US,
        "hours_silent": (at_us - times[-1]) / HOUR_US,
        "hours_last_gap": gaps[-1] if gaps else None,
        "hours_mean_gap": sum(gaps) / len(gaps) if gaps else None,
        "hours_longest_gap": max(gaps) if gaps else None,
        "hour": wall.hour + wall.minute / 60 + wall.second / 3600 + wall.microsecond / 3.6e9,
        "weekday": wall.weekday(),
        **slow_attributes(seen),
        **slow_load(others, at_us),
    }
    for kind in (*VOCABULARY.types, OTHER):
        mine = [us for us, one in zip(times, kinds, strict=True) if one == kind]
        row[f"n:type={kind}"] = len(mine)
        row[f"hours_since:type={kind}"] = (at_us - mine[-1]) / HOUR_US if mine else None
        stood = [after - us for us, after, one in zip(times, [*times[1:], at_us], kinds, strict=True) if one == kind]
        row[f"hours_at:type={kind}"] = sum(stood) / HOUR_US
    return row


def slow_attributes(seen: list[dict[str, Any]]) -> dict[str, Any]:
    amounts = [one["amount"] for one in seen if one["amount"] is not None]
    teams = [pooled(one["team"], ("t1", "t2")) for one in seen if one["team"] is not None]
    count = Counter(teams)
    return {
        "last:amount": amounts[-1] if amounts else None,
        "first:amount": amounts[0] if amounts else None,
        "min:amount": min(amounts, default=None),
        "max:amount": max(amounts, default=None),
        "mean:amount": sum(amounts) / len(amounts) if amounts else None,
        "sum:amount": sum(amounts) if amounts else None,
        "size": seen[-1]["size"],
        "last:team": teams[-1] if teams else None,
        "first:team": teams[0] if teams else None,
        "n:team": len(count),
        "n:team=t1": count["t1"],
        "n:team=t2": count["t2"],
        "kind": pooled(seen[-1]["kind"], ("x", "y")),
    }


def slow_load(others: list[dict[str, Any]], at_us: int) -> dict[str, Any]:
    """``others`` are all events of the log, each with whether it opens its case."""
    row: dict[str, Any] = {}
    for name, days in (("hour", 1 / 24), ("day", 1), ("week", 7), ("month", 28)):
        recent = [one for one in others if at_us - days * DAY_US <= one["us"] < at_us]
        row[f"events_{name}"] = len(recent)
        row[f"opened_{name}"] = sum(one["opens"] for one in recent)
    return row


def by_case(events: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    rows = features.in_order(events).with_columns(pl.col("time").to_physical().alias("us")).to_dicts()
    cases: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
        row["opens"] = len(cases[row["case"]]) == 1
    return cases


def shown(table: Table, n: int) -> dict[str, Any]:
    """Row ``n`` by name; None is NaN, categories are texts."""
    row: dict[str, Any] = {}
    for column, value in zip(table.columns, table.rows.x[n].tolist(), strict=True):
        known = None if math.isnan(value) else value
        row[column.name] = column.categories[int(known)] if column.categories and known is not None else known
    return row


@settings(deadline=None, max_examples=60)
@given(events=logs())
def test_features_are_what_they_say(events: pl.DataFrame) -> None:
    table = features.table_of_log(events, LABEL, VOCABULARY, in_silence=True)
    cases = by_case(events)
    everything = [event for case in cases.values() for event in case]
    for n, (case, prefix, at_us) in enumerate(zip(*table.rows[1:4], strict=True)):
        slow = slow_row(cases[table.cases.id[int(case)]][:prefix], everything, int(at_us))
        row = shown(table, n)
        for name, value in slow.items():
            if isinstance(value, float | int):
                assert row[name] is not None
                assert math.isclose(row[name], np.float32(value), rel_tol=1e-6, abs_tol=1e-6), name
            else:
                assert row[name] == value, name


@settings(deadline=None, max_examples=60)
@given(events=logs())
def test_targets_are_what_came(events: pl.DataFrame) -> None:
    table = features.table_of_log(events, LABEL, VOCABULARY, in_silence=True)
    cases = by_case(events)
    for n, (case, prefix, at_us) in enumerate(zip(*table.rows[1:4], strict=True)):
        whole = cases[table.cases.id[int(case)]]
        after = [pooled(one["type"], VOCABULARY.types) for one in whole[prefix:]]
        assert table.next_types[int(table.targets["next"][n])] == [*after, "(end)"][0]
        days = (whole[-1]["us"] - at_us) / DAY_US
        assert math.isclose(table.targets["remaining_days"][n], max(days, 0), rel_tol=1e-6, abs_tol=1e-6)
        assert table.cases.outcome[case] == any(one["type"] == "end" for one in whole)


@settings(deadline=None, max_examples=60)
@given(events=logs())
def test_silences_are_looked_at_between_events(events: pl.DataFrame) -> None:
    table = features.table_of_log(events, LABEL, VOCABULARY, in_silence=True)
    cases = by_case(events)
    rows = table.rows
    assert rows.at_event.sum() == events.height
    for case, prefix, at_us, at_event in zip(*rows[1:], strict=True):
        times = [one["us"] for one in cases[table.cases.id[int(case)]]]
        if at_event:
            assert at_us == times[prefix - 1]
        else:
            assert times[prefix - 1] < at_us < times[prefix]
    same_case = rows.case[1:] == rows.case[:-1]
    assert (np.diff(rows.case) >= 0).all()
    assert (np.diff(rows.prefix)[same_case] >= 0).all()
    assert (np.diff(rows.time_us)[same_case] >= 0).all()
