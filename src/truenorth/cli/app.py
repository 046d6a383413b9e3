"""The command line as a whole."""

from __future__ import annotations

from os import environ

import typer

from truenorth.cli import (
    action,
    demo,
    foresight,
    insight,
    journey,
    models,
    pattern,
    policy,
    service,
    simulate,
    store,
    stream,
)

app = typer.Typer(
    help="Measures, from events, whether every customer gets the outcome they came for.",
    epilog="Start with: truenorth discover LOG > journey.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

app.add_typer(journey.app)
app.add_typer(stream.app)
app.add_typer(insight.app, name="insight")
app.add_typer(pattern.app, name="pattern")
app.add_typer(simulate.app)
app.add_typer(foresight.app)
app.add_typer(models.app)
app.add_typer(demo.app)
app.add_typer(service.app)
app.add_typer(store.app)
app.add_typer(action.app)
app.add_typer(policy.app)


WAITING = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads of OpenMP (LightGBM's) sleep when they wait for each other: else, where other processes want the same cores,
they burn several times what they compute. What the user has set stays."""


def main() -> None:
    """Run the command line."""
    for name, value in WAITING.items():
        environ.setdefault(name, value)  # before any library that reads it is loaded
    app()
