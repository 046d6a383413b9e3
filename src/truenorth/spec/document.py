"""A YAML text as plain elements that know their lines, read under strict bounds.

Only what a journey needs gets through: one document of mappings, lists and scalars. Anchors, aliases and tags are
refused, so nothing can expand; size, depth and number of elements are bounded, so a stranger's file costs no more
than a moment. Scalars keep their text: what they mean is for the reader of each key to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from truenorth.spec.problems import Problem
from truenorth.spec.tokens import short

MAX_BYTES = 256 * 1024
"""Largest journey file."""

MAX_DEPTH = 20
"""Deepest nesting of mappings and lists."""

MAX_ELEMENTS = 5_000
"""Most keys, values, lists and mappings of a file."""

_YAML_TAG = "tag:yaml.org,2002:"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Scalar(msgspec.Struct, frozen=True):
    """A single value: its text, whether it stood without quotes, and its line from 1."""

    text: str
    plain: bool = True
    line: int = 0

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there.

        >>> Scalar("").is_null, Scalar("~").is_null, Scalar("", plain=False).is_null
        (True, True, False)
        """
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Listing(msgspec.Struct, frozen=True):
    """A list of elements."""

    items: tuple[Element, ...]
    line: int = 0


class Table(msgspec.Struct, frozen=True):
    """A mapping; the same key may come twice, which its reader reports."""

    entries: tuple[tuple[Scalar, Element], ...]
    line: int = 0


Element = Scalar | Listing | Table


class Unreadable(Exception):
    """The text is no YAML document that can be used; it carries the one problem."""

    def __init__(self, expected: str, found: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(expected)
        self.problem = Problem(path="$", expected=expected, found=found, hint=hint, line=line)


def read_document(source: str | bytes) -> Element:
    """The elements of a YAML text (bytes: UTF-8, with or without a byte order mark); Unreadable says why not.

    >>> read_document("journey: support")
    Table(entries=((Scalar(text='journey', plain=True, line=1), Scalar(text='support', plain=True, line=1)),), line=1)
    """
    text = _text_of(source)
    try:
        return _build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise _not_yaml(error) from None
    except (YAMLError, ValueError, AttributeError, LookupError, TypeError) as error:
        raise Unreadable("readable YAML", short(str(error)) or type(error).__name__) from None


def _text_of(source: str | bytes) -> str:
    if len(source) > MAX_BYTES:
        raise Unreadable(f"at most {MAX_BYTES // 1024} KB", "a larger file")
    if isinstance(source, bytes):
        source = _decoded(source)
    source = source.removeprefix("\ufeff")
    bad = _UNPRINTABLE.search(source)
    if bad:
        line = source.count("\n", 0, bad.start()) + 1
        raise Unreadable("printable characters", f"U+{ord(bad.group()):04X}", "remove the control character", line)
    return source


def _decoded(source: bytes) -> str:
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Unreadable("UTF-8 text", "UTF-16", "save the file as UTF-8")
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{source[error.start]:02x}"
        raise Unreadable("UTF-8 text", found, "save the file as UTF-8", line) from None


_HINTS: tuple[tuple[str, str], ...] = (
    ("mapping values are not allowed", "put a value that contains ': ' into quotes, and check the indentation"),
    ("expected ',' or", "inside {...} and [...], put a condition that contains a comma into double quotes"),
    ("but found '<scalar>'", "put the whole condition into quotes: '\"odd name\" = 3'"),
    ("'\\t'", "indent with spaces, not tabs"),
    ("the %YAML", "leave the line with % out"),
    ("cannot start any token", "put the value into quotes"),
    ("expected <block end>", "check the indentation"),
    ("could not find expected ':'", "write 'key: value', and check the indentation"),
    ("end of stream", "close the quotes, brackets and braces"),
)


def _not_yaml(error: MarkedYAMLError) -> Unreadable:
    found = " ".join(str(error.problem or error.context or "something else").split()).removeprefix("found ")
    hint = next((hint for start, hint in _HINTS if start in found), "")
    mark = error.problem_mark or error.context_mark
    return Unreadable("readable YAML", short(found), hint, mark.line + 1 if mark else None)


class _Open(msgspec.Struct):
    """A list or mapping whose end has not come yet."""

    is_table: bool
    line: int
    parts: list[Element]

    def closed(self) -> Element:
        if not self.is_table:
            return Listing(tuple(self.parts), self.line)
        keys, values = self.parts[::2], self.parts[1::2]
        for key in keys:
            if not isinstance(key, Scalar):
                raise Unreadable("a plain key", "a list or mapping as a key", line=key.line)
        return Table(tuple(zip(keys, values, strict=True)), self.line)  # type: ignore[arg-type]


def _build(events: Iterator[Any]) -> Element:
    """The element tree of one document, without recursion."""
    n_documents, n_elements = 0, 0
    top = _Open(False, 1, [])
    open_elements = [top]
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            n_documents += 1
            if n_documents > 1:
                raise Unreadable("one journey in a file", "a second document", "use a file of its own", line)
        if isinstance(event, NodeEvent):
            n_elements += 1
            _check(event, line, n_elements, len(open_elements))
        match event:
            case ScalarEvent():
                open_elements[-1].parts.append(Scalar(event.value, event.style is None, line))
            case MappingStartEvent() | SequenceStartEvent():
                open_elements.append(_Open(isinstance(event, MappingStartEvent), line, []))
            case MappingEndEvent() | SequenceEndEvent():
                closed = open_elements.pop().closed()
                open_elements[-1].parts.append(closed)
    if not top.parts or (isinstance(top.parts[0], Scalar) and top.parts[0].is_null):
        raise Unreadable("a journey", "an empty file", "start with 'truenorth: 1'")
    return top.parts[0]


def _check(event: Any, line: int, n_elements: int, depth: int) -> None:
    if isinstance(event, AliasEvent):
        raise Unreadable("a plain value", f"the alias '*{short(str(event.anchor))}'", "write the value out", line)
    if event.anchor is not None:
        raise Unreadable("a plain value", f"the anchor '&{short(str(event.anchor))}'", "quote a text with &", line)
    if event.tag is not None:
        raise Unreadable(
            "a plain value",
            f"the tag '{short(str(event.tag).replace(_YAML_TAG, '!!'))}'",
            "quote a text that begins with !",
            line,
        )
    if n_elements > MAX_ELEMENTS:
        raise Unreadable(f"at most {MAX_ELEMENTS} keys and values", "more", line=line)
    if depth > MAX_DEPTH:
        raise Unreadable(f"at most {MAX_DEPTH} levels of nesting", "more", line=line)


def element_of(value: Any) -> Element:
    """The element for a plain Python value, as if it had been written in a file.

    >>> element_of({"within": ["3d"]}).entries[0][1].items[0].text
    '3d'
    """
    match value:
        case Mapping():
            return Table(tuple((Scalar(str(key)), element_of(part)) for key, part in value.items()))
        case str():
            return Scalar(value, plain=False)
        case Sequence() | set() | frozenset():
            return Listing(tuple(element_of(part) for part in value))
        case None:
            return Scalar("")
        case bool():
            return Scalar(str(value).lower())
        case date():
            return Scalar(value.isoformat())
        case _:
            return Scalar(str(value))
