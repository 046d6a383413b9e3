"""A subject, answered, as plain values: what ``--json`` prints and the API answers."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from truenorth.insight.replayed import Replayed
from truenorth.insight.slices import bounds_of
from truenorth.report.section import Section, Subject


def document(subject: Subject, section: Section, replay: Replayed) -> dict[str, Any]:
    """What it is about, its sample, its finding, and its numbers with their rules."""
    since, until = bounds_of(replay)
    return {
        "subject": subject.name,
        "journey": replay.journey.name,
        "from": since,
        "to": until,
        "currency": replay.journey.currency,
        "cases": replay.cases.height,
        "events": replay.events.height,
        "watermark": replay.watermark,
        "finding": section.finding,
        **section.answer.to_dict(),
        "how": list(section.how),
    }


def csv_of(frame: pl.DataFrame) -> str:
    """A table as CSV with a header; lists as JSON.

    >>> csv_of(pl.DataFrame({"theme": ["slow"], "terms": [["slow", "late"]], "share": [0.5]}))
    'theme,terms,share\\nslow,"[""slow"",""late""]",0.5\\n'
    """
    nested = [column for column in frame.iter_columns() if column.dtype.is_nested()]
    as_json = [
        pl.Series(column.name, [msgspec.json.encode(value).decode() for value in column.to_list()]) for column in nested
    ]
    return frame.with_columns(as_json).write_csv()
