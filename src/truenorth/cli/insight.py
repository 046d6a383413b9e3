"""The commands that tell what a journey does to its customers, one a subject."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from truenorth.cli.frame import (
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


@app.command(epilog="Example: truenorth insight voice tickets.csv -j support.yaml --write-names themes.yaml")
def voice(
    log: LogPath,
    journey: JourneyPath,
    names: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Names of themes, as --write-names writes them.")
    ] = None,
    write_names: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the themes' names there, to be edited.")
    ] = None,
    now: Now = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """What customers say, in any language, as themes: how often, what becomes of those who say it, for example."""
    from truenorth.printing import journey as printing
    from truenorth.wiring import insight as wiring_insight

    with told(json):
        found = _tell("voice", log, journey, now, maps, object_type, json, seed=seed, names=names)
        if write_names:
            wiring_insight.write_names(found.section.answer, write_names)
            printing.wrote([write_names])


@app.command(epilog="Example: truenorth insight maturity tickets.csv -j support.yaml --answer may_act_at_once=no")
def maturity(
    log: LogPath,
    journey: JourneyPath,
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=yes|no", help="What people answer to what data cannot tell. May be repeated."),
    ] = None,
    as_of: AsOf = None,
    now: Now = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Ten yes-or-no questions on whether the customer comes first, with the evidence and the next step."""
    _tell("maturity", log, journey, now, maps, object_type, json, as_of=as_of, people=_answers(answer or []))


def _answers(texts: list[str]) -> dict[str, bool]:
    from truenorth.insight.maturity import KEYS

    found = {}
    for text in texts:
        key, _, said = text.partition("=")
        if key not in KEYS or said not in ("yes", "no"):
            message = f"{text!r} is no answer such as {KEYS[-1]}=yes; questions are {', '.join(KEYS)}"
            raise typer.BadParameter(message, param_hint="--answer")
        found[key] = said == "yes"
    return found


@app.command(epilog="Example: truenorth insight practitioners questions.yaml answers.csv --as-of 2026-11-01")
def practitioners(
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="The questions, as YAML.")],
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="The answers, as CSV: one row a contributor.")],
    as_of: AsOf = None,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """A survey of practitioners: the five challenges that most of those accredited for long enough share."""
    from truenorth.printing import insight as printing_insight
    from truenorth.wiring import insight as wiring_insight

    day = as_of or datetime.now(UTC)  # noqa: TID251 the rim
    with told(json):
        found = wiring_insight.practitioners(questions, answers, day.date(), seed)
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
    **asked: Any,
) -> Insight:
    """Answer a subject and print it; ``asked`` goes to `wiring_insight.inputs`."""
    from truenorth.printing import insight as printing_insight
    from truenorth.printing import journey as printing
    from truenorth.wiring import insight as wiring_insight

    with told(json), progress(json) as tell:
        insight = wiring_insight.insight(
            subject, journey, log, inputs=wiring_insight.inputs(**asked), now=instant_of(now), fields=fields_of(maps),
            object_type=object_type, on_progress=tell,
        )  # fmt: skip
    printing.notes(insight.log, insight.replay, kept=False)
    printing_insight.told(insight, as_json=json)
    return insight
