"""Published logs, where somebody has put them beside the repository: what is guessed, and that a draft can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from discovery.logs import drafted, tried, types_of
from truenorth.discovery import guess_fields
from truenorth.logs import peek

LOGS = Path(__file__).parents[3] / "shared" / "data"

OBJECT_TYPES = {
    "order_management_running_example.ocel2.json.gz": "orders",
    "ocel20_example.ocel2.json.gz": "Purchase Order",
}

XES = {"case": "case:concept:name", "type": "concept:name", "time": "time:timestamp"}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "helpdesk.xes.gz": {**XES, "customer": "customer", "actor": "org:resource"},
    "logCSM_15Kcases.xes.gz": {**XES, "actor": "org:resource", "team": "GRUPPO", "channel": "CANALE"},
    "incident_event_log.csv.gz": {
        "case": "number",
        "type": "ident_state",
        "time": "sys_updated_at",
        "customer": "caller_id",
        "actor": "sys_updated_by",
        "team": "assignment_group",
        "channel": "contact_type",
    },
    "bpic2012.xes.gz": {**XES, "actor": "org:resource"},
    "bpic17_subset.csv.gz": {
        "case": "Case ID",
        "type": "Activity",
        "time": "Complete Timestamp",
        "actor": "Resource",
    },
    "Road_Traffic_Fine_Management_Process.xes.gz": {
        **XES,
        "actor": "org:resource",
        "cost": "expense",
        "revenue": "paymentAmount",
    },
    "CallcenterExample.csv.gz": {
        "case": "Service ID",
        "type": "Operation",
        "time": "End Date",
        "customer": "Customer ID",
        "actor": "Agent",
        "team": "Agent Position",
    },
    "simple-onlineshop.csv.gz": {"type": "event", "time": "timestamp", "customer": "user_id"},
    "ecom.csv.gz": {"type": "event", "time": "timestamp", "customer": "user_id", "channel": "platform"},
    "order_management_running_example.ocel2.json.gz": {
        "case": "case",
        "type": "type",
        "time": "time",
        "customer": "customer",
        "id": "id",
    },
    "BPIC13_incidents.xes.gz": {**XES, "actor": "org:resource", "team": "org:group"},
    "BPIC14_f.xes.gz": XES,
    "Sepsis.xes.gz": {**XES, "team": "org:group"},
    "receipt.xes.gz": {**XES, "actor": "org:resource", "team": "org:group", "channel": "case:channel"},
    "teleclaims.xes.gz": {**XES, "actor": "org:resource"},
    "BPI_2020_DomesticDeclarations.xes.gz": {**XES, "actor": "org:resource", "team": "org:role", "id": "id"},
}

ACHIEVED = {
    "helpdesk.xes.gz": "Closed",
    "logCSM_15Kcases.xes.gz": "Chiuso INAIL - CSM Contact Center",
    "incident_event_log.csv.gz": "Closed",
    "bpic2012.xes.gz": "A_APPROVED",
    "bpic17_subset.csv.gz": "O_Accepted",
    "Road_Traffic_Fine_Management_Process.xes.gz": "Payment",
    "CallcenterExample.csv.gz": "Inbound Call",
    "simple-onlineshop.csv.gz": "payment_done",
    "ecom.csv.gz": "purchase",
    "teleclaims.xes.gz": "close claim",
    "BPIC13_incidents.xes.gz": "Completed",
    "BPIC14_f.xes.gz": "Closed",
    "BPI_2020_DomesticDeclarations.xes.gz": "Payment Handled",
    "Sepsis.xes.gz": "Release A",
}
"""An event that each log ends well with."""

FAILED = {
    "logCSM_15Kcases.xes.gz": "Annullato BO Centrale",
    "bpic2012.xes.gz": "A_DECLINED",
    "bpic17_subset.csv.gz": "A_Cancelled",
    "Road_Traffic_Fine_Management_Process.xes.gz": "Send for Credit Collection",
}

NEED = {
    "helpdesk.xes.gz": {"Assign seriousness"},
    "bpic2012.xes.gz": {"A_SUBMITTED"},
    "Road_Traffic_Fine_Management_Process.xes.gz": {"Create Fine"},
    "CallcenterExample.csv.gz": {"Inbound Call", "Inbound Email"},
    "order_management_running_example.ocel2.json.gz": {"place order"},
    "logCSM_15Kcases.xes.gz": set(),
}

FILES = sorted({*FIELDS, "TwitterUSAirlineSentiment.csv.gz", "ocel20_example.ocel2.json.gz"})


def found(name: str) -> Path:
    path = LOGS / name
    if not path.exists():
        pytest.skip(f"{name} is not in ../shared/data")
    return path


@pytest.mark.parametrize("name", FIELDS)
def test_the_mapping_is_the_one_that_its_readers_use(name: str) -> None:
    guess = guess_fields(peek(found(name), 20_000, object_type=OBJECT_TYPES.get(name)))
    assert dict(guess.fields) == dict(FIELDS[name])


@pytest.mark.parametrize("name", FILES)
def test_the_draft_passes_check_and_replays(name: str) -> None:
    path = found(name)
    text, journey = drafted(path, object_type=OBJECT_TYPES.get(name))
    replayed = tried(path, text, journey, OBJECT_TYPES.get(name))
    assert replayed.summary["cases"] > 0
    assert types_of(journey.outcome.achieved) >= {ACHIEVED[name]} if name in ACHIEVED else True
    assert types_of(journey.outcome.failed) >= {FAILED[name]} if name in FAILED else True
    assert types_of(journey.need) == NEED.get(name, types_of(journey.need))
    assert len(journey.promises) <= 8
    for promise in journey.promises:
        counts = replayed.summary["promises"][promise.name]
        assert 0.5 <= counts["kept"] / (counts["kept"] + counts["broken"]) < 1


def test_every_log_beside_the_repository_is_tried() -> None:
    if not LOGS.exists():
        pytest.skip("../shared/data is not there")
    assert {path.name for path in LOGS.glob("*.gz")} <= set(FILES)


def test_a_customer_s_log_opens_episodes_again() -> None:
    path = found("simple-onlineshop.csv.gz")
    text, journey = drafted(path)
    cases = tried(path, text, journey).cases
    assert cases["case"].str.ends_with("#2").any()


def test_only_completions_count_where_work_comes_in_pairs() -> None:
    _, journey = drafted(found("bpic2012.xes.gz"))
    assert journey.only is not None
    assert journey.only.text == "\"lifecycle:transition\" = 'COMPLETE'"
