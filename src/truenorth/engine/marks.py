"""Conditions evaluated on events: what each event is for its case and for each promise.

A condition becomes a Polars expression that is never null. The answers of all conditions for one event form a bit set;
events with the same bits form a *class*, and the step looks up everything it needs to know about an event by its class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from truenorth.engine.codes import I32, U64, Numbering, encode
from truenorth.spec.expressions import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Field,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
)

CHUNK_ROWS = 1 << 18
"""Events evaluated at a time: enough to keep the columns' code busy, few enough to stay in the cache."""
MAX_LOOKED_UP = 1_000
"""A text column with no more values than this among the first events is looked up by value."""
FEW_ROWS = 1_000
"""Of up to so many events texts are looked up among those that were asked about before, at most `MAX_LOOKED_UP`."""

_COMPARISONS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": pl.Expr.eq,
    "<>": pl.Expr.ne,
    "<": pl.Expr.lt,
    "<=": pl.Expr.le,
    ">": pl.Expr.gt,
    ">=": pl.Expr.ge,
}


class Translation:
    """Turns bound condition trees into expressions over the columns of one frame.

    >>> frame = pl.DataFrame({"cost": [1.0, None, 9.0]})
    >>> tree = Compare(">", Field("cost"), Literal(5))
    >>> frame.select(Translation(frame.schema).truth(tree)).to_series().to_list()
    [False, False, True]
    """

    def __init__(self, schema: Mapping[str, pl.DataType], *, handover: bool | None = False) -> None:
        """``handover`` is what the flag is taken for; None where the frame has it as a column."""
        self.schema = schema
        self.handover = handover

    def truth(self, node: Node) -> pl.Expr:
        """The expression of a condition: boolean, null nowhere."""
        match node:
            case And(parts=parts):
                return reduce(and_, map(self.truth, parts))
            case Or(parts=parts):
                return reduce(or_, map(self.truth, parts))
            case Not(operand=operand):
                return ~self.truth(operand)
            case IsNull(operand=operand):
                return self.value(operand).is_null()
            case Compare(op=op, left=left, right=right):
                return _COMPARISONS[op](self.value(left), self.value(right)).fill_null(False)
            case Between(operand=operand, low=low, high=high):
                middle = self.value(operand)
                return ((middle >= self.value(low)) & (middle <= self.value(high))).fill_null(False)
            case In(operand=operand, options=options):
                return self._in(operand, options)
            case Like(operand=operand, pattern=pattern):
                return _like(self.value(operand).cast(pl.String), pattern).fill_null(False)
            case _:
                return self.value(node).fill_null(False)

    def value(self, node: Node) -> pl.Expr:
        """The expression of anything that has a value; null where it has none."""
        match node:
            case Field(name="handover") if self.handover is not None:
                return pl.lit(self.handover)
            case Field(name=name):
                return self._column(name)
            case Literal(value=value):
                return pl.lit(value)
            case Arithmetic(op=op, left=left, right=right):
                return _arithmetic(op, self.value(left), self.value(right))
            case Call(function=function, arguments=arguments):
                return _FUNCTIONS[function]([self.value(argument) for argument in arguments])
            case _:
                return self.truth(node)

    def _column(self, name: str) -> pl.Expr:
        dtype = self.schema.get(name)
        if dtype is None:
            return pl.lit(None)
        column = pl.col(name)
        return column.fill_nan(None) if dtype.is_float() else column

    def _in(self, operand: Node, options: Sequence[Node]) -> pl.Expr:
        values = [option.value for option in options if isinstance(option, Literal) and option.value is not None]
        if isinstance(operand, Field) and operand.name in self.schema and len(values) == len(options):
            return self.value(operand).is_in(values).fill_null(False)
        return self.truth(Or(tuple(Compare("=", operand, option) for option in options)))


