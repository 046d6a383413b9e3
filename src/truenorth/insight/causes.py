"""Where cases start to fail, adjusted for what else differs between them, and what removing each point would bring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl

from truenorth.insight.adjusted import Adjusted, Comparison, Floats, Ints, adjusted_effects, e_value
from truenorth.insight.candidates import POINT_KINDS, Candidate, candidates
from truenorth.insight.coded import Bools, CodedEvents, coded
from truenorth.insight.customers import customers_of
from truenorth.insight.design import Design, design_of
from truenorth.insight.known_before import Opening, columns_before, opening_facts
from truenorth.insight.recorded import is_recorded
from truenorth.insight.replayed import Replayed
from truenorth.insight.what_to_do import advice

MAX_CASES = 20_000
"""So many cases of each point are compared, drawn at random where there are more."""

MIN_OVERLAP, MAX_IMBALANCE, MAX_LEFT_EARLY = 0.5, 0.25, 0.1
"""A point is comparable if at least half of the cases that passed have others like them, weighting leaves no column
further apart than a quarter of a standard deviation (as D. B. Rubin, 2001, suggests), and the shares of those that were
over before they could be asked are no further apart than ten points: else those that are left are chosen by how they
fare. (That last limit is our own.)"""

FALSE_DISCOVERIES = 0.05
"""Of the points that are called clear, at most this share is expected to be chance (Benjamini and Hochberg)."""

MEASURES = ("failed", "value", "cost", "revenue")
"""What is compared: failed (or abandoned) as 0 or 1; value, cost and revenue of the case in the journey's currency."""

RULE = (
    "Compared are ripe cases at which a point is at stake: those that passed it against those that did not. Adjusted "
    "for what the opening event says of the case, the hour, weekday and day, and what had gone wrong in it before; "
    "not for what the point itself may have brought about. Doubly robust (AIPW) with cross-fitted models; cases that "
    "nearly always or nearly never pass are left out; intervals of 95 % take the cases of a customer as one; points "
    "are clear if the adjusted effect is told apart from chance at 5 % false discoveries and enough cases are alike. "
    "The E-value says how strongly (as a risk ratio) something unseen would have to go with the point and with "
    "failing to explain all of it."
)


