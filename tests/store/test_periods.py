"""What was concluded in a time is counted when it was known, not when it was hoped for."""

from __future__ import annotations

from store.making import HOUR_US
from truenorth.store.opening import Store
from truenorth.store.rows import CaseRow, Judged, Progress

DAY_US = 24 * HOUR_US
HELD = CaseRow(
    case="held", opened_us=0, resolved_us=DAY_US, outcome_time_us=DAY_US, closed_us=15 * DAY_US, outcome="achieved"
)
LATE = CaseRow(case="late", opened_us=0, outcome_time_us=2 * DAY_US, closed_us=15 * DAY_US, outcome="failed")
RESOLVED = CaseRow(case="resolved", opened_us=0, resolved_us=DAY_US)


def test_what_is_achieved_counts_once_it_has_held(store: Store) -> None:
    store.results.write("j", Judged(progress=Progress(1, 1), cases=[HELD, LATE, RESOLVED]), n_erasures=0)
    first, last = (store.periods.sums("j", day * DAY_US, (day + 7) * DAY_US) for day in (0, 14))
    assert (first.outcome, last.outcome) == ({"failed": 1}, {"achieved": 1})
    listed = store.pages.cases("j", limit=10, decided_from_us=14 * DAY_US).rows
    assert [row.case for row in listed] == ["held"]
