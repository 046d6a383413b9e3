"""A lock that goes to who has waited longest, among the threads of a process and among processes."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from threading import Lock

try:
    import fcntl
except ImportError:  # Windows: there SQLite alone decides among processes, and who waits looks again and again
    fcntl = None  # type: ignore[assignment]


class InTurn:
    """One writer at a time: a writer that comes back at once does not overtake another.

    SQLite would let the second of two processes look for its turn from time to time, and miss it. A lock of the
    operating system on a file of its own wakes it. Where that file cannot be had, SQLite says what is wrong.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._is_taken = False
        self._file: int | None = None

    def __enter__(self) -> None:
        self._wait_among_threads()
        if fcntl is not None:
            with suppress(OSError):
                if self._file is None:
                    self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wait_among_threads(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # until another thread hands it over
