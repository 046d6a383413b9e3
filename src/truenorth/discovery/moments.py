"""Which events the customer takes part in, which apply a rule, and how often work passes from hand to hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from truenorth.discovery.event_words import hint_of, is_customer
from truenorth.discovery.milestones import Milestones
from truenorth.discovery.sequences import Bools, Ints, Sequences
from truenorth.discovery.wording import listed, percent, shown

MOST_NULL, FEW_NULL = 0.9, 0.3
"""Events without an actor are the customer's own if nearly all of their type have none, and few of the log."""


@dataclass(frozen=True)
class Moments:
    """Names of the events that are moments; ``everything`` where all events are the customer's own acts."""

    names: tuple[str, ...]
    why: tuple[str, ...]
    everything: bool = False


def find_moments(found: Milestones) -> Moments:
    """Guess the customer interactions.

    >>> from truenorth.discovery.milestones import find_milestones
    >>> from truenorth.discovery.sequences import arrange
    >>> log = pl.DataFrame({"case": ["a", "a"], "type": ["Customer calls", "Assess"], "time": [0, 1]},
    ...                    schema_overrides={"time": pl.Datetime("us")})
    >>> find_moments(find_milestones(arrange(log))).names
    ('Customer calls',)
    """
    sequences = found.episodes
    acted = {"actor", "team"} & set(sequences.columns)
    if sequences.by_customer and not acted:
        own = "No employee acts in this log: every event is something that the customer does."
        return Moments((), (own,), everything=True)
    names = [sequences.names[code] for code in sequences.frequent]
    by_word = {name: hint_of(name, "customer") for name in names if hint_of(name, "customer")}
    by_actor = [name for name in _acted_by_customer(sequences) if name not in by_word]
    why: list[str] = []
    if by_word:
        words = ", ".join(f"{shown(name)} for '{word}'" for name, word in list(by_word.items())[:6])
        more = f" and {len(by_word) - 6} more" if len(by_word) > 6 else ""
        why.append(f"Taken for customer interactions by a word of their name: {words}{more}.")
    if by_actor:
        why.append(f"Taken for the customer's own acts, for no employee acts in them: {listed(by_actor)}.")
    if not why:
        ends = [*found.need, *found.achieved[:3]] or names[:1]
        why.append("No name tells where the customer takes part, so only the beginning and the end are moments.")
        return Moments(tuple(dict.fromkeys(ends)), tuple(why))
    chosen = [name for name in names if name in by_word or name in by_actor]
    why.append("Check this: which events does the customer notice or take part in? They are the cause of all work.")
    return Moments(tuple(chosen), tuple(why))


def _acted_by_customer(sequences: Sequences) -> list[str]:
    """Types in which mostly nobody acts, or somebody called a customer."""
    if "actor" not in sequences.columns:
        return []
    actor = sequences.columns["actor"].gather(sequences.row)
    customers = [name for name in actor.unique().drop_nulls().to_list() if is_customer(name)]
    n_types = len(sequences.names) + 1
    n_all = np.bincount(sequences.code + 1, minlength=n_types)[1:]
    nobody = np.bincount(sequences.code[actor.is_null().to_numpy()] + 1, minlength=n_types)[1:]
    by_name = actor.is_in(customers).fill_null(False).to_numpy()
    themselves = np.bincount(sequences.code[by_name] + 1, minlength=n_types)[1:]
    nulls_tell = sequences.n_events and actor.null_count() <= FEW_NULL * sequences.n_events
    return [
        sequences.names[code]
        for code in sequences.frequent
        if (nulls_tell and nobody[code] >= MOST_NULL * n_all[code]) or themselves[code] > 0.5 * n_all[code]
    ]


def find_decisions(found: Milestones) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the events that look like business rules being applied, and why."""
    sequences = found.episodes
    words = {sequences.names[code]: hint_of(sequences.names[code], "decision") for code in sequences.frequent[:20]}
    words = {name: word for name, word in words.items() if word}
    shown_words = ", ".join(f"{shown(name)} for '{word}'" for name, word in list(words.items())[:4])
    more = f" and {len(words) - 4} more" if len(words) > 4 else ""
    return tuple(words), (f"Something seems to be decided here, by a word of the name: {shown_words}{more}.",)


@dataclass(frozen=True, eq=False)
class Handovers:
    """Which events are hand-overs, whether ``by`` team or actor, and how many each case has."""

    by: str
    events: Bools
    per_case: Ints

    def sentence(self) -> str:
        """How many hand-overs the cases have, for a comment."""
        counts = self.per_case
        mean = f"{counts.mean():.1f}" if counts.mean() >= 0.1 else f"{counts.mean():.2f}"
        none = percent(float((counts == 0).mean()))
        return (
            f"Hand-overs by {self.by}: {mean} in a case on average; {none} of {len(counts):,} cases have "
            f"none, 80 % at most {at_least_share(counts, 0.8)}, the most {int(counts.max())}."
        )


def find_handovers(sequences: Sequences) -> Handovers | None:
    """Where work passes from hand to hand: by team, or by actor where a log has no team; None where it has neither."""
    by = next((name for name in ("team", "actor") if name in sequences.columns), None)
    if by is None or not sequences.n_events:
        return None
    names = sequences.columns[by].gather(sequences.row)
    codes = names.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    known = np.flatnonzero(codes > 0)
    same_case = sequences.case[known][1:] == sequences.case[known][:-1]
    changes = (
        np.concatenate([[False], (codes[known][1:] != codes[known][:-1]) & same_case]) if len(known) else known > 0
    )
    events = np.zeros(sequences.n_events, np.bool_)
    events[known[changes]] = True
    return Handovers(by, events, np.bincount(sequences.case[events], minlength=sequences.n_cases))


def at_least_share(counts: Ints | Sequence[int], share: float) -> int:
    """The smallest number that at least a share of some counts do not exceed.

    >>> at_least_share([0, 0, 1, 5], 0.75)
    1
    """
    ordered = np.sort(np.asarray(counts))
    return int(ordered[max(0, int(np.ceil(share * len(ordered) - 1e-9)) - 1)])
