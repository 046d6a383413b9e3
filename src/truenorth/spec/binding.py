"""Binding: the literals of a condition are read in the types of a log's columns.

A condition knows no types until it meets a log. `bind` checks that the whole is a condition, that what is compared
agrees, and turns each literal into a value of the type of what it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

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
    Kind,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Scalar,
    children,
    with_children,
)
from truenorth.spec.functions import FUNCTIONS
from truenorth.spec.instants import INSTANT_FORM, parse_instant
from truenorth.spec.model import CANONICAL_TYPES, FLAGS
from truenorth.spec.problems import Problem
from truenorth.spec.tokens import short

KIND_FORMS: Mapping[Kind, str] = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "instant": INSTANT_FORM,
    "null": "null",
}
"""How a message names a value of each kind."""


def bind(
    condition: Condition | Node, schema: Mapping[str, Kind], *, flags: Collection[str] = FLAGS
) -> tuple[Node, list[Problem]]:
    """The tree with literals in the types of what they are compared with, and what cannot be read.

    ``schema`` gives the kind of each property; canonical fields and flags have their fixed kinds, and a field that is
    neither is all null. ``flags``: names that are flags here; what is said of a case has none. The problems have no
    path yet: the caller knows it. With problems the tree is of no use.

    >>> from truenorth.spec.conditions import parse_condition
    >>> bind(parse_condition("amount = '1'"), {"amount": "integer"})
    (Compare(op='=', left=Field(name='amount'), right=Literal(value=1)), [])
    >>> print(bind(parse_condition("amount = 'x'"), {"amount": "integer"})[1][0])
    : expected a whole number, as amount is, found the text 'x'
    """
    tree = condition.tree if isinstance(condition, Condition) else condition
    binder = _Binder(schema, flags)
    bound = binder.truth(tree)
    return bound, binder.problems


def kind_of(tree: Node, schema: Mapping[str, Kind], flags: Collection[str] = FLAGS) -> Kind:
    """The kind of an expression: arithmetic and `abs` always give a number, conditions a boolean.

    >>> kind_of(Arithmetic("+", Field("n"), Literal(1)), {"n": "integer"})
    'number'
    """
    match tree:
        case Literal(value=value):
            return kind_of_value(value)
        case Field(name=name):
            return kind_of_field(name, schema, flags)
        case Arithmetic():
            return "number"
        case Call(function=name, arguments=arguments):
            fixed = FUNCTIONS[name].result
            return fixed or _joint([kind_of(argument, schema, flags) for argument in arguments]) or "null"
        case _:
            return "boolean"


def kind_of_field(name: str, schema: Mapping[str, Kind], flags: Collection[str] = FLAGS) -> Kind:
    """The kind of a field; flags and canonical fields come before properties of the same name.

    >>> kind_of_field("moment", {}), kind_of_field("cost", {}), kind_of_field("colour", {})
    ('boolean', 'number', 'null')
    """
    if name in flags:
        return "boolean"
    canonical: Kind | None = CANONICAL_TYPES.get(name)  # type: ignore[assignment]
    return canonical or schema.get(name, "null")


def kind_of_value(value: Scalar) -> Kind:
    """The kind of a constant.

    >>> kind_of_value(True), kind_of_value(1), kind_of_value("1")
    ('boolean', 'integer', 'text')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case datetime():
            return "instant"
        case _:
            return "text"


def _joint(kinds: Sequence[Kind]) -> Kind | None:
    """The kind in which all can be compared; None where there is no such kind."""
    seen = set(kinds) - {"null"}
    if len(seen) > 1:
        return "number" if seen == {"integer", "number"} else None
    return seen.pop() if seen else "null"


