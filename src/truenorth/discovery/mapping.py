"""Which column of a log is which field of an event, by what columns are called and by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from truenorth.discovery.names import ENDS, STARTS, folded, is_session, name_score, says
from truenorth.discovery.profile import MAX_NAME, Profile, agreement, compactness, profile, varying_share
from truenorth.discovery.wording import percent, shown
from truenorth.logs.mapping import without_orders

CONSTANT = 0.05
"""A column that changes in fewer than this share of the cases with several rows is taken for one that never does."""

MOSTLY = 0.8

OF_A_PERSON_OR_A_THING = ("name", "account", "account id", "member", "person")
"""Names of customers only where no column is a case."""

FEW_ACTORS = 10
"""Up to so many actors, a team may be finer: they are kinds of actors and no persons."""

MAX_CHANNELS = 60


@dataclass(frozen=True)
class Guess:
    """Which column is which field.

    ``fields``: canonical field to column; ``evidence``: one sentence for each of them; ``notes``: what was left out,
    and why. Without ``case`` the customer is the key of a case.
    """

    fields: Mapping[str, str]
    evidence: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class _Table:
    """Columns by name, with what has been decided so far."""

    columns: dict[str, Profile]
    fields: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def free(self) -> list[Profile]:
        taken = set(self.fields.values())
        return [one for one in self.columns.values() if one.name not in taken]

    def of(self, name: str) -> Profile | None:
        return self.columns.get(self.fields.get(name, ""))

    def decide(self, name: str, column: Profile, why: str) -> None:
        self.fields[name] = column.name
        self.evidence[name] = why

    def varying(self, column: Profile) -> float | None:
        """Share of the cases in which a column changes, None where there is no key or no case with several rows."""
        key = self.of("case") or self.of("customer")
        return varying_share(column.values, key.values) if key is not None else None


def guess_fields(frame: pl.DataFrame, given: Mapping[str, str] | None = None) -> Guess:
    """Guess the fields of a log from its first rows; what is given is taken as it is.

    >>> frame = pl.DataFrame({"user_id": ["a", "a", "b"], "event": ["main", "cart", "main"],
    ...                       "timestamp": ["2024-01-01T00:00:00", "2024-01-01T00:00:09", "2024-01-02T00:00:00"]})
    >>> dict(guess_fields(frame).fields)
    {'type': 'event', 'time': 'timestamp', 'customer': 'user_id'}
    """
    table = _Table({column.name: profile(column) for column in frame.iter_columns() if _can_be_named(column.name)})
    columns, orders = without_orders(given or {}, frame.columns)
    for name, column in columns.items():
        table.fields[name] = column
        table.evidence[name] = "as given"
    for name, rule in RULES:
        if name not in table.fields:
            rule(table)
    order = [*(name for name in FIRST if name in table.fields), *(name for name in table.fields if name not in FIRST)]
    table.fields |= {name: (given or {})[name] for name in orders}
    return Guess({name: table.fields[name] for name in order}, table.evidence, tuple(table.notes))


def _can_be_named(name: str) -> bool:
    return bool(name.strip()) and len(name) <= MAX_NAME


def _named(table: _Table, name: str, suits: Callable[[Profile], bool]) -> list[tuple[float, Profile]]:
    """Free columns that are called like a field and suit it, best first."""
    as_it_is = {name: 2.5}  # a column that is called like the field: the reader takes it in any case
    found = [(max(name_score(one.name, name), as_it_is.get(one.name, 0.0)), one) for one in table.free() if suits(one)]
    return sorted((pair for pair in found if pair[0]), key=lambda pair: -pair[0])


def _called(column: Profile) -> str:
    return f"called {shown(column.name)}"


# --- case and time ----------------------------------------------------------------------------------------------------


def _is_key(column: Profile) -> bool:
    return column.is_label and (column.known_share >= 0.3 or column.n_known == 0)


def _guess_case(table: _Table) -> None:
    """A column called like a case with several rows a value; else one that only behaves like one."""
    named = _named(table, "case", _is_key)
    _, best = max(
        ((score + min(one.rows_each, 2.0) / 4, one) for score, one in named if _may_be_case(score, one)),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )
    if best is None and not _named(table, "customer", _is_key):
        best = _session(table) or _case_by_content(table)
    if best is not None:
        table.decide("case", best, f"{_called(best)}; {best.n_distinct:,} values, {best.rows_each:.1f} rows each")


def _may_be_case(score: float, column: Profile) -> bool:
    """A name that is not quite a case's needs values that come several times."""
    return score > 2 or column.rows_each >= 1.2 or (score >= 1.7 and column.n_known < 20)


def _session(table: _Table) -> Profile | None:
    return next((one for one in table.free() if is_session(one.name) and _is_key(one)), None)


