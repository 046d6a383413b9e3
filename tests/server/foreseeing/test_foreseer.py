"""The loop: risks follow what is judged, signals are told once a crossing, and everything can be made again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from server.foreseeing.shop import EFFORT, HOUR_US, JOURNEY, Clock, publish, runner_of, settle, story
from truenorth.engine.live import POSITION
from truenorth.foresight.features import vocabulary_of_replay
from truenorth.foresight.level import raised
from truenorth.foresight.model import Foresight
from truenorth.foresight.remaining import Ends
from truenorth.foresight.watch import Alarm
from truenorth.server.foreseeing import follower, levelling, stating
from truenorth.server.foreseeing.foreseer import Foreseer, foreseer_status, known_of
from truenorth.server.foreseeing.promoting import NotBetter, promote, roll_back
from truenorth.server.foreseeing.teaching import judged_log
from truenorth.server.foreseeing.watching import alarmed_of, look, matured_of, words_of_look
from truenorth.server.runner_process import Status
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import Store, open_store

DAY_US = 24 * HOUR_US


def quiet(_stage: str, _share: float) -> None:
    pass


class Shop:
    """A store with its runner and foreseer, driven by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        (self.model,) = store.models.list()
        self.rest = story()[store.events.last_position() :]
        self.clock = Clock(self.rest[0].time_us - 1)
        self.begin()

    def begin(self) -> None:
        """A process that knows nothing."""
        self.runner = runner_of(self.store, self.clock)
        self.foreseer = Foreseer(self.store, clock=self.clock, lateness_us=0)

    def settle(self) -> None:
        while self.runner.step():
            pass
        while self.foreseer.step():
            pass

    def go_on(self, n_events: int) -> None:
        for event in self.rest[:n_events]:
            self.store.events.append([event])
            self.clock.at_us = max(self.clock.at_us, event.time_us)
            self.settle()
        del self.rest[:n_events]

    def risks(self) -> dict[str, float]:
        return {row.case: row.p_failed for row in self.store.risks.all("shop", self.model.version)}

    def open_cases(self) -> set[str]:
        return {row.case for row in self.store.results.cases("shop", outcome="open", limit=10_000)}


@pytest.fixture
def shop(own_file: Path) -> Iterator[Shop]:
    with open_store(f"sqlite:///{own_file}") as store:
        yield Shop(store)


def test_every_open_case_has_a_risk_and_no_other(shop: Shop) -> None:
    shop.settle()
    assert set(shop.risks()) == shop.open_cases()
    shop.go_on(25)
    assert set(shop.risks()) == shop.open_cases()
    assert all(0.0 <= risk <= 1.0 for risk in shop.risks().values())
    for row in shop.store.risks.all("shop", shop.model.version):
        assert abs(sum(msgspec.json.decode(row.p).values()) - 1) < 0.001
        assert 1 <= len(msgspec.json.decode(row.why)) <= 3
        assert row.customer is not None


def test_what_was_lost_is_made_again(shop: Shop) -> None:
    shop.go_on(20)
    shop.foreseer._followers["shop"].again()
    shop.settle()
    before = shop.risks()
    shop.begin()
    for row in shop.store.models.list():
        blob = shop.store.models.blob("shop", row.version) or b""
        shop.store.models.remove("shop", row.version)
        shop.store.models.add(row, blob)
    assert shop.risks() == {}
    shop.settle()
    assert shop.risks() == before


def test_time_alone_moves_risks(shop: Shop) -> None:
    shop.settle()
    before = {row.case: row.at_us for row in shop.store.risks.all("shop", shop.model.version)}
    shop.clock.at_us += HOUR_US
    shop.settle()
    after = {row.case: row.at_us for row in shop.store.risks.all("shop", shop.model.version)}
    assert set(after) == shop.open_cases()
    assert all(after[case] > before[case] for case in after)


def test_cases_for_which_it_is_time_gather_before_they_are_looked_at(shop: Shop) -> None:
    shop.settle()
    gathering = Foreseer(shop.store, clock=shop.clock, lateness_us=0, gather_us=1_000_000)
    while gathering.step():
        pass
    gathering._followers["shop"].again()
    shop.clock.at_us += 999_999
    assert gathering.step() == 0
    shop.clock.at_us += 1
    assert gathering.step() == len(shop.open_cases())


