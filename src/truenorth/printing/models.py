"""What the commands about models print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.markup import escape
from rich.table import Table

from truenorth.printing.terminal import out, write_json
from truenorth.server.foreseeing.watching import Seen
from truenorth.spec.counted import counted
from truenorth.spec.instants import instant_at
from truenorth.store.foresight_rows import Look, ModelRow

STYLES = {"live": "bold green", "shadow": "yellow", "retired": "dim"}


def models(found: Sequence[ModelRow], *, as_json: bool) -> None:
    """Models as a table."""
    if as_json:
        write_json([_as_json(row) for row in found])
        return
    columns = ("journey", "version", "state", "made", "cases", "level", "on held-out time")
    table = Table(*columns, box=None, pad_edge=False)
    for row in found:
        state = f"[{STYLES[row.state]}]{row.state}[/]"
        table.add_row(
            escape(row.journey), row.version, state, _day(row.made_us), f"{row.n_cases:,}", _level(row), escape(row.why)
        )
    out.print(table)
    out.print(counted(len(found), "model"))


def model(row: ModelRow, looks: Sequence[Look], *, as_json: bool) -> None:
    """A model and the looks at it."""
    seen = [{"at_us": look.at_us, "seen": msgspec.json.decode(look.body)} for look in looks]
    if as_json:
        write_json({**_as_json(row), "metrics": msgspec.json.decode(row.metrics), "looks": seen})
        return
    models([row], as_json=False)
    out.print(f"learnt from {_day(row.data_from_us)} to {_day(row.data_to_us)}; at risk from {row.threshold:.2f} on")
    if row.level is not None and row.level_us is not None:
        out.print(f"level of its risks: {_level(row)} in log-odds, as cases had ended by {_day(row.level_us)}")
    for look in seen:
        out.print(f"{_day(look['at_us'])}: {escape(look['seen']['words'])}")


def seen(look: Seen, *, as_json: bool) -> None:
    """What a look has shown."""
    if as_json:
        write_json(look)
        return
    out.print(escape(look.words))
    if look.proposal:
        out.print(f"proposed: {look.proposal.version}, kept as a shadow; {escape(look.proposal.why)}")


def _level(row: ModelRow) -> str:
    return "" if row.level is None else f"{row.level:+.2f}"


def _as_json(row: ModelRow) -> dict[str, Any]:
    shown = msgspec.structs.asdict(row)
    return {name: value for name, value in shown.items() if not isinstance(value, bytes)}


def _day(us: int) -> str:
    return f"{instant_at(us):%Y-%m-%d %H:%M}"