def _case_by_content(table: _Table) -> Profile | None:
    """The column with the most values whose rows are several each and close together in time."""
    times = [one for one in table.free() if one.instants is not None and one.known_share >= 0.9]
    if not times:
        return None
    instants = max(times, key=lambda one: one.n_distinct).instants
    assert instants is not None
    other = ("type", "actor", "team", "channel", "text")
    suitable = [
        one
        for one in table.free()
        if _is_key(one) and one.n_distinct >= 5 and 1.5 <= one.rows_each <= len(one.values) / 5
        and not any(name_score(one.name, name) for name in other)
        and compactness(one.values, instants) >= 0.5
    ]  # fmt: skip
    return max(suitable, key=lambda one: one.n_distinct, default=None)


def _guess_time(table: _Table) -> None:
    """The instants that change from row to row; of a start and an end, the end."""
    candidates = [
        one
        for one in table.free()
        if (one.instants is not None and one.known_share >= 0.9)
        or (not len(one.values) and name_score(one.name, "time"))
    ]
    if not candidates:
        return
    ranked = sorted(candidates, key=lambda one: _time_rank(table, one), reverse=True)
    best = ranked[0]
    why = f"{_called(best)}; {percent(best.known_share)} of the rows hold instants"
    start = next((one for one in ranked[1:] if _are_start_and_end(one, best)), None)
    if start is not None:
        why += (
            f". It is the end of what {shown(start.name)} begins: an event counts once it is done. "
            f"Map time to {shown(start.name)} to count from the beginning; then waiting times hold the work too"
        )
    table.decide("time", best, why)


def _time_rank(table: _Table, column: Profile) -> tuple[float, float, int]:
    varying = table.varying(column)
    moves = varying is None or varying >= CONSTANT
    name = 3.5 if column.name == "time" else name_score(column.name, "time")
    return float(moves), name, column.n_distinct


def _are_start_and_end(start: Profile, end: Profile) -> bool:
    if not (says(start.name, STARTS) and says(end.name, ENDS)) or start.instants is None or end.instants is None:
        return False
    ordered = (start.instants <= end.instants).drop_nulls()
    return bool(len(ordered)) and float(ordered.mean() or 0) >= 0.95  # type: ignore[arg-type]


# --- type -------------------------------------------------------------------------------------------------------------


def _guess_type(table: _Table) -> None:
    """A column called like an activity that changes within cases; else the label of few values that changes most."""
    ranked = [
        (score + (0.3 if (table.varying(one) or 0.0) >= 0.3 else 0.0), one)
        for score, one in _named(table, "type", lambda one: one.is_label and one.known_share >= 0.3)
        if score >= 2 or one.n_distinct <= max(20, one.n_known / 2)
    ]
    if ranked:
        _, best = max(ranked, key=lambda pair: pair[0])
        why = f"{_called(best)}; {best.n_distinct:,} different values"
        varying = table.varying(best)
        table.decide(
            "type", best, why + (f", changes within {percent(varying)} of the cases" if varying is not None else "")
        )
        return
    labels = [one for one in table.free() if one.is_label and 2 <= one.n_distinct <= min(200, one.n_known / 3)]
    best_label = max(
        labels, key=lambda one: (table.varying(one) or 0.0, one.known_share, -one.n_distinct), default=None
    )
    if best_label is not None and (table.varying(best_label) or 0.0) >= CONSTANT:
        why = f"a guess by content alone: {best_label.n_distinct:,} values that change within cases. Check this"
        table.decide("type", best_label, why)


# --- people -----------------------------------------------------------------------------------------------------------


def _guess_customer(table: _Table) -> None:
    """An id-like column that is the same all through a case."""
    case = table.of("case")
    for _, one in _named(table, "customer", lambda one: one.is_label and one.known_share >= 0.05):
        if case is not None and folded(one.name) in OF_A_PERSON_OR_A_THING:
            continue
        varying = table.varying(one) if case is not None else None
        if varying is not None and varying > 1 - MOSTLY:
            continue
        coarse = case is None or one.n_distinct <= 1.05 * case.n_distinct
        if coarse:
            why = f"{_called(one)}; {one.n_distinct:,} different values"
            why += f", the same all through {percent(1 - varying)} of the cases" if varying is not None else ""
            table.decide("customer", one, why)
            break
    if "case" not in table.fields and "customer" in table.fields:
        session = _session(table)
        what = f"{shown(session.name)} is a visit, not what the customer came for. " if session else ""
        table.notes.append(
            f"case: no column is a case. {what}Each customer is followed as one; after an outcome or a long silence "
            "the next event opens a new episode."
        )


def _guess_actor(table: _Table) -> None:
    named = _named(table, "actor", lambda one: one.is_label and one.n_known > 0)
    suitable = [one for score, one in named if score >= 1.7 or (table.varying(one) or 0.0) > CONSTANT]
    if suitable:
        best = suitable[0]
        table.decide("actor", best, f"{_called(best)}; {best.n_distinct:,} different values")


