"""Patterns: what worked in one journey, kept with its evidence, to be tried in another.

A pattern is a YAML text: a kind, the piece of a file that it stands for, and where it was seen. Only journeys, promises
and sets of actions can be applied; an insight or a set of KPIs is kept to be shared and compared.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from io import StringIO
from typing import Any, Literal, get_args

import msgspec
from ruamel.yaml import YAML

from truenorth.insight.yaml_text import read_yaml
from truenorth.spec.problems import Problem, TruenorthError

Kind = Literal["journey", "promises", "actions", "kpis", "insight"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS: Mapping[Kind, tuple[str, ...]] = {
    "promises": ("promises", "calendars"),
    "actions": ("actions", "contact", "authority", "budget", "holdout"),
}
"""By kind: the keys of a journey file that it takes along."""
VERSION = 1


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a pattern was seen: a log by its name and digest, and what the journey came to there."""

    log: str = ""
    sha256: str = ""
    events: int = 0
    cases: int = 0
    outcome: dict[str, int] = {}
    promises: dict[str, dict[str, int]] = {}


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of knowledge that can be passed on; ``content`` is what the file that it comes from says."""

    pattern: int = VERSION
    name: str
    kind: Kind
    about: str = ""
    saved: date
    content: Any
    evidence: Evidence = Evidence()


def parse_pattern(text: str, where: str) -> Pattern:
    """The pattern in a text; TruenorthError that says what does not fit."""
    found = read_yaml(text, Pattern, where, "a pattern file", "truenorth pattern save writes one")
    if found.pattern != VERSION:
        raise _wrong(f"{where}: pattern", str(VERSION), str(found.pattern), "it is of another version of Truenorth")
    return found


def write_pattern(pattern: Pattern) -> str:
    """A pattern as YAML.

    >>> one = Pattern(name="x", kind="kpis", saved=date(2026, 1, 2), content={"kpis": []})
    >>> parse_pattern(write_pattern(one), "x.yaml") == one
    True
    """
    return _dumped(
        {key: getattr(pattern, key) for key in pattern.__struct_fields__ if key != "evidence"}
        | {"evidence": msgspec.to_builtins(pattern.evidence)}
    )


def content_of(journey_text: str, kind: Kind) -> Any:
    """What a pattern of a kind takes along of a journey file; TruenorthError where there is nothing of it."""
    whole = YAML(typ="safe").load(journey_text)
    if kind == "journey":
        return whole
    found = {key: whole[key] for key in PARTS[kind] if key in whole}
    if kind not in found:
        raise _wrong(f"$.{kind}", f"a journey file with {kind}", "none", "choose another --kind")
    if kind == "promises":
        used = {one.get("calendar") for one in found["promises"]}
        found["calendars"] = {name: one for name, one in found.get("calendars", {}).items() if name in used}
        if not found["calendars"]:
            del found["calendars"]
    return found


def apply_pattern(pattern: Pattern, journey_text: str, *, replace: bool = False) -> str:
    """A journey file with a pattern in it; all else of it, comments included, stays as it is.

    Promises and actions come after those that are there, calendars beside them. What has the same name and says
    something else is a problem, all of them at once, unless ``replace``; other keys of a set of actions (``holdout``
    ...) are taken over where the journey has none, or with ``replace``.
    """
    if pattern.kind == "journey":
        return _dumped(pattern.content)
    if pattern.kind not in PARTS:
        hint = "patterns of journeys, promises and actions can be applied"
        raise _wrong(pattern.name, "a pattern that can be applied", f"one of kind {pattern.kind}", hint)
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 1000, True
    target = yaml.load(journey_text)
    problems: list[Problem] = []
    for key, piece in pattern.content.items():
        _merge(target, key, piece, replace, problems)
    if problems:
        raise TruenorthError(problems)
    out = StringIO()
    yaml.dump(target, out)
    return out.getvalue()


def compare(one: Pattern, other: Pattern) -> list[str]:
    """Two patterns line by line, what only one says marked by ``-`` (the first) or ``+``."""
    first, second = (write_pattern(each).splitlines() for each in (one, other))
    return list(difflib.unified_diff(first, second, one.name, other.name, lineterm="", n=2))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """What a change of the journey changes in the verdicts: (what, verdict, before, after), only what differs.

    Both are summaries of a replay of the same log.
    """
    rows = [
        ("outcome", verdict, before["outcome"].get(verdict, 0), after["outcome"].get(verdict, 0))
        for verdict in after["outcome"]
    ]
    names = [*before["promises"], *(name for name in after["promises"] if name not in before["promises"])]
    for name in names:
        old, new = before["promises"].get(name, {}), after["promises"].get(name, {})
        rows += [(name, verdict, old.get(verdict, 0), new.get(verdict, 0)) for verdict in {**old, **new}]
    return [row for row in rows if row[2] != row[3]]


def _merge(target: Any, key: str, piece: Any, replace: bool, problems: list[Problem]) -> None:
    """Put one key of a pattern into a journey file."""
    if key not in target:
        target[key] = piece
    elif isinstance(piece, Sequence) and not isinstance(piece, str):
        at = {one["name"]: place for place, one in enumerate(target[key])}
        for one in piece:
            _place(target[key], at.get(one["name"]), one, f"$.{key}", replace, problems)
    elif key == "calendars":
        for name, one in piece.items():
            if name in target[key] and _plain(target[key][name]) != one and not replace:
                problems.append(_clash(f"$.{key}.{name}", name))
            else:
                target[key][name] = one
    elif replace:
        target[key] = piece


def _place(rows: Any, at: int | None, one: Any, path: str, replace: bool, problems: list[Problem]) -> None:
    if at is None:
        rows.append(one)
    elif replace:
        rows[at] = one
    elif _plain(rows[at]) != one:
        problems.append(_clash(f"{path}[{at}]", one["name"]))


def _clash(path: str, name: str) -> Problem:
    hint = "rename one of them, or use --replace"
    found = f"something else of the name '{name}'"
    return Problem(path=path, expected="what the pattern says, or another name", found=found, hint=hint)


def _plain(element: Any) -> Any:
    """A round-trip element as plain values."""
    return YAML(typ="safe").load(_dumped(element))


def _dumped(element: Any) -> str:
    yaml = YAML()
    yaml.width = 1000
    out = StringIO()
    yaml.dump(element, out)
    return out.getvalue()


def _wrong(path: str, expected: str, found: str, hint: str) -> TruenorthError:
    return TruenorthError([Problem(path=path, expected=expected, found=found, hint=hint)])