def test_a_risk_that_is_left_as_it_is_still_holds(shop: Shop) -> None:
    shop.settle()
    (follower,) = shop.foreseer._followers.values()
    written = []
    for _ in range(8):
        shop.clock.at_us += HOUR_US // 4
        follower.again()
        shop.settle()
        rows = {row.case: row for row in shop.store.risks.all("shop", shop.model.version)}
        cases, (now,) = follower.standing(sorted(rows), shop.clock.at_us)
        stater = follower._asked[0].stater
        risk = raised(stater._scorer.risk(now.x), stater.level)
        assert {cases[n]: rows[cases[n]].p_failed for n in now.case.tolist()} == dict(zip(cases, risk, strict=True))
        assert all(shop.clock.at_us - row.at_us < stating.STATED_ANEW_US for row in rows.values())
        written.append(sum(row.at_us == shop.clock.at_us for row in rows.values()))
    assert 0 < min(written) < max(written)


def test_how_it_is_is_known(shop: Shop) -> None:
    assert foreseer_status(shop.foreseer) == Status(n_cases=0)
    shop.settle()
    followed = Status(position=shop.store.events.last_position(), n_cases=len(shop.open_cases()), overdue_us=0)
    assert foreseer_status(shop.foreseer) == followed
    shop.clock.at_us += 2 * HOUR_US
    assert HOUR_US < (foreseer_status(shop.foreseer).overdue_us or 0) <= 2 * HOUR_US


def test_a_shadow_tells_nothing_and_a_live_one_tells_each_crossing_once(shop: Shop) -> None:
    shop.go_on(10)
    kinds = {signal.kind for signal in shop.store.signals.read(limit=100_000)}
    assert not kinds & {"at_risk", "no_longer_at_risk"}
    shop.store.models.promote("shop", shop.model.version, now_us=1)
    first = shop.store.signals.last_number()
    shop.go_on(len(shop.rest))
    told = [one for one in shop.store.signals.read(first, limit=100_000) if one.kind in stating.RISK_KINDS]
    assert told
    by_case: dict[str, list[str]] = {}
    for signal in told:
        by_case.setdefault(signal.case or "", []).append(signal.kind)
        body = msgspec.json.decode(signal.body)
        assert set(body) == {"risk", "threshold", "avoidable", "why", "lowers", "model"}
        if signal.kind == "at_risk":
            assert body["risk"] >= body["threshold"]
        else:
            assert body["risk"] < body["threshold"] * stating.CALM
    for kinds_of_case in by_case.values():
        assert kinds_of_case == [stating.RISK_KINDS[n % 2] for n in range(len(kinds_of_case))]


def test_the_history_of_a_case_is_thin_and_ends_with_the_newest_step(shop: Shop) -> None:
    shop.go_on(30)
    for row in shop.store.risks.all("shop", shop.model.version):
        points = shop.store.risks.past_of("shop", shop.model.version, row.case)
        assert [point.number for point in points] == list(range(1, row.n_past + 1))
        assert points[-1].p_failed == row.p_past
        assert abs(row.p_failed - row.p_past) < stating.STEP
        steps = [abs(b.p_failed - a.p_failed) for a, b in pairwise(points)]
        assert all(step >= stating.STEP for step in steps)


def test_an_erased_person_has_no_risk_and_teaches_nothing(shop: Shop) -> None:
    shop.settle()
    row = shop.store.risks.all("shop", shop.model.version)[0]
    assert row.customer is not None
    whole = judged_log(shop.store, "shop", quiet)
    assert row.customer in whole.replay.cases["customer"]
    shop.store.people.erase([row.customer], asked_by="admin", now_us=1, scrub=False)
    shop.settle()
    assert row.case not in shop.risks()
    assert shop.store.people.everything_about([row.customer])["risk_past"] == []
    left = judged_log(shop.store, "shop", quiet)
    assert row.customer not in left.replay.cases["customer"]
    assert left.replay.cases.height == whole.replay.cases.filter(whole.replay.cases["customer"] != row.customer).height
    assert set(shop.risks()) == shop.open_cases()


