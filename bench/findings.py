"""The numbers of docs/findings.md, from published logs that are not part of the repository.

`python bench/findings.py --data ../shared/data` answers the subjects of insight for the example journeys of published
logs and writes their tables into docs/findings.md, each between its markers. `--only NAME` does one journey. `--json
FOLDER` also keeps everything as JSON.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import msgspec

from truenorth.report.document import document
from truenorth.report.section import Inputs
from truenorth.report.subjects import subject
from truenorth.report.tables import Table
from truenorth.wiring.journey import load_journey, replay_file

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "findings.md"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", choices=LOGS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    for journey, file in LOGS.items():
        if options.only not in {None, journey}:
            continue
        path = ROOT / f"examples/{journey}.yaml"
        replayed = replay_file(
            load_journey(path), options.data / file, object_type=OBJECT_TYPES.get(journey), all_columns=True
        )[0]
        inputs = Inputs(exclude=WRITTEN_LATER.get(journey, ()))
        for name, tables in SHOWN.items():
            asked = subject(name)
            section = asked.make(replayed, inputs)
            parts: list[Any] = [f"*{section.finding}*"]
            parts += [markdown(section.tables[table], n, columns) for table, n, columns in tables]
            start, end = f"<!-- {journey} {name} -->", "<!-- end -->"
            text = "\n\n".join(parts)
            page = re.sub(rf"{start}\n.*?{end}", lambda _, s=start, t=text: f"{s}\n{t}\n<!-- end -->", page, flags=re.S)
            if options.json:
                options.json.mkdir(parents=True, exist_ok=True)
                whole = document(asked, section, replayed)
                (options.json / f"{journey}-{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(whole)))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
