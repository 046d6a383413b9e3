"""Situations in plain words: how a case stands when an action may help, as a person would say it."""

from __future__ import annotations

from typing import NamedTuple

from truenorth.spec.expressions import And, Between, Compare, Condition, Field, IsNull, Literal, Node, Not, Or
from truenorth.spec.situations import promise_asked


class _Counted(NamedTuple):
    """A number of something in a sentence: of one, and of any other number."""

    one: str
    many: str


COUNTED = {
    "kept": _Counted("{} promise was kept", "{} promises were kept"),
    "broken": _Counted("{} promise was broken", "{} promises were broken"),
    "lapsed": _Counted("{} promise lapsed", "{} promises lapsed"),
    "open": _Counted("{} promise is under way", "{} promises are under way"),
    "events": _Counted("there was {} event", "there were {} events"),
    "moments": _Counted("there was {} moment with the customer", "there were {} moments with the customer"),
    "decisions": _Counted("there was {} decision", "there were {} decisions"),
    "internal": _Counted("there was {} internal step", "there were {} internal steps"),
    "handovers": _Counted("there was {} hand-over", "there were {} hand-overs"),
    "reopened": _Counted("it was reopened {} time", "it was reopened {} times"),
}
"""Measures of a case that count something."""
MEASURED = {
    "risk": "the risk is {}",
    "age_hours": "it has been open for {} hours",
    "cost": "it has cost {}",
    "revenue": "it has brought {}",
}
"""Measures of a case that are amounts."""
BOUNDS = {"=": "exactly", "<>": "other than", "<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""Comparisons read from the other side."""
OF_PROMISES = {
    "promise_broken": ("was broken", "was not broken"),
    "promise_active": ("is under way", "is not under way"),
    "promise_kept": ("was kept", "was not kept"),
}


def situation_in_words(situation: Condition) -> str:
    """What a situation says of a case; as it is written where there are no words for it.

    >>> from truenorth.spec.situations import parse_situation
    >>> situation_in_words(parse_situation("promise_broken('called_back')"))
    "'called back' was broken"
    >>> situation_in_words(parse_situation("risk >= 0.4 or broken > 0 and not resolved"))
    'the risk is at least 40 %, or a promise was broken and it is not resolved'
    >>> situation_in_words(parse_situation("age_hours + 2 > 24"))
    'age_hours + 2 > 24'
    """
    return _words(situation.tree) or " ".join(situation.text.split())


def _words(node: Node) -> str | None:
    match node:
        case Field():
            return _said(node.name, is_so=True)
        case Not(operand=Field(name=name)):
            return _said(name, is_so=False)
        case Compare(op=op, left=Field(name=name), right=Literal(value=value)):
            return _compared(name, op, value)
        case Compare(op=op, left=Literal(value=value), right=Field(name=name)):
            return _compared(name, TURNED[op], value)
        case Between(operand=Field(name=name), low=Literal(value=low), high=Literal(value=high)):
            return _between(name, low, high)
        case IsNull(operand=Field(name="risk")):
            return "the risk is not known"
        case Not(operand=IsNull(operand=Field(name="risk"))):
            return "the risk is known"
        case And(parts=parts):
            return _joined(parts, "and")
        case Or(parts=parts):
            return _joined(parts, "or")
        case _:
            return None


def _joined(parts: tuple[Node, ...], glue: str) -> str | None:
    words = [_words(part) for part in parts]
    is_nested = any(isinstance(part, And | Or) for part in parts)
    between = f"{',' if is_nested else ''} {glue} "
    return between.join(word for word in words if word) if all(words) else None


def _said(name: str, *, is_so: bool) -> str | None:
    asked = promise_asked(name)
    if asked is not None:
        function, promise = asked
        return f"'{promise.replace('_', ' ')}' {OF_PROMISES[function][0 if is_so else 1]}"
    if name == "resolved":
        return f"it is {'' if is_so else 'not '}resolved"
    return None


def _compared(name: str, op: str, value: object) -> str | None:
    if not _is_number(value):
        return _said(name, is_so=(op == "=") == value) if isinstance(value, bool) and op in {"=", "<>"} else None
    if name in COUNTED:
        return _counted(COUNTED[name], op, float(value))  # type: ignore[arg-type]
    if name in MEASURED:
        return MEASURED[name].format(f"{BOUNDS[op]} {_amount(name, value)}")
    return None


def _counted(words: _Counted, op: str, value: float) -> str:
    if (op, value) in {(">=", 1.0), (">", 0.0), ("<>", 0.0)}:
        return words.one.format("a" if words.one != COUNTED["reopened"].one else "at least one")
    if (op, value) in {("=", 0.0), ("<", 1.0), ("<=", 0.0)}:
        return words.many.format("no")
    bound = "fewer than" if op == "<" else BOUNDS[op]
    return (words.one if value == 1 else words.many).format(f"{bound} {value:g}")


def _between(name: str, low: object, high: object) -> str | None:
    if not (_is_number(low) and _is_number(high)):
        return None
    if name in COUNTED:
        return COUNTED[name].many.format(f"between {_amount(name, low)} and {_amount(name, high)}")
    if name in MEASURED:
        return MEASURED[name].format(f"between {_amount(name, low)} and {_amount(name, high)}")
    return None


def _amount(name: str, value: object) -> str:
    number = float(value)  # type: ignore[arg-type]
    return f"{100 * number:g} %" if name == "risk" else f"{number:g}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