def test_a_late_event_and_a_joined_person_are_followed(shop: Shop) -> None:
    shop.go_on(10)
    case = sorted(shop.open_cases())[0]
    opened = shop.store.results.case("shop", case)
    assert opened is not None
    late = msgspec.structs.replace(
        story()[0], id="late", type="Passed on", team="third", case=case, time_us=opened[0].opened_us + 1
    )
    other = opened[0].customer or ""
    alias = msgspec.structs.replace(
        story()[0],
        id="alias",
        type="alias",
        case=None,
        customer="A-first",
        other_id=other,
        other_kind="alias",
        time_us=shop.clock.at_us,
    )
    shop.store.events.append([late, alias])
    shop.settle()
    rows = {row.case: row for row in shop.store.risks.all("shop", shop.model.version)}
    assert set(rows) == shop.open_cases()
    assert rows[case].position == shop.store.events.last_position() - 1
    assert rows[case].customer == min(other, "A-first")
    again = Shop.__new__(Shop)
    again.store, again.model, again.clock = shop.store, shop.model, shop.clock
    again.begin()
    shop.foreseer._followers["shop"].again()
    shop.settle()
    before = shop.risks()
    again.foreseer.step()
    assert again.risks() == before


def test_a_journey_without_a_model_or_with_an_unreadable_one_has_no_risks(shop: Shop) -> None:
    shop.settle()
    shop.store.models.retire("shop", shop.model.version)
    shop.settle()
    assert shop.risks() == {}
    assert shop.foreseer.n_cases == 0
    bad = msgspec.structs.replace(shop.model, version="bad")
    shop.store.models.add(bad, b"no model")
    shop.settle()
    assert shop.foreseer.n_cases == 0


def test_a_model_that_is_not_better_goes_live_only_where_somebody_insists(shop: Shop) -> None:
    store, model = shop.store, shop.model
    poor = msgspec.structs.replace(model, version="poor", beats=False, why="no better than the base rate")
    store.models.add(poor, store.models.blob("shop", model.version) or b"")
    with pytest.raises(NotBetter, match="no better than the base rate"):
        promote(store, "shop", "poor", insisted=False, now_us=1)
    assert store.models.live("shop") is None
    with pytest.raises(TruenorthError, match="was live before"):
        roll_back(store, "shop", now_us=1)
    assert promote(store, "shop", model.version, insisted=False, now_us=2).state == "live"
    assert promote(store, "shop", "poor", insisted=True, now_us=3).state == "live"
    assert roll_back(store, "shop", now_us=4).version == model.version
    with pytest.raises(TruenorthError, match="'truenorth models list'"):
        promote(store, "shop", "unknown", insisted=False, now_us=5)


def test_a_model_looks_at_itself(shop: Shop) -> None:
    shop.go_on(len(shop.rest))
    shop.clock.at_us += 11 * DAY_US
    shop.settle()
    seen = look(
        shop.store,
        "shop",
        shop.model.version,
        propose=True,
        effort=EFFORT,
        seed=0,
        now_us=shop.clock.at_us,
        tell=quiet,
    )
    (kept,) = shop.store.models.looks("shop", shop.model.version)
    assert msgspec.json.decode(kept.body, type=type(seen)) == seen
    ended = [row for row in shop.store.results.cases("shop", limit=10_000) if row.outcome != "open"]
    followed = {row.case for row in ended if shop.store.risks.past_of("shop", shop.model.version, row.case)}
    assert 0 < seen.n_matured <= len(followed)
    matured = matured_of(shop.store, "shop", shop.model.version, seen.since_us)
    told = alarmed_of(matured, known_of(shop.store, shop.model).foresight)
    assert told is not None
    assert told.n_alarmed + told.n_others == seen.n_matured
    assert told.words in words_of_look(None, told, seen.n_matured, (), {})
    assert (seen.since_us, seen.until_us) == (shop.model.data_to_us, shop.clock.at_us)
    again = look(
        shop.store, "shop", shop.model.version, propose=False, effort=EFFORT, seed=0, now_us=seen.until_us, tell=quiet
    )
    assert again.since_us == seen.until_us
    assert again.n_matured == 0


def test_the_bytes_of_a_model_make_the_same_model(shop: Shop) -> None:
    blob = shop.store.models.blob("shop", shop.model.version)
    assert blob is not None
    assert Foresight.from_bytes(blob).version == shop.model.version


