"""A subject of insight from the paths of a log and a journey file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from truenorth import wiring
from truenorth.engine.replay import Replay
from truenorth.insight.initiative_file import parse_initiatives
from truenorth.insight.kpi_file import parse_kpis
from truenorth.logs.log import Log, Progress
from truenorth.report.section import Inputs, Section, Subject
from truenorth.report.subjects import subject as subject_of
from truenorth.spec.document import MAX_BYTES
from truenorth.spec.problems import Problem, TruenorthError


class Insight(NamedTuple):
    """A subject, answered for a log."""

    subject: Subject
    section: Section
    replay: Replay
    log: Log


def inputs(
    *,
    as_of: date | None = None,
    seed: int = 0,
    exclude: Sequence[str] = (),
    kpis: str | Path | None = None,
    initiatives: str | Path | None = None,
) -> Inputs:
    """What subjects need beside a replay, files read; `TruenorthError` with every problem of a file.

    >>> [one.name for one in inputs(kpis="examples/company/kpis.yaml").kpis][:2]
    ['handle_time', 'answer_rate']
    """
    return Inputs(
        as_of=as_of,
        seed=seed,
        exclude=tuple(exclude),
        kpis=parse_kpis(_bytes(kpis, "a file of KPIs")) if kpis else (),
        initiatives=parse_initiatives(_bytes(initiatives, "a file of initiatives")) if initiatives else (),
    )


def _bytes(path: str | Path, expected: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        found = error.strerror or str(error)
        raise TruenorthError([Problem(path=str(path), expected=expected, found=found)]) from None


def insight(
    name: str,
    journey: str | Path,
    log: str | Path,
    *,
    inputs: Inputs | None = None,
    now: datetime | None = None,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
) -> Insight:
    """Judge a log by a journey file and answer one subject; KeyError for an unknown subject.

    >>> found = insight("moments", "examples/support/journey.yaml", "examples/support/log.csv")
    >>> found.section.answer.to_frame().columns[:2]
    ['type', 'n']
    """
    replayed, events = wiring.replay_file(
        wiring.load_journey(journey), log, now=now, fields=fields, object_type=object_type,
        all_columns=True, on_progress=on_progress,
    )  # fmt: skip
    subject = subject_of(name)
    if on_progress is not None:
        on_progress(f"finding out about {subject.title.lower()}", 0.0)
    return Insight(subject, subject.make(replayed, inputs or Inputs()), replayed, events)
