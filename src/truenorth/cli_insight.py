"""The commands that tell what a journey does to its customers, one a subject."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli_frame import (
    AsJson,
    JourneyPath,
    LogPath,
    Maps,
    Now,
    ObjectType,
    fields_of,
    instant_of,
    progress,
    told,
)

app = typer.Typer(help="What makes customers succeed or fail, and what it costs: from events.", no_args_is_help=True)

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], metavar="DAY", help="The day by which reviews are old; the last of the log."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Of what is sampled and split at random.")]
Excluded = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="COLUMN", help="A column that is not known when a case opens. May be repeated."),
]


@app.command(epilog="Example: truenorth insight gap tickets.csv -j support.yaml")
def gap(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """What customers need against what they get: each statement of the canvas, and which promises close the gap."""
    _tell("gap", log, journey, now, maps, object_type, json, seed=seed, exclude=exclude)


@app.command(epilog="Example: truenorth insight moments tickets.csv -j support.yaml")
def moments(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Moments, hand-overs and decisions: how many, whose, what each moment causes and costs, what serves no outcome."""
    _tell("moments", log, journey, now, maps, object_type, json)


@app.command(epilog="Example: truenorth insight failure tickets.csv -j support.yaml --exclude closed_by")
def failure(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Where cases start to fail: plain and adjusted effects, what if each were gone, and what to do in which order."""
    _tell("failure", log, journey, now, maps, object_type, json, seed=seed, exclude=exclude)


@app.command(epilog="Example: truenorth insight decisions tickets.csv -j support.yaml --as-of 2026-01-31")
def decisions(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    as_of: AsOf = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Every business rule: whose it is and why, when it was reviewed, how often it fires, what it costs customers."""
    _tell("decisions", log, journey, now, maps, object_type, json, as_of=as_of, seed=seed, exclude=exclude)


KpiPath = Annotated[Path, typer.Option("--kpis", metavar="FILE", help="The KPIs to audit, a YAML file.")]
InitiativePath = Annotated[
    Path | None, typer.Option("--initiatives", metavar="FILE", help="What is tried or proposed, a YAML file.")
]


@app.command(epilog="Example: truenorth insight kpis calls.csv -j support.yaml --kpis kpis.yaml")
def kpis(
    log: LogPath,
    journey: JourneyPath,
    kpis: KpiPath,
    now: Now = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Which measures count our own work, which fight the customer, what people are paid for, what to use instead."""
    _tell("kpis", log, journey, now, maps, object_type, json, seed=seed, exclude=exclude, kpis=kpis)


@app.command(epilog="Example: truenorth insight initiatives calls.csv -j support.yaml --initiatives tried.yaml")
def initiatives(
    log: LogPath,
    journey: JourneyPath,
    initiatives: InitiativePath = None,
    now: Now = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """What contributes to the outcome: each initiative before and after, and the line of sight of every team."""
    _tell(
        "initiatives", log, journey, now, maps, object_type, json, seed=seed, exclude=exclude, initiatives=initiatives
    )


@app.command(epilog="Example: truenorth insight pace calls.csv -j support.yaml")
def pace(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """How fast customers change and how fast the company does, on one scale, with the days of the changes."""
    _tell("pace", log, journey, now, maps, object_type, json, seed=seed)


def _tell(
    subject: str,
    log: Path,
    journey: Path,
    now: str | None,
    maps: list[str] | None,
    object_type: str | None,
    json: bool,
    as_of: datetime | None = None,
    seed: int = 0,
    exclude: list[str] | None = None,
    kpis: Path | None = None,
    initiatives: Path | None = None,
) -> None:
    from truenorth import printing, printing_insight, wiring_insight

    with told(json), progress(json) as tell:
        day = as_of.date() if as_of else None
        inputs = wiring_insight.inputs(as_of=day, seed=seed, exclude=exclude or (), kpis=kpis, initiatives=initiatives)
        insight = wiring_insight.insight(
            subject, journey, log, inputs=inputs, now=instant_of(now), fields=fields_of(maps),
            object_type=object_type, on_progress=tell,
        )  # fmt: skip
    printing.notes(insight.log, insight.replay, kept=False)
    printing_insight.told(insight, as_json=json)
