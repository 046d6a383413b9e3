"""The commands that tell what a journey does to its customers, one a subject."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from truenorth.cli.frame import (
    Answered,
    AsJson,
    AsOf,
    Excluded,
    JourneyPath,
    LogPath,
    Maps,
    Now,
    ObjectType,
    Seed,
    Since,
    ThemeNames,
    Until,
    answers_of,
    fields_of,
    instant_of,
    progress,
    told,
)

if TYPE_CHECKING:
    from truenorth.wiring.insight import Insight


class Measured(StrEnum):
    """What a concentration adds up."""

    events = "events"
    cases = "cases"
    customers = "customers"
    failed = "failed"
    cost = "cost"
    revenue = "revenue"


app = typer.Typer(help="What makes customers succeed or fail, and what it costs: from events.", no_args_is_help=True)


@app.command(epilog="Example: truenorth insight gap tickets.csv -j support.yaml")
def gap(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """What customers need against what they get: each statement of the canvas, and which promises close the gap."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("gap", read, json, seed=seed, exclude=exclude)


@app.command(epilog="Example: truenorth insight moments tickets.csv -j support.yaml")
def moments(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Moments, hand-overs and decisions: how many, whose, what each moment causes and costs, what serves no outcome."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("moments", read, json)


@app.command(epilog="Example: truenorth insight failure tickets.csv -j support.yaml --exclude closed_by")
def failure(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Where cases start to fail: plain and adjusted effects, what if each were gone, and what to do in which order."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("failure", read, json, seed=seed, exclude=exclude)


@app.command(epilog="Example: truenorth insight decisions tickets.csv -j support.yaml --as-of 2026-01-31")
def decisions(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Every business rule: whose it is and why, when it was reviewed, how often it fires, what it costs customers."""
    _tell(
        "decisions",
        _Read(log, journey, now, since, until, maps, object_type),
        json,
        as_of=as_of,
        seed=seed,
        exclude=exclude,
    )


@app.command(epilog="Example: truenorth insight feel tickets.csv -j support.yaml")
def feel(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Six figures of how it feels to be a customer, each with its formula; and what an achieved outcome costs."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("feel", read, json)


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
    since: Since = None,
    until: Until = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """How much comes from how few: the top campaigns of all clicks, the top causes of all failures ..."""
    _tell(
        "concentration",
        _Read(log, journey, now, since, until, maps, object_type),
        json,
        of=of,
        measure=measure.value,
        k=top,
    )


@app.command(epilog="Example: truenorth insight voice tickets.csv -j support.yaml --write-names themes.yaml")
def voice(
    log: LogPath,
    journey: JourneyPath,
    names: ThemeNames = None,
    write_names: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the themes' names there, to be edited.")
    ] = None,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """What customers say, in any language, as themes: how often, what becomes of those who say it, for example."""
    from truenorth.printing import journey as printing
    from truenorth.wiring import insight as wiring_insight

    read = _Read(log, journey, now, since, until, maps, object_type)
    with told(json):
        found = _tell("voice", read, json, seed=seed, names=names)
        if write_names:
            wiring_insight.write_names(found.section.answer, write_names)
            printing.wrote([write_names])


@app.command(epilog="Example: truenorth insight maturity tickets.csv -j support.yaml --answer may_act_at_once=no")
def maturity(
    log: LogPath,
    journey: JourneyPath,
    answer: Answered = None,
    as_of: AsOf = None,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Ten yes-or-no questions on whether the customer comes first, with the evidence and the next step."""
    _tell(
        "maturity",
        _Read(log, journey, now, since, until, maps, object_type),
        json,
        as_of=as_of,
        people=answers_of(answer),
    )


@app.command(epilog="Example: truenorth insight practitioners questions.yaml answers.csv --as-of 2026-11-01")
def practitioners(
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="The questions, as YAML.")],
    answers: Annotated[
        list[Path] | None, typer.Argument(metavar="ANSWERS...", help="The answers, as CSV: one row a contributor.")
    ] = None,
    write_page: Annotated[
        Path | None,
        typer.Option("--write-page", metavar="FILE", help="Write a page on which people answer, and nothing else."),
    ] = None,
    as_of: AsOf = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """A survey of practitioners: the five challenges that most of those accredited for long enough share."""
    from truenorth.printing import insight as printing_insight
    from truenorth.printing import journey as printing
    from truenorth.wiring import insight as wiring_insight

    day = as_of or datetime.now(UTC)  # noqa: TID251 the rim
    with told(json):
        if write_page is not None:
            wiring_insight.write_survey_page(questions, write_page)
            printing.wrote([write_page], as_json=json)
            return
        found = wiring_insight.practitioners(questions, answers or [], day.date(), seed)
        printing_insight.distilled(found, as_json=json)


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
    since: Since = None,
    until: Until = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Which measures count our own work, which fight the customer, what people are paid for, what to use instead."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("kpis", read, json, seed=seed, exclude=exclude, kpis=kpis)


@app.command(epilog="Example: truenorth insight initiatives calls.csv -j support.yaml --initiatives tried.yaml")
def initiatives(
    log: LogPath,
    journey: JourneyPath,
    initiatives: InitiativePath = None,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """What contributes to the outcome: each initiative before and after, and the line of sight of every team."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("initiatives", read, json, seed=seed, exclude=exclude, initiatives=initiatives)


@app.command(epilog="Example: truenorth insight pace calls.csv -j support.yaml")
def pace(
    log: LogPath,
    journey: JourneyPath,
    now: Now = None,
    since: Since = None,
    until: Until = None,
    exclude: Excluded = None,
    seed: Seed = 0,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """How fast customers change and how fast the company does, on one scale, with the days of the changes."""
    read = _Read(log, journey, now, since, until, maps, object_type)
    _tell("pace", read, json, seed=seed, exclude=exclude)


class _Read(NamedTuple):
    """What is read and how, as it was given."""

    log: Path
    journey: Path
    now: str | None
    since: str | None
    until: str | None
    maps: list[str] | None
    object_type: str | None


def _tell(subject: str, read: _Read, json: bool, **asked: Any) -> Insight:
    """Answer a subject and print it; ``asked`` goes to `wiring_insight.inputs`."""
    from truenorth.printing import insight as printing_insight
    from truenorth.printing import journey as printing
    from truenorth.wiring import insight as wiring_insight

    now, since, until = instant_of(read.now), instant_of(read.since, "--from"), instant_of(read.until, "--to")
    with told(json), progress(json) as tell:
        insight = wiring_insight.insight(
            subject, read.journey, read.log, inputs=wiring_insight.inputs(**asked), now=now, since=since, until=until,
            fields=fields_of(read.maps), object_type=read.object_type, on_progress=tell,
        )  # fmt: skip
    printing.notes(insight.log, insight.replay, kept=False)
    printing_insight.told(insight, as_json=json)
    return insight
