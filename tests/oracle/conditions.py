"""Conditions of a journey: a tokenizer and a recursive descent over the small SQL of the reference.

`condition(text, kinds)` gives a function from a row (name -> value) to true or false. `kinds` holds the kind of every
column that has one; a column without is null in every row. Logic is two-valued: a comparison with a null is false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
Condition = Callable[[Row], bool]

TEXT, INTEGER, NUMBER, BOOLEAN, INSTANT, UNKNOWN = (
    "text",
    "integer",
    "number",
    "boolean",
    "instant",
    "unknown",
)

CANONICAL_KINDS = {
    **dict.fromkeys(("source", "id", "type", "customer", "case", "actor", "team", "channel", "text"), TEXT),
    **dict.fromkeys(("cost", "revenue", "feeling"), NUMBER),
    **dict.fromkeys(("time", "received"), INSTANT),
    **dict.fromkeys(("moment", "decision", "internal", "handover"), BOOLEAN),
}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ConditionError(ValueError):
    """The text is no condition of the language, or a literal does not fit its column."""


@dataclass(frozen=True)
class Term:
    """A part of a condition: its kind, its value for a row, and, of a literal, its text as written."""

    kind: str
    value: Callable[[Row], Any]
    literal: str | None = None


def instant_us(moment: datetime) -> int:
    """Microseconds since 1970, UTC; a naive time is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def kinds_of(events: Iterable[Row]) -> dict[str, str]:
    """Kind of every column: fixed for canonical fields, read off the values for properties."""
    found: dict[str, set[str]] = {}
    for event in events:
        for name, value in event.items():
            if name not in CANONICAL_KINDS and value is not None:
                found.setdefault(name, set()).add(_kind_of_value(value))
    return {**CANONICAL_KINDS, **{name: _widest(name, kinds) for name, kinds in found.items()}}


def _kind_of_value(value: Any) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    for kind, python in ((INTEGER, int), (NUMBER, float), (TEXT, str), (INSTANT, datetime)):
        if isinstance(value, python):
            return kind
    raise ConditionError(f"no column holds {value!r}")


def _widest(name: str, kinds: set[str]) -> str:
    if kinds == {INTEGER, NUMBER}:
        return NUMBER
    if len(kinds) > 1:
        raise ConditionError(f"column {name} mixes {sorted(kinds)}")
    return next(iter(kinds))


def condition(text: str, kinds: Mapping[str, str], forbidden: frozenset[str] = frozenset()) -> Condition:
    """Read `text`; names in `forbidden` may not occur. Raises ConditionError."""
    return _truth(_Parser(text, kinds, forbidden).whole())


