"""Tables: as a page shows them, and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Literal
from xml.etree.ElementTree import Element as Node

import msgspec

from truenorth.console.first_look import DrawnByScript, node
from truenorth.console.words import Tone, tag_classes
from truenorth.console.writing import Writing

Kind = Literal["text", "number", "change", "money", "percent", "instant", "span", "tag"]
"""``change``: a number with its sign; ``span``: a length of time in seconds."""
Value = str | int | float | bool | None
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would work out."""


class Column(msgspec.Struct, frozen=True):
    """A column: its name in CSV, its title, what its values are, and how many decimals are shown."""

    name: str
    title: str
    kind: Kind = "text"
    decimals: int = 0
    currency: str | None = None


class Act(msgspec.Struct, frozen=True):
    """Something that can be done with a row; ``asks`` is what somebody has to confirm first."""

    name: str
    words: str
    asks: str = ""


class Row(msgspec.Struct, frozen=True):
    """Values in the order of the columns; the first links to ``address``. ``tones``: of cells, by column name."""

    values: tuple[Value, ...]
    address: str | None = None
    acts: tuple[Act, ...] = ()
    tones: dict[str, Tone] = {}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table. ``caption`` says what it has; ``empty`` what is said where there is no row."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    empty: str = "There is nothing here yet."

    def as_csv(self) -> str:
        """The table as CSV by RFC 4180: numbers with a point, instants as ISO 8601 in UTC.

        A text that a spreadsheet would take for a formula gets an apostrophe before it.

        >>> columns = (Column("who", "Who"), Column("n", "N", "number"))
        >>> table = Table(caption="", columns=columns, rows=[Row(("=1", -2))])
        >>> table.as_csv()
        "who,n\\r\\n'=1,-2\\r\\n"
        """
        written = io.StringIO()
        writer = csv.writer(written)
        writer.writerow([column.name for column in self.columns])
        writer.writerows([_safe(value) for value in row.values] for row in self.rows)
        return written.getvalue()


class TableElement(DrawnByScript, component="static/table.js"):
    """A table on a page; `show` replaces it."""

    def __init__(self, table: Table, writing: Writing, on_act: Callable[[str, int], Any] | None = None) -> None:
        """``on_act`` is called with the name of an act and the number of its row, from 0."""
        super().__init__()
        self._writing = writing
        self.table = table
        self.show(table)
        if on_act is not None:
            self.on("act", lambda event: on_act(str(event.args[0]), int(event.args[1])))

    def show(self, table: Table) -> None:
        """Show another state of it."""
        self.table = table
        drawn = {
            "caption": table.caption,
            "empty": table.empty,
            # tuples: what is in them is not watched for changes
            "columns": tuple({"title": column.title, "kind": column.kind} for column in table.columns),
            "rows": tuple(self._row(row) for row in table.rows),
        }
        for name, value in drawn.items():
            if self.props.get(name) != value:  # what is as it was is not sent again
                self.props[name] = value

    def plain(self) -> Node:
        """What `static/table.js` draws, without what can be done with a row."""
        if not self.props["rows"]:
            return node("div", node("p", self.props["empty"], class_="tn-muted"), class_="tn-scroll")
        kinds = [column["kind"] for column in self.props["columns"]]
        titles = (node("th", column["title"], class_=f"tn-{column['kind']}") for column in self.props["columns"])
        rows = (
            node("tr", *(_plain_cell(row, place, kind) for place, kind in enumerate(kinds)))
            for row in self.props["rows"]
        )
        shown = node("table", node("thead", node("tr", *titles)), node("tbody", *rows), class_="tn-table")
        return node("div", shown, class_="tn-scroll")

    def _row(self, row: Row) -> dict[str, Any]:
        cells = [
            {"text": _written(value, column, self._writing), "tone": row.tones.get(column.name, "")}
            for value, column in zip(row.values, self.table.columns, strict=True)
        ]
        acts = [{"name": act.name, "words": act.words, "asks": act.asks} for act in row.acts]
        return {"cells": cells, "address": row.address, "acts": acts}


def _plain_cell(row: dict[str, Any], place: int, kind: str) -> Node:
    cell = row["cells"][place]
    text = node("bdi", cell["text"], class_=tag_classes(cell["tone"]) if cell["tone"] else "tn-cell")
    is_link = place == 0 and row["address"]
    return node("td", node("a", text, href=row["address"]) if is_link else text, class_=f"tn-{kind}")


def _written(value: Value, column: Column, writing: Writing) -> str:
    if value is None:
        return writing.number(None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.kind == "instant":
        return writing.instant(value if isinstance(value, str) else int(value))
    if isinstance(value, str):
        return value
    if column.kind == "percent":
        return writing.percent(value, column.decimals)
    if column.kind == "span":
        return writing.span(value)
    if column.kind == "money":
        return writing.money(value, column.currency, column.decimals)
    sign = "+" if column.kind == "change" and value > 0 else ""
    return f"{sign}{writing.number(value, column.decimals)}"


def _safe(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
