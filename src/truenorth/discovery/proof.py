"""A draft is tried on the log it came from: what it would say of the cases, and which promises tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from truenorth.discovery.promises import MIN_CASES, Proposal
from truenorth.discovery.wording import percent
from truenorth.engine.replay import replay
from truenorth.spec.counted import counted
from truenorth.spec.load import parse_journey

MOST_PROMISES = 8
MIN_BROKEN = 3
"""A promise that is broken less often in a whole log tells nothing apart."""

TELLING: Mapping[str, tuple[float, float]] = {
    "response": (0.5, 0.97),
    "rhythm": (0.5, 0.995),
    "limit": (0.5, 0.99),
    "absence": (0.5, 0.995),
    "total": (0.5, 0.99),
    "precedence": (0.9, 0.9999),
}
"""A promise tells cases apart if its share of kept verdicts, by kind, lies between these."""

MOST_OF: Mapping[str, int] = {"response": 4, "precedence": 2}
"""At most so many of a kind; one of any other."""


def try_out(text: str, events: pl.DataFrame) -> dict[str, Any]:
    """The summary of a replay of a draft.

    >>> log = pl.DataFrame({"time": [0], "customer": ["c"]}, schema_overrides={"time": pl.Datetime("us", "UTC")})
    >>> try_out("truenorth: 1\\njourney: a", log)["cases"]
    1
    """
    return replay(parse_journey(text), events).summary


def choose(proposals: Sequence[Proposal], verdicts: Mapping[str, Mapping[str, int]]) -> list[Proposal]:
    """The promises that tell cases apart, with the verdicts of this log added to their comments."""
    chosen: list[Proposal] = []
    for one in sorted(proposals, key=lambda one: _rank(one, proposals)):
        counts = verdicts[one.name]
        decided = counts["kept"] + counts["broken"]
        low, high = TELLING[one.kind]
        n_alike = sum(other.kind == one.kind for other in chosen)
        telling = decided >= MIN_CASES and counts["broken"] >= MIN_BROKEN and low <= counts["kept"] / decided <= high
        if telling and n_alike < MOST_OF.get(one.kind, 1) and len(chosen) < MOST_PROMISES:
            chosen.append(Proposal(one.kind, one.name, one.keys, (*one.why, tally(counts)), one.score))
    return sorted(chosen, key=lambda one: [two.name for two in proposals].index(one.name))


def _rank(one: Proposal, proposals: Sequence[Proposal]) -> int:
    """The first of each kind before the second of any: the place of a promise among those of its kind."""
    return [two.name for two in proposals if two.kind == one.kind].index(one.name)


def tally(counts: Mapping[str, int]) -> str:
    """Verdicts as a sentence.

    >>> tally({"kept": 3, "broken": 1, "lapsed": 0, "open": 2})
    'Replayed on this log: kept 3, broken 1 (75 % kept), open 2.'
    """
    share = percent(counts["kept"], counts["kept"] + counts["broken"])
    rest = "".join(f", {name} {counts[name]:,}" for name in ("lapsed", "open") if counts.get(name))
    return f"Replayed on this log: kept {counts['kept']:,}, broken {counts['broken']:,} ({share} kept){rest}."


def outcome_sentence(summary: Mapping[str, Any], *, has_success: bool) -> str:
    """What a draft says of the cases, as a sentence; ``has_success``: whether it names an event that is one.

    >>> print(outcome_sentence({"cases": 3, "outcome": {"achieved": 0, "abandoned": 3}}, has_success=False))
    Replayed on this log, this draft gives 3 cases: abandoned 100 %. That is no finding yet: the draft names no event \
that is a success, so a case can only fall silent. Name one under outcome.
    """
    n_cases = summary["cases"]
    parts = [f"{name} {percent(n, n_cases)}" for name, n in summary["outcome"].items() if n]
    told = f"Replayed on this log, this draft gives {counted(n_cases, 'case')}: {', '.join(parts) or 'none'}."
    if has_success:
        return told
    return (
        f"{told} That is no finding yet: the draft names no event that is a success, so a case can only fall silent. "
        "Name one under outcome."
    )
