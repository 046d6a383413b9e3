"""Laws of features: nothing after the instant, live equals training bit by bit, whatever else is asked for with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from agreement import to_frame, to_journey
from strategies import random_pack
from truenorth.engine.replay import Replay, replay
from truenorth.foresight import features, histories
from truenorth.foresight.features import Histories, Instants, Label, Load, Vocabulary
from truenorth.foresight.histories import End
from truenorth.foresight.rows import NEVER, Rows, Table
from truenorth.foresight.vocabulary import looked_at
from truenorth.simulate import Company, World
from truenorth.spec.load import parse_journey
from truenorth.spec.model import Journey

ROOT = Path(__file__).parent.parent.parent
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000


def same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Equal bit by bit, NaN included."""
    return one.shape == other.shape and np.array_equal(one.view(np.uint32), other.view(np.uint32))


def differing(vocabulary: Vocabulary, one: NDArray[np.float32], other: NDArray[np.float32]) -> list[str]:
    columns = features.columns_of(vocabulary)
    return [columns[n].name for n in np.unique(np.nonzero(one.view(np.uint32) != other.view(np.uint32))[1])]


def known_by(journey: Journey, events: pl.DataFrame, vocabulary: Vocabulary, at_us: int) -> tuple[Histories, Load]:
    """What a service that has seen everything up to an instant knows."""
    now = EPOCH + timedelta(microseconds=at_us)
    seen = replay(journey, events, now=now)
    known = features.histories_of_replay(seen, vocabulary)
    return known, features.load_of_replay(seen, vocabulary, known)


def row_of(rows: Rows, n: int) -> Instants:
    return Instants(*(column[n : n + 1] for column in rows[1:]))


def encoded_then(
    journey: Journey, events: pl.DataFrame, vocabulary: Vocabulary, table: Table, n: int
) -> NDArray[np.float32]:
    """Row ``n`` of a table made once more from what was known at its instant."""
    wanted = row_of(table.rows, n)
    known, load = known_by(journey, events, vocabulary, int(wanted.time_us[0]))
    case = int((known.id == table.cases.id[int(wanted.case[0])]).arg_max() or 0)
    return features.rows_at(vocabulary, known, (load,), wanted._replace(case=np.array([case], np.int32))).x


def made_up(seed: int, n: int) -> list[tuple[Journey, pl.DataFrame]]:
    samples = [
        (to_journey(one), to_frame(events, columns)) for one, events, columns, _ in random_pack(seed, n) if events
    ]
    return [(journey, frame.filter(pl.col("time").is_not_null())) for journey, frame in samples]


@pytest.mark.parametrize("seed", range(3))
def test_few_cases_have_the_histories_from_numbers_that_tables_give(seed: int) -> None:
    n_promises = n_earlier = 0
    for journey, events in made_up(seed, 40):
        whole = replay(journey, events)
        vocabulary = some_vocabulary(journey, whole)
        numbers = whole.numbers()
        few = features.histories_of(vocabulary, whole, numbers.promises, numbers.case, ends_of(whole.cases))
        with pytest.MonkeyPatch.context() as changed:
            changed.setattr(histories, "FEW_ROWS", -1)
            many = features.histories_of_replay(whole, vocabulary)
        for name, one, other in zip(Histories._fields, few, many, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other), equal_nan=name == "numbers"), name
        n_promises, n_earlier = n_promises + len(few.instances), n_earlier + len(few.earlier)
    assert n_promises > 100
    assert n_earlier > 20


