"""Room for the step: the state that it moves, and buffers that grow with what it writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from truenorth.engine import kernel

NOT_ASKED: NDArray[np.int32] = np.zeros(0, np.int32)
"""Where nobody asks for the episode of each event."""
FIRST_ROWS = 1024
"""Rows of the buffers to begin with."""


class State(NamedTuple):
    """Cases in their slots: `kernel.CASE` rows (n_slots,) and `kernel.PROMISE` rows (n_slots, n_promises)."""

    cases: NDArray[np.void]
    promises: NDArray[np.void]

    @classmethod
    def empty(cls, n_slots: int, n_promises: int) -> State:
        """Slots in which no case has been opened."""
        return cls(np.zeros(n_slots, kernel.CASE), np.zeros((n_slots, n_promises), kernel.PROMISE))


class Part(NamedTuple):
    """What the step wrote: `kernel.CASE` rows, `kernel.VERDICT` rows, events ignored by reason.

    The rows are those of a buffer that the next step writes over.
    """

    cases: NDArray[np.void]
    verdicts: NDArray[np.void]
    ignored: NDArray[np.int64]


class Room:
    """Buffers for one thread; they keep the size that was once needed."""

    def __init__(self, n_promises: int) -> None:
        self._cases = np.empty(FIRST_ROWS, kernel.CASE)
        self._verdicts = np.empty(FIRST_ROWS + 4 * n_promises, kernel.VERDICT)

    def step(
        self,
        tables: kernel.Tables,
        state: State,
        runs: NDArray[np.int64],
        events: kernel.Events,
        watermark_us: int,
        episodes: NDArray[np.int32] = NOT_ASKED,
        *,
        settles: bool = True,
    ) -> Part:
        """Take all ``runs`` as `kernel.step` says, settled at the watermark unless they are to go on."""
        n, ignored, at = np.zeros(2, np.int64), np.zeros(3, np.int64), np.array([0, kernel.NOTHING])
        while True:
            written = kernel.Written(self._cases, self._verdicts, n, ignored, episodes)
            if kernel.step(tables, *state, runs, events, written, at, watermark_us, settles):
                return Part(self._cases[: n[0]], self._verdicts[: n[1]], ignored)
            self._cases, self._verdicts = _with_room(self._cases, n[0]), _with_room(self._verdicts, n[1])


def _with_room(buffer: NDArray[np.void], n_used: int) -> NDArray[np.void]:
    """The buffer, or one twice as large where more than half is used."""
    if 2 * n_used < len(buffer):
        return buffer
    larger = np.empty(2 * len(buffer), buffer.dtype)
    larger[:n_used] = buffer[:n_used]
    return larger
