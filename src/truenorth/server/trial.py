"""What another text of a journey would have changed: the log judged by both, and the verdicts that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from truenorth.engine.replay import Replay

MOST_CASES = 100
"""Cases that are named; all are counted."""

Verdicts = Mapping[str, int]


class Differs(NamedTuple):
    """A case whose outcome is another one by the draft; None where it is no case of one of them."""

    case: str
    before: str | None
    after: str | None


class Trial(NamedTuple):
    """Verdicts of cases that opened in a time, by the live text and by the draft.

    ``outcome`` and each of ``promises`` are pairs of counts, before and after; a promise that only one of them has is
    empty on the other side. ``n_differ`` cases have another outcome, ``cases`` names the first of them.
    """

    n_cases: tuple[int, int]
    outcome: tuple[Verdicts, Verdicts]
    promises: Mapping[str, tuple[Verdicts, Verdicts]]
    n_differ: int
    cases: tuple[Differs, ...]


def compared(live: Replay | None, draft: Replay, since: datetime) -> Trial:
    """Two replays compared, over cases that opened at ``since`` or later; without a live one all is the draft's."""
    after = _opened(draft, since)
    before = _opened(live, since) if live is not None else after.clear()
    both = before.join(after, on="case", how="full", coalesce=True, suffix="_after").sort("case")
    differ = both.filter(pl.col("outcome").ne_missing(pl.col("outcome_after"))) if live is not None else both.clear()
    said = _promises(live, before) if live is not None else {}
    says = _promises(draft, after)
    names = dict.fromkeys([*says, *said])
    return Trial(
        n_cases=(before.height, after.height),
        outcome=(_counts(before["outcome"]), _counts(after["outcome"])),
        promises={name: (said.get(name, {}), says.get(name, {})) for name in names},
        n_differ=differ.height,
        cases=tuple(Differs(*row) for row in differ.head(MOST_CASES).iter_rows()),
    )


def _opened(replay: Replay, since: datetime) -> pl.DataFrame:
    return replay.cases.filter(pl.col("opened") >= since).select(
        pl.col("case").cast(pl.String), pl.col("outcome").cast(pl.String)
    )


def _promises(replay: Replay, cases: pl.DataFrame) -> dict[str, Verdicts]:
    """Verdicts by promise, in the order of the file."""
    rows = replay.promises.with_columns(pl.col("case").cast(pl.String)).join(cases, on="case", how="semi")
    counted = rows.group_by("promise", "verdict").len()
    found: dict[str, Counter[str]] = {one.name: Counter() for one in replay.journey.promises}
    for promise, verdict, n in counted.iter_rows():
        found[str(promise)][str(verdict)] = n
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def _counts(outcomes: pl.Series) -> Verdicts:
    return dict(sorted(Counter(outcomes.to_list()).items()))
