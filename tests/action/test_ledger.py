"""The ledger: books balance to the cent; what acting changed is found against the holdout."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.action.ledger import COUNTS, ENTRY, LEAST_UNITS, Increment, Line, keep_books

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


@settings(deadline=None)  # the first example imports
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
    line = line_of(random.random(200) < 0.8, random.random(200) < 0.4)
    assert line.achieved.increment is not None
    assert line.achieved.increment.low < 0.4 < line.achieved.increment.high
    assert line.cost.actual == 200 * 1_200 == line.cost.expected
    assert line.note == "outcomes bought with cost"


def test_entries_need_all_their_columns() -> None:
    with pytest.raises(ValueError, match="achieved"):
        keep_books(pl.DataFrame(schema=ENTRY).drop("achieved"))


def test_intervals_of_outcomes_hold_the_truth_with_a_small_holdout() -> None:
    random, held = np.random.default_rng(2), 0
    for _ in range(400):
        found = shares_of(random.random(60) < 0.9, random.random(7) < 0.8)
        assert found is not None
        held += found.low <= 0.1 <= found.high
    assert held >= 0.93 * 400


def test_nothing_is_said_of_amounts_of_a_few() -> None:
    line = line_of(np.ones(60, np.bool_), np.zeros(LEAST_UNITS - 1, np.bool_))
    assert line.achieved.increment is not None
    assert line.cost.increment is None
    line = line_of(np.ones(60, np.bool_), np.zeros(LEAST_UNITS, np.bool_))
    assert line.cost.increment == Increment(1_200, 1_200, 1_200)


def shares_of(acted: np.ndarray, held: np.ndarray) -> Increment | None:
    return line_of(acted, held).achieved.increment


def line_of(acted: np.ndarray, held: np.ndarray) -> Line:
    """The books of cases that were acted on and that were held out, by whether each outcome was achieved."""
    is_held = np.repeat([False, True], [len(acted), len(held)])
    entries = pl.DataFrame(
        {
            "action": "call",
            "journey": "help",
            "period": "2026-01",
            "unit": [str(n) for n in range(len(is_held))],
            "holdout": is_held,
            "cost_cents": np.where(is_held, 0, 1_200),
            "revenue_cents": 0,
            "achieved": np.concatenate([acted, held]).astype(int),
            "kept": 1,
            "broken": 0,
            "customer_us": 5,
            "expected_cost_cents": 1_200,
            "expected_revenue_cents": 0,
            "expected_achieved": 0.3,
        }
    )
    return keep_books(entries).lines[0]
