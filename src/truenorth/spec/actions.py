"""Actions and the contact policy as a journey file writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from truenorth.spec.acting import Action, ContactPolicy, Frequency, Need, Prior
from truenorth.spec.amounts import read_a_day, read_frequency, read_money
from truenorth.spec.document import Element, Listing, Table
from truenorth.spec.promises import NAME_FORM
from truenorth.spec.readers import (
    Reader,
    Reading,
    child_path,
    named,
    one_of,
    read_condition,
    read_duration,
    read_number,
    read_row,
    read_text,
)
from truenorth.spec.situations import parse_situation

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
RESERVED = "do_nothing"
"""Always a candidate: no action of a file may be called so."""

read_name = named(NAME, NAME_FORM)


def _read_action_name(reading: Reading, element: Element, path: str) -> str | None:
    name: str | None = read_name(reading, element, path)
    if name == RESERVED:
        hint = "doing nothing is always a candidate by itself"
        reading.report(path, element, "a name of its own", hint=hint)
        return None
    return name


def _read_when(reading: Reading, element: Element, path: str) -> Any:
    return read_condition(reading, element, path, parse_situation)


PRIOR_KEYS: Mapping[str, Reader] = {"recovers": read_number, "strength": read_number}


def _read_prior(reading: Reading, element: Element, path: str) -> Prior | None:
    row = read_row(reading, element, path, PRIOR_KEYS, required=("recovers",))
    if row is None or "recovers" not in row.values:
        return None
    prior = Prior(**row.values)
    if not 0 <= prior.recovers <= 1:
        expected = "the share of failing cases that it turns, from 0 to 1"
        reading.report(child_path(path, "recovers"), row.given["recovers"], expected)
        return None
    if not 0 < prior.strength <= 1e6:
        expected = "how many cases the belief weighs as much as, more than 0 and at most a million"
        reading.report(child_path(path, "strength"), row.given["strength"], expected)
        return None
    return prior


def _read_needs(reading: Reading, element: Element, path: str) -> tuple[Need, ...] | None:
    """A permission, a mapping from permissions to amounts, or a list of such."""
    if isinstance(element, Listing):
        parts = [_read_needs(reading, item, f"{path}[{index}]") for index, item in enumerate(element.items)]
        return tuple(need for part in parts if part for need in part)
    if not isinstance(element, Table):
        name = read_name(reading, element, path)
        return None if name is None else (Need(name),)
    needs = []
    for key, part in element.entries:
        where = child_path(path, key.text)
        name = read_name(reading, key, where)
        amount = read_money(reading, part, where)
        if name is not None and amount is not None:
            needs.append(Need(name, amount))
    return tuple(needs)


ACTION_KEYS: Mapping[str, Reader] = {
    "name": _read_action_name,
    "title": read_text,
    "when": _read_when,
    "cost": read_money,
    "revenue": read_money,
    "needs": _read_needs,
    "prior": _read_prior,
    "cooldown": read_duration,
    "capacity": read_a_day,
    "channel": read_text,
    "exempt": one_of(("legal", "safety")),
    "expires": read_duration,
}
"""The keys of an action and their readers."""

_MODEL_NAMES = {"cost": "cost_cents", "revenue": "revenue_cents", "cooldown": "cooldown_us", "expires": "expires_us"}


def read_actions(reading: Reading, element: Element, path: str) -> tuple[tuple[str, Action], ...] | None:
    """Actions with their paths."""
    if not isinstance(element, Listing):
        reading.report(path, element, f"a list of actions, each with the keys {', '.join(ACTION_KEYS)}")
        return None
    actions: dict[str, tuple[str, Action]] = {}
    for index, item in enumerate(element.items):
        where = f"{path}[{index}]"
        reading.lines[where] = item.line
        row = read_row(reading, item, where, ACTION_KEYS, required=("name",))
        if row is None or "name" not in row.values:
            continue
        action = Action(**{_MODEL_NAMES.get(key, key): value for key, value in row.values.items()})
        if action.name in actions:
            hint = f"{actions[action.name][0]} has it already"
            found = f"'{action.name}'"
            reading.report(child_path(where, "name"), item, "a name of its own", found=found, hint=hint)
        else:
            actions[action.name] = (where, action)
    return tuple(actions.values())


def _read_at_most(reading: Reading, element: Element, path: str) -> tuple[Frequency, ...]:
    return tuple(one for one in _frequencies(reading, element, path) if one is not None)


def _frequencies(reading: Reading, element: Element, path: str) -> Iterator[Frequency | None]:
    if isinstance(element, Listing):
        for index, item in enumerate(element.items):
            yield from _frequencies(reading, item, f"{path}[{index}]")
    elif isinstance(element, Table):
        for key, part in element.entries:
            channel = None if key.text == "all" else key.text
            yield read_frequency(reading, part, child_path(path, key.text), channel)
    else:
        yield read_frequency(reading, element, path, None)


CONTACT_KEYS: Mapping[str, Reader] = {
    "at_most": _read_at_most,
    "calendar": read_text,
    "never_after": read_condition,
    "consent": read_condition,
    "refusal": read_condition,
}
"""The keys of the contact policy and their readers."""


def read_contact(reading: Reading, element: Element, path: str) -> ContactPolicy | None:
    """When a customer is left alone."""
    row = read_row(reading, element, path, CONTACT_KEYS)
    return ContactPolicy(**row.values) if row else None
