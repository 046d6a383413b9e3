"""Backtests of logs that nobody had tuned for, as a newcomer makes them; a part of `bench/foresight.py`.

Of real logs, and of made-up ones that come with other tools, `truenorth discover` drafts a journey and
`truenorth backtest` judges it, as it stands. The logs beside the public ones come with the source distributions, on
PyPI, of Declare4Py 2.2.0 and ocpa 1.3.4: unpack these into the folder ``--others``. Of logs made up here it is asked
whether a case is cancelled.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from foresight_moved import Kind, log_of
from foresight_tables import shown

from truenorth.foresight.alarms import Cost
from truenorth.foresight.backtest import Backtest
from truenorth.foresight.backtest_file import parse_backtest

TRUENORTH = Path(sys.executable).with_name("truenorth")
SEED = 20


class Log(NamedTuple):
    """A log by its words, its file below a folder, and the type of object that is a case."""

    words: str
    file: str
    object_type: str | None = None


PUBLIC = (
    Log("BPIC 2014, incidents", "BPIC14_f.xes.gz"),
    Log("BPIC 2017, a part", "bpic17_subset.csv.gz"),
    Log("permit applications, receipt phase", "receipt.xes.gz"),
    Log("insurance claims by phone, made up", "teleclaims.xes.gz"),
    Log("shop with a faulty checkout, made up", "ecom.csv.gz"),
)
OTHERS = (
    Log("international declarations", "declare4py-2.2.0/tests/test_logs/InternationalDeclarations.xes.gz"),
    Log("repairs, made up", "declare4py-2.2.0/tests/test_logs/repair_example(500 traces).xes"),
    Log("BPIC 2017, 1,000 applications", "ocpa-1.3.4/sample_logs/jsonocel/intermediate.jsonocel", "application"),
    Log("purchase orders, made up", "ocpa-1.3.4/sample_logs/jsonocel/p2p-2023.jsonocel", "purchase_order"),
    Log("orders, made up", "ocpa-1.3.4/sample_logs/jsonocel/order_process.jsonocel", "order"),
)
MADE_UP = (
    Kind("nothing: who fails is chance", (0.3, 0.3), (0.3, 0.3)),
    Kind("1 % fail, 6,000 cases", (0.01, 0.01), (0.01, 0.01), n_cases=6_000),
    Kind("outcomes come after 90 of 200 days", (0.12, 0.55), (0.12, 0.55), least_d=75.0),
    Kind("the values that fail change places", (0.05, 0.7), (0.7, 0.05)),
    Kind("the base rate moves", (0.08, 0.12), (0.31, 0.47)),
    Kind("300 types of events", (0.12, 0.55), (0.12, 0.55), steps=tuple(f"Step {n}" for n in range(300))),
    Kind("5,000 values of the attribute", (0.12, 0.55), (0.12, 0.55), n_values=5_000),
    Kind("120 cases of 2,000 events", (0.12, 0.55), (0.12, 0.55), n_cases=120, n_steps=(1_900, 2_100), step_d=0.005),
)


def lines(data: Path, others: Path | None) -> Iterator[str]:
    """The tables."""
    yield (
        "What counts as failed is what the draft of `truenorth discover` guesses; a quarter is held out. *Costs*: "
        "where they are furthest above the better of *always* and *never* of a failure that costs 2, 3, 5 and 10 "
        "actions, as the threshold was chosen → as it gave way to these, beside that constant; without a model that "
        "goes to work there are no alarms. Of the shop, the claims and the orders most failures are known only after "
        "longer than the data go on.\n"
    )
    yield from _head("log")
    folders = [(data, PUBLIC), *([(others, OTHERS)] if others else [])]
    for place, logs in folders:
        for log in logs:
            yield _line(log.words, _of_log(place / log.file, log.object_type))
    yield (
        "\nMade-up logs (3,000 cases of 30 values of one attribute, of which every second one fails more often, unless "
        "something else is said), read as CSV with `--label-event Cancelled`:\n"
    )
    yield from _head("what is hard")
    with TemporaryDirectory() as folder:
        for kind in MADE_UP:
            file = Path(folder) / "log.csv"
            log_of(kind, SEED).write_csv(file)
            yield _line(kind.words, _backtest(file, "--label-event", "Cancelled"))


def _of_log(log: Path, object_type: str | None) -> Backtest:
    cases = ("--object-type", object_type) if object_type else ()
    with TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.yaml"
        _run("discover", log, "-o", draft, *cases)
        return _backtest(log, "-j", draft, *cases)


def _backtest(*words: object) -> Backtest:
    return parse_backtest(_run("backtest", *words, "--json"))


def _run(*words: object) -> bytes:
    return subprocess.run([TRUENORTH, *map(str, words)], check=True, capture_output=True).stdout


def _head(what: str) -> Sequence[str]:
    columns = (
        what, "held-out cases", "failed of those learnt from", "held out", "AUC", "Brier (base rate)",
        "calibration error", "by chance", "90 % interval held", "no upper end", "costs", "goes to work",
    )  # fmt: skip
    return "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"


def _line(words: str, found: Backtest) -> str:
    judged, level, days = found.scored, found.level, found.remaining
    base = next(model for model in found.models if model.model == "base rate")
    cells = (
        words,
        f"{found.n_test:,}",
        f"{level.learnt:.1%}",
        f"{found.base_rate:.1%}",
        "" if math.isnan(judged.auc.value) else shown(judged.auc),
        f"{judged.brier.value:.3f} ({base.brier.value:.3f})",
        f"{judged.calibration_error:.3f}",
        f"{judged.by_chance:.3f}",
        shown(days.coverage) if days else "",
        f"{days.open_ended:.0%}" if days else "",
        _worst(found.costs) if found.verdict.live else "",
        found.verdict.used,
    )
    return "| " + " | ".join(cells) + " |"


def _worst(costs: Sequence[Cost]) -> str:
    """Where alarms cost most above the better constant."""
    above = [(one.followed - min(one.always, one.never), one) for one in costs]
    one = max(above, key=lambda pair: pair[0])[1]
    return f"{one.cost:.3f} → {one.followed:.3f} ({min(one.always, one.never):.3f}) at {one.ratio:g}"
