"""Values of any column type as a log holds them."""

from __future__ import annotations

import polars as pl

from truenorth.logs.log import INSTANT
from truenorth.logs.times import read_instants


def simplest(values: pl.Series) -> pl.Series:
    """A column in one of the types a log has: text, Int64, Float64, boolean, instants in UTC, null."""
    dtype = values.dtype
    if dtype in (pl.Boolean, pl.Int64, pl.Float64, pl.String, pl.Null, INSTANT):
        return values
    if dtype.is_integer():
        whole = values.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == values.null_count() else values.cast(pl.Float64)
    if dtype.is_float() or dtype.is_decimal():
        return values.cast(pl.Float64)
    if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
        read = read_instants(values)
        assert read is not None
        return read.values
    return as_text(values)


def as_text(values: pl.Series) -> pl.Series:
    """Any column as text; whole numbers kept as floats lose their '.0'.

    >>> as_text(pl.Series([2403.0, None])).to_list()
    ['2403', None]
    """
    dtype = values.dtype
    if dtype == pl.String:
        return values
    if dtype.is_float():
        known = values.drop_nulls()
        if known.is_finite().all() and (known == known.round()).all() and (known.abs() < 2**53).all():
            return values.cast(pl.Int64).cast(pl.String)
    if dtype.is_nested():
        json = pl.struct(pl.col("x")).struct.json_encode().str.slice(len('{"x":')).str.head(-1)
        frame = values.to_frame("x")
        return frame.select(pl.when(pl.col("x").is_not_null()).then(json)).to_series().alias(values.name)
    if dtype == pl.Binary:
        return values.cast(pl.String, strict=False)
    return values.cast(pl.String)
