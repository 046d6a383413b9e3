"""Commands about a log and a journey file: check, replay, explain, discover, report, convert."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truenorth.cli.cluster import Buckets, Conf, IdentitiesChoice, Master, On, Remote, place_of
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
    asked,
    fields_of,
    instant_of,
    progress,
    told,
)

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay
    from truenorth.logs.log import Log, Progress
    from truenorth.wiring.cluster import Place

app = typer.Typer()


class Format(StrEnum):
    """File formats of result tables."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


@app.command(epilog="Example: truenorth check support.yaml --log tickets.csv")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The journey file.")],
    log: Annotated[Path | None, typer.Option("--log", metavar="LOG", help="A log that it must fit.")] = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day by which reviews are old; today.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Report every problem of a journey file at once; exit status 1 if there are errors."""
    from truenorth.printing import journey as printing
    from truenorth.wiring import journey as wiring

    day = today.date() if today else None
    with told(json), progress(json) as tell:
        loaded = wiring.check(
            file, log=log, fields=fields_of(maps), object_type=object_type, today=day, on_progress=tell
        )
    printing.problems(loaded, as_json=json)
    raise typer.Exit(1 if loaded.errors else 0)


@app.command(
    epilog="Examples: truenorth replay tickets.csv -j support.yaml --out results · "
    "truenorth replay s3a://logs/2026/ -j support.yaml --on spark --master spark://host:7077 --out s3a://results"
)
def replay(
    log: Annotated[str, typer.Argument(metavar="LOG", help="CSV, TSV, Parquet, JSON Lines, XES or OCEL 2.0.")],
    journey: JourneyPath,
    now: Now = None,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write cases, promises, summary and quarantine there.")
    ] = None,
    format: Annotated[Format, typer.Option(help="Format of the tables.")] = Format.parquet,  # noqa: A002
    maps: Maps = None,
    object_type: ObjectType = None,
    on: On = None,
    master: Master = None,
    remote: Remote = None,
    conf: Conf = None,
    buckets: Buckets = None,
    identities: IdentitiesChoice = None,
    json: AsJson = False,
) -> None:
    """Judge every case of a log and every promise made to it; with --on spark on a cluster."""
    from truenorth.printing import journey as printing
    from truenorth.results import write_results

    place = place_of(on, master, remote, conf, buckets, identities)
    if place is not None:
        if format is not Format.parquet:
            raise typer.BadParameter("on spark the tables are Parquet", param_hint="--format")
        _replay_on_spark(log, journey, now, out, maps, object_type, place, json)
        return
    with told(json), progress(json) as tell:
        replayed, events = _replay(Path(log), journey, maps, object_type, now, tell)
        written = write_results(replayed, events, out, format=format.value) if out else []
    printing.notes(events, replayed, kept=bool(out))
    printing.summary(replayed, written, as_json=json)


@app.command(epilog="Example: truenorth explain tickets.csv -j support.yaml --case T-1001")
def explain(
    log: LogPath,
    journey: JourneyPath,
    case: Annotated[str, typer.Option("--case", "-c", metavar="CASE", help="The id of a case.")],
    now: Now = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Zone of the times, such as Europe/Rome.")] = "UTC",
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Tell what happened in one case, what was promised, and why each verdict is what it is."""
    from truenorth import explanation
    from truenorth.printing import journey as printing

    _check_zone(timezone)
    with told(json), progress(json) as tell:
        replayed, _ = _replay(log, journey, maps, object_type, now, tell, all_columns=True)
        explained = explanation.explain(replayed, case, timezone=timezone)
    printing.explained(explained, timezone, as_json=json)


