"""Commands that judge a policy before it is let loose, learn what actions do, and show what acting brought."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from truenorth.cli.action import actions
from truenorth.cli.frame import AsJson, progress, told
from truenorth.cli.store import DEFAULT, Database

app = typer.Typer()

OfJourney = Annotated[str, typer.Option("--journey", metavar="NAME", help="The name of a live journey.")]


@app.command(
    "evaluate-policy",
    epilog="Examples: truenorth evaluate-policy decisions.parquet --policy call_back_now\n\n"
    "truenorth evaluate-policy --journey support --policy learnt --limit 50",
)
def evaluate_policy(
    decisions: Annotated[
        Path | None, typer.Argument(metavar="[DECISIONS]", help="Logged decisions: Parquet or JSON Lines.")
    ] = None,
    journey: Annotated[
        str | None, typer.Option("--journey", metavar="NAME", help="Instead of a file: the store's, of a journey.")
    ] = None,
    policy: Annotated[str, typer.Option(metavar="NAME", help="'learnt' from the log itself, or always one action.")] = (
        "learnt"
    ),
    limit: Annotated[
        float | None, typer.Option(metavar="MONEY", min=0, help="What if one action might cost up to this?")
    ] = None,
    least: Annotated[
        float, typer.Option(metavar="N", min=1, help="Effective sample size below which no winner is called.")
    ] = 200,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Say what a policy would have brought, from decisions that were logged with their propensities."""
    if (decisions is None) == (journey is None):
        raise typer.BadParameter("name either a file of decisions or, with --journey, those of the store")
    from truenorth.printing import policy as printing_policy
    from truenorth.wiring import policy as wiring_policy

    with told(json), progress(json) as tell:
        asked = wiring_policy.asked_for(policy, limit, least)
        if decisions is not None:
            found = wiring_policy.evaluate_file(decisions, asked, tell)
        else:
            found = wiring_policy.evaluate_store(db, str(journey), asked, tell)
    printing_policy.evaluation(found, as_json=json)


@actions.command("learn", epilog="Example: truenorth actions learn --journey support")
def learn(journey: OfJourney, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Learn from decisions and what came of them what actions do; the next decision asks it."""
    from truenorth.printing import policy as printing_policy
    from truenorth.wiring import policy as wiring_policy

    with told(json), progress(json) as tell:
        found = wiring_policy.learn(db, journey, tell)
    printing_policy.learning(found, as_json=json)


@app.command(epilog="Example: truenorth ledger --journey support --per month")
def ledger(
    journey: OfJourney,
    per: Annotated[Literal["day", "month", "year"], typer.Option(help="The length of a period, UTC.")] = "month",
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a row for each figure.")] = False,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Show what acting cost, earned and brought customers, against cases held out; and what overriding brought."""
    from truenorth.printing import policy as printing_policy
    from truenorth.wiring import policy as wiring_policy

    with told(json), progress(json) as tell:
        found = wiring_policy.ledger(db, journey, per, tell)
    printing_policy.ledger(found, as_json=json, as_csv=csv)
