"""All ratios of a page of measurements in one table: every column whose head is of the form ``a : b``.

>>> print(ratios("## Speed\\n\\n| what | x : y |\\n|---|---:|\\n| one | 2.0 |\\n| two | 4.0 |"))
| measured | ratio | lowest | median | highest | rows |
|---|---|---:|---:|---:|---:|
| Speed | x : y | 2.0 | 3.0 | 4.0 | 2 |
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

HEAD = "| measured | ratio | lowest | median | highest | rows |\n|---|---|---:|---:|---:|---:|"


def ratios(page: str) -> str:
    """The table, in Markdown."""
    found: dict[tuple[str, str], list[float]] = {}
    for section, head, row in _rows(page):
        for name, cell in zip(head, row, strict=False):
            if " : " in name and (number := _number(cell)) is not None:
                found.setdefault((section, name), []).append(number)
    lines = [
        f"| {section} | {name} | {min(all_):.1f} | {median(all_):.1f} | {max(all_):.1f} | {len(all_)} |"
        for (section, name), all_ in found.items()
    ]
    return "\n".join([HEAD, *lines])


def _rows(page: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """The section, the head and the cells of each row of each table."""
    section, head = "", []
    for line in page.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif not line.startswith("|-"):
            yield section, head, cells


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return None
