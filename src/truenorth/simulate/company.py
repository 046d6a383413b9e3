"""The company that is simulated: its size, its clock, and the switches that change how it works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, get_args

import msgspec

from truenorth.spec.problems import Problem, TruenorthError

Incentive = Literal["handle_time", "answer_rate"]
"""What teams are paid by: the length of their calls, the share of calls answered."""

DriftKind = Literal["need_mix", "channel", "patience", "process", "staffing"]
"""What may change on a day: the first three outside the company, the last two inside."""

MAX_CUSTOMERS = 9_999_999
MAX_DAYS = 999


class Drift(msgspec.Struct, frozen=True):
    """A change on a day.

    ``from_day`` counts from 0, the first day. ``size`` in [0, 1]: ``need_mix`` the share of needs that become the
    journey's hardest category, ``channel`` the share of calls that become chats, ``patience`` by how much of itself
    patience falls, ``process`` how much of the worse process for call-backs is in force, ``staffing`` the share of
    staff that is cut.
    """

    what: DriftKind
    from_day: int
    size: float


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A broadband company of ``n_customers``, seen for ``days`` from midnight (UTC) of ``start``.

    Staff grows with the customers, times ``staffing``. ``spillover``: whether one case touches others: it brings needs
    in other journeys, makes customers leave for good, keeps a second case of the journey from being opened. Without it
    needs come as they come, and worlds of one seed have the same cases whatever is done in them. ``surveys``: whether
    customers are asked afterwards. ``capacity`` multiplies how many actions of each kind fit into a day. Raises
    `TruenorthError` with every value out of range.

    >>> Company(n_customers=100, drifts=(Drift("staffing", 30, 0.2),)).days
    60
    >>> Company(days=0)
    Traceback (most recent call last):
    ...
    truenorth.spec.problems.TruenorthError: $.days: expected a whole number from 1 to 999, found 0
    """

    n_customers: int = 6_000
    days: int = 60
    start: date = date(2026, 1, 5)
    staffing: float = 1.0
    incentives: tuple[Incentive, ...] = ()
    drifts: tuple[Drift, ...] = ()
    spillover: bool = True
    surveys: bool = True
    capacity: float = 1.0

    def __post_init__(self) -> None:
        problems = [*_out_of_range(self), *_wrong_names(self)]
        if problems:
            raise TruenorthError(problems)


def _out_of_range(company: Company) -> list[Problem]:
    checks = [
        ("$.n_customers", 1 <= company.n_customers <= MAX_CUSTOMERS, f"a whole number from 1 to {MAX_CUSTOMERS}"),
        ("$.days", 1 <= company.days <= MAX_DAYS, f"a whole number from 1 to {MAX_DAYS}"),
        ("$.staffing", 0 < company.staffing <= 100, "a number above 0, at most 100"),
        ("$.capacity", 0 <= company.capacity <= 1000, "a number from 0 to 1000"),
    ]
    for n, drift in enumerate(company.drifts):
        checks.append((f"$.drifts[{n}].size", 0 <= drift.size <= 1, "a number from 0 to 1"))
        checks.append((f"$.drifts[{n}].from_day", drift.from_day >= 0, "a day from 0, the first"))
    return [
        Problem(path=path, expected=range_, found=_found(company, path)) for path, fits, range_ in checks if not fits
    ]


def _found(company: Company, path: str) -> str:
    name = path.removeprefix("$.")
    if not name.startswith("drifts["):
        return str(getattr(company, name))
    number, _, field = name.removeprefix("drifts[").partition("].")
    return str(getattr(company.drifts[int(number)], field))


def _wrong_names(company: Company) -> list[Problem]:
    named: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "$.incentives": (company.incentives, get_args(Incentive)),
        "$.drifts": (tuple(drift.what for drift in company.drifts), get_args(DriftKind)),
    }
    found = [
        Problem(path=path, expected="one of " + ", ".join(known), found=f"'{name}'")
        for path, (names, known) in named.items()
        for name in names
        if name not in known
    ]
    for path, (names, _) in named.items():
        found += [
            Problem(path=path, expected="each at most once", found=f"'{name}' twice")
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
    return found
