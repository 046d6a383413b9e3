"""Events as rows of the table, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec

from truenorth.events import Event
from truenorth.store.ports import Stored

FIELDS = Event.__struct_fields__
"""The columns of an event beside its position, in the order of a row."""
KEY = slice(0, 2)
"""Where a row has what makes its event unique: source and id."""
CUSTOMER, OTHER_ID, OTHER_KIND = (FIELDS.index(name) for name in ("customer", "other_id", "other_kind"))
_FLOATS = tuple(FIELDS.index(name) for name in ("cost", "revenue", "feeling"))
_FORBIDDEN = "\0"
_INSTEAD = "\N{REPLACEMENT CHARACTER}"

Row = tuple[Any, ...]


def rows_of(events: Iterable[Event]) -> list[Row]:
    """One row an event, in the order of `FIELDS`.

    What not every database can keep becomes what every one can: NaN becomes null; the character 0 and halves of
    surrogate pairs become U+FFFD.

    >>> rows_of([Event(source="s", id="a\\0b", type="t", time_us=1, received_us=2, cost=float("nan"))])[0][:3]
    ('s', 'a\ufffdb', 't')
    """
    rows = [msgspec.structs.astuple(event) for event in events]
    return rows if _all_can_be_kept(rows) else [tuple(map(_kept, row)) for row in rows]


def stored(row: Sequence[Any]) -> Stored:
    """The event of a row that begins with its position."""
    position, *values = row
    return Stored(position, Event(**dict(zip(FIELDS, values, strict=True))))


def without_statement(row: Row) -> Row:
    """The same event without what it says about another id of its customer."""
    return tuple(None if at in {OTHER_ID, OTHER_KIND} else value for at, value in enumerate(row))


def clean(text: str) -> str:
    """A text as every database can keep it."""
    return text.replace(_FORBIDDEN, _INSTEAD).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _all_can_be_kept(rows: Sequence[Row]) -> bool:
    texts = "".join([value for value in chain.from_iterable(rows) if value.__class__ is str])
    if _FORBIDDEN in texts or any(row[at] != row[at] for row in rows for at in _FLOATS):  # NaN
        return False
    try:
        texts.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124  # NaN
