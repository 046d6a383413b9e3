"""Readers of single keys: each turns one element into a value, or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from truenorth.spec.conditions import parse_condition
from truenorth.spec.document import Element, Listing, Scalar, Table
from truenorth.spec.durations import DURATION_FORM, parse_duration
from truenorth.spec.expressions import Condition
from truenorth.spec.problems import Problem, Severity, closest, did_you_mean
from truenorth.spec.tokens import ConditionError, short

MAX_TEXT = 2_000
"""Longest text of a key, in characters."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,15}")
_PLAIN_KEY = re.compile(r"\w+", re.ASCII)


class Reading:
    """One pass over a file: the problems found so far, and the line of every path."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}

    def report(
        self,
        path: str,
        element: Element | None,
        expected: str,
        *,
        found: str = "",
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        """Add a problem; ``found`` defaults to what the element is."""
        self.problems.append(
            Problem(
                path=path,
                line=(element.line or None) if element is not None else None,
                expected=expected,
                found=found or (describe(element) if element is not None else "nothing"),
                hint=hint,
                severity=severity,
            )
        )

    def has_errors(self) -> bool:
        """Whether anything so far makes the input unusable."""
        return any(problem.severity == "error" for problem in self.problems)


Reader = Callable[[Reading, Element, str], Any]
"""Reads an element at a path; None (with a problem reported) where it cannot."""


def describe(element: Element) -> str:
    """What an element is, for a message.

    >>> describe(Scalar("2 dayz")), describe(Scalar("")), describe(Listing(()))
    ("'2 dayz'", 'nothing', 'an empty list')
    """
    match element:
        case Scalar(is_null=True):
            return "nothing"
        case Scalar(text=text):
            return f"'{short(text)}'"
        case Listing(items=items):
            return f"a list of {len(items)}" if items else "an empty list"
        case Table(entries=entries):
            keys = ", ".join(short(key.text, 20) for key, _ in entries[:4])
            return f"a mapping ({keys}{', ...' if len(entries) > 4 else ''})" if entries else "an empty mapping"


def child_path(path: str, key: str) -> str:
    """The path of a key inside a mapping.

    >>> child_path("$.calendars", "office"), child_path("$", "no such key")
    ('$.calendars.office', "$['no such key']")
    """
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) and len(key) <= 80 else f"{path}['{short(key, 40)}']"


def read_text(reading: Reading, element: Element, path: str) -> str | None:
    """A text; numbers and the like are texts as they are written."""
    if not isinstance(element, Scalar) or element.is_null or not element.text.strip():
        reading.report(path, element, "a text")
        return None
    if len(element.text) > MAX_TEXT:
        reading.report(path, element, f"a text of at most {MAX_TEXT} characters")
        return None
    return element.text


def read_texts(reading: Reading, element: Element, path: str) -> tuple[str, ...] | None:
    """A list of texts; a single text is a list of one."""
    if not isinstance(element, Listing):
        text = read_text(reading, element, path)
        return None if text is None else (text,)
    texts = [read_text(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
    return tuple(text for text in texts if text is not None)


def read_condition(
    reading: Reading, element: Element, path: str, parse: Callable[[str], Condition] = parse_condition
) -> Condition | None:
    """A condition, by ``parse``."""
    if not isinstance(element, Scalar) or element.is_null:
        reading.report(path, element, "a condition such as type = 'Closed'")
        return None
    try:
        return parse(element.text)
    except ConditionError as error:
        hint = error.hint
        if element.plain and error.found == "a text that does not end":
            hint = (
                "put the whole condition into double quotes: without them YAML ends it at ' #', and in {...} at a comma"
            )
        where = f" at character {error.offset + 1} of '{short(element.text, 60)}'"
        reading.report(path, element, error.expected, found=f"{error.found}{where}", hint=hint)
        return None


def read_duration(reading: Reading, element: Element, path: str) -> int | None:
    """A duration, in microseconds."""
    text = element.text.strip() if isinstance(element, Scalar) and not element.is_null else None
    if text is None:
        reading.report(path, element, DURATION_FORM)
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        reading.report(path, element, DURATION_FORM, hint=str(error))
        return None


def read_number(reading: Reading, element: Element, path: str) -> float | None:
    """A finite number."""
    text = element.text if isinstance(element, Scalar) and element.plain else ""
    if not _NUMBER.fullmatch(text) or abs(float(text)) == float("inf"):
        quoted = isinstance(element, Scalar) and not element.plain and bool(_NUMBER.fullmatch(element.text))
        reading.report(path, element, "a number", hint="write it without quotes" if quoted else "")
        return None
    return float(text)


def read_date(reading: Reading, element: Element, path: str) -> date | None:
    """A calendar date."""
    text = element.text.strip() if isinstance(element, Scalar) else ""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            reading.report(path, element, "a date such as 2024-05-31", hint=str(error))
            return None
    reading.report(path, element, "a date such as 2024-05-31", hint="year-month-day, two digits each")
    return None


def one_of(choices: Sequence[str]) -> Reader:
    """A reader of one of a few words.

    >>> reading = Reading()
    >>> one_of(["red", "blue"])(reading, Scalar("blu"), "$.colour"), reading.problems[0].hint
    (None, "did you mean 'blue'?")
    """

    def read(reading: Reading, element: Element, path: str) -> str | None:
        if isinstance(element, Scalar) and element.text in choices:
            return element.text
        hint = did_you_mean(element.text, choices) if isinstance(element, Scalar) else ""
        reading.report(path, element, " or ".join(choices), hint=hint)
        return None

    return read


def named(pattern: str, expected: str) -> Reader:
    """A reader of a name of a certain form.

    >>> named("[a-z]+", "a short name")(Reading(), Scalar("abc"), "$.name")
    'abc'
    """
    form = re.compile(pattern)

    def read(reading: Reading, element: Element, path: str) -> str | None:
        if isinstance(element, Scalar) and not element.is_null and form.fullmatch(element.text):
            return element.text
        reading.report(path, element, expected)
        return None

    return read


class Row:
    """What could be read of a mapping: values by key, and which keys were given at all."""

    def __init__(self, element: Table) -> None:
        self.element = element
        self.values: dict[str, Any] = {}
        self.given: dict[str, Element] = {}


def read_row(
    reading: Reading, element: Element, path: str, keys: Mapping[str, Reader], required: Sequence[str] = ()
) -> Row | None:
    """A mapping with known keys: unknown, repeated and missing ones are problems, values go to their readers.

    A key that is nearly a known one is reported, and read as the one that was meant.
    """
    if not isinstance(element, Table):
        reading.report(path, element, f"a mapping with the keys {', '.join(keys)}")
        return None
    row = Row(element)
    written = {key.text for key, _ in element.entries}
    for key, part in element.entries:
        name = _known_key(reading, key, path, keys, written)
        if name is None:
            continue
        if name in row.given:
            reading.report(child_path(path, name), key, f"'{name}' once", found="it a second time", hint="remove one")
            continue
        row.given[name] = part
        where = child_path(path, name)
        reading.lines[where] = part.line or key.line
        value = keys[name](reading, part, where)
        if value is not None:
            row.values[name] = value
    missing = [name for name in required if name not in row.given]
    for name in missing:
        reading.report(child_path(path, name), element, f"the key '{name}'", found="nothing", hint=f"add '{name}: ...'")
    return row


def _known_key(reading: Reading, key: Scalar, path: str, keys: Mapping[str, Reader], written: set[str]) -> str | None:
    if key.text in keys:
        return key.text
    meant = closest(key.text, list(keys))
    hint = f"did you mean '{meant}'?" if meant else ""
    reading.report(child_path(path, key.text), key, f"a known key ({', '.join(keys)})", hint=hint)
    return meant if meant not in written else None
