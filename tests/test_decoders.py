"""Types are known to msgspec with their module: threads that are the first to decode one crash the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import truenorth

SOURCE = Path(truenorth.__file__).parent
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if "decode(" in path.read_text())


def decoded_at_a_call(source: str) -> Iterator[str]:
    """The classes in what is given to `decode` as ``type``; by convention they are written with a capital."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "decode":
            types = (word.value for word in node.keywords if word.arg == "type")
            named = (one.id for given in types for one in ast.walk(given) if isinstance(one, ast.Name))
            yield from (name for name in named if name[0].isupper())


def test_what_is_looked_for_is_found() -> None:
    assert list(decoded_at_a_call("msgspec.json.decode(raw, type=Seen)")) == ["Seen"]
    assert list(decoded_at_a_call("msgspec.json.decode(raw, type=list[Seen])")) == ["Seen"]
    assert not list(decoded_at_a_call("SEEN.decode(raw); msgspec.json.decode(raw, type=dict[str, int])"))


@pytest.mark.parametrize("file", FILES)
def test_decoders_are_made_with_their_module(file: str) -> None:
    assert not list(decoded_at_a_call((SOURCE / file).read_text()))