def test_a_level_is_kept_with_the_model_and_survives_a_restart(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def learnt_since(*_: object, **__: object) -> levelling.Learnt:
        asked.append(1)
        return levelling.Learnt(0.7, Ends(0.2, math.inf))

    monkeypatch.setattr(follower, "learnt_since", learnt_since)
    shop.go_on(30)
    learnt = shop.store.models.find("shop", shop.model.version)
    assert learnt is not None
    assert (learnt.level, learnt.ends_low, learnt.ends_high) == (0.7, 0.2, math.inf)
    shop.begin()
    n_asked = len(asked)
    shop.settle()
    assert len(asked) == n_asked  # it is not time yet: what was kept is in force
    assert shop.store.models.find("shop", shop.model.version) == learnt
    (following,) = shop.foreseer._followers.values()
    following.again()
    shop.settle()
    rows = shop.store.risks.all("shop", shop.model.version)
    assert rows
    assert all(row.p_failed == raised(np.array([row.p_learnt]), 0.7)[0] for row in rows)
    for row in rows:
        assert abs(sum(msgspec.json.decode(row.p).values()) - 1) < 0.001
        low, median, high = msgspec.json.decode(row.remaining_days)
        assert 0 <= low <= median
        assert high is None


def test_a_level_is_learnt_from_all_cases_that_were_spoken_of_without_the_level_of_then(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[levelling.Said] = []
    monkeypatch.setattr(levelling, "level_of", lambda one: (said.append(one), 0.7)[1])
    shop.go_on(40)
    shop.clock.at_us += 2 * HOUR_US
    shop.settle()
    (following,) = shop.foreseer._followers.values()
    at_us, version = following.at_us, shop.model.version
    remaining = following._asked[0].known.foresight.remaining
    learnt = levelling.learnt_since(shop.store, "shop", version, remaining, since_us=0, seen_us=at_us)
    assert remaining is not None
    assert learnt.ends is not None
    assert learnt.ends != remaining.ends
    assert learnt.ends.low < learnt.ends.high
    states = [row.outcome for row in shop.store.results.cases("shop", limit=10_000)]
    case, first, newest, failed = said[-1]
    _, of_case = np.unique(case, return_index=True)
    newest, failed = newest[of_case], failed[of_case]
    assert (failed == -1).sum() == len(shop.open_cases())
    assert 0 < (failed >= 0).sum() <= sum(state != "open" for state in states)
    cases, (now,) = following.standing(sorted(shop.open_cases()), at_us)
    risk = following._asked[0].stater._scorer.risk(now.x)
    assert len(cases) == len(risk)
    np.testing.assert_allclose(np.sort(newest[failed == -1]), np.sort(risk), atol=stating.STEP)
    assert ((first >= 0) & (first <= 1)).all()


def test_a_property_called_position_is_the_senders_and_the_place_in_the_log_teaches_nothing(tmp_path: Path) -> None:
    events = [
        msgspec.structs.replace(event, properties=b'{"properties":{"position":%d}}' % (place % 5))
        for place, event in enumerate(story(60))
    ]
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        publish(store, JOURNEY + "  - {name: stays_high, never: position > 3}\n")
        store.events.append(events)
        settle(runner_of(store, Clock(events[-1].time_us)))
        _, promises = store.results.rows_of("shop", sorted({str(event.case) for event in events}))
        journey, judged, _ = judged_log(store, "shop", quiet)
    n_broken = sum(row.promise == "stays_high" and row.verdict == "broken" for row in promises)
    assert n_broken == judged.summary["promises"]["stays_high"]["broken"] > 0
    names = [one.name for one in vocabulary_of_replay(journey, judged).numbers]
    assert "position" in names
    assert POSITION not in names


def test_columns_that_have_drifted_are_named_together() -> None:
    columns = {"n_open": "open cases", "last": "last event"}
    alarms = [Alarm("input", name, 0.0, "said one by one") for name in columns]
    alarms.insert(1, Alarm("outcome", "outcome", 0.0, "the shares of the outcomes have changed"))
    assert words_of_look(None, None, 3, tuple(alarms), columns).split("; ")[1:] == [
        "the shares of the outcomes have changed",
        "'open cases', 'last event' no longer look like what was learnt from",
    ]
