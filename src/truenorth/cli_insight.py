"""The commands that tell what a journey does to its customers, one a subject."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from truenorth.insight.concentration import Measure


class Measured(StrEnum):
    """What a concentration adds up."""

    events = "events"
    cases = "cases"
    customers = "customers"
    failed = "failed"
    cost = "cost"
    revenue = "revenue"


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


@app.command(epilog="Example: truenorth insight feel tickets.csv -j support.yaml")
def feel(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Six figures of how it feels to be a customer, each with its formula; and what an achieved outcome costs."""
    _tell("feel", log, journey, now, maps, object_type, json)


@app.command(epilog="Example: truenorth insight concentration clicks.csv -j shop.yaml --of campaign --measure events")
def concentration(
    log: LogPath,
    journey: JourneyPath,
    of: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Campaign, channel, customer ... or 'broken promise'; what the log has."),
    ] = None,
    measure: Annotated[Measured, typer.Option(help="What is added up for each.")] = Measured.cases,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="So many of the largest together.")] = 5,
    now: Now = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """How much comes from how few: the top campaigns of all clicks, the top causes of all failures ..."""
    _tell("concentration", log, journey, now, maps, object_type, json, of=of, measure=measure.value, k=top)


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
    of: str | None = None,
    measure: Measure = "cases",
    k: int = 5,
) -> None:
    from truenorth import printing, printing_insight, wiring_insight
    from truenorth.report.section import Inputs

    asked = ((of, measure),) if of else ()
    day = as_of.date() if as_of else None
    inputs = Inputs(as_of=day, seed=seed, exclude=tuple(exclude or ()), of=asked, k=k)
    with told(json), progress(json) as tell:
        insight = wiring_insight.insight(
            subject, journey, log, inputs=inputs, now=instant_of(now), fields=fields_of(maps),
            object_type=object_type, on_progress=tell,
        )  # fmt: skip
    printing.notes(insight.log, insight.replay, kept=False)
    printing_insight.told(insight, as_json=json)
