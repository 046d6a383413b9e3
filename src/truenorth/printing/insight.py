"""What the commands of insight print."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from truenorth.insight.practitioners import Distilled
from truenorth.printing.tables import grids
from truenorth.printing.terminal import err, out, write_json
from truenorth.report.document import document
from truenorth.report.tables import Table
from truenorth.spec.counted import counted
from truenorth.wiring.insight import Insight

DEEP_DIVES_SHOWN = 2


def told(insight: Insight, *, as_json: bool) -> None:
    """A subject: its finding, its tables and how they are computed; or all of it as JSON."""
    if as_json:
        write_json(document(insight.subject, insight.section, insight.part))
        return
    journey = insight.replay.journey
    _say(out, f"[bold]{escape(journey.title or journey.name)}: {escape(insight.subject.title)}[/]")
    _say(out, escape(insight.section.finding))
    for table in insight.section.tables.values():
        if table.rows:
            _tell(table)
    for paragraph in insight.section.how:
        err.print()
        _say(err, f"[dim]{escape(paragraph)}[/]")


def _tell(table: Table) -> None:
    out.print()
    _say(out, f"[dim]{escape(table.caption)}[/]")
    for number, part in enumerate(grids(table, out.width)):
        if number:
            out.print()
        out.print(part)


def _say(console: Console, text: str) -> None:
    """A paragraph: a terminal breaks it between words, what is piped is one line."""
    console.print(text, soft_wrap=not console.is_terminal)


def distilled(found: Distilled, *, as_json: bool) -> None:
    """The challenges that most practitioners share, with their words."""
    if as_json:
        write_json(found.to_dict())
        return
    out.print(
        f"{counted(found.n_contributors, 'contributor names', 'contributors name')} "
        f"{counted(found.n_challenges, 'challenge')}; most share these:"
    )
    for place, one in enumerate(found.top, 1):
        head = f"{place}. {one.name}: {counted(one.n_contributors, 'contributor')} ({one.share:.0%})"
        out.print(f"\n[bold]{escape(head)}[/]")
        for text in (*one.examples, *one.deep_dives[:DEEP_DIVES_SHOWN]):
            out.print(f"  {escape(text)}")
    for reason, n in found.left_out.items():
        err.print(f"[dim]{n:,} left out: {escape(reason)}[/]")