def _guess_team(table: _Table) -> None:
    """A column that says more coarsely who acted; one that never changes in a case would show no hand-over."""
    actor = table.of("actor")
    named = _named(table, "team", lambda one: one.is_label and one.n_known > 0)
    for score, one in named:
        functional = agreement(actor.values, one.values) if actor is not None else 1.0
        if actor is not None and one.n_distinct > max(actor.n_distinct, FEW_ACTORS) and score < 2.5:
            continue
        varying = table.varying(one)
        if varying is not None and varying < CONSTANT and actor is not None and (table.varying(actor) or 0) > CONSTANT:
            table.notes.append(
                f"team: {shown(one.name)} hardly ever changes within a case ({percent(varying)} of them), so it would "
                "hide the hand-overs; they are counted by actor."
            )
            return
        why = f"{_called(one)}; {one.n_distinct:,} different values"
        if actor is not None:
            why += f"; {percent(functional)} of the rows fit 'one actor, one team'"
        table.decide("team", one, why)
        return


def _guess_channel(table: _Table) -> None:
    named = _named(table, "channel", lambda one: one.is_label and 1 <= one.n_distinct <= MAX_CHANNELS)
    if named:
        best = named[0][1]
        table.decide("channel", best, f"{_called(best)}; {best.n_distinct:,} different values")


# --- money, feeling and words -----------------------------------------------------------------------------------------


def _guess_money(name: str) -> Callable[[_Table], None]:
    """A rule for numbers that belong to single events; an amount repeated on every row of a case would add up."""

    def rule(table: _Table) -> None:
        for _, one in _named(table, name, _is_amount):
            if _is_repeated(table, one):
                table.notes.append(
                    f"{name}: {shown(one.name)} is the same on every row of a case and would be added up once an "
                    "event; it stays a property."
                )
                continue
            asked = ". Check this: paid by customers? What is paid to them is a cost" if name == "revenue" else ""
            table.decide(name, one, f"{_called(one)}; known for {percent(one.known_share)} of the rows{asked}")
            return

    return rule


def _is_amount(column: Profile) -> bool:
    return column.instants is None and 0 < MOSTLY * column.n_known <= len(column.numbers)


def _is_repeated(table: _Table, column: Profile) -> bool:
    varying = table.varying(column)
    return column.name.startswith("case:") or (varying is not None and varying < CONSTANT and column.known_share > 0.95)


def _guess_feeling(table: _Table) -> None:
    for _, one in _named(table, "feeling", lambda one: one.n_known > 0 and "confidence" not in one.name.casefold()):
        if int((one.numbers.abs() <= 1).sum()) >= MOSTLY * one.n_known:
            table.decide("feeling", one, f"{_called(one)}; numbers in [-1, 1]")
            return
        table.notes.append(f"feeling: {shown(one.name)} holds no numbers in [-1, 1]; it stays a property.")


def _guess_text(table: _Table) -> None:
    for _, one in _named(table, "text", lambda one: one.dtype == pl.String and one.n_known > 0 and one.is_label):
        if float(one.values.str.len_chars().mean() or 0) >= 12:  # type: ignore[arg-type]
            table.decide("text", one, f"{_called(one)}; words of people")
            return


def _guess_received(table: _Table) -> None:
    named = _named(table, "received", lambda one: one.instants is not None and one.known_share >= 0.9)
    if named and named[0][0] >= 1.7:
        table.decide("received", named[0][1], _called(named[0][1]))


def _guess_id(table: _Table) -> None:
    """A column of ids, each once: an id that comes again would be a duplicate."""
    for score, one in _named(table, "id", lambda one: one.is_label and one.n_known == len(one.values)):
        if score >= 1.7 and one.n_distinct == one.n_known:
            table.decide("id", one, f"{_called(one)}; each value comes once")
            return


RULES: tuple[tuple[str, Callable[[_Table], None]], ...] = (
    ("case", _guess_case),
    ("customer", _guess_customer),
    ("time", _guess_time),
    ("type", _guess_type),
    ("actor", _guess_actor),
    ("team", _guess_team),
    ("channel", _guess_channel),
    ("cost", _guess_money("cost")),
    ("revenue", _guess_money("revenue")),
    ("feeling", _guess_feeling),
    ("text", _guess_text),
    ("received", _guess_received),
    ("id", _guess_id),
)
"""Fields in the order in which they are decided: each may use what was decided before."""


def columns_of(fields: Iterable[str]) -> list[str]:
    """The canonical fields that a draft looks at, of those that are mapped.

    >>> columns_of(["case", "text", "type"])
    ['case', 'type']
    """
    return [name for name in fields if name in LOOKED_AT]


FIRST = ("case", "type", "time", "customer", "actor", "team", "channel")
"""The order in which fields are written; others follow."""

LOOKED_AT = ("case", "type", "time", "customer", "actor", "team", "channel", "cost", "revenue")
