"""Linear algebra in one thread: for matrices as small as those of insights, threads cost more than they bring."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


def in_one_thread(work: Callable[Arguments, Found]) -> Callable[Arguments, Found]:
    """The same function, in which libraries of linear algebra use one thread; needs what comes with scikit-learn.

    >>> in_one_thread(sum)([1, 2])
    3
    """

    @wraps(work)
    def limited(*args: Arguments.args, **options: Arguments.kwargs) -> Found:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 comes with scikit-learn

        with threadpool_limits(1):
            return work(*args, **options)

    return limited
