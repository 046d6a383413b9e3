"""What the commands about patterns print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.markup import escape
from rich.table import Table as Grid

from truenorth.insight.pattern import Pattern, write_pattern
from truenorth.printing.terminal import err, out, write_json
from truenorth.wiring.pattern import Applied


def listed(patterns: Sequence[tuple[Path, Pattern]], *, as_json: bool) -> None:
    """Patterns, one line each."""
    if as_json:
        write_json([{"file": str(path), **_head(one)} for path, one in patterns])
        return
    if not patterns:
        err.print("No patterns here: truenorth pattern save keeps one.")
        return
    grid = Grid(box=None, pad_edge=False)
    twice = {name for name, n in Counter(one.name for _, one in patterns).items() if n > 1}
    for heading in ("pattern", "kind", "saved", "cases", "about"):
        grid.add_column(heading, justify="right" if heading == "cases" else "left")
    for path, one in patterns:
        seen = f"{one.evidence.cases:,}" if one.evidence.log else "none"
        name = f"{one.name} ({path})" if one.name in twice else one.name
        grid.add_row(escape(name), one.kind, str(one.saved), seen, escape(one.about))
    out.print(grid)
    if twice:
        err.print("Where a name stands twice, name the pattern by its file.")


def shown(pattern: Pattern, *, as_json: bool) -> None:
    """All of a pattern."""
    if as_json:
        write_json(msgspec.to_builtins(pattern))
        return
    out.print(write_pattern(pattern), markup=False, highlight=False, end="")


def compared(lines: Sequence[str], *, as_json: bool) -> None:
    """What only one of two says."""
    if as_json:
        write_json({"same": not lines, "difference": list(lines)})
        return
    for line in lines or ["They say the same."]:
        out.print(line, markup=False, highlight=False)


def applied(found: Applied, output: Path | None, *, as_json: bool) -> None:
    """What a pattern changes in the verdicts, and where the journey went."""
    if as_json:
        keys = ("of", "verdict", "before", "after")
        changes = None if found.changes is None else [dict(zip(keys, row, strict=True)) for row in found.changes]
        write_json({"journey": found.text, "changes": changes})
        return
    if found.changes is None:
        out.print("The journey is valid with the pattern in it. With --log its verdicts are compared.")
    elif not found.changes:
        out.print("No verdict changes.")
    else:
        grid = Grid(box=None, pad_edge=False)
        for heading in ("outcome or promise", "verdict", "before", "after"):
            grid.add_column(heading, justify="right" if heading in ("before", "after") else "left")
        for of, verdict, before, after in found.changes:
            grid.add_row(escape(of), verdict, f"{before:,}", f"{after:,}")
        out.print(grid)
    err.print(f"wrote {output}" if output else "Nothing was written: --output FILE writes the journey.", markup=False)


def _head(pattern: Pattern) -> dict[str, object]:
    return {
        "name": pattern.name, "kind": pattern.kind, "about": pattern.about, "saved": str(pattern.saved),
        "evidence": msgspec.to_builtins(pattern.evidence),
    }  # fmt: skip
