"""Labels of a log without a journey: what became of each case, and up to where it may be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a case.

    The label is the last (``take``: the first, any) value of ``column`` in the case, of those ``among`` if any are
    named; a case with none has no label and is not learnt from. It is positive if it is one of ``positive``; where
    ``negative`` names any, values that are neither are no label. Values are compared as `plain` text, event types
    as they are. Cases that end with an event whose type is in ``drop_ending`` have no label. A case is looked at before
    its first event whose type is in ``until`` only.

    >>> Label(positive=("Send for Credit Collection",), until=("Send for Credit Collection",)).column
    'type'
    """

    positive: tuple[str, ...]
    column: str = "type"
    negative: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    take: Literal["last", "first", "any"] = "last"
    until: tuple[str, ...] = ()
    drop_ending: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[str, str]:
        """Words for the two labels: the negative one, then the positive one."""
        words = " or ".join(self.positive)
        return f"not {words}", words


def plain(values: pl.Expr, column: str) -> pl.Expr:
    """Values of a column as they are compared: as text, without blanks around it and in small letters; blanks: null.

    Types of events are taken as they are, as everywhere in a journey.

    >>> table = pl.DataFrame({"won": [" Yes", "yes", "  "]})
    >>> table.select(plain(pl.col("won"), "won"))["won"].to_list()
    ['yes', 'yes', None]
    """
    text = values.cast(pl.String)
    if column == "type":
        return text
    text = text.str.strip_chars().str.to_lowercase()
    return pl.when(text != "").then(text)


def plainly(values: Sequence[str], column: str) -> list[str]:
    """The same of some values that are named."""
    named = pl.DataFrame({"value": values}, {"value": pl.String})
    return named.select(plain(pl.col("value"), column))["value"].to_list()


def labelled(events: pl.DataFrame, label: Label) -> pl.DataFrame:
    """One row a case, in the order of ``events`` (by case, in its order).

    Columns: ``case``, ``outcome`` (1 positive, 0 not, -1 unknown), ``end_event`` (so many events may be looked at).
    """
    value = plain(pl.col(label.column), label.column)
    positive, negative, among = (
        plainly(named, label.column) for named in (label.positive, label.negative, label.among)
    )
    counted = value.is_in(among) if label.among else value.is_not_null()
    neither = ~value.is_in(negative) if label.negative else pl.lit(False)
    code = pl.when(value.is_in(positive)).then(1).when(neither).then(-1).otherwise(0)
    found = code.filter(counted)
    taken = {"last": found.last(), "first": found.first(), "any": found.max()}[label.take]
    kind = pl.col("type").cast(pl.String)
    stop = kind.is_in(label.until).arg_max() if label.until else pl.lit(0)
    stops = kind.is_in(label.until).any() if label.until else pl.lit(False)
    dropped = kind.last().is_in(label.drop_ending) if label.drop_ending else pl.lit(False)
    by_case = (
        events.lazy()
        .group_by("case", maintain_order=True)
        .agg(
            pl.when(counted.any() & ~dropped.fill_null(False)).then(taken).cast(pl.Int8).fill_null(-1).alias("outcome"),
            pl.when(stops).then(stop).otherwise(pl.len()).cast(pl.Int64).alias("end_event"),
        )
    )
    return by_case.collect()


def opened_with_label(events: pl.DataFrame, label: Label) -> NDArray[np.int64]:
    """When each case that has a label was opened, in microseconds; ``events`` in any order."""
    ordered = events.filter(pl.col("case").is_not_null()).sort("time", maintain_order=True)
    known = labelled(ordered, label).filter(pl.col("outcome") >= 0)
    opened = ordered.group_by("case", maintain_order=True).agg(pl.col("time").min())
    return opened.join(known, on="case", how="semi")["time"].to_physical().to_numpy()


def columns_that_tell(label: Label) -> Sequence[str]:
    """Columns that are no features because the label is read from them."""
    return () if label.column == "type" else (label.column,)
