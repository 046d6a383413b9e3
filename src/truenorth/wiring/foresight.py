"""The composition of foresight: a log and a journey or a label in, findings and a model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.foresight.backtest import Asked, Backtest, backtest
from truenorth.foresight.labels import Label, opened_with_label, plain, plainly
from truenorth.foresight.learnt import refit
from truenorth.foresight.model import Foresight
from truenorth.foresight.rows import Cases, Table
from truenorth.foresight.split import test_instant
from truenorth.foresight.tables import table_of_log, table_of_replay, vocabulary_of_log, vocabulary_of_replay
from truenorth.foresight.train import Effort, Tell
from truenorth.foresight.vocabulary import Vocabulary
from truenorth.logs import read_log
from truenorth.logs.whole import whole_file
from truenorth.spec.problems import Problem, TruenorthError, nearest
from truenorth.wiring.journey import replay_file
from truenorth.wiring.threads import n_threads


class Source(msgspec.Struct, frozen=True):
    """What to learn from: a log, and a journey file or a label that says what became of its cases."""

    log: Path
    journey: Path | None = None
    label: Label | None = None
    fields: Mapping[str, str] = {}
    object_type: str | None = None
    without: tuple[str, ...] = ()
    """Columns that are no features, such as those filled in once the case is over."""
    in_silence: bool = False
    """Whether cases of a labelled log are looked at between their events, too; those of a journey always are."""


class Prepared(msgspec.Struct, frozen=True):
    """A table whose vocabulary knows nothing from the split instant on, and the means to make one that knows all."""

    table: Table
    whole: Callable[[], tuple[Table, Vocabulary]]
    answered_us: NDArray[np.int64] | None = None
    journey: str = ""


def prepare(source: Source, held_out: float, tell: Tell) -> Prepared:
    """Read a log and make its table: by its journey where there is one, else by its label."""
    if source.journey is not None:
        return _by_journey(source, source.journey, held_out, tell)
    assert source.label is not None
    label, in_silence = source.label, source.in_silence
    log = read_log(source.log, fields=source.fields, object_type=source.object_type, on_progress=tell)
    check_label(log.events, label)
    tell("making rows", 0.0)
    before_us = test_instant(opened_with_label(log.events, label), held_out)

    def whole() -> tuple[Table, Vocabulary]:
        vocabulary = vocabulary_of_log(log.events, label, without=source.without)
        return table_of_log(log.events, label, vocabulary, in_silence=in_silence), vocabulary

    vocabulary = vocabulary_of_log(log.events, label, before_us=before_us, without=source.without)
    table = table_of_log(log.events, label, vocabulary, in_silence=in_silence, split_us=before_us)
    return Prepared(table, whole)


def _by_journey(source: Source, path: Path, held_out: float, tell: Tell) -> Prepared:
    replayed, log = replay_file(
        path, source.log, fields=source.fields, object_type=source.object_type, all_columns=True, on_progress=tell
    )
    journey = replayed.journey
    tell("making rows", 0.0)

    def whole() -> tuple[Table, Vocabulary]:
        vocabulary = vocabulary_of_replay(journey, replayed, without=source.without)
        return table_of_replay(journey, replayed, vocabulary), vocabulary

    before_us = test_instant(replayed.cases["opened"].to_physical().to_numpy(), held_out)
    vocabulary = vocabulary_of_replay(journey, replayed, before_us=before_us, without=source.without)
    table = table_of_replay(journey, replayed, vocabulary)
    return Prepared(table, whole, survey_answers(log.events, table.cases), journey.name)


def check_label(events: pl.DataFrame, label: Label) -> None:
    """`TruenorthError` with all that is wrong: fields that a log lacks, values and types that never occur in it."""
    problems = [
        Problem(path="log", expected=f"a field '{name}'", found="none", hint=f"name its column: --map {name}=COLUMN")
        for name in ("case", "type")
        if name not in events.columns
    ]
    if label.column not in events.columns:
        hint = nearest(label.column, events.columns)
        problems.append(Problem(path="--label", expected="a column of the log", found=repr(label.column), hint=hint))
    asked = [(label.column, label.positive), ("type", (*label.until, *label.drop_ending))]
    for column, wanted in asked:
        if column in events.columns:
            known = events.select(plain(pl.col(column), column))[column].drop_nulls().unique().sort().to_list()
            problems += [
                Problem(path=column, expected="a value that occurs", found=repr(value), hint=nearest(value, known[:50]))
                for value, as_compared in zip(wanted, plainly(wanted, column), strict=True)
                if as_compared not in known
            ]
    if problems:
        raise TruenorthError(problems)


def survey_answers(events: pl.DataFrame, cases: Cases) -> NDArray[np.int64] | None:
    """When the first survey answer about each case came, -1 for none; None where a log has no surveys.

    A survey's answer is an event with source ``survey``; it is about the latest case of its key that was opened before.
    """
    if "source" not in events.columns or "case" not in events.columns:
        return None
    answers = events.filter(pl.col("source").cast(pl.String) == "survey").select(
        pl.col("case").cast(pl.String).alias("key"), pl.col("time").to_physical().alias("answered_us")
    )
    if not answers.height:
        return None
    opened = pl.DataFrame({"key": cases.id.cast(pl.String).str.replace(r"#\d+$", ""), "opened_us": cases.opened_us})
    opened = opened.with_row_index("number").sort("opened_us")
    about = answers.sort("answered_us").join_asof(
        opened, left_on="answered_us", right_on="opened_us", by="key", check_sortedness=False
    )
    first = about.drop_nulls("number").group_by("number").agg(pl.col("answered_us").min())
    answered = np.full(len(cases.opened_us), -1, np.int64)
    answered[first["number"].to_numpy()] = first["answered_us"].to_numpy()
    return answered


def run_backtest(source: Source, asked: Asked, seed: int, *, tell: Tell) -> Backtest:
    """Learn at an instant of the past and judge on what came after."""
    made, effort = prepare(source, asked.test_share, tell), Effort(n_threads=n_threads())
    return backtest(made.table, seed=seed, asked=asked, effort=effort, answered_us=made.answered_us, tell=tell)[0]


def train(source: Source, asked: Asked, seed: int, *, tell: Tell) -> tuple[Backtest, Foresight]:
    """Judge on held-out time; where a model deserves to go live, learn it again from all cases that have ended."""
    made, effort = prepare(source, asked.test_share, tell), Effort(n_threads=n_threads())
    found, foresight = backtest(
        made.table, seed=seed, asked=asked, effort=effort, answered_us=made.answered_us, tell=tell
    )
    table, vocabulary = made.whole()
    learnt = refit(table, foresight, seed=seed, effort=effort, tell=tell)
    known = {"vocabulary": msgspec.msgpack.encode(vocabulary), "metrics": msgspec.to_builtins(found)}
    return found, msgspec.structs.replace(learnt, journey=made.journey, **known)


def write_foresight(foresight: Foresight, path: Path) -> None:
    """Keep a model as a file."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(foresight.to_bytes())


def write_page(found: Backtest, path: Path) -> None:
    """Both figures of a backtest as a page that can be opened offline."""
    from truenorth.figures.foresight import discrimination_figure, reliability_figure  # noqa: PLC0415 (Plotly)

    drawn = [figure(found) for figure in (discrimination_figure, reliability_figure)]
    parts = [figure.to_html(full_html=False, include_plotlyjs=number == 0) for number, figure in enumerate(drawn)]
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Backtest</title>'
    with whole_file(path) as unfinished:
        unfinished.write_text(f"{head}<body>{''.join(parts)}</body></html>\n", encoding="utf-8")
