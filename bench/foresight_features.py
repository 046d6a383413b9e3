"""What the features of foresight cost and what they are good for.

    python bench/foresight_features.py accuracy [--logs DIR] [--only NAME ...]
    python bench/foresight_features.py speed

*accuracy*: plain LightGBM on published logs, by the protocol of Teinemaa et al. (ACM TKDD 13(2), 2019): the first 80 %
of the cases by their start teach, the rest are foretold after 1, 2, ... events; the area under the ROC curve of each
number of events is averaged, weighted by the number of cases that get so far. *whole*: all of the first 80 % teach, as
in the survey; *honest*: those of them that were over when the first of the rest began.

*speed*: a table of 500,000 rows, one case, 100,000 open cases.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from truenorth.engine.replay import replay
from truenorth.foresight import features
from truenorth.foresight.features import Label
from truenorth.foresight.rows import Table
from truenorth.logs import read_log
from truenorth.simulate import Company, World
from truenorth.spec.load import parse_journey

TRAINING_SHARE = 0.8
ROOT = Path(__file__).parent.parent
LOGS = ROOT.parent / "shared" / "data"
EXAMPLES = ROOT / "examples"


class Task(NamedTuple):
    """A label of a log. ``most`` events are looked at; ``published``: the best area of the survey, where it has one."""

    file: str
    label: Label
    prepare: Callable[[pl.DataFrame], pl.DataFrame] = lambda events: events
    without: tuple[str, ...] = ()
    most: int = 40
    zone: str = "UTC"
    published: float | None = None
    fields: dict[str, str] | None = None


def with_lifecycle(events: pl.DataFrame) -> pl.DataFrame:
    return events.with_columns(pl.concat_str("type", pl.lit("-"), "lifecycle:transition").alias("type"))


def back_within_four_weeks(events: pl.DataFrame) -> pl.DataFrame:
    """Released patients only; whether they come back within 28 days of the event before."""
    gap = pl.col("time") - pl.col("time").shift(1)
    soon = ((pl.col("type") == "Return ER") & (gap <= pl.duration(days=28))).any()
    released = pl.col("type").str.starts_with("Release").any()
    back = pl.when(soon).then(pl.lit("yes")).otherwise(pl.lit("no"))
    events = features.in_order(events)
    return events.with_columns(pl.when(released.over("case")).then(back.over("case")).alias("back"))


OFFERS = tuple(f"O_{end}-COMPLETE" for end in ("ACCEPTED", "DECLINED", "CANCELLED"))


def offer(end: str, published: float, *, cut: bool = False) -> Task:
    """One end of the last offer against the two others; ``cut``: before the first end of an offer."""
    steps = tuple(f"O_{name}-COMPLETE" for name in ("SELECTED", "CREATED", "SENT", "SENT_BACK"))
    label = Label(positive=(f"O_{end}-COMPLETE",), negative=OFFERS, among=steps + OFFERS, until=OFFERS if cut else ())
    return Task("bpic2012.xes.gz", label, prepare=with_lifecycle, published=published)


def any_of(*types: str) -> Label:
    """Whether any of some events ever comes; cases are looked at before it."""
    return Label(positive=types, take="any", until=types)


FINES = Label(
    positive=("Send for Credit Collection",), until=("Send for Credit Collection",), drop_ending=("Send Fine",)
)
SERVICENOW = {
    "case": "number",
    "type": "ident_state",
    "time": "sys_updated_at",
    "customer": "caller_id",
    "actor": "sys_updated_by",
    "team": "assignment_group",
    "channel": "contact_type",
}
WRITTEN_AT_THE_END = ("closed_at", "closed_code", "resolved_at", "resolved_by")
INAIL = {
    "case": "case:concept:name",
    "type": "concept:name",
    "time": "time:timestamp",
    "actor": "org:resource",
    "team": "GRUPPO",
    "channel": "CANALE",
}
CURRENT_STATE = ("GRUPPO_ASSEGNAZIONE_FINALE", "STATO_ATTUALE", "RICHIESTA_ASSOCIATA", "INCIDENTE_ASSOCIATO")
OFFICES = ("Centrale", "DIMEILA", "DIT", "Prevenzione", "Territoriali Aziende", "Territoriali Lavoratori", "UOT")
STATES = ("Annullato", "Assegnato", "Chiuso", "In sospeso", "Nuovo")
HANDED_ON = tuple(f"{state} BO {office}" for state in STATES for office in OFFICES)
REJECTED = tuple(
    f"Declaration REJECTED by {who}"
    for who in ("ADMINISTRATION", "BUDGET OWNER", "EMPLOYEE", "MISSING", "PRE_APPROVER", "SUPERVISOR")
)
TASKS = {
    "traffic fines": Task(
        "Road_Traffic_Fine_Management_Process.xes.gz", FINES, most=10, zone="Europe/Rome", published=0.685
    ),
    "bpic2012 accepted": offer("ACCEPTED", 0.690),
    "bpic2012 declined": offer("DECLINED", 0.60),
    "bpic2012 cancelled": offer("CANCELLED", 0.71),
    "bpic2012 accepted, cut": offer("ACCEPTED", 0.690, cut=True),
    "bpic2012 declined, cut": offer("DECLINED", 0.60, cut=True),
    "bpic2012 cancelled, cut": offer("CANCELLED", 0.71, cut=True),
    "helpdesk asked to wait": Task("helpdesk.xes.gz", any_of("Wait")),
    "inail handed to a back office": Task(
        "logCSM_15Kcases.xes.gz", any_of(*HANDED_ON), without=CURRENT_STATE, fields=INAIL, zone="Europe/Rome"
    ),
    "servicenow sla missed": Task(
        "incident_event_log.csv.gz",
        Label(column="made_sla", positive=("false",)),
        without=WRITTEN_AT_THE_END,
        fields=SERVICENOW,
    ),
    "declarations rejected": Task("BPI_2020_DomesticDeclarations.xes.gz", any_of(*REJECTED)),
    "sepsis back in 28 days": Task(
        "Sepsis.xes.gz", Label(column="back", positive=("yes",), until=("Return ER",)), prepare=back_within_four_weeks
    ),
}


def split(table: Table) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Cases that teach in the survey, those of them that were over in time, and those to foretell."""
    cases, labelled_ = table.cases, table.cases.outcome >= 0
    has_rows = np.zeros(len(labelled_), np.bool_)
    has_rows[table.rows.case] = True
    known = np.flatnonzero(labelled_ & has_rows)
    order = known[np.argsort(cases.opened_us[known], kind="stable")]
    n_training = int(TRAINING_SHARE * len(order))
    whole, test = np.zeros(len(labelled_), np.bool_), np.zeros(len(labelled_), np.bool_)
    whole[order[:n_training]], test[order[n_training:]] = True, True
    first_us = cases.opened_us[order[n_training]]
    return whole, whole & (cases.ended_us < first_us), test