class Causes(msgspec.Struct, frozen=True, kw_only=True):
    """Points of failure with their adjusted effects; see `causes_of_failure` for the columns of ``points``.

    ``n_ripe`` cases are old enough to be compared, ``n_failed`` of them failed or were abandoned. ``adjusted_for``:
    what is known at the opening; ``suspected``: columns left out, for they tell the outcome almost by themselves.
    """

    points: pl.DataFrame
    n_ripe: int
    n_failed: int
    adjusted_for: tuple[str, ...]
    suspected: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """One row per point, ranked."""
        return self.points

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with the rule."""
        return {
            "n_ripe": self.n_ripe,
            "n_failed": self.n_failed,
            "adjusted_for": list(self.adjusted_for),
            "suspected": list(self.suspected),
            "points": self.points.to_dicts(),
            "rules": {"adjusted": RULE},
        }


def causes_of_failure(
    replay: Replayed, *, seed: int = 0, exclude: Collection[str] = (), kinds: Collection[str] = POINT_KINDS
) -> Causes:
    """Points of failure: raw and adjusted effects, and what would come of removing them.

    Columns of ``points``: ``place`` to ``place_to`` (the places from 1 that a point may have among the comparable ones
    that are no signs, null for all others: a point stands above another only where the whole interval of what it would
    bring does; compare H. Goldstein, D. J. Spiegelhalter, 1996, "League tables and their limitations", J. Royal
    Statistical Society A 159, 385-443), ``kind`` and ``point`` (see `truenorth.insight.candidates.POINT_KINDS`),
    ``sign`` (tells how a case fares, not what was done: ranked last), ``n_at_stake`` ripe cases, ``n`` of them passed.
    Then, all as differences in the chance of failing in [-1, 1]: ``raw`` and ``adjusted`` (average over all cases
    compared), each with ``_low`` and ``_high``, ``p_value``, ``q_value`` (after control of false discoveries),
    ``comparable`` (see `MIN_OVERLAP`), ``clear`` (comparable, and told apart from chance), ``certainty`` (all that in
    words, see `certainty`). What removing it would bring, summed over the ``n`` cases (effect on those that passed,
    times n), each with ``_low`` and ``_high``: ``fewer_failed`` (cases), ``value_won``, ``cost_saved``,
    ``revenue_won`` (the journey's currency; null where the log has no cost or no revenue at all). How far to trust it:
    ``trimmed_share``, ``overlap`` (the share of passing cases with others like them), ``left_early`` (how far apart the
    shares are of those that were over before an early point could be asked about), ``imbalance`` (the largest
    standardised difference left, 0.1 is small), ``e_value`` and ``e_value_limit`` (of the end of the interval nearest
    to no effect). What to do, in this order: ``eradicate``, ``improve``, ``automate``.

    What a point would bring is ``value_won`` if the journey declares values, else ``fewer_failed``. Rows are in an
    order of reading: clear points by that, then all others by how many standard errors they are from none, then signs;
    but what surely stands above another is always read before it.
    ``seed``: of folds and samples. ``exclude``: columns not to adjust for, because they are written later than the
    opening. ``kinds``: of points to ask about.
    """
    events = coded(replay)
    failed = (events.cases["outcome"] != "achieved").to_numpy().astype(np.float64)
    opening = opening_facts(events, failed, events.ripe, exclude)
    who = customers_of(events)
    missing = [name for name in ("cost", "revenue") if not is_recorded(replay, name)]
    rows = [
        row | _not_recorded(missing)
        for number, candidate in enumerate(candidates(events, kinds))
        if (row := _row(events, candidate, opening, failed, who, seed + number)) is not None
    ]
    return Causes(
        points=_ranked(rows, worth=bool(replay.journey.outcome.value)),
        n_ripe=int(events.ripe.sum()),
        n_failed=int(failed[events.ripe].sum()),
        adjusted_for=tuple(opening.facts.columns),
        suspected=opening.suspected,
    )


def adjusted_point(
    events: CodedEvents, candidate: Candidate, opening: Opening, failed: Floats, who: Ints, seed: int
) -> Adjusted | None:
    """The effects of one point on the four measures; None with too few cases to compare."""
    cases = np.flatnonzero(candidate.at_stake)
    if len(cases) > MAX_CASES:
        cases = np.sort(np.random.default_rng(seed).choice(cases, MAX_CASES, replace=False))
    facts = opening.facts[cases]
    before = columns_before(events, candidate.earlier, cases, candidate.at_us[cases], counts=candidate.counts)
    design: Design = design_of(facts.hstack(before) if before.width else facts)
    outcomes = {"failed": failed[cases]}
    for name in MEASURES[1:]:
        values = events.cases[name].cast(pl.Float64).fill_null(0.0).to_numpy()[cases]
        if values.min() < values.max():
            outcomes[name] = values
    _, clusters = np.unique(who[cases], return_inverse=True)
    return adjusted_effects(candidate.passed[cases], outcomes, design.matrix, clusters.astype(np.int64), seed=seed)


def _row(
    events: CodedEvents, candidate: Candidate, opening: Opening, failed: Floats, who: Ints, seed: int
) -> dict[str, Any] | None:
    found = adjusted_point(events, candidate, opening, failed, who, seed)
    if found is None:
        return None
    n = int(candidate.passed.sum())
    shown = found.outcomes["failed"]
    limit = shown.everyone.low if shown.everyone.estimate > 0 else shown.everyone.high
    crosses = shown.everyone.low <= 0 <= shown.everyone.high
    without = shown.mean_without
    order = advice(events, candidate)
    return {
        "kind": candidate.kind,
        "point": candidate.point,
        "sign": candidate.is_sign,
        "n_at_stake": int(candidate.at_stake.sum()),
        "n": n,
        **_interval("raw", shown.raw, 1.0),
        **_interval("adjusted", shown.everyone, 1.0),
        "p_value": shown.everyone.p_value,
        **_removed("fewer_failed", shown, n),
        **_removed("value_won", found.outcomes.get("value"), -n),
        **_removed("cost_saved", found.outcomes.get("cost"), n),
        **_removed("revenue_won", found.outcomes.get("revenue"), -n),
        "trimmed_share": found.trimmed_share,
        "overlap": found.overlap,
        "left_early": candidate.left_early,
        "imbalance_raw": found.imbalance_raw,
        "imbalance": found.imbalance,
        "e_value": e_value(without, without + shown.everyone.estimate),
        "e_value_limit": 1.0 if crosses else e_value(without, without + limit),
        **order._asdict(),
    }


def _interval(name: str, effect: Any, times: float) -> dict[str, float]:
    ends = sorted((times * effect.low, times * effect.high))
    return {name: times * effect.estimate, f"{name}_low": ends[0], f"{name}_high": ends[1]}


REMOVED = {"cost": "cost_saved", "revenue": "revenue_won"}
"""What removing a point would bring of an amount."""


def _not_recorded(amounts: Collection[str]) -> dict[str, None]:
    return dict.fromkeys(f"{REMOVED[amount]}{end}" for amount in amounts for end in ("", "_low", "_high"))


def _removed(name: str, comparison: Comparison | None, times: float) -> dict[str, float]:
    if comparison is None:
        return {name: 0.0, f"{name}_low": 0.0, f"{name}_high": 0.0}
    return _interval(name, comparison.treated, times)


NO_PLACE = ("not alike", "is the outcome")
"""Points of which no effect is told have no place among the others."""


def certainty(row: Mapping[str, Any]) -> str:
    """Whether a point is clear, may be chance, or compares cases that are not alike.

    A point at which all fail that pass it and nobody else, or the other way round, leaves no chance to reckon with: it
    is another name of the outcome. One that goes with fewer failures beyond chance points the other way. ``row``:
    ``comparable``, ``clear``, ``raw``, ``adjusted``, ``q_value`` as in `causes_of_failure`.
    """
    if not row["comparable"]:
        return "not alike"
    if abs(row["raw"]) == 1.0:
        return "is the outcome"
    if row["clear"]:
        return "clear"
    is_chance = row["adjusted"] >= 0 or row["q_value"] > FALSE_DISCOVERIES
    return "may be chance" if is_chance else "the other way"


def _ranked(rows: list[dict[str, Any]], *, worth: bool) -> pl.DataFrame:
    from scipy.stats import false_discovery_control  # noqa: PLC0415 heavy

    if not rows:
        return pl.DataFrame(schema=dict.fromkeys(("kind", "point"), pl.String))
    amounts = [f"{name}{end}" for name in REMOVED.values() for end in ("", "_low", "_high")]
    table = pl.DataFrame(rows, schema_overrides=dict.fromkeys(amounts, pl.Float64))
    chance = np.nan_to_num(table["p_value"].to_numpy(), nan=1.0)
    q_value = pl.Series("q_value", false_discovery_control(chance))
    comparable = (
        (pl.col("overlap") >= MIN_OVERLAP)
        & (pl.col("imbalance") <= MAX_IMBALANCE)
        & (pl.col("left_early") <= MAX_LEFT_EARLY)
    )
    clear = comparable & (pl.col("q_value") <= FALSE_DISCOVERIES) & (pl.col("adjusted") > 0)
    told = table.with_columns(q_value, comparable.alias("comparable")).with_columns(clear.alias("clear"))
    told = told.with_columns(pl.Series("certainty", [certainty(row) for row in told.iter_rows(named=True)], pl.String))
    gain = "value_won" if worth else "fewer_failed"
    told = told.sort("clear", pl.when("clear").then(gain).otherwise(_evidence()), descending=True)
    is_placed = (~told["sign"] & ~told["certainty"].is_in(NO_PLACE)).to_numpy()
    above = _above(told, gain, is_placed)
    placed = told.select(*_places(above, is_placed), pl.all())
    return placed[reading_order(above)].sort("sign", maintain_order=True)


def _evidence() -> pl.Expr:
    """How far a point stands from no effect, in standard errors: what little is known orders what may be chance."""
    return pl.col("adjusted") / (pl.col("adjusted_high") - pl.col("adjusted_low")).clip(lower_bound=1e-12)


def _above(table: pl.DataFrame, gain: str, is_placed: Bools) -> Bools:
    """``above[a, b]``: row ``a`` surely stands above row ``b``, for its interval lies wholly above the other's."""
    low, high = (table[f"{gain}_{end}"].to_numpy() for end in ("low", "high"))
    surely: Bools = (low[:, None] > high[None, :]) & is_placed[:, None] & is_placed[None, :]
    return surely


def reading_order(above: Bools) -> list[int]:
    """Rows as they come, save that what surely stands above another is read before it.

    ``above`` (n, n), a strict partial order: whether row ``a`` stands above row ``b``.

    >>> reading_order(np.array([[False, False, False], [False, False, False], [True, False, False]]))
    [1, 2, 0]
    """
    left = list(range(len(above)))
    order = []
    while left:
        first = next(row for row in left if not above[left, row].any())
        order.append(first)
        left.remove(first)
    return order


def _places(above: Bools, is_placed: Bools) -> tuple[pl.Series, pl.Series]:
    """``place`` and ``place_to`` of each row: the places that it may have, null where it has none."""
    best, worst = 1 + above.sum(axis=0), int(is_placed.sum()) - above.sum(axis=1)
    found = []
    for name, numbers in (("place", best), ("place_to", worst)):
        column = np.where(is_placed, numbers, np.nan)
        found.append(pl.Series(name, column).fill_nan(None).cast(pl.Int64))
    return found[0], found[1]
