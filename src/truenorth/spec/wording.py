"""Conditions and names in plain words, for sentences that people read."""

from __future__ import annotations

from truenorth.spec.expressions import And, Compare, Condition, Field, In, Like, Literal, Node, Not, Or

FLAG_WORDS = {
    "moment": "a moment with the customer",
    "decision": "a decision",
    "internal": "internal work",
    "handover": "a hand-over",
}

MAX_WORDS = 160
"""Longer wordings give way to the condition as it was written."""


def name_in_words(name: str) -> str:
    """A name of a journey file as people read it.

    >>> name_in_words("taken_up")
    'taken up'
    """
    return name.replace("_", " ")


def in_words(condition: Condition) -> str:
    """What a condition asks for, as a person would say it.

    >>> from truenorth.spec.conditions import parse_condition
    >>> in_words(parse_condition("type = 'Closed'"))
    "'Closed'"
    >>> in_words(parse_condition("type in ('Mail', 'Call') and moment"))
    "'Mail' or 'Call', being a moment with the customer"
    >>> in_words(parse_condition("type in ('Mail', 'Call', 'Visit')"))
    "'Mail', 'Call' or 'Visit'"
    >>> in_words(parse_condition("feeling < -0.5"))
    'an event with feeling < -0.5'
    """
    words = _words(condition.tree)
    if words is None or len(words) > MAX_WORDS:
        return f"an event with {' '.join(condition.text.split())}"
    return words


def _words(node: Node) -> str | None:
    match node:
        case Field(name=name) if name in FLAG_WORDS:
            return FLAG_WORDS[name]
        case Compare(op="=", left=Field(name="type"), right=Literal(value=str(name))):
            return f"'{name}'"
        case In(operand=Field(name="type"), options=options) if all(isinstance(part, Literal) for part in options):
            return _listed([f"'{part.value}'" for part in options if isinstance(part, Literal)])
        case Like(operand=Field(name="type"), pattern=pattern):
            return f"an event named like '{pattern}'"
        case Not(operand=operand):
            words = _words(operand)
            return words and f"anything but {words}"
        case Or(parts=parts):
            return _joined(parts, " or ")
        case And(parts=parts):
            return _joined(parts, ", being ")
        case _:
            return None


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _joined(parts: tuple[Node, ...], glue: str) -> str | None:
    words = [_words(part) for part in parts]
    return glue.join(word for word in words if word) if all(words) else None
