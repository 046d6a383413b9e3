"""The tree of a condition: frozen values, no behaviour.

`truenorth.spec.conditions` parses text into these nodes and binds their literals to a log's column types;
`truenorth.engine.marks` turns a bound tree into columns of marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal as OneOf

import msgspec

Kind = OneOf["text", "integer", "number", "boolean", "instant", "null"]
"""The type of a column or an expression; ``null`` is a column that holds nothing but nulls."""

Scalar = str | int | float | bool | datetime | None


class Field(msgspec.Struct, frozen=True, tag=True):
    """A canonical field, a derived flag or a property, by its name."""

    name: str


class Literal(msgspec.Struct, frozen=True, tag=True, repr_omit_defaults=True):
    """A constant; after binding its value has the type of what it is compared with.

    ``written`` is a number's own spelling where its value loses it (``007``, ``1.50``), for comparison with text.
    """

    value: Scalar
    written: str = ""


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


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in the order in which they are written.

    >>> children(Compare("=", Field("a"), Literal(1)))
    (Field(name='a'), Literal(value=1))
    """
    match node:
        case Field() | Literal():
            return ()
        case Compare(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case In(operand=operand, options=options):
            return (operand, *options)
        case Between(operand=operand, low=low, high=high):
            return (operand, low, high)
        case And(parts=parts) | Or(parts=parts):
            return parts
        case Call(arguments=arguments):
            return arguments
        case _:
            return (node.operand,)


def with_children(node: Node, parts: Sequence[Node]) -> Node:
    """The node with other direct parts, given in the order of `children`.

    >>> with_children(Not(Field("a")), [Literal(True)])
    Not(operand=Literal(value=True))
    """
    match node:
        case Field() | Literal():
            return node
        case Compare(op=op):
            return Compare(op, *parts)
        case Arithmetic(op=operator):
            return Arithmetic(operator, *parts)
        case In():
            return In(parts[0], tuple(parts[1:]))
        case Between():
            return Between(*parts)
        case Like(pattern=pattern):
            return Like(parts[0], pattern)
        case Call(function=function):
            return Call(function, tuple(parts))
        case And() | Or():
            return type(node)(tuple(parts))
        case _:
            return type(node)(parts[0])
