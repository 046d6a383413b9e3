"""The command that judges events as they come, on Apache Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.cluster import Choice, Conf, Engine, IdentitiesChoice, Master, place_of
from truenorth.cli.frame import AsJson, JourneyPath, Maps, asked, fields_of, pairs_of, told

app = typer.Typer()


@app.command(
    epilog="Examples: truenorth stream arriving/ -j support.yaml --checkpoint cp/ --out judged/\n\n"
    "truenorth stream kafka://broker:9092/truenorth.events -j support.yaml --checkpoint s3a://cp/support "
    "--db postgresql://... --every 10s"
)
def stream(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A folder into which Parquet files arrive, or kafka://BROKERS/TOPIC."),
    ],
    journey: JourneyPath,
    checkpoint: Annotated[
        str, typer.Option(metavar="DIR", help="Where Spark keeps how far it is and all state; all machines reach it.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write signals, what was put aside, and the tables there.")
    ] = None,
    db: Annotated[
        str | None, typer.Option(metavar="URL", help="Write verdicts and signals to a store of its own.")
    ] = None,
    signals_to: Annotated[
        str | None, typer.Option(metavar="kafka://BROKERS/TOPIC", help="Send signals to a topic of Kafka.")
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="T", help="Go on for ever, a micro-batch each T, such as 10s; else take what is there."),
    ] = None,
    lateness: Annotated[
        str, typer.Option(metavar="T", help="How far the watermark stays behind the latest event.")
    ] = "5s",
    hold: Annotated[
        str, typer.Option(metavar="T", help="How long late events of a closed case are still taken.")
    ] = "1d",
    buckets: Annotated[int, typer.Option(min=1, help="States; as many as the checkpoint has begun with.")] = 8,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME=TYPE", help="Kafka: Spark's type of a property, such as amount=double."),
    ] = None,
    maps: Maps = None,
    on: Annotated[Engine, typer.Option("--on", help="The engine.")] = Engine.spark,
    master: Master = None,
    conf: Conf = None,
    identities: IdentitiesChoice = None,
    json: AsJson = False,
) -> None:
    """Judge events as they come: verdicts and signals, exactly once in effect, also after a crash."""
    from truenorth.printing import stream as printing
    from truenorth.wiring import stream as wiring
    from truenorth.wiring.journey import naming
    from truenorth.wiring.stream import pace_of

    if not (out or db or signals_to):
        raise typer.BadParameter("name at least one of --out, --db, --signals-to: what is judged has to go somewhere")
    if identities is Choice.joined:
        raise typer.BadParameter("a stream joins nobody: as-written, or leave it out", param_hint="--identities")
    place = place_of(on, master, None, conf, None, identities)
    assert place is not None
    with asked():
        pace = pace_of(lateness, hold, every, buckets, as_written=identities is Choice.as_written)
        wanted = wiring.Asked(source, checkpoint, fields_of(maps), pairs_of(kinds, "--type"), out, db, signals_to)
    with told(json), naming(journey) as loaded:
        streamed = wiring.run_stream(loaded, wanted, pace, place, printing.batch_of(json))
    printing.ended(streamed, as_json=json)
