from __future__ import annotations

import polars as pl

from discovery.logs import Row, log_of, tickets
from truenorth.discovery.milestones import Milestones, find_milestones
from truenorth.discovery.moments import find_handovers, find_moments
from truenorth.discovery.sequences import arrange, thinned
from truenorth.spec.durations import UNITS_US


def milestones(rows: list[Row], *, key: str = "case") -> Milestones:
    return find_milestones(arrange(log_of(rows, (key, "type", "time"))))


def test_need_and_closing() -> None:
    found = milestones(tickets())
    assert found.need == ("Ask",)
    assert found.achieved == ("Closed",)
    assert found.failed == ()
    assert found.within_us == 20 * UNITS_US["h"]
    assert found.abandoned_after_us >= 2 * UNITS_US["h"]


def test_words_tell_a_failure_from_a_success() -> None:
    rows = tickets(60)
    rows = [(case, "Abgelehnt" if kind == "Closed" and int(case[1:]) % 3 == 0 else kind, at) for case, kind, at in rows]
    found = milestones(rows)
    assert found.achieved == ("Closed",)
    assert found.failed == ("Abgelehnt",)
    assert "abgelehnt" in found.why["failed"][0]


def test_a_rare_ending_goes_with_its_kin() -> None:
    rows = [(case, "Chiuso B" if kind == "Closed" and case == "T3" else kind, at) for case, kind, at in tickets()]
    rows = [(case, "Chiuso A" if kind == "Closed" else kind, at) for case, kind, at in rows]
    assert milestones(rows).achieved == ("Chiuso A", "Chiuso B")


def test_an_ending_without_a_word_is_found_by_its_place() -> None:
    found = milestones(tickets(closing="Zzz"))
    assert found.achieved == ("Zzz",)
    assert "does not say" in found.why["achieved"][0]


def test_reopenings_hold_the_outcome_back() -> None:
    found = milestones(tickets(60, reopened=12))
    assert found.reopened == ("Take",)
    assert found.holds_for_us == 10 * UNITS_US["h"]
    assert "20 % of 60" in found.why["reopened"][0]


def test_what_follows_an_ending_once_is_no_reopening() -> None:
    rows = tickets()
    rows += [(case, "Archive", at + 9) for case, kind, at in rows if kind == "Closed" and int(case[1:]) < 10]
    assert milestones(rows).reopened == ()


def test_one_contact_is_enough_where_cases_are_one_event() -> None:
    rows = [(f"C{n}", "Inbound Call", 5.0 * n) for n in range(50)]
    rows += [(f"C{n}", "Inbound Call", 5.0 * n + 24) for n in range(8)]
    found = milestones(rows)
    assert found.achieved == found.reopened == found.need == ("Inbound Call",)
    assert found.holds_for_us == 24 * UNITS_US["h"] or found.holds_for_us == UNITS_US["d"]


def test_a_reminder_is_no_payment() -> None:
    rows = [
        (f"C{n}", kind, 5.0 * n + at) for n in range(30) for at, kind in enumerate(("place order", "payment reminder"))
    ]
    found = milestones(rows)
    assert found.achieved == ()
    assert "Which event does?" in found.why["achieved"][0]


def test_customers_are_cut_into_episodes() -> None:
    rows = [
        (f"u{n % 5}", kind, 1_000.0 * n + at) for n in range(20) for at, kind in enumerate(("main", "cart", "purchase"))
    ]
    rows += [("v", "main", 5.0)]
    found = milestones(rows, key="customer")
    assert found.achieved == ("purchase",)
    assert found.need == ()
    assert found.episodes.n_cases == 21


def test_degenerate_logs_have_milestones_of_nothing() -> None:
    assert milestones([]).endings == ()
    assert milestones([("a", "x", 0.0)]).within_us == 0
    same = milestones([(f"c{n % 9}", "x", 0.0) for n in range(90)])
    assert same.abandoned_after_us == 0
    assert "no gaps" in same.why["abandoned_after"][0]


def test_moments_by_word_by_nobody_and_by_a_customer_who_acts() -> None:
    frame = log_of(tickets(), ("case", "type", "time"))
    acted = frame.with_columns(actor=pl.when(pl.col("type") == "Ask").then(None).otherwise(pl.lit("Eve")))
    assert find_moments(find_milestones(arrange(acted))).names == ("Ask", "Closed")
    named = frame.with_columns(
        actor=pl.when(pl.col("type") == "Take").then(pl.lit("Customer")).otherwise(pl.lit("Eve"))
    )
    assert find_moments(find_milestones(arrange(named))).names == ("Ask", "Closed", "Take")
    stream = find_moments(find_milestones(arrange(frame.rename({"case": "customer"}))))
    assert stream.everything


def test_hand_overs_are_counted_as_the_reference_counts_them() -> None:
    frame = log_of([("a", "x", n) for n in range(6)], ("case", "type", "time"))
    frame = frame.with_columns(team=pl.Series(["A", None, "A", "B", None, "A"]), actor=pl.Series(list("uvwxyz")))
    found = find_handovers(arrange(frame))
    assert found is not None
    assert (found.by, found.per_case.tolist()) == ("team", [2])
    assert find_handovers(arrange(frame.drop("team", "actor"))) is None


def test_long_logs_are_thinned_by_whole_cases() -> None:
    frame = log_of(tickets(), ("case", "type", "time"))
    fewer, every = thinned(frame, most=50)
    assert every == 4
    assert fewer["case"].n_unique() == 10
    assert fewer.height == 40
