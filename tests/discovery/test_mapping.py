from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from discovery.logs import START, log_of, tickets
from truenorth.discovery import guess_fields

CASES = (
    "Case ID",
    "caseid",
    "Ticket_Number",
    "order_id",
    "Service ID",
    "Pratica",
    "Vorgangsnummer",
    "zaak_id",
    "number",
)
TYPES = ("Activity", "event", "Operation", "Attività", "Aktivität", "activiteit", "actividad", "ident_state", "étape")
TIMES = ("Complete Timestamp", "sys_updated_at", "timestamp", "Zeitstempel", "fecha_hora", "date", "tijdstip")


@pytest.mark.parametrize(
    "names", [(c, t, w) for c, t, w in zip(CASES, TYPES, (*TIMES, "ts", "Data evento"), strict=True)]
)
def test_names_in_several_languages(names: tuple[str, str, str]) -> None:
    guess = guess_fields(log_of(tickets(), names))
    assert (guess.fields["case"], guess.fields["type"], guess.fields["time"]) == names
    assert set(guess.evidence) == set(guess.fields)


@pytest.mark.parametrize(
    ("case", "customer", "actor"),
    [
        ("appointment.reference", "subject.reference", "practitioner"),
        ("Sendung", "Kunde", "Fahrer"),
        ("tracking_number", "msisdn", "courier"),
    ],
)
def test_names_of_other_trades(case: str, customer: str, actor: str) -> None:
    frame = log_of(tickets(), (case, "event", "time")).with_columns(
        pl.col(case).str.slice(0, 2).alias(customer), (pl.int_range(pl.len()) % 7).cast(pl.String).alias(actor)
    )
    fields = guess_fields(frame).fields
    assert (fields["case"], fields["customer"], fields["actor"]) == (case, customer, actor)


def test_a_payment_is_asked_about_for_it_may_be_one_to_the_customer() -> None:
    frame = log_of(tickets()).with_columns(paid_amount=pl.int_range(pl.len()).cast(pl.Float64))
    assert "What is paid to them is a cost" in guess_fields(frame).evidence["revenue"]


def test_content_tells_what_names_do_not() -> None:
    guess = guess_fields(log_of(tickets(), ("a", "b", "c")))
    assert dict(guess.fields) == {"case": "a", "type": "b", "time": "c"}
    assert "content alone" in guess.evidence["type"]


def test_a_click_stream_has_customers_and_no_cases() -> None:
    guess = guess_fields(log_of(tickets(), ("user_id", "event", "timestamp")))
    assert dict(guess.fields) == {"type": "event", "time": "timestamp", "customer": "user_id"}
    assert any(note.startswith("case:") for note in guess.notes)


def test_a_session_is_a_visit_and_no_case_where_the_customer_is_known() -> None:
    frame = log_of(tickets(), ("session_id", "event", "timestamp"))
    assert guess_fields(frame).fields["case"] == "session_id"
    known = frame.with_columns(user_id=pl.col("session_id").str.slice(0, 2))
    assert "case" not in guess_fields(known).fields
    assert guess_fields(known).fields["customer"] == "user_id"


def test_what_is_given_wins_and_is_used_once() -> None:
    frame = log_of(tickets()).with_columns(other=pl.col("Activity"))
    guess = guess_fields(frame, {"type": "other", "customer": "Case ID"})
    assert guess.fields["type"] == "other"
    assert guess.fields["customer"] == "Case ID"
    assert "case" not in guess.fields
    assert guess.evidence["type"] == "as given"


def test_of_a_start_and_an_end_the_end_is_taken_and_said() -> None:
    frame = log_of(tickets(), ("Case ID", "Activity", "End Date"))
    frame = frame.with_columns((pl.col("End Date") - pl.duration(minutes=5)).alias("Start Date"))
    guess = guess_fields(frame)
    assert guess.fields["time"] == "End Date"
    assert "'Start Date'" in guess.evidence["time"]


def test_a_time_that_stands_still_within_cases_is_not_the_time() -> None:
    frame = log_of(tickets(), ("number", "state", "sys_updated_at"))
    frame = frame.with_columns(timestamp=pl.col("sys_updated_at").min().over("number"))
    assert guess_fields(frame).fields["time"] == "sys_updated_at"


def test_ids_of_nine_digits_are_no_instants() -> None:
    frame = pl.DataFrame({"user_id": [219483890, 219483890, 964964743], "event": list("aba"), "timestamp": [START] * 3})
    assert guess_fields(frame).fields["customer"] == "user_id"


