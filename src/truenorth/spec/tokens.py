"""The words of a condition: a strict scan that lets through only what the language has.

Whatever a condition may not contain is named here, before any parser sees the text. The scan also bounds length and
nesting, so that a stranger's file costs no more than a moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal as OneOf

import msgspec

from truenorth.spec.expressions import Scalar
from truenorth.spec.functions import FUNCTIONS, Function
from truenorth.spec.instants import INSTANT_FORM, parse_instant
from truenorth.spec.problems import did_you_mean

MAX_CHARACTERS = 4_000
"""Longest condition, in characters."""

MAX_NESTING = 20
"""Deepest nesting of parentheses, `not` and signs before one value."""

TokenKind = OneOf["name", "value", "function", "word", "operator"]


class ConditionError(ValueError):
    """A text is no condition: what was expected where, what was found, and what to do.

    ``offset`` is the position in the text, in characters from 0.
    """

    def __init__(self, expected: str, found: str, hint: str = "", offset: int = 0) -> None:
        at = f" at character {offset + 1}" if offset else ""
        super().__init__(f"expected {expected}, found {found}{at}" + (f". Hint: {hint}" if hint else ""))
        self.expected, self.found, self.hint, self.offset = expected, found, hint, offset


class Token(msgspec.Struct, frozen=True):
    """One word of a condition: a ``name`` or ``value`` carries it in ``value``; the rest is upper-case ``text``."""

    kind: TokenKind
    text: str
    offset: int
    value: Scalar = None


WORDS = ("and", "or", "not", "in", "is", "like", "between", "null", "true", "false")
"""Words that are no field names unless quoted."""

_CONSTANTS: Mapping[str, Scalar] = {"NULL": None, "TRUE": True, "FALSE": False}

_PATTERN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<name>[^\W\d]\w*(?:\.\w+)*)
    | (?P<operator><=|>=|<>|!=|=(?!=)|<|>|\+|-(?!-)|\*|/(?!\*)|\(|\)|,)
    """,
    re.VERBOSE,
)

_REFUSED: tuple[tuple[str, str, str], ...] = (
    ("==", "'=='", "write = once"),
    ("--", "a comment", "put comments into the YAML, after #"),
    ("/*", "a comment", "put comments into the YAML, after #"),
    ("#", "a comment", "put comments into the YAML, outside the quotes"),
    ("'", "a text that does not end", "close it with '; double it inside a text: 'it''s'"),
    ('"', "a quoted name that does not end", 'close it with "'),
    (";", "a second statement", "one condition only; join two with and / or"),
    ("::", "a cast", "literals are read in the type of what they are compared with"),
    (":", "':'", 'quote names with other characters: "case:concept:name"'),
    ("||", "'||'", "write or; texts cannot be joined"),
    ("&&", "'&&'", "write and"),
    ("!", "'!'", "write not, or <> for unequal"),
    ("?", "a parameter", "write the value itself"),
    ("$", "a parameter", 'write the value itself; quote a name with a $: "$name"'),
    ("@", "a parameter", 'write the value itself; quote a name with a @: "@name"'),
    ("`", "a backtick", 'quote names with "double quotes"'),
    ("%", "'%'", "the operators are + - * /"),
    ("\N{LEFT SINGLE QUOTATION MARK}", "a typographic quote", "use the straight quote '"),
    ("\N{RIGHT SINGLE QUOTATION MARK}", "a typographic quote", "use the straight quote '"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", "a typographic quote", "use the straight quote \""),
    ("\N{RIGHT DOUBLE QUOTATION MARK}", "a typographic quote", "use the straight quote \""),
    (".", "'.'", 'write a dotted name in one: address.city or "address.city"'),
)  # fmt: skip

_REFUSED_WORDS: Mapping[str, str] = {
    "select": "subqueries are",
    "exists": "subqueries are",
    "over": "windows are",
    "when": "case ... when is",
    "cast": "casts are",
    "try_cast": "casts are",
    "interval": "intervals are",
    "ilike": "ilike is",
    "escape": "like ... escape is",
    "similar": "similar to is",
    "collate": "collations are",
    "union": "subqueries are",
}


