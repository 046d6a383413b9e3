"""The tree of a condition: frozen values, no behaviour.

`truenorth.spec.conditions` parses text into these nodes and binds their literals to a log's column types;
`truenorth.engine.marks` turns a bound tree into columns of marks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal as OneOf

import msgspec

Kind = OneOf["text", "integer", "number", "boolean", "instant", "null"]
"""The type of a column or an expression; ``null`` is a column that holds nothing but nulls."""

Scalar = str | int | float | bool | datetime | None


class Field(msgspec.Struct, frozen=True, tag=True):
    """A canonical field, a derived flag or a property, by its name."""

    name: str


class Literal(msgspec.Struct, frozen=True, tag=True):
    """A constant; after binding its value has the type of what it is compared with."""

    value: Scalar


class Compare(msgspec.Struct, frozen=True, tag=True):
    """``left op right``; false where either side is null."""

    op: OneOf["=", "<>", "<", "<=", ">", ">="]
    left: Node
    right: Node


class In(msgspec.Struct, frozen=True, tag=True):
    """``operand in (options)``; false where the operand is null."""

    operand: Node
    options: tuple[Node, ...]


class Between(msgspec.Struct, frozen=True, tag=True):
    """``operand between low and high``, both ends included; false where any of them is null."""

    operand: Node
    low: Node
    high: Node


class Like(msgspec.Struct, frozen=True, tag=True):
    """``operand like pattern``, case-sensitive, ``%`` any run of characters, ``_`` one; false where null."""

    operand: Node
    pattern: str


class IsNull(msgspec.Struct, frozen=True, tag=True):
    """``operand is null``."""

    operand: Node


class Not(msgspec.Struct, frozen=True, tag=True):
    """True where the operand is not true."""

    operand: Node


class And(msgspec.Struct, frozen=True, tag=True):
    """True where all parts are true."""

    parts: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True, tag=True):
    """True where any part is true."""

    parts: tuple[Node, ...]


class Arithmetic(msgspec.Struct, frozen=True, tag=True):
    """``left op right`` on numbers; null where either side is null or a divisor is zero."""

    op: OneOf["+", "-", "*", "/"]
    left: Node
    right: Node


class Call(msgspec.Struct, frozen=True, tag=True):
    """One of the few functions a condition may call (`truenorth.spec.conditions.FUNCTIONS`)."""

    function: str
    arguments: tuple[Node, ...]


Node = Field | Literal | Compare | In | Between | Like | IsNull | Not | And | Or | Arithmetic | Call


class Condition(msgspec.Struct, frozen=True):
    """A condition as written, with its tree."""

    text: str
    tree: Node