def _like(text: pl.Expr, pattern: str) -> pl.Expr:
    parts = pattern.split("%")
    if "_" not in pattern and len(parts) == 1:
        return text == pattern
    if "_" not in pattern and len(parts) == 2 and not parts[1]:
        return text.str.starts_with(parts[0])
    if "_" not in pattern and len(parts) == 2 and not parts[0]:
        return text.str.ends_with(parts[1])
    wild = {"%": ".*", "_": "."}
    return text.str.contains("(?s)^" + "".join(wild.get(c, re.escape(c)) for c in pattern) + "$")


def _arithmetic(op: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    left, right = left.cast(pl.Float64), right.cast(pl.Float64)
    if op == "/":
        return left / pl.when(right != 0).then(right)
    return {"+": left + right, "-": left - right, "*": left * right}[op]


_FUNCTIONS: Mapping[str, Callable[[list[pl.Expr]], pl.Expr]] = {
    "lower": lambda arguments: arguments[0].cast(pl.String).str.to_lowercase(),
    "upper": lambda arguments: arguments[0].cast(pl.String).str.to_uppercase(),
    "length": lambda arguments: arguments[0].cast(pl.String).str.len_chars().cast(pl.Int64),
    "abs": lambda arguments: arguments[0].cast(pl.Float64).abs(),
    "coalesce": pl.coalesce,
}


@njit(cache=True, nogil=True)
def _set_bit(words: U64, answers: NDArray[np.bool_], bit: int) -> None:
    for i in range(len(words)):
        words[i] |= np.uint64(answers[i]) << np.uint64(bit)


@njit(cache=True, nogil=True)
def _look_up(words: U64, codes: I32, by_code: U64) -> None:
    for i in range(len(words)):
        words[i] |= by_code[codes[i]]  # a null's code is -1: the last


def _answer(frame: pl.DataFrame, conditions: Mapping[int, pl.Expr], words: U64) -> None:
    """Set the bits of the conditions that hold for each row; each looks at a column."""
    if not conditions:
        return
    table = frame.select(condition.alias(str(bit)) for bit, condition in conditions.items())
    for bit, column in zip(conditions, table, strict=True):
        _set_bit(words, column.to_numpy(), bit)


def _constants(conditions: Sequence[pl.Expr]) -> dict[int, bool]:
    """The answers to the conditions that look at no column, by their bits."""
    asked = {bit: one for bit, one in enumerate(conditions) if not one.meta.root_names()}
    if not asked:
        return {}
    answers = pl.select(one.alias(str(bit)) for bit, one in asked.items())
    return {bit: bool(held.item()) for bit, held in zip(asked, answers, strict=True)}


class _Lookup(NamedTuple):
    """The answers to some conditions (their bits) by the value of one column: ``words[codes]``."""

    bits: frozenset[int]
    codes: I32
    words: U64


class _Asked(NamedTuple):
    """Conditions, by their bits, that look at one column alone, and their answers to the texts met so far."""

    conditions: Mapping[int, pl.Expr]
    words: dict[str | None, int]


def _has_few_values(column: pl.Series) -> bool:
    return column.head(CHUNK_ROWS).n_unique() <= MAX_LOOKED_UP


def _remembered(column: pl.Series, asked: _Asked) -> _Lookup:
    """The look-up of few texts: conditions are asked about those only that are met for the first time."""
    values = column.to_list()
    new = [value for value in dict.fromkeys(values) if value not in asked.words]
    if new:
        if len(asked.words) + len(new) > MAX_LOOKED_UP:
            asked.words.clear()
            new = list(dict.fromkeys(values))
        words = np.zeros(len(new), np.uint64)
        _answer(pl.DataFrame({column.name: new}, {column.name: pl.String}), asked.conditions, words)
        asked.words.update(zip(new, words.tolist(), strict=True))
    found = np.array([asked.words[value] for value in values], np.uint64)
    return _Lookup(frozenset(asked.conditions), np.arange(len(values), dtype=np.int32), found)


def _alone(conditions: Sequence[pl.Expr]) -> dict[str, _Asked]:
    """The conditions that look at one column alone, by its name."""
    columns: dict[str, dict[int, pl.Expr]] = {}
    for bit, condition in enumerate(conditions):
        used = set(condition.meta.root_names())
        if len(used) == 1:
            columns.setdefault(used.pop(), {})[bit] = condition
    return {name: _Asked(asked, {}) for name, asked in columns.items()}


def _lookups(frame: pl.DataFrame, alone: Mapping[str, _Asked]) -> Iterator[_Lookup]:
    """One look-up for each text column that some conditions use alone: of few events, or with few values."""
    for name, asked in alone.items():
        column = frame[name]
        if column.dtype != pl.String:
            continue
        if frame.height <= FEW_ROWS:
            yield _remembered(column, asked)
        elif frame.height > CHUNK_ROWS and _has_few_values(column):
            yield _lookup(column, asked.conditions)


def _lookup(column: pl.Series, conditions: Mapping[int, pl.Expr]) -> _Lookup:
    coded = encode(column, n_hashes=1)
    values = coded.values.extend_constant(None, 1).alias(column.name)
    words = np.zeros(len(values), np.uint64)
    _answer(values.to_frame(), conditions, words)
    return _Lookup(frozenset(conditions), coded.codes, words)


class Classes:
    """Finds the class of events from the answers to a list of conditions.

    Conditions on a single text column are asked once for each of its values, where these, or the events, are few.

    >>> frame = pl.DataFrame({"type": ["a", "b", "a"]})
    >>> classes = Classes([pl.col("type") == "a", pl.col("type") == "b"])
    >>> classes.classify(frame).tolist(), classes.answers().tolist()
    ([0, 1, 0], [[True, False], [False, True]])
    """

    def __init__(self, conditions: Sequence[pl.Expr]) -> None:
        self.words = [list(conditions[at : at + 64]) for at in range(0, len(conditions), 64)]
        self._constants = [_constants(some) for some in self.words]
        self._alone = [_alone(some) for some in self.words]
        self._numberings = [Numbering() for _ in self.words]

    def classify(self, frame: pl.DataFrame) -> I32:
        """The class of each row."""
        classes = np.zeros(frame.height, np.int32)
        lookups = [list(_lookups(frame, alone)) for alone in self._alone]
        for at in range(0, frame.height, CHUNK_ROWS):
            chunk = frame.slice(at, CHUNK_ROWS)
            part = classes[at : at + CHUNK_ROWS]
            for conditions, constants, by_value, numbering in zip(
                self.words, self._constants, lookups, self._numberings, strict=True
            ):
                word = np.full(len(part), sum(1 << bit for bit, holds in constants.items() if holds), np.uint64)
                known = {*constants, *(bit for lookup in by_value for bit in lookup.bits)}
                _answer(chunk, {bit: one for bit, one in enumerate(conditions) if bit not in known}, word)
                for lookup in by_value:
                    _look_up(word, lookup.codes[at : at + CHUNK_ROWS], lookup.words)
                part[:] = numbering.number(part.astype(np.uint64), word)
        return classes

    @property
    def n(self) -> int:
        """Classes seen so far."""
        return self._numberings[-1].n if self.words else 1

    def answers(self) -> NDArray[np.bool_]:
        """What the events of each class answered, (n_classes, n_conditions)."""
        if not self.words:
            return np.zeros((1, 0), np.bool_)
        classes = np.arange(self._numberings[-1].n)
        columns: list[NDArray[np.bool_]] = []
        for conditions, numbering in zip(reversed(self.words), reversed(self._numberings), strict=True):
            known = numbering.known[classes]
            bits = np.arange(len(conditions), dtype=np.uint64)
            columns.insert(0, (known[:, 1, None] >> bits & np.uint64(1)).astype(np.bool_))
            classes = known[:, 0].astype(np.int64)
        return np.concatenate(columns, axis=1)
