"""Conditions: SQL boolean expressions over an event's fields, read behind an allow-list.

`parse_condition` scans the text (`truenorth.spec.tokens`), lets sqlglot find the structure, and accepts only the nodes
that `truenorth.spec.expressions` has. The parser never sees what a file wrote: names and values reach it as numbers of
tokens, so that no spelling can mean more than it says. `truenorth.spec.binding` then reads the literals in the types of
a log's columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from truenorth.spec.binding import bind, kind_of
from truenorth.spec.expressions import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Condition,
    Field,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    children,
)
from truenorth.spec.flags import define_flags, expand_flags
from truenorth.spec.functions import FUNCTIONS, Function
from truenorth.spec.tokens import ConditionError, Token, check_order, scan, short

__all__ = [
    "FUNCTIONS",
    "ConditionError",
    "bind",
    "define_flags",
    "expand_flags",
    "fields_of",
    "kind_of",
    "parse_condition",
]

MAX_DEPTH = 60
"""Deepest tree of a condition, in nodes."""

_COMPLETE = "a complete condition such as type = 'Closed' and cost > 5"


def parse_condition(text: str, functions: Mapping[str, Function] = FUNCTIONS) -> Condition:
    """The condition that a text says, which may call ``functions``; ConditionError (a ValueError) where it is none.

    >>> parse_condition("type = 'Closed' and cost > 5").tree
    And(parts=(Compare(op='=', left=Field(name='type'), right=Literal(value='Closed')), \
Compare(op='>', left=Field(name='cost'), right=Literal(value=5))))
    >>> parse_condition("team = null")
    Traceback (most recent call last):
    truenorth.spec.tokens.ConditionError: expected a comparison with a value, found null at character 8. \
Hint: write 'is null'
    """
    tokens = scan(text, functions)
    check_order(tokens)
    return Condition(text, _Reader(tokens, functions).read(_structure(tokens, text), 0))


def fields_of(tree: Node) -> tuple[str, ...]:
    """The names that a tree uses, in order, without duplicates.

    >>> fields_of(parse_condition("type = 'a' and (moment or type = channel)").tree)
    ('type', 'moment', 'channel')
    """
    names: dict[str, None] = {}
    pending: list[Node] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Field):
            names[node.name] = None
        pending.extend(reversed(children(node)))
    return tuple(names)


def _structure(tokens: list[Token], text: str) -> Any:
    """sqlglot's tree of the tokens, in which names and values are their numbers."""
    from sqlglot import parse_one  # noqa: PLC0415 - takes a fifth of a second, so only where a condition is read
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        return parse_one(" ".join(_canonical(number, token) for number, token in enumerate(tokens)))
    except (SqlglotError, RecursionError):
        raise ConditionError(_COMPLETE, f"{short(text)}, which cannot be read") from None


def _canonical(number: int, token: Token) -> str:
    if token.kind == "name":
        return f'"{number}"'
    if token.kind == "value":
        return f"'{number}'" if token.value is not None and not isinstance(token.value, bool) else token.text.upper()
    return token.text


