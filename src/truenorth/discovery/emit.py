"""YAML, written carefully: nothing that a log holds can break out of its value or its comment."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from truenorth.spec.tokens import MAX_CHARACTERS

WIDTH = 116
MAX_COMMENT = 900
"""Longest sentence of a comment, in characters."""

_SAFE = frozenset(" _='().,/<>+*-")
_RESERVED = frozenset(("", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_KEPT = re.compile(r"(?<=[0-9]) (?=(?:%|d|h|min|s)\b|%)")
"""Spaces between a number and its unit, at which no line ends."""
_DURATION = re.compile(r"([0-9]+[wdhms])+")


def scalar(text: str) -> str:
    """A text as one YAML value on one line: plain where that is safe, else in double quotes.

    >>> print(scalar("type = 'Closed'"), scalar("a: b"), scalar('say "no"\\n'), scalar("null"))
    type = 'Closed' "a: b" "say \\"no\\"\\n" "null"
    """
    plain = bool(_DURATION.fullmatch(text)) or (
        text.strip() == text
        and text.casefold() not in _RESERVED
        and text[:1].isalpha()
        and all(c in _SAFE or (c.isalnum() and c.isprintable()) for c in text)
    )
    return text if plain else f'"{"".join(_escaped(c) for c in text)}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == " " or (character.isprintable() and unicodedata.category(character) != "Zs"):
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def comment(text: str, indent: int = 0) -> list[str]:
    """A text as comment lines; whatever is not printable becomes a space.

    >>> comment("one\\ntwo", indent=2)
    ['  # one two']
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:MAX_COMMENT]).split())
    lead = " " * indent + "# "
    parts = textwrap.wrap(_KEPT.sub("\0", line), WIDTH - len(lead), break_on_hyphens=False)
    return [lead + part.replace("\0", " ") for part in parts]


def comments(texts: Iterable[str], indent: int = 0) -> list[str]:
    """Several texts as comment lines, each beginning a line.

    >>> comments(["a", "b"])
    ['# a', '# b']
    """
    return [line for text in texts for line in comment(text, indent)]


def literal(text: str) -> str:
    """A text as a literal of a condition.

    >>> literal("it's")
    "'it''s'"
    """
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def quoted_field(name: str) -> str:
    """A field's name in a condition, in double quotes.

    >>> quoted_field('a "b"')
    '"a ""b\"""'
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def one_of(field: str, values: Sequence[str]) -> str:
    """The condition that a field has one of some values; as many of them as a condition holds.

    >>> one_of("type", ["a"]), one_of("type", ["a", "b"])
    ("type = 'a'", "type in ('a', 'b')")
    """
    literals: list[str] = []
    length = len(field) + 10
    for value in values:
        length += len(literal(value)) + 2
        if length > MAX_CHARACTERS and literals:
            break
        literals.append(literal(value))
    return f"{field} = {literals[0]}" if len(literals) == 1 else f"{field} in ({', '.join(literals)})"


def identifier(text: str, most: int = 40) -> str:
    """A name of letters, digits and _ made from any text.

    >>> identifier("Résolu (à vérifier)"), identifier("7 日"), identifier("日")
    ('resolu_a_verifier', 'e_7', 'event')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text[:200]) if not unicodedata.combining(c))
    words = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()[:most].strip("_")
    if not words:
        return "event"
    return f"e_{words}" if words[0].isdigit() else words
