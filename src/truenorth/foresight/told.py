"""A backtest read back from the figures that a store keeps as JSON, where what cannot be said is null."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from truenorth.foresight.backtest import Backtest

msgspec.json.Decoder(Backtest)  # threads that convert to a type at once have to find it made


def backtest_of(metrics: Mapping[str, Any]) -> Backtest | None:
    """The backtest of a model's figures; None where they are those of another program's version.

    >>> backtest_of({}) is None
    True
    """
    try:
        return msgspec.convert(_with_nan(metrics, Backtest), Backtest)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError):
        return None


def _with_nan(value: Any, kind: Any) -> Any:
    """The same with NaN where a number is null."""
    if kind is float:
        return float("nan") if value is None else value
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return None if value is None else _with_nan(value, next(one for one in parts if one is not type(None)))
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return [_with_nan(one, parts[0]) for one in value]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        return {name: _with_nan(value[name], hints[name]) for name in hints if name in value}
    return value
