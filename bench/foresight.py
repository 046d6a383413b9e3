"""Foresight beside what is published: `python bench/foresight.py --data DIR --date 2026-11-25 [--small]`.

Writes docs/foresight-benchmarks.md. DIR holds the public logs under their usual names; one that is not there is named
as not measured. Needs no network.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import polars as pl

from truenorth.foresight import features
from truenorth.foresight.alarms import Cost
from truenorth.foresight.backtest import Asked, Backtest, backtest
from truenorth.foresight.evaluate import Bucket
from truenorth.foresight.labels import Label
from truenorth.foresight.learnt import learn
from truenorth.foresight.metrics import Estimate, auc, auc_of
from truenorth.foresight.model import Foresight, Scorer
from truenorth.foresight.rows import Table
from truenorth.foresight.split import temporal_split
from truenorth.foresight.train import Effort
from truenorth.logs import read_log
from truenorth.simulate.company import Company
from truenorth.simulate.effects import ask_model
from truenorth.simulate.world import World
from truenorth.wiring import load_journey, replay
from truenorth.wiring_foresight import Source, prepare

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "foresight-benchmarks.md"
EXAMPLES = HERE.parent / "examples"

PUBLISHED_DAYS = {
    "helpdesk.xes.gz": ("Helpdesk", 5.41),
    "bpic2012.xes.gz": ("BPIC 2012", 5.49),
    "BPIC13_incidents.xes.gz": ("BPIC 2013 incidents", 2.39),
    "Sepsis.xes.gz": ("Sepsis", 16.43),
    "Road_Traffic_Fine_Management_Process.xes.gz": ("Traffic fines", 144.28),
}
"""Mean absolute error in days on held-out cases of PGTNet (Amiri Elyasi, van der Aa, Stuckenschmidt, CAiSE 2024)."""


def cut_before(event: str) -> Label:
    """Whether a case has an event, foreseen from what came before it."""
    return Label(positive=(event,), take="any", until=(event,))


LABELS = {
    "Road_Traffic_Fine_Management_Process.xes.gz": ("sent to collection", cut_before("Send for Credit Collection")),
    "bpic2012.xes.gz": ("declined", cut_before("A_DECLINED")),
    "Sepsis.xes.gz": ("comes back", cut_before("Return ER")),
}
MOST_COST = {2.0: 0.255, 3.0: 0.215}
"""What a case may cost at most on the traffic fines."""
quiet = lambda _stage, _share: None  # noqa: E731


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--small", action="store_true", help="a tenth of the sizes")
    options = parser.parse_args()
    shrink = 10 if options.small else 1
    parts = [
        "# Foresight beside what is published",
        f"Made by `python bench/foresight.py` on {options.date}. What figures mean: [foresight](foresight.md).",
        "\n".join(remaining_times(options.data)),
        "\n".join(outcomes(options.data)),
        "\n".join(company(6_000 // shrink)),
        "\n".join(speed(500_000 // shrink, 100_000 // shrink)),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def remaining_times(folder: Path) -> Iterator[str]:
    yield "## Time remaining\n"
    yield "Mean absolute error in days on the latest 20 % of the cases, for every prefix; 'one CPU' are seconds of it."
    yield "\n| log | ours | published | always 0 | always the median | 90 % interval held | one CPU |"
    yield "|---|---|---|---|---|---|---|"
    for file, (name, published) in PUBLISHED_DAYS.items():
        if not (folder / file).exists():
            yield f"| {name} | not measured: no {file} | {published} | | | | |"
            continue
        started_s = process_time()
        found = days_of(folder / file)
        used_s = process_time() - started_s
        days = found.remaining
        yield (
            f"| {name} | {shown(days.mae, 2)} | {published} | {days.mae_zero:.2f} | {days.mae_median:.2f} | "
            f"{shown(days.coverage)} | {used_s:.0f} s |"
        )


def days_of(path: Path) -> Backtest:
    """A backtest of a whole log, cut nowhere: what it foresees besides the time is whether a case is a long one."""
    events = read_log(path, on_progress=quiet).events
    long = (pl.len().over("case") > pl.len().over("case").median()).cast(pl.String)
    label = Label(column="is_long", positive=("true",))
    table = features.table_of_log(events.with_columns(long.alias("is_long")), label)
    return backtest(table._replace(targets={"remaining_days": table.targets["remaining_days"]}), asked=Asked(0.2))[0]


def outcomes(folder: Path) -> Iterator[str]:
    yield "## Outcomes and alarms\n"
    yield "Calibration: overall, and the worst bucket of prefix lengths with 500 cases or more. Goals: .03 and .05."
    for file, (name, label) in LABELS.items():
        if not (folder / file).exists():
            yield f"\n{name}: not measured, no {file}."
            continue
        found = backtest(prepare(Source(folder / file, label=label), 0.25, quiet).table)[0]
        yield f"\n**{Path(file).name.split('.')[0]}, {name}** ({found.base_rate:.1%} of {found.n_test:,} cases)\n"
        yield "| model | AUC | Brier | calibration error |"
        yield "|---|---|---|---|"
        for model in found.models:
            yield f"| {model.model} | {shown(model.auc)} | {shown(model.brier)} | {model.calibration_error:.3f} |"
        yield f"\nWorst bucket: {worst(found.buckets)}. {found.verdict.why}.\n"
        yield from costs(found.costs, MOST_COST if "Traffic" in file else {})


def worst(buckets: tuple[Bucket, ...]) -> str:
    large = [bucket for bucket in buckets if bucket.n_cases >= 500]
    if not large:
        return "none has 500 cases"
    most = max(large, key=lambda bucket: bucket.calibration_error)
    return f"{most.calibration_error:.3f} at {most.first} to {most.last} events"


def costs(found: tuple[Cost, ...], most: dict[float, float]) -> Iterator[str]:
    yield "| a failure costs | ours | always act | never | at most |"
    yield "|---|---|---|---|---|"
    for cost in found:
        goal = most.get(cost.ratio, 1.01 * min(cost.always, cost.never))
        yield f"| {cost.ratio:g} actions | {cost.cost:.3f} | {cost.always:.3f} | {cost.never:.3f} | {goal:.3f} |"


def company(n_customers: int) -> Iterator[str]:
    """The made-up company against an oracle that knows all of a case but its luck."""
    yield "## The made-up company\n"
    yield (
        "The oracle knows the causal model and everything about a case (who, how severe, how loaded the company, every "
        "cause as it was lived, the action) but its luck. Both are judged on the last prediction before the outcome of "
        "each held-out case. *Shuffled*: the same, learnt from outcomes dealt out at random.\n"
    )
    yield "| journey | held-out cases | AUC | oracle | shuffled | calibration error | days before the survey |"
    yield "|---|---|---|---|---|---|---|"
    lived = World(Company(n_customers=n_customers), 1).lived
    events, chances = lived.events(), ask_model(lived.tables, lived.run.cases, lived.run.levels).chances
    oracle = dict(zip(lived.case_names.cast(pl.String), 1 - chances[:, 0], strict=True))
    for path in sorted((EXAMPLES / "company").glob("*.yaml")):
        journey = load_journey(path)
        table = features.table_of_replay(journey, replay(journey, events))
        found, foresight = backtest(table)
        _, random = backtest(dealt(table, 5))
        last, y, case = last_rows(table, found)
        truth = np.array([oracle.get(str(one).split("#")[0], np.nan) for one in table.cases.id.gather(case)])
        known = np.isfinite(truth)
        ours = auc_of(y, Scorer(foresight).risk(table.rows.x[last]), case, 0)
        chance = auc(y, Scorer(random).risk(table.rows.x[last]))
        ahead = found.survey.days_earlier.value if found.survey else float("nan")
        yield (
            f"| {path.stem} | {found.n_test:,} | {shown(ours)} | {auc(y[known], truth[known]):.3f} | {chance:.3f} | "
            f"{found.models[0].calibration_error:.3f} | {ahead:.1f} |"
        )


def last_rows(table: Table, found: Backtest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The last row of each held-out case, whether it failed, and its code."""
    cases = table.cases
    held = (cases.opened_us >= found.test_us) & (cases.outcome >= 0)
    rows = np.flatnonzero(held[table.rows.case])
    rows = rows[np.lexsort((table.rows.time_us[rows], table.rows.case[rows]))]
    case = table.rows.case[rows]
    last = rows[np.flatnonzero(np.r_[case[1:] != case[:-1], True])]
    return last, cases.outcome[table.rows.case[last]] > 0, table.rows.case[last]


