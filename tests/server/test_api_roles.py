"""Who may ask for what: every endpoint, every role, and nobody."""

from __future__ import annotations

from typing import Any

import pytest

from server.desk import JOURNEY, Desk
from truenorth.server.api.routes import api_templates
from truenorth.server.auth import ROLES

KPIS = "truenorth: 1\nkpis: [{name: n, owner: o, formula: {count: type = 'Contact'}, better: lower}]"
LOG = "case,type,time\n" + "".join(
    f"{n},{kind},2026-01-0{1 + n % 5}\n" for n in range(20) for kind in ("Asked", "Done")
)
NO_ID = "0" * 24
"""The id of no decision: that it would be looked for is enough."""
NO_WORD = "0" * 16
"""The id of no promise."""
LOOKED_FOR = (
    "/api/v1/decisions/",
    "/api/v1/approvals/",
    "/api/v1/classes/",
    "/api/v1/staff/",
    "/api/v1/accounts/",
    f"/api/v1/customers/C1/promises/{NO_WORD}",
    "/api/v1/journeys/support/futures/",
    "/api/v1/journeys/support/steering/",
)

NEEDED: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("GET", "/api/v1/journeys"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support"): ("viewer", {}),
    ("GET", "/api/v1/summary?journey=support"): ("viewer", {}),
    ("GET", "/metrics"): ("viewer", {}),
    ("GET", "/api/docs"): ("viewer", {}),
    ("GET", "/api/docs/start.js"): ("viewer", {}),
    ("GET", "/api/docs/swagger-ui.css"): ("viewer", {}),
    ("GET", "/api/docs/swagger-ui-bundle.js"): ("viewer", {}),
    ("GET", "/api/docs/openapi.json"): ("viewer", {}),
    ("GET", "/api/v1/cases?journey=support"): ("agent", {}),
    ("GET", "/api/v1/cases/T001?journey=support"): ("agent", {}),
    ("GET", "/api/v1/promises?journey=support"): ("agent", {}),
    ("GET", "/api/v1/risks?journey=support"): ("agent", {}),
    ("GET", "/api/v1/risks/T001?journey=support"): ("agent", {}),
    ("GET", "/api/v1/signals"): ("agent", {}),
    ("GET", "/api/v1/stream?after=x"): ("agent", {}),  # a stream has no end: that it would be heard is enough
    ("GET", "/api/v1/decisions?journey=support&case=T001"): ("agent", {}),
    ("GET", "/api/v1/queue?team=first"): ("agent", {}),
    ("GET", "/api/v1/decisions/funnel?journey=support"): ("analyst", {}),
    ("GET", "/api/v1/promises/ledger?journey=support"): ("agent", {}),
    ("GET", "/api/v1/explanation?journey=support&case=T001"): ("agent", {}),
    ("GET", "/api/v1/customers/C1/timeline"): ("agent", {}),
    ("GET", "/api/v1/customers/C1/promises"): ("agent", {}),
    ("POST", "/api/v1/customers/C1/promises"): ("agent", {"json": {"text": "call back within 2h"}}),
    ("POST", f"/api/v1/customers/C1/promises/{NO_WORD}/answered"): ("agent", {}),
    ("DELETE", f"/api/v1/customers/C1/promises/{NO_WORD}"): ("agent", {}),
    ("GET", "/api/v1/journeys/support/map"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/map/compared"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/slices"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/failures"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/failures/cases?kind=event&target=Note"): ("analyst", {}),
    ("GET", "/api/v1/journeys/support/futures"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/futures/none"): ("viewer", {}),
    ("PUT", "/api/v1/journeys/support/futures/one-desk"): ("analyst", {"json": {"element": "type:a", "fate": "keep"}}),
    ("DELETE", "/api/v1/journeys/support/futures/one-desk"): ("analyst", {}),
    ("GET", "/api/v1/approvals"): ("agent", {}),
    ("GET", "/api/v1/stops"): ("agent", {}),
    ("GET", "/api/v1/classes"): ("agent", {}),
    ("POST", "/api/v1/decide"): ("agent", {"json": {"journey": "support", "case": "T001"}}),
    ("GET", f"/api/v1/decisions/{NO_ID}"): ("agent", {}),
    ("POST", f"/api/v1/decisions/{NO_ID}/reaction"): ("agent", {"json": {"kind": "accepted"}}),
    ("POST", f"/api/v1/decisions/{NO_ID}/approval"): ("agent", {"json": {"action": "x"}}),
    ("POST", "/api/v1/approvals/9"): ("agent", {"json": {"granted": True}}),
    ("POST", "/api/v1/classes/9/bookings"): ("agent", {"json": {"person": "bo"}}),
    ("GET", "/api/v1/staff/bo?journey=support"): ("agent", {}),
    ("DELETE", "/api/v1/classes/9/bookings?person=bo"): ("agent", {}),
    ("GET", "/api/v1/practice"): ("analyst", {}),
    ("GET", "/api/v1/ledger?journey=support"): ("viewer", {}),
    ("GET", "/api/v1/policies/learnt/evaluation?journey=support"): ("analyst", {}),
    ("GET", "/api/v1/staff"): ("analyst", {}),
    ("PUT", "/api/v1/stops"): ("analyst", {"json": {"journey": "*", "action": "*", "reason": "wrong"}}),
    ("DELETE", "/api/v1/stops?journey=*&action=*"): ("analyst", {}),
    ("POST", "/api/v1/classes/9/finished"): ("analyst", {"json": {"person": "bo"}}),
    ("PUT", "/api/v1/staff"): ("admin", {"content": "people: [{id: bo}]"}),
    ("PUT", "/api/v1/journeys/support"): ("analyst", {"content": JOURNEY}),
    ("POST", "/api/v1/drafts/check"): ("viewer", {"content": JOURNEY}),
    ("POST", "/api/v1/drafts/trial"): ("analyst", {"content": JOURNEY}),
    ("POST", "/api/v1/drafts/discover?file=log.csv"): ("analyst", {"content": LOG}),
    ("GET", "/api/v1/journeys/support/versions/1"): ("viewer", {}),
    ("GET", "/api/v1/journeys/support/difference?of=1&to=1"): ("viewer", {}),
    ("POST", "/api/v1/journeys/support/versions/1/publish"): ("analyst", {}),
    ("GET", "/api/v1/journeys/support/steering"): ("analyst", {}),
    ("PUT", "/api/v1/journeys/support/steering/kpis"): ("analyst", {"content": KPIS}),
    ("DELETE", "/api/v1/journeys/support/steering/kpis"): ("analyst", {}),
    ("GET", "/api/v1/insight"): ("viewer", {}),
    ("GET", "/api/v1/insight/feel?journey=support"): ("analyst", {}),
    ("POST", "/api/v1/insight/kpis?journey=support"): ("analyst", {"content": KPIS}),
    ("GET", "/api/v1/export"): ("analyst", {}),
    ("GET", "/api/v1/quarantine"): ("analyst", {}),
    ("GET", "/api/v1/links"): ("analyst", {}),
    ("PUT", "/api/v1/links/spring"): ("analyst", {"json": {"url": "https://shop.example/"}}),
    ("DELETE", "/api/v1/links/spring"): ("analyst", {}),
    ("GET", "/api/v1/customers/C1"): ("admin", {}),
    ("DELETE", "/api/v1/customers/C1"): ("admin", {}),
    ("GET", "/api/v1/erasures"): ("admin", {}),
    ("GET", "/api/v1/webhooks"): ("admin", {}),
    ("POST", "/api/v1/webhooks"): ("admin", {"json": {"url": "https://crm.example/"}}),
    ("PATCH", "/api/v1/webhooks/1"): ("admin", {"json": {"state": "paused"}}),
    ("GET", "/api/v1/webhooks/1/dead-letters"): ("admin", {}),
    ("POST", "/api/v1/webhooks/1/dead-letters/retry"): ("admin", {}),
    ("DELETE", "/api/v1/webhooks/1"): ("admin", {}),
    ("GET", "/api/v1/write-keys"): ("admin", {}),
    ("POST", "/api/v1/write-keys"): ("admin", {"json": {"source": "app"}}),
    ("DELETE", "/api/v1/write-keys/app"): ("admin", {}),
    ("GET", "/api/v1/tokens"): ("admin", {}),
    ("POST", "/api/v1/tokens"): ("admin", {"json": {"label": "new", "role": "viewer"}}),
    ("DELETE", "/api/v1/tokens/new"): ("admin", {}),
    ("GET", "/api/v1/audit"): ("admin", {}),
    ("GET", "/api/v1/accounts"): ("admin", {}),
    ("GET", "/api/v1/invitations"): ("admin", {}),
    ("POST", "/api/v1/invitations"): ("admin", {"json": {"name": "anna", "role": "agent"}}),
    ("DELETE", "/api/v1/invitations?name=anna"): ("admin", {}),
    ("PATCH", "/api/v1/accounts/anna"): ("admin", {"json": {"role": "agent"}}),
    ("PUT", "/api/v1/accounts/anna/password"): ("viewer", {"json": {"present": "none", "new": "several easy words"}}),
    ("GET", "/api/v1/true-north"): ("viewer", {}),
    ("GET", "/api/v1/arrivals"): ("analyst", {}),
    ("POST", "/api/v1/quarantine/1/retry"): ("analyst", {"json": {}}),
    ("DELETE", "/api/v1/quarantine/2"): ("analyst", {}),
    ("GET", "/api/v1/models"): ("viewer", {}),
    ("GET", "/api/v1/models/m1?journey=support"): ("viewer", {}),
    ("POST", "/api/v1/models/m1/promote?journey=support"): ("analyst", {}),
    ("POST", "/api/v1/models/roll-back?journey=support"): ("analyst", {}),
    ("POST", "/api/v1/models/m1/retire?journey=support"): ("analyst", {}),
}


EMPTY = ("/api/v1/stream", "/api/v1/ledger")
"""Asked where nothing was told, or decided, yet."""


@pytest.mark.parametrize("role", [None, *ROLES])
def test_allowed_and_denied(desk: Desk, role: str | None) -> None:
    for (method, path), (needed, options) in NEEDED.items():
        status = desk.ask(method, path, role, **options).status_code
        if role is None:
            assert status == 401, (method, path)
        elif ROLES.index(role) < ROLES.index(needed):
            assert status == 403, (method, path, role)
        else:
            is_searched = path.startswith(LOOKED_FOR) and status in {403, 404, 409}
            is_empty = path.startswith(EMPTY) and status == 422
            assert status in {200, 201, 204} or is_searched or is_empty, (path, status)


def test_every_endpoint_is_in_the_table(read_desk: Desk) -> None:
    described = {
        (method.upper(), path) for path, operations in read_desk.app.openapi()["paths"].items() for method in operations
    }
    bare = {(method, path.split("?")[0]) for method, path in NEEDED}
    tabled = {(method, template(path)) for method, path in bare if path.startswith("/api/v1")}
    assert tabled == described


def template(path: str) -> str:
    templates = {one.replace(":path", "") for one in api_templates().values()}
    if path in templates:
        return path
    parts = path.split("/")
    return next(one for one in sorted(templates) if fits(one.split("/"), parts))


def fits(template: list[str], parts: list[str]) -> bool:
    pairs = zip(template, parts, strict=False)
    return len(template) == len(parts) and all(one == part or one.startswith("{") for one, part in pairs)


def test_the_description_tells_each_role(read_desk: Desk) -> None:
    paths = read_desk.app.openapi()["paths"]
    for (method, path), (needed, _) in NEEDED.items():
        bare = path.split("?")[0]
        if bare.startswith("/api/v1"):
            assert f"Role: {needed}" in paths[template(bare)][method.lower()]["description"], path


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/api", "/api/", "/metrics/x", "/api/docs/x"])
def test_without_a_token_not_even_that_there_is_nothing(read_desk: Desk, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS", "HEAD", "DELETE"):
        assert read_desk.ask(method, path, None).status_code == 401


@pytest.mark.parametrize("content", [b"{", b"\xff", b"x" * 1_000_000])
def test_without_a_token_no_body_is_looked_at(read_desk: Desk, content: bytes) -> None:
    for method, path in (("PUT", "/api/v1/journeys/a"), ("POST", "/api/v1/tokens")):
        assert read_desk.ask(method, path, None, content=content).status_code == 401


def test_revoked_and_unknown_tokens(desk: Desk) -> None:
    assert desk.ask("GET", "/api/v1/journeys", "viewer").status_code == 200
    assert desk.ask("DELETE", "/api/v1/tokens/viewer's").json() == {"revoked": 1}
    answer = desk.ask("GET", "/api/v1/journeys", "viewer")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    for value in (
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Basic {desk.tokens['admin']}",
        desk.tokens["admin"],
        desk.write_key,
    ):
        answer = desk.ask("GET", "/api/v1/journeys", None, headers={"Authorization": value})
        assert answer.status_code == 401, value


def test_a_token_in_the_query_is_none(read_desk: Desk) -> None:
    for word in ("token", "access_token", "api_key"):
        assert (
            read_desk.ask("GET", "/api/v1/journeys", None, params={word: read_desk.tokens["admin"]}).status_code == 401
        )


def test_browsers_may_show_the_documents_by_password(read_desk: Desk) -> None:
    assert read_desk.ask("GET", "/api/docs", None).headers["www-authenticate"].startswith("Basic")
    assert read_desk.ask("GET", "/api/docs", None, auth=("any", read_desk.tokens["viewer"])).status_code == 200
    for method, path in (("GET", "/api/v1/journeys"), ("POST", "/api/docs"), ("GET", "/metrics")):
        assert read_desk.ask(method, path, None, auth=("any", read_desk.tokens["admin"])).status_code == 401
