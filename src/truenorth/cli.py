"""The command line: commands; it prints, and never computes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay
    from truenorth.logs.log import Log, Progress
    from truenorth.simulate.company import Drift
    from truenorth.simulate.produce import Receiver

app = typer.Typer(
    help="Measures, from events, whether every customer gets the outcome they came for.",
    epilog="Start with: truenorth discover LOG > journey.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class Format(StrEnum):
    """File formats of result tables."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


LogPath = Annotated[Path, typer.Argument(metavar="LOG", help="CSV, TSV, Parquet, JSON Lines, XES or OCEL 2.0.")]
JourneyPath = Annotated[Path, typer.Option("--journey", "-j", metavar="FILE", help="The journey file.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field, such as case='Case ID'."),
]
ObjectType = Annotated[
    str | None, typer.Option("--object-type", metavar="TYPE", help="OCEL: the type of object that is a case.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]


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
    from truenorth import printing, wiring

    day = today.date() if today else None
    with _told(json), _progress(json) as tell:
        loaded = wiring.check(file, log=log, fields=_fields(maps), object_type=object_type, today=day, on_progress=tell)
    printing.problems(loaded, as_json=json)
    raise typer.Exit(1 if loaded.errors else 0)


@app.command(epilog="Example: truenorth replay tickets.csv -j support.yaml --out results")
def replay(
    log: LogPath,
    journey: JourneyPath,
    now: Annotated[
        str | None, typer.Option(metavar="T", help="Show the log as of this instant, such as 2024-03-31T18:00Z.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write cases, promises, summary and quarantine there.")
    ] = None,
    format: Annotated[Format, typer.Option(help="Format of the tables.")] = Format.parquet,  # noqa: A002
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Judge every case of a log and every promise made to it."""
    from truenorth import printing
    from truenorth.results import write_results

    with _told(json), _progress(json) as tell:
        replayed, events = _replay(log, journey, maps, object_type, now, tell)
        written = write_results(replayed, events, out, format=format.value) if out else []
    printing.notes(events, replayed, kept=bool(out))
    printing.summary(replayed, written, as_json=json)


@app.command(epilog="Example: truenorth explain tickets.csv -j support.yaml --case T-1001")
def explain(
    log: LogPath,
    journey: JourneyPath,
    case: Annotated[str, typer.Option("--case", "-c", metavar="CASE", help="The id of a case.")],
    now: Annotated[str | None, typer.Option(metavar="T", help="Show the log as of this instant.")] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Zone of the times, such as Europe/Rome.")] = "UTC",
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Tell what happened in one case, what was promised, and why each verdict is what it is."""
    from truenorth import explanation, printing

    _check_zone(timezone)
    with _told(json), _progress(json) as tell:
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
) -> None:
    """Draft a journey file from a log that nobody has described, with the evidence for each line."""
    from truenorth import discovery, printing

    with _told(), _progress() as tell:
        draft = discovery.discover(log, fields=_fields(maps), object_type=object_type, on_progress=tell)
        if output:
            _write_new(output, draft)
    printing.draft(draft, log, output)


@app.command(epilog="Example: truenorth report tickets.csv -j support.yaml -o report.html")
def report(
    log: LogPath,
    journey: JourneyPath,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")] = Path(
        "report.html"
    ),
    now: Annotated[str | None, typer.Option(metavar="T", help="Show the log as of this instant.")] = None,
    maps: Maps = None,
    object_type: ObjectType = None,
) -> None:
    """Write one page that can be opened offline: outcomes, promises, journey map, points of failure."""
    from truenorth import printing
    from truenorth.report import write_report

    with _told(), _progress() as tell:
        replayed, events = _replay(log, journey, maps, object_type, now, tell, all_columns=True)
        tell("drawing", 0.0)
        write_report(replayed, output)
    printing.notes(events, replayed, kept=False)
    printing.wrote([output])


@app.command(epilog="Example: truenorth convert tickets.csv tickets.xes.gz --map case='Case ID'")
def convert(
    log: LogPath,
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Its ending names the format.")],
    maps: Maps = None,
    object_type: ObjectType = None,
) -> None:
    """Write a log in another format: CSV, Parquet, JSON Lines, XES or OCEL 2.0."""
    from truenorth import logs, printing

    with _told(), _progress() as tell:
        events = logs.read_log(log, fields=_fields(maps), object_type=object_type, on_progress=tell)
        logs.write_events(events, output)
    printing.notes(events, None, kept=False)
    printing.wrote([output])


@app.command(
    epilog="Examples: truenorth simulate --out company.parquet --customers 10000 --truth truth.json\n\n"
    "truenorth simulate --out bad.csv.gz --days 30 --faults duplicates=0.01,disorder=0.05,lateness=0.02\n\n"
    "truenorth simulate --to http://localhost:8000 --write-key KEY --speed 60 --as-now"
)
def simulate(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The log to write; its ending names the format.")
    ] = None,
    customers: Annotated[int, typer.Option(metavar="N", help="Customers of the company.")] = 6_000,
    days: Annotated[int, typer.Option(metavar="D", help="Days that are lived.")] = 60,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The first day.")] = datetime(
        2026, 1, 5
    ),
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same events.")] = 1,
    journey: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only events of connect, help, bill or move.")
    ] = None,
    faults: Annotated[
        str,
        typer.Option(
            metavar="NAME=RATE,...",
            help="What goes wrong on the way: duplicates, disorder, lateness, clock_skew, missing, identity.",
        ),
    ] = "",
    incentive: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What teams are paid by: handle_time, answer_rate. May be repeated."),
    ] = None,
    drift: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT=SIZE@DAY", help="A change on a day, such as staffing=0.2@30. May be repeated."),
    ] = None,
    surveys: Annotated[bool, typer.Option("--surveys/--no-surveys", help="Whether customers are asked.")] = True,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write causes and their true effects there, as JSON.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="URL", help="Play the log live to this receiver.")] = None,
    write_key: Annotated[
        str | None, typer.Option(metavar="KEY", envvar="TRUENORTH_WRITE_KEY", help="The receiver's write key.")
    ] = None,
    speed: Annotated[float, typer.Option(metavar="X", help="60 plays a minute a second; inf does not wait.")] = 1.0,
    as_now: Annotated[
        bool, typer.Option("--as-now", help="Shift all times so that the log ends in the present.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Let a made-up company live: events whose causes are known, as a file or as a live stream."""
    from truenorth import printing, wiring
    from truenorth.simulate.company import Company
    from truenorth.simulate.faults import parse_faults
    from truenorth.simulate.produce import Order

    with _asked():
        company = Company(
            n_customers=customers,
            days=days,
            start=start.date(),
            incentives=tuple(incentive or ()),  # type: ignore[arg-type] # names are checked there
            drifts=tuple(_drift(text) for text in drift or ()),
            surveys=surveys,
        )
        receiver = _receiver(to, write_key, speed, as_now)
        order = Order(out=out, journey=journey, faults=parse_faults(faults), truth=truth, to=receiver)
    with _told(json), _progress(json) as tell:
        produced = wiring.simulate(company, seed, order, on_progress=tell)
    printing.simulated(produced, company, seed, as_json=json)
    if produced.streamed and produced.streamed.interrupted:
        raise typer.Exit(130)


def main() -> None:
    """Run the command line."""
    app()


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
    from truenorth import wiring

    return wiring.replay_file(
        wiring.load_journey(journey),
        log,
        now=_instant(now),
        fields=_fields(maps),
        object_type=object_type,
        all_columns=all_columns,
        on_progress=tell,
    )


def _write_new(path: Path, text: str) -> None:
    """Write a file that nobody has edited yet."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise typer.BadParameter(f"{path} exists already; it may hold your edits", param_hint="--output") from None


def _fields(maps: list[str] | None) -> dict[str, str]:
    """``--map`` options as a mapping from canonical field to column."""
    from truenorth.spec.model import CANONICAL_TYPES
    from truenorth.spec.problems import nearest

    fields = {}
    for item in maps or []:
        name, equals, column = item.partition("=")
        if not equals or not column:
            raise typer.BadParameter(f"{item!r} is not of the form FIELD=COLUMN", param_hint="--map")
        if name not in CANONICAL_TYPES:
            raise typer.BadParameter(
                f"no field is called '{name}'; {nearest(name, list(CANONICAL_TYPES))}", param_hint="--map"
            )
        fields[name] = column
    return fields


def _drift(text: str) -> Drift:
    from truenorth.simulate.company import Drift

    what, _, rest = text.partition("=")
    size, _, day = rest.partition("@")
    try:
        return Drift(what, int(day), float(size))  # type: ignore[arg-type] # names are checked with the company
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not of the form WHAT=SIZE@DAY", param_hint="--drift") from None


def _receiver(to: str | None, write_key: str | None, speed: float, as_now: bool) -> Receiver | None:
    from truenorth.simulate.produce import Receiver

    if to is None:
        return None
    if not write_key:
        raise typer.BadParameter("a stream needs the receiver's write key", param_hint="--write-key")
    return Receiver(url=to, write_key=write_key, speed=speed, as_now=as_now)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no instant such as 2024-03-31 or 2024-03-31T18:00:00+02:00"
        raise typer.BadParameter(message, param_hint="--now") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise typer.BadParameter(f"there is no time zone {name!r}", param_hint="--timezone") from None


@contextmanager
def _asked() -> Iterator[None]:
    """Turn what cannot be asked for into a message and exit status 2."""
    from truenorth.spec.problems import TruenorthError

    try:
        yield
    except TruenorthError as error:
        raise typer.BadParameter("\n".join(str(problem).removeprefix("$.") for problem in error.problems)) from None


@contextmanager
def _told(as_json: bool = False) -> Iterator[None]:
    """Turn what cannot be used, and what the system refuses, into a message and exit status 1."""
    from truenorth.spec.problems import TruenorthError

    try:
        yield
    except TruenorthError as error:
        from truenorth import printing

        printing.refused(error, as_json=as_json)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped; nothing half-written is left", err=True)
        raise typer.Exit(130) from None


@contextmanager
def _progress(quiet: bool = False) -> Iterator[Callable[[str, float], Any]]:
    """A progress bar on standard error where that is a terminal; elsewhere only a word about a first run."""
    from truenorth import printing

    with printing.stages() if quiet or not sys.stderr.isatty() else printing.progress() as tell:
        yield tell
