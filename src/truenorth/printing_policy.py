"""What judging a policy prints."""

from __future__ import annotations

from rich.table import Table

from truenorth.action.off_policy import Estimate, Evaluation
from truenorth.terminal import out, write_json


def evaluation(found: Evaluation, *, as_json: bool) -> None:
    """Three estimates with their intervals, and what follows."""
    if as_json:
        write_json(found)
        return
    table = Table("estimate", "a decision", "95 % from", "to", box=None, pad_edge=False)
    for name, one in (("IPW", found.ipw), ("SNIPW", found.snipw), ("DR", found.dr), ("gain, DR", found.gain)):
        table.add_row(name, *_money(one))
    out.print(table)
    out.print(f"{found.n:,} decisions, {found.n_units:,} customers, effective sample size {found.ess:,.0f}")
    out.print(found.words)


def _money(one: Estimate) -> tuple[str, str, str]:
    mean, low, high = (f"{cents / 100:,.2f}" for cents in (one.mean_cents, one.low_cents, one.high_cents))
    return mean, low, high
