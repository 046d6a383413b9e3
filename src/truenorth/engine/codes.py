"""Integers for what logs write as text: keys, teams, customers, sets of conditions.

Numbers are given in order of first appearance. Text is numbered by two independent 64-bit hashes, which tell apart
any number of keys that fits in memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

_EMPTY = -1

Array = TypeVar("Array", bound=NDArray[Any])


def read_only(array: Array) -> Array:
    """The array, read-only: whether Polars lent it or not, compiled code sees one type and is compiled once."""
    array.flags.writeable = False
    return array


@njit(cache=True, nogil=True)
def _slot(first: Any, second: Any, mask: Any) -> Any:
    mixed = (first ^ (second >> np.uint64(31)) ^ (first >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(20)) & mask


@njit(cache=True, nogil=True)
def _number(first: U64, second: U64, slots: I32, known: U64, codes: I32, at: int, n: int) -> tuple[int, int]:
    """Number pairs from position ``at`` on; stops where ``known`` is full. Returns (position, n known)."""
    mask: Any = np.uint64(len(slots) - 1)
    for i in range(at, len(first)):
        slot = _slot(first[i], second[i], mask)
        while slots[slot] != _EMPTY:
            code = slots[slot]
            if known[code, 0] == first[i] and known[code, 1] == second[i]:
                break
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] == _EMPTY:
            if n == len(known):
                return i, n
            slots[slot] = n
            known[n, 0] = first[i]
            known[n, 1] = second[i]
            n += 1
        codes[i] = slots[slot]
    return len(first), n


class Numbering:
    """Numbers pairs of 64-bit values from 0 in order of first appearance, over any number of batches.

    >>> numbering = Numbering()
    >>> a = np.array([7, 7, 9], np.uint64)
    >>> numbering.number(a, np.zeros(3, np.uint64)).tolist(), numbering.n
    ([0, 0, 1], 2)
    """

    def __init__(self) -> None:
        self.n = 0
        self._resize(1024)

    def _resize(self, size: int) -> None:
        known = np.zeros((size, 2), np.uint64)
        if self.n:
            known[: self.n] = self.known
        self._known = known
        self._slots = np.full(4 * size, _EMPTY, np.int32)
        if self.n:
            again = np.empty(self.n, np.int32)
            first, second = (read_only(column.copy()) for column in known[: self.n].T)
            _number(first, second, self._slots, known, again, 0, 0)

    @property
    def known(self) -> U64:
        """The pairs by number, (n, 2)."""
        return self._known[: self.n]

    def number(self, first: U64, second: U64) -> I32:
        """The number of each pair."""
        first, second = read_only(first), read_only(second)
        codes = np.empty(len(first), np.int32)
        at = 0
        while True:
            at, self.n = _number(first, second, self._slots, self._known, codes, at, self.n)
            if at == len(first):
                return codes
            self._resize(4 * len(self._known))


@njit(cache=True, nogil=True)
def _first_rows(codes: I32, rows: I64) -> None:
    for i in range(len(codes) - 1, -1, -1):
        if codes[i] >= 0:
            rows[codes[i]] = i


class Coded(NamedTuple):
    """A column as integers: ``codes`` per row (-1 for null), ``values`` the distinct values by code."""

    codes: I32
    values: pl.Series


CHUNK_ROWS = 1 << 20
"""Rows hashed at a time."""
FEW_ROWS = 1_000
"""Up to so many texts are numbered one by one: hashing takes as long as some hundred of them."""


def encode(column: pl.Series, n_hashes: int = 2) -> Coded:
    """Number the values of a column; one hash is enough to tell apart a few thousand.

    >>> coded = encode(pl.Series(["b", "a", None, "b"]))
    >>> coded.codes.tolist(), coded.values.to_list()
    ([0, 1, -1, 0], ['b', 'a'])
    """
    if len(column) <= FEW_ROWS and column.dtype == pl.String:
        return _few(column)
    numbering = Numbering()
    codes = np.empty(len(column), np.int32)
    for at in range(0, len(column), CHUNK_ROWS):
        chunk = column.slice(at, CHUNK_ROWS)
        first = chunk.hash(1).to_numpy()
        second = chunk.hash(2).to_numpy() if n_hashes == 2 else np.zeros(len(chunk), np.uint64)
        codes[at : at + CHUNK_ROWS] = numbering.number(first, second)
    rows = np.zeros(numbering.n, np.int64)
    _first_rows(codes, rows)
    values = column[rows]
    if not column.null_count():
        return Coded(codes, values)
    null = int(values.is_null().arg_max() or 0)
    renumbered = np.arange(numbering.n, dtype=np.int32)
    renumbered[null + 1 :] -= 1
    renumbered[null] = -1
    return Coded(renumbered[codes], values.drop_nulls())


def _few(column: pl.Series) -> Coded:
    numbers: dict[str, int] = {}
    codes = [-1 if value is None else numbers.setdefault(value, len(numbers)) for value in column.to_list()]
    return Coded(np.array(codes, np.int32), pl.Series(column.name, list(numbers), dtype=pl.String))
