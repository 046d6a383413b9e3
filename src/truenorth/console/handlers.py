"""What handlers expect, looked up once a method: NiceGUI asks it of three methods of each element that it makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MethodType
from typing import Any

from nicegui import helpers

MOST_METHODS = 1_000
"""Methods that are kept in mind."""


@cache
def keep_signatures() -> None:
    """Have NiceGUI look up the signature of a method once, whatever object it is bound to: that halves an element."""
    look_up = helpers.expects_arguments
    known: dict[Callable[..., Any], bool] = {}

    def expects_arguments(func: Callable[..., Any]) -> bool:
        if not isinstance(func, MethodType):
            return look_up(func)
        method = func.__func__
        if method not in known:
            if len(known) >= MOST_METHODS:
                known.clear()
            known[method] = look_up(func)
        return known[method]

    helpers.expects_arguments = expects_arguments
