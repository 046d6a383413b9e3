"""Authority as a journey file writes it: what roles and accreditations may do, and what a request beyond it needs."""

from __future__ import annotations

from collections.abc import Mapping

from truenorth.spec.acting import Authority, Grant
from truenorth.spec.actions import read_name
from truenorth.spec.amounts import read_limits, read_money
from truenorth.spec.document import Element, Table
from truenorth.spec.readers import Reader, Reading, child_path, read_duration, read_row

APPROVAL_KEYS: Mapping[str, Reader] = {"within": read_duration, "four_eyes_above": read_money}
"""The keys of approvals and their readers."""


def _read_grants(reading: Reading, element: Element, path: str) -> tuple[Grant, ...] | None:
    """What one role may do: permissions with their limits."""
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping from permissions to limits, such as {call_back: true}")
        return None
    grants: dict[str, Grant] = {}
    for key, part in element.entries:
        where = child_path(path, key.text)
        reading.lines[where] = part.line or key.line
        name = read_name(reading, key, where)
        limits = read_limits(reading, part, where)
        if name in grants:
            reading.report(where, key, f"'{name}' once", found="it a second time", hint="write both limits as a list")
        elif name is not None and limits is not None:
            grants[name] = Grant(name, limits)
    return tuple(grants.values())


def _read_holders(reading: Reading, element: Element, path: str) -> dict[str, tuple[Grant, ...]] | None:
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping from names to what they may do")
        return None
    holders: dict[str, tuple[Grant, ...]] = {}
    for key, part in element.entries:
        where = child_path(path, key.text)
        name = read_name(reading, key, where)
        grants = _read_grants(reading, part, where)
        if name in holders:
            reading.report(where, key, f"'{name}' once", found="it a second time", hint="remove one")
        elif name is not None and grants is not None:
            holders[name] = grants
    return holders


def _read_approval(reading: Reading, element: Element, path: str) -> dict[str, int] | None:
    row = read_row(reading, element, path, APPROVAL_KEYS)
    return row.values if row else None


AUTHORITY_KEYS: Mapping[str, Reader] = {
    "roles": _read_holders,
    "accredited": _read_holders,
    "approval": _read_approval,
}
"""The keys of the authority and their readers."""

_MODEL_NAMES = {"within": "approval_us", "four_eyes_above": "four_eyes_cents"}


def read_authority(reading: Reading, element: Element, path: str) -> Authority | None:
    """What roles and accreditations may do."""
    row = read_row(reading, element, path, AUTHORITY_KEYS)
    if row is None:
        return None
    approval = row.values.pop("approval", None) or {}
    return Authority(**row.values, **{_MODEL_NAMES[key]: value for key, value in approval.items()})
