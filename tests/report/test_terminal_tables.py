"""Tables on a narrow terminal: every column is there, and no word or number is broken."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from truenorth.printing.tables import column_parts, grids
from truenorth.report.tables import Table

WIDTHS = st.lists(st.integers(1, 40), min_size=1, max_size=9)
WORDS = st.text(st.sampled_from("abcd"), min_size=1, max_size=12)


@given(WIDTHS, st.integers(1, 3), st.integers(20, 120))
def test_every_column_stands_once_beside_the_names(needs: list[int], n_names: int, width: int) -> None:
    names = list(range(min(n_names, len(needs))))
    parts = column_parts(needs, names, width)
    assert sorted(set(range(len(needs)))) == sorted({at for part in parts for at in part})
    others = [at for part in parts for at in part if at not in names]
    assert others == sorted(set(others))
    for part in parts:
        assert part[: len(names)] == names
        fits = sum(needs[at] for at in part) + 2 * (len(part) - 1) <= width
        assert fits or len(set(part) - set(names)) <= 1
    if sum(needs) + 2 * (len(needs) - 1) <= width:
        assert len(parts) == 1


@given(st.lists(st.tuples(*[st.lists(WORDS, min_size=1, max_size=6)] * 4), min_size=1, max_size=5))
def test_no_word_and_no_number_is_broken(rows: list[tuple[list[str], ...]]) -> None:
    cells = [tuple(" ".join(words) for words in row[:2]) + tuple(words[0] for words in row[2:]) for row in rows]
    table = Table(
        caption="", headings=("who", "what", "so much", "of that"), numeric=(False, False, True, True),
        rows=tuple(cells),
    )  # fmt: skip
    shown = io.StringIO()
    console = Console(file=shown, width=50)
    for grid in grids(table, 50):
        console.print(grid)
    told = shown.getvalue().split()
    for row in rows:
        assert all(word in told for words in row[:2] for word in words)
        assert all(words[0] in told for words in row[2:])


def test_a_table_that_fits_is_one() -> None:
    table = Table(caption="", headings=("a", "b"), numeric=(False, True), rows=(("x", "1"),))
    assert len(list(grids(table, 80))) == 1
