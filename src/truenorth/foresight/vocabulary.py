"""What features there are for a journey: learnt once, from training cases only, and the same in training and live."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import polars as pl

from truenorth.engine.live import POSITION
from truenorth.spec.conditions import fields_of
from truenorth.spec.model import CANONICAL_TYPES, Calendar, Journey, Promise

MOST_TYPES = 64
"""So many event types have columns of their own; the rest are one."""
MOST_CATEGORIES = 40
"""So many values of an attribute are told apart; the rest are one."""
MOST_ATTRIBUTES = 40
"""So many attributes of each kind are used, the best filled first."""
FEWEST_CASES = 10
"""A type or value that fewer training cases have is pooled with the rest."""
SHARE_OF_CASES = 0.001
"""... or a smaller share of them."""
OF_CASE_SHARE = 0.999
"""An attribute with one value in at least this share of the cases that have it is the case's, not its events'."""
LONGEST_VALUE = 100
"""Longer texts are no categories."""
FEWEST_TO_TELL = 50
"""With fewer cases that have a value, nothing is concluded from its always coming with one outcome."""

NOT_FEATURES = frozenset(
    {
        "id",
        "source",
        POSITION,
        "case",
        "customer",
        "time",
        "received",
        "type",
        "text",
        "moment",
        "decision",
        "internal",
        "handover",
    }
)
"""Fields that identify an event or are looked at in another way."""


class Category(msgspec.Struct, frozen=True):
    """An attribute with few values: their codes are 0.. in this order, any other value has the code after the last."""

    name: str
    values: tuple[str, ...]
    of_case: bool


class Number(msgspec.Struct, frozen=True):
    """A numeric attribute."""

    name: str
    of_case: bool


class Term(msgspec.Struct, frozen=True):
    """A promise: whether it falls due, and by whose open hours."""

    name: str
    is_timed: bool
    calendar: Calendar | None = None


class Dropped(msgspec.Struct, frozen=True):
    """A column that is not used, and why."""

    name: str
    reason: str


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns the features have and how values become numbers; JSON or MessagePack by ``msgspec``.

    ``types`` are the event types with columns of their own, in order; ``owner`` is the field whose change is a
    hand-over ("team", "actor" or "" for neither) and ``owners`` its kept values. ``terms`` are the journey's promises
    in file order; ``within_us`` and ``abandoned_after_us`` its outcome's limits. ``zone`` is the time zone of hours and
    weekdays. ``is_judged``: cases are judged by a journey, so that closes, promises, moments and decisions are known.
    """

    types: tuple[str, ...]
    owner: str = ""
    owners: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    numbers: tuple[Number, ...] = ()
    terms: tuple[Term, ...] = ()
    within_us: int | None = None
    within_calendar: Calendar | None = None
    abandoned_after_us: int | None = None
    zone: str = "UTC"
    is_judged: bool = False
    dropped: tuple[Dropped, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of events that are looked at, besides ``case``, ``time``, ``id`` and the flags."""
        named = [*(one.name for one in self.categories), *(one.name for one in self.numbers)]
        return ("type", *([self.owner] if self.owner and self.owner not in named else []), *named)


def learn(
    events: pl.DataFrame,
    *,
    journey: Journey | None = None,
    without: Collection[str] = (),
    zone: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Vocabulary:
    """Learn what features there are from the events of training cases (``case``, ``type``, attributes).

    Columns in ``without`` are not used; nor are promises that look at one of them (they would tell what it says), nor
    instants, texts of the customer, nested values, columns that are constant or nearly unique. ``labels`` (case to
    label) are looked at for one thing only: a column whose every value goes with one label, in all of at least
    `FEWEST_TO_TELL` cases, says what it is to foretell and is not used.
    """
    kept, dropped = _sifted(events, frozenset(without) | NOT_FEATURES)
    told = {name for name in kept if labels and _tells(events, name, labels)}
    dropped += [Dropped(name, "tells the label of every case") for name in sorted(told)]
    categories: list[Category] = []
    numbers: list[Number] = []
    for name in kept:
        if name in told:
            continue
        of_case = _is_of_case(events, name)
        if _is_numeric(events[name]):
            numbers.append(Number(name, of_case))
            continue
        values = _common(events, name, MOST_CATEGORIES)
        if values:
            categories.append(Category(name, values, of_case))
        else:
            dropped.append(Dropped(name, "no value is shared by enough cases"))
    owner = next((name for name in ("team", "actor") if name in events.columns), "")
    return Vocabulary(
        types=_common(events, "type", MOST_TYPES) if "type" in events.columns else (),
        owner=owner,
        owners=_common(events, owner, MOST_TYPES) if owner else (),
        categories=tuple(categories[:MOST_ATTRIBUTES]),
        numbers=tuple(numbers[:MOST_ATTRIBUTES]),
        dropped=tuple(dropped),
        **_of_journey(journey, zone, frozenset(without)),
    )


def _of_journey(journey: Journey | None, zone: str | None, without: frozenset[str]) -> dict[str, Any]:
    if journey is None:
        return {"zone": zone or "UTC"}
    calendars, outcome = journey.calendars, journey.outcome
    terms = [
        Term(promise.name, bool(promise.within_us or promise.at_least_every_us), calendars.get(promise.calendar or ""))
        for promise in journey.promises
        if not without & looked_at(promise)
    ]
    return {
        "terms": tuple(terms),
        "within_us": outcome.within_us,
        "within_calendar": calendars.get(outcome.calendar or ""),
        "abandoned_after_us": outcome.abandoned_after_us,
        "zone": zone or next((calendar.timezone for calendar in calendars.values()), "UTC"),
        "is_judged": True,
    }


def looked_at(promise: Promise) -> frozenset[str]:
    """The fields of an event that decide about a promise; those behind the flags, such as ``moment``, are not told.

    >>> from truenorth.spec.load import parse_journey
    >>> text = "{truenorth: 1, journey: a, promises: [{name: p, never: plan = 'free' and feeling < 0}]}"
    >>> journey = parse_journey(text)
    >>> sorted(looked_at(journey.promises[0]))
    ['feeling', 'plan']
    """
    conditions = (
        promise.after,
        promise.expect,
        promise.unless,
        promise.never,
        promise.of,
        promise.where,
        promise.before,
        promise.require,
    )
    named = {name for condition in conditions if condition for name in fields_of(condition.tree)}
    return frozenset(named | ({promise.total} if promise.total else set()))


def _sifted(events: pl.DataFrame, without: frozenset[str]) -> tuple[list[str], list[Dropped]]:
    """Columns that may be features, the best filled first, and what is left out of the others."""
    kept: list[tuple[int, str]] = []
    dropped: list[Dropped] = []
    for name, dtype in events.schema.items():
        if name in without:
            continue
        usable = dtype.is_numeric() or dtype in (pl.Boolean, pl.String) or isinstance(dtype, pl.Categorical | pl.Enum)
        if not usable:
            dropped.append(Dropped(name, f"{dtype} is no number and no category"))
        elif events[name].drop_nulls().n_unique() < 2:
            dropped.append(Dropped(name, "it never changes"))
        else:
            kept.append((events[name].null_count(), name))
    return [name for _, name in sorted(kept, key=lambda one: one[0])], dropped


def _common(events: pl.DataFrame, name: str, most: int) -> tuple[str, ...]:
    """The values that most cases have, in order of their number of cases, then of text."""
    fewest = max(FEWEST_CASES, SHARE_OF_CASES * events["case"].n_unique())
    counted = (
        events.lazy()
        .select("case", pl.col(name).cast(pl.String).alias("value"))
        .filter(pl.col("value").is_not_null() & (pl.col("value").str.len_chars() <= LONGEST_VALUE))
        .group_by("value")
        .agg(pl.col("case").n_unique().alias("n_cases"))
        .filter(pl.col("n_cases") >= fewest)
        .sort("n_cases", "value", descending=[True, False])
        .head(most)
        .collect()
    )
    return tuple(counted["value"])


def _is_numeric(column: pl.Series) -> bool:
    """Whether a column holds numbers, as such or, with more values than categories are told apart, as text."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return True
    if column.dtype != pl.String or column.name in CANONICAL_TYPES or column.n_unique() <= MOST_CATEGORIES:
        return False
    return column.cast(pl.Float64, strict=False).is_not_null().sum() == len(column) - column.null_count()


def _is_of_case(events: pl.DataFrame, name: str) -> bool:
    """Whether an attribute has one value in a case, wherever it has any."""
    by_case = events.lazy().filter(pl.col(name).is_not_null()).group_by("case").agg(pl.col(name).n_unique().alias("n"))
    return by_case.select((pl.col("n") == 1).mean() >= OF_CASE_SHARE).collect().item() is True


def _tells(events: pl.DataFrame, name: str, labels: Mapping[str, str]) -> bool:
    """Whether each of a few values comes with one label only, and different ones with different labels."""
    label = pl.DataFrame({"case": list(labels.keys()), "_label": list(labels.values())})
    pairs = (
        events.lazy()
        .select("case", pl.col(name).cast(pl.String).alias("_value"))
        .drop_nulls()
        .unique()
        .join(label.lazy(), on="case")
        .group_by("_value")
        .agg(pl.col("_label").n_unique().alias("n_labels"), pl.col("_label").first(), pl.len().alias("n"))
        .collect()
    )
    if pairs.is_empty() or pairs["n"].sum() < FEWEST_TO_TELL or pairs.height > pairs["n"].sum() / FEWEST_CASES:
        return False
    return pairs["n_labels"].max() == 1 and pairs["_label"].n_unique() > 1
