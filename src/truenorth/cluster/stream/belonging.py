"""What a checkpoint belongs to: its state can only be gone on with by the same rules, columns and buckets."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from truenorth.cluster.stream.bucket import StreamWork
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOLDER = "truenorth"
"""Beside what Spark keeps in a checkpoint: one text file with a `Belonging`."""
JUDGED_BY = ("name", "only", "need", "outcome", "moments", "decisions", "calendars", "promises")
"""The parts of a journey that its verdicts follow from."""
HINT = "go on as the checkpoint was begun, or name another --checkpoint and judge all events anew"


class Belonging(msgspec.Struct, frozen=True):
    """What the state of a stream was made by: ``journey`` is a hash of the rules."""

    journey: str
    columns: tuple[str, ...]
    buckets: int


_BELONGING = msgspec.json.Decoder(Belonging)


def belonging(work: StreamWork, n_buckets: int) -> Belonging:
    """What the state of this stream will have been made by."""
    return Belonging(
        journey=_rules(work.work.journey),
        columns=tuple(f"{name} {kind}" for name, kind in sorted(work.kinds.items(), key=lambda column: column[0])),
        buckets=n_buckets,
    )


def claim(spark: SparkSession, checkpoint: str, mine: Belonging) -> None:
    """Note in a new checkpoint what it belongs to; `TruenorthError` with all that differs in one that has begun."""
    noted = _noted(spark, checkpoint)
    if noted is None:
        text = msgspec.json.encode(mine).decode()
        frame = spark.createDataFrame([(text,)], "value string").coalesce(1)
        frame.write.mode("overwrite").text(f"{checkpoint.rstrip('/')}/{FOLDER}")
        return
    problems = [
        Problem(path=f"{checkpoint}: {name}", expected=shown(theirs), found=shown(ours), hint=HINT)
        for name, theirs, ours in _both(noted, mine)
        if theirs != ours
    ]
    if problems:
        raise TruenorthError(problems)


def check_places(spark: SparkSession, checkpoint: str, filled: Mapping[str, bool]) -> None:
    """`TruenorthError` where a new checkpoint would tell its batches to places that have those of another one.

    Batches are numbered from the beginning of a checkpoint, and a place takes each number once. ``filled``: by option,
    whether that place has any.
    """
    if _noted(spark, checkpoint) is not None:
        return
    expected = f"no results yet: the checkpoint {checkpoint} is new"
    hint = "name another place, or the checkpoint that its results came from"
    problems = [
        Problem(path=option, expected=expected, found="results of another checkpoint", hint=hint)
        for option, has_some in filled.items()
        if has_some
    ]
    if problems:
        raise TruenorthError(problems)


def shown(value: object) -> str:
    """A part of a `Belonging` for people.

    >>> shown(("id String", "time Datetime")), shown(8), shown("0a1b2c3d4e5f" * 5)
    ('id String, time Datetime', '8', 'rules 0a1b2c3d4e')
    """
    if isinstance(value, str):
        return f"rules {value[:10]}"
    return str(value) if isinstance(value, int) else ", ".join(value)  # type: ignore[arg-type]


def _both(noted: Belonging, mine: Belonging) -> list[tuple[str, object, object]]:
    names = Belonging.__struct_fields__
    return list(zip(names, msgspec.structs.astuple(noted), msgspec.structs.astuple(mine), strict=True))


def _noted(spark: SparkSession, checkpoint: str) -> Belonging | None:
    """What a checkpoint says; None where it says nothing yet."""
    from pyspark.errors import AnalysisException

    try:
        rows = spark.read.text(f"{checkpoint.rstrip('/')}/{FOLDER}").collect()
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        return None
    return _BELONGING.decode(rows[0].value) if rows else None


def _rules(journey: Journey) -> str:
    judged_by = {name: getattr(journey, name) for name in JUDGED_BY}
    return sha256(msgspec.json.encode(judged_by, order="deterministic")).hexdigest()
