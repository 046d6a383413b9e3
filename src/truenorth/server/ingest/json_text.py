"""JSON as clients really write it: with NaN, halves of an emoji, stray bytes. What can be read is read."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_LARGEST = 1.7e308


class NotJson(Exception):
    """A body is no JSON: what is wrong with it."""


def read_json(data: bytes) -> Any:
    """The value of a JSON text; NotJson says why there is none.

    Bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD; NaN and what is beyond a number's range become
    null.

    >>> read_json(b'{"a": NaN, "b": "\\\\ud83d", "c": 1e999}')
    {'a': None, 'b': '\ufffd', 'c': None}
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _salvaged(data)
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _salvaged(data: bytes) -> Any:
    text = data.decode("utf-8-sig", "replace")
    text = _ESCAPES.sub(lambda match: "\\ufffd" if match["half"] else match[0], text)
    try:
        return json.loads(text, parse_float=_finite, parse_int=_whole, parse_constant=_nothing, strict=False)
    except ValueError as error:
        raise NotJson(str(error)) from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) <= _LARGEST else None


def _whole(text: str) -> int | float | None:
    return int(text) if len(text) < 20 else _finite(text)


def _nothing(_: str) -> None:
    return None
