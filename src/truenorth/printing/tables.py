"""Tables of a report on a terminal: whole where it is wide enough, else in parts, so that no word or number breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table as Grid

from truenorth.report.tables import Table

TEXT_WIDTH, NAME_WIDTH = 26, 16
"""A column of text gets so many characters where its longest word fits, longer texts go on in the next line; and so
many each of several that name a row."""
GAP = 2
"""Characters between columns."""


def grids(table: Table, width: int) -> Iterator[Grid]:
    """A table, without its caption, for ``width`` characters: one grid, or parts of its columns below each other.

    Every part repeats the columns that name a row (`Table.names`).
    """
    needs = [_needed(table, at) for at in range(len(table.headings))]
    parts = column_parts(needs, table.names, width)
    for part in parts:
        naturals = [_natural(table, at) for at in part]
        fits = _total(naturals) <= width
        yield _grid(table, part, naturals if fits else _spread([needs[at] for at in part], naturals, width))


def column_parts(needs: Sequence[int], names: Sequence[int], width: int) -> list[list[int]]:
    """Which columns stand together, each part with the ``names`` first, where all of them do not fit ``width``.

    ``needs``: the characters that each column takes.

    >>> column_parts([4, 10, 10, 10], names=[0], width=30)
    [[0, 1, 2], [0, 3]]
    >>> column_parts([4, 10, 10, 10], names=[0], width=80)
    [[0, 1, 2, 3]]
    """
    parts: list[list[int]] = [[]]
    for at in range(len(needs)):
        if at in names and len(parts) > 1:
            continue
        held = parts[-1]
        if set(held) - set(names) and _total([needs[one] for one in [*held, at]]) > width:
            held = [*names]
            parts.append(held)
        held.append(at)
    return parts


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _cells(table: Table, at: int) -> Iterator[str]:
    return (row[at] for row in table.rows)


def _natural(table: Table, at: int) -> int:
    return max([cell_len(table.headings[at]), *map(cell_len, _cells(table, at))])


def _needed(table: Table, at: int) -> int:
    """What a column takes without breaking a word of its heading, nor a number with its interval."""
    words = [word for text in (table.headings[at], *_cells(table, at)) for word in text.split()]
    longest = max(map(cell_len, words), default=1)
    widest = max(map(cell_len, _cells(table, at)), default=1)
    text = NAME_WIDTH if at in table.names and len(table.names) > 1 else TEXT_WIDTH
    return max(longest, widest if table.numeric[at] else min(widest, text))


def _spread(needs: Sequence[int], naturals: Sequence[int], width: int) -> list[int]:
    """The widths of the columns of a part: what each needs, and of what is left as much as it can use, the last first.

    >>> _spread([5, 5], [6, 20], 20)
    [5, 13]
    """
    found, left = list(needs), width - _total(needs)
    for at in reversed(range(len(found))):
        more = max(min(naturals[at] - found[at], left), 0)
        found[at] += more
        left -= more
    return found


def _grid(table: Table, part: Sequence[int], widths: Sequence[int]) -> Grid:
    made = Grid(box=None, pad_edge=False)
    for number, at in enumerate(part):
        made.add_column(
            escape(table.headings[at]),
            justify="right" if table.numeric[at] else "left",
            overflow="fold",
            width=widths[number],
        )
    for row in table.rows:
        made.add_row(*(escape(row[at]) for at in part))
    return made
