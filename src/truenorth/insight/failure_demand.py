"""Failure demand: contacts that would not have been needed had the company done its part.

The term is John Seddon's ("Freedom from Command and Control", 2003); the rule by which it is found in events is our
own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.coded import Bools, CodedEvents

REASONS = ("reopening", "broken promise", "complaint", "repeat", "chaser")
"""Why a contact is failure demand; where several hold, the first counts."""

Reasons = NDArray[np.int8]
"""The position of a reason in `REASONS` for each event, -1 for none."""

COMPLAINT_FEELING = -0.5
"""A contact with a feeling of at most this is a complaint, whatever its type is called."""

RULE = (
    "A contact is a moment at which the customer acts, that is one that names neither team nor actor (where the log "
    "does not tell: a moment of the type with which its case opened, or that reopens it), other than the first event "
    "of its case and what decides the outcome. It is failure demand if it reopens a resolved case; or, while the "
    "case is not resolved, is the first contact after a promise of the case was broken; or has a feeling of -0.5 or "
    "less; or has the type of an earlier contact of the case; or follows another contact of the customer with "
    "nothing from the company in between. With it goes the work that it caused, and the company's first moment in "
    "answer."
)


def contacts(events: CodedEvents) -> Bools:
    """Moments at which the customer acts.

    Where the log does not tell who acts: those of the type with which their case opened, and those that reopen it.
    """
    if events.tells_who_acts:
        return events.by_customer
    opening = events.type[events.first[:-1]][events.case]
    asks_again: Bools = events.moment & ((events.type == opening) | events.reopening)
    return asks_again


def failure_demand(events: CodedEvents) -> Reasons:
    """Why each event is failure demand: the position of the reason in `REASONS`, -1 for all that is none."""
    outcome = events.replay.journey.outcome
    contact = contacts(events)
    asked = contact & ~events.holds(outcome.achieved) & ~events.holds(outcome.failed)
    asked[events.first[:-1]] = False
    resolved = events.resolved
    reasons = (
        events.reopening,
        ~resolved & _first_after_breaks(events, contact),
        ~resolved & (events.number("feeling") <= COMPLAINT_FEELING),
        ~resolved & _repeats(events, contact),
        ~resolved & _chasers(events, contact),
    )
    found = np.full(events.n_events, -1, np.int8)
    for number in range(len(reasons) - 1, -1, -1):
        found[asked & reasons[number]] = number
    return found


def answers(events: CodedEvents, demand: Reasons) -> Bools:
    """The company's answer to each failure demand: the next event of the case, if it is a moment of the company's."""
    follows = np.roll(demand >= 0, 1)
    follows[events.first[:-1]] = False
    return follows & events.moment & ~contacts(events)


def _first_after_breaks(events: CodedEvents, contact: Bools) -> Bools:
    """The first contact after each broken promise of the case."""
    numbers = events.cases.select("case").with_row_index("number")
    broken = (
        events.replay.promises.lazy()
        .filter(pl.col("verdict") == "broken")
        .select("case", at=pl.col("decided").to_physical())
        .join(numbers.lazy(), on="case")
        .select(pl.col("number").cast(pl.Int64), "at")
        .sort("at")
        .collect()
    )
    at = np.flatnonzero(contact)
    rows = pl.DataFrame({"number": events.case[at], "at": events.time_us[at], "event": at}).sort(
        "at", maintain_order=True
    )
    found = broken.join_asof(
        rows, on="at", by="number", strategy="forward", allow_exact_matches=False, check_sortedness=False
    )
    first = np.zeros(events.n_events, np.bool_)
    first[found["event"].drop_nulls().to_numpy()] = True
    return first


def _repeats(events: CodedEvents, contact: Bools) -> Bools:
    """Contacts of a type that an earlier contact of the case had."""
    at = np.flatnonzero(contact)
    _, first = np.unique(events.case[at] * len(events.type_names) + events.type[at], return_index=True)
    again = contact.copy()
    again[at[first]] = False
    return again


def _chasers(events: CodedEvents, contact: Bools) -> Bools:
    """Contacts that follow another contact of the case directly: nothing came from the company in between."""
    if not events.tells_who_acts:
        return np.zeros(events.n_events, np.bool_)
    follows = np.append(False, contact[:-1])
    follows[events.first[:-1]] = False
    chasers: Bools = contact & follows
    return chasers