def dealt(table: Table, seed: int) -> Table:
    """The same table with the known outcomes dealt out at random."""
    outcome = table.cases.outcome.copy()
    known = np.flatnonzero(outcome >= 0)
    outcome[known] = np.random.default_rng(seed).permutation(outcome[known])
    return table._replace(cases=table.cases._replace(outcome=outcome), targets={})


def speed(n_rows: int, n_open: int) -> Iterator[str]:
    """Learning, scoring one event, and scoring all open cases anew, on the help journey of a large company."""
    yield "## Speed\n"
    events = World(Company(n_customers=max(n_rows // 40, 500)), 1).lived.events()
    journey = load_journey(EXAMPLES / "company" / "help.yaml")
    table = features.table_of_replay(journey, replay(journey, events))
    started_s = perf_counter()
    learn(table, temporal_split(table.cases, table.rows), 0, Effort(), quiet)
    learnt_s = perf_counter() - started_s
    foresight: Foresight = backtest(table)[1]
    scorer, x = Scorer(foresight), table.rows.x
    times_s = list(timed(scorer.one, x[: min(5_000, len(x))]))
    many = np.resize(x, (n_open, x.shape[1]))
    again_s = min(timed(scorer.predict, [many, many]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield "| what | figure | goal |"
    yield "|---|---|---|"
    yield f"| all models from {len(x):,} rows of {x.shape[1]} columns | {learnt_s:.0f} s | 500,000 in 120 s |"
    yield f"| most memory so far | {peak:.1f} GB | 4 GB |"
    median, slow = 1e3 * np.quantile(times_s, [0.5, 0.99])
    yield f"| one event, all {len(scorer.runners) + 1} models | {median:.2f} ms, p99 {slow:.2f} | 1 ms, p99 20 |"
    yield f"| {n_open:,} open cases | {again_s:.1f} s | 100,000 in 10 s |"


def timed(call: Callable[[np.ndarray], object], arguments: list[np.ndarray] | np.ndarray) -> Iterator[float]:
    call(arguments[0])
    for one in arguments:
        started_s = perf_counter()
        call(one)
        yield perf_counter() - started_s


def shown(found: Estimate, digits: int = 3) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


if __name__ == "__main__":
    main()
