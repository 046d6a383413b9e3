"""Mapping files of webhooks: YAML text to a mapping, or every problem of the file at once, as with journey files."""

from __future__ import annotations

from typing import Any

import msgspec
from jsonpath import CompoundJSONPath, JSONPath, JSONPathEnvironment, JSONPathError

from truenorth.server.ingest.canonical import PROMOTED
from truenorth.server.ingest.signature import SIGNED_PARTS, SignatureRules
from truenorth.server.ingest.webhook import Choice, Item, Mapped, Whole
from truenorth.spec.document import Element, Listing, Scalar, Table, Unreadable, read_document
from truenorth.spec.load import VERSION
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.spec.readers import (
    Reader,
    Reading,
    child_path,
    named,
    one_of,
    read_duration,
    read_row,
    read_text,
)

FIELDS = ("id", "type", "time", *PROMOTED)
"""The fields that a mapping may fill; ``source`` is the hook's name, ``received`` the arrival."""

_PATHS = JSONPathEnvironment(strict=True)
_PATH_FORM = "a JSONPath such as $.ticket.id (or @.id, in an event of a list)"


class InvalidMapping(TruenorthError):
    """A mapping file has errors."""


class LoadedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mapping file: the mapping, unless there are problems."""

    mapping: Mapped | None
    problems: tuple[Problem, ...] = ()


def load_mapping(source: str | bytes) -> LoadedMapping:
    """The mapping of a YAML text, or what is wrong with it: all of it, and never an exception.

    >>> loaded = load_mapping("truenorth: 1\\nhook: desk\\nfields: {type: $.event, tiem: $.at}")
    >>> print(loaded.problems[0])
    line 3, $.fields.tiem: expected a known key (id, type, time, customer, case, actor, team, channel, cost, revenue, \
feeling, text), found 'tiem'. Hint: did you mean 'time'?
    """
    try:
        element = read_document(source)
    except Unreadable as error:
        return LoadedMapping(mapping=None, problems=(error.problem,))
    reading = Reading()
    row = read_row(reading, element, "$", _KEYS, required=("truenorth", "hook", "fields"))
    if row is not None and isinstance(row.given.get("fields"), Table) and "type" not in row.values.get("fields", {}):
        hint = "add 'type: ...': a path, or the type itself"
        reading.report("$.fields.type", row.given["fields"], "the key 'type'", found="nothing", hint=hint)
    problems = tuple(sorted(reading.problems, key=lambda problem: problem.line or 0))
    if row is None or problems:
        return LoadedMapping(mapping=None, problems=problems)
    values = {name: value for name, value in row.values.items() if name not in ("truenorth", "hook")}
    return LoadedMapping(mapping=Mapped(name=row.values["hook"], **values))


def parse_mapping(source: str | bytes) -> Mapped:
    """The mapping of a YAML text; InvalidMapping carries every error.

    >>> parse_mapping("truenorth: 1\\nhook: desk\\nfields: {type: $.event}").name
    'desk'
    """
    loaded = load_mapping(source)
    if loaded.mapping is None:
        raise InvalidMapping(loaded.problems)
    return loaded.mapping


def _read_version(reading: Reading, element: Element, path: str) -> str | None:
    if isinstance(element, Scalar) and element.text == VERSION:
        return element.text
    reading.report(path, element, f"{VERSION}, the version of the language", hint=f"write 'truenorth: {VERSION}'")
    return None


def _compile(reading: Reading, element: Scalar, text: str, path: str) -> JSONPath | None:
    try:
        compiled = _PATHS.compile(text)
    except (JSONPathError, RecursionError) as error:
        reading.report(path, element, _PATH_FORM, hint=str(error).splitlines()[0])
        return None
    assert not isinstance(compiled, CompoundJSONPath)  # strict paths have no unions
    return compiled


def _read_list_path(reading: Reading, element: Element, path: str) -> JSONPath | None:
    if not isinstance(element, Scalar) or not element.text.startswith("$"):
        reading.report(path, element, "a JSONPath such as $.events[*]")
        return None
    return _compile(reading, element, element.text, path)


def _read_way(reading: Reading, element: Element, path: str) -> Whole | Item | str | None:
    if read_text(reading, element, path) is None:
        return None
    assert isinstance(element, Scalar)
    if element.text.startswith("$"):
        compiled = _compile(reading, element, element.text, path)
        return None if compiled is None else Whole(compiled)
    if element.text.startswith("@"):
        compiled = _compile(reading, element, f"${element.text[1:]}", path)
        return None if compiled is None else Item(compiled)
    return element.text


def _read_choice(reading: Reading, element: Element, path: str) -> Choice | None:
    """A path, a text that stands for itself, or a list of them of which the first that finds a value counts."""
    if isinstance(element, Listing):
        ways = [_read_way(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
        return tuple(way for way in ways if way is not None)
    way = _read_way(reading, element, path)
    return None if way is None else (way,)


def _read_fields(reading: Reading, element: Element, path: str) -> dict[str, Choice] | None:
    row = read_row(reading, element, path, dict.fromkeys(FIELDS, _read_choice))
    return row.values if row else None


def _read_properties(reading: Reading, element: Element, path: str) -> dict[str, Choice] | None:
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping of names to paths")
        return None
    choices: dict[str, Choice] = {}
    for key, part in element.entries:
        where = child_path(path, key.text)
        if key.text in choices:
            reading.report(where, key, f"'{key.text}' once", found="it a second time", hint="remove one")
        choice = _read_choice(reading, part, where)
        if choice is not None:
            choices[key.text] = choice
    return choices


def _read_prefix(reading: Reading, element: Element, path: str) -> str | None:
    if isinstance(element, Scalar):
        return element.text
    reading.report(path, element, "what stands before the digest, such as 'sha256='")
    return None


def _read_signature(reading: Reading, element: Element, path: str) -> SignatureRules | None:
    row = read_row(reading, element, path, _SIGNATURE_KEYS, required=("header",))
    if row is None or "header" not in row.values:
        return None
    values: dict[str, Any] = dict(row.values)
    if "tolerance" in values:
        values["tolerance_us"] = values.pop("tolerance")
    if ("{timestamp}" in values.get("signed", "")) != ("timestamp" in values):
        hint = "'signed' with {timestamp} and 'timestamp: <header>' go together"
        reading.report(child_path(path, "timestamp"), element, "the header of the signed instant", hint=hint)
    return SignatureRules(**values)


_SIGNATURE_KEYS: dict[str, Reader] = {
    "header": named(r"[A-Za-z0-9-]{1,80}", "the name of a header"),
    "algorithm": one_of(("sha1", "sha256", "sha512")),
    "encoding": one_of(("hex", "base64")),
    "prefix": _read_prefix,
    "signed": one_of(SIGNED_PARTS),
    "timestamp": named(r"[A-Za-z0-9-]{1,80}", "the name of a header"),
    "tolerance": read_duration,
}

_KEYS: dict[str, Reader] = {
    "truenorth": _read_version,
    "hook": named(r"[a-z][a-z0-9_-]{0,79}", "a name of small letters, digits, - and _, as in /hooks/{name}"),
    "title": read_text,
    "signature": _read_signature,
    "events": _read_list_path,
    "fields": _read_fields,
    "properties": _read_properties,
}
