"""What judging, learning and keeping books print."""

from __future__ import annotations

import sys

from rich.markup import escape
from rich.table import Table

from truenorth.action.ledger import Crown, Line, flat
from truenorth.action.off_policy import Estimate, Evaluation
from truenorth.printing.terminal import out, write_json
from truenorth.server.acting.books import Ledger
from truenorth.spec.counted import counted
from truenorth.spec.durations import HOUR_US
from truenorth.wiring.policy import Learning

CROWNS = (
    ("cost", 100, "money"),
    ("revenue", 100, "money"),
    ("achieved", 1, "outcomes"),
    ("kept", 1, "promises"),
    ("broken", 1, "promises"),
    ("customer_us", HOUR_US, "hours"),
)
"""The figures of a line, by how much each is divided, and its unit."""


def evaluation(found: Evaluation, *, as_json: bool) -> None:
    """Three estimates with their intervals, and what follows."""
    if as_json:
        write_json(found)
        return
    table = Table("estimate", "a decision", "95 % from", "to", box=None, pad_edge=False)
    for name, one in (("IPW", found.ipw), ("SNIPW", found.snipw), ("DR", found.dr), ("gain, DR", found.gain)):
        table.add_row(name, *_money(one))
    if found.modelled is not None:
        table.add_row("gain, as modelled", *_money(found.modelled))
    out.print(table)
    out.print(
        f"{counted(found.n, 'decision')}, {counted(found.n_units, 'customer')}, effective sample size {found.ess:,.0f}"
    )
    out.print(found.words)


def _money(one: Estimate) -> tuple[str, str, str]:
    mean, low, high = (f"{cents / 100:,.2f}" for cents in (one.mean_cents, one.low_cents, one.high_cents))
    return mean, low, high


def learning(found: Learning, *, as_json: bool) -> None:
    """What was learnt of each action."""
    if as_json:
        write_json(found)
        return
    table = Table("action", "chosen", "effect on the outcome", "worth it in", "decides", box=None, pad_edge=False)
    for one in found.actions:
        effect = f"{one.mean * 100:+.1f} points"
        table.add_row(escape(one.action), f"{one.n:,}", effect, f"{one.worth_it:.0%} of cases", one.decides)
    out.print(table)
    words = f"{found.version}, from {found.n_settled:,} settled decisions of {found.n_decisions:,}"
    out.print(f"{words}; decisions ask it from now on")
    proven = "has shown to be better than doing nothing" if found.is_proven else "has not yet shown to be worth it"
    out.print(f"acting on it {proven}: {found.caution:g} standard deviations are taken off each effect")


def ledger(found: Ledger, *, as_json: bool, as_csv: bool = False) -> None:
    """Three crowns side by side for each action and period, and what overriding brought."""
    if as_json:
        write_json(found)
        return
    if as_csv:
        sys.stdout.write(flat(found.lines).write_csv())
        return
    table = Table("action", "period", "figure", "actual", "expected", "change a case (95 %)", box=None, pad_edge=False)
    for line in found.lines:
        for place, (name, unit, words) in enumerate(CROWNS):
            title = "customers' time" if name == "customer_us" else name
            who = (escape(line.action), line.period) if place == 0 else ("", "")
            table.add_row(*who, f"{title}, {words}", *_crown(getattr(line, name), unit))
        table.add_row("", "", _arms(line), end_section=True)
    out.print(table)
    for one in found.overrides:
        out.print(escape(one.words))
    if found.split is not None:
        out.print(found.split.words)


def _crown(crown: Crown, unit: int) -> tuple[str, str, str]:
    one = crown.increment
    changed = (
        "unknown" if one is None else f"{one.mean / unit:+,.2f} ({one.low / unit:+,.2f} to {one.high / unit:+,.2f})"
    )
    expected = "" if crown.expected is None else f"{crown.expected / unit:,.2f}"
    return f"{crown.actual / unit:,.2f}", expected, changed


def _arms(line: Line) -> str:
    words = f"{line.n_acted:,} acted upon, {line.n_holdout:,} held out"
    return f"{words}; {line.note}" if line.note else words
