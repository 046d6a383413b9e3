"""The command that serves live."""

from __future__ import annotations

from os import environ
from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.frame import asked, told
from truenorth.cli.store import DEFAULT, Database

app = typer.Typer()

Lateness = Annotated[
    str, typer.Option(metavar="DURATION", help="How long the watermark waits for events on their way.")
]
Speed = Annotated[
    float, typer.Option(metavar="X", min=0.001, help="How much faster than the clock time passes; for playing.")
]

ClockSince = Annotated[int | None, typer.Option("--since", hidden=True)]
Linked = Annotated[bool, typer.Option("--linked", hidden=True)]
"""What a service says to the processes that it starts beside itself."""


@app.command(
    epilog="Examples: truenorth serve --journeys journeys/\n\n"
    "truenorth serve --db postgresql://truenorth@db.internal/truenorth --host 0.0.0.0 --no-runner\n\n"
    "truenorth serve --open --journeys examples/company  (for trying things out)"
)
def serve(
    db: Database = DEFAULT,
    journeys: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Publish the journey files of this folder.")
    ] = None,
    hooks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Take payloads at /hooks by the mapping files of this folder.")
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65_535, help="On which port.")] = 8080,
    is_open: Annotated[
        bool, typer.Option("--open", help="Nobody on this machine needs a token; only on a loopback address.")
    ] = False,
    runner: Annotated[
        bool,
        typer.Option("--runner/--no-runner", help="Whether a runner is started beside it, which judges."),
    ] = True,
    foresight: Annotated[
        bool,
        typer.Option("--foresight/--no-foresight", help="Whether risks are kept up to date, where there are models."),
    ] = True,
    console: Annotated[
        bool | None,
        typer.Option(
            "--console/--no-console", help="Whether pages for people are served; by default where they are installed."
        ),
    ] = None,
    lateness: Lateness = "5s",
    speed: Speed = 1.0,
) -> None:
    """Take events as they happen, judge every case at once, and tell what changed."""
    with told():
        from truenorth.server.addresses import listening, only_loopback

        with asked():
            if is_open:
                only_loopback(host)
        with listening(host, port) as sockets:
            from truenorth.printing import service as printing_service
            from truenorth.server.service import Settings, run_service
            from truenorth.wiring.console import has_console
            from truenorth.wiring.service import foreseer_command, open_service, pace_of, runner_command

            with asked():
                pace = pace_of(lateness, speed)
            command = runner_command(pace) if runner else ()
            ahead = foreseer_command(pace) if foresight else ()
            settings = Settings(is_open=is_open, runner_command=command, foreseer_command=ahead)
            environ["TRUENORTH_DB"] = db  # for the runner: a command line would show its password
            pages = has_console() if console is None else console
            opened = open_service(
                db,
                settings,
                journeys=journeys,
                hooks=hooks,
                clock=pace.clock,
                with_console=pages,
                foresight=foresight,
            )
            with opened as service:
                run_service(
                    service.app,
                    settings,
                    sockets,
                    lambda address: printing_service.started(service, address, settings),
                )


@app.command(epilog="Example: truenorth runner --db postgresql://truenorth@db.internal/truenorth")
def runner(
    db: Database = DEFAULT,
    lateness: Lateness = "5s",
    speed: Speed = 1.0,
    since: ClockSince = None,
    linked: Linked = False,
) -> None:
    """Judge what arrives at a store, without serving; a second one waits to take over from the first."""
    with told():
        from truenorth.wiring.service import pace_of, run_runner

        with asked():
            pace = pace_of(lateness, speed, since)
        run_runner(db, pace, linked=linked)


@app.command(epilog="Example: truenorth foreseer --db postgresql://truenorth@db.internal/truenorth")
def foreseer(
    db: Database = DEFAULT,
    lateness: Lateness = "5s",
    speed: Speed = 1.0,
    since: ClockSince = None,
    linked: Linked = False,
) -> None:
    """Keep the risks of open cases up to date, without serving; a second one waits to take over from the first."""
    with told():
        from truenorth.wiring.service import pace_of, run_foreseer

        with asked():
            pace = pace_of(lateness, speed, since)
        run_foreseer(db, pace, linked=linked)
