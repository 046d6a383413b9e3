"""The funnel adds up: what was considered fell somewhere or stayed; what was chosen became something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.acting_desk import ACTIONS, acting_desk, decide, open_cases
from server.desk import NOW_US, Desk
from truenorth.action.holdout import is_held_out
from truenorth.server.api.context import instant

DAY_US = 86_400_000_000


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with acting_desk(tmp_path) as opened:
        yield opened


def funnel(desk: Desk, **period: Any) -> Any:
    return desk.get("/api/v1/decisions/funnel", "analyst", journey="support", **period)


def test_it_adds_up_and_says_why(desk: Desk) -> None:
    made = [decide(desk, case) for case in open_cases(desk)]
    reactions = [("accepted", {}), ("declined", {"reason": "has called already"})]
    for one, (kind, more) in zip(made, reactions, strict=False):
        path = f"/api/v1/decisions/{one['decision']['id']}/reaction"
        assert desk.ask("POST", path, "agent", json={"kind": kind, **more}).status_code == 200
    desk.now_us += DAY_US
    said = funnel(desk)
    assert said["n_decisions"] == len(made)
    for one in said["actions"]:
        fell = [c for m in made for c in m["candidates"] if c["action"] == one["action"] and c["stage"]]
        assert one["considered"] == len(made) == sum(one["fell"].values()) + one["stayed"]
        assert one["chosen"] == sum(one["became"].values())
        assert {(r["stage"], r["words"]) for r in one["reasons"]} <= {(c["stage"], c["words"]) for c in fell}
    (calls,) = [one for one in said["actions"] if one["action"] == "call_back_now"]
    assert (calls["became"]["accepted"], calls["became"]["declined"]) == (1, 1)
    assert calls["became"]["expired"] == calls["chosen"] - 2
    assert said["n_nothing"] == len(made) - sum(one["chosen"] for one in said["actions"])


def test_what_was_asked_for_counts_also_where_nothing_was_chosen(tmp_path: Path) -> None:
    with acting_desk(tmp_path, actions=ACTIONS.replace("cost: 12\n", "cost: 1200\n")) as desk:
        made = decide(desk, open_cases(desk)[0])["decision"]
        assert made["chosen"] == "do_nothing"
        path = f"/api/v1/decisions/{made['id']}/approval"
        assert desk.ask("POST", path, "agent", json={"action": "gift"}).status_code == 201
        said = funnel(desk)
        assert said["n_escalated"] == 1
        assert sum(one["became"]["escalated"] for one in said["actions"]) == 0


def test_only_decisions_of_the_period_count(desk: Desk) -> None:
    decide(desk, open_cases(desk)[0])
    assert funnel(desk, since=instant(NOW_US + 1))["n_decisions"] == 0
    assert funnel(desk, until=instant(NOW_US))["n_decisions"] == 0
    assert funnel(desk, since=instant(NOW_US), until=instant(NOW_US + 1))["n_decisions"] == 1


def test_the_holdout_is_told_by_arm(tmp_path: Path) -> None:
    with acting_desk(tmp_path, actions=f"{ACTIONS}holdout: 50%\n") as desk:
        cases = open_cases(desk)
        for case in cases:
            decide(desk, case)
        said = funnel(desk)
        held = sum(is_held_out("support", case, 0.5) for case in cases)
        assert said["holdout"] == 0.5
        assert {one["held_out"]: one["n_cases"] for one in said["arms"]} == {True: held, False: len(cases) - held}
        assert all(one["n_decided"] == 0 and one["share"] is None for one in said["arms"])
