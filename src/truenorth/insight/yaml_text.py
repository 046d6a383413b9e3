"""A small YAML text as a value of a known shape, or what does not fit and where."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from truenorth.spec.problems import Problem, TruenorthError

Shape = TypeVar("Shape")

PLACE = " - at `"
"""What stands before the place in a message of msgspec."""
OTHER_TYPE = re.compile(r"Expected `(.+?)`, got `(.+?)`")
UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.+?)`")
MISSING_KEY = re.compile(r"Object missing required field `(.+?)`")


def read_yaml(text: str, shape: type[Shape], where: str, expected: str, hint: str) -> Shape:
    """The value of a text; TruenorthError with the first thing that does not fit.

    >>> read_yaml("[1, 2]", tuple[int, int], "pair.yaml", "two numbers", "")
    (1, 2)
    >>> read_yaml("[1, x]", tuple[int, int], "pair.yaml", "two numbers", "")
    Traceback (most recent call last):
    ...
    truenorth.spec.problems.TruenorthError: pair.yaml: $[1]: expected int, found str
    """
    try:
        plain = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise TruenorthError([Problem(path=where, expected=expected, found=_unread(error), hint=hint)]) from None
    try:
        return msgspec.convert(plain, shape)
    except msgspec.ValidationError as error:
        raise TruenorthError([_misfit(str(error), where, expected, hint)]) from None


def _unread(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return "no YAML"
    mark: Any = error.problem_mark
    return f"no YAML: {error.problem} in line {mark.line + 1}, column {mark.column + 1}"


def _misfit(message: str, where: str, expected: str, hint: str) -> Problem:
    said, _, place = message.partition(PLACE)
    path = f"{where}: {place.rstrip('`')}" if place else where
    if other := OTHER_TYPE.search(said):
        return Problem(path=path, expected=other[1], found=other[2], hint=hint)
    if unknown := UNKNOWN_KEY.search(said):
        return Problem(path=path, expected=expected, found=f"an unknown key '{unknown[1]}'", hint=hint)
    if missing := MISSING_KEY.search(said):
        return Problem(path=path, expected=f"the key '{missing[1]}'", found="nothing", hint=hint)
    return Problem(path=path, expected=expected, found=said, hint=hint)
