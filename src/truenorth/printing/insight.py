"""What the commands of insight print."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table as Grid

from truenorth.insight.practitioners import Distilled
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
    out.print(f"[bold]{escape(journey.title or journey.name)}: {escape(insight.subject.title)}[/]")
    out.print(escape(insight.section.finding))
    for table in insight.section.tables.values():
        if table.rows:
            out.print()
            out.print(grid(table))
    for paragraph in insight.section.how:
        err.print(f"[dim]{escape(paragraph)}[/]")


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


def grid(table: Table) -> Grid:
    """A table of a report for a terminal."""
    made = Grid(box=None, pad_edge=False, title=escape(table.caption), title_justify="left", title_style="dim")
    for heading, numeric in zip(table.headings, table.numeric, strict=True):
        made.add_column(escape(heading), justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:
        made.add_row(*map(escape, row))
    return made
