"""The tables of docs/company.md, made from the model, so that the page cannot say anything else than the code.

``python -m truenorth.simulate.document docs/company.md`` renews them; a test fails where they are old.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from truenorth.simulate import model
from truenorth.simulate.company import Company, Drift, DriftKind, Incentive
from truenorth.simulate.journeys import CONSEQUENCES, JOURNEYS, SPILLOVER
from truenorth.simulate.truth import Truth
from truenorth.simulate.world import World

REFERENCE = Company(n_customers=30_000)
REFERENCE_SEED = 0
DRIFT_DAY, DRIFT_SIZE = 20, 0.3

Rows = Iterable[Iterable[object]]


def table(head: str, rows: Rows) -> str:
    """A Markdown table; ``head`` has its columns separated by bars.

    >>> print(table("name | n", [("a", 1.5)]))
    | name | n |
    |---|---|
    | a | 1.5 |
    """
    lines = [f"| {head} |", "|" + "---|" * len(head.split("|"))]
    return "\n".join([*lines, *("| " + " | ".join(map(_shown, row)) + " |" for row in rows)])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


@cache
def reference() -> Truth:
    """The truth of the reference world."""
    return World(REFERENCE, REFERENCE_SEED).truth()


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(shift: float, se: float | None = None) -> str:
    """A difference of chances in percentage points; -0.0 is 0."""
    error = "" if se is None else f" ± {100 * se:.2f}"
    return f"{round(100 * shift, 1) + 0.0:.1f}{error}" if shift else "0"


def _rates() -> str:
    rows = [
        (one.name, one.need, one.per_day, *(_percent(reference().base_rates[one.name][k]) for k in model.OUTCOMES))
        for one in JOURNEYS
    ]
    return table("journey | a case opens with | needs per customer and day | achieved | failed | abandoned", rows)


def _terms() -> str:
    rows: list[tuple[object, ...]] = [("journey", one.name, *one.base) for one in JOURNEYS]
    rows += [("category", f"{j.name}: {c.name}", *c.effect) for j in JOURNEYS for c in j.categories]
    rows += [("segment", one.name, *one.effect) for one in model.SEGMENTS]
    rows += [
        ("severity", "per step (0, 1, 2)", *model.SEVERITY),
        ("load", "per person waiting for each at work, at most 3", *model.LOAD),
        ("wiring", "per standard deviation; hidden", *model.WIRING),
    ]
    return table("term | value | failed | abandoned", rows)


def _shares() -> str:
    rows: list[tuple[object, ...]] = [("severity", n, _percent(one), "") for n, one in enumerate(model.SEVERITY_SHARES)]
    rows += [
        ("segment", one.name, _percent(one.share), f"waits {one.patience_min:g} minutes") for one in model.SEGMENTS
    ]
    for savvy, shares in model.CHANNEL_SHARES.items():
        shown = ", ".join(f"{name} {_percent(one)}" for name, one in zip(model.CHANNELS, shares, strict=True))
        rows.append(("tech-savvy", savvy, "50.0 %", shown))
    rows += [("category", f"{j.name}: {c.name}", _percent(c.share), "") for j in JOURNEYS for c in j.categories]
    return table("of | is | share | who", rows)


def _steps() -> str:
    rows = []
    for journey in JOURNEYS:
        for one in journey.steps:
            what = " → ".join(filter(None, (one.starts, one.done))) or one.kind
            due = f"{one.due_h:g} h" if one.due_h else ""
            rows.append((journey.name, what, one.cause, due, f"{one.applies[0]:g} to {one.applies[1]:g}"))
    return table("journey | step | promise | due | applies", rows)


def _scripts() -> str:
    rows = []
    for one in model.SCRIPTS:
        shown = ", ".join(f"{row.event} ({row.from_h:g} to {row.to_h:g} h)" for row in one.rows)
        rows.append((one.outcome, _percent(one.of_outcome), shown))
    return table("outcome | share | what follows", rows)


def _coefficients() -> str:
    rows = [(j.name, c.name, c.kind, *c.effect, c.note) for j in JOURNEYS for c in j.causes]
    return table("journey | promise | comes from | failed | abandoned | note", rows)


def _chances() -> str:
    rows = [(j.name, c.name, *c.chance) for j in JOURNEYS for c in j.causes if c.chance is not None]
    return table("journey | promise | intercept | severity | load | hurry | wiring | transfers", rows)


def _effects() -> str:
    rows = [
        (
            one.journey,
            one.name,
            one.causal,
            _points(one.p_achieved, one.p_achieved_se),
            _points(one.p_achieved_direct),
            _points(one.p_failed),
            _points(one.p_abandoned),
            f"{one.value_eur:.1f}" if one.causal else "0",
            _percent(one.share_at_stake),
            _percent(one.share_broken),
        )
        for one in reference().causes
    ]
    head = "journey | promise | causal | achieved | direct | failed | abandoned | value, EUR | at stake | broken"
    return table(head, rows)


def _consequences() -> str:
    return table("journey | promise | why it is no cause", [(one.journey, one.name, one.note) for one in CONSEQUENCES])


def _rules() -> str:
    rows = [
        (one.name, one.cost_eur, one.per_day, ", ".join(rule.when), *rule.effect)
        for one in model.ACTIONS
        for rule in one.rules
    ]
    rows += [(one.name, one.cost_eur, one.per_day, "", 0, 0) for one in model.ACTIONS[1:] if not one.rules]
    return table("action | cost, EUR | a day per 1,000 customers | where | failed | abandoned", rows)


def _actions() -> str:
    rows = [
        (
            one.name,
            _points(one.p_achieved, one.p_achieved_se),
            f"{one.value_eur:.2f}" if one.cost_eur else "0",
            *(_percent(share) for share in (one.share_helped, one.share_hurt, one.share_worth)),
        )
        for one in reference().actions
    ]
    return table("action | achieved | value, EUR | helped | hurt | worth its cost", rows)


def _spillover() -> str:
    rows = [(*key, need, _percent(chance)) for key, needs in SPILLOVER.items() for need, chance in needs.items()]
    return table("journey | outcome | brings a need in | chance", rows)


def _moved(company: Company) -> list[str]:
    """By how much *achieved* differs from the reference world, by journey."""
    rates = World(company, REFERENCE_SEED).truth().base_rates
    return [_points(rates[j.name]["achieved"] - reference().base_rates[j.name]["achieved"]) for j in JOURNEYS]


def _incentives() -> str:
    rows = []
    for name in get_args(Incentive):
        moved = _moved(Company(n_customers=REFERENCE.n_customers, incentives=(name,)))
        rows.append((name, *model.INCENTIVES[name], *moved))
    head = "paid by | talks last, times | wrong answers | transfers | failed | achieved, yet reopened"
    return table(" | ".join([head, *(j.name for j in JOURNEYS)]), rows)


def _drifts() -> str:
    rows = []
    for what in get_args(DriftKind):
        drifts = (Drift(what, DRIFT_DAY, DRIFT_SIZE),)
        rows.append((what, *_moved(Company(n_customers=REFERENCE.n_customers, drifts=drifts))))
    return table(" | ".join(["drift", *(j.name for j in JOURNEYS)]), rows)


def _policies() -> str:
    world = World(REFERENCE, REFERENCE_SEED)
    value = world.policy_value(world.oracle_policy())
    rows = [(f"{value.n_cases:,}", *(f"{number:.2f}" for number in value[1:]))]
    return table("moments | with the oracle, EUR | doing nothing, EUR | gain | gain as lived | cost of actions", rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "rates": _rates,
    "shares": _shares,
    "steps": _steps,
    "scripts": _scripts,
    "terms": _terms,
    "coefficients": _coefficients,
    "chances": _chances,
    "effects": _effects,
    "consequences": _consequences,
    "rules": _rules,
    "actions": _actions,
    "policies": _policies,
    "spillover": _spillover,
    "incentives": _incentives,
    "drifts": _drifts,
}


def renewed(page: str) -> str:
    """A page with each of its tables made anew; they stand between ``<!-- table: name -->`` and ``<!-- end -->``.

    >>> renewed("<!-- table: spillover -->\\nold\\n<!-- end -->").splitlines()[1]
    '| journey | outcome | brings a need in | chance |'
    """
    return re.sub(
        r"<!-- table: (\w+) -->\n.*?<!-- end -->",
        lambda found: f"<!-- table: {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
