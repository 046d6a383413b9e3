"""The type of a text column by its content, and the kind of any column for conditions."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from truenorth.logs.log import Log
from truenorth.logs.times import looks_like_instants
from truenorth.spec.expressions import Kind

INTEGER = r"^-?(?:0|[1-9][0-9]{0,17})$"
NUMBER = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?$"
COMMA_NUMBER = r"^-?(?:0|[1-9][0-9]{0,17}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,5})(?:,[0-9]+)?$"
BOOLEAN = r"^(?i:true|false)$"
"""What a column must consist of to be read as that type; leading zeros or more than 18 digits stay text."""

TELLING_COMMA = r",(?:[0-9]{1,2}|[0-9]{4,})$"
"""A comma before three digits may part thousands; one before fewer or more is a decimal comma."""

SAMPLE_ROWS = 256


def schema_kinds(log: Log) -> Mapping[str, Kind]:
    """The kind of every column of a log, for binding the literals of conditions.

    >>> from truenorth.logs.log import INSTANT
    >>> dict(schema_kinds(Log(pl.DataFrame({"time": [0], "n": [1]}, schema={"time": INSTANT, "n": pl.Int64}))))
    {'time': 'instant', 'n': 'integer'}
    """
    return {column.name: kind_of(column) for column in log.events.iter_columns()}


def kind_of(column: pl.Series) -> Kind:
    """The kind of a column.

    >>> kind_of(pl.Series([None, None], dtype=pl.String)), kind_of(pl.Series([True]))
    ('null', 'boolean')
    """
    dtype = column.dtype
    if len(column) and column.null_count() == len(column):
        return "null"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_temporal() and dtype != pl.Time and not isinstance(dtype, pl.Duration):
        return "instant"
    return "null" if dtype == pl.Null else "text"


def typed_by_content(column: pl.Series) -> pl.Series:
    """Read a text column as what all of its non-null values are: integer, number, boolean, instant, else text.

    Numbers have a decimal point or a decimal comma.

    >>> typed_by_content(pl.Series(["1", "-20", None])).dtype
    Int64
    >>> typed_by_content(pl.Series(["007", "008"])).dtype
    String
    """
    known = column.drop_nulls() if column.null_count() else column
    if known.is_empty():
        return column
    sample = known.gather_every(max(1, len(known) // SAMPLE_ROWS))
    for pattern, dtype in ((INTEGER, pl.Int64), (NUMBER, pl.Float64)):
        if sample.str.contains(pattern).all() and known.str.contains(pattern).all():
            return column.cast(dtype)
    if sample.str.contains(COMMA_NUMBER).all():
        commas = with_decimal_comma(column)
        if commas is not None and commas.null_count() == column.null_count():
            return commas
    if sample.str.contains(BOOLEAN).all() and known.str.contains(BOOLEAN).all():
        return column.str.to_lowercase() == "true"
    instants = looks_like_instants(column)
    return column if instants is None else instants


def with_decimal_comma(column: pl.Series) -> pl.Series | None:
    """The numbers of a text column that is written with decimal commas; null where a value is no such number.

    None where no comma tells: of ``1,200`` alone nobody knows whether it is a thousand.

    >>> with_decimal_comma(pl.Series(["3,20", "1.234,5", "7", "?"])).to_list()
    [3.2, 1234.5, 7.0, None]
    >>> with_decimal_comma(pl.Series(["1,200", "7"])) is None
    True
    """
    numbers = pl.when(pl.col("x").str.contains(COMMA_NUMBER)).then("x")
    frame = column.alias("x").to_frame().select(numbers)
    if not frame["x"].str.contains(TELLING_COMMA).any():
        return None
    plain = pl.col("x").str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return frame.select(plain.cast(pl.Float64)).to_series().alias(column.name)
