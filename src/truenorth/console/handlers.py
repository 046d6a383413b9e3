"""What handlers expect, looked up once a method: NiceGUI asks it of three methods of each element that it makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from types import MethodType
from typing import Any

from nicegui import helpers

MOST_METHODS = 1_000
"""Methods that are kept in mind."""


@cache
def keep_signatures() -> None:
    """Have NiceGUI look up the signature of a method once, whatever object it is bound to: that halves an element."""
    look_up = helpers.expects_arguments

    @lru_cache(MOST_METHODS)
    def of_method(function: Callable[..., Any]) -> bool:
        return look_up(MethodType(function, object()))

    def expects_arguments(func: Callable[..., Any]) -> bool:
        return of_method(func.__func__) if isinstance(func, MethodType) else look_up(func)

    helpers.expects_arguments = expects_arguments
