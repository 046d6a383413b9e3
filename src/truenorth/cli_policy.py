"""The command that judges a policy before it is let loose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli_frame import AsJson, progress, told

app = typer.Typer()


@app.command(
    "evaluate-policy",
    epilog="Examples: truenorth evaluate-policy decisions.parquet --policy call_back_now\n\n"
    "truenorth evaluate-policy decisions.jsonl --policy learnt --limit 50",
)
def evaluate_policy(
    decisions: Annotated[Path, typer.Argument(metavar="DECISIONS", help="Logged decisions: Parquet or JSON Lines.")],
    policy: Annotated[str, typer.Option(metavar="NAME", help="'learnt' from the log itself, or always one action.")] = (
        "learnt"
    ),
    limit: Annotated[
        float | None, typer.Option(metavar="MONEY", min=0, help="What if one action might cost up to this?")
    ] = None,
    least: Annotated[
        float, typer.Option(metavar="N", min=1, help="Effective sample size below which no winner is called.")
    ] = 200,
    json: AsJson = False,
) -> None:
    """Say what a policy would have brought, from decisions that were logged with their propensities."""
    from truenorth import printing_policy, wiring_policy

    with told(json), progress(json) as tell:
        found = wiring_policy.evaluate_policy(decisions, policy, limit, least, tell)
    printing_policy.evaluation(found, as_json=json)