def scan(text: str, functions: Mapping[str, Function] = FUNCTIONS) -> list[Token]:
    """The tokens of a condition that may call some functions; ConditionError names what it may not contain.

    >>> [token.text for token in scan("type = 'Closed' and not x.y > 2")]
    ['type', '=', "'Closed'", 'AND', 'NOT', 'x.y', '>', '2']
    """
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(
            f"a condition of at most {MAX_CHARACTERS} characters", f"{len(text)} characters", "split it up"
        )
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise _refusal(text, position)
        if match.lastgroup != "space":
            tokens.append(_token(match, text, functions))
        position = match.end()
    if not tokens:
        raise ConditionError("a condition such as type = 'Closed'", "nothing")
    return _join_dates(tokens)


def _token(match: re.Match[str], text: str, functions: Mapping[str, Function]) -> Token:
    found, offset = match.group(), match.start()
    match match.lastgroup:
        case "text":
            return Token("value", found, offset, found[1:-1].replace("''", "'"))
        case "quoted":
            return _quoted(found, offset)
        case "number":
            return Token("value", found, offset, _number(found, offset))
        case "name":
            return _word(found, offset, functions if text[match.end() :].lstrip().startswith("(") else None)
        case _:
            return Token("operator", {"!=": "<>"}.get(found, found), offset)


def _quoted(found: str, offset: int) -> Token:
    name = found[1:-1].replace('""', '"')
    if not name:
        raise ConditionError('a field name in "..."', "an empty name", offset=offset)
    return Token("name", found, offset, name)


def _number(found: str, offset: int) -> int | float:
    if found.isdigit():
        whole = int(found) if len(found) < 25 else 10**25
        if whole < 2**63:
            return whole
    number = float(found)
    if number == float("inf"):
        raise ConditionError("a number", f"{short(found)}, too large for one", offset=offset)
    return number


def _word(found: str, offset: int, functions: Mapping[str, Function] | None) -> Token:
    """A word; ``functions``: those that it may be, where it is a call."""
    word = found.lower()
    if word in WORDS:
        if found.upper() in _CONSTANTS:
            return Token("value", found, offset, _CONSTANTS[found.upper()])
        return Token("word", found.upper(), offset)
    if functions is None:
        return Token("name", found, offset, found)
    if word in functions:
        return Token("function", word.upper(), offset)
    if word in _REFUSED_WORDS:
        raise ConditionError("a plain condition", f"{short(found)}: {_REFUSED_WORDS[word]} not allowed", offset=offset)
    hint = did_you_mean(word, list(functions)) or f"the functions are {', '.join(functions)}"
    raise ConditionError("a known function", short(found), hint, offset)


def _refusal(text: str, position: int) -> ConditionError:
    rest = text[position:]
    if rest[0].isdigit():
        word = re.match(r"[\w.]+", rest)
        found = short(word.group() if word else rest)
        return ConditionError("a number", found, "conditions know no durations; quote texts with '...'", position)
    for start, found, hint in _REFUSED:
        if rest.startswith(start):
            return ConditionError("a plain condition", found, hint, position)
    return ConditionError("a plain condition", f"the character {rest[0]!r}", offset=position)


def _join_dates(tokens: list[Token]) -> list[Token]:
    """`timestamp '...'` and `date '...'` become one value each."""
    joined: list[Token] = []
    for token in tokens:
        before = joined[-1] if joined else None
        if before and _is_date_word(before) and token.kind == "value" and isinstance(token.value, str):
            joined[-1] = Token("value", f"{before.text} {token.text}", before.offset, _instant(token))
        else:
            joined.append(token)
    return joined


def _is_date_word(token: Token) -> bool:
    return token.kind == "name" and token.text.lower() in ("date", "timestamp")


