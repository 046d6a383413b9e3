"""Options of commands that can run on a cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from truenorth.cli.frame import pairs_of

if TYPE_CHECKING:
    from truenorth.wiring.cluster import Place

PANEL = "On a cluster"


class Engine(StrEnum):
    """Where the work can be done beside this process."""

    spark = "spark"


class Choice(StrEnum):
    """What becomes of ids that are stated to be one person's."""

    as_written = "as-written"
    joined = "joined"


On = Annotated[
    Engine | None,
    typer.Option("--on", help="Judge on Apache Spark; LOG may be any path it reads.", rich_help_panel=PANEL),
]
Master = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Spark's master, such as spark://host:7077; this machine.", rich_help_panel=PANEL),
]
Remote = Annotated[
    str | None, typer.Option(metavar="sc://HOST", help="A Spark Connect server instead.", rich_help_panel=PANEL)
]
Conf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="A setting of Spark, such as spark.driver.memory=4g.", rich_help_panel=PANEL
    ),
]
Buckets = Annotated[
    int | None,
    typer.Option(min=1, help="Parts that are judged apart; one for every half million events.", rich_help_panel=PANEL),
]
IdentitiesChoice = Annotated[
    Choice | None,
    typer.Option("--identities", help="What becomes of ids stated to be one person's.", rich_help_panel=PANEL),
]


def place_of(
    on: Engine | None,
    master: str | None,
    remote: str | None,
    conf: list[str] | None,
    buckets: int | None,
    identities: Choice | None,
) -> Place | None:
    """Where a command runs; None for this process. Options of a cluster without one are an error."""
    given = {"--master": master, "--remote": remote, "--conf": conf, "--buckets": buckets, "--identities": identities}
    if on is None:
        for name, value in given.items():
            if value is not None:
                raise typer.BadParameter("it goes with --on spark", param_hint=name)
        return None
    from truenorth.wiring.cluster import Place

    return Place(
        master, remote, pairs_of(conf, "--conf", "spark."), buckets, None if identities is None else identities.value
    )
