"""What can be proved about conditions without seeing an event: never true, always true, one implying another.

Each answer of true is a proof; false means only that none was found. Logic is two-valued: a comparison with null is
false, and `not` turns any false into true. What is compared with a number is taken to be one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from truenorth.spec.expressions import And, Between, Compare, Field, In, IsNull, Like, Literal, Node, Not, Or, Scalar
from truenorth.spec.instants import parse_instant

MAX_STEPS = 20_000
"""Most pairs of nodes that one search for an implication looks at."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def never_true(tree: Node) -> bool:
    """Whether no event can satisfy a condition.

    >>> from truenorth.spec.conditions import parse_condition
    >>> [never_true(parse_condition(text).tree) for text in ("type = 'a' and type = 'b'", "cost > 5 and cost < 3")]
    [True, True]
    """
    match tree:
        case Literal(value=value):
            return value is not True
        case And(parts=parts):
            return any(map(never_true, parts)) or _contradict(list(_conjuncts(tree)))
        case Or(parts=parts):
            return all(map(never_true, parts))
        case Not(operand=operand):
            return always_true(operand)
        case Compare() | Between() | In():
            return _impossible(tree)
        case _:
            return False


def always_true(tree: Node) -> bool:
    """Whether every event satisfies a condition.

    >>> from truenorth.spec.conditions import parse_condition
    >>> always_true(parse_condition("team is null or team is not null").tree)
    True
    """
    match tree:
        case Literal(value=value):
            return value is True
        case And(parts=parts):
            return all(map(always_true, parts))
        case Or(parts=parts):
            negated = {part.operand for part in parts if isinstance(part, Not)}
            return any(map(always_true, parts)) or any(part in negated for part in parts)
        case Not(operand=operand):
            return never_true(operand)
        case Compare(op="=", left=Literal(value=left), right=Literal(value=right)):
            return type(left) is type(right) and left == right
        case _:
            return False


def implies(premise: Node, conclusion: Node) -> bool:
    """Whether every event that satisfies one condition satisfies the other.

    >>> from truenorth.spec.conditions import parse_condition
    >>> narrow, wide = (parse_condition(text).tree for text in ("type = 'a' and team = 'x'", "type in ('a', 'b')"))
    >>> implies(narrow, wide), implies(wide, narrow)
    (True, False)
    """
    return _Search().implies(premise, conclusion)