def _instant(token: Token) -> datetime:
    try:
        return parse_instant(str(token.value))
    except ValueError:
        raise ConditionError(INSTANT_FORM, short(token.text), offset=token.offset) from None


def check_order(tokens: list[Token]) -> None:
    """See that values and operators take turns and nothing nests too deep; ConditionError says where they do not."""
    wants_value, open_levels, pending = True, list[int](), 0
    for index, token in enumerate(tokens):
        if wants_value:
            wants_value, pending = _take_value(token, open_levels, pending)
        else:
            wants_value = _take_operator(token, tokens[index - 1], open_levels)
            _check_word(token, tokens[index + 1 : index + 3])
        if sum(open_levels) + pending > MAX_NESTING:
            raise ConditionError(
                f"at most {MAX_NESTING} levels of nesting", "more", "split the condition up", token.offset
            )
    if wants_value:
        raise ConditionError("a value or a field", "the end of the condition", offset=tokens[-1].offset)
    if open_levels:
        raise ConditionError("')'", "the end of the condition", "close every parenthesis", tokens[-1].offset)


def _take_value(token: Token, open_levels: list[int], pending: int) -> tuple[bool, int]:
    if token.kind in ("name", "value"):
        return False, 0
    if token.text == "(":
        open_levels.append(pending + 1)
        return True, 0
    if token.kind == "function":
        return True, pending
    if token.text in ("NOT", "-", "+"):
        return True, pending + 1
    hint = f'quote a field of this name: "{token.text.lower()}"' if token.kind == "word" else ""
    raise ConditionError("a value or a field", f"'{token.text.lower()}'", hint, token.offset)


def _take_operator(token: Token, before: Token, open_levels: list[int]) -> bool:
    if token.text == ")":
        if not open_levels:
            raise ConditionError("the end of the condition", "')'", "it has no '('", token.offset)
        open_levels.pop()
        return False
    if token.kind in ("operator", "word") and token.text != "(":
        return token.text != "NOT"
    raise ConditionError("an operator such as = or and", _described(token), _missing(token, before), token.offset)


def _check_word(token: Token, after: list[Token]) -> None:
    """See that a word between values is followed by what it needs."""
    end = Token("name", "the end of the condition", token.offset)
    following = after[0] if after else end
    if token.text == "IS" and following.text == "NOT":
        following = after[1] if after[1:] else end
    match token.text:
        case "NOT" if following.text not in ("IN", "LIKE", "BETWEEN"):
            expected, hint = "in, like or between after not", ""
        case "IN" if following.text != "(":
            expected, hint = "a list after in", "write in ('a', 'b')"
        case "LIKE" if not isinstance(following.value, str) or following.kind != "value":
            expected, hint = "a pattern in '...' after like", "% stands for any characters, _ for one"
        case "IS" if not _is_constant(following):
            expected, hint = "null, true or false after is", "compare with = or <>"
        case _:
            return
    raise ConditionError(expected, _described(following), hint, following.offset)


def _is_constant(token: Token) -> bool:
    return token.kind == "value" and (token.value is None or isinstance(token.value, bool))


def _missing(token: Token, before: Token) -> str:
    for word in (token.text.lower(), before.text.lower()):
        if word in _REFUSED_WORDS:
            return f"{_REFUSED_WORDS[word]} not allowed in a condition"
    if token.kind == before.kind == "name":
        return f'quote a name with spaces: "{before.value} {token.value}"'
    if before.kind == "name" and isinstance(token.value, str):
        return f"write {before.text} = {short(token.text)}"
    return ""


def _described(token: Token) -> str:
    return f"'{token.text.lower()}'" if token.kind in ("word", "operator", "function") else short(token.text)


def short(text: str, most: int = 80) -> str:
    """A text for a message: on one line, cut to ``most`` characters.

    >>> short("a" * 100, 10)
    'aaaaaaa...'
    """
    line = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 3]}..."