def test_two_senders_may_number_their_events_alike() -> None:
    journey = parse_journey(
        """{truenorth: 1, journey: j, outcome: {achieved: "type = 'Done'"},
            promises: [{name: answered, after: "type = 'Asked'", expect: "type = 'Answered'", within: 2h}]}"""
    )
    at = [datetime(2026, 3, 2, 10, minute, tzinfo=UTC) for minute in (0, 0, 30, 30)]
    events = pl.DataFrame(
        {
            "id": ["1", "1", "2", "2"],
            "source": ["shop", "desk", "shop", "desk"],
            "case": ["c"] * 4,
            "time": at,
            "type": ["Seen", "Asked", "Seen", "Answered"],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )
    seen = replay(journey, events)
    known = features.histories_of_replay(seen, features.vocabulary_of_replay(journey, seen))
    assert known.instances[["from_event", "by_event"]].tolist() == [(1, 3)]


def ends_of(cases: pl.DataFrame) -> list[End]:
    instants = pl.col("opened", "outcome_time", "closed").to_physical()
    names = ("case", "customer", "opened", "outcome", "outcome_time", "closed")
    return cases.with_columns(instants, pl.col("outcome").cast(pl.String)).select(names).rows()


@pytest.mark.parametrize("seed", range(2))
def test_a_row_is_the_same_when_nothing_later_is_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_compared = 0
    for journey, events in made_up(seed, 60):
        whole = replay(journey, events)
        vocabulary = some_vocabulary(journey, whole)
        table = features.table_of_replay(journey, whole, vocabulary)
        for n in rng.permutation(len(table.rows.case))[:4].tolist():
            then = encoded_then(journey, events, vocabulary, table, n)
            assert same(then, table.rows.x[n : n + 1]), differing(vocabulary, then, table.rows.x[n : n + 1])
            n_compared += 1
    assert n_compared > 100


def some_vocabulary(journey: Journey, whole: Replay) -> Vocabulary:
    """What an owner of few cases would learn, with values that no few cases share."""
    learnt = features.vocabulary_of_replay(journey, whole)
    names = [name for name in ("channel", "actor", "team") if name in whole.events.columns]
    extra = [
        features.Category(name, tuple(sorted(whole.events[name].drop_nulls().cast(pl.String).unique()))[:2], False)
        for name in names
    ]
    types = tuple(sorted(whole.events["type"].drop_nulls().unique()))[:3] if "type" in whole.events.columns else ()
    return msgspec.structs.replace(learnt, categories=tuple(extra), types=types, owners=("a", "b"))


@pytest.fixture(scope="module")
def lived() -> tuple[Journey, pl.DataFrame, Vocabulary, Table]:
    journey = parse_journey((ROOT / "examples" / "company" / "help.yaml").read_text())
    events = World(Company(n_customers=500, days=40), seed=3).run().events()
    whole = replay(journey, events)
    vocabulary = features.vocabulary_of_replay(journey, whole)
    return journey, events, vocabulary, features.table_of_replay(journey, whole, vocabulary)


def test_a_lived_day_is_foreseen_as_it_was_trained(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    journey, events, vocabulary, table = lived
    rng = np.random.default_rng(1)
    for n in rng.permutation(len(table.rows.case))[:40].tolist():
        then = encoded_then(journey, events, vocabulary, table, n)
        assert same(then, table.rows.x[n : n + 1]), differing(vocabulary, then, table.rows.x[n : n + 1])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_what_else_is_asked_for_changes_no_row(
    lived: tuple[Journey, pl.DataFrame, Vocabulary, Table], seed: int, data: st.DataObject
) -> None:
    journey, events, vocabulary, table = lived
    share = data.draw(st.floats(0.0005, 0.2))
    chosen = np.flatnonzero(np.random.default_rng(seed).random(len(table.rows.case)) < share)
    known, load = known_by(journey, events, vocabulary, int(table.rows.time_us.max()) + DAY_US)
    assert (known.id == table.cases.id).all()
    wanted = Instants(*(np.ascontiguousarray(column[chosen]) for column in table.rows[1:]))
    assert same(features.rows_at(vocabulary, known, (load,), wanted).x, table.rows.x[chosen])


def test_encode_is_the_last_row_of_training(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    journey, events, vocabulary, table = lived
    at_us = int(np.median(table.rows.time_us))
    known, load = known_by(journey, events, vocabulary, at_us)
    rows = features.encode(vocabulary, known, at_us, load)
    is_last = np.append(rows.case[1:] != rows.case[:-1], True)
    assert is_last.all()
    at_event = np.flatnonzero(rows.at_event)
    everyone = features.encode(vocabulary, known, known.time_us[known.starts[1:] - 1], load)
    for n in range(0, known.n, 7):
        case = int((table.cases.id == known.id[n]).arg_max() or 0)
        found = np.flatnonzero(
            (table.rows.case == case) & table.rows.at_event & (table.rows.time_us == everyone.time_us[n])
        )
        if len(found):  # the case was still looked at then
            assert same(everyone.x[n : n + 1], table.rows.x[found[-1:]])
    assert len(at_event) < len(rows.case)


def test_no_deadline_of_the_outcome_runs_while_a_case_is_resolved(
    lived: tuple[Journey, pl.DataFrame, Vocabulary, Table],
) -> None:
    *_, vocabulary, table = lived
    names = [column.name for column in features.columns_of(vocabulary)]
    resolved, limit, silence = (names.index(one) for one in ("resolved", "hours_to_limit", "hours_to_abandoned"))
    holds = table.rows.x[:, resolved] == 1.0
    assert 0 < holds.sum() < len(holds)
    for clock in (limit, silence):
        assert np.array_equal(np.isnan(table.rows.x[:, clock]), holds)


def test_loads_add_up(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    journey, events, vocabulary, table = lived
    whole = replay(journey, events)
    known = features.histories_of_replay(whole, vocabulary)
    moves = features.moves_of(
        known, np.where(np.arange(known.n) % 2, NEVER, known.time_us[known.starts[1:] - 1] + DAY_US)
    )
    sizes = len(vocabulary.types) + 1, len(vocabulary.owners) + 1
    wanted = Instants(*(np.ascontiguousarray(column[::29]) for column in table.rows[1:]))
    at_once = features.rows_at(vocabulary, known, (features.load_of(moves, *sizes),), wanted)
    mine = np.random.default_rng(0).integers(3, size=len(moves))
    parts = [features.load_of(moves[mine == part], *sizes) for part in range(3)]
    assert same(features.rows_at(vocabulary, known, parts, wanted).x, at_once.x)


def test_a_vocabulary_survives_its_writing(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    vocabulary = lived[2]
    assert msgspec.json.decode(msgspec.json.encode(vocabulary), type=Vocabulary) == vocabulary
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(vocabulary), type=Vocabulary) == vocabulary


@st.composite
def labelled_logs(draw: st.DrawFn) -> pl.DataFrame:
    """Cases of a few events, some at the same instant, with what a log may carry."""
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return pl.DataFrame(
        {
            "case": [f"k{one}" for one in rng.integers(8, size=n)],
            "type": rng.choice(["a", "b", "c", "end"], n, p=[0.4, 0.3, 0.2, 0.1]).tolist(),
            "time": (rng.integers(200, size=n) * 1_800_000_000).tolist(),
            "team": [None if one > 3 else f"t{one}" for one in rng.integers(6, size=n)],
            "amount": rng.normal(size=n).tolist(),
        },
        schema_overrides={"team": pl.String},
    ).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))


LABEL = Label(positive=("end",), take="any", until=("end",))
WORDS: dict[str, Any] = {
    "types": ("a", "b"),
    "owner": "team",
    "owners": ("t0", "t1"),
    "categories": (features.Category("team", ("t1", "t2"), False),),
    "numbers": (features.Number("amount", False),),
}


@settings(deadline=None, max_examples=60)
@given(events=labelled_logs(), cut=st.integers(0, 200))
def test_later_events_change_no_earlier_row_of_a_labelled_log(events: pl.DataFrame, cut: int) -> None:
    vocabulary = Vocabulary(**WORDS)
    until = pl.lit(cut * 1_800_000_000).cast(pl.Datetime("us", "UTC"))
    late = features.table_of_log(events, LABEL, vocabulary)
    early = features.table_of_log(events.filter(pl.col("time") <= until), LABEL, vocabulary)
    rows = {
        (late.cases.id[int(case)], int(prefix)): n for n, (case, prefix) in enumerate(zip(*late.rows[1:3], strict=True))
    }
    for n, (case, prefix) in enumerate(zip(*early.rows[1:3], strict=True)):
        assert same(early.rows.x[n : n + 1], late.rows.x[[rows[early.cases.id[int(case)], int(prefix)]]])


@settings(deadline=None, max_examples=60)
@given(events=labelled_logs())
def test_no_row_sees_the_event_that_gives_the_label(events: pl.DataFrame) -> None:
    table = features.table_of_log(events, LABEL, Vocabulary(**{**WORDS, "types": ("end",)}))
    names = [column.name for column in table.columns]
    assert (table.rows.x[:, names.index("n:type=end")] == 0).all()
    n_before = (
        features.in_order(events)
        .with_columns((pl.col("type") == "end").cum_max().over("case").alias("over"))
        .select((~pl.col("over")).sum())
        .item()
    )
    assert len(table.rows.case) == n_before


def test_a_column_that_tells_the_label_is_not_used() -> None:
    n = 200
    label = [["good", "bad"][one % 2] for one in range(n)]
    events = pl.DataFrame(
        {
            "case": [f"k{one}" for one in range(n)],
            "type": ["a"] * n,
            "time": pl.Series(range(n)).cast(pl.Datetime("us", "UTC")),
            "verdict": label,
            "code": [{"good": 7, "bad": 9}[one] for one in label],
            "honest": [["x", "y"][one // 2 % 2] for one in range(n)],
        }
    )
    vocabulary = features.vocabulary_of_log(events, Label(column="verdict", positive=("bad",)))
    assert [one.name for one in vocabulary.categories] == ["honest"]
    assert {one.name: one.reason for one in vocabulary.dropped} == {"code": "tells the label of every case"}


def test_the_vocabulary_learns_nothing_from_later_on(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    journey, events, _, table = lived
    half_us = int(np.median(table.rows.time_us))
    early = replay(journey, events.filter(pl.col("time").to_physical() < half_us))
    of_whole = features.vocabulary_of_replay(journey, replay(journey, events), before_us=half_us)
    assert of_whole == features.vocabulary_of_replay(journey, early)


def test_labels_given_at_random_cannot_be_foretold(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    table = lived[3]
    closed = np.flatnonzero(table.cases.outcome >= 0)
    order = closed[np.argsort(table.cases.opened_us[closed], kind="stable")]
    test = np.isin(table.rows.case, order[int(0.6 * len(order)) :])
    teaches = np.isin(table.rows.case, order[: int(0.6 * len(order))])
    areas = []
    for seed in range(4):
        y = np.random.default_rng(seed).permutation(len(table.cases.outcome))[table.rows.case] % 2
        model = LGBMClassifier(n_estimators=30, num_leaves=7, n_jobs=1, verbose=-1, random_state=0)
        model.fit(table.rows.x[teaches], y[teaches])
        areas.append(roc_auc_score(y[test], model.booster_.predict(table.rows.x[test])))
    n_cases = len(order) - int(0.6 * len(order))
    error = np.sqrt(1 / 12 * 4 / n_cases) * 2  # of one area: cases, not rows, are independent; long ones weigh more
    assert abs(np.mean(areas) - 0.5) < 4 * error / np.sqrt(len(areas)), areas


def test_a_log_without_events_has_no_rows(lived: tuple[Journey, pl.DataFrame, Vocabulary, Table]) -> None:
    journey, events, vocabulary, _ = lived
    table = features.table_of_replay(journey, replay(journey, events.clear()), vocabulary)
    assert table.rows.x.shape == (0, len(features.columns_of(vocabulary)))
    labelled = features.table_of_log(events.clear(), LABEL)
    assert len(labelled.rows.case) == len(labelled.cases.outcome) == 0


def test_a_promise_that_reads_a_column_left_out_is_neither_seen_nor_foretold(
    lived: tuple[Journey, pl.DataFrame, Vocabulary, Table],
) -> None:
    journey, events, vocabulary, _ = lived
    reading = {promise.name for promise in journey.promises if "type" in looked_at(promise)}
    assert reading
    seen = replay(journey, events)
    without = features.vocabulary_of_replay(journey, seen, without=["type"])
    assert {term.name for term in vocabulary.terms} - {term.name for term in without.terms} == reading
    left = features.table_of_replay(journey, seen, without)
    assert not {f"promise:{name}" for name in reading} & set(left.targets)
    assert not [one.name for one in left.columns if any(f"promise={name}" in one.name for name in reading)]
