"""Situations: conditions about a case as it stands, not about an event. They say when an action may help.

The language is that of conditions, with other names: the case's measures, and functions about its promises. A call such
as ``promise_broken('looked_at')`` becomes a boolean field of that very name, so that whatever evaluates conditions
evaluates situations too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from truenorth.spec.binding import bind
from truenorth.spec.conditions import fields_of, parse_condition
from truenorth.spec.expressions import Call, Condition, Field, Kind, Literal, Node, children, with_children
from truenorth.spec.functions import FUNCTIONS, Function
from truenorth.spec.problems import did_you_mean
from truenorth.spec.tokens import ConditionError, short

CASE_FIELDS: Mapping[str, tuple[Kind, str]] = {
    "risk": ("number", "the chance that the case fails, by the model in force; null without one"),
    "age_hours": ("number", "hours since the case opened"),
    "resolved": ("boolean", "whether it is resolved, and held to see whether it stays so"),
    "reopened": ("integer", "how often it was reopened"),
    "events": ("integer", "its events so far"),
    "moments": ("integer", "of them, moments with the customer"),
    "decisions": ("integer", "of them, decisions"),
    "internal": ("integer", "of them, neither"),
    "handovers": ("integer", "how often it passed from one team to another"),
    "kept": ("integer", "promises kept so far"),
    "broken": ("integer", "promises broken so far"),
    "lapsed": ("integer", "promises that lapsed"),
    "open": ("integer", "promises that are active now"),
    "cost": ("number", "what its events have cost"),
    "revenue": ("number", "what its events have brought"),
}
"""What a situation may name: the type of each measure, and what it is."""

PROMISE_FUNCTIONS: Mapping[str, Function] = {
    "promise_broken": Function("text", "boolean", meaning="whether the promise was ever broken in the case"),
    "promise_active": Function("text", "boolean", meaning="whether it is active now, neither kept nor broken yet"),
    "promise_kept": Function("text", "boolean", meaning="whether it was ever kept in the case"),
}
"""Functions about a promise of the file, by its name in quotes."""

_ALL_FUNCTIONS = {**FUNCTIONS, **PROMISE_FUNCTIONS}


def parse_situation(text: str) -> Condition:
    """The situation that a text says; ConditionError where it is none or names what a case does not have.

    >>> parse_situation("risk >= 0.4 or promise_broken('looked_at')").tree.parts[1]
    Field(name="promise_broken('looked_at')")
    >>> parse_situation("internal >= 1").text
    'internal >= 1'
    >>> parse_situation("x > 2")
    Traceback (most recent call last):
    truenorth.spec.tokens.ConditionError: expected a measure of the case, found x. \
Hint: a case has risk, age_hours, resolved, reopened, events, moments, decisions, internal, handovers, kept, \
broken, lapsed, open, cost, revenue
    """
    tree = _resolved(parse_condition(text, _ALL_FUNCTIONS).tree)
    schema: dict[str, Kind] = {name: kind for name, (kind, _) in CASE_FIELDS.items()}
    for name in fields_of(tree):
        if promise_asked(name) is not None:
            schema[name] = "boolean"
        elif name not in CASE_FIELDS:
            raise ConditionError("a measure of the case", short(name), _hint(name))
    bound, problems = bind(tree, schema, flags=())
    for problem in problems:
        raise ConditionError(problem.expected, problem.found, problem.hint)
    return Condition(text, bound)


def _hint(name: str) -> str:
    return did_you_mean(name, list(CASE_FIELDS)) or f"a case has {', '.join(CASE_FIELDS)}"


def promise_field(function: str, promise: str) -> str:
    """The name of the field that a function about a promise becomes.

    >>> promise_field("promise_broken", "looked_at")
    "promise_broken('looked_at')"
    """
    return f"{function}('{promise}')"


def promise_asked(field: str) -> tuple[str, str] | None:
    """The function and the promise that a field stands for; None for a measure.

    >>> promise_asked("promise_broken('looked_at')"), promise_asked("risk")
    (('promise_broken', 'looked_at'), None)
    """
    function, quote, rest = field.partition("('")
    return (function, rest[:-2]) if quote and function in PROMISE_FUNCTIONS and rest.endswith("')") else None


def promises_asked(condition: Condition) -> Iterator[str]:
    """The promises that a situation asks about, in order.

    >>> list(promises_asked(parse_situation("promise_broken('a') and not promise_active('b')")))
    ['a', 'b']
    """
    for name in fields_of(condition.tree):
        asked = promise_asked(name)
        if asked:
            yield asked[1]


def _resolved(tree: Node) -> Node:
    """The tree with calls about promises as fields."""
    if isinstance(tree, Call) and tree.function in PROMISE_FUNCTIONS:
        (argument,) = tree.arguments
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            raise ConditionError(f"the name of a promise in '...' for {tree.function}", "something else")
        return Field(promise_field(tree.function, argument.value))
    parts = children(tree)
    return with_children(tree, [_resolved(part) for part in parts]) if parts else tree
