"""The numbers of docs/findings*.md, from the logs of the example journeys.

`python bench/findings.py --data ../shared/data` answers the subjects of insight for every example journey and writes
their tables into these pages, each between its markers. Published logs are looked for in the folder; the made-up log of
`support` is part of the repository, and the company of the other four lives anew, as the reference world of
docs/company.md: what is found there stands beside the truth. `--only NAME` leaves it at one journey (may be repeated),
`--json FOLDER` also keeps everything as JSON.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

import truenorth as tn
from truenorth.engine.replay import Replay
from truenorth.figures.wording import points
from truenorth.insight.causes import Causes
from truenorth.report.document import document
from truenorth.report.section import Inputs
from truenorth.report.subjects import subject
from truenorth.report.tables import Table
from truenorth.simulate import Company, World
from truenorth.wiring.journey import load_journey, replay_file

ROOT = Path(__file__).parent.parent
PAGES = tuple(ROOT / "docs" / name for name in ("findings.md", "findings-more.md", "findings-company.md"))
LOGS = {
    "inail": "logCSM_15Kcases.xes.gz",
    "servicenow": "incident_event_log.csv.gz",
    "traffic_fines": "Road_Traffic_Fine_Management_Process.xes.gz",
    "helpdesk": "helpdesk.xes.gz",
    "bpic2012": "bpic2012.xes.gz",
    "callcentre": "CallcenterExample.csv.gz",
    "onlineshop": "simple-onlineshop.csv.gz",
    "orders": "order_management_running_example.ocel2.json.gz",
}
SUPPORT = "support"
COMPANY = ("connect", "help", "bill", "move")
JOURNEYS = (*LOGS, SUPPORT, *COMPANY)
OBJECT_TYPES = {"orders": "items"}
WRITTEN_LATER = {
    "inail": (
        *("GRUPPO_ASSEGNAZIONE_FINALE", "STATO_ATTUALE", "INCIDENTE_ASSOCIATO", "ELEMENTO_ASSOCIATO"),
        *("RICHIESTA_ASSOCIATA", "STATO_LOG", "actor", "team", "type"),
    ),
    "servicenow": (
        *("made_sla", "closed_code", "resolved_by", "caused_by", "problem_id", "rfc", "vendor", "assigned_to"),
    ),
    "traffic_fines": ("dismissal",),
    "callcentre": ("Service Type",),
}
"""Columns that the first row holds although they were not known then (or say where the case was sent)."""

SHOWN = {
    "gap": (("gap", 10, (0, 3, 4, 5, 6, 7)), ("closing", 5, (0, 1, 2, 3, 4))),
    "failure": (("failure", 6, (0, 1, 2, 3, 4, 5, 6, 7, 8)),),
    "moments": (("moments", 8, (0, 1, 2, 3, 5, 6, 8, 11)), ("work", 4, (0, 1, 2))),
    "decisions": (("effects", 6, (0, 1, 2, 3, 4, 6, 7)),),
}
"""Which tables of a subject the page shows, with how many rows and which columns."""


def markdown(table: Table, n_rows: int, columns: tuple[int, ...]) -> str:
    """A table as Markdown."""
    lines = ["| " + " | ".join(table.headings[at] for at in columns) + " |"]
    lines.append("|" + "|".join("---:" if table.numeric[at] else "---" for at in columns) + "|")
    rows = table.rows[:n_rows]
    lines += ["| " + " | ".join(row[at].replace("|", "/") for at in columns) + " |" for row in rows]
    return "\n".join(lines)


@cache
def company() -> World:
    """The reference world of docs/company.md."""
    return World(Company(n_customers=30_000, days=60), seed=0)


def replay_of(journey: str, data: Path) -> Replay:
    """The log of an example journey, judged."""
    if journey in COMPANY:
        events = company().lived.events().with_columns(pl.col(pl.Categorical).cast(pl.String))
        return tn.replay(ROOT / f"examples/company/{journey}.yaml", events)
    if journey == SUPPORT:
        folder = ROOT / "examples/support"
        return replay_file(load_journey(folder / "journey.yaml"), folder / "log.csv", all_columns=True)[0]
    judged = load_journey(ROOT / f"examples/{journey}.yaml")
    log, object_type = data / LOGS[journey], OBJECT_TYPES.get(journey)
    return replay_file(judged, log, all_columns=True, object_type=object_type)[0]


def beside_the_truth(journey: str, found: Causes) -> Table:
    """What is found about each promise of the company, and what is true of it."""
    true = {one.name: one for one in company().truth().causes if one.journey == journey}
    reasons = {one.name: one.note for one in company().truth().consequences if one.journey == journey}
    rows = []
    for row in found.points.filter(pl.col("kind") == "promise").iter_rows(named=True):
        name = row["point"]
        effect = 0.0 - true[name].p_achieved if name in true else 0.0
        low, high = row["adjusted_low"], row["adjusted_high"]
        held = "yes" if low <= effect <= high else "no"
        rows.append(
            (
                name,
                points(effect),
                f"{points(row['raw'])}",
                f"{points(row['adjusted'])} ({points(low)} to {points(high)})",
                held,
                _told(row),
                true[name].note if name in true else reasons[name],
            )
        )
    headings = (
        "promise",
        "true, points",
        "raw",
        "adjusted (95 % interval)",
        "holds the truth",
        "told",
        "in the company",
    )
    return Table(caption="", headings=headings, numeric=(False, *[True] * 3, *[False] * 3), rows=tuple(rows))


def _told(row: Mapping[str, Any]) -> str:
    return f"sign, {row['certainty']}" if row["sign"] else str(row["certainty"])


def answered(journey: str, data: Path, kept: Path | None) -> Iterator[tuple[str, str]]:
    """By subject: the marker of its place on a page, and what belongs there."""
    replayed = replay_of(journey, data)
    inputs = Inputs(exclude=WRITTEN_LATER.get(journey, ()))
    for name, tables in SHOWN.items():
        asked = subject(name)
        section = asked.make(replayed, inputs)
        shown = [markdown(section.tables[table], *rest) for table, *rest in tables if section.tables[table].rows]
        yield f"<!-- {journey} {name} -->", "\n\n".join([f"*{section.finding}*", *shown])
        if name == "failure" and journey in COMPANY:
            truth = beside_the_truth(journey, section.answer)
            yield f"<!-- {journey} truth -->", markdown(truth, len(truth.rows), tuple(range(len(truth.headings))))
        if kept:
            kept.mkdir(parents=True, exist_ok=True)
            whole = msgspec.json.encode(document(asked, section, replayed))
            (kept / f"{journey}-{name}.json").write_bytes(msgspec.json.format(whole))


def fill(texts: Mapping[str, str]) -> None:
    """Write what belongs at each marker into the pages that have it."""
    for page in PAGES:
        held = page.read_text(encoding="utf-8")
        for marker, text in texts.items():
            whole = re.compile(rf"{marker}\n.*?<!-- end -->", re.DOTALL)
            filled = f"{marker}\n{text}\n<!-- end -->"
            held = whole.sub(lambda _, to=filled: to, held)  # type: ignore[misc]
        page.write_text(held, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=JOURNEYS, action="append")
    options = parser.parse_args()
    for journey in options.only or JOURNEYS:
        fill(dict(answered(journey, options.data, options.json)))


if __name__ == "__main__":
    main()
