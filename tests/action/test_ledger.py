"""The ledger: books balance to the cent; what acting changed is found against the holdout."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.action.ledger import COUNTS, ENTRY, keep_books

whole = st.integers(0, 10**9)
rows = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["call", "letter"]),
        "journey": st.sampled_from(["help", "bill"]),
        "period": st.sampled_from(["2026-01", "2026-02"]),
        "unit": st.sampled_from("abcde"),
        "holdout": st.booleans(),
        **dict.fromkeys(COUNTS, whole),
        "expected_cost_cents": whole,
        "expected_revenue_cents": whole,
        "expected_achieved": st.floats(0, 1),
    }
)


@given(st.lists(rows, min_size=1, max_size=30))
def test_books_balance(entries: list[dict[str, object]]) -> None:
    books = keep_books(pl.DataFrame(entries, schema=ENTRY))
    crowns = dict(zip(COUNTS, ("cost", "revenue", "achieved", "kept", "broken", "customer_us"), strict=True))
    for name, crown in crowns.items():
        acted = sum(int(row[name]) for row in entries if not row["holdout"])  # type: ignore[call-overload]
        assert books.totals[name] == acted == sum(getattr(line, crown).actual for line in books.lines)
    assert sum(line.n_acted + line.n_holdout for line in books.lines) == len(entries)


def test_one_crown_bought_with_another_is_noted() -> None:
    random = np.random.default_rng(1)
    held = np.arange(400) % 2 == 0
    entries = pl.DataFrame(
        {
            "action": "call",
            "journey": "help",
            "period": "2026-01",
            "unit": [str(n) for n in range(400)],
            "holdout": held,
            "cost_cents": np.where(held, 0, 1_200),
            "revenue_cents": 0,
            "achieved": (random.random(400) < np.where(held, 0.4, 0.8)).astype(int),
            "kept": 1,
            "broken": 0,
            "customer_us": 5,
            "expected_cost_cents": 1_200,
            "expected_revenue_cents": 0,
            "expected_achieved": 0.3,
        }
    )
    (line,) = keep_books(entries).lines
    assert line.achieved.increment is not None
    assert line.achieved.increment.low < 0.4 < line.achieved.increment.high
    assert line.cost.actual == 200 * 1_200 == line.cost.expected
    assert line.note == "outcomes bought with cost"
    with pytest.raises(ValueError, match="achieved"):
        keep_books(entries.drop("achieved"))