class _Search:
    """One bounded search; pairs already looked at are not looked at again."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int], bool] = {}

    def implies(self, premise: Node, conclusion: Node) -> bool:
        pair = (id(premise), id(conclusion))
        if pair not in self.known:
            self.known[pair] = False
            self.known[pair] = len(self.known) < MAX_STEPS and self._search(premise, conclusion)
        return self.known[pair]

    def _search(self, premise: Node, conclusion: Node) -> bool:
        if premise == conclusion:
            return True
        if isinstance(premise, Or):
            return all(self.implies(part, conclusion) for part in premise.parts)
        if isinstance(conclusion, And):
            return all(self.implies(premise, part) for part in conclusion.parts)
        if isinstance(premise, And) and any(self.implies(part, conclusion) for part in premise.parts):
            return True
        if isinstance(conclusion, Or):
            return any(self.implies(premise, part) for part in conclusion.parts)
        narrow, wide = _allowed(premise), _allowed(conclusion)
        if narrow is None or wide is None or narrow.operand != wide.operand:
            return False
        return {*map(_exact, narrow.values)} <= {*map(_exact, wide.values)}


class _Allowed(msgspec.Struct, frozen=True):
    """An operand and the constants that it may equal."""

    operand: Node
    values: tuple[Scalar, ...]


def _allowed(node: Node) -> _Allowed | None:
    match node:
        case Compare(op="=", left=Literal(value=value), right=operand) if not isinstance(operand, Literal):
            return _Allowed(operand, (value,))
        case Compare(op="=", left=operand, right=Literal(value=value)) if not isinstance(operand, Literal):
            return _Allowed(operand, (value,))
        case In(operand=operand, options=options) if not isinstance(operand, Literal):
            values = tuple(option.value for option in options if isinstance(option, Literal))
            return _Allowed(operand, values) if len(values) == len(options) else None
        case _:
            return None


def _exact(value: Scalar) -> tuple[type, Scalar]:
    return type(value), value


def _loose(value: Scalar) -> tuple[str, object]:
    """Two constants with different results differ in whatever type a column has; equal ones may or may not."""
    if isinstance(value, datetime):
        return "instant", value
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return "number", float(text.lower() == "true")
    for kind, read in (("number", float), ("instant", parse_instant)):
        try:
            result = read(text)
        except ValueError:
            continue
        if result == result:  # noqa: PLR0124 - not a number, as the text 'nan' is
            return kind, result
    return "text", str(value)


def _conjuncts(tree: Node) -> Iterator[Node]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, And):
            pending.extend(node.parts)
        else:
            yield node


def _impossible(node: Compare | Between | In) -> bool:
    """Whether a single comparison can be true for no values at all."""
    match node:
        case Compare(op=op, left=Literal(value=left), right=Literal(value=right)):
            return op == "=" and _loose(left) != _loose(right)
        case Compare(op=op, left=left, right=right):
            return left == right and op in ("<", ">", "<>")
        case Between(low=Literal(value=low), high=Literal(value=high)):
            return isinstance(low, int | float) and isinstance(high, int | float) and low > high
        case _:
            return False


def _contradict(parts: Sequence[Node]) -> bool:
    """Whether conditions that must all hold exclude each other."""
    negated = {part.operand for part in parts if isinstance(part, Not)}
    if any(part in negated for part in parts):
        return True
    return _values_contradict(parts) or _bounds_contradict(parts) or _nulls_contradict(parts)


def _values_contradict(parts: Iterable[Node]) -> bool:
    left: dict[Node, set[tuple[str, object]]] = {}
    for allowed in filter(None, map(_allowed, parts)):
        values = {_loose(value) for value in allowed.values}
        left[allowed.operand] = left.get(allowed.operand, values) & values
    return any(not values for values in left.values())


def _bounds_contradict(parts: Iterable[Node]) -> bool:
    """Whether an operand would have to lie above one number and below a smaller one."""
    lows: dict[Node, tuple[float, bool]] = {}
    highs: dict[Node, tuple[float, bool]] = {}
    for operand, op, bound in _bounds(parts):
        if op in (">", ">=", "="):
            lows[operand] = max(lows.get(operand, (bound, False)), (bound, op == ">"))
        if op in ("<", "<=", "="):
            highs[operand] = min(highs.get(operand, (bound, True)), (bound, op != "<"))
    for operand, (low, is_strict) in lows.items():
        high, is_included = highs.get(operand, (float("inf"), True))
        if low > high or (low == high and (is_strict or not is_included)):
            return True
    return False


def _bounds(parts: Iterable[Node]) -> Iterator[tuple[Node, str, float]]:
    for part in parts:
        match part:
            case Compare(op=op, left=Literal(value=int() | float() as bound), right=operand):
                yield operand, _MIRRORED[op], bound
            case Compare(op=op, left=operand, right=Literal(value=int() | float() as bound)):
                yield operand, op, bound
            case Between(operand=operand, low=Literal(value=int() | float() as low)):
                yield operand, ">=", low
        match part:
            case Between(operand=operand, high=Literal(value=int() | float() as high)):
                yield operand, "<=", high


def _nulls_contradict(parts: Iterable[Node]) -> bool:
    """Whether a field would have to be null and have a value."""
    nulls, valued = set[Node](), set[Node]()
    for part in parts:
        match part:
            case IsNull(operand=operand):
                nulls.add(operand)
            case Compare(left=left, right=right):
                valued |= {left, right}
            case In(operand=operand) | Between(operand=operand) | Like(operand=operand):
                valued.add(operand)
            case Field():
                valued.add(part)
    return bool(nulls & valued)
