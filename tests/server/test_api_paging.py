"""All pages of a list together are all its rows, once each, whatever the size of a page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.desk import NOW_US, Desk

LISTS: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/cases", {"journey": "support"}),
    ("/api/v1/cases", {"journey": "support", "outcome": "achieved"}),
    ("/api/v1/cases", {"journey": "support", "customer": "C1"}),
    ("/api/v1/promises", {"journey": "support"}),
    ("/api/v1/promises", {"journey": "support", "verdict": "kept"}),
    ("/api/v1/signals", {}),
    ("/api/v1/signals", {"kind": "broken"}),
    ("/api/v1/quarantine", {}),
    ("/api/v1/erasures", {}),
]


@pytest.mark.parametrize(("path", "query"), LISTS, ids=str)
@given(limit=st.integers(1, 12))
@settings(max_examples=4, deadline=None)
def test_all_pages_are_all_rows(read_desk: Desk, path: str, query: dict[str, Any], limit: int) -> None:
    whole = read_desk.get(path, limit=1000, **query)
    assert whole["next"] is None
    assert read_desk.all_pages(path, limit, **query) == whole["items"]


def test_the_audit_in_pages(desk: Desk) -> None:
    for number in range(23):
        desk.store.audit.note("ann", "looked", about=f"{number}", now_us=NOW_US)
    for limit in (1, 5, 23, 24):
        assert [line["about"] for line in desk.all_pages("/api/v1/audit", limit)] == [f"{n}" for n in range(23)]


def test_erasures_in_pages(desk: Desk) -> None:
    for number in range(5):
        desk.store.people.erase([f"nobody-{number}"], asked_by="ann", now_us=NOW_US, scrub=False)
    assert [one["number"] for one in desk.all_pages("/api/v1/erasures", 2)] == [1, 2, 3, 4, 5]