@app.command(epilog="Example: truenorth discover tickets.csv > support.yaml")
def discover(
    log: LogPath,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the draft there.")
    ] = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Draft a journey file from a log that nobody has described, with the evidence for each line."""
    from truenorth import discovery
    from truenorth.printing import journey as printing

    with told(json), progress(json) as tell:
        draft = discovery.discover(log, fields=fields_of(maps), object_type=object_type, on_progress=tell)
        if output:
            _write_new(output, draft)
    printing.draft(draft, log, output, as_json=json)


@app.command(
    epilog="Examples: truenorth report tickets.csv -j support.yaml -o report.html --without voice\n\n"
    "truenorth backtest tickets.csv -j support.yaml --json > b.json; "
    "truenorth report tickets.csv -j support.yaml --backtest b.json"
)
def report(
    log: LogPath,
    journey: JourneyPath,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")] = Path(
        "report.html"
    ),
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="PART", help="Only this part of it. May be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="PART", help="Not this part. May be repeated.")
    ] = None,
    kpis: Annotated[Path | None, typer.Option("--kpis", metavar="FILE", help="KPIs to audit, a YAML file.")] = None,
    initiatives: Annotated[
        Path | None, typer.Option("--initiatives", metavar="FILE", help="What is tried or proposed, a YAML file.")
    ] = None,
    backtest: Annotated[
        Path | None,
        typer.Option("--backtest", metavar="FILE", help="What 'truenorth backtest --json' has printed: on foresight."),
    ] = None,
    names: ThemeNames = None,
    answer: Answered = None,
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
    """Write one page that can be opened offline: outcomes, promises, journey map, points of failure, insights."""
    from truenorth.insight.slices import opened_between
    from truenorth.printing import journey as printing
    from truenorth.report import chosen_parts, write_report
    from truenorth.wiring import insight as wiring_insight

    with asked():
        parts = chosen_parts(only or (), without or ())
    people, opened = answers_of(answer), (instant_of(since, "--from"), instant_of(until, "--to"))
    with told(json), progress(json) as tell:
        inputs = wiring_insight.inputs(
            as_of=as_of,
            seed=seed,
            exclude=exclude,
            kpis=kpis,
            initiatives=initiatives,
            names=names,
            people=people,
            backtest=backtest,
        )
        replayed, events = _replay(log, journey, maps, object_type, now, tell, all_columns=True)
        events = events.let_go()  # the replay has them
        tell("drawing", 0.0)
        shown = opened_between(replayed, *opened)
        write_report(shown, output, inputs, parts)
    printing.notes(events, replayed, kept=False)
    printing.reported(shown, output, as_json=json)


@app.command(epilog="Example: truenorth convert tickets.csv tickets.xes.gz --map case='Case ID'")
def convert(
    log: LogPath,
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Its ending names the format.")],
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Write a log in another format: CSV, Parquet, JSON Lines, XES or OCEL 2.0."""
    from truenorth import logs
    from truenorth.printing import journey as printing

    with told(json), progress(json) as tell:
        events = logs.read_log(log, fields=fields_of(maps), object_type=object_type, on_progress=tell)
        logs.write_events(events, output)
    printing.notes(events, None, kept=False)
    printing.converted(events, output, as_json=json)


def _replay(
    log: Path,
    journey: Path,
    maps: list[str] | None,
    object_type: str | None,
    now: str | None,
    tell: Progress,
    *,
    all_columns: bool = False,
) -> tuple[Replay, Log]:
    from truenorth.wiring import journey as wiring

    return wiring.replay_file(
        journey,
        log,
        now=instant_of(now),
        fields=fields_of(maps),
        object_type=object_type,
        all_columns=all_columns,
        on_progress=tell,
    )


def _replay_on_spark(
    log: str,
    journey: Path,
    now: str | None,
    out: str | None,
    maps: list[str] | None,
    object_type: str | None,
    place: Place,
    json: bool,
) -> None:
    from truenorth.printing import journey as printing
    from truenorth.wiring import cluster as wiring
    from truenorth.wiring.journey import naming

    with told(json), progress(json) as tell, naming(journey) as loaded:
        asked = wiring.Asked(log, fields_of(maps), object_type, instant_of(now), out)
        judged = wiring.replay_on_spark(loaded, asked, place, on_progress=tell)
    printing.summary(judged, judged.written, as_json=json)


def _write_new(path: Path, text: str) -> None:
    """Write a file that nobody has edited yet."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise typer.BadParameter(f"{path} exists already; it may hold your edits", param_hint="--output") from None


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise typer.BadParameter(f"there is no time zone {name!r}", param_hint="--timezone") from None
