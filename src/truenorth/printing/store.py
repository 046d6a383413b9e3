"""What the commands about a store print: results on standard output, everything else on standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.markup import escape
from rich.table import Table

from truenorth.printing.terminal import err, out, write_json
from truenorth.server.doctor import Finding
from truenorth.server.exports.pages import Exported
from truenorth.server.importing import Imported
from truenorth.spec.counted import counted
from truenorth.store.archive import Archived
from truenorth.store.forget import Forgotten
from truenorth.store.people import Receipt
from truenorth.store.rows import Webhook

STATE_STYLES = {"ok": "green", "doubtful": "yellow", "wrong": "red"}


def findings(found: Sequence[Finding], *, as_json: bool) -> None:
    """What the doctor says, and what to do."""
    n_wrong = sum(finding.state == "wrong" for finding in found)
    if as_json:
        write_json({"ok": not n_wrong, "findings": found})
        return
    table = Table("look", "state", "found", box=None, pad_edge=False)
    for one in found:
        advice = f"\n[dim]{escape(one.hint)}[/]" if one.hint else ""
        table.add_row(one.name, f"[{STATE_STYLES[one.state]}]{one.state}[/]", escape(one.found) + advice)
    out.print(table)
    n_doubtful = sum(finding.state == "doubtful" for finding in found)
    out.print(f"[{'red' if n_wrong else 'green'}]{n_wrong} wrong, {n_doubtful} doubtful[/]")


def archived(done: Archived, folder: Path, *, as_json: bool) -> None:
    """What was moved where."""
    if as_json:
        write_json({"events": done.n_events, "files": done.n_files, "folder": str(folder)})
        return
    out.print(f"{counted(done.n_events, 'event')} moved to {counted(done.n_files, 'file')} in {escape(str(folder))}")


def forgotten(done: Forgotten, *, as_json: bool) -> None:
    """What was too old."""
    if as_json:
        write_json(
            {"events": done.n_events, "refused": done.n_refused, "cases": done.n_cases, "signals": done.n_signals}
        )
        return
    kinds = ("event", "refused item", "closed case", "signal")
    out.print(f"forgotten: {', '.join(counted(n, kind) for n, kind in zip(done, kinds, strict=True))}")


def receipt(done: Receipt, *, as_json: bool) -> None:
    """The receipt of an erasure; it names no id."""
    if as_json:
        write_json(done)
        return
    out.print(f"[bold]Receipt {done.number}[/], {_instant(done.erased_us)}, asked for by {escape(done.asked_by)}")
    out.print(f"{counted(done.n_ids, 'id')} erased, and suppressed from now on")
    removed = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in done.counts.items() if n)
    out.print(f"removed: {removed or 'nothing was held'}")
    out.print("no trace is left in the database's files" if done.scrubbed_us else "traces may be left until a scrub")


def exported(done: Exported, place: str, *, as_json: bool) -> None:
    """How much was written, where, and up to which position of the log."""
    if as_json:
        write_json({"events": done.n_events, "position": done.position, "place": place})
        return
    out.print(counted(done.n_events, "event"))
    err.print(f"wrote {place}, up to position {done.position} of the log", soft_wrap=True, markup=False)


def imported(done: Imported, *, as_json: bool) -> None:
    """What became of a file's events."""
    if as_json:
        named = {name.removeprefix("n_"): n for name, n in msgspec.structs.asdict(done).items()}
        write_json(named)
        return
    rest = {"duplicates": done.n_duplicates, "quarantined": done.n_quarantined, "of erased people": done.n_suppressed}
    more = ", ".join(f"{n:,} {name}" for name, n in rest.items() if n)
    out.print(f"{counted(done.n_new, 'new event')}" + (f" ({more})" if more else ""))


def secret(made: Mapping[str, Any], *, as_json: bool) -> None:
    """Something with a secret, which is shown this once."""
    if as_json:
        write_json(made)
        return
    out.print(escape(str(made["secret"])))
    err.print("[dim]keep it: it is not shown again[/]")


def changed(n: int, what: str, *, as_json: bool) -> None:
    """How many things of a kind a command has met."""
    if as_json:
        write_json({"changed": n})
        return
    out.print(counted(n, what) if n else f"[yellow]there is no such {what}[/]")


def rows(found: Sequence[msgspec.Struct], *, as_json: bool) -> None:
    """Values of one kind, a line each."""
    if as_json:
        write_json(found)
        return
    _table([msgspec.structs.asdict(one) for one in found])


def webhooks(found: Sequence[Webhook], waiting: Mapping[int, tuple[int, int | None]], *, as_json: bool) -> None:
    """Webhooks without their secrets, and how much waits for each."""
    shown = [{name: value for name, value in msgspec.structs.asdict(one).items() if name != "secret"} for one in found]
    told = [{**one, "waiting": waiting.get(one["number"], (0, None))[0]} for one in shown]
    if as_json:
        write_json(told)
        return
    _table([{**one, "kinds": ", ".join(one["kinds"]) or "all"} for one in told])


def _table(found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        out.print("none")
        return
    table = Table(box=None, pad_edge=False)
    for name in found[0]:
        table.add_column(name.removesuffix("_us").replace("_", " "), overflow="fold")
    for one in found:
        cells = (_instant(value) if name.endswith("_us") else value for name, value in one.items())
        table.add_row(*(escape(str("" if cell is None else cell)) for cell in cells))
    out.print(table)


def _instant(time_us: int | None) -> str:
    return "" if time_us is None else f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%SZ}"
