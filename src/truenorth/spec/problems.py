"""What is wrong with an input: where, what was expected, what was found, what to do.

Everything that reads something a person wrote collects problems instead of stopping at the first one, and
raises them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

import msgspec

Severity = Literal["error", "warning"]

MAX_COMPARED = 80
"""Most characters of a word that are compared with the known ones."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem of one input.

    ``path`` names the place inside the input (``$.promises[2].within``, a column, a file), ``line`` its line
    number from 1 where it has one.

    >>> print(Problem(path="$.promises[2].within", line=14, expected="a duration such as '2d'",
    ...               found="'2 dayz'", hint="write 2d"))
    line 14, $.promises[2].within: expected a duration such as '2d', found '2 dayz'. Hint: write 2d
    """

    path: str
    expected: str
    found: str
    hint: str = ""
    line: int | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"line {self.line}, {self.path}" if self.line else self.path
        text = f"{where}: expected {self.expected}, found {self.found}"
        return f"{text}. Hint: {self.hint}" if self.hint else text


class TruenorthError(Exception):
    """An input cannot be used; ``problems`` says why, all of it at once.

    ``source`` is the file whose places the problems name, where they name places inside of one.

    >>> print(TruenorthError([Problem(path="$.need", line=3, expected="text", found="1")], source="a.yaml"))
    a.yaml, line 3, $.need: expected text, found 1
    """

    def __init__(self, problems: Sequence[Problem], *, source: str = "") -> None:
        super().__init__("\n".join(f"{source}, {problem}" if source else str(problem) for problem in problems))
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.source = source


class InvalidJourney(TruenorthError):
    """A journey file (or a journey together with a log's columns) has errors."""


class UnreadableLog(TruenorthError):
    """A log cannot be read at all, or lacks a field that is needed."""


def closest(word: str, known: Sequence[str]) -> str | None:
    """The known word that is nearest to a word, if one is near.

    >>> closest("whithin", ["within", "after"]), closest("zzz", ["within", "after"])
    ('within', None)
    """
    close = get_close_matches(word[:MAX_COMPARED], known, n=1)
    return close[0] if close else None


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint that names the nearest known word, or nothing if none is near.

    >>> did_you_mean("whithin", ["within", "after"]), did_you_mean("zzz", ["within", "after"])
    ("did you mean 'within'?", '')
    """
    near = closest(word, known)
    return f"did you mean '{near}'?" if near is not None else ""


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint that names the nearest known word, or all of them if none is near.

    >>> nearest("whithin", ["within", "after"])
    "did you mean 'within'?"
    >>> nearest("zzz", ["within", "after"])
    'known: after, within'
    """
    hint = did_you_mean(word, known)
    return hint or (f"known: {', '.join(sorted(known))}" if known else "")
