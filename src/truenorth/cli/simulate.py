"""The command that lets a made-up company live."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truenorth.cli.frame import AsJson, asked, progress, told

if TYPE_CHECKING:
    from truenorth.simulate.company import Drift
    from truenorth.simulate.produce import Receiver

app = typer.Typer()


@app.command(
    epilog="Examples: truenorth simulate --out company.parquet --customers 10000 --truth truth.json\n\n"
    "truenorth simulate --out bad.csv.gz --days 30 --faults duplicates=0.01,disorder=0.05,lateness=0.02\n\n"
    "truenorth simulate --to http://localhost:8080 --write-key KEY --speed 60 --as-now"
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
    from truenorth.printing import journey as printing
    from truenorth.simulate.company import Company
    from truenorth.simulate.faults import parse_faults
    from truenorth.simulate.produce import Order
    from truenorth.wiring import journey as wiring

    with asked():
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
    with told(json), progress(json) as tell:
        produced = wiring.simulate(company, seed, order, on_progress=tell)
    printing.simulated(produced, company, seed, as_json=json)
    if produced.streamed and produced.streamed.interrupted:
        raise typer.Exit(130)


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
