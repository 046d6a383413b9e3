"""Models and risks as the store keeps them, on every database: laws first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.making import empty, event, on_one_database
from truenorth.store.foresight_rows import Foretold, ModelRow, RiskPoint, RiskRow, SaidRow
from truenorth.store.models import LOOKS_KEPT
from truenorth.store.opening import Store
from truenorth.store.results import Outdated
from truenorth.store.risks import Risks
from truenorth.store.rows import CaseRow, Judged, NewSignal, Progress


def model(version: str, made_us: int = 1, journey: str = "help") -> ModelRow:
    return ModelRow(
        journey=journey,
        version=version,
        made_us=made_us,
        data_from_us=0,
        data_to_us=made_us,
        n_cases=7,
        beats=True,
        why="better",
        threshold=0.5,
    )


def risk(case: str, p: float, version: str = "m", avoidable: float | None = None, **more: object) -> RiskRow:
    loss = p if avoidable is None else avoidable
    return RiskRow(model=version, case=case, at_us=1, position=1, p_failed=p, avoidable=loss, **more)  # type: ignore[arg-type]


CASES = st.sampled_from(["c1", "c2", "c2#2", "C3", "ä"])
SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])
ROWS = st.builds(
    RiskRow,
    model=st.sampled_from(["m", "n", "unknown"]),
    case=CASES,
    customer=st.sampled_from([None, "ann"]),
    at_us=st.integers(0, 2**62),
    position=st.integers(0, 99),
    p_failed=SHARES,
    avoidable=st.sampled_from([-1.5, 0.0, 3.0, 3.25]),
    why=st.binary(max_size=3),
    alarmed=st.booleans(),
    n_past=st.integers(0, 3),
    p_learnt=st.none() | SHARES,
)
STEPS = st.lists(st.tuples(st.lists(ROWS, max_size=5), st.lists(CASES, max_size=2)), max_size=5)


@given(steps=STEPS)
@on_one_database
def test_the_newest_risk_of_each_case_by_each_model_that_is_asked(
    store: Store, steps: Sequence[tuple[list[RiskRow], list[str]]]
) -> None:
    empty(store)
    store.models.add(model("m"), b"bytes")
    store.models.add(model("n"), b"other")
    kept: dict[tuple[str, str], RiskRow] = {}
    for rows, ended in steps:
        store.risks.write("help", Foretold(risks=rows, ended=ended), n_erasures=0)
        kept = {key: row for key, row in kept.items() if key[1] not in ended}
        kept |= {(row.model, row.case): row for row in rows if row.model != "unknown"}
    for version in ("m", "n", "unknown"):
        expected = [row for key, row in sorted(kept.items()) if key[0] == version]
        assert store.risks.all("help", version) == expected
        assert store.risks.newest("help", version, ["c1", "ä"]) == [one for one in expected if one.case in ("c1", "ä")]
        assert store.risks.all("other", version) == []


@given(
    opened=st.lists(st.tuples(st.integers(0, 99), st.sampled_from(["open", "held", "failed"])), max_size=8),
    said=st.sets(st.integers(0, 7)),
    limit=st.integers(1, 9),
)
@on_one_database
def test_open_cases_that_a_model_has_not_looked_at_are_found_among_the_newest(
    store: Store, opened: Sequence[tuple[int, str]], said: set[int], limit: int
) -> None:
    empty(store)
    store.models.add(model("m"), b"bytes")
    rows = [
        CaseRow(
            case=f"c{n}", customer=f"u{n}", opened_us=100 * at + n, resolved_us=at if state == "held" else None,
            outcome="failed" if state == "failed" else "open",
        )
        for n, (at, state) in enumerate(opened)
    ]  # fmt: skip
    store.results.write("help", Judged(progress=Progress(1, 1), cases=rows), n_erasures=0)
    store.risks.write("help", Foretold(risks=[risk(f"c{n}", 0.5) for n in said]), n_erasures=0)
    newest = sorted((row for row in rows if row.outcome == "open"), key=lambda row: -row.opened_us)[:limit]
    expected = {(row.case, row.customer) for row in newest if row.resolved_us is None and int(row.case[1:]) not in said}
    assert set(store.risks.unforeseen("help", "m", limit=limit)) == expected
    assert store.risks.unforeseen("other", "m", limit=limit) == []


@given(rows=st.lists(ROWS, max_size=8), limit=st.integers(1, 4), at_least=SHARES, looked_at=st.integers(1, 9))
@on_one_database
def test_all_pages_together_are_all_risks_by_avoidable_loss(
    store: Store, rows: list[RiskRow], limit: int, at_least: float, looked_at: int
) -> None:
    empty(store)
    store.models.add(model("m"), b"")
    rows = list({row.case: msgspec.structs.replace(row, model="m") for row in rows}.values())
    store.risks.write("help", Foretold(risks=rows), n_erasures=0)
    risks, found, after = Risks(store.database, looked_at), [], None
    for _ in range(30):
        page = risks.page("help", "m", at_least=at_least, after=after, limit=limit)
        assert len(page.rows) <= limit
        found += page.rows
        after = page.next
        if after is None:
            break
    wanted = [row for row in rows if row.p_failed >= at_least]
    assert found == sorted(wanted, key=lambda row: (-row.avoidable, row.case))


ACTS = st.lists(
    st.tuples(st.sampled_from(["add", "promote", "retire", "remove"]), st.sampled_from(["a", "b", "c"])), max_size=12
)


@given(acts=ACTS)
@on_one_database
def test_at_most_one_model_is_live_and_a_roll_back_finds_the_one_before(
    store: Store, acts: list[tuple[str, str]]
) -> None:
    empty(store)
    states: dict[str, str] = {}
    for now_us, (act, version) in enumerate(acts):
        if act == "add":
            assert store.models.add(model(version), version.encode()) == (version not in states)
            states.setdefault(version, "shadow")
        elif act == "promote":
            assert store.models.promote("help", version, now_us=now_us) == (version in states)
            if version in states:
                states = {one: "retired" if state == "live" else state for one, state in states.items()}
                states[version] = "live"
        elif act == "retire":
            assert store.models.retire("help", version) == (version in states)
            states |= {version: "retired"} if version in states else {}
        else:
            assert store.models.remove("help", version) == (version in states)
            states.pop(version, None)
        assert {row.version: row.state for row in store.models.list("help")} == states
        live = [one for one, state in states.items() if state == "live"]
        assert [row.version for row in (store.models.live("help"),) if row] == live
        assert len(live) <= 1
    assert store.models.blob("help", "none") is None
    assert all(store.models.blob("help", one) == one.encode() for one in states)


def test_who_was_alarmed_stays_so_under_the_next_model(store: Store) -> None:
    for version in ("old", "new"):
        store.models.add(model(version), b"")
    store.models.promote("help", "old", now_us=1)
    rows = [
        risk("c1", 0.9, "old", alarmed=True),
        risk("c2", 0.1, "old"),
        risk("c1", 0.8, "new"),
        risk("c2", 0.7, "new"),
    ]
    store.risks.write("help", Foretold(risks=rows), n_erasures=0)
    assert store.risks.of_case("help", "c1") == rows[0]
    assert store.models.promote("help", "new", now_us=2)
    assert [(row.case, row.alarmed) for row in store.risks.all("help", "new")] == [("c1", True), ("c2", False)]
    assert store.risks.all("help", "old") == []
    before = store.models.before("help")
    assert before is not None
    assert before.version == "old"
    assert store.models.promote("help", "old", now_us=3)
    assert store.risks.of_case("help", "c1") is None


def test_a_step_read_before_an_erasure_writes_nothing(store: Store) -> None:
    store.models.add(model("m"), b"")
    store.events.append([event(1, "ann")])
    store.people.erase(["ann"], asked_by="admin", now_us=1)
    signal = NewSignal(kind="at_risk", time_us=1, body=b"{}", case="c1")
    with pytest.raises(Outdated):
        store.risks.write("help", Foretold(risks=[risk("c1", 0.5)], signals=[signal]), n_erasures=0)
    assert store.risks.all("help", "m") == []
    assert store.signals.read() == []
    erasures = store.results.n_erasures()
    assert len(store.risks.write("help", Foretold(signals=[signal]), n_erasures=erasures)) == 1


def held(store: Store) -> None:
    store.models.add(model("m"), b"")
    rows = [CaseRow(case=f"c{n}", customer=who, opened_us=1, closed_us=n) for n, who in enumerate(("ann", "bob"), 5)]
    store.results.write("help", Judged(progress=Progress(1), cases=rows), n_erasures=0)
    risks = [risk(row.case, 0.5, customer=row.customer) for row in rows]
    points = [
        RiskPoint(model="m", case=row.case, number=n, customer=row.customer, at_us=n, position=1, p_failed=0.5)
        for row in rows
        for n in (1, 2)
    ]
    store.risks.write("help", Foretold(risks=risks, points=points), n_erasures=0)


def test_what_was_said_of_cases_first_spoken_of_since_is_without_a_level(store: Store) -> None:
    store.models.add(model("m"), b"")
    outcomes = {"c1": "open", "c2": "failed", "c3": "open"}
    rows = [
        CaseRow(case=case, opened_us=1, outcome=outcome, outcome_time_us=None if outcome == "open" else 25)  # type: ignore[arg-type]
        for case, outcome in outcomes.items()
    ]
    store.results.write("help", Judged(progress=Progress(1), cases=rows), n_erasures=0)
    points = [
        RiskPoint(
            model="m", case=case, number=n, at_us=at_us + n, position=1, p_failed=0.5, p_learnt=learnt, days_said=n
        )
        for case, at_us, learnt in (("c1", 10, None), ("c2", 20, 0.3), ("c3", 0, None))
        for n in (1, 2)
    ]
    risks = [risk("c1", 0.6, p_learnt=0.4), risk("c3", 0.6)]
    store.risks.write("help", Foretold(risks=risks, points=points), n_erasures=0)
    said = [
        SaidRow("c1", 1, 11, 0.5, 1.0, 0.4, "open", None),
        SaidRow("c1", 2, 12, 0.5, 2.0, 0.4, "open", None),
        SaidRow("c2", 1, 21, 0.3, 1.0, None, "failed", 25),
        SaidRow("c2", 2, 22, 0.3, 2.0, None, "failed", 25),
    ]
    assert store.risks.said("help", "m", since_us=10) == said
    assert store.risks.said("help", "m", since_us=10, after=("c1", 1)) == said[1:]
    assert store.risks.said("help", "m", since_us=10, limit=1) == said[:1]
    assert store.risks.said("help", "n", since_us=0) == []


def test_a_level_is_kept_with_its_model(store: Store) -> None:
    for version in ("m", "n"):
        store.models.add(model(version), b"")
    assert [row.level for row in store.models.list("help")] == [None, None]
    store.models.put_level("help", "m", -0.5, (0.1, 1.2), now_us=9)
    levels = {row.version: (row.level, row.level_us, row.ends_low, row.ends_high) for row in store.models.asked()}
    assert levels == {"m": (-0.5, 9, 0.1, 1.2), "n": (None, None, None, None)}
    store.models.put_level("help", "n", 0.0, (0.1, math.inf), now_us=9)
    assert [row.ends_high for row in store.models.list("help") if row.version == "n"] == [math.inf]


def test_the_rights_of_people_reach_risks(store: Store) -> None:
    held(store)
    found = store.people.everything_about(["ann"])
    assert (len(found["risk"]), len(found["risk_past"])) == (1, 2)
    counts = store.people.erase(["ann"], asked_by="admin", now_us=1).counts
    assert (counts["risk"], counts["risk_past"]) == (1, 2)
    assert [row.case for row in store.risks.all("help", "m")] == ["c6"]
    assert not any(store.people.everything_about(["ann"]).values())
    assert len(store.people.everything_about(["bob"])["risk_past"]) == 2


def test_risks_of_cases_that_are_too_old_go(store: Store) -> None:
    held(store)
    store.retention.forget(6)
    assert [row.case for row in store.risks.all("help", "m")] == ["c6"]
    assert store.risks.past_of("help", "m", "c5") == []
    assert [point.number for point in store.risks.past_of("help", "m", "c6")] == [1, 2]


def test_matured_points_are_those_of_cases_that_have_ended(store: Store) -> None:
    held(store)
    cases = [
        CaseRow(case="c5", opened_us=1, outcome="failed", outcome_time_us=9),
        CaseRow(case="c6", opened_us=1, outcome="open"),
    ]
    store.results.write("help", Judged(progress=Progress(2), cases=cases), n_erasures=0)
    found = store.risks.matured("help", "m", since_us=0)
    assert [(row.case, row.number, row.outcome, row.ended_us) for row in found] == [
        ("c5", 1, "failed", 9),
        ("c5", 2, "failed", 9),
    ]
    assert store.risks.matured("help", "m", since_us=0, after=("c5", 1)) == found[1:]
    assert store.risks.matured("help", "m", since_us=10) == []


def test_looks_are_kept_up_to_a_bound(store: Store) -> None:
    for version in ("m", "n"):
        store.models.add(model(version), b"")
    for n in range(LOOKS_KEPT + 3):
        store.models.note_look("help", "m", b"%d" % n, now_us=n)
        store.models.note_look("help", "n", b"x", now_us=n) if n < 2 else None
    looks = store.models.looks("help", "m")
    assert [look.at_us for look in looks] == list(range(LOOKS_KEPT + 2, 2, -1))
    assert len(store.models.looks("help", "n")) == 2
    assert store.models.looks("help", "m", limit=1) == looks[:1]


def test_models_are_listed_by_journey_the_newest_first(store: Store) -> None:
    for journey, made_us in (("b", 1), ("a", 1), ("a", 2)):
        store.models.add(model(f"v{made_us}", made_us, journey), b"")
    listed = [(row.journey, row.version) for row in store.models.list()]
    assert listed == [("a", "v2"), ("a", "v1"), ("b", "v1")]
    assert [key for key, _ in groupby(store.models.asked(), lambda row: row.journey)] == ["a", "b"]
