"""Events of every type to write and read back."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from hypothesis import strategies as st

from truenorth.logs.log import INSTANT

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=12).map(lambda text: f"w{text}")
ODD = st.sampled_from(
    ['a "quoted" word', "two\nlines", "tab\there", "a, b; c|d", "<&'>", "w\r\nw", "ünï", "'", "w\\", "💶"]
)
TEXTS = st.one_of(WORDS, ODD)
"""Text that looks like nothing but text."""

INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: one == 0 or 1e-90 < abs(one) < 1e90)
INTEGERS = st.integers(-(10**17), 10**17)


def column(values: st.SearchStrategy, n: int) -> st.SearchStrategy[list]:
    return st.lists(st.one_of(st.none(), values), min_size=n, max_size=n)


@st.composite
def frames(draw: st.DrawFn, *, max_size: int = 8) -> pl.DataFrame:
    """Events as a log has them: canonical fields, then properties; some columns are missing."""
    n = draw(st.integers(1, max_size))
    made = {
        "id": draw(st.lists(TEXTS, min_size=n, max_size=n, unique=True)) if draw(st.booleans()) else None,
        "type": draw(column(TEXTS, n)),
        "time": draw(st.lists(INSTANTS, min_size=n, max_size=n)),
        "received": draw(column(INSTANTS, n)),
        "customer": draw(column(TEXTS, n)),
        "case": draw(column(TEXTS, n)),
        "team": draw(column(TEXTS, n)),
        "cost": draw(column(NUMBERS, n)),
        "feeling": draw(column(st.floats(-1, 1).filter(lambda one: one == 0 or abs(one) > 1e-90), n)),
        "flag": draw(column(st.booleans(), n)),
        "count": draw(column(INTEGERS, n)),
        "size in m²": draw(column(NUMBERS, n)),
        "note": draw(column(TEXTS, n)),
        "due": draw(column(INSTANTS, n)),
        "case:kind": draw(column(TEXTS, n)),
    }
    kinds = {"time": INSTANT, "received": INSTANT, "due": INSTANT, "cost": pl.Float64, "feeling": pl.Float64}
    kinds |= {"flag": pl.Boolean, "count": pl.Int64, "size in m²": pl.Float64}
    wanted = [name for name in made if name in ("id", "time", "type") or draw(st.booleans())]
    columns = [
        pl.Series(name, made[name], dtype=kinds.get(name, pl.String)) for name in wanted if made[name] is not None
    ]
    frame = pl.DataFrame(columns)
    return frame if "id" in frame.columns else frame.insert_column(0, pl.int_range(1, n + 1, eager=True).alias("id"))


def known(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that hold anything."""
    return frame.select(column.name for column in frame.iter_columns() if column.null_count() < len(column))
