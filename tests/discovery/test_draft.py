from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discovery.logs import START, Row, conditions_of, drafted, log_of, tickets, tried, types_of, written
from truenorth.discovery import discover
from truenorth.discovery.emit import comment, literal, one_of, scalar
from truenorth.discovery.sequences import MAX_TYPES
from truenorth.spec.conditions import parse_condition
from truenorth.spec.document import Scalar, Table, read_document
from truenorth.spec.load import parse_journey
from truenorth.spec.model import CANONICAL_TYPES, PromiseKind
from truenorth.spec.problems import UnreadableLog

XES_EVENT = (
    '<event><string key="concept:name" value="{type}"/><string key="lifecycle:transition" value="{step}"/>'
    '<date key="time:timestamp" value="{time}"/></event>'
)


def test_a_draft_of_tickets(tmp_path: Path) -> None:
    path = written(log_of(tickets(60, reopened=9)), tmp_path)
    text, journey = drafted(path)
    assert types_of(journey.need) == {"Ask"}
    assert types_of(journey.outcome.achieved) == {"Closed"}
    assert types_of(journey.outcome.reopened) == {"Take"}
    kinds = {promise.kind for promise in journey.promises}
    assert PromiseKind.RESPONSE in kinds
    assert PromiseKind.ABSENCE in kinds
    replayed = tried(path, text, journey)
    assert replayed.summary["cases"] == 60
    assert replayed.summary["outcome"]["achieved"] > 30
    for promise in journey.promises:
        counts = replayed.summary["promises"][promise.name]
        assert counts["kept"] > 0
        assert counts["broken"] > 0
        assert f"kept {counts['kept']:,}, broken {counts['broken']:,}" in text


@pytest.mark.parametrize(("last", "is_success"), [("Pay invoice", True), ("Payment reminder", False)])
def test_where_nothing_is_a_success_the_outcomes_are_no_finding(last: str, is_success: bool, tmp_path: Path) -> None:
    """A log of orders that all end with a reminder: nobody paid, by what is written, and nobody gave up either."""
    rows: list[Row] = [
        (f"o{case}", kind, 24 * case + hours)
        for case in range(60)
        for kind, hours in (("Place order", 0), ("Confirm order", 5 + case % 7), (last, 40 + case % 11))
    ]
    text, journey = drafted(written(log_of(rows), tmp_path))
    head = " ".join(line.removeprefix("#").strip() for line in text.partition("truenorth:")[0].splitlines())
    assert (journey.outcome.achieved is not None) == is_success
    assert ("abandoned" in head) != is_success
    assert ("That is no finding yet" in head) != is_success


def test_every_promise_has_its_evidence_above_it(tmp_path: Path) -> None:
    lines = discover(written(log_of(tickets(60, reopened=9)), tmp_path)).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("  - name: "):
            assert lines[number - 1].startswith("  # ")
            assert "%" in " ".join(lines[number - 4 : number])


def test_the_same_log_gives_the_same_draft(tmp_path: Path) -> None:
    path = written(log_of(tickets()), tmp_path)
    assert discover(path) == discover(path)


def test_fields_given_by_the_user_win(tmp_path: Path) -> None:
    frame = log_of(tickets()).with_columns(Other=pl.col("Activity").str.to_uppercase())
    _, journey = drafted(written(frame, tmp_path), {"type": "Other"})
    assert journey.fields["type"] == "Other"
    assert types_of(journey.outcome.achieved) == {"CLOSED"}