class _Binder:
    """One walk over a tree, collecting problems."""

    def __init__(self, schema: Mapping[str, Kind], flags: Collection[str]) -> None:
        self.schema = schema
        self.flags = flags
        self.problems: list[Problem] = []

    def report(self, expected: str, found: str, hint: str = "") -> None:
        self.problems.append(Problem(path="", expected=expected, found=found, hint=hint))

    def kind(self, node: Node) -> Kind:
        return kind_of(node, self.schema, self.flags)

    def truth(self, node: Node) -> Node:
        """A node that stands where a condition must stand."""
        match node:
            case And() | Or() | Not():
                return with_children(node, [self.truth(part) for part in children(node)])
            case _:
                bound = self.value(node)
        kind = self.kind(bound)
        if kind not in ("boolean", "null"):
            self.report("a condition", f"{self.named(bound)}, which is {KIND_FORMS[kind]}", "compare it with something")
        return bound

    def value(self, node: Node) -> Node:
        """A node that stands where any value may stand."""
        match node:
            case And() | Or() | Not():
                return self.truth(node)
            case Compare() | In() | Between():
                return with_children(node, self.aligned([self.value(part) for part in children(node)]))
            case Like(operand=operand, pattern=pattern):
                return Like(self.of_kind(self.value(operand), "text", "like needs a text"), pattern)
            case IsNull(operand=operand):
                return IsNull(self.value(operand))
            case Arithmetic():
                hint = "arithmetic is done on numbers"
                parts = [self.of_kind(self.value(part), "number", hint) for part in children(node)]
                return with_children(node, parts)
            case Call():
                return self.call(node)
            case _:
                return node

    def call(self, node: Call) -> Node:
        arguments = [self.value(argument) for argument in node.arguments]
        wanted = FUNCTIONS[node.function].argument
        if wanted is None:
            return Call(node.function, tuple(self.aligned(arguments)))
        hint = f"{node.function}() takes {KIND_FORMS[wanted]}"
        return Call(node.function, tuple(self.of_kind(argument, wanted, hint) for argument in arguments))

    def of_kind(self, node: Node, wanted: Kind, hint: str) -> Node:
        """The node, where it is of a kind or can be read in it."""
        if isinstance(node, Literal):
            return self.converted(node, wanted, hint)
        kind = self.kind(node)
        if kind not in (wanted, "null") and not (wanted == "number" and kind == "integer"):
            self.report(KIND_FORMS[wanted], f"{self.named(node)}, which is {KIND_FORMS[kind]}", hint)
        return node

    def aligned(self, nodes: Sequence[Node]) -> list[Node]:
        """Nodes that are compared with each other, literals in the kind of the rest."""
        others: list[Node] = [node for node in nodes if not isinstance(node, Literal)]
        literals_only = not others
        if literals_only:
            others = [node for node in nodes if not isinstance(node, Literal) or not isinstance(node.value, str)]
        joint = _joint([self.kind(node) for node in others])
        if joint is None:
            kinds = " and ".join(f"{self.named(node)} ({self.kind(node)})" for node in others[:4])
            self.report("values of one type", kinds)
            return list(nodes)
        if joint == "null":
            return list(nodes)
        name = "" if literals_only else next(self.named(node) for node in others if self.kind(node) != "null")
        reason = f", as {name} is" if name else ""
        converted = [self.converted(node, joint, "", reason) if isinstance(node, Literal) else node for node in nodes]
        return _all_floats(converted) if joint == "integer" else converted

    def converted(self, literal: Literal, wanted: Kind, hint: str, reason: str = "") -> Literal:
        if literal.value is None:
            return literal
        if wanted == "text" and literal.written:
            return Literal(literal.written)
        try:
            return Literal(_CONVERSIONS[wanted](literal.value))
        except ValueError:
            kind = kind_of_value(literal.value)
            article = {"text": "the text ", "integer": "the number ", "number": "the number "}.get(kind, "")
            self.report(f"{KIND_FORMS[wanted]}{reason}", f"{article}{self.named(literal)}", hint)
            return literal

    def named(self, node: Node) -> str:
        match node:
            case Field(name=name):
                return short(name)
            case Literal(value=datetime() as value):
                return value.isoformat(sep=" ")
            case Literal(value=None | bool() as value):
                return str(value).lower() if value is not None else "null"
            case Literal(value=value):
                return short(repr(value))
            case Call(function=function):
                return f"{function}(...)"
            case Arithmetic(op=op):
                return f"... {op} ..."
            case _:
                return "a condition"


def _all_floats(nodes: list[Node]) -> list[Node]:
    """Literals of one kind: where one whole number came out as a float, all do."""
    if not any(isinstance(node, Literal) and isinstance(node.value, float) for node in nodes):
        return nodes
    return [
        Literal(float(node.value)) if isinstance(node, Literal) and isinstance(node.value, int) else node
        for node in nodes
    ]


def _as_text(value: Scalar) -> Scalar:
    if isinstance(value, datetime):
        raise ValueError("the column holds text in a form that is not known")  # noqa: TRY004 - not a caller's mistake
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _as_number(value: Scalar) -> Scalar:
    """A float; whole numbers stay whole where a column of whole numbers is compared (`_as_integer`)."""
    if value is None or isinstance(value, bool | datetime) or (isinstance(value, str) and "_" in value):
        raise ValueError("not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _as_integer(value: Scalar) -> Scalar:
    """A whole number; one with a fraction stays a float, and both sides are compared as numbers."""
    if isinstance(value, str) and text_is_whole(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _as_number(value)


def text_is_whole(text: str) -> bool:
    """Whether a text is a whole number that 64 bits hold.

    >>> text_is_whole("-12"), text_is_whole("1.0")
    (True, False)
    """
    digits = text.strip().lstrip("+-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18


def _as_boolean(value: Scalar) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("neither true nor false")


def _as_instant(value: Scalar) -> Scalar:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return parse_instant(value)
    raise ValueError("not an instant")


_CONVERSIONS: Mapping[Kind, Callable[[Scalar], Scalar]] = {
    "text": _as_text,
    "number": _as_number,
    "integer": _as_integer,
    "boolean": _as_boolean,
    "instant": _as_instant,
    "null": lambda value: value,
}
