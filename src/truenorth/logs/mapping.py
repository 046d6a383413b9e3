"""From a file's columns to the canonical fields of an event."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import Problem, UnreadableLog, nearest

SHOWN_COLUMNS = 40
ALWAYS_READ = ("time", "received", "source", "id", "cost", "revenue", "feeling")
"""Read whatever a caller needs: they decide which rows are quarantined or duplicates."""


DAY_OR_MONTH = ("day first", "month first")
"""What may follow, in parentheses, the column that a caller maps to a time."""


@dataclass(frozen=True)
class Plan:
    """Which column of a file becomes what.

    ``fields``: canonical field to column; ``properties``: property name to column, in the file's order; ``explicit``:
    the canonical fields that the caller mapped; ``orders``: field of time to one of `DAY_OR_MONTH`, where told.
    """

    fields: Mapping[str, str]
    properties: Mapping[str, str]
    explicit: frozenset[str]
    notes: tuple[str, ...] = ()
    orders: Mapping[str, str] = field(default_factory=dict)

    def columns(self, wanted: Collection[str] | None) -> list[str]:
        """The file's columns that are needed for the wanted fields and properties."""
        names = {**self.properties, **self.fields}
        kept = [name for name in names if wanted is None or name in wanted or name in ALWAYS_READ]
        return list(dict.fromkeys(names[name] for name in kept))


def plan(
    path: str,
    columns: Sequence[str],
    fields: Mapping[str, str] | None,
    defaults: Mapping[str, str] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Plan:
    """Decide which column becomes which field: the caller's mapping, the format's own, then equal names.

    Raises `UnreadableLog` naming every mapped column that the file lacks.

    >>> chosen = plan("a.csv", ["Activity", "type", "time"], {"type": "Activity"})
    >>> dict(chosen.fields), dict(chosen.properties)
    ({'type': 'Activity', 'time': 'time'}, {'properties.type': 'type'})
    """
    others = aliases or {}
    mapped, orders = without_orders(fields or {}, {*columns, *others})
    explicit = {
        field: others.get(column, column) if column not in columns else column for field, column in mapped.items()
    }
    _check(path, columns, explicit, others)
    known = set(columns)
    found = {field: column for field, column in _offered(explicit, defaults or {}).items() if column in known}
    spoken_for = {*found, *explicit, *explicit.values()}  # an 'id' column mapped to case is no event's id
    same = {field: field for field in CANONICAL_TYPES if field in known and field not in spoken_for}
    merged = {**found, **same, **explicit}
    chosen = {field: merged[field] for field in CANONICAL_TYPES if field in merged}
    properties, notes = _properties(columns, chosen)
    notes = [*(f"{field} is read from '{column}'" for field, column in found.items()), *notes]
    return Plan(chosen, properties, frozenset(explicit), tuple(notes), orders)


def without_orders(fields: Mapping[str, str], known: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """A mapping, and what it says of the order of days and months; a column that is called so stays one.

    >>> without_orders({"time": "Opened (month first)", "case": "No"}, {"Opened", "No"})
    ({'time': 'Opened', 'case': 'No'}, {'time': 'month first'})
    """
    columns, orders = dict(fields), {}
    for name in {"time", "received"} & fields.keys():
        for order in DAY_OR_MONTH:
            column = fields[name].removesuffix(f" ({order})")
            if fields[name] not in known and column != fields[name]:
                columns[name], orders[name] = column, order
    return columns, orders


def _offered(explicit: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """The format's defaults that the caller's mapping leaves room for: who acted is mapped as a whole or not at all."""
    taken = set(explicit) | ({"actor", "team"} if {"actor", "team"} & set(explicit) else set())
    return {field: column for field, column in defaults.items() if field not in taken}


def _check(path: str, columns: Sequence[str], explicit: Mapping[str, str], others: Mapping[str, str]) -> None:
    problems = [
        Problem(
            path=f"{path}: fields.{field}",
            expected="a canonical field",
            found=f"'{field}'",
            hint=nearest(field, list(CANONICAL_TYPES)),
        )
        for field in explicit
        if field not in CANONICAL_TYPES
    ]
    shown = ", ".join(f"'{name}'" for name in columns[:SHOWN_COLUMNS]) + (
        ", ..." if len(columns) > SHOWN_COLUMNS else ""
    )
    problems += [
        Problem(
            path=f"{path}: {field}",
            expected=f"a column '{column}'",
            found=f"columns {shown or 'none'}",
            hint=_near(column, (*columns, *others)),
        )
        for field, column in explicit.items()
        if field in CANONICAL_TYPES and column not in columns
    ]
    if problems:
        raise UnreadableLog(problems)


def _near(column: str, columns: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in columns}
    if column.casefold() in folded:
        return f"did you mean '{folded[column.casefold()]}'?"
    hint = nearest(column, columns)
    return hint if hint.startswith("did you mean") else "map it to one of these columns"


def _properties(columns: Sequence[str], chosen: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    used = set(chosen.values())
    properties: dict[str, str] = {}
    notes = []
    for column in columns:
        if column in used:
            continue
        name = column
        if column in chosen:
            name = _free(f"properties.{column}", {*columns, *properties} - used)
            notes.append(f"the file's own column '{column}' is kept as '{name}'")
        properties[name] = column
    return properties, notes


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it if it is taken."""
    if name not in taken:
        return name
    return next(f"{name}_{number}" for number in range(2, len(taken) + 3) if f"{name}_{number}" not in taken)
