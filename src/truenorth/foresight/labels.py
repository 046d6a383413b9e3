"""What became of cases where there is no journey file: a label from a column or an event, and nothing that tells."""

from __future__ import annotations

import msgspec
import polars as pl

from truenorth.spec.problems import Problem, TruenorthError, nearest

LABEL = "truenorth:label"
"""The column that `labelled` adds: whether the case is positive, on each of its events; null = not known."""


class Label(msgspec.Struct, frozen=True):
    """How a log says what became of a case.

    Either ``column`` with its ``positive`` value (the last one that a case has), or ``event``: a case with an event of
    this type is positive. Events from the first one of type ``until_event`` on are cut off, and so are those from
    ``event`` on: they would tell the label. Cases with an event whose column ``drop[i][0]`` is ``drop[i][1]`` are left
    out.
    """

    column: str = ""
    positive: str = ""
    event: str = ""
    until_event: str = ""
    drop: tuple[tuple[str, str], ...] = ()


def labelled(events: pl.DataFrame, label: Label) -> pl.DataFrame:
    """Events with `LABEL`, without its column, cut and without the cases to leave out; arrival order is kept.

    ``events`` have ``case``, ``type`` and ``time``. `TruenorthError` with all problems for an unknown column, a value
    or type that never occurs, or where all cases have the same label.

    >>> events = pl.DataFrame({"case": ["a", "a", "b"], "type": ["x", "lost", "x"], "time": [1, 2, 1]})
    >>> labelled(events, Label(event="lost")).rows()
    [('a', 'x', 1, True), ('b', 'x', 1, False)]
    """
    _check(events, label)
    kept = _without_dropped(events, label)
    if label.event:
        positive = (pl.col("type") == label.event).any().over("case")
    else:
        last = pl.col(label.column).cast(pl.String).sort_by("time", maintain_order=True).drop_nulls().last()
        positive = last.over("case") == label.positive
    kept = kept.with_columns(positive.alias(LABEL))
    for cut in filter(None, (label.until_event, label.event)):
        kept = _before(kept, cut)
    found = kept[LABEL].drop_nulls()
    if found.n_unique() < 2:
        what = "no case is left" if not len(found) else f"all cases are {'positive' if found[0] else 'negative'}"
        raise TruenorthError([Problem(path="label", expected="cases of both kinds", found=what)])
    return kept.drop(label.column) if label.column and label.column not in ("case", "type", "time") else kept


def _without_dropped(events: pl.DataFrame, label: Label) -> pl.DataFrame:
    for column, value in label.drop:
        events = events.filter(~(pl.col(column).cast(pl.String) == value).fill_null(False).any().over("case"))
    return events


def _before(events: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Events before their case's first one of a type; all of a case without one."""
    first = pl.col("time").filter(pl.col("type") == kind).min().over("case")
    reached = (pl.col("type") == kind).fill_null(False)
    # of events at the same instant, those that arrived before it stay
    since = reached.cast(pl.Int8).cum_max().over("case", order_by="time")
    return events.filter(first.is_null() | (pl.col("time") < first) | ((pl.col("time") == first) & (since == 0)))


def _check(events: pl.DataFrame, label: Label) -> None:
    problems = []
    columns = list(filter(None, (label.column, *(column for column, _ in label.drop))))
    for column in columns:
        if column not in events.columns:
            hint = nearest(column, events.columns)
            problems.append(Problem(path="label", expected="a column of the log", found=repr(column), hint=hint))
    if bool(label.column) == bool(label.event):
        problems.append(Problem(path="label", expected="either a column or a type of event", found="both or none"))
    if label.column and label.column in events.columns and not _occurs(events, label.column, label.positive):
        values = events[label.column].cast(pl.String).drop_nulls().unique().sort().head(20).to_list()
        hint = nearest(label.positive, values)
        problems.append(Problem(path="positive", expected="a value that occurs", found=repr(label.positive), hint=hint))
    for kind in filter(None, (label.event, label.until_event)):
        if not _occurs(events, "type", kind):
            hint = nearest(kind, events["type"].cast(pl.String).drop_nulls().unique().sort().to_list())
            problems.append(Problem(path="label", expected="a type of event that occurs", found=repr(kind), hint=hint))
    if problems:
        raise TruenorthError(problems)


def _occurs(events: pl.DataFrame, column: str, value: str) -> bool:
    return bool((events[column].cast(pl.String) == value).any())
