"""Properties that a table holds as JSON text in one column, as an exported log in Parquet does."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import polars as pl

from truenorth.logs.records import PROPERTIES, Flat, Flattener


def unpacked(texts: pl.Series, beside: Collection[str]) -> Flat | None:
    """The columns that JSON objects hold, called as those of JSON Lines; None where the texts are anything else.

    ``beside``: the columns of the table, whose names are taken.

    >>> unpacked(pl.Series(['{"n": 1, "properties": {"plan": "a", "cost": 2}}', None]), ["cost"]).frame.to_dicts()
    [{'n': 1, 'plan': 'a', 'properties.cost': 2}, {'n': None, 'plan': None, 'properties.cost': None}]
    >>> unpacked(pl.Series(["a=1"]), []) is None
    True
    """
    flattener = Flattener()
    decode = msgspec.json.Decoder(dict).decode
    try:
        for text in texts:
            flattener.add({PROPERTIES: decode(text)} if text is not None else {})
    except (msgspec.DecodeError, RecursionError):
        return None
    return flattener.table(beside)