def test_what_is_said_of_days_and_months_is_in_the_draft(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Case ID,when\n" + "".join(f"{n // 3},0{n % 3 + 1}/0{n // 3 + 1}/2024 10:00\n" for n in range(18)))
    said = {"time": "when (month first)"}
    text = discover(path, fields=said)
    assert parse_journey(text).fields == {"case": "Case ID", **said}
    assert parse_journey(discover(path, fields={"time": "when"})).fields == {"case": "Case ID", "time": "when"}


def test_a_field_that_the_log_lacks_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="Nope"):
        discover(written(log_of(tickets()), tmp_path), fields={"case": "Nope"})


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    discover(written(log_of(tickets()), tmp_path), on_progress=lambda stage, share: told.append((stage, share)))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert len(told) >= 4


def test_starts_and_completions_are_counted_once(tmp_path: Path) -> None:
    traces = []
    for case in range(20):
        events = [
            XES_EVENT.format(type=kind, step=step, time=(START + timedelta(days=case, hours=at)).isoformat())
            for at, kind in enumerate(("Ask", "Work", "Closed"))
            for step in ("START", "COMPLETE")
        ]
        traces.append(f'<trace><string key="concept:name" value="c{case}"/>{"".join(events)}</trace>')
    path = tmp_path / "log.xes.gz"
    path.write_bytes(gzip.compress(f'<?xml version="1.0" encoding="UTF-8"?><log>{"".join(traces)}</log>'.encode()))
    text, journey = drafted(path)
    assert journey.only is not None
    assert journey.only.text == "\"lifecycle:transition\" = 'COMPLETE'"
    assert tried(path, text, journey).summary["filtered"] == 60


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", "x", 0.0)],
        [("a", "x", float(n)) for n in range(5)],
        [(f"c{n % 3}", "x", 0.0) for n in range(30)],
        [(f"c{n}", "only", float(n)) for n in range(30)],
    ],
    ids=["no events", "one event", "one case", "same time", "one type"],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_degenerate_logs(rows: list[Row], suffix: str, tmp_path: Path) -> None:
    path = written(log_of(rows), tmp_path, f"log.{suffix}")
    text, journey = drafted(path)
    assert tried(path, text, journey).summary["events"] == len(rows)


def test_null_types_and_keys(tmp_path: Path) -> None:
    frame = log_of(tickets()).with_row_index("n")
    holes = pl.when(pl.col("n") % 7 > 0)
    frame = frame.with_columns(
        holes.then(pl.col("Activity")).alias("Activity"), holes.then(pl.col("Case ID")).alias("Case ID")
    )
    path = written(frame.drop("n"), tmp_path)
    text, journey = drafted(path)
    tried(path, text, journey)
    nothing = written(
        log_of(tickets()).with_columns(pl.lit(None, pl.String).alias("Activity")), tmp_path, "none.parquet"
    )
    text, journey = drafted(nothing)
    assert "No column says what happened" in text
    tried(nothing, text, journey)


def test_a_log_without_a_key_says_so(tmp_path: Path) -> None:
    path = written(log_of(tickets()).select("Activity", "Timestamp"), tmp_path)
    text, journey = drafted(path)
    assert "No event has a key" in text
    assert tried(path, text, journey).summary["no_key"] == 160


def test_a_log_without_a_time_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLog, match="time"):
        discover(written(log_of(tickets()).select("Case ID", "Activity"), tmp_path))


def test_thousands_of_types_are_said_and_not_compared(tmp_path: Path) -> None:
    rows = [(f"c{n // 5}", f"type {n}", n / 60) for n in range(50_000)]
    path = written(log_of(rows), tmp_path)
    text, journey = drafted(path)
    assert "50,000 types of events" in text
    assert all(len(types_of(condition)) <= MAX_TYPES for condition in conditions_of(journey))
    tried(path, text, journey)


def test_repeated_ids_are_said(tmp_path: Path) -> None:
    frame = log_of(tickets()).with_columns(id=pl.col("Case ID"))
    text, _ = drafted(written(frame, tmp_path))
    assert "120 rows repeat the id of an earlier one" in text
    assert "give it another name" in " ".join(text.split("# "))


def test_long_type_names_are_not_named(tmp_path: Path) -> None:
    rows = [(case, kind * 100 if kind == "Take" else kind, at) for case, kind, at in tickets()]
    text, _ = drafted(written(log_of(rows), tmp_path))
    assert "1 type has a name of more than 200 characters" in text
    assert "TakeTake" not in text


def test_a_hostile_file_name_stays_in_its_comment(tmp_path: Path) -> None:
    path = written(log_of(tickets()), tmp_path, "a # 'b': \"c\"\n- truenorth: 2\u2028.parquet")
    _, journey = drafted(path)
    assert journey.name == "a_b_c_truenorth_2"


NASTY = st.sampled_from(
    [
        *("'", "''", '"', "#", " # ", ": ", "- ", "\n", "\r\n", "\t", "\x00", "\x85", "\u2028", "\ufeff", "\ufffe"),
        *(
            "%",
            "\\",
            "{",
            "}",
            "[",
            "]",
            "*",
            "&",
            "!",
            "|",
            ">",
            "@",
            "`",
            "null",
            "true",
            "~",
            "---",
            "...",
            " ",
            ",",
        ),
        *("closed", "cancel", "paid", "wait", "call", "' or 1 = 1 or type = '", "\x7f", "\ud7ff", "\u202e", "é"),
        "\U0001f600",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=4)), min_size=0, max_size=6).map("".join)


