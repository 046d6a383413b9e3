"""Foresight against the truth: the made-up company, whose chances are known.

`python bench/foresight_company.py [--customers 3000] [--days 300]` prints the tables of docs/foresight-company.md.

Risks are judged on held-out cases at two instants. *All lived*: the last event before anything of the outcome shows;
the oracle's chance is exact there, by the causal model with every cause and the case's hidden trait as they were, all
but its luck. *Opened*: the first event; the oracle's chance is the mean over draws of the causes that are still to
come, by their own chances (waits as they came, which nobody could know). So the oracle knows more than any model may.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from truenorth.foresight.backtest import Asked, Backtest, backtest
from truenorth.foresight.features import table_of_replay, vocabulary_of_replay
from truenorth.foresight.learnt import learn, named, risks_of
from truenorth.foresight.metrics import Estimate, auc
from truenorth.foresight.model import Foresight, Scorer
from truenorth.foresight.predictors import Boosted, Head, Linear, Mean, Predictor
from truenorth.foresight.rows import Table
from truenorth.foresight.split import censoring_weights, temporal_split, test_instant
from truenorth.foresight.train import Effort
from truenorth.simulate.company import Company
from truenorth.simulate.effects import ask_model
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.lived import Lived
from truenorth.simulate.world import World
from truenorth.spec.durations import DAY_US
from truenorth.wiring.foresight import survey_answers
from truenorth.wiring.journey import load_journey, replay

COMPANY = Path(__file__).parent.parent / "examples" / "company"
RIPE_DAYS = 40
"""A case is settled so many days after it was opened, the time that its outcome must hold included."""
N_DRAWS = 100
"""Draws of the causes still to come."""
DEALS = 5
"""How often outcomes are dealt out at random."""


class Judged(NamedTuple):
    """Held-out cases at one instant each (n,): rows of the table, whether they failed, and the oracle's chance of it.

    ``blind`` is that of an oracle that does not know the hidden trait, which no event shows, and takes its mean.
    """

    rows: NDArray[np.intp]
    failed: NDArray[np.bool_]
    oracle: NDArray[np.float64]
    blind: NDArray[np.float64]


class Learnt(NamedTuple):
    """One journey: its table, what a backtest found, the model, and the place of each case in the lived company."""

    table: Table
    found: Backtest
    foresight: Foresight
    lived_as: NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=["help", "bill", "connect", "move"], help="journeys")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    lived = World(Company(n_customers=options.customers, days=options.days), options.seed).lived
    events = lived.events()
    print(f"{options.customers:,} customers, {options.days} days, seed {options.seed}: {events.height:,} events\n")
    effort = Effort(n_threads=options.threads)
    made = {name: learnt(COMPANY / f"{name}.yaml", lived, events, effort) for name in options.only}
    for lines in (against_oracle(lived, made), bounds(lived, made), against_surveys(made), shuffled(made, effort)):
        print("\n".join(lines), end="\n\n", flush=True)


def learnt(path: Path, lived: Lived, events: pl.DataFrame, effort: Effort) -> Learnt:
    """A journey learnt from its cases opened before the last quarter, as `truenorth backtest` does it."""
    begun_s, journey = perf_counter(), load_journey(path)
    replayed = replay(journey, events)
    before_us = test_instant(replayed.cases["opened"].to_physical().to_numpy(), Asked().test_share)
    table = table_of_replay(journey, replayed, vocabulary_of_replay(journey, replayed, before_us=before_us))
    table = table._replace(targets={})  # outcomes only
    found, foresight = backtest(table, effort=effort, answered_us=survey_answers(events, table.cases))
    numbers = pl.DataFrame({"case": lived.case_names, "number": np.arange(len(lived.run.cases))})
    of_case = pl.DataFrame({"case": table.cases.id.cast(pl.String)}).join(
        numbers, "case", "left", maintain_order="left"
    )
    lived_as = of_case["number"].fill_null(-1).to_numpy()
    print(f"{path.stem}: {len(table.rows.case):,} rows, {perf_counter() - begun_s:.0f} s", flush=True)
    return Learnt(table, found, foresight, lived_as)


def against_oracle(lived: Lived, made: dict[str, Learnt]) -> Iterator[str]:
    yield "| journey | instant | held-out cases | fail | AUC | oracle | oracle less ours | not the trait | less ours |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, one in made.items():
        scorer = Scorer(one.foresight)
        for instant, judged in (("opened", opened(lived, one)), ("all lived", all_lived(lived, one))):
            ours = scorer.risk(one.table.rows.x[judged.rows])
            less = difference(judged.failed, judged.oracle, ours)
            best, blind = auc(judged.failed, judged.oracle), auc(judged.failed, judged.blind)
            yield (
                f"| {name} | {instant} | {len(judged.rows):,} | {judged.failed.mean():.1%} | "
                f"{auc(judged.failed, ours):.3f} | {best:.3f} | {shown(less)} | {blind:.3f} | "
                f"{shown(difference(judged.failed, judged.blind, ours))} |"
            )


def opened(lived: Lived, one: Learnt) -> Judged:
    """Cases at their first event."""
    rows = held_out(one, one.table.rows.prefix == 1)
    return judged(lived, one, rows, chances_at_opening)


def all_lived(lived: Lived, one: Learnt) -> Judged:
    """Cases at the last event before the script that shows their outcome; survey answers are no part of it."""
    events = np.concatenate([chunk["case"][chunk["score"] < 0] for chunk in lived.run.chunks])
    n_events = np.bincount(events, minlength=len(lived.run.cases))
    n_before = n_events - lived.run.cases["phase"]  # of the script, events that have happened
    table = one.table
    at_last = table.rows.prefix == n_before[one.lived_as[table.rows.case]]
    return judged(lived, one, held_out(one, at_last), exact_chances)


def held_out(one: Learnt, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows of cases opened since the split but not in the last `RIPE_DAYS`: of those only failures are known."""
    rows, cases = one.table.rows, one.table.cases
    ripe_us = cases.opened_us.max() - RIPE_DAYS * DAY_US
    held = (cases.opened_us >= one.found.test_us) & (cases.opened_us < ripe_us)
    held &= (cases.outcome >= 0) & (one.lived_as >= 0)
    return np.flatnonzero(held[rows.case] & rows.at_event & wanted)


