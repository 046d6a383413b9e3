"""Pieces of work side by side, a thread each: trees grow hardly faster on two threads, but two of them at once do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from typing import TypeVar

Done = TypeVar("Done")


class _Shared:
    """What pieces of work that belong together know of each other: the error that ended them."""

    error: BaseException | None = None


_shared: ContextVar[_Shared | None] = ContextVar("shared", default=None)


def side_by_side(calls: Sequence[Callable[[], Done]], n_threads: int) -> list[Done]:
    """What each call answers, so many of them at a time, begun in their order; they may use this function, too.

    Where one fails or the caller is interrupted, all of them do: those that have not begun never begin, and those that
    look at `go_on` end soon.

    >>> side_by_side([lambda: "a", lambda: "b"], 2)
    ['a', 'b']
    """
    if n_threads <= 1 or len(calls) <= 1:
        return [call() for call in calls]
    shared = _shared.get() or _Shared()
    token = _shared.set(shared)

    def piece(call: Callable[[], Done]) -> Done:
        go_on()
        try:
            return call()
        except BaseException as error:
            shared.error = shared.error or error
            raise

    pool = ThreadPoolExecutor(min(n_threads, len(calls)), "truenorth-side-by-side")
    try:
        work = [pool.submit(copy_context().run, piece, call) for call in calls]
        wait(work, return_when=FIRST_EXCEPTION)
    except BaseException as error:  # an interruption
        shared.error = shared.error or error
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        _shared.reset(token)
    if shared.error is not None:
        raise shared.error
    return [one.result() for one in work]


def go_on() -> None:
    """Does nothing while this work is wanted; CancelledError once it is not."""
    shared = _shared.get()
    if shared is not None and shared.error is not None:
        raise CancelledError