def test_a_team_that_never_changes_in_a_case_would_hide_hand_overs() -> None:
    frame = log_of(tickets()).with_row_index("n")
    frame = frame.with_columns(
        Resource=(pl.col("n") % 5).cast(pl.String), workgroup=pl.col("Case ID").str.slice(0, 2)
    ).drop("n")
    guess = guess_fields(frame)
    assert guess.fields["actor"] == "Resource"
    assert "team" not in guess.fields
    assert any("hand-overs" in note for note in guess.notes)
    moving = frame.with_columns(workgroup="Resource")
    assert guess_fields(moving).fields["team"] == "workgroup"


def test_a_user_who_changes_within_cases_is_an_employee() -> None:
    frame = log_of(tickets()).with_row_index("n").with_columns(user=("U" + (pl.col("n") % 5).cast(pl.String))).drop("n")
    guess = guess_fields(frame)
    assert guess.fields["actor"] == "user"
    assert "customer" not in guess.fields
    constant = frame.with_columns(user=pl.col("Case ID").str.slice(0, 2))
    assert guess_fields(constant).fields["customer"] == "user"


def test_an_amount_repeated_on_every_row_is_no_cost() -> None:
    frame = log_of(tickets()).with_columns(cost=pl.lit(3.5), expense=pl.int_range(pl.len()).cast(pl.Float64))
    repeated = frame.drop("expense").rename({"cost": "total cost"})
    assert "cost" not in guess_fields(repeated).fields
    assert any("added up" in note for note in guess_fields(repeated).notes)
    assert guess_fields(frame.drop("cost")).fields["cost"] == "expense"


def test_feeling_takes_numbers_between_minus_one_and_one() -> None:
    frame = log_of(tickets())
    assert guess_fields(frame.with_columns(sentiment=pl.lit(0.5))).fields["feeling"] == "sentiment"
    assert "feeling" not in guess_fields(frame.with_columns(sentiment=pl.lit(7))).fields
    assert "feeling" not in guess_fields(frame.with_columns(sentiment=pl.lit("negative"))).fields


def test_channel_text_and_ids() -> None:
    frame = log_of(tickets()).with_columns(
        canale=pl.lit("web"),
        message_id=pl.int_range(pl.len()).cast(pl.String),
        comment=pl.lit("the customer was not amused"),
    )
    fields = guess_fields(frame).fields
    assert (fields["channel"], fields["id"], fields["text"]) == ("canale", "message_id", "comment")
    assert "id" not in guess_fields(frame.with_columns(message_id=pl.lit("1"))).fields


@pytest.mark.parametrize("n_rows", [0, 1])
def test_hardly_any_rows(n_rows: int) -> None:
    fields = guess_fields(log_of(tickets()).head(n_rows)).fields
    assert dict(fields) == {"case": "Case ID", "type": "Activity", "time": "Timestamp"}


def test_columns_without_a_name_that_can_be_written_are_left_alone() -> None:
    frame = log_of(tickets()).rename({"Activity": " ", "Case ID": "x" * 3_000})
    assert "case" not in guess_fields(frame).fields


def test_columns_of_every_type_are_looked_at() -> None:
    n = len(tickets())
    odd = {
        "nested": pl.Series([[1, 2]] * n),
        "record": pl.Series([{"a": 1}] * n),
        "length": pl.Series([timedelta(1)] * n),
        "clock": pl.Series([time(1)] * n),
        "day": pl.Series([date(2020, 1, 1)] * n),
        "exact": pl.Series([Decimal("1.5")] * n),
        "raw": pl.Series([b"x\xff"] * n),
        "label": pl.Series(["a"] * n, dtype=pl.Categorical),
        "nothing": pl.Series([None] * n),
        "sentiment": pl.Series([float("nan")] * n),
        "yes": pl.Series([True] * n),
        "^.*$": pl.Series(["a pattern"] * n),
    }
    fields = guess_fields(log_of(tickets()).with_columns(**odd)).fields
    assert dict(fields) == {"case": "Case ID", "type": "Activity", "time": "Timestamp"}


def test_a_little_dirt_leaves_an_amount_a_number() -> None:
    frame = log_of(tickets()).with_row_index("n")
    frame = frame.with_columns(
        cost=pl.when(pl.col("n") == 3).then(pl.lit("free")).otherwise(pl.col("n").cast(pl.String))
    )
    assert guess_fields(frame.drop("n")).fields["cost"] == "cost"
    dirty = frame.with_columns(cost=pl.lit("a lot")).drop("n")
    assert "cost" not in guess_fields(dirty).fields
