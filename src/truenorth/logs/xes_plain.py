"""XES as tools write it: one flat element after the other, read as a table.

Nearly every XES file is a long list of `<tag key="..." value="..."/>` elements inside events inside traces. Put one
element a line, such text is a table with the quote as its separator, and Polars reads it at full speed. Whatever does
not fit exactly (nesting, comments, other quoting, a cut) is left to `truenorth.logs.xes_elements`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from truenorth.logs.escapes import unescape as _unescaped

TRACE, EVENT, END_EVENT, END_TRACE, END_LOG = 1, 2, 3, 4, 5
STRUCTURE = {"<trace>": TRACE, "<event>": EVENT, "</event>": END_EVENT, "</trace>": END_TRACE, "</log>": END_LOG}
FOLLOWS = {TRACE: (EVENT, END_TRACE), EVENT: (END_EVENT,), END_EVENT: (EVENT, END_TRACE), END_TRACE: (TRACE, END_LOG)}
"""What may come after a structural tag; a file that breaks this is not plain."""

ATTRIBUTES = {f"<{tag} key=": 10 + n for n, tag in enumerate(("string", "date", "int", "float", "boolean", "id"))}
TAG_OF = {code: text[1:-5] for text, code in ATTRIBUTES.items()}
HEADER = b't"k"e"v"z\n'
TRACE_PREFIX = "case:"
LOOK_BYTES = 65_536
NOT_PLAIN = re.compile(rb"<!DOCTYPE|<!ENTITY|<event[\s>/]|encoding=(?![\"'](?i:utf-8)[\"'])")
"""In the header: entities, events outside of traces, an encoding to be minded."""

NORMALISED = r"[\t\r]"
"""Characters that XML makes a space inside a value."""

WORDS = pl.Categorical(pl.Categories("truenorth-xes"))

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Attribute:
    """The values of one attribute: ``owner[i]`` is the number of the event or trace that ``values()[i]`` belongs to."""

    name: str
    tags: frozenset[str]
    owner: Codes
    values: Callable[[], pl.Series]


@dataclass(frozen=True, eq=False)
class Elements:
    """The content of an XES log, attribute by attribute, in the order in which the attributes first appear."""

    n_events: int
    trace_of_event: Codes
    of_events: list[Attribute]
    of_traces: list[Attribute]


def read_plain(data: bytes, n_events: int | None = None) -> Elements | None:
    """Read XES text of the plain shape (or the traces with its first events), or None if it has another."""
    start = data.find(b"<trace>")
    if start < 0 or NOT_PLAIN.search(data, 0, start):
        return None
    end = len(data) if n_events is None else _end_of(data, start, n_events)
    tail = b"" if end == len(data) else b"\n</log>"
    body = b"".join((HEADER, memoryview(data)[start:end], tail))
    if b"><" in body[:LOOK_BYTES]:
        body = body.replace(b"><", b">\n<")
    schema: dict[str, pl.DataType] = {"t": WORDS, "k": WORDS, "e": WORDS, "v": pl.String(), "z": WORDS}
    try:
        rows = pl.read_csv(body, separator='"', quote_char=None, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    codes = _codes(rows)
    return None if codes is None else _elements(rows, codes, escaped=b"&" in body)


def _end_of(data: bytes, start: int, n_events: int) -> int:
    """Where the trace of the n-th event ends."""
    at = start
    for _ in range(n_events):
        at = data.find(b"</event>", at + 1)
        if at < 0:
            return len(data)
    end = data.find(b"</trace>", at)
    return len(data) if end < 0 else end + len(b"</trace>")


def _codes(rows: pl.DataFrame) -> Codes | None:
    """What each line is, or None if any line is something else."""
    known = STRUCTURE | ATTRIBUTES
    starts = _words(rows["t"])
    table = np.full(max(starts, default=0) + 1, -1, dtype=np.int64)
    for word, text in starts.items():
        table[word] = known.get(text.strip(), -1)
    codes = table[rows["t"].to_physical().fill_null(0).to_numpy()]
    attribute = pl.Series(codes >= 10)
    fits = (
        rows["t"].null_count() == 0
        and not (codes < 0).any()
        and _only(rows["e"], {"value="})
        and _only(rows["z"], {"/>"})
        and bool((rows["z"].is_not_null() == attribute).all())
        and bool((rows["k"].is_not_null() == attribute).all())
        and not rows["v"].str.contains(NORMALISED).any()
    )
    if not fits:
        return None
    tags = codes[codes < 10]
    allowed = np.zeros((6, 6), dtype=bool)
    for tag, after in FOLLOWS.items():
        allowed[tag, list(after)] = True
    legal = tags[0] == TRACE and tags[-1] == END_LOG and allowed[tags[:-1], tags[1:]].all()
    return codes if legal and codes[-1] == END_LOG else None


def _words(column: pl.Series) -> dict[int, str]:
    """The distinct texts of a categorical column by their numbers."""
    distinct = column.drop_nulls().unique()
    return dict(zip(distinct.to_physical().to_list(), distinct.cast(pl.String).to_list(), strict=True))


def _only(column: pl.Series, texts: set[str]) -> bool:
    return {text.strip() for text in _words(column).values()} <= texts


def _elements(rows: pl.DataFrame, codes: Codes, *, escaped: bool) -> Elements | None:
    structural = codes < 10
    last = np.maximum.accumulate(np.where(structural, np.arange(len(codes)), 0))
    inside = codes[last]
    n_event = np.cumsum(codes == EVENT) - 1
    n_trace = np.cumsum(codes == TRACE) - 1
    of_event = ~structural & (inside == EVENT)
    of_trace = ~structural & ((inside == TRACE) | (inside == END_EVENT))
    if (~structural & (inside == END_TRACE)).any():
        return None
    events = _attributes(rows, codes, of_event, n_event, escaped=escaped)
    traces = _attributes(rows, codes, of_trace, n_trace, escaped=escaped)
    if events is None or traces is None:
        return None
    return Elements(int(n_event[-1]) + 1, n_trace[codes == EVENT], events, traces)


def _attributes(
    rows: pl.DataFrame, codes: Codes, mask: npt.NDArray[np.bool_], owners: Codes, *, escaped: bool
) -> list[Attribute] | None:
    where = np.flatnonzero(mask)
    keys = rows["k"].to_physical().fill_null(0).to_numpy()[where]
    names = _words(rows["k"])
    order = np.argsort(keys.astype(np.uint16) if max(names, default=0) < 2**16 else keys, kind="stable")
    where, keys = where[order], keys[order]
    bounds = np.flatnonzero(np.diff(keys, prepend=-1, append=-1))
    found = []
    for start, end in pairwise(bounds):
        at = where[start:end]
        owner = owners[at]
        if (np.diff(owner) == 0).any():
            return None
        tags = frozenset(TAG_OF[int(code)] for code in np.unique(codes[at]))
        name = _unescaped(pl.Series([names[int(keys[start])]]))[0] if escaped else names[int(keys[start])]
        found.append((int(at[0]), Attribute(name, tags, owner, partial(_values, rows["v"], at, escaped=escaped))))
    return [attribute for _, attribute in sorted(found, key=lambda one: one[0])]


def _values(texts: pl.Series, at: Codes, *, escaped: bool) -> pl.Series:
    values = texts.gather(at).fill_null("")
    return _unescaped(values) if escaped else values