# --- reading ----------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
          | '(?P<text>(?:[^']|'')*)'
          | "(?P<quoted>(?:[^"]|"")*)"
          | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
          | (?P<sign><=|>=|<>|!=|[-+*/=<>(),]))""",
    re.VERBOSE,
)
KEYWORDS = {"and", "or", "not", "in", "between", "like", "is", "null", "true", "false", "timestamp"}


def tokens_of(text: str) -> list[tuple[str, str]]:
    """(sort, content) pairs; sorts are number, text, name, keyword, sign and, at last, end."""
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise ConditionError(f"cannot read {text[at:]!r}")
        sort, content = found.lastgroup, found.group(found.lastgroup)
        if sort == "word":
            is_keyword = content.lower() in KEYWORDS
            tokens.append(("keyword", content.lower()) if is_keyword else ("name", content))
        elif sort == "quoted":
            tokens.append(("name", content.replace('""', '"')))
        else:
            tokens.append((sort, content.replace("''", "'")))
        at = found.end()
    return [*tokens, ("end", "")]


class _Parser:
    """or < and < not < comparison < + - < * / < sign < atom."""

    def __init__(self, text: str, kinds: Mapping[str, str], forbidden: frozenset[str]) -> None:
        self.text, self.kinds, self.forbidden = text, kinds, forbidden
        self.tokens = tokens_of(text)
        self.at = 0

    def whole(self) -> Term:
        term = self.either()
        if self.tokens[self.at][0] != "end":
            raise ConditionError(f"{self.text!r}: unexpected {self.tokens[self.at][1]!r}")
        return term

    def accept(self, sort: str, *contents: str) -> str | None:
        """Take the next token if it is one of these."""
        found = self.tokens[self.at]
        if found[0] != sort or (contents and found[1] not in contents):
            return None
        self.at += 1
        return found[1]

    def need(self, sort: str, *contents: str) -> str:
        taken = self.accept(sort, *contents)
        if taken is None:
            raise ConditionError(f"{self.text!r}: expected {contents or sort}, found {self.tokens[self.at][1]!r}")
        return taken

    def either(self) -> Term:
        term = self.both()
        while self.accept("keyword", "or"):
            term = _or(term, self.both())
        return term

    def both(self) -> Term:
        term = self.negation()
        while self.accept("keyword", "and"):
            term = _and(term, self.negation())
        return term

    def negation(self) -> Term:
        return _not(self.negation()) if self.accept("keyword", "not") else self.comparison()

    def comparison(self) -> Term:
        left = self.sum()
        if sign := self.accept("sign", "=", "<>", "!=", "<", "<=", ">", ">="):
            return _compare(sign, left, self.sum())
        if self.accept("keyword", "is"):
            negated = self.accept("keyword", "not")
            self.need("keyword", "null")
            is_null = Term(BOOLEAN, lambda row: left.value(row) is None)
            return _not(is_null) if negated else is_null
        negated = self.accept("keyword", "not")
        if word := self.accept("keyword", "in", "between", "like"):
            found = {"in": self.membership, "between": self.range, "like": self.pattern}[word](left)
            return _not(found) if negated else found
        if negated:
            raise ConditionError(f"{self.text!r}: expected in, between or like after not")
        return left

    def membership(self, left: Term) -> Term:
        self.need("sign", "(")
        found = _compare("=", left, self.sum())
        while self.accept("sign", ","):
            found = _or(found, _compare("=", left, self.sum()))
        self.need("sign", ")")
        return found

    def range(self, left: Term) -> Term:
        low = self.sum()
        self.need("keyword", "and")
        return _and(_compare(">=", left, low), _compare("<=", left, self.sum()))

    def pattern(self, left: Term) -> Term:
        return _like(left, self.need("text"))

    def sum(self) -> Term:
        term = self.product()
        while sign := self.accept("sign", "+", "-"):
            term = _arithmetic(sign, term, self.product())
        return term

    def product(self) -> Term:
        term = self.signed()
        while sign := self.accept("sign", "*", "/"):
            term = _arithmetic(sign, term, self.signed())
        return term

    def signed(self) -> Term:
        if self.accept("sign", "-"):
            return _negative(self.signed())
        return self.signed() if self.accept("sign", "+") else self.atom()

    def atom(self) -> Term:
        if self.accept("sign", "("):
            term = self.either()
            self.need("sign", ")")
            return term
        sort, content = self.tokens[self.at]
        self.at += 1
        if sort == "name":
            return self.column(content)
        if sort == "number":
            return _literal_number(content)
        if sort == "text":
            return Term(TEXT, lambda row: content, content)
        if sort == "keyword" and content in ("true", "false"):
            return Term(BOOLEAN, lambda row: content == "true", content)
        if sort == "keyword" and content == "null":
            return Term(UNKNOWN, lambda row: None, content)
        if sort == "keyword" and content == "timestamp":
            return _read_as(self.atom(), INSTANT)
        raise ConditionError(f"{self.text!r}: unexpected {content!r}")

    def column(self, name: str) -> Term:
        if name in self.forbidden:
            raise ConditionError(f"{self.text!r}: {name} cannot be used here")
        kind = self.kinds.get(name, UNKNOWN)
        if kind == INSTANT:
            return Term(kind, lambda row: _instant(row.get(name)))
        return Term(kind, lambda row: row.get(name))


def _instant(value: Any) -> int | None:
    return instant_us(value) if isinstance(value, datetime) else value


def _literal_number(text: str) -> Term:
    number = int(text) if text.isdigit() else float(text)
    return Term(NUMBER, lambda row: number, text)


# --- meaning ----------------------------------------------------------------------------------------------------------


def _truth(term: Term) -> Condition:
    if term.kind not in (BOOLEAN, UNKNOWN):
        raise ConditionError(f"expected true or false, found a {term.kind}")
    return lambda row: term.value(row) is True


def _or(left: Term, right: Term) -> Term:
    a, b = _truth(left), _truth(right)
    return Term(BOOLEAN, lambda row: a(row) or b(row))


def _and(left: Term, right: Term) -> Term:
    a, b = _truth(left), _truth(right)
    return Term(BOOLEAN, lambda row: a(row) and b(row))


def _not(term: Term) -> Term:
    inner = _truth(term)
    return Term(BOOLEAN, lambda row: not inner(row))


SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(sign: str, left: Term, right: Term) -> Term:
    left, right = _alike(left, right)
    test = SIGNS[sign]

    def value(row: Row) -> bool:
        a, b = left.value(row), right.value(row)
        return a is not None and b is not None and test(a, b)

    return Term(BOOLEAN, value)


def _alike(left: Term, right: Term) -> tuple[Term, Term]:
    """A literal is read in the kind of what it is compared with; everything else must agree already."""
    if left.literal is not None and right.literal is None:
        left = _read_as(left, right.kind)
    elif right.literal is not None and left.literal is None:
        right = _read_as(right, left.kind)
    families = {NUMBER if term.kind == INTEGER else term.kind for term in (left, right)} - {UNKNOWN}
    if len(families) > 1:
        raise ConditionError(f"cannot compare a {left.kind} with a {right.kind}")
    return left, right


def _read_as(literal: Term, kind: str) -> Term:
    """The same literal as a value of `kind`. Raises ConditionError where it cannot be one."""
    same = kind in (literal.kind, UNKNOWN) or literal.kind == UNKNOWN
    if same or (kind == INTEGER and literal.kind == NUMBER):
        return literal
    text = literal.literal
    if text is None or TEXT not in (literal.kind, kind):
        raise ConditionError(f"{text!r} is no {kind}")
    try:
        value = READERS[kind](text)
    except (ValueError, KeyError) as problem:
        raise ConditionError(f"{text!r} is no {kind}") from problem
    return Term(kind, lambda row: value, text)


READERS: dict[str, Callable[[str], Any]] = {
    TEXT: str,
    INTEGER: int,
    NUMBER: float,
    BOOLEAN: lambda text: {"true": True, "false": False}[text.lower()],
    INSTANT: lambda text: instant_us(datetime.fromisoformat(text)),
}


def _like(left: Term, pattern: str) -> Term:
    if left.kind not in (TEXT, UNKNOWN):
        raise ConditionError(f"like needs a text, found a {left.kind}")
    wild = {"%": ".*", "_": "."}
    shape = re.compile("".join(wild.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)

    def value(row: Row) -> bool:
        text = left.value(row)
        return text is not None and shape.fullmatch(text) is not None

    return Term(BOOLEAN, value)


def _number(term: Term) -> Term:
    if term.kind not in (INTEGER, NUMBER, UNKNOWN):
        raise ConditionError(f"cannot calculate with a {term.kind}")
    return term


def _negative(term: Term) -> Term:
    inner = _number(term)
    literal = None if inner.literal is None else f"-{inner.literal}"
    return Term(NUMBER, lambda row: None if (a := inner.value(row)) is None else -a, literal)


def _divide(a: float, b: float) -> float | None:
    return None if b == 0 else a / b


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}


def _arithmetic(sign: str, left: Term, right: Term) -> Term:
    left, right, calculate = _number(left), _number(right), ARITHMETIC[sign]

    def value(row: Row) -> Any:
        a, b = left.value(row), right.value(row)
        return None if a is None or b is None else calculate(a, b)

    return Term(NUMBER, value)