def longest(table: Table, most: int) -> int:
    """So many events are looked at: no more than 90 % of the positive cases have."""
    n_events = np.zeros(len(table.cases.outcome), np.int64)
    np.maximum.at(n_events, table.rows.case, table.rows.prefix)
    return min(most, int(np.ceil(np.quantile(n_events[(table.cases.outcome == 1) & (n_events > 0)], 0.9))))


PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",  # stops more steadily than the area does
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "verbosity": -1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
}
MOST_ROUNDS = 400


def dataset(table: Table, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> lightgbm.Dataset:
    kinds = [at for at, column in enumerate(columns) if table.columns[column].kind == "category"]
    y = table.cases.outcome[table.rows.case[rows]] == 1
    return lightgbm.Dataset(
        table.rows.x[np.ix_(rows, columns)], y.astype(np.float32), categorical_feature=kinds, free_raw_data=False
    )


def fitted(
    table: Table, teaches: NDArray[np.bool_], n_events: int, parameters: dict[str, Any], columns: NDArray[np.int64]
) -> lightgbm.Booster:
    """A model of some cases; the number of rounds is chosen on the last fifth of them, by start."""
    start_us = np.quantile(table.cases.opened_us[teaches], TRAINING_SHARE)
    used = table.rows.prefix <= n_events
    late = teaches & (table.cases.opened_us >= start_us)
    first, second, everything = (
        dataset(table, np.flatnonzero(used & some[table.rows.case]), columns)
        for some in (teaches & ~late, late, teaches)
    )
    stop = lightgbm.early_stopping(50, verbose=False)
    tried = lightgbm.train(parameters, first, MOST_ROUNDS, valid_sets=[second], callbacks=[stop])
    return lightgbm.train(parameters, everything, max(10, int(tried.best_iteration * 1.1)))


def area(table: Table, of_cases: NDArray[np.bool_], n_events: int, p: NDArray[np.float64]) -> float:
    """The area by number of events, averaged by the number of cases."""
    rows = np.flatnonzero((table.rows.prefix <= n_events) & of_cases[table.rows.case])
    y, prefix = table.cases.outcome[table.rows.case[rows]] == 1, table.rows.prefix[rows]
    areas, weights = [], []
    for k in range(1, n_events + 1):
        mask = prefix == k
        if mask.any() and y[mask].min() != y[mask].max():
            areas.append(roc_auc_score(y[mask], p[mask]))
            weights.append(mask.sum())
    return float(np.average(areas, weights=weights))


def table_of(task: Task, logs: Path) -> Table:
    events = task.prepare(read_log(logs / task.file, fields=task.fields).events)
    first = events.group_by("case").agg(pl.col("time").min()).sort("time")["time"].to_physical()
    before_us = int(first[int(TRAINING_SHARE * len(first))])
    vocabulary = features.vocabulary_of_log(
        events, task.label, before_us=before_us, without=task.without, zone=task.zone
    )
    return features.table_of_log(events, task.label, vocabulary)


def areas(table: Table, most: int, columns: NDArray[np.int64]) -> dict[str, Any]:
    """The areas of both ways to split, with what goes with them."""
    whole, honest, test = split(table)
    n_events = longest(table, most)
    rows = np.flatnonzero((table.rows.prefix <= n_events) & test[table.rows.case])
    x = table.rows.x[np.ix_(rows, columns)]
    found = {
        name: area(table, test, n_events, fitted(table, teaches, n_events, PARAMETERS, columns).predict(x))
        for name, teaches in (("whole", whole), ("honest", honest))
    }
    known = whole | test
    share = float((table.cases.outcome[known] == 1).mean())
    return {
        **found,
        "cases": int(known.sum()),
        "positive": share,
        "events": n_events,
        "over": honest.sum() / whole.sum(),
    }


def accuracy(logs: Path, only: list[str], without: list[str]) -> None:
    """Print the areas of all tasks; ``without``: beginnings of names of columns to do without."""
    print("| label | cases | positive | events | over in time | whole | honest | published |")
    print("|---|---|---|---|---|---|---|---|")
    for name, task in TASKS.items():
        if only and not any(part in name for part in only):
            continue
        table = table_of(task, logs)
        taken = [at for at, one in enumerate(table.columns) if not one.name.startswith(tuple(without))]
        found = areas(table, task.most, np.array(taken))
        counts = f"{found['cases']:,} | {found['positive']:.1%} | {found['events']} | {found['over']:.0%}"
        shown = f"{found['whole']:.3f} | {found['honest']:.3f} | {task.published or ''}"
        print(f"| {name} | {counts} | {shown} |", flush=True)


def seconds(call: Callable[[], object], times: int) -> list[float]:
    """How long a call takes, in order of time."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return sorted(taken)


def speed() -> None:
    """Print what a table, one case and many open cases cost, on one core."""
    journey = parse_journey((EXAMPLES / "company" / "help.yaml").read_text())
    warm = replay(journey, World(Company(n_customers=300, days=60), seed=2).run().events())
    features.table_of_replay(journey, warm)
    seen = replay(journey, World(Company(n_customers=29_000, days=60), seed=1).run().events())
    vocabulary = features.vocabulary_of_replay(journey, seen)
    table = features.table_of_replay(journey, seen, vocabulary)
    made = seconds(lambda: features.table_of_replay(journey, seen, vocabulary), 3)[0]
    print(f"table of {table.rows.x.shape[0]:,} rows and {table.rows.x.shape[1]} columns: {made:.1f} s")
    known = features.histories_of_replay(seen, vocabulary)
    load = features.load_of_replay(seen, vocabulary, known)
    at_us = int(known.time_us.max())
    alone = replay(journey, seen.events_of(str(known.id[0])))
    numbers = alone.numbers()
    history = partial(features.histories_of, vocabulary, alone, numbers.promises, numbers.case, ())
    one = history()
    for name, call in (
        ("one case encoded", lambda: features.encode(vocabulary, one, at_us, load)),
        ("its history made", history),
    ):
        taken = seconds(call, 500)
        print(f"{name}: median {taken[250] * 1e3:.2f} ms, 99 % {taken[495] * 1e3:.2f} ms")
    all_ = seconds(lambda: features.encode(vocabulary, known, at_us, load), 5)[0]
    print(f"{known.n:,} cases encoded: {all_:.2f} s, so 100,000: {all_ * 100_000 / known.n:.2f} s")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["accuracy", "speed"])
    parser.add_argument("--logs", type=Path, default=LOGS)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--without", nargs="*", default=[])
    asked = parser.parse_args()
    if asked.what == "accuracy":
        accuracy(asked.logs, asked.only, asked.without)
    else:
        speed()


if __name__ == "__main__":
    main()
