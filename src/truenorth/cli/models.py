"""Commands about the models of a store: which is asked, and how it does."""

from __future__ import annotations

from typing import Annotated

import typer

from truenorth.cli.frame import AsJson, progress, told
from truenorth.cli.store import DEFAULT, Database

app = typer.Typer()
models = typer.Typer(help="Models of a store: what foresees its cases.", no_args_is_help=True)

JourneyName = Annotated[str, typer.Argument(metavar="JOURNEY", help="The name of a journey.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A model, as 'models list' shows it.")]


@models.command("list", epilog="Example: truenorth models list --journey help")
def list_models(
    journey: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this journey.")] = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """All models, the newest first."""
    with told(json):
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        found = wiring_models.models(db, journey)
    printing_models.models(found, as_json=json)


@models.command("show", epilog="Example: truenorth models show help")
def show_model(
    journey: JourneyName,
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="A model, as 'models list' shows it; else the live one.")
    ] = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """A model, how it did on held-out time, and the looks at it."""
    with told(json):
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        row, looks = wiring_models.model(db, journey, version)
    printing_models.model(row, looks, as_json=json)


@models.command("promote", epilog="Example: truenorth models promote help 5f2b8c0e9d7a")
def promote_model(
    journey: JourneyName,
    version: Version,
    insist: Annotated[
        bool, typer.Option("--insist", help="Although it is no better than the baselines; it is noted in the audit.")
    ] = False,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Make a model the live one: its risks are shown and told. The one that was is retired."""
    with told(json):
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        row = wiring_models.promote(db, journey, version, insisted=insist)
    printing_models.models([row], as_json=json)


@models.command("roll-back", epilog="Example: truenorth models roll-back help")
def roll_back(journey: JourneyName, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Make the model live that was so before."""
    with told(json):
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        row = wiring_models.roll_back(db, journey)
    printing_models.models([row], as_json=json)


@models.command("retire", epilog="Example: truenorth models retire help 5f2b8c0e9d7a")
def retire_model(journey: JourneyName, version: Version, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Ask a model no more."""
    with told(json):
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        row = wiring_models.retire(db, journey, version)
    printing_models.models([row], as_json=json)


@models.command("watch", epilog="Example: truenorth models watch help --propose  (once a week, by cron)")
def watch_model(
    journey: JourneyName,
    version: Annotated[str | None, typer.Option(metavar="V", help="Not the live one but this.")] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Where it does badly, learn another one and keep it as a shadow.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed sees the same.")] = 0,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Judge a model on the cases that have ended since, look whether cases still look alike, and keep what is seen."""
    with told(json), progress(json) as tell:
        from truenorth.printing import models as printing_models
        from truenorth.wiring import models as wiring_models

        seen = wiring_models.watch(db, journey, version, propose=propose, seed=seed, tell=tell)
    printing_models.seen(seen, as_json=json)


app.add_typer(models, name="models")
