"""Commands about acting: decide, who may do what, what is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.frame import AsJson, told
from truenorth.cli.store import DEFAULT, Database

app = typer.Typer()
authority = typer.Typer(help="Authority: who decides, and what they may.", no_args_is_help=True)
actions = typer.Typer(help="Actions: what is offered, and what is switched off.", no_args_is_help=True)

JourneyName = Annotated[str, typer.Argument(metavar="JOURNEY", help="The name of a live journey.")]
ActionName = Annotated[str, typer.Argument(metavar="ACTION", help="The name of an action; '*' for all.")]


@app.command(epilog="Example: truenorth decide support T0020 --as anna")
def decide(
    journey: JourneyName,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case.")],
    person: Annotated[str, typer.Option("--as", metavar="PERSON", help="Who is to act, by id in the people file.")],
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Say what to do for a case now, and reserve what it takes."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        made = wiring_action.decide(db, journey, case, person)
    printing_action.decision(made, as_json=json)


@authority.command("load", epilog="Example: truenorth authority load people.yaml")
def load_people(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The people file.")],
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Add or replace people, teams, levels and courses; all problems of the file at once."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        counts = wiring_action.load_people(db, file)
    printing_action.loaded(counts, as_json=json)


@authority.command("list", epilog="Example: truenorth authority list --json")
def list_people(db: Database = DEFAULT, json: AsJson = False) -> None:
    """Who decides: their roles, teams and the levels that hold now."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        found = wiring_action.people(db)
    printing_action.people(found, as_json=json)


@actions.command("stop", epilog="Example: truenorth actions stop support call_back_now --reason 'wrong numbers'")
def stop(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The name of a journey; '*' for all.")],
    action: ActionName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; everybody sees it.")],
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Switch an action off, from the next decision on."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        found = wiring_action.stop(db, journey, action, reason)
    printing_action.stopped(found, as_json=json)


@actions.command("resume", epilog="Example: truenorth actions resume support call_back_now")
def resume(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The name of a journey; '*' for all.")],
    action: ActionName,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Switch an action on again; exit status 1 if it was not off."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        was_off = wiring_action.resume(db, journey, action)
        found = wiring_action.stops(db)
    printing_action.stopped(found, as_json=json)
    raise typer.Exit(0 if was_off else 1)


@actions.command("stopped", epilog="Example: truenorth actions stopped")
def list_stopped(db: Database = DEFAULT, json: AsJson = False) -> None:
    """What is switched off, by whom and why."""
    with told(json):
        from truenorth.printing import action as printing_action
        from truenorth.wiring import action as wiring_action

        found = wiring_action.stops(db)
    printing_action.stopped(found, as_json=json)


app.add_typer(authority, name="authority")
app.add_typer(actions, name="actions")
