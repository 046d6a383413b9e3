"""Public logs, where they are at hand: every one reads completely."""

from __future__ import annotations

from pathlib import Path

import pytest

from truenorth.logs import read_log

FOLDER = Path(__file__).parents[3] / "shared" / "data"
CLICKS = {"customer": "user_id", "type": "event", "time": "timestamp"}

INCIDENTS = {"case": "number", "type": "ident_state", "time": "sys_updated_at", "team": "assignment_group"}
TWEETS = {"customer": "name", "type": "airline_sentiment", "time": "tweet_created"}

LOGS = [
    ("logCSM_15Kcases.xes.gz", None, 15_445, 74_046),
    ("incident_event_log.csv.gz", INCIDENTS, 24_918, 141_712),
    ("helpdesk.xes.gz", None, 4_580, 21_348),
    ("bpic2012.xes.gz", None, 13_087, 262_200),
    ("bpic17_subset.csv.gz", {"case": "Case ID", "type": "Activity", "time": "Complete Timestamp"}, 1_878, 23_941),
    ("Road_Traffic_Fine_Management_Process.xes.gz", None, 150_370, 561_470),
    ("CallcenterExample.csv.gz", {"case": "Service ID", "type": "Operation", "time": "Start Date"}, 3_885, 7_548),
    ("teleclaims.xes.gz", None, 3_512, 46_138),
    ("simple-onlineshop.csv.gz", CLICKS, 3_751, 32_283),
    ("ecom.csv.gz", CLICKS, 600, 31_106),
    ("TwitterUSAirlineSentiment.csv.gz", TWEETS, 7_701, 14_640),
    ("BPIC13_incidents.xes.gz", None, 7_554, 65_533),
    ("BPIC14_f.xes.gz", None, 41_353, 369_485),
    ("BPI_2020_DomesticDeclarations.xes.gz", None, 10_500, 56_437),
    ("Sepsis.xes.gz", None, 1_050, 15_214),
    ("receipt.xes.gz", None, 1_434, 8_577),
]  # fmt: skip
SLOW = ("Road_Traffic_Fine_Management_Process.xes.gz", "BPIC14_f.xes.gz")


def found(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand in ../shared/data")
    return path


@pytest.mark.parametrize(
    ("name", "fields", "n_cases", "n_events"),
    [pytest.param(*log, marks=[pytest.mark.slow] if log[0] in SLOW else [], id=log[0]) for log in LOGS],
)
def test_every_event_is_read(name: str, fields: dict[str, str] | None, n_cases: int, n_events: int) -> None:
    log = read_log(found(name), fields=fields)
    key = "case" if "case" in log.events.columns else "customer"
    assert (log.events[key].n_unique(), log.n_events) == (n_cases, n_events)
    assert (log.quarantine.height, log.n_duplicates) == (0, 0)


@pytest.mark.parametrize(
    ("name", "object_type", "n_cases", "n_events"),
    [
        ("order_management_running_example.ocel2.json.gz", "orders", 2_000, 18_211),
        ("ocel20_example.ocel2.json.gz", "Purchase Order", 2, 13),
    ],
)
def test_every_object_of_a_type_is_a_case(name: str, object_type: str, n_cases: int, n_events: int) -> None:
    log = read_log(found(name), object_type=object_type)
    assert (log.events["case"].drop_nulls().n_unique(), log.events["id"].n_unique()) == (n_cases, n_events)


def test_days_and_months_are_told_apart() -> None:
    log = read_log(found("incident_event_log.csv.gz"), fields=INCIDENTS)
    assert str(log.events["time"].min()) == "2016-02-29 01:23:00+00:00"
    assert not any("month first" in note for note in log.notes)
