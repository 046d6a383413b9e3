"""What the commands about acting print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from truenorth.action.explanation import alternatives, reasons, why_fallen
from truenorth.action.inputs import decode_inputs
from truenorth.action.permissions import amount_words, money
from truenorth.printing.terminal import out, write_json
from truenorth.server.acting.acting import Made
from truenorth.store.decisions import Stopped
from truenorth.wiring.action import PersonNow


def decision(made: Made, *, as_json: bool) -> None:
    """What to do, why, what else there was, and what may still be spent."""
    found = made.decision
    if as_json:
        write_json(
            {
                "id": found.id,
                "chosen": found.chosen,
                "propensity": found.propensity,
                "reasons": reasons(found),
                "alternatives": alternatives(found),
                "candidates": found.candidates,
                "left": made.left,
                "versions": found.versions,
            }
        )
        return
    currency = decode_inputs(found.inputs).currency
    out.print(f"[bold]{escape(found.chosen.replace('_', ' '))}[/]  [dim]decision {found.id}[/]")
    for reason in reasons(found):
        out.print(f"  {escape(reason)}")
    table = Table("action", "stage", "expected", "why", box=None, pad_edge=False)
    for one in found.candidates:
        expected = money(one.value_cents, currency)
        table.add_row(one.action, one.stage or "stayed", expected, escape(why_fallen(one.words)))
    out.print(table)
    for left in made.left:
        amounts = [amount_words(amount, left.unit, currency) for amount in (left.left, left.amount)]
        out.print(f"  left of {left.permission}: {amounts[0]} of {amounts[1]}, over {left.per}")


def loaded(counts: Mapping[str, int], *, as_json: bool) -> None:
    """What a people file brought."""
    if as_json:
        write_json(counts)
        return
    out.print(", ".join(f"{n} {name}" for name, n in counts.items()))


def people(found: Sequence[PersonNow], *, as_json: bool) -> None:
    """Everybody who decides."""
    if as_json:
        write_json(found)
        return
    table = Table("id", "name", "roles", "teams", "levels", box=None, pad_edge=False)
    for one in found:
        table.add_row(
            *map(escape, (one.id, one.name, *(", ".join(part) for part in (one.roles, one.teams, one.levels))))
        )
    out.print(table)


def stopped(found: Sequence[Stopped], *, as_json: bool) -> None:
    """What is switched off."""
    if as_json:
        write_json(found)
        return
    if not found:
        out.print("nothing is switched off")
    for one in found:
        out.print(f"{escape(one.journey)}: {escape(one.action)}, by {escape(one.by)}: {escape(one.reason)}")
