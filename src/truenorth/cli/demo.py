"""The command that shows everything at once, with a made-up company."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.frame import progress, told

app = typer.Typer()


@app.command(
    epilog="Examples: truenorth demo\n\n"
    "truenorth demo --folder demo --port 9000  (keeps what it prepared: the next start takes seconds)"
)
def demo(
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the prepared history here; without it, it is made each time."),
    ] = None,
    company: Annotated[
        Path, typer.Option(metavar="DIR", help="The journey files of the company, with its steering/ beside them.")
    ] = Path("examples/company"),
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen; only on this machine.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65_535, help="On which port; another one if it is taken.")
    ] = 8080,
    speed: Annotated[
        float, typer.Option(metavar="X", min=1.001, max=600, help="60 lets an hour pass in a minute.")
    ] = 60.0,
    prepare: Annotated[bool, typer.Option("--prepare", help="Only prepare the history in --folder, and end.")] = False,
) -> None:
    """Let a made-up company live, with all journeys, models, people and actions, and serve it at one address."""
    if prepare and folder is None:
        raise typer.BadParameter("name the folder that is to keep it", param_hint="--folder")
    with told():
        from truenorth.cli.frame import asked
        from truenorth.printing import demo as printing_demo
        from truenorth.server.addresses import only_loopback
        from truenorth.wiring import demo as wiring_demo

        with asked():
            only_loopback(host)
        plan = wiring_demo.Plan()
        with wiring_demo.interrupted_once(), wiring_demo.kept(folder) as place:
            with progress(lines=True) as tell:
                made = wiring_demo.prepared(place, company, plan, tell)
            if prepare:
                printing_demo.ready(made)
                return
            try:
                wiring_demo.run(
                    place, plan, speed=speed, host=host, port=port,
                    on_started=lambda address: printing_demo.started(address, made, plan.live_from, speed),
                )  # fmt: skip
            except KeyboardInterrupt:
                printing_demo.ended()
