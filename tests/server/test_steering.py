"""What a journey is steered by is kept with it, and insights look at it."""

from __future__ import annotations

from server.desk import Desk

PATH = "/api/v1/journeys/support/steering"
KPIS = "truenorth: 1\nkpis: [{name: contacts, owner: Service, formula: {count: type = 'Contact'}, better: lower}]\n"


def test_a_file_is_kept_in_the_place_of_the_last(desk: Desk) -> None:
    assert desk.get(PATH, "analyst") == []
    desk.ask("PUT", f"{PATH}/kpis", "analyst", content=KPIS.replace("contacts", "calls"))
    kept = desk.ask("PUT", f"{PATH}/kpis", "analyst", content=KPIS).json()
    assert desk.get(PATH, "analyst") == [kept]
    assert (kept["kind"], kept["text"], kept["by"]) == ("kpis", KPIS, "analyst's")


def test_a_file_with_errors_is_not_kept(desk: Desk) -> None:
    answer = desk.ask("PUT", f"{PATH}/kpis", "analyst", content="truenorth: 1\nkpis: [{name: x}]\n")
    assert (answer.status_code, bool(answer.json()["problems"])) == (422, True)
    assert desk.get(PATH, "analyst") == []


def test_the_audit_looks_at_what_is_kept(desk: Desk) -> None:
    asked = {"journey": "support", "wait": 30}
    assert desk.ask("GET", "/api/v1/insight/kpis", "analyst", params=asked).json()["code"] == "no_file"
    desk.ask("PUT", f"{PATH}/kpis", "analyst", content=KPIS)
    said = desk.ask("GET", "/api/v1/insight/kpis", "analyst", params=asked)
    assert said.status_code == 200
    assert [row[0] for row in said.json()["tables"]["kpis"]["rows"]] == ["contacts"]
    desk.app.state.context.insights.close()


def test_what_is_forgotten_is_gone(desk: Desk) -> None:
    desk.ask("PUT", f"{PATH}/kpis", "analyst", content=KPIS)
    assert desk.ask("DELETE", f"{PATH}/kpis", "analyst").json()["text"] == KPIS
    assert desk.ask("DELETE", f"{PATH}/kpis", "analyst").status_code == 404
    assert desk.ask("PUT", f"{PATH}/wishes", "analyst", content=KPIS).status_code == 422
