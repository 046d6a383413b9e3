"""The product's reading of conditions against the oracle's: same text, same row, same answer, or both refuse."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.conditions import ConditionError as OracleError
from oracle.conditions import condition as oracle_condition
from oracle.conditions import kinds_of
from truenorth.spec.conditions import bind, parse_condition
from truenorth.spec.expressions import (
    And,
    Arithmetic,
    Between,
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

Row = Mapping[str, Any]

ROWS: list[Row] = [
    {"type": "ask", "n": 3, "x": 0.5, "flag": True, "seen": datetime(2024, 1, 2, 12, tzinfo=UTC), "moment": True},
    {"type": None, "n": None, "x": None, "flag": None, "seen": None, "moment": False},
    {"type": "3", "n": 0, "x": -2.0, "flag": False, "seen": datetime(2024, 1, 3, tzinfo=UTC), "moment": False},
    {"type": "a_%", "n": -1, "x": 3.0, "flag": True, "seen": None, "moment": True},
]
ORACLE_KINDS = kinds_of(ROWS)
SCHEMA: Any = {"n": "integer", "x": "number", "flag": "boolean", "seen": "instant"}

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": lambda a, b: None if b == 0 else a / b,
}  # fmt: skip


def value(node: Node, row: Row) -> Any:
    """The value of a bound tree for one row."""
    match node:
        case Field(name=name):
            return row.get(name)
        case Literal(value=constant):
            return constant
        case Arithmetic(op=op, left=left, right=right):
            a, b = value(left, row), value(right, row)
            return None if a is None or b is None else ARITHMETIC[op](a, b)
        case _:
            return truth(node, row)


def compare(op: str, left: Any, right: Any) -> bool:
    return left is not None and right is not None and COMPARISONS[op](left, right)


def truth(node: Node, row: Row) -> bool:
    """Whether a bound tree holds for one row."""
    match node:
        case And(parts=parts):
            return all(truth(part, row) for part in parts)
        case Or(parts=parts):
            return any(truth(part, row) for part in parts)
        case Not(operand=operand):
            return not truth(operand, row)
        case IsNull(operand=operand):
            return value(operand, row) is None
        case Compare(op=op, left=left, right=right):
            return compare(op, value(left, row), value(right, row))
        case In(operand=operand, options=options):
            return any(compare("=", value(operand, row), value(option, row)) for option in options)
        case Between(operand=operand, low=low, high=high):
            middle = value(operand, row)
            return compare(">=", middle, value(low, row)) and compare("<=", middle, value(high, row))
        case Like(operand=operand, pattern=pattern):
            text = value(operand, row)
            form = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern)
            return text is not None and re.fullmatch(form, text, re.DOTALL) is not None
        case _:
            return value(node, row) is True


NUMBERS = st.recursive(
    st.sampled_from(["n", "x", "1", "0", "2.5", "-1", "nothing"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"),
    max_leaves=3,
)
OPERATORS = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
TEXTS = st.sampled_from(["'ask'", "'3'", "'a_%'", "''"])
INSTANTS = st.sampled_from(["'2024-01-02'", "'2024-01-02 12:00:00'", "timestamp '2024-01-02 13:00:00+01:00'", "time"])


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(" ".join)


ATOMS = st.one_of(
    joined(NUMBERS, OPERATORS, NUMBERS),
    joined(st.just("n"), OPERATORS, st.sampled_from(["'3'", "'0'", "'x'"])),
    joined(st.just("type"), OPERATORS, TEXTS),
    joined(st.just("seen"), OPERATORS, INSTANTS),
    joined(st.sampled_from(["n in", "n not in"]), st.just("('3', 0)")),
    joined(st.sampled_from(["type in", "type not in"]), st.just("('ask', '3')")),
    joined(st.sampled_from(["x between", "x not between", "n between"]), NUMBERS, st.just("and"), NUMBERS),
    joined(st.sampled_from(["type like", "type not like"]), st.sampled_from(["'a%'", "'_'", "'%k'", "'a__'", "'%'"])),
    joined(st.sampled_from(["type", "n", "nothing"]), st.sampled_from(["is null", "is not null"])),
    st.sampled_from(["flag", "moment", "nothing", "true", "false", "flag = 'TRUE'", "flag = true", "type", "n"]),
)
TEXT = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        joined(inner, st.sampled_from(["and", "or", "AND", "Or"]), inner),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not {text}"),
    ),
    max_leaves=6,
)


def answers_of_the_oracle(text: str) -> list[bool] | None:
    try:
        holds = oracle_condition(text, ORACLE_KINDS)
    except OracleError:
        return None
    return [holds(row) for row in ROWS]


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_the_same_text_means_the_same(text: str) -> None:
    bound, problems = bind(parse_condition(text), SCHEMA)
    answers = None if problems else [truth(bound, row) for row in ROWS]
    assert answers == answers_of_the_oracle(text)
