"""Patterns in files: saved from journeys and insights with their evidence, listed, tried on a log, applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from truenorth.engine.replay import Replay
from truenorth.insight.pattern import (
    Evidence,
    Kind,
    Pattern,
    apply_pattern,
    content_of,
    difference,
    parse_pattern,
    write_pattern,
)
from truenorth.logs.log import Progress
from truenorth.logs.whole import folder_at, whole_file
from truenorth.report.section import Inputs
from truenorth.report.subjects import subject
from truenorth.spec.load import parse_journey
from truenorth.spec.problems import Problem, TruenorthError, nearest
from truenorth.wiring import journey as wiring
from truenorth.wiring.text_file import text_of

SUFFIXES = (".yaml", ".yml")


class Source(NamedTuple):
    """What a pattern is made from: a journey file, and what else its kind and its evidence need."""

    journey: Path
    log: Path | None = None
    kpis: Path | None = None
    insight: str | None = None
    fields: Mapping[str, str] = {}


def read_pattern(path: Path) -> Pattern:
    """The pattern in a file; TruenorthError where it cannot be read."""
    return parse_pattern(text_of(path, "a pattern file", "name a pattern file"), str(path))


def pattern_called(name: str, folder: Path) -> Pattern:
    """The pattern of a name in a folder, as a list shows it, or in the file of that path.

    TruenorthError where there is none, with the nearest name, or more than one, with their files.
    """
    if is_path(name):
        return read_pattern(Path(name))
    kept = list(patterns_in(folder))
    found = [(path, pattern) for path, pattern in kept if pattern.name == name]
    if len(found) > 1:
        files = " and ".join(str(path) for path, _ in found)
        raise _wrong(name, f"one pattern of this name in {folder}", files, "name one by its file")
    if found:
        return found[0][1]
    hint = nearest(name, [pattern.name for _, pattern in kept]) or "name a file, or its folder with --dir DIR"
    raise _wrong(name, f"a pattern file, or the name of a pattern in {folder}", "neither", hint)


def is_path(name: str) -> bool:
    """Whether a pattern is named by its file: one that is there, or what only a path looks like."""
    return Path(name).is_file() or Path(name).suffix in SUFFIXES or Path(name).name != name


def save_pattern(
    path: Path,
    name: str,
    kind: Kind,
    source: Source,
    *,
    saved: date,
    about: str = "",
    on_progress: Progress | None = None,
) -> Pattern:
    """Keep a piece of a journey, a file of KPIs or an insight as a pattern; evidence is from the log, if there is one.

    TruenorthError where something is missing, or where another file stands at ``path``.
    """
    if path.exists():
        raise _wrong(str(path), "no file of this name", "one", "choose another name, or remove it first")
    text = wiring.read_journey_file(source.journey).decode()
    replayed = _replayed(text, source, on_progress) if source.log else None
    content = _content(kind, text, source, replayed)
    evidence = _evidence(source.log, replayed) if source.log and replayed else Evidence()
    pattern = Pattern(name=name, kind=kind, about=about, saved=saved, content=content, evidence=evidence)
    folder_at(path.parent)
    with whole_file(path) as unfinished:
        unfinished.write_text(write_pattern(pattern), encoding="utf-8")
    return pattern


def patterns_in(folder: Path) -> Iterator[tuple[Path, Pattern]]:
    """All patterns of a folder by file name; TruenorthError for a file that is none."""
    for path in sorted(folder.glob("*.yaml")):
        yield path, read_pattern(path)


class Applied(NamedTuple):
    """A journey file with a pattern in it, and what that changes in the verdicts on a log (None without one)."""

    text: str
    changes: list[tuple[str, str, int, int]] | None


def applied(pattern: Pattern, source: Source, *, replace: bool = False, on_progress: Progress | None = None) -> Applied:
    """Put a pattern into a journey file, check what comes of it, and compare the verdicts on a log.

    TruenorthError names the journey file, and the pattern where it is what does not fit.
    """
    before = wiring.read_journey_file(source.journey).decode()
    wiring.load_journey(source.journey)
    try:
        after = apply_pattern(pattern, before, replace=replace)
        parse_journey(after)
    except TruenorthError as error:
        raise TruenorthError(error.problems, source=f"{source.journey} with the pattern {pattern.name}") from None
    if source.log is None:
        return Applied(after, None)
    old, new = (_replayed(text, source, on_progress).summary for text in (before, after))
    return Applied(after, difference(old, new))


def write_journey(path: Path, text: str) -> None:
    """Write a journey file that nobody has edited yet; TruenorthError where a file is there."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise _wrong(str(path), "a file that can be made", str(error), "choose another name") from None


def _content(kind: Kind, text: str, source: Source, replayed: Replay | None) -> Any:
    if kind == "kpis":
        if source.kpis is None:
            raise _wrong("--kpis", "a file of KPIs", "none", "name it with --kpis FILE")
        return YAML(typ="safe").load(text_of(source.kpis, "a file of KPIs", "name one with --kpis FILE"))
    if kind == "insight":
        if source.insight is None or replayed is None:
            raise _wrong("--insight", "a subject and a log", "one of them is missing", "name --insight and --log")
        section = subject(source.insight).make(replayed, Inputs())
        return {"subject": source.insight, "finding": section.finding}
    return content_of(text, kind)


def _replayed(text: str, source: Source, on_progress: Progress | None) -> Replay:
    assert source.log is not None
    journey = parse_journey(text)
    return wiring.replay_file(
        journey, source.log, fields=source.fields, all_columns=bool(source.insight), on_progress=on_progress
    )[0]


def _evidence(log: Path, replayed: Replay) -> Evidence:
    summary = replayed.summary
    return Evidence(
        log=log.name,
        sha256=_digest(log),
        events=summary["events"],
        cases=summary["cases"],
        outcome=dict(summary["outcome"]),
        promises={name: dict(verdicts) for name, verdicts in summary["promises"].items()},
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wrong(path: str, expected: str, found: str, hint: str) -> TruenorthError:
    return TruenorthError([Problem(path=path, expected=expected, found=found, hint=hint)])
