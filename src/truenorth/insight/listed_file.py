"""Files that hold one list of named things beside journeys: KPIs, initiatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from truenorth.spec.document import Element, Listing, Unreadable, read_document
from truenorth.spec.load import VERSION
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.spec.readers import Reader, Reading, child_path, named, one_of, read_row


class Named(Protocol):
    """A thing of the list: its name, and where it stands in the file."""

    @property
    def name(self) -> str:
        """Its name, unlike that of any other of the file."""

    @property
    def path(self) -> str:
        """Its path, such as ``$.kpis[2]``."""

    @property
    def line(self) -> int | None:
        """Its line, from 1."""


read_name = named(r"[A-Za-z_]\w*", "a name of letters, digits and _ that does not begin with a digit")


def read_listed(source: str | bytes, key: str, read: Reader) -> Any:
    """What a file of the form ``truenorth: 1`` and one list under ``key`` holds, as a tuple.

    ``read`` turns each item into a value with a name. `TruenorthError` carries every problem of the file, by line.
    """
    try:
        element = read_document(source)
    except Unreadable as error:
        raise TruenorthError([error.problem]) from None
    reading = Reading()
    keys: Mapping[str, Reader] = {"truenorth": one_of((VERSION,)), key: _list_of(read)}
    row = read_row(reading, element, "$", keys, required=("truenorth", key))
    found = row.values.get(key, ()) if row else ()
    reading.problems += _repeated(found)
    if reading.problems:
        raise TruenorthError(sorted(reading.problems, key=lambda one: one.line or 0))
    return found


def _list_of(read: Reader) -> Reader:
    def read_all(reading: Reading, element: Element, path: str) -> tuple[Any, ...] | None:
        if not isinstance(element, Listing) or not element.items:
            reading.report(path, element, "a list that is not empty")
            return None
        found = [read(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
        return tuple(one for one in found if one is not None)

    return read_all


def _repeated(found: Sequence[Named]) -> list[Problem]:
    names = [one.name for one in found]
    return [
        Problem(
            path=child_path(one.path, "name"), line=one.line, expected="a name of its own",
            found=f"'{one.name}' a second time", hint="rename one of them",
        )
        for number, one in enumerate(found)
        if one.name and one.name in names[:number]
    ]  # fmt: skip
