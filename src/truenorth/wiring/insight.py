"""A subject of insight from the paths of a log and a journey file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import NamedTuple, TypeVar

import polars as pl

from truenorth.engine.replay import Replay
from truenorth.foresight.backtest_file import parse_backtest
from truenorth.insight.concentration import Measure
from truenorth.insight.initiative_file import parse_initiatives
from truenorth.insight.kpi_file import parse_kpis
from truenorth.insight.practitioners import Distilled, Questionnaire, distil, parse_questionnaire
from truenorth.insight.replayed import Replayed
from truenorth.insight.slices import opened_between
from truenorth.insight.theme_names import parse_theme_names, write_theme_names
from truenorth.insight.voice import Voice
from truenorth.logs.log import Log, Progress
from truenorth.logs.whole import whole_file
from truenorth.report.section import Inputs, Section, Subject
from truenorth.report.subjects import subject as subject_of
from truenorth.spec.document import MAX_BYTES
from truenorth.spec.problems import Problem, TruenorthError, nearest
from truenorth.wiring import journey as wiring
from truenorth.wiring.text_file import text_of

T = TypeVar("T")


class Insight(NamedTuple):
    """A subject, answered for the part of a log that was asked about."""

    subject: Subject
    section: Section
    part: Replayed
    replay: Replay
    log: Log


def inputs(  # noqa: PLR0913  # one for each option
    *,
    as_of: date | None = None,
    seed: int = 0,
    exclude: Sequence[str] | None = None,
    kpis: str | Path | None = None,
    initiatives: str | Path | None = None,
    backtest: str | Path | None = None,
    names: Path | None = None,
    people: Mapping[str, bool] | None = None,
    of: str | None = None,
    measure: Measure = "cases",
    k: int = 5,
) -> Inputs:
    """What subjects need beside a replay, files read; `TruenorthError` with every problem of a file.

    >>> [one.name for one in inputs(kpis="examples/company/steering/kpis.yaml").kpis][:2]
    ['handle_time', 'answer_rate']
    """
    return Inputs(
        as_of=as_of.date() if isinstance(as_of, datetime) else as_of,
        seed=seed,
        exclude=tuple(exclude or ()),
        theme_names=theme_names(names) if names else {},
        told=people or {},
        of=((of, measure),) if of else (),
        k=k,
        kpis=_parsed(parse_kpis, kpis, "a file of KPIs") if kpis else (),
        initiatives=_parsed(parse_initiatives, initiatives, "a file of initiatives") if initiatives else (),
        backtest=parse_backtest(_bytes(backtest, "a backtest"), str(backtest)) if backtest else None,
    )


def _parsed(parse: Callable[[bytes], T], path: str | Path, expected: str) -> T:
    """What a file says; its problems name the file."""
    try:
        return parse(_bytes(path, expected))
    except TruenorthError as error:
        raise TruenorthError(error.problems, source=error.source or str(path)) from None


def _bytes(path: str | Path, expected: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        found = error.strerror or str(error)
        raise TruenorthError([Problem(path=str(path), expected=expected, found=found)]) from None


def insight(  # noqa: PLR0913  # one for each option
    name: str,
    journey: str | Path,
    log: str | Path,
    *,
    inputs: Inputs | None = None,
    now: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
) -> Insight:
    """Judge a log by a journey file and answer one subject; KeyError for an unknown subject.

    ``since`` and ``until``: only cases that opened in that time.

    >>> found = insight("moments", "examples/support/journey.yaml", "examples/support/log.csv")
    >>> found.section.answer.to_frame().columns[:2]
    ['type', 'n']
    """
    replayed, read = wiring.replay_file(
        journey, log, now=now, fields=fields, object_type=object_type,
        all_columns=True, on_progress=on_progress,
    )  # fmt: skip
    read = read.let_go()  # the replay has its events
    subject = subject_of(name)
    if on_progress is not None:
        on_progress(f"finding out: {subject.title}", 0.0)
    part, given = opened_between(replayed, since, until), inputs or Inputs()
    check_columns(given.exclude, part.events.columns)
    return Insight(subject, subject.make(part, given), part, replayed, read)


def check_columns(exclude: Sequence[str], columns: Sequence[str]) -> None:
    """TruenorthError for every column to be left out that the log has not: a slip would leave it in unseen."""
    problems = [
        Problem(path="--exclude", expected="a column of the log", found=repr(name), hint=nearest(name, columns))
        for name in exclude
        if name not in columns
    ]
    if problems:
        raise TruenorthError(problems)


def theme_names(path: Path) -> dict[str, Sequence[str]]:
    """The names of themes in a file; TruenorthError where it cannot be read."""
    return parse_theme_names(text_of(path, "a file of themes' names", "--write-names writes one"), str(path))


def practitioners(questions: Path, answers: Sequence[Path], as_of: date, seed: int) -> Distilled:
    """A survey of practitioners, distilled; TruenorthError where a file does not fit."""
    asked = _questionnaire(questions)
    tables = [_answers(path) for path in answers]
    if not tables:
        raise TruenorthError([Problem(path="ANSWERS", expected="a CSV file of answers", found="none", hint=WRITE_PAGE)])
    return distil(asked, pl.concat(tables, how="diagonal"), as_of, seed)


def write_survey_page(questions: Path, page: Path) -> None:
    """A page on which practitioners answer; TruenorthError where the questions do not fit or nothing can be written."""
    from truenorth.report.survey_page import survey_page  # noqa: PLC0415  (only where a page is asked for)

    text = survey_page(_questionnaire(questions))
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = Problem(
            path=str(page), expected="a file that can be written", found=str(error), hint="another folder"
        )
        raise TruenorthError([problem]) from None


WRITE_PAGE = "--write-page survey.html makes a page on which people answer"


def _questionnaire(path: Path) -> Questionnaire:
    return parse_questionnaire(text_of(path, "a file of questions", "see docs/insight-customers.md"), str(path))


def _answers(path: Path) -> pl.DataFrame:
    text = text_of(path, "a CSV file of answers", "one row a contributor, columns by the questions' keys")
    try:
        return pl.read_csv(StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        problem = Problem(path=str(path), expected="a CSV table with a header", found=str(error).splitlines()[0])
        raise TruenorthError([problem]) from None


def write_names(found: Voice, path: Path) -> None:
    """Write the names of themes, to be edited; what was there goes."""
    with whole_file(path) as unfinished:
        unfinished.write_text(write_theme_names(found.themes), encoding="utf-8")
