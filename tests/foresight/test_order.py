"""Events of a log in the order of their cases."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from truenorth.foresight.tables import in_order


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=30))
def test_each_case_is_in_one_piece_in_order_of_time_then_arrival(rows):
    log = pl.DataFrame([(*row, n) for n, row in enumerate(rows)], schema=["case", "time", "n"], orient="row")
    found = in_order(log)
    assert found["case"].rle_id().max() + 1 == found["case"].n_unique()
    assert found["case"].unique(maintain_order=True).equals(log["case"].unique(maintain_order=True))
    for _, part in found.group_by("case"):
        assert part.rows() == sorted(part.rows(), key=lambda row: row[1:])