@st.composite
def hostile_logs(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, str]]:
    """A log whose types and columns are named by somebody who means harm."""
    types = draw(st.lists(TEXT, min_size=1, max_size=6, unique=True))
    names = draw(st.lists(TEXT.filter(lambda name: bool(name.strip())), min_size=3, max_size=3, unique=True))
    taken = {"*", *CANONICAL_TYPES}
    names = [f"{name}." if name in taken else name for name in names]
    n_cases = draw(st.integers(1, 12))
    steps = draw(st.lists(st.sampled_from(types), min_size=1, max_size=5))
    rows = [
        (f"c{case}", types[(types.index(step) + (case % 5 == 0)) % len(types)], 50.0 * case + at * (1 + case % 3))
        for case in range(n_cases)
        for at, step in enumerate(steps)
    ]
    return log_of(rows, (names[0], names[1], names[2])), dict(zip(("case", "type", "time"), names, strict=True))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_logs())
def test_nothing_in_a_log_breaks_out_of_the_draft(
    tmp_path_factory: pytest.TempPathFactory, log: tuple[pl.DataFrame, dict[str, str]]
) -> None:
    frame, fields = log
    path = written(frame, tmp_path_factory.mktemp("hostile"))
    text, journey = drafted(path, fields)
    assert dict(journey.fields) == fields
    known = set(frame[fields["type"]].to_list())
    assert all(types_of(condition) <= known for condition in conditions_of(journey))
    assert tried(path, text, journey).summary["events"] == frame.height


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, st.text()))
def test_a_scalar_reads_back_as_it_was(text: str) -> None:
    written_out = f"# before\nkey: {scalar(text)}\nnext: 1"
    assert "\n" not in scalar(text)
    document = read_document(written_out)
    assert isinstance(document, Table)
    (_, value), (after, _) = document.entries
    assert isinstance(value, Scalar)
    assert (value.text, after.text) == (text, "next")
    assert not value.is_null


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, st.text()), st.integers(0, 8))
def test_a_comment_stays_a_comment(text: str, indent: int) -> None:
    lines = comment(text, indent)
    assert all(line.startswith(" " * indent + "# ") and line.isprintable() for line in lines)
    document = read_document("\n".join([*lines, "key: 1"]))
    assert isinstance(document, Table)
    assert len(document.entries) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5, unique=True))
def test_a_condition_names_what_it_was_given(values: list[str]) -> None:
    assert types_of(parse_condition(one_of("type", values))) == set(values)


def test_a_condition_holds_as_many_values_as_fit() -> None:
    values = [f"{'x' * 190}{n}" for n in range(40)]
    condition = one_of("type", values)
    assert 15 <= len(types_of(parse_condition(condition))) < 40
    assert literal("a'b") == "'a''b'"


def test_the_example_in_the_repository_is_drafted_as_people_wrote_it() -> None:
    directory = Path(__file__).parents[2] / "examples" / "support"
    by_hand = parse_journey((directory / "journey.yaml").read_text())
    text, journey = drafted(directory / "log.csv")
    assert types_of(journey.need) == types_of(by_hand.need)
    assert types_of(journey.outcome.achieved) == types_of(by_hand.outcome.achieved)
    assert types_of(journey.outcome.failed) == types_of(by_hand.outcome.failed)
    assert types_of(journey.outcome.reopened) == types_of(by_hand.outcome.reopened)
    assert journey.outcome.holds_for_us == by_hand.outcome.holds_for_us
    tried(directory / "log.csv", text, journey)


def test_the_type_of_object_that_is_a_case_is_taken_even_where_few_events_touch_one(tmp_path: Path) -> None:
    objects = [{"id": f"order {n}", "type": "order"} for n in range(10)]
    objects += [{"id": f"box {n}", "type": "box"} for n in range(30)]
    events = [
        {
            "id": f"{box}-{step}",
            "type": kind,
            "time": f"2024-01-{box + 1:02}T{step:02}:00:00Z",
            "relationships": [
                {"objectId": f"box {box}", "qualifier": ""},
                *([{"objectId": f"order {box // 3}", "qualifier": ""}] if kind == "Sent" and box % 3 else []),
            ],
        }
        for box in range(30)
        for step, kind in enumerate(("Filled", "Weighed", "Loaded", "Driven", "Sent"))
    ]
    path = tmp_path / "log.json"
    path.write_bytes(msgspec.json.encode({"objectTypes": [], "eventTypes": [], "objects": objects, "events": events}))
    _, journey = drafted(path, object_type="order")
    assert journey.fields["case"] == "case"
