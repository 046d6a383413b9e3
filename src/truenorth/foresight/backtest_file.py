"""A backtest as `truenorth backtest --json` prints it, read back."""

from __future__ import annotations

from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from truenorth.foresight.backtest import Backtest
from truenorth.spec.problems import Problem, TruenorthError


def parse_backtest(content: bytes, name: str = "backtest") -> Backtest:
    """The findings; figures that could not be said, null in JSON, are NaN again.

    `TruenorthError` for anything else, under ``name``.
    """
    try:
        return msgspec.convert(_said(msgspec.json.decode(content), Backtest), Backtest)
    except msgspec.MsgspecError as error:
        expected, hint = "what 'truenorth backtest --json' prints", "truenorth backtest LOG -j FILE --json > FILE"
        raise TruenorthError([Problem(path=name, expected=expected, found=str(error), hint=hint)]) from None


def _said(value: Any, kind: Any) -> Any:
    """A JSON value with NaN in place of each null where a type asks for a number."""
    if value is None:
        return float("nan") if kind is float else None
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        kinds = get_type_hints(kind)
        return {name: _said(one, kinds.get(name)) for name, one in value.items()}
    if isinstance(value, list) and get_origin(kind) is tuple:
        return [_said(one, get_args(kind)[0]) for one in value]
    optional = [one for one in get_args(kind) if one is not NoneType]
    return _said(value, optional[0]) if NoneType in get_args(kind) else value
