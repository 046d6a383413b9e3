"""Whether situations hold in a case: the engine's own evaluation, on a frame of one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import polars as pl

from truenorth.action.values import Context, Verdict
from truenorth.engine.marks import Translation
from truenorth.spec.conditions import fields_of
from truenorth.spec.expressions import Condition, Kind
from truenorth.spec.situations import CASE_FIELDS, parse_situation, promise_asked

DTYPES: Mapping[Kind, type[pl.DataType]] = {
    "number": pl.Float64,
    "integer": pl.Int64,
    "boolean": pl.Boolean,
}
MADE: Mapping[Kind, Callable[[float], object]] = {"number": float, "integer": int, "boolean": bool}
VERDICT_ASKED: Mapping[str, Verdict] = {
    "promise_broken": "broken",
    "promise_active": "open",
    "promise_kept": "kept",
}
"""The verdict that an instance must have for a function to be true."""
KNOWN_SITUATIONS = 2_000
"""Situations that are kept in mind."""


@lru_cache(KNOWN_SITUATIONS)
def situation(text: str) -> Condition:
    """A situation of a file that was checked."""
    return parse_situation(text)


def holding(context: Context, situations: Mapping[str, str]) -> dict[str, bool]:
    """Which of some situations hold, by name.

    >>> seen = {"promises": {"looked_at": ("broken",)}, "measures": {"internal": 2}}
    >>> case = Context(journey="help", case="1", customer=None, at_us=0, risk=0.5, **seen)
    >>> holding(case, {"a": "risk > 0.4 and promise_broken('looked_at')", "b": "handovers > 0", "c": "internal >= 1"})
    {'a': True, 'b': False, 'c': True}
    """
    trees = {name: situation(text).tree for name, text in situations.items()}
    if not trees:
        return {}
    frame = _row(context, {field for tree in trees.values() for field in fields_of(tree)})
    truth = Translation(frame.schema).truth
    answers = frame.select_seq(
        pl.lit(True).alias("any row"), *(truth(tree).alias(name) for name, tree in trees.items())
    )
    return {name: bool(answers[name][0]) for name in trees}


def _row(context: Context, fields: set[str]) -> pl.DataFrame:
    columns = {}
    for field in sorted(fields):
        asked = promise_asked(field)
        if asked is not None:
            function, promise = asked
            columns[field] = pl.Series([VERDICT_ASKED[function] in context.promises.get(promise, ())])
            continue
        kind = CASE_FIELDS[field][0]
        value = context.risk if field == "risk" else context.measures.get(field)
        columns[field] = pl.Series([None if value is None else MADE[kind](value)], dtype=DTYPES[kind])
    return pl.DataFrame(columns) if columns else pl.DataFrame({"any": [True]})
