"""Small made-up logs as files, and what the tests ask of every draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from truenorth.discovery import discover
from truenorth.engine.replay import Replay, replay
from truenorth.logs import read_log, schema_kinds
from truenorth.spec.expressions import Compare, Condition, Field, In, Literal, Node, children
from truenorth.spec.lint import check_journey
from truenorth.spec.load import load_journey
from truenorth.spec.model import Journey

START = datetime(2024, 1, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)

Row = tuple[str, str, float]
"""Case, type, hours since the start."""


def log_of(rows: Sequence[Row], names: tuple[str, str, str] = ("Case ID", "Activity", "Timestamp")) -> pl.DataFrame:
    """A frame with one row an event, under the columns' names."""
    case, kind, time = names
    return pl.DataFrame(
        {
            case: [row[0] for row in rows],
            kind: [row[1] for row in rows],
            time: [START + row[2] * HOUR for row in rows],
        },
        schema_overrides={case: pl.String, kind: pl.String, time: pl.Datetime("us", "UTC")},
    )


def tickets(n: int = 40, *, closing: str = "Closed", reopened: int = 0) -> list[Row]:
    """Tickets: asked, taken, solved, closed; the first few come back after ten hours."""
    rows: list[Row] = []
    for case in range(n):
        at = 30.0 * case
        steps = [("Ask", 0.0), ("Take", 1 + case % 7), ("Solve it", 9.0 + case % 3), (closing, 20.0)]
        if case < reopened:
            steps += [("Take", 30.0), (closing, 40.0)]
        rows += [(f"T{case}", kind, at + hours) for kind, hours in steps]
    return rows


def written(frame: pl.DataFrame, directory: Path, name: str = "log.parquet") -> Path:
    """The frame as a file."""
    path = directory / name
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def drafted(path: Path, fields: Mapping[str, str] | None = None, object_type: str | None = None) -> tuple[str, Journey]:
    """A draft and its journey, which must have no errors."""
    text = discover(path, fields=fields, object_type=object_type)
    loaded = load_journey(text)
    assert loaded.errors == (), text
    assert loaded.journey is not None
    return text, loaded.journey


def tried(path: Path, text: str, journey: Journey, object_type: str | None = None) -> Replay:
    """A replay of a draft on its own log, after `check` with that log: no errors, and only warnings for people."""
    needed = [*journey.fields, "lifecycle:transition"]
    log = read_log(path, fields=journey.fields, columns=needed, object_type=object_type)
    values = {"type": set(log.events["type"].drop_nulls().to_list())} if "type" in log.events.columns else {}
    checked = check_journey(text, today=date(2024, 1, 1), columns=schema_kinds(log), values=values)
    assert checked.errors == ()
    assert {problem.path for problem in checked.warnings} <= {"$.decisions[0]", "$.outcome.achieved"}
    return replay(journey, log.events)


def conditions_of(journey: Journey) -> Iterator[Condition]:
    """Every condition of a journey."""
    outcome = journey.outcome
    found = [journey.only, journey.need, journey.moments, outcome.achieved, outcome.failed, outcome.reopened]
    found += [decision.when for decision in journey.decisions]
    for promise in journey.promises:
        found += [promise.after, promise.expect, promise.never, promise.of, promise.before, promise.require]
    yield from (condition for condition in found if condition is not None)


def compared(node: Node) -> Iterator[tuple[str, str]]:
    """Field and text of every equality of a condition."""
    match node:
        case Compare(left=Field(name=name), right=Literal(value=str() as value)):
            yield name, value
        case In(operand=Field(name=name), options=options):
            for option in options:
                assert isinstance(option, Literal)
                yield name, str(option.value)
        case _:
            for part in children(node):
                yield from compared(part)


def types_of(condition: Condition | None) -> set[str]:
    """The types of events that a condition names."""
    return {value for _, value in compared(condition.tree)} if condition else set()
