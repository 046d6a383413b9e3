"""A subject of insight from the paths of a log and a journey file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from truenorth import wiring
from truenorth.engine.replay import Replay
from truenorth.logs.log import Log, Progress
from truenorth.report.section import Inputs, Section, Subject
from truenorth.report.subjects import subject as subject_of


class Insight(NamedTuple):
    """A subject, answered for a log."""

    subject: Subject
    section: Section
    replay: Replay
    log: Log


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