Chances = Callable[[Lived, NDArray[np.void], NDArray[np.int8]], NDArray[np.float64]]
"""The chance of *achieved* (n,) of cases with levels of their causes."""


def judged(lived: Lived, one: Learnt, rows: NDArray[np.intp], chances: Chances) -> Judged:
    case = one.table.rows.case[rows]
    cases, levels = lived.run.cases[one.lived_as[case]], lived.run.levels[one.lived_as[case]]
    blind = cases.copy()
    blind["wiring"] = 0.0
    failed = one.table.cases.outcome[case] > 0
    return Judged(rows, failed, 1.0 - chances(lived, cases, levels), 1.0 - chances(lived, blind, levels))


def exact_chances(lived: Lived, cases: NDArray[np.void], levels: NDArray[np.int8]) -> NDArray[np.float64]:
    """With all that was lived but luck."""
    return ask_model(lived.tables, cases, levels).chances[:, 0]


def chances_at_opening(lived: Lived, cases: NDArray[np.void], levels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Before the causes have come, but for waits: the mean over draws of them by their own chances."""
    generator, total = np.random.default_rng(0), np.zeros(len(cases))
    for _ in range(N_DRAWS):
        drawn = levels.copy()
        for j in range(len(JOURNEYS)):
            of = np.flatnonzero(cases["journey"] == j)
            drawn[of] = drawn_levels(lived, j, cases[of], levels[of], generator)
        total += exact_chances(lived, cases, drawn)
    return total / N_DRAWS


def drawn_levels(
    lived: Lived, j: int, cases: NDArray[np.void], levels: NDArray[np.int8], generator: np.random.Generator
) -> NDArray[np.int8]:
    """Levels of a journey's causes, transfers first, as the causal model draws them (`simulate.causal`)."""
    journey, causes = lived.tables.journeys[j], lived.tables.causes[j]
    first, wait = int(journey["transfer_cause"]), int(journey["wait_cause"])
    for c in [first, *(c for c in range(int(journey["n_causes"])) if c not in (first, wait))]:
        cause = causes[c]
        odds = cause["intercept"] + sum(cause[name] * cases[name] for name in ("severity", "load", "wiring"))
        odds = odds + cause["hurry"] * (cases["segment"] == 1)
        if c != first:
            odds = odds + cause["transfers"] * levels[:, first]
        at_stake = (cases["stakes"] >> c) & 1 == 1
        more = generator.random((len(cases), int(cause["max_level"]))) < (1 / (1 + np.exp(-odds)))[:, None]
        levels[:, c] = np.where(at_stake, np.logical_and.accumulate(more, axis=1).sum(1), 0)
    return levels


def difference(failed: NDArray[np.bool_], oracle: NDArray[np.float64], ours: NDArray[np.float64]) -> Estimate:
    """How much larger the oracle's AUC is, with a 95 % bootstrap interval over cases (one row each)."""
    generator, draws = np.random.default_rng(0), []
    for _ in range(200):
        some = generator.integers(0, len(failed), len(failed))
        draws.append(auc(failed[some], oracle[some]) - auc(failed[some], ours[some]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(auc(failed, oracle) - auc(failed, ours), float(low), float(high))


def bounds(lived: Lived, made: dict[str, Learnt]) -> Iterator[str]:
    """What the same cases can teach at most, where all was lived: areas on the average over all luck."""
    yield "| journey | cases learnt from | oracle | knows the causes | ours | its trees alone | its sum alone |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, one in made.items():
        judged, taught = all_lived(lived, one), cases_learnt_from(one)
        x, head = one.table.rows.x[judged.rows], one.foresight.heads["outcome"]
        risks = [judged.oracle, risks_by_causes(lived, one, taught, judged), risks_of(head, x)]
        risks += [risks_of(Head(part), x) for part in parts_of(head.predictor)]
        areas = [f"{area(judged.oracle, risk):.3f}" for risk in risks]
        cells = [*areas, "not used"][:5]
        yield f"| {name} | {len(taught):,} | {' | '.join(cells)} |"


def parts_of(predictor: Predictor) -> Iterator[Predictor]:
    """The trees of a mean, then its sum."""
    parts = predictor.parts if isinstance(predictor, Mean) else (predictor,)
    yield Mean(tuple(part for part in parts if isinstance(part, Boosted)))
    yield from (part for part in parts if isinstance(part, Linear))


def area(chance: NDArray[np.float64], risk: NDArray[np.float64]) -> float:
    """The AUC of risks (n,) where cases fail with these chances, on the average over their luck."""
    _, rank = np.unique(risk, return_inverse=True)
    failing, other = np.bincount(rank, chance), np.bincount(rank, 1.0 - chance)
    own = chance @ (1.0 - chance)
    right = failing @ (np.cumsum(other) - 0.5 * other) - 0.5 * own
    return float(right / (chance.sum() * (1.0 - chance).sum() - own))


def cases_learnt_from(one: Learnt) -> NDArray[np.intp]:
    split = temporal_split(one.table.cases, one.table.rows)
    case = np.unique(one.table.rows.case[split.fit])
    return case[one.lived_as[case] >= 0]


def risks_by_causes(lived: Lived, one: Learnt, taught: NDArray[np.intp], judged: Judged) -> NDArray[np.float64]:
    """Of a learner that is told what each case's causes are and that they add up, but not how much each weighs."""
    cases = one.table.cases
    weight = censoring_weights(cases.opened_us, cases.ended_us, one.found.test_us)[taught]
    model = LogisticRegression(max_iter=1_000)
    model.fit(causes_of(lived, one.lived_as[taught]), cases.outcome[taught] > 0, weight)
    asked = one.lived_as[one.table.rows.case[judged.rows]]
    risk: NDArray[np.float64] = model.predict_proba(causes_of(lived, asked))[:, 1]
    return risk


def causes_of(lived: Lived, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """All that an outcome comes of but the hidden trait and luck, (n, n_causes + 6)."""
    cases, levels = lived.run.cases[numbers], np.maximum(lived.run.levels[numbers], 0)
    kinds = [cases[name] == kind for name in ("category", "segment") for kind in (1, 2)]
    return np.column_stack([levels, cases["severity"], cases["load"], *kinds]).astype(np.float64)


def shuffled(made: dict[str, Learnt], effort: Effort) -> Iterator[str]:
    yield f"| journey | AUC of trees that learnt from outcomes dealt out at random, mean of {DEALS} deals | each |"
    yield "|---|---:|---|"
    few = msgspec.structs.replace(effort, settings=effort.settings[:1])
    for name, one in made.items():
        areas = [area_dealt(one.table, few, deal) for deal in range(DEALS)]
        yield f"| {name} | {np.mean(areas):.3f} | {', '.join(f'{area:.3f}' for area in areas)} |"


def area_dealt(table: Table, effort: Effort, deal: int) -> float:
    """The area on held-out cases where all outcomes were dealt out anew."""
    outcome = table.cases.outcome.copy()
    known = np.flatnonzero(outcome >= 0)
    outcome[known] = np.random.default_rng(deal).permutation(outcome[known])
    dealt = table._replace(cases=table.cases._replace(outcome=outcome))
    split = temporal_split(dealt.cases, dealt.rows)
    outcomes = learn(dealt, split, 0, effort, lambda _stage, _share: None).outcome
    case = dealt.rows.case[split.test]
    risk = risks_of(named(outcomes).get("trees", outcomes.constant), dealt.rows.x[split.test])
    return auc(dealt.cases.outcome[case] > 0, risk)


def against_surveys(made: dict[str, Learnt]) -> Iterator[str]:
    yield "| journey | cases | alarmed | of these fail | fail | of these alarmed | days before it was known, median |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, one in made.items():
        lead = one.found.lead
        yield (
            f"| {name} | {lead.n_cases:,} | {lead.n_alarmed:,} | {lead.precision.value:.0%} | {lead.n_failed:,} | "
            f"{lead.recall.value:.0%} | {lead.lead_days:.1f} |"
        )
    yield "\n| journey | fail | never answered | of these alarmed | both | days before the answer, median |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, one in made.items():
        ahead = one.found.survey
        if ahead is not None:
            silent = f"{ahead.n_never_answered:,} ({ahead.n_never_answered / max(ahead.n_failed, 1):.0%})"
            seen = f"{ahead.n_silent_seen:,} ({ahead.n_silent_seen / max(ahead.n_never_answered, 1):.0%})"
            days = shown(ahead.days_earlier, 1)
            yield f"| {name} | {ahead.n_failed:,} | {silent} | {seen} | {ahead.n_both:,} | {days} |"


def shown(found: Estimate, digits: int = 3) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


if __name__ == "__main__":
    main()