class _Reader:
    """Walks sqlglot's tree; a node that is not in the table is not allowed."""

    def __init__(self, tokens: list[Token], functions: Mapping[str, Function]) -> None:
        self.tokens = tokens
        self.functions = functions

    def read(self, node: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ConditionError(f"a condition at most {MAX_DEPTH} levels deep", "a deeper one", "split it up")
        reader = _READERS.get(type(node).__name__)
        if reader is None:
            raise self.refused(node, "a plain condition")
        return reader(self, node, depth + 1)

    def token(self, node: Any) -> Token:
        return self.tokens[int(node.name)]

    def offset(self, node: Any) -> int:
        """Where the first name or value inside a node stands."""
        named = (part for part in node.walk() if type(part).__name__ in ("Identifier", "Literal"))
        numbers = [int(part.this) for part in named if str(part.this).isdecimal()]
        return min((self.tokens[number].offset for number in numbers), default=0)

    def refused(self, node: Any, expected: str, hint: str = "") -> ConditionError:
        what = _NAMES.get(type(node).__name__, f"'{type(node).__name__.lower()}'")
        return ConditionError(expected, f"{what}, which is not allowed", hint, self.offset(node))

    def only(self, node: Any, *names: str) -> None:
        """See that a node carries nothing but the named parts."""
        extra = [name for name, value in node.args.items() if value and name not in names]
        if extra:
            raise self.refused(node, "a plain condition")


_NAMES: Mapping[str, str] = {
    "Tuple": "a list outside of 'in'",
    "Alias": "a name for a value",
    "Concat": "two texts in a row",
    "EscapeLike": "escape",
}


def _field(reader: _Reader, node: Any, _depth: int) -> Node:
    reader.only(node, "this")
    return Field(str(reader.token(node).value))


def _literal(reader: _Reader, node: Any, _depth: int) -> Node:
    token = reader.token(node)
    is_number = isinstance(token.value, int | float)
    return Literal(token.value, token.text if is_number and token.text != str(token.value) else "")


def _null(_reader: _Reader, _node: Any, _depth: int) -> Node:
    return Literal(None)


def _boolean(_reader: _Reader, node: Any, _depth: int) -> Node:
    return Literal(bool(node.this))


def _paren(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this")
    return reader.read(node.this, depth)


def _compared(reader: _Reader, node: Any, depth: int) -> Node:
    """A side of a comparison: no null, no comparison without parentheses."""
    if type(node).__name__ in _COMPARISONS:
        raise ConditionError(
            "one comparison at a time", "two in a row", "write a < x and x < b, or between", reader.offset(node)
        )
    return _not_null(reader, node, reader.read(node, depth))


def _not_null(reader: _Reader, node: Any, side: Node) -> Node:
    if side != Literal(None):
        return side
    offsets = [token.offset for token in reader.tokens if token.kind == "value" and token.value is None]
    parent = reader.offset(node.parent) if node.parent else 0
    at = next((offset for offset in offsets if offset >= parent), offsets[0])
    raise ConditionError("a comparison with a value", "null", "write 'is null'", at)


def _comparison(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this", "expression")
    left, right = (_compared(reader, side, depth) for side in (node.this, node.expression))
    return Compare(_COMPARISONS[type(node).__name__], left, right)  # type: ignore[arg-type]


def _negated(node: Any, tree: Node) -> Node:
    return Not(tree) if node.args.get("negate") else tree


def _in(reader: _Reader, node: Any, depth: int) -> Node:
    if not node.expressions:
        raise ConditionError("in (...)", "no list", "write in ('a', 'b')", reader.offset(node))
    reader.only(node, "this", "expressions", "negate")
    options = tuple(_compared(reader, option, depth) for option in node.expressions)
    return _negated(node, In(_compared(reader, node.this, depth), options))


def _between(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this", "low", "high", "negate")
    operand, low, high = (_compared(reader, side, depth) for side in (node.this, node.args["low"], node.args["high"]))
    return _negated(node, Between(operand, low, high))


def _like(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this", "expression", "negate")
    operand, pattern = _compared(reader, node.this, depth), reader.read(node.expression, depth)
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
        raise ConditionError("a pattern in '...' after like", "something else", offset=reader.offset(node.expression))
    return _negated(node, Like(operand, pattern.value))


def _is(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this", "expression", "negate")
    operand, right = reader.read(node.this, depth), reader.read(node.expression, depth)
    if right == Literal(None):
        return _negated(node, IsNull(operand))
    if isinstance(right, Literal) and isinstance(right.value, bool):
        return _negated(node, Compare("=", operand, right))
    raise ConditionError("null, true or false after is", "something else", "compare with =", reader.offset(node))


def _not(reader: _Reader, node: Any, depth: int) -> Node:
    inner = reader.read(node.this, depth)
    if isinstance(inner, Literal) and isinstance(inner.value, bool):
        return Literal(not inner.value)
    return Not(inner)


def _minus(reader: _Reader, node: Any, depth: int) -> Node:
    inner = reader.read(node.this, depth)
    if isinstance(inner, Literal) and isinstance(inner.value, int | float) and not isinstance(inner.value, bool):
        return Literal(-inner.value, f"-{inner.written}" if inner.written else "")
    return Arithmetic("-", Literal(0), inner)


def _joined(reader: _Reader, node: Any, depth: int) -> Node:
    """All parts of a chain of ands (or ors), however long, without going deep."""
    kind, parts, pending = type(node).__name__, list[Node](), [node]
    while pending:
        part = pending.pop()
        if type(part).__name__ == kind:
            reader.only(part, "this", "expression")
            pending += [part.expression, part.this]
        else:
            parts.append(reader.read(part, depth))
    return And(tuple(parts)) if kind == "And" else Or(tuple(parts))


def _arithmetic(reader: _Reader, node: Any, depth: int) -> Node:
    reader.only(node, "this", "expression", "typed", "safe")
    left, right = reader.read(node.this, depth), reader.read(node.expression, depth)
    return Arithmetic(_OPERATORS[type(node).__name__], left, right)  # type: ignore[arg-type]


def _call(reader: _Reader, node: Any, depth: int) -> Node:
    """A call of one of the functions that the scan let through; those that SQL has not are anonymous to sqlglot."""
    reader.only(node, "this", "expressions")
    is_ours = type(node).__name__ == "Anonymous"
    name = (str(node.this) if is_ours else type(node).__name__).lower()
    function = reader.functions[name]
    given = (*(() if is_ours else (node.this,)), *node.args.get("expressions", ()))
    arguments = tuple(reader.read(argument, depth) for argument in given)
    if not function.n_min <= len(arguments) <= function.n_max:
        most = f" to {function.n_max}" if function.n_max > function.n_min else ""
        raise ConditionError(
            f"{function.n_min}{most} arguments of {name}", str(len(arguments)), offset=reader.offset(node)
        )
    return Call(name, arguments)


_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_OPERATORS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}

_READERS: Mapping[str, Callable[[_Reader, Any, int], Node]] = {
    "Column": _field,
    "Literal": _literal,
    "Null": _null,
    "Boolean": _boolean,
    "Paren": _paren,
    "And": _joined,
    "Or": _joined,
    "Not": _not,
    "Neg": _minus,
    "In": _in,
    "Between": _between,
    "Like": _like,
    "Is": _is,
    **dict.fromkeys(_COMPARISONS, _comparison),
    **dict.fromkeys(_OPERATORS, _arithmetic),
    **dict.fromkeys((*(name.capitalize() for name in FUNCTIONS), "Anonymous"), _call),
}
