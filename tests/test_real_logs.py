"""Published logs, where somebody has put them beside the repository: the product and the slow oracle agree row by row.

A normal run takes a fixed share of the keys of the large ones; `-m slow` takes all of them.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import polars as pl
import pytest

from agreement import assert_log_agrees
from truenorth.logs import read_log
from truenorth.spec.load import parse_journey

ROOT = Path(__file__).parent.parent
LOGS = ROOT.parent / "shared" / "data"

WHOLE = 1
EXAMPLES = {
    "callcentre": ("CallcenterExample.csv.gz", WHOLE),
    "onlineshop": ("simple-onlineshop.csv.gz", WHOLE),
    "orders": ("order_management_running_example.ocel2.json.gz", WHOLE),
    "helpdesk": ("helpdesk.xes.gz", 3),
    "inail": ("logCSM_15Kcases.xes.gz", 8),
    "servicenow": ("incident_event_log.csv.gz", 12),
    "bpic2012": ("bpic2012.xes.gz", 25),
    "traffic_fines": ("Road_Traffic_Fine_Management_Process.xes.gz", 25),
}
"""Journey -> log, and of how many keys one is taken in a normal run."""
OBJECT_TYPES = {"orders": "items"}


def of_sampled_keys(frame: pl.DataFrame, one_in: int) -> pl.DataFrame:
    """The events of a fixed share of the keys, and those without a key."""
    key = "case" if "case" in frame.columns else "customer"
    taken = [name for name in frame[key].drop_nulls().unique() if crc32(name.encode()) % one_in == 0]
    return frame.filter(pl.col(key).is_in(taken) | pl.col(key).is_null())


def check(name: str, one_in: int) -> None:
    file = LOGS / EXAMPLES[name][0]
    if not file.exists():
        pytest.skip(f"{file.name} is not in ../shared/data")
    text = (ROOT / "examples" / f"{name}.yaml").read_text()
    log = read_log(file, fields=parse_journey(text).fields or None, object_type=OBJECT_TYPES.get(name))
    watermark = log.events["time"].max()
    assert_log_agrees(text, of_sampled_keys(log.events, one_in), now=watermark)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", EXAMPLES)
def test_oracle_agrees(name: str) -> None:
    check(name, EXAMPLES[name][1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (_, one_in) in EXAMPLES.items() if one_in != WHOLE])
def test_oracle_agrees_on_all_of_it(name: str) -> None:
    check(name, WHOLE)


def test_every_published_example_has_its_log_here() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.yaml")} == set(EXAMPLES)
