"""Commands about patterns: what worked, kept with its evidence and tried elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.frame import AsJson, JourneyPath, Maps, fields_of, progress, told

app = typer.Typer(help="What worked, kept with its evidence, to be tried elsewhere.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The folder of patterns.")]
Which = Annotated[str, typer.Argument(metavar="PATTERN", help="A pattern file, or the name of a pattern in --dir.")]
MaybeLog = Annotated[Path | None, typer.Option("--log", metavar="LOG", help="The log that it is seen in.")]
PATTERNS = Path("patterns")


class PatternKind(StrEnum):
    """What can be kept."""

    journey = "journey"
    promises = "promises"
    actions = "actions"
    kpis = "kpis"
    insight = "insight"


@app.command(epilog="Example: truenorth pattern save call-backs -j support.yaml --kind promises --log tickets.csv")
def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, and that of its file.")],
    journey: JourneyPath,
    kind: Annotated[PatternKind, typer.Option(help="What of it is kept.")],
    log: MaybeLog = None,
    kpis: Annotated[Path | None, typer.Option(metavar="FILE", help="The KPIs, for --kind kpis.")] = None,
    insight: Annotated[str | None, typer.Option(metavar="SUBJECT", help="The insight, for --kind insight.")] = None,
    about: Annotated[str, typer.Option(metavar="TEXT", help="When it helps, in a sentence.")] = "",
    folder: Folder = PATTERNS,
    maps: Maps = None,
    json: AsJson = False,
) -> None:
    """Keep a journey, its promises or actions, KPIs or an insight as a pattern; with a log, with its evidence."""
    from truenorth.printing import journey as printing
    from truenorth.wiring import pattern as wiring_pattern

    source = wiring_pattern.Source(journey, log, kpis, insight, fields_of(maps))
    path = folder / f"{name}.yaml"
    with told(json), progress(json) as tell:
        today = datetime.now(UTC).date()  # noqa: TID251 the rim
        wiring_pattern.save_pattern(path, name, kind.value, source, saved=today, about=about, on_progress=tell)
    printing.wrote([path], as_json=json)


@app.command("list", epilog="Example: truenorth pattern list --dir patterns")
def list_patterns(folder: Folder = PATTERNS, json: AsJson = False) -> None:
    """The patterns of a folder."""
    from truenorth.printing import pattern as printing_pattern
    from truenorth.wiring import pattern as wiring_pattern

    with told(json):
        printing_pattern.listed(list(wiring_pattern.patterns_in(folder)), as_json=json)


@app.command(epilog="Example: truenorth pattern show call-backs")
def show(pattern: Which, folder: Folder = PATTERNS, json: AsJson = False) -> None:
    """One pattern with its evidence."""
    from truenorth.printing import pattern as printing_pattern
    from truenorth.wiring import pattern as wiring_pattern

    with told(json):
        printing_pattern.shown(wiring_pattern.pattern_called(pattern, folder), as_json=json)


@app.command(epilog="Example: truenorth pattern compare call-backs visits")
def compare(
    pattern: Which,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another one.")],
    folder: Folder = PATTERNS,
    json: AsJson = False,
) -> None:
    """What only one of two patterns says."""
    from truenorth.insight.pattern import compare as compared
    from truenorth.printing import pattern as printing_pattern
    from truenorth.wiring import pattern as wiring_pattern

    with told(json):
        lines = compared(*(wiring_pattern.pattern_called(name, folder) for name in (pattern, other)))
        printing_pattern.compared(lines, as_json=json)


@app.command(epilog="Example: truenorth pattern apply call-backs -j bill.yaml --log bills.csv")
def apply(
    pattern: Which,
    journey: JourneyPath,
    log: MaybeLog = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the journey there; else nothing is.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="What has the same name is replaced.")] = False,
    folder: Folder = PATTERNS,
    maps: Maps = None,
    json: AsJson = False,
) -> None:
    """Try a pattern in a journey: what it changes in the verdicts on a log, and the journey file with it."""
    from truenorth.printing import pattern as printing_pattern
    from truenorth.wiring import pattern as wiring_pattern

    source = wiring_pattern.Source(journey, log, fields=fields_of(maps))
    with told(json), progress(json) as tell:
        found = wiring_pattern.applied(
            wiring_pattern.pattern_called(pattern, folder), source, replace=replace, on_progress=tell
        )
        if output:
            wiring_pattern.write_journey(output, found.text)
    printing_pattern.applied(found, output, as_json=json)
